// SPDX-License-Identifier: MIT
#include "gateway/rest_headers.h"

#include "lib/base/cursor.h"
#include "lib/base/text.h"

#include <assert.h>
#include <time.h>

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
static const struct word ours_in_request[] = {
    WORD("x-road-request-id"), WORD("x-road-request-hash"), WORD("chaski-subject"),
    WORD("chaski-seal")}; /* whom it is about goes no further */
/* Every field that begins so is the bus's own. */
static const struct word ours[] = {WORD("x-road-"), WORD("chaski-")};
/* ... but what a peer's table says of its rows and columns comes with its answer. */
static const struct word of_tables[] = {WORD("chaski-total"), WORD("chaski-withheld")};

/* By these some services take another method or path than the request line's. */
static const struct word overriding[] = {
    WORD("x-http-method-override"), WORD("x-http-method"),    WORD("x-method-override"),
    WORD("x-original-url"),         WORD("x-rewrite-url"),    WORD("x-original-uri"),
    WORD("x-original-method"),      WORD("x-override-url"),   WORD("x-forwarded-method"),
    WORD("x-forwarded-uri"),        WORD("x-forwarded-path"), WORD("x-forwarded-prefix"),
    WORD("x-envoy-original-path")};

// --- names ---------------------------------------------------------------------------------------

static bool is_plain(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
}

/* As services see names: CGI, WSGI and their kin make one variable of X-Road-Client, X_Road_Client
 * and X.Road.Client. */
static bool begins(struct span name, const struct word *word)
{
    if (name.size < word->size)
        return false;
    for (size_t i = 0; i < word->size; i++) {
        uint8_t c = is_plain(name.at[i]) ? name.at[i] : '-';
        if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) != (uint8_t)word->text[i])
            return false;
    }
    return true;
}

static bool is_one_of(struct span name, const struct word *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (words[i].size == name.size && begins(name, &words[i]))
            return true;
    return false;
}

static bool is_ours(struct span name)
{
    return begins(name, &ours[0]) || begins(name, &ours[1]);
}

/* One of ours, otherwise spelt: nobody needs it but to be taken for the true one. */
static bool is_twin(struct span name)
{
    bool plain = true;
    for (size_t i = 0; i < name.size; i++)
        plain = plain && is_plain(name.at[i]);
    return !plain && is_ours(name);
}

bool rest_headers_removed(struct span name)
{
    return is_one_of(name, WORDS(between_neighbours));
}

bool rest_headers_override(const struct rest_fields *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (is_one_of(self->field[i].name, WORDS(overriding)))
            return true;
    return false;
}

static bool is_listed(struct span list, struct span name)
{
    size_t start = 0;
    for (size_t i = 0; i <= list.size; i++) {
        if (i < list.size && list.at[i] != ',')
            continue;
        if (text_same_word(http_trimmed(span_of(list.at + start, i - start)), name))
            return true;
        start = i + 1;
    }
    return false;
}

/* Does a Connection field say that this one is for the neighbour only? Ours never are. */
static bool is_for_neighbour(const struct http_field *field, size_t count, struct span name)
{
    if (is_ours(name))
        return false;
    for (size_t i = 0; i < count; i++)
        if (text_same_word(field[i].name, span_of_text("connection")) &&
            is_listed(field[i].value, name))
            return true;
    return false;
}

static bool is_repeated_after(const struct http_field *field, size_t count, size_t at)
{
    for (size_t i = at + 1; i < count; i++)
        if (text_same_word(field[i].name, field[at].name))
            return true;
    return false;
}

// --- which travel --------------------------------------------------------------------------------

void rest_headers_of_request(const struct http_head *head, struct rest_fields *out)
{
    out->count = 0;
    for (size_t i = 0; i < head->fields; i++) {
        struct span name = head->field[i].name;
        if (rest_headers_removed(name) || is_one_of(name, WORDS(ours_in_request)) || is_twin(name))
            continue;
        if (is_for_neighbour(head->field, head->fields, name))
            continue;
        if (is_ours(name) && is_repeated_after(head->field, head->fields, i))
            continue;
        out->field[out->count++] = head->field[i];
    }
}

static bool is_of_table(struct span name)
{
    for (size_t i = 0; i < sizeof of_tables / sizeof of_tables[0]; i++)
        if (text_same_word(name, span_of(of_tables[i].text, of_tables[i].size)))
            return true;
    return false;
}

static void keep_of_response(const struct http_field *field, size_t count, bool from_peer,
                             struct rest_fields *out)
{
    bool dated = false;
    out->count = 0;
    for (size_t i = 0; i < count && out->count < HTTP_FIELDS_MAX; i++) {
        struct span name = field[i].name;
        bool may = from_peer && is_of_table(name) && !is_repeated_after(field, count, i);
        if (rest_headers_removed(name) || (is_ours(name) && !may) ||
            is_for_neighbour(field, count, name))
            continue;
        bool date = text_same_word(name, span_of_text("date"));
        if (date && dated)
            continue;
        dated = dated || date;
        out->field[out->count++] = field[i];
    }
}

void rest_headers_of_response(const struct http_field *field, size_t count, struct rest_fields *out)
{
    keep_of_response(field, count, false, out);
}

