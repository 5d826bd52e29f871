// SPDX-License-Identifier: MIT
#include "tools/audit/search_arguments.h"

#include "lib/base/cursor.h"
#include "lib/base/text.h"

#include <getopt.h>
#include <stdio.h>
#include <time.h>

#define DAY_MS 86400000
#define FOREVER_MS 4102444800000 /* the year 2100 */

// --- times --------------------------------------------------------------------------------------

/* `digits` digits, at most `most`. */
static bool take_number(struct cursor *at, size_t digits, uint64_t most, int *out)
{
    struct span span;
    uint64_t number = 0;
    if (failed(cursor_take(at, digits, &span)) || failed(text_number(span, most, &number)))
        return false;
    *out = (int)number;
    return true;
}

static bool take_sign(struct cursor *at, const char *signs)
{
    struct span span;
    struct cursor ahead = *at;
    if (failed(cursor_take(&ahead, 1, &span)) || strchr(signs, span.at[0]) == NULL ||
        span.at[0] == '\0')
        return false;
    *at = ahead;
    return true;
}

/* "04:05", "04:05:06", "04:05:06.789", each with or without Z; the length of what it names. */
static bool take_clock(struct cursor *at, struct tm *tm, int *ms, int64_t *length_ms)
{
    if (!take_number(at, 2, 23, &tm->tm_hour) || !take_sign(at, ":") ||
        !take_number(at, 2, 59, &tm->tm_min))
        return false;
    *length_ms = 60000;
    if (take_sign(at, ":")) {
        if (!take_number(at, 2, 59, &tm->tm_sec))
            return false;
        *length_ms = 1000;
        if (take_sign(at, ".")) {
            if (!take_number(at, 3, 999, ms))
                return false;
            *length_ms = 1;
        }
    }
    take_sign(at, "Zz");
    return true;
}

fault search_time_read(const char *text, int64_t *first_ms, int64_t *last_ms)
{
    struct cursor at = cursor_over(span_of_text(text));
    struct tm tm = {0};
    int year = 0, ms = 0;
    int64_t length_ms = DAY_MS;
    bool good = take_number(&at, 4, 9999, &year) && take_sign(&at, "-") &&
                take_number(&at, 2, 12, &tm.tm_mon) && take_sign(&at, "-") &&
                take_number(&at, 2, 31, &tm.tm_mday);
    if (good && take_sign(&at, "Tt "))
        good = take_clock(&at, &tm, &ms, &length_ms);
    tm.tm_year = year - 1900;
    tm.tm_mon -= 1;
    struct tm same = tm;
    int64_t seconds = timegm(&same); /* makes 1 March of 30 February, which is told by the day */
    if (!good || !cursor_at_end(&at) || same.tm_mon != tm.tm_mon || same.tm_mday != tm.tm_mday ||
        year < 1970 || year > 2099)
        return RAISE(BAD_REQUEST,
                     "\"%.40s\" is no time: 2026-11-21, 2026-11-21T04:05 or 2026-11-21T04:05:06Z "
                     "(UTC)",
                     text);
    *first_ms = seconds * 1000 + ms;
    *last_ms = *first_ms + length_ms - 1;
    return DONE;
}

// --- identifiers --------------------------------------------------------------------------------

static fault read_id(const char *option, const char *text, unsigned parts, const char *form,
                     char out[ID_TEXT_BYTES_MAX + 1])
{
    struct bus_id id;
    if (failed(bus_id_parse(span_of_text(text), parts, parts, &id)))
        return RAISE(BAD_REQUEST, "%s \"%.100s\" is not of the form %s", option, text, form);
    bus_id_text(&id, parts, out, ID_TEXT_BYTES_MAX + 1);
    return DONE;
}

fault search_member_read(const char *text, char out[ID_TEXT_BYTES_MAX + 1])
{
    return read_id("--member", text, ID_MEMBER, "INSTANCE/CLASS/MEMBER", out);
}

/* Whole identifiers in the form that the log has them in; what is cut in a part stays as it is. */
static fault read_service(const char *text, char out[ID_TEXT_BYTES_MAX + 1])
{
    struct bus_id id;
    if (text[0] == '\0' || strlen(text) > ID_TEXT_BYTES_MAX || !text_is_utf8(span_of_text(text)))
        return RAISE(BAD_REQUEST, "--service takes the beginning of an identifier, such as "
                                  "CO/GOV/899999027/DIVIPOLA");
    if (failed(bus_id_parse(span_of_text(text), ID_MEMBER, ID_SERVICE, &id)))
        text_format(out, ID_TEXT_BYTES_MAX + 1, "%s", text);
    else
        bus_id_text(&id, id.parts, out, ID_TEXT_BYTES_MAX + 1);
    return DONE;
}

