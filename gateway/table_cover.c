// SPDX-License-Identifier: MIT
#include "gateway/table_cover.h"

#include "gateway/write.h"
#include "lib/bus/policy_columns.h"

static const char *rule_for(const struct front_call *call, struct span name)
{
    for (size_t i = 0; i < call->withheld; i++)
        if (span_is_text(name, call->withheld_column[i].name))
            return call->withheld_column[i].rule;
    for (size_t i = 0; i < call->given; i++)
        if (span_is_text(name, call->given_column[i]))
            return NULL;
    return POLICY_COLUMN_UNLISTED;
}

void table_cover_make(const struct table *table, const struct front_call *call,
                      struct table_cover *out)
{
    *out = (struct table_cover){0};
    if (call->given + call->withheld == 0)
        return;
    for (size_t i = 0; i < table->columns; i++) {
        out->rule[i] = rule_for(call, table_column(table, i));
        out->hidden += out->rule[i] != NULL;
    }
}

void table_cover_given(const struct table *table, const char *const *given, size_t count,
                       struct table_cover *out)
{
    const struct front_call call = {.given = count, .given_column = given};
    *out = (struct table_cover){0};
    for (size_t i = 0; i < table->columns; i++) {
        out->rule[i] = rule_for(&call, table_column(table, i));
        out->hidden += out->rule[i] != NULL;
    }
}

static void write_name(struct span name, struct bytes *out)
{
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '_' || c == '-' || c == '.';
        if (plain)
            write_span(out, span_of(&c, 1));
        else
            write_format(out, "%%%02X", c);
    }
}

void table_cover_write_field(const struct table *table, const struct table_cover *self,
                             struct bytes *out)
{
    size_t written = 0;
    for (size_t i = 0; i < table->columns && out->size < TABLE_COVER_FIELD_BYTES_MAX; i++) {
        if (self->rule[i] == NULL)
            continue;
        write_text(out, written == 0 ? "" : ", ");
        write_name(table_column(table, i), out);
        write_format(out, ";rule=\"%s\"", self->rule[i]);
        written++;
    }
    if (written < self->hidden)
        write_format(out, ", more=%zu", self->hidden - written);
}

void table_cover_write_json(const struct table *table, const struct table_cover *self,
                            struct bytes *out)
{
    size_t written = 0;
    write_text(out, "[");
    for (size_t i = 0; i < table->columns; i++) {
        if (self->rule[i] == NULL)
            continue;
        write_text(out, written++ == 0 ? "{\"column\":" : ",{\"column\":");
        write_json(out, table_column(table, i));
        write_text(out, ",\"rule\":");
        write_json(out, span_of_text(self->rule[i]));
        write_text(out, "}");
    }
    write_text(out, "]");
}