void rest_headers_of_answer(const struct rest_fields *arrived, struct rest_fields *out)
{
    keep_of_response(arrived->field, arrived->count, true, out);
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

/* The one field of this name; at == NULL when there is none. */
static fault only_field(const struct http_head *head, const char *name, struct span *out)
{
    *out = (struct span){NULL, 0};
    for (size_t i = 0; i < head->fields; i++) {
        if (!text_same_word(head->field[i].name, span_of_text(name)))
            continue;
        if (out->at != NULL)
            return RAISE(SUBJECT_BAD, "%s stands there twice", name);
        *out = head->field[i].value;
    }
    return DONE;
}

/* "S-2026-1 2027-06-30": the end of that day. */
static fault read_seal(struct span value, struct rest_subject *out)
{
    struct cursor at = cursor_over(value);
    struct span id;
    struct tm day = {0};
    char text[11] = "";
    if (failed(cursor_take_until(&at, ' ', &id)) || id.size == 0 || id.size > WORD_BYTES_MAX ||
        !text_is_plain(id) || at.left.size != sizeof text - 1)
        return RAISE(SUBJECT_BAD, "Chaski-Seal is the id of a sealing, a blank, YYYY-MM-DD");
    memcpy(text, at.left.at, at.left.size);
    const char *end = strptime(text, "%Y-%m-%d", &day);
    time_t seconds = end == NULL || *end != '\0' ? -1 : timegm(&day);
    if (seconds < 0)
        return RAISE(SUBJECT_BAD, "the day of Chaski-Seal is written YYYY-MM-DD");
    memcpy(out->sealing, id.at, id.size);
    out->sealing[id.size] = '\0';
    out->sealed_until_ms = ((int64_t)seconds + 86400) * 1000;
    return DONE;
}

fault rest_headers_read_subject(const struct http_head *head, struct rest_subject *out)
{
    struct span person, seal;
    *out = (struct rest_subject){.sealed_until_ms = 0};
    TRY(only_field(head, "Chaski-Subject", &person));
    TRY(only_field(head, "Chaski-Seal", &seal));
    if (person.at != NULL)
        TRY(pseudonym_normalise(person, out->person));
    if (seal.at != NULL && person.at == NULL)
        return RAISE(SUBJECT_BAD, "Chaski-Seal without Chaski-Subject");
    return seal.at == NULL ? DONE : read_seal(seal, out);
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
    TRY(read_word(self, "Chaski-Requirement", out->requirement));
    TRY(read_wait(self, default_wait_ms, &out->wait_ms));
    out->message_id = rest_headers_last(self, "X-Road-Id");
    return DONE;
}

// --- what a service is told ----------------------------------------------------------------------

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* What the signed header says as well must be the same in the message. */
static fault check_client(const struct rest_fields *arrived, const char *signed_client)
{
    struct bus_id id;
    char text[ID_TEXT_BYTES_MAX + 1];
    struct span value = rest_headers_last(arrived, "X-Road-Client");
    if (value.at == NULL || failed(bus_id_parse(value, ID_MEMBER, ID_SUBSYSTEM, &id)))
        return RAISE(BAD_REQUEST, "there is no proper X-Road-Client in the message");
    bus_id_text(&id, id.parts, text, sizeof text);
    if (strcmp(text, signed_client) != 0)
        return RAISE(BAD_REQUEST, "X-Road-Client is not who signed the request");
    return DONE;
}

static fault check_same(const struct rest_fields *arrived, const char *name, const char *fact)
{
    struct span value = rest_headers_last(arrived, name);
    if (value.size > 0 && !span_is_text(value, fact))
        return RAISE(BAD_REQUEST, "%s is not what the signed request says", name);
    return DONE;
}

static fault check_ours(const struct rest_fields *arrived)
{
    for (size_t i = 0; i < arrived->count; i++) {
        struct span name = arrived->field[i].name;
        if (!is_ours(name))
            continue;
        if (is_twin(name) || text_same_word(name, span_of_text("x-road-request-hash")))
            return RAISE(BAD_REQUEST, "a header field that a gateway does not send");
        if (is_repeated_after(arrived->field, arrived->count, i))
            return RAISE(BAD_REQUEST, "%.*s stands twice in the message",
                         (int)(name.size < 80 ? name.size : 80), (const char *)name.at);
    }
    return check_represented_party(arrived);
}

fault rest_headers_of_call(const struct rest_fields *arrived, const struct rest_facts *facts,
                           struct rest_fields *out)
{
    static const struct word anew[] = {WORD("x-road-client"), WORD("x-road-request-id"),
                                       WORD("chaski-purpose")};
    TRY(rest_headers_check(arrived));
    TRY(check_ours(arrived));
    TRY(check_client(arrived, facts->client));
    TRY(check_same(arrived, "x-road-request-id", facts->exchange));
    TRY(check_same(arrived, "Chaski-Purpose", facts->purpose));
    if (!is_value(span_of_text(facts->purpose)))
        return RAISE(BAD_REQUEST, "a purpose that HTTP cannot carry");
    out->count = 0;
    for (size_t i = 0; i < arrived->count; i++)
        if (!is_one_of(arrived->field[i].name, WORDS(anew)))
            out->field[out->count++] = arrived->field[i];
    if (out->count + sizeof anew / sizeof anew[0] > REST_FIELDS_MAX)
        return RAISE(BAD_REQUEST, "more than %d header fields", HTTP_FIELDS_MAX);
    rest_headers_add(out, "X-Road-Client", span_of_text(facts->client));
    rest_headers_add(out, "X-Road-Request-Id", span_of_text(facts->exchange));
    if (given(facts->purpose))
        rest_headers_add(out, "Chaski-Purpose", span_of_text(facts->purpose));
    return DONE;
}
