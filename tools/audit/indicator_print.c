// SPDX-License-Identifier: MIT
#include "tools/audit/indicator_print.h"

#include "lib/base/text.h"
#include "lib/evidence/printable.h"

#include <stdio.h>
#include <string.h>

/* Names come from signed headers, and so from strangers: a spreadsheet runs none of them. */
static void put_csv_word(const char *word)
{
    printf("\"%s", word[0] != '\0' && strchr("=+-@", word[0]) != NULL ? "'" : "");
    for (const char *at = word; *at != '\0'; at++) {
        if (*at == '"')
            putchar('"');
        putchar(*at);
    }
    fputs("\",", stdout);
}

static void put_text_word(const char *word, int width)
{
    OWNED(printable) text = printable_of(span_of_text(word));
    printf("%-*s ", width, text->text);
}

void indicator_put(struct indicator_printer *self, const char *indicator, const char *entity,
                   const char *group, const double *value, const char *unit)
{
    char number[40] = "";
    if (value != NULL)
        text_format(number, sizeof number, "%.10g", *value);
    if (self->form == INDICATOR_JSON) {
        json_t *row = json_pack("{s:s,s:s,s:s,s:o,s:s}", "indicator", indicator, "entity", entity,
                                "group", group, "value",
                                value == NULL ? json_null() : json_real(*value), "unit", unit);
        if (self->month != NULL)
            json_object_set_new(row, "month", json_string(self->month));
        json_array_append_new(self->rows, row);
        return;
    }
    if (self->form == INDICATOR_CSV) {
        if (self->month != NULL)
            printf("%s,", self->month);
        printf("%s,", indicator);
        put_csv_word(entity);
        put_csv_word(group);
        printf("%s,%s\n", number, unit);
        return;
    }
    if (self->month != NULL)
        printf("%-8s ", self->month);
    put_text_word(indicator, 16);
    put_text_word(entity, 26);
    put_text_word(group, 30);
    printf("%12s %s\n", value == NULL ? "*" : number, unit);
}

void indicator_put_count(struct indicator_printer *self, const char *indicator, const char *entity,
                         const char *group, uint64_t count, bool hidden)
{
    double value = (double)count;
    indicator_put(self, indicator, entity, group, hidden ? NULL : &value, "exchanges");
}

void indicator_put_share(struct indicator_printer *self, const char *indicator, const char *entity,
                         uint64_t part, uint64_t whole, bool hidden)
{
    double share = whole == 0 ? 0 : (double)part / (double)whole;
    if (whole > 0)
        indicator_put(self, indicator, entity, "", hidden ? NULL : &share, "share");
}