static fault read_subject(const char *text, struct search_arguments *out)
{
    size_t digits = strlen(text);
    if (digits == 0 || digits % 2 != 0 || digits > 2 * SUBJECT_BYTES_MAX ||
        failed(text_unhex(span_of(text, digits), out->subject, digits / 2)))
        return RAISE(BAD_REQUEST, "--subject takes a pseudonym in hexadecimal digits, as a search "
                                  "shows it; no number of a person");
    out->subject_bytes = digits / 2;
    return DONE;
}

// --- words --------------------------------------------------------------------------------------

#define KINDS_END 64 /* beyond all numbers of kinds */

static fault read_kind(const char *text, const char **out)
{
    *out = strcmp(text, INDEX_KIND_UNREADABLE) == 0 ? INDEX_KIND_UNREADABLE : NULL;
    for (int number = HEADER_REQUEST; number < KINDS_END && *out == NULL; number++) {
        const char *word = header_kind_word((enum header_kind)number);
        if (strcmp(text, word) == 0 && strcmp(word, "unknown") != 0)
            *out = word;
    }
    return *out != NULL
               ? DONE
               : RAISE(BAD_REQUEST,
                       "--kind \"%.40s\": request, response, fault, started, stopped, incident, "
                       "stamped, erased, late, pruned, card, permit, permit-denied, notice, looked "
                       "or " INDEX_KIND_UNREADABLE,
                       text);
}

static fault read_outcome(const char *text, const char **out)
{
    static const char *const words[] = {"ok", "refused", "failed", INDEX_OUTCOME_OPEN,
                                        INDEX_OUTCOME_ANSWERED};
    uint64_t number = 0;
    enum fault_code code;
    *out = NULL;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(text, words[i]) == 0)
            *out = words[i];
    if (*out == NULL && fault_named(text, &code)) /* after the words: one is called REFUSED */
        *out = fault_name(code);
    if (*out == NULL && (!failed(text_number(span_of_text(text), UINT32_MAX, &number)) ||
                         strncmp(text, "FAULT_", 6) == 0))
        *out = text;
    return *out != NULL ? DONE
                        : RAISE(BAD_REQUEST,
                                "--outcome \"%.40s\": ok, refused, failed, none, the status of "
                                "an answer such as 404, or a fault such as ACCESS_DENIED",
                                text);
}

static fault read_limit(const char *text, uint64_t *out)
{
    if (failed(text_number(span_of_text(text), SEARCH_ROWS_MAX, out)) || *out == 0)
        return RAISE(BAD_REQUEST, "--limit \"%.20s\": 1 to %d rows; --after goes on from there",
                     text, SEARCH_ROWS_MAX);
    return DONE;
}

static fault read_after(const char *text, int64_t *out)
{
    uint64_t key = 0;
    if (failed(text_number(span_of_text(text), INT64_MAX, &key)) || key == 0)
        return RAISE(BAD_REQUEST, "--after \"%.40s\": the number that the page before ended with",
                     text);
    *out = (int64_t)key;
    return DONE;
}

static fault read_epoch(const char *text, unsigned *out)
{
    uint64_t epoch = 0;
    if (failed(text_number(span_of_text(text), LOG_EPOCHS_MAX, &epoch)) || epoch == 0)
        return RAISE(BAD_REQUEST, "--epoch \"%.20s\": 1 to %d", text, LOG_EPOCHS_MAX);
    *out = (unsigned)epoch;
    return DONE;
}

// --- options ------------------------------------------------------------------------------------

enum option_code {
    O_FROM = 256,
    O_UNTIL,
    O_PEER,
    O_MEMBER,
    O_SERVICE,
    O_EXCHANGE,
    O_PURPOSE,
    O_CASE,
    O_SUBJECT,
    O_OUTCOME,
    O_RULE,
    O_KIND,
    O_LIMIT,
    O_AFTER,
    O_EPOCH,
    O_INDEX,
    O_NEWEST,
    O_OLDEST,
    O_JSON,
    O_CSV,
    O_REBUILD,
    O_AS_IS,
};

