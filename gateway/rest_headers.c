// SPDX-License-Identifier: MIT
#include "gateway/rest_headers.h"

#include "lib/base/text.h"

#include <assert.h>

struct word {
    size_t size;
    const char *text;
};

#define WORD(text)               \
    {                            \
        sizeof(text) - 1, (text) \
    }
#define WORDS(list) (list), sizeof(list) / sizeof((list)[0])

static const struct word between_neighbours[] = {
    WORD("transfer-encoding"),
    WORD("keep-alive"),
    WORD("proxy-authenticate"),
    WORD("proxy-authorization"),
    WORD("te"),
    WORD("trailer"),
    WORD("upgrade"),
    WORD("connection"),
    WORD("user-agent"),
    WORD("host"),
    WORD("content-length"),
    WORD("server"),
    WORD("expect"),
};
/* A caller's are removed: this gateway makes its own. */
static const struct word ours_in_request[] = {WORD("x-road-request-id"),
                                              WORD("x-road-request-hash")};
/* A service's are removed: the caller's gateway makes them. */
static const struct word ours_in_response[] = {
    WORD("x-road-id"),         WORD("x-road-client"),       WORD("x-road-service"),
    WORD("x-road-request-id"), WORD("x-road-request-hash"), WORD("chaski-receipt")};
/* Decide something: only the last one counts, and only the last one travels. */
static const struct word decisive[] = {
    WORD("x-road-client"),          WORD("x-road-id"),
    WORD("x-road-security-server"), WORD("x-road-represented-party"),
    WORD("chaski-purpose"),         WORD("chaski-procedure"),
    WORD("chaski-legal-basis"),     WORD("chaski-case"),
    WORD("chaski-subject"),         WORD("chaski-deadline-ms"),
};

static bool is_one_of(struct span name, const struct word *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (words[i].size == name.size &&
            text_same_word(name, span_of(words[i].text, words[i].size)))
            return true;
    return false;
}

bool rest_headers_removed(struct span name)
{
    return is_one_of(name, WORDS(between_neighbours));
}

static bool repeated_later(const struct http_head *head, size_t at)
{
    for (size_t i = at + 1; i < head->fields; i++)
        if (text_same_word(head->field[i].name, head->field[at].name))
            return true;
    return false;
}

void rest_headers_of_request(const struct http_head *head, struct rest_fields *out)
{
    out->count = 0;
    for (size_t i = 0; i < head->fields; i++) {
        struct span name = head->field[i].name;
        if (rest_headers_removed(name) || is_one_of(name, WORDS(ours_in_request)))
            continue;
        if (is_one_of(name, WORDS(decisive)) && repeated_later(head, i))
            continue;
        out->field[out->count++] = head->field[i];
    }
}

void rest_headers_of_response(const struct http_field *field, size_t count, struct rest_fields *out)
{
    bool dated = false;
    out->count = 0;
    for (size_t i = 0; i < count && out->count < HTTP_FIELDS_MAX; i++) {
        struct span name = field[i].name;
        if (rest_headers_removed(name) || is_one_of(name, WORDS(ours_in_response)))
            continue;
        bool date = text_same_word(name, span_of_text("date"));
        if (date && dated)
            continue;
        dated = dated || date;
        out->field[out->count++] = field[i];
    }
}

void rest_headers_add(struct rest_fields *self, const char *name, struct span value)
{
    assert(self->count < REST_FIELDS_MAX);
    self->field[self->count++] = (struct http_field){span_of_text(name), value};
}

struct span rest_headers_last(const struct rest_fields *self, const char *name)
{
    for (size_t i = self->count; i > 0; i--)
        if (text_same_word(self->field[i - 1].name, span_of_text(name)))
            return self->field[i - 1].value;
    return (struct span){NULL, 0};
}

// --- from a peer ---------------------------------------------------------------------------------

static bool is_value(struct span value)
{
    for (size_t i = 0; i < value.size; i++)
        if ((value.at[i] < 0x20 && value.at[i] != '\t') || value.at[i] == 0x7f)
            return false;
    return true;
}

