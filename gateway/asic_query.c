// SPDX-License-Identifier: MIT
#include "gateway/asic_query.h"

#include "lib/base/cursor.h"
#include "lib/base/text.h"

enum parameter {
    QUERY_ID,
    INSTANCE,
    MEMBER_CLASS,
    MEMBER_CODE,
    SUBSYSTEM_CODE,
    REQUEST_ONLY,
    RESPONSE_ONLY,
    UNIQUE,
    FORCE,
    PARAMETERS
};

static const char *const names[PARAMETERS] = {"queryId",      "xRoadInstance", "memberClass",
                                              "memberCode",   "subsystemCode", "requestOnly",
                                              "responseOnly", "unique",        "force"};

struct values {
    bool given[PARAMETERS];
    char text[REQUEST_ONLY][MESSAGE_ID_BYTES_MAX + 1];
};

static fault find_name(struct span name, enum parameter *out)
{
    for (int i = 0; i < PARAMETERS; i++)
        if (span_is_text(name, names[i])) {
            *out = (enum parameter)i;
            return DONE;
        }
    return RAISE(BAD_REQUEST, "A parameter is not known; there are queryId, xRoadInstance, "
                              "memberClass, memberCode, subsystemCode, requestOnly, responseOnly, "
                              "unique and force.");
}

static fault read_value(enum parameter which, struct span value, struct values *out)
{
    uint8_t spaced[3 * MESSAGE_ID_BYTES_MAX];
    char *text = out->text[which];
    if (value.size > sizeof spaced)
        return RAISE(BAD_REQUEST, "Parameter \"%s\" is too long.", names[which]);
    for (size_t i = 0; i < value.size; i++)
        spaced[i] = value.at[i] == '+' ? ' ' : value.at[i];
    if (failed(text_percent_decode(span_of(spaced, value.size), text, MESSAGE_ID_BYTES_MAX + 1)) ||
        !text_is_plain(span_of_text(text)) || text[0] == '\0')
        return RAISE(BAD_REQUEST, "Parameter \"%s\" is empty, too long or not plain text.",
                     names[which]);
    return DONE;
}

static fault read_one(struct span pair, struct values *out)
{
    const uint8_t *mark = pair.size == 0 ? NULL : memchr(pair.at, '=', pair.size);
    size_t length = mark == NULL ? pair.size : (size_t)(mark - pair.at);
    struct span value =
        mark == NULL ? (struct span){pair.at, 0} : span_of(mark + 1, pair.size - length - 1);
    enum parameter which = QUERY_ID;
    TRY(find_name(span_of(pair.at, length), &which));
    if (out->given[which])
        return RAISE(BAD_REQUEST, "Parameter \"%s\" is given twice.", names[which]);
    out->given[which] = true;
    if (which < REQUEST_ONLY)
        return read_value(which, value, out);
    if (value.size > 0 && !span_is_text(value, "true") && !span_is_text(value, "1"))
        return RAISE(BAD_REQUEST, "Parameter \"%s\" is a switch and takes no value.", names[which]);
    return DONE;
}

static fault read_all(struct span query, struct values *out)
{
    struct cursor at = cursor_over(query);
    struct span pair;
    if (query.size == 0)
        return RAISE(BAD_REQUEST, "Parameter \"queryId\" must be specified.");
    while (!failed(cursor_take_until(&at, '&', &pair)))
        TRY(read_one(pair, out));
    return read_one(at.left, out);
}

/* Joined as parts, not as text: a slash in a code stays inside it. */
static fault make_client(const struct values *values, char *out, size_t room)
{
    struct bus_id id = {.parts = values->given[SUBSYSTEM_CODE] ? ID_SUBSYSTEM : ID_MEMBER};
    for (unsigned i = 0; i < id.parts; i++)
        if (!text_format(id.part[i], sizeof id.part[i], "%s", values->text[INSTANCE + i]))
            return RAISE(BAD_REQUEST, "Parameter \"%s\" is too long.", names[INSTANCE + i]);
    bus_id_text(&id, id.parts, out, room);
    return DONE;
}

fault asic_query_read(struct span query, struct asic_query *out)
{
    struct values values = {0};
    TRY(read_all(query, &values));
    for (int i = QUERY_ID; i <= MEMBER_CODE; i++)
        if (!values.given[i])
            return RAISE(BAD_REQUEST, "Parameter \"%s\" must be specified.", names[i]);
    if (values.given[REQUEST_ONLY] && values.given[RESPONSE_ONLY])
        return RAISE(BAD_REQUEST, "Parameters \"requestOnly\" and \"responseOnly\" cannot be used "
                                  "at the same time.");
    if (values.given[UNIQUE] && !values.given[REQUEST_ONLY] && !values.given[RESPONSE_ONLY])
        return RAISE(BAD_REQUEST, "Parameter \"unique\" not applicable without \"requestOnly\" or "
                                  "\"responseOnly\".");
    TRY(make_client(&values, out->client, sizeof out->client));
    memcpy(out->message_id, values.text[QUERY_ID], sizeof out->message_id);
    out->request = !values.given[RESPONSE_ONLY];
    out->response = !values.given[REQUEST_ONLY];
    out->unique = values.given[UNIQUE];
    out->force = values.given[FORCE];
    return DONE;
}