static const struct option options[] = {{"from", required_argument, NULL, O_FROM},
                                        {"until", required_argument, NULL, O_UNTIL},
                                        {"peer", required_argument, NULL, O_PEER},
                                        {"member", required_argument, NULL, O_MEMBER},
                                        {"service", required_argument, NULL, O_SERVICE},
                                        {"exchange", required_argument, NULL, O_EXCHANGE},
                                        {"purpose", required_argument, NULL, O_PURPOSE},
                                        {"case", required_argument, NULL, O_CASE},
                                        {"subject", required_argument, NULL, O_SUBJECT},
                                        {"outcome", required_argument, NULL, O_OUTCOME},
                                        {"rule", required_argument, NULL, O_RULE},
                                        {"kind", required_argument, NULL, O_KIND},
                                        {"limit", required_argument, NULL, O_LIMIT},
                                        {"after", required_argument, NULL, O_AFTER},
                                        {"epoch", required_argument, NULL, O_EPOCH},
                                        {"index", required_argument, NULL, O_INDEX},
                                        {"newest", no_argument, NULL, O_NEWEST},
                                        {"oldest", no_argument, NULL, O_OLDEST},
                                        {"json", no_argument, NULL, O_JSON},
                                        {"csv", no_argument, NULL, O_CSV},
                                        {"rebuild", no_argument, NULL, O_REBUILD},
                                        {"as-is", no_argument, NULL, O_AS_IS},
                                        {0}};

static fault read_word(const char *option, const char **out)
{
    if (optarg[0] == '\0' || !text_is_utf8(span_of_text(optarg)))
        return RAISE(BAD_REQUEST, "%s takes a word, as it stands in the log", option);
    *out = optarg;
    return DONE;
}

static fault take_filter(int code, struct search_arguments *out)
{
    int64_t other_end = 0;
    switch (code) {
    case O_FROM:
        return search_time_read(optarg, &out->from_ms, &other_end);
    case O_UNTIL:
        return search_time_read(optarg, &other_end, &out->until_ms);
    case O_PEER:
        return read_id("--peer", optarg, ID_SERVER, "INSTANCE/CLASS/MEMBER/SERVERCODE", out->peer);
    case O_MEMBER:
        return search_member_read(optarg, out->member);
    case O_SERVICE:
        return read_service(optarg, out->service);
    case O_EXCHANGE:
        return exchange_prefix_read(optarg, &out->exchange);
    case O_SUBJECT:
        return read_subject(optarg, out);
    case O_OUTCOME:
        return read_outcome(optarg, &out->outcome);
    case O_KIND:
        return read_kind(optarg, &out->kind);
    case O_PURPOSE:
        return read_word("--purpose", &out->purpose);
    case O_CASE:
        return read_word("--case", &out->case_ref);
    default: /* O_RULE */
        return read_word("--rule", &out->rule);
    }
}

static fault take_option(int code, const char *word, struct search_arguments *out)
{
    switch (code) {
    case O_LIMIT:
        return read_limit(optarg, &out->limit);
    case O_AFTER:
        return read_after(optarg, &out->after);
    case O_EPOCH:
        return read_epoch(optarg, &out->index.epoch);
    case O_INDEX:
        out->index.file = optarg;
        return DONE;
    case O_NEWEST:
        out->oldest = false;
        return DONE;
    case O_OLDEST:
        out->oldest = true;
        return DONE;
    case O_JSON:
        out->shape = SEARCH_JSON;
        return DONE;
    case O_CSV:
        out->shape = SEARCH_CSV;
        return DONE;
    case O_REBUILD:
        out->index.rebuild = true;
        return DONE;
    case O_AS_IS:
        out->index.as_is = true;
        return DONE;
    case ':':
        return RAISE(BAD_REQUEST, "%.60s needs a value", word);
    case '?':
        return RAISE(BAD_REQUEST, "search has no option %.60s; see chaski-audit --help", word);
    default:
        return take_filter(code, out);
    }
}

static fault check(const struct search_arguments *self)
{
    if (self->from_ms > self->until_ms)
        return RAISE(BAD_REQUEST, "--from is after --until: no time lies between them");
    if (self->index.as_is && self->index.rebuild)
        return RAISE(BAD_REQUEST, "--rebuild reads the log, and --as-is does not: one of them");
    return DONE;
}

fault search_arguments_read(int argc, char **argv, struct search_arguments *out)
{
    *out = (struct search_arguments){.until_ms = FOREVER_MS, .limit = SEARCH_ROWS_DEFAULT};
    opterr = 0;
    optind = 0; /* glibc: from the start, also when another command line was read before */
    for (int code; (code = getopt_long(argc, argv, ":", options, NULL)) != -1;)
        TRY(take_option(code, argv[optind - 1], out));
    if (argc - optind != 1)
        return RAISE(BAD_REQUEST, "search takes one folder: search DIR [filters]");
    out->index.folder = argv[optind];
    return check(out);
}
