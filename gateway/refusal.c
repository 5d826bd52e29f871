// SPDX-License-Identifier: MIT
#include "gateway/refusal.h"

#include "gateway/write.h"
#include "lib/base/text.h"

#include <ctype.h>
#include <stdio.h>

/* About the shape of the request alone, as PR-REST has it under Client.* A bad X-Road-Client is not
 * among them: running X-Road servers say Server.ClientProxy.InvalidClientIdentifier. */
static bool about_shape(enum fault_code code)
{
    switch (code) {
    case BAD_REQUEST:
    case HEAD_TOO_LARGE:
    case BODY_TOO_LARGE:
    case SLOW_CALLER:
    case DEADLINE_BAD:
    case BAD_NAME:
    case NOT_FOUND:
    case BAD_QUESTION:
        return true;
    default:
        return false;
    }
}

/* In X-Road the provider's server decides these, and clients branch on its prefix. Here either side
 * may decide first; who did stands in the rule and in the evidence. */
static bool about_access(enum fault_code code)
{
    switch (code) {
    case ACCESS_DENIED:
    case RATE_LIMITED:
    case UNKNOWN_SERVICE:
    case SERVICE_DISABLED:
    case SOAP_NOT_CARRIED:
        return true;
    default:
        return false;
    }
}

static const char *prefix(const struct refusal *self, enum refusal_style style)
{
    bool snake = style == REFUSAL_SNAKE;
    if (self->at_provider || about_access(self->code))
        return snake ? "server.serverproxy." : "Server.ServerProxy.";
    if (about_shape(self->code) || (self->in_soap && fault_blame(self->code) == BLAME_CALLER))
        return snake ? "client." : "Client.";
    return snake ? "server.clientproxy." : "Server.ClientProxy.";
}

/* IOError -> io_error: a word begins at a capital that follows a small letter or precedes one. */
static void to_snake(const char *pascal, char *out, size_t room)
{
    static const struct {
        const char *pascal, *snake;
    } irregular[] = {{"OutdatedGlobalConf", "global_conf_outdated"},
                     {"HashChainUnusedInputs", "hashchain_unused_inputs"},
                     {"HSMNonOperational", "hsm_non_operational"},
                     {"TokenReadOnly", "token_readonly"}};
    for (size_t i = 0; i < sizeof irregular / sizeof irregular[0]; i++) {
        if (strcmp(pascal, irregular[i].pascal) == 0) {
            snprintf(out, room, "%s", irregular[i].snake);
            return;
        }
    }
    size_t o = 0;
    for (size_t i = 0; pascal[i] != '\0' && o + 2 < room; i++) {
        bool capital = isupper((unsigned char)pascal[i]);
        bool begins = islower((unsigned char)pascal[i + 1]) ||
                      (i > 0 && islower((unsigned char)pascal[i - 1]));
        if (capital && i > 0 && begins)
            out[o++] = '_';
        out[o++] = (char)tolower((unsigned char)pascal[i]);
    }
    out[o] = '\0';
}

void refusal_type(const struct refusal *self, enum refusal_style style, char out[REFUSAL_TYPE_ROOM])
{
    char snake[REFUSAL_TYPE_ROOM];
    const char *code = fault_xroad(self->code);
    if (style == REFUSAL_SNAKE) {
        to_snake(code, snake, sizeof snake);
        code = snake;
    }
    text_format(out, REFUSAL_TYPE_ROOM, "%s%s", prefix(self, style), code);
}

unsigned refusal_status_of(const struct refusal *self, enum refusal_status kind)
{
    if (kind == REFUSAL_HTTP || self->code == NOT_FOUND)
        return (unsigned)fault_status(self->code);
    return prefix(self, REFUSAL_SNAKE)[0] == 's' ? 500 : 400;
}

static const char *media_of(struct span range)
{
    size_t end = 0;
    while (end < range.size && range.at[end] != ';')
        end++;
    range.size = end;
    range = http_trimmed(range);
    if (text_same_word(range, span_of_text("application/xml")))
        return "application/xml";
    if (text_same_word(range, span_of_text("text/xml")) ||
        text_same_word(range, span_of_text("text/*")))
        return "text/xml";
    return NULL;
}

const char *refusal_media(const struct http_field *field, size_t count)
{
    for (size_t f = 0; f < count; f++) {
        struct span list = field[f].value;
        if (!text_same_word(field[f].name, span_of_text("accept")))
            continue;
        size_t start = 0;
        for (size_t i = 0; i <= list.size; i++) {
            if (i < list.size && list.at[i] != ',')
                continue;
            const char *media = i == start ? NULL : media_of(span_of(list.at + start, i - start));
            if (media != NULL)
                return media;
            start = i + 1;
        }
    }
    return NULL;
}

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static void write_xml_element(struct bytes *out, const char *name, const char *text)
{
    write_format(out, "<%s>", name);
    write_xml(out, span_of_text(text));
    write_format(out, "</%s>", name);
}

static void write_as_xml(const struct refusal *self, const char *type, const char *message,
                         struct bytes *out)
{
    write_text(out, "<error>");
    write_xml_element(out, "type", type);
    write_xml_element(out, "message", message);
    write_xml_element(out, "detail", self->exchange);
    if (given(self->rule))
        write_xml_element(out, "rule", self->rule);
    if (given(self->remedy))
        write_xml_element(out, "remedy", self->remedy);
    write_text(out, "</error>");
}

static void write_json_member(struct bytes *out, const char *name, const char *text)
{
    if (out->size > 1)
        write_text(out, ",");
    write_format(out, "\"%s\":", name);
    write_json(out, span_of_text(text));
}

static void write_as_json(const struct refusal *self, const char *type, const char *message,
                          struct bytes *out)
{
    write_text(out, "{");
    write_json_member(out, "type", type);
    write_json_member(out, "message", message);
    write_json_member(out, "detail", self->exchange);
    if (given(self->rule))
        write_json_member(out, "rule", self->rule);
    if (given(self->remedy))
        write_json_member(out, "remedy", self->remedy);
    write_text(out, "}");
}

void refusal_message(const struct refusal *self, char out[REFUSAL_MESSAGE_ROOM])
{
    text_format(out, REFUSAL_MESSAGE_ROOM, "%s%s%s", fault_sentence(self->code),
                given(self->detail) ? ": " : "", given(self->detail) ? self->detail : "");
}

void refusal_write(const struct refusal *self, enum refusal_style style, const char *media,
                   struct bytes *out)
{
    char type[REFUSAL_TYPE_ROOM], message[REFUSAL_MESSAGE_ROOM];
    refusal_type(self, style, type);
    refusal_message(self, message);
    if (media != NULL)
        write_as_xml(self, type, message, out);
    else
        write_as_json(self, type, message, out);
}
