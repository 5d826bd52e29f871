// SPDX-License-Identifier: MIT
#include "gateway/once_only_ask.h"

#include "lib/base/text.h"
#include "lib/bus/plan.h"
#include "lib/bus/pseudonym.h"
#include "lib/crypto/seal.h"

#define BAD(...) RAISE(BAD_QUESTION, __VA_ARGS__)

/* A value into its room: text without control characters, never cut. */
static fault take_text(const char *name, const json_t *value, char out[WORD_BYTES_MAX + 1])
{
    if (value == NULL)
        return DONE;
    if (!json_is_string(value))
        return BAD("%s is no text; codes are texts too, with their zeros", name);
    struct span text = span_of(json_string_value(value), json_string_length(value));
    if (text.size > WORD_BYTES_MAX || !text_is_plain(text))
        return BAD("%s is longer than %d bytes, or not plain text", name, WORD_BYTES_MAX);
    if (text.size > 0)
        memcpy(out, text.at, text.size);
    out[text.size] = '\0';
    return DONE;
}

static fault check_names(const json_t *object, const char *where, const char *known)
{
    const char *name = NULL;
    json_t *value = NULL;
    char wanted[80];
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        text_format(wanted, sizeof wanted, " %s ", name);
        if (strstr(known, wanted) == NULL)
            return BAD("%s has a field that is not known; there are%s", where, known);
    }
    return DONE;
}

// --- parts --------------------------------------------------------------------------------------

/* "CC 1020304050", or the two apart. */
static fault take_subject(const json_t *value, struct once_only_ask *out)
{
    char whole[WORD_BYTES_MAX + 1] = "";
    if (value == NULL)
        return DONE;
    if (json_is_object(value)) {
        TRY(check_names(value, "subject", " type number "));
        TRY(take_text("subject.type", json_object_get(value, "type"), out->subject_type));
        return take_text("subject.number", json_object_get(value, "number"), out->subject_number);
    }
    TRY(take_text("subject", value, whole));
    const char *blank = strchr(whole, ' ');
    if (blank == NULL)
        return BAD("subject is its type, a blank and its number");
    text_format(out->subject_type, sizeof out->subject_type, "%.*s", (int)(blank - whole), whole);
    text_format(out->subject_number, sizeof out->subject_number, "%s", blank + 1);
    return DONE;
}

static fault take_basis(const json_t *value, struct once_only_ask *out)
{
    static const struct {
        const char *name, *word;
    } bases[] = {{"law", "LAW"}, {"citizen_request", "CITIZEN_REQUEST"}, {"order", "ORDER"}};
    char text[WORD_BYTES_MAX + 1] = "";
    if (value == NULL)
        return DONE;
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
        const json_t *given = json_object_get(value, bases[i].name);
        if (given == NULL)
            continue;
        TRY(take_text("basis", given, text));
        if (json_object_size(value) != 1 || text[0] == '\0' ||
            !text_format(out->legal_basis, sizeof out->legal_basis, "%s %s", bases[i].word, text))
            break;
        return DONE;
    }
    return BAD("basis is one of { law: reference }, { citizen_request: token } and "
               "{ order: reference }");
}

static fault check_selector(const char *name)
{
    return plan_names_subject(span_of_text(name))
               ? BAD(PLAN_SUBJECT "... is no selector: the subject is said as such, and never in a "
                                  "URL")
               : DONE;
}

static fault take_selectors(const json_t *value, struct once_only_ask *out)
{
    const char *name = NULL;
    json_t *one = NULL;
    if (value == NULL)
        return DONE;
    if (!json_is_object(value) || json_object_size(value) > PLAN_ANSWERS_MAX)
        return BAD("selectors is an object of at most %d texts", PLAN_ANSWERS_MAX);
    json_object_foreach((json_t *)(uintptr_t)value, name, one)
    {
        struct once_only_known *known = &out->selector[out->known];
        if (!text_format(known->name, sizeof known->name, "%s", name) ||
            !text_is_plain(span_of_text(known->name)))
            return BAD("selectors has a name of more than %d bytes, or not of plain text",
                       WORD_BYTES_MAX);
        TRY(check_selector(known->name));
        TRY(take_text("a selector", one, known->value));
        out->known++;
    }
    return DONE;
}

static fault need(const char *name, const char *value)
{
    return value[0] == '\0' ? BAD("%s is missing", name) : DONE;
}

static fault check_whole(enum once_only_purpose purpose, const struct once_only_ask *self)
{
    TRY(need("procedure", self->procedure));
    if (purpose == ASK_PERMIT)
        return need("requirement", self->requirement);
    if (purpose != ASK_COLLECT)
        return DONE;
    TRY(need("case", self->case_ref));
    TRY(need("basis", self->legal_basis));
    TRY(need("subject.type", self->subject_type));
    return need("subject.number", self->subject_number);
}

