// SPDX-License-Identifier: MIT
#include "gateway/subject_question.h"

#include "lib/base/cursor.h"
#include "lib/base/text.h"

#include <jansson.h>
#include <time.h>

#define PREFIX "/subjects/"
#define SUFFIX "accesses"
#define DAY_MS INT64_C(86400000)

// --- words of the query --------------------------------------------------------------------------

static fault read_day(const char *word, struct span value, int64_t *out)
{
    struct tm day = {0};
    char text[11] = "";
    if (value.size != sizeof text - 1)
        return RAISE(BAD_QUESTION, "%s is a day, YYYY-MM-DD", word);
    memcpy(text, value.at, value.size);
    const char *end = strptime(text, "%Y-%m-%d", &day);
    time_t seconds = end == NULL || *end != '\0' ? -1 : timegm(&day);
    if (seconds < 0)
        return RAISE(BAD_QUESTION, "%s is a day, YYYY-MM-DD", word);
    *out = (int64_t)seconds * 1000;
    return DONE;
}

/* from: the beginning of that day; until: its end. */
static fault read_query(struct span query, struct subject_question *out)
{
    size_t start = 0;
    for (size_t i = 0; i <= query.size; i++) {
        if (i < query.size && query.at[i] != '&')
            continue;
        struct cursor part = cursor_over(span_of(query.at + start, i - start));
        struct span word;
        start = i + 1;
        if (failed(cursor_take_until(&part, '=', &word)))
            return RAISE(BAD_QUESTION, "a word of the query without a value");
        if (span_is_text(word, "from"))
            TRY(read_day("from", part.left, &out->from_ms));
        else if (span_is_text(word, "until"))
            TRY(read_day("until", part.left, &out->until_ms));
        else
            return RAISE(BAD_QUESTION, "the query has from and until only");
    }
    out->until_ms += out->until_ms == 0 ? 0 : DAY_MS;
    return DONE;
}

// --- pseudonyms ----------------------------------------------------------------------------------

static fault read_token(struct span text, struct subject_token *out)
{
    struct cursor at = cursor_over(text);
    struct span year;
    uint64_t number = 0;
    if (failed(cursor_take_until(&at, '-', &year)) || year.size != 4 ||
        failed(text_number(year, SUBJECT_YEAR_LAST, &number)) || number < SUBJECT_YEAR_FIRST ||
        at.left.size != 2 * PSEUDONYM_BYTES ||
        failed(text_unhex(at.left, out->pseudonym, PSEUDONYM_BYTES)))
        return RAISE(SUBJECT_BAD, "a token is a year, a hyphen and %d hex digits",
                     2 * PSEUDONYM_BYTES);
    out->year = (unsigned)number;
    return DONE;
}

static fault read_tokens(struct span list, struct subject_question *out)
{
    size_t start = 0;
    for (size_t i = 0; i <= list.size; i++) {
        if (i < list.size && list.at[i] != ',')
            continue;
        if (out->tokens == SUBJECT_VIEW_YEARS_MAX)
            return RAISE(SUBJECT_BAD, "more than %d tokens", SUBJECT_VIEW_YEARS_MAX);
        TRY(read_token(span_of(list.at + start, i - start), &out->token[out->tokens++]));
        start = i + 1;
    }
    return DONE;
}

// --- the head ------------------------------------------------------------------------------------

static fault read_client(const struct http_head *head, uint32_t default_wait_ms,
                         struct subject_question *out)
{
    struct rest_fields header;
    struct rest_want want;
    rest_headers_of_request(head, &header);
    TRY(rest_headers_read_want(&header, default_wait_ms, &want));
    if (want.client.parts == ID_MEMBER)
        return RAISE(UNKNOWN_CLIENT, "a member cannot call by itself; name one of its subsystems");
    bus_id_text(&want.client, ID_SUBSYSTEM, out->client, sizeof out->client);
    text_format(out->purpose, sizeof out->purpose, "%s", want.purpose);
    text_format(out->case_ref, sizeof out->case_ref, "%s", want.case_ref);
    return DONE;
}