fault rest_headers_check(const struct rest_fields *self)
{
    size_t bytes = 0;
    for (size_t i = 0; i < self->count; i++) {
        const struct http_field *field = &self->field[i];
        if (!http_is_token(field->name) || !is_value(field->value))
            return RAISE(BAD_FRAME, "a header field that HTTP cannot carry");
        if (rest_headers_removed(field->name))
            return RAISE(BAD_FRAME, "a header field that must not travel");
        bytes += field->name.size + field->value.size + 4;
    }
    if (bytes > 2 * HTTP_HEAD_BYTES_MAX)
        return RAISE(BAD_FRAME, "%zu bytes of header fields", bytes);
    return DONE;
}

// --- what the caller wants -----------------------------------------------------------------------

static fault read_word(const struct rest_fields *self, const char *name,
                       char out[WORD_BYTES_MAX + 1])
{
    struct span value = rest_headers_last(self, name);
    if (value.size > WORD_BYTES_MAX)
        return RAISE(BAD_REQUEST, "%s is longer than %d bytes", name, WORD_BYTES_MAX);
    bool tab = value.size > 0 && memchr(value.at, '\t', value.size) != NULL;
    if (!text_is_utf8(value) || !is_value(value) || tab)
        return RAISE(BAD_REQUEST, "%s is not one line of UTF-8 text", name);
    if (value.size > 0)
        memcpy(out, value.at, value.size);
    out[value.size] = '\0';
    return DONE;
}

static fault read_client(const struct rest_fields *self, struct bus_id *out)
{
    struct span value = rest_headers_last(self, "X-Road-Client");
    if (value.at == NULL)
        return RAISE(BAD_CLIENT, "the header is missing; it looks like "
                                 "X-Road-Client: CO/MUN/890905211/TRAMITES");
    if (failed(bus_id_parse(value, ID_MEMBER, ID_SUBSYSTEM, out)))
        return RAISE(BAD_CLIENT, "it must be INSTANCE/CLASS/MEMBER/SUBSYSTEM, percent-encoded");
    return DONE;
}

static fault read_security_server(const struct rest_fields *self, char *out, size_t room)
{
    out[0] = '\0';
    struct span value = rest_headers_last(self, "X-Road-Security-Server");
    if (value.at == NULL)
        return DONE;
    struct bus_id id;
    if (failed(bus_id_parse(value, ID_SERVER, ID_SERVER, &id)))
        return RAISE(BAD_REQUEST,
                     "X-Road-Security-Server must be INSTANCE/CLASS/MEMBER/SERVERCODE");
    bus_id_text(&id, ID_SERVER, out, room);
    return DONE;
}

static fault check_represented_party(const struct rest_fields *self)
{
    struct span value = rest_headers_last(self, "X-Road-Represented-Party");
    size_t slashes = 0;
    for (size_t i = 0; i < value.size; i++)
        slashes += value.at[i] == '/';
    if (value.at != NULL && (slashes > 1 || value.size == 0))
        return RAISE(BAD_REQUEST, "X-Road-Represented-Party must be CLASS/CODE or CODE");
    return DONE;
}

static fault read_wait(const struct rest_fields *self, uint32_t otherwise, uint32_t *out)
{
    struct span value = rest_headers_last(self, "Chaski-Deadline-Ms");
    uint64_t wait_ms = otherwise;
    if (value.at != NULL &&
        (failed(text_number(value, DEADLINE_MS_MAX, &wait_ms)) || wait_ms < DEADLINE_MS_LEAST))
        return RAISE(DEADLINE_BAD, "Chaski-Deadline-Ms must be a number from %d to %d",
                     DEADLINE_MS_LEAST, DEADLINE_MS_MAX);
    *out = (uint32_t)wait_ms;
    return DONE;
}

fault rest_headers_read_want(const struct rest_fields *self, uint32_t default_wait_ms,
                             struct rest_want *out)
{
    TRY(read_client(self, &out->client));
    TRY(read_security_server(self, out->security_server, sizeof out->security_server));
    TRY(check_represented_party(self));
    TRY(read_word(self, "Chaski-Purpose", out->purpose));
    TRY(read_word(self, "Chaski-Procedure", out->procedure));
    TRY(read_word(self, "Chaski-Legal-Basis", out->legal_basis));
    TRY(read_word(self, "Chaski-Case", out->case_ref));
    TRY(read_wait(self, default_wait_ms, &out->wait_ms));
    out->message_id = rest_headers_last(self, "X-Road-Id");
    return DONE;
}