/* The type stays as it was given: a source that knows minors by their tarjeta is asked for it. */
static fault tidy(struct once_only_ask *self)
{
    char given[2 * WORD_BYTES_MAX + 2], person[PSEUDONYM_TEXT_ROOM];
    text_format(given, sizeof given, "%s %s", self->subject_type, self->subject_number);
    fault f = pseudonym_tidy(span_of_text(given), person);
    if (!failed(f)) {
        const char *blank = strchr(person, ' ');
        text_format(self->subject_type, sizeof self->subject_type, "%.*s", (int)(blank - person),
                    person);
        text_format(self->subject_number, sizeof self->subject_number, "%s", blank + 1);
    }
    seal_wipe(given, sizeof given);
    seal_wipe(person, sizeof person);
    return f;
}

// --- the whole ----------------------------------------------------------------------------------

static fault take_all(const json_t *root, struct once_only_ask *out)
{
    struct {
        const char *name;
        char *into;
    } texts[] = {{"procedure", out->procedure}, {"territory", out->territory},
                 {"case", out->case_ref},       {"requirement", out->requirement},
                 {"version", out->version},     {"subject_kind", out->subject_kind},
                 {"reason", out->reason}};
    if (!json_is_object(root))
        return BAD("the body is no JSON object");
    TRY(check_names(root, "the body",
                    " procedure territory case requirement version subject_kind reason subject "
                    "basis selectors "));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        TRY(take_text(texts[i].name, json_object_get(root, texts[i].name), texts[i].into));
    TRY(take_subject(json_object_get(root, "subject"), out));
    TRY(take_basis(json_object_get(root, "basis"), out));
    return take_selectors(json_object_get(root, "selectors"), out);
}

fault once_only_ask_read(struct span json, enum once_only_purpose purpose,
                         struct once_only_ask *out)
{
    json_error_t error;
    *out = (struct once_only_ask){0};
    if (json.size > ONCE_ONLY_BODY_BYTES_MAX)
        return BAD("a body of %zu bytes; at most %d", json.size, ONCE_ONLY_BODY_BYTES_MAX);
    json_t *root = json_loadb((const char *)json.at, json.size, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) /* what jansson quotes may be the subject's */
        return BAD("the body is no JSON: line %d, column %d", error.line, error.column);
    fault f = take_all(root, out);
    json_decref(root);
    TRY(f);
    TRY(check_whole(purpose, out));
    bool about_somebody = out->subject_type[0] != '\0' || out->subject_number[0] != '\0';
    return purpose != ASK_PLAN && about_somebody ? tidy(out) : DONE;
}

// --- a query ------------------------------------------------------------------------------------

static fault take_part(struct span part, struct once_only_ask *out)
{
    struct {
        const char *name;
        char *into;
    } texts[] = {{"procedure", out->procedure},
                 {"territory", out->territory},
                 {"requirement", out->requirement},
                 {"version", out->version},
                 {"subject", out->subject_kind}};
    char name[WORD_BYTES_MAX + 1], value[WORD_BYTES_MAX + 1];
    const uint8_t *equals = part.size == 0 ? NULL : memchr(part.at, '=', part.size);
    if (equals == NULL)
        return BAD("a word of the query has no value");
    size_t length = (size_t)(equals - part.at);
    if (failed(text_percent_decode(span_of(part.at, length), name, sizeof name)) ||
        failed(text_percent_decode(span_of(equals + 1, part.size - length - 1), value,
                                   sizeof value)) ||
        !text_is_plain(span_of_text(name)) || !text_is_plain(span_of_text(value)))
        return BAD("a word of the query is longer than %d bytes, or not plain text",
                   WORD_BYTES_MAX);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strcmp(name, texts[i].name) == 0) {
            memcpy(texts[i].into, value, sizeof value);
            return DONE;
        }
    if (out->known == PLAN_ANSWERS_MAX)
        return BAD("more than %d selectors", PLAN_ANSWERS_MAX);
    TRY(check_selector(name));
    memcpy(out->selector[out->known].name, name, sizeof name);
    memcpy(out->selector[out->known++].value, value, sizeof value);
    return DONE;
}

fault once_only_ask_read_query(struct span query, struct once_only_ask *out)
{
    size_t start = 0;
    *out = (struct once_only_ask){0};
    for (size_t i = 0; i <= query.size; i++) {
        if (i < query.size && query.at[i] != '&')
            continue;
        if (i > start)
            TRY(take_part(span_of(query.at + start, i - start), out));
        start = i + 1;
    }
    return check_whole(ASK_PLAN, out);
}