static fault read_head(const struct http_head *head, struct span tokens, struct span query,
                       uint32_t default_wait_ms, struct subject_question *out)
{
    bool has_body = head->chunked || (head->has_length && head->length > 0);
    TRY(read_client(head, default_wait_ms, out));
    TRY(query.size == 0 ? DONE : read_query(query, out));
    if (tokens.size > 0 && (!span_is_text(head->method, "GET") || has_body))
        return RAISE(BAD_METHOD, "a view by tokens is asked for with GET");
    if (tokens.size > 0)
        return read_tokens(tokens, out);
    if (!span_is_text(head->method, "POST"))
        return RAISE(BAD_METHOD, "a view by number is asked for with POST: a number in a URL is "
                                 "read by others");
    if (head->chunked || !has_body || head->length > SUBJECT_BODY_BYTES_MAX)
        return RAISE(BAD_REQUEST, "a body of 1 to %d bytes with its Content-Length",
                     SUBJECT_BODY_BYTES_MAX);
    out->wants_body = true;
    return DONE;
}

fault subject_question_read(const struct http_head *head, struct span target,
                            uint32_t default_wait_ms, struct subject_question *out, bool *ours)
{
    const uint8_t *mark = target.size == 0 ? NULL : memchr(target.at, '?', target.size);
    size_t length = mark == NULL ? target.size : (size_t)(mark - target.at);
    struct span query = mark == NULL ? span_of("", 0) : span_of(mark + 1, target.size - length - 1);
    const size_t before = sizeof PREFIX - 1, behind = sizeof SUFFIX - 1;
    *out = (struct subject_question){.tokens = 0};
    *ours = length >= before + behind && memcmp(target.at, PREFIX, before) == 0 &&
            memcmp(target.at + length - behind, SUFFIX, behind) == 0;
    if (!*ours)
        return DONE;
    struct span tokens = span_of(target.at + before, length - before - behind);
    if (tokens.size > 0) { /* the slash between */
        *ours = tokens.at[tokens.size - 1] == '/';
        tokens.size--;
    }
    return *ours ? read_head(head, tokens, query, default_wait_ms, out) : DONE;
}

// --- the body ------------------------------------------------------------------------------------

static fault read_years(const json_t *years, struct subject_question *out)
{
    size_t count = years == NULL ? 0 : json_array_size(years);
    if (years != NULL && (!json_is_array(years) || count > SUBJECT_VIEW_YEARS_MAX))
        return RAISE(SUBJECT_BAD, "years is a list of at most %d", SUBJECT_VIEW_YEARS_MAX);
    for (size_t i = 0; i < count; i++) {
        json_int_t year = json_integer_value(json_array_get(years, i));
        if (year < SUBJECT_YEAR_FIRST || year > SUBJECT_YEAR_LAST)
            return RAISE(SUBJECT_BAD, "a year is from %d to %d", SUBJECT_YEAR_FIRST,
                         SUBJECT_YEAR_LAST);
        out->token[out->tokens++].year = (unsigned)year;
    }
    if (count == 0)
        out->tokens = 1; /* the present one */
    return DONE;
}

/* A misspelt "years" would be answered with this year alone, as if that were all. */
static fault check_names(const json_t *root)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)root, name, value)
    {
        if (strcmp(name, "person") != 0 && strcmp(name, "years") != 0)
            return RAISE(SUBJECT_BAD, "the body has person and years only");
    }
    return DONE;
}

fault subject_question_body(struct span body, struct subject_question *out)
{
    json_t *root = json_loadb((const char *)body.at, body.size, JSON_REJECT_DUPLICATES, NULL);
    const char *person = json_string_value(json_object_get(root, "person"));
    fault f = person == NULL ? RAISE(SUBJECT_BAD, "the body is {\"person\": \"CC 1020304050\"}")
                             : pseudonym_normalise(span_of_text(person), out->person);
    if (!failed(f))
        f = check_names(root);
    if (!failed(f))
        f = read_years(json_object_get(root, "years"), out);
    json_decref(root);
    return f;
}
