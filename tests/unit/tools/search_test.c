// SPDX-License-Identifier: MIT
#include "tests/unit/tools/forge.h"
#include "tools/audit/index.h"
#include "tools/audit/search_arguments.h"

#include <dirent.h>
#include <stdarg.h>
#include <sys/stat.h>

#define ARGUMENTS_MAX 24

// --- searching a forged log ---------------------------------------------------------------------

/* Runs search with these words, up to NULL; what stdout said, a text to be freed. */
static fault said_by(const struct forge *self, char **out, va_list words)
{
    char path[300], *argv[ARGUMENTS_MAX + 3] = {book_text("search"), book_text(self->folder)};
    int argc = 2;
    OWNED(bytes) said = NULL;
    for (char *word; (word = va_arg(words, char *)) != NULL;)
        argv[argc++] = word;
    snprintf(path, sizeof path, "%s.said", self->folder);
    fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(file, STDOUT_FILENO);
    fault f = search_command(argc, argv);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    close(file);
    if (failed(f))
        return f;
    MUST(file_read(path, 1 << 24, &said));
    MUST(bytes_append(said, span_of("", 1)));
    *out = owned_text((const char *)said->data);
    return DONE;
}

static char *say(const struct forge *self, ...)
{
    char *said = NULL;
    va_list words;
    va_start(words, self);
    fault f = said_by(self, &said, words);
    va_end(words);
    MUST(f);
    return said;
}

static enum fault_code refused(const struct forge *self, ...)
{
    char *said = NULL;
    va_list words;
    va_start(words, self);
    fault f = said_by(self, &said, words);
    va_end(words);
    free(said);
    return f.code;
}

static json_t *parsed(char *said)
{
    json_t *object = json_loads(said, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(object);
    free(said);
    return object;
}

#define SEARCH(self, ...) parsed(say(self, "--json", ##__VA_ARGS__, NULL))

/* How many rows these filters find. */
#define ROWS(self, ...)                                                  \
    __extension__({                                                      \
        json_t *rows_ = SEARCH(self, ##__VA_ARGS__);                     \
        size_t count_ = json_array_size(json_object_get(rows_, "rows")); \
        json_decref(rows_);                                              \
        count_;                                                          \
    })

static json_t *row(json_t *found, size_t which)
{
    json_t *one = json_array_get(json_object_get(found, "rows"), which);
    CU_ASSERT_PTR_NOT_NULL_FATAL(one);
    return one;
}

static const char *words(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "(null)" : text;
}

static json_int_t number(json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static bool remarks(json_t *found, const char *of)
{
    const char *first = json_string_value(json_array_get(json_object_get(found, "remarks"), 0));
    return first != NULL && strstr(first, of) != NULL;
}

// --- forging ------------------------------------------------------------------------------------

static struct header asked(const struct forge *self)
{
    struct header header = forge_header(self, CALLER, HEADER_REQUEST);
    header.purpose = span_of_text("P-1");
    header.procedure = span_of_text("T-9");
    header.case_ref = span_of_text("2026-17");
    header.subject = span_of_text("\x01\x02\xfe");
    header.rule = span_of_text("shared");
    return header;
}

static struct sha256 put(struct forge *self, const struct header *made)
{
    struct header header = *made;
    header.time_ms = self->time_ms;
    return forge_append(self, header.sender_server.at[3] == 'M' ? CALLER : PROVIDER, &header,
                        header.time_ms);
}

static struct header answer_to(const struct forge *self, const struct header *request,
                               const struct sha256 *leaf, enum header_kind kind)
{
    struct header header = forge_header(self, PROVIDER, kind);
    memcpy(header.exchange_id, request->exchange_id, EXCHANGE_ID_BYTES);
    header.purpose = request->purpose;
    header.has_reply_to = leaf != NULL;
    if (leaf != NULL)
        header.reply_to = *leaf;
    return header;
}

static void put_exchange(struct forge *self, struct header request, enum header_kind kind,
                         unsigned status, enum fault_code code)
{
    struct sha256 leaf = put(self, &request);
    struct header answer = answer_to(self, &request, &leaf, kind);
    answer.status = status;
    answer.fault = code;
    answer.rule = code == ACCESS_DENIED ? span_of_text("restricted/no-grant R-1") : request.rule;
    put(self, &answer);
}

static struct forge *some_log(void)
{
    struct forge *self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);                                 /* 0 */
    put_exchange(self, asked(self), HEADER_RESPONSE, 200, OK);       /* 1, 2 */
    put_exchange(self, asked(self), HEADER_FAULT, 0, ACCESS_DENIED); /* 3, 4 */
    put_exchange(self, asked(self), HEADER_RESPONSE, 503, OK);       /* 5, 6 */
    struct header other = asked(self);
    other.purpose = span_of_text("P-2");
    other.case_ref = other.subject = (struct span){0};
    put_exchange(self, other, HEADER_FAULT, 0, SERVICE_DOWN); /* 7, 8 */
    put_exchange(self, other, HEADER_RESPONSE, 0, OK);        /* 9, 10 */
    other = asked(self);
    put(self, &other); /* 11 */
    return self;
}

// --- rows ---------------------------------------------------------------------------------------

static void test_a_request_and_its_outcome_are_one_row(void)
{
    OWNED(forge) self = some_log();
    json_t *found = SEARCH(self, "--outcome", "ok", "--purpose", "P-1");
    json_t *one = row(found, 0);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(found, "rows")), 1);
    CU_ASSERT_EQUAL(number(one, "entry"), 1);
    CU_ASSERT_EQUAL(number(one, "answer_entry"), 2);
    CU_ASSERT_EQUAL(number(one, "latency_ms"), 10);
    CU_ASSERT_EQUAL(number(one, "payload_bytes"), 7);
    CU_ASSERT_STRING_EQUAL(words(one, "kind"), "request");
    CU_ASSERT_STRING_EQUAL(words(one, "answer_kind"), "response");
    CU_ASSERT_STRING_EQUAL(words(one, "outcome"), "200");
    CU_ASSERT_STRING_EQUAL(words(one, "peer"), MEDELLIN "/SS1");
    CU_ASSERT_STRING_EQUAL(words(one, "sender"), MEDELLIN "/TRAMITES");
    CU_ASSERT_STRING_EQUAL(words(one, "caller_member"), MEDELLIN);
    CU_ASSERT_STRING_EQUAL(words(one, "provider_member"), DANE);
    CU_ASSERT_STRING_EQUAL(words(one, "service"), DANE "/DIVIPOLA/abierto");
    CU_ASSERT_STRING_EQUAL(words(one, "procedure"), "T-9");
    CU_ASSERT_STRING_EQUAL(words(one, "case_ref"), "2026-17");
    CU_ASSERT_STRING_EQUAL(words(one, "subject"), "0102fe");
    CU_ASSERT_STRING_EQUAL(words(one, "rule"), "shared");
    json_decref(found);
}

static void test_the_rule_of_a_refusal_goes_before_the_requests(void)
{
    OWNED(forge) self = some_log();
    CU_ASSERT_EQUAL(ROWS(self, "--rule", "restricted/no-grant"), 1);
    CU_ASSERT_EQUAL(ROWS(self, "--rule", "restricted/no-grant R-1"), 1);
    CU_ASSERT_EQUAL(ROWS(self, "--rule", "restricted/no-grant R"), 0);
    CU_ASSERT_EQUAL(ROWS(self, "--rule", "restricted/no"), 0);
    CU_ASSERT_EQUAL(ROWS(self, "--rule", "shared"), 5);
    CU_ASSERT_EQUAL(ROWS(self, "--rule", "shared", "--outcome", "ACCESS_DENIED"), 0);
}

static void test_outcomes_are_found_by_name_status_and_group(void)
{
    OWNED(forge) self = some_log();
    CU_ASSERT_EQUAL(ROWS(self), 7);
    CU_ASSERT_EQUAL(ROWS(self, "--outcome", "ok"), 2);
    CU_ASSERT_EQUAL(ROWS(self, "--outcome", "refused"), 1);
    CU_ASSERT_EQUAL(ROWS(self, "--outcome", "failed"), 2);
    CU_ASSERT_EQUAL(ROWS(self, "--outcome", "none"), 1);
    CU_ASSERT_EQUAL(ROWS(self, "--outcome", "access_denied"), 1);
    CU_ASSERT_EQUAL(ROWS(self, "--outcome", "503"), 1);
    CU_ASSERT_EQUAL(ROWS(self, "--outcome", "404"), 0);
}

static void test_a_row_passes_every_filter(void)
{
    OWNED(forge) self = some_log();
    CU_ASSERT_EQUAL(ROWS(self, "--purpose", "P-2"), 2);
    CU_ASSERT_EQUAL(ROWS(self, "--purpose", "P-2", "--outcome", "failed"), 1);
    CU_ASSERT_EQUAL(ROWS(self, "--case", "2026-17"), 4);
    CU_ASSERT_EQUAL(ROWS(self, "--subject", "0102FE", "--outcome", "none"), 1);
    CU_ASSERT_EQUAL(ROWS(self, "--subject", "0102"), 0);
    CU_ASSERT_EQUAL(ROWS(self, "--member", MEDELLIN), 6);
    CU_ASSERT_EQUAL(ROWS(self, "--member", DANE), 7);
    CU_ASSERT_EQUAL(ROWS(self, "--member", DANE, "--purpose", "P-1"), 4);
    CU_ASSERT_EQUAL(ROWS(self, "--member", FIRM), 0);
    CU_ASSERT_EQUAL(ROWS(self, "--peer", MEDELLIN "/SS1"), 6);
    CU_ASSERT_EQUAL(ROWS(self, "--peer", DANE "/SS1"), 0);
    CU_ASSERT_EQUAL(ROWS(self, "--service", DANE), 6);
    CU_ASSERT_EQUAL(ROWS(self, "--service", DANE "/DIVIPOLA/abi"), 6);
    CU_ASSERT_EQUAL(ROWS(self, "--service", DANE "/DIVIPOLA/abiertos"), 0);
    CU_ASSERT_EQUAL(ROWS(self, "--kind", "request"), 6);
    CU_ASSERT_EQUAL(ROWS(self, "--kind", "response"), 3);
    CU_ASSERT_EQUAL(ROWS(self, "--kind", "fault"), 2);
    CU_ASSERT_EQUAL(ROWS(self, "--kind", "started"), 1);
    CU_ASSERT_EQUAL(ROWS(self, "--kind", "incident"), 0);
    forge_own(self, HEADER_STAMPED);
    CU_ASSERT_EQUAL(ROWS(self, "--kind", "stamped"), 1);
}

static void test_an_exchange_is_found_by_its_first_digits(void)
{
    OWNED(forge) self = some_log();
    json_t *found = SEARCH(self, "--outcome", "503");
    char id[40];
    snprintf(id, sizeof id, "%s", words(row(found, 0), "exchange"));
    json_decref(found);
    CU_ASSERT_EQUAL(ROWS(self, "--exchange", id), 1);
    id[12] = '\0'; /* with a dash among them */
    CU_ASSERT_EQUAL(ROWS(self, "--exchange", id), 1);
    id[0] = id[0] == '0' ? '1' : '0';
    CU_ASSERT_EQUAL(ROWS(self, "--exchange", id), 0);
}

/* Nothing that a log holds is hidden, however it came there. */
static void test_what_joins_nothing_has_a_row_of_its_own(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    struct header request = asked(self);
    struct sha256 leaf = put(self, &request);
    struct header first = answer_to(self, &request, &leaf, HEADER_RESPONSE);
    first.status = 200;
    put(self, &first);
    struct header second = answer_to(self, &request, &leaf, HEADER_FAULT);
    second.fault = SERVICE_DOWN;
    put(self, &second);
    struct sha256 nowhere = {{9}};
    struct header stray = answer_to(self, &request, &nowhere, HEADER_RESPONSE);
    stray.status = 201;
    put(self, &stray);
    CU_ASSERT_EQUAL(ROWS(self), 4);
    json_t *found = SEARCH(self, "--outcome", "SERVICE_DOWN");
    CU_ASSERT_STRING_EQUAL(words(row(found, 0), "kind"), "fault");
    CU_ASSERT_EQUAL(number(row(found, 0), "entry"), 3);
    CU_ASSERT(json_is_null(json_object_get(row(found, 0), "answer_entry")));
    json_decref(found);
    found = SEARCH(self, "--outcome", "201", "--member", MEDELLIN);
    CU_ASSERT_STRING_EQUAL(words(row(found, 0), "caller_member"), MEDELLIN);
    CU_ASSERT_STRING_EQUAL(words(row(found, 0), "provider_member"), DANE);
    json_decref(found);
    CU_ASSERT_EQUAL(ROWS(self, "--outcome", "201", "--kind", "request"), 0);
    CU_ASSERT_EQUAL(ROWS(self, "--outcome", "200", "--kind", "request"), 1);
}

/* Its leaves stand in the log twice, as caller's and as provider's. */
static void test_an_exchange_of_a_server_with_itself_is_two_rows(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    OWNED(bytes) bytes = NULL;
    OWNED(bytes) blob = NULL;
    struct header request = asked(self);
    request.sender_server = request.receiver_server;
    struct sha256 leaf = put(self, &request);
    MUST(audit_log_read(self->log, 1, &bytes, &blob));
    struct audit_record record = {.leaf = bytes_span(bytes), .blob = bytes_span(blob)};
    MUST(audit_log_append(self->log, &record, 1, self->time_ms));
    CU_ASSERT_EQUAL(ROWS(self, "--outcome", "none"), 2);
    for (int i = 0; i < 2; i++) {
        struct header answer = answer_to(self, &request, &leaf, HEADER_RESPONSE);
        answer.status = 200;
        put(self, &answer);
    }
    CU_ASSERT_EQUAL(ROWS(self), 3);
    CU_ASSERT_EQUAL(ROWS(self, "--outcome", "200"), 2);
}

/* Who could not verify a request cannot name its leaf. */
static void test_a_refusal_that_names_no_leaf_joins_by_the_exchange(void)
{
    OWNED(forge) self = forge_new(CALLER);
    forge_own(self, HEADER_STARTED);
    struct header request = asked(self);
    put(self, &request);
    struct header refusal = answer_to(self, &request, NULL, HEADER_FAULT);
    refusal.fault = SIGNATURE_BAD;
    put(self, &refusal);
    json_t *found = SEARCH(self, "--outcome", "failed");
    CU_ASSERT_EQUAL(number(row(found, 0), "entry"), 1);
    CU_ASSERT_EQUAL(number(row(found, 0), "answer_entry"), 2);
    CU_ASSERT_STRING_EQUAL(words(row(found, 0), "peer"), DANE "/SS1");
    json_decref(found);
    CU_ASSERT_EQUAL(ROWS(self, "--outcome", "none"), 0);
}

static void append_rubbish(struct forge *self)
{
    struct audit_record record = {.leaf = span_of_text("no leaf at all")};
    MUST(audit_log_append(self->log, &record, 1, self->time_ms));
    self->head = audit_log_head(self->log);
}

static void test_an_entry_that_cannot_be_read_is_found_too(void)
{
    OWNED(forge) self = some_log();
    append_rubbish(self);
    json_t *found = SEARCH(self, "--kind", "unreadable");
    CU_ASSERT_EQUAL(number(row(found, 0), "entry"), 12);
    json_decref(found);
    CU_ASSERT_EQUAL(ROWS(self), 8);
}

static void test_a_word_of_a_later_version_is_shown_as_its_number(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    put_exchange(self, asked(self), HEADER_FAULT, 0, (enum fault_code)900);
    json_t *found = SEARCH(self, "--outcome", "FAULT_900");
    CU_ASSERT_STRING_EQUAL(words(row(found, 0), "outcome"), "FAULT_900");
    json_decref(found);
    CU_ASSERT_EQUAL(ROWS(self, "--outcome", "failed"), 1);
}

// --- time and pages -----------------------------------------------------------------------------

static void test_times_include_what_they_name(void)
{
    int64_t first = 0, last = 0;
    MUST(search_time_read("2026-11-21", &first, &last));
    CU_ASSERT_EQUAL(first, INT64_C(1795219200000));
    CU_ASSERT_EQUAL(last, first + 86400000 - 1);
    MUST(search_time_read("2026-11-21T04:05", &first, &last));
    CU_ASSERT_EQUAL(first, INT64_C(1795219200000) + (4 * 60 + 5) * 60000);
    CU_ASSERT_EQUAL(last, first + 60000 - 1);
    MUST(search_time_read("2026-11-21 04:05:06Z", &first, &last));
    CU_ASSERT_EQUAL(last, first + 1000 - 1);
    MUST(search_time_read("2026-11-21T04:05:06.789", &first, &last));
    CU_ASSERT_EQUAL(first % 1000, 789);
    CU_ASSERT_EQUAL(last, first);
}

static void test_what_is_no_time_is_refused(void)
{
    static const char *const bad[] = {"",
                                      "2026",
                                      "2026-13-01",
                                      "2026-02-30",
                                      "2026-1-1",
                                      "yesterday",
                                      "2026-11-21T",
                                      "2026-11-21T4",
                                      "2026-11-21T24:00",
                                      "2026-11-21T04:05:06+01:00",
                                      "2026-11-21x",
                                      "1969-12-31",
                                      "2026-11-00"};
    int64_t first = 0, last = 0;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        MUST_FAIL(BAD_REQUEST, search_time_read(bad[i], &first, &last));
}

static void test_a_time_up_to_its_millisecond_is_found(void)
{
    OWNED(forge) self = some_log();
    json_t *found = SEARCH(self, "--outcome", "ACCESS_DENIED");
    char time[40];
    snprintf(time, sizeof time, "%s", words(row(found, 0), "time"));
    json_decref(found);
    CU_ASSERT_EQUAL(ROWS(self, "--from", time, "--until", time), 1);
    CU_ASSERT_EQUAL(ROWS(self, "--from", time), 5);
    CU_ASSERT_EQUAL(ROWS(self, "--until", time), 3);
    CU_ASSERT_EQUAL(ROWS(self, "--until", "2026-01-01"), 0);
    CU_ASSERT_EQUAL(refused(self, "--from", "2026-02-01", "--until", "2026-01-01", NULL),
                    BAD_REQUEST);
}

/* Goes through all pages; the entries in the order they came. */
static size_t walk_pages(const struct forge *self, const char *order, const char *limit,
                         json_int_t entries[64])
{
    char after[32] = "9223372036854775807";
    size_t count = 0;
    if (strcmp(order, "--oldest") == 0)
        strcpy(after, "1");
    for (;;) {
        json_t *found = SEARCH(self, order, "--limit", limit, "--after", after);
        json_t *rows = json_object_get(found, "rows");
        for (size_t i = 0; i < json_array_size(rows) && count < 64; i++)
            entries[count++] = number(row(found, i), "entry");
        bool more = !json_is_null(json_object_get(found, "after"));
        snprintf(after, sizeof after, "%s", words(found, "after"));
        json_decref(found);
        if (!more)
            return count;
    }
}

static void test_pages_hold_each_row_once_in_order(void)
{
    static const json_int_t wanted[] = {0, 1, 3, 5, 7, 9, 11};
    OWNED(forge) self = some_log();
    for (int limit = 1; limit <= 8; limit++) {
        char text[12];
        json_int_t entries[64];
        snprintf(text, sizeof text, "%d", limit);
        CU_ASSERT_EQUAL(walk_pages(self, "--newest", text, entries), 7);
        for (size_t i = 0; i < 7; i++)
            CU_ASSERT_EQUAL(entries[i], wanted[6 - i]);
        CU_ASSERT_EQUAL(walk_pages(self, "--oldest", text, entries), 7);
        for (size_t i = 0; i < 7; i++)
            CU_ASSERT_EQUAL(entries[i], wanted[i]);
    }
}

static void test_entries_of_one_millisecond_stay_apart(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    int64_t same_ms = self->time_ms;
    for (int i = 0; i < 5; i++) {
        struct header request = asked(self);
        self->time_ms = same_ms;
        put(self, &request);
    }
    json_int_t entries[64];
    CU_ASSERT_EQUAL(walk_pages(self, "--newest", "2", entries), 6);
    for (size_t i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(entries[i], 5 - (json_int_t)i);
}

/* Two entries 2^21 apart in one millisecond want one key. */
static void test_a_key_that_is_taken_is_not_lost(void)
{
    char path[300];
    OWNED(database) database = NULL;
    OWNED(index_rows) rows = NULL;
    OWNED(statement) count = NULL;
    OWNED(forge) forge = forge_new(PROVIDER);
    struct header header = asked(forge);
    bool row = false;
    snprintf(path, sizeof path, "%s/keys.db", unit_folder());
    MUST(database_make(path, &database));
    MUST(index_rows_make_tables(database));
    MUST(index_rows_new(database, &rows));
    for (uint64_t i = 0; i < 4; i++) {
        struct sha256 hash = {{(uint8_t)i}};
        struct index_entry entry = {i << INDEX_KEY_BITS, &hash, &header};
        MUST(index_rows_add(rows, &entry));
    }
    MUST(statement_new(database, "SELECT count(*), count(DISTINCT key >> 21) FROM record", &count));
    MUST(statement_step(count, &row));
    CU_ASSERT_EQUAL(statement_number(count, 0), 4);
    CU_ASSERT_EQUAL(statement_number(count, 1), 1);
}

// --- the command line ---------------------------------------------------------------------------

static void test_a_wrong_command_line_is_told(void)
{
    OWNED(forge) self = some_log();
    static const char *const bad[][2] = {{"--limit", "0"},       {"--limit", "10001"},
                                         {"--limit", "x"},       {"--after", "0"},
                                         {"--after", "-1"},      {"--kind", "answer"},
                                         {"--kind", "unknown"},  {"--outcome", "good"},
                                         {"--exchange", "12"},   {"--exchange", "xyzxyzxyz"},
                                         {"--subject", "123"},   {"--subject", "zz"},
                                         {"--member", "CO/MUN"}, {"--peer", "CO/MUN/1"},
                                         {"--service", ""},      {"--purpose", ""},
                                         {"--nothing", "1"},     {"--from", "now"},
                                         {"another", "folder"},  {"--rebuild", "--as-is"},
                                         {"--index", "/"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_EQUAL(refused(self, bad[i][0], bad[i][1], NULL), BAD_REQUEST);
    CU_ASSERT_EQUAL(refused(self, "--purpose", NULL), BAD_REQUEST);
    CU_ASSERT_EQUAL(ROWS(self, "--limit", "10000"), 7);
}

static void test_filters_are_values_and_never_sql(void)
{
    OWNED(forge) self = some_log();
    static const char *const filters[] = {"--purpose", "--case", "--rule", "--service"};
    static const char *const texts[] = {
        "' OR '1'='1", "P-1' --", "\"; DROP TABLE record; --", "%", "_-1", "P-1\"", "?1", "*"};
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++)
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
            CU_ASSERT_EQUAL(ROWS(self, filters[i], texts[k]), 0);
    CU_ASSERT_EQUAL(ROWS(self), 7);
}

// --- the index ----------------------------------------------------------------------------------

static void index_path(const struct forge *self, char out[300])
{
    snprintf(out, 300, "%s/index/search.db", self->folder);
}

static ino_t index_number(const struct forge *self)
{
    char path[300];
    struct stat st;
    index_path(self, path);
    CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0);
    return st.st_ino;
}

static void test_what_came_later_is_taken_in_by_the_next_search(void)
{
    OWNED(forge) self = some_log();
    CU_ASSERT_EQUAL(ROWS(self, "--outcome", "none"), 1);
    ino_t before = index_number(self);
    /* the outcome of a request that was indexed without one */
    json_t *found = SEARCH(self, "--outcome", "none");
    struct header late = forge_header(self, PROVIDER, HEADER_FAULT);
    uint8_t id[16];
    char hex[33];
    const char *shown = words(row(found, 0), "exchange");
    size_t digits = 0;
    for (const char *at = shown; *at != '\0' && digits < 32; at++)
        if (*at != '-')
            hex[digits++] = *at;
    MUST(text_unhex(span_of(hex, 32), id, sizeof id));
    json_decref(found);
    memcpy(late.exchange_id, id, sizeof id);
    late.fault = OUTCOME_UNKNOWN;
    put(self, &late);
    put_exchange(self, asked(self), HEADER_RESPONSE, 200, OK);
    found = SEARCH(self);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(found, "rows")), 8);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(found, "remarks")), 0);
    CU_ASSERT_EQUAL(number(found, "indexed_entries"), 15);
    json_decref(found);
    CU_ASSERT_EQUAL(ROWS(self, "--outcome", "none"), 0);
    CU_ASSERT_EQUAL(ROWS(self, "--outcome", "OUTCOME_UNKNOWN"), 1);
    CU_ASSERT_EQUAL(index_number(self), before);
}

static void test_an_index_that_is_caught_up_says_what_a_new_one_says(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    for (int i = 0; i < 6; i++) {
        put_exchange(self, asked(self), i % 2 == 0 ? HEADER_RESPONSE : HEADER_FAULT, 200,
                     i % 2 == 0 ? OK : ACCESS_DENIED);
        CU_ASSERT_EQUAL(ROWS(self), (size_t)i + 2);
    }
    char *caught_up = say(self, "--csv", NULL), *anew = say(self, "--csv", "--rebuild", NULL);
    CU_ASSERT_STRING_EQUAL(caught_up, anew);
    free(caught_up);
    free(anew);
}

/* Another log of as many entries in the old one's place. */
static void test_a_replaced_log_is_noticed(void)
{
    char path[300], other_path[300];
    OWNED(forge) self = some_log();
    CU_ASSERT_EQUAL(ROWS(self, "--outcome", "ok"), 2);
    OWNED(forge) other = forge_new(PROVIDER);
    forge_own(other, HEADER_STARTED);
    for (int i = 0; i < 6; i++)
        put_exchange(other, asked(other), HEADER_RESPONSE, 200, OK);
    snprintf(path, sizeof path, "%s/log", self->folder);
    snprintf(other_path, sizeof other_path, "%s/old", self->folder);
    CU_ASSERT_EQUAL_FATAL(rename(path, other_path), 0);
    snprintf(other_path, sizeof other_path, "%s/log", other->folder);
    CU_ASSERT_EQUAL_FATAL(rename(other_path, path), 0);
    json_t *found = SEARCH(self, "--outcome", "ok");
    CU_ASSERT(remarks(found, "the log is another one"));
    CU_ASSERT_EQUAL(json_array_size(json_object_get(found, "rows")), 6);
    json_decref(found);
    CU_ASSERT_EQUAL(ROWS(self), 7);
}

static void poke(const char *path, off_t at, const char *bytes)
{
    int fd = open(path, O_WRONLY);
    CU_ASSERT_FATAL(fd >= 0);
    MUST(file_write_at(fd, span_of_text(bytes), at));
    close(fd);
}

static void test_a_damaged_index_is_made_anew(void)
{
    static const struct {
        off_t at;
        const char *bytes;
    } damage[] = {
        {0, "rubbish"}, {100, "\xff\xff\xff\xff\xff\xff\xff\xff\xff"}, {4096, "\xff\xff"}};
    char path[300];
    OWNED(forge) self = some_log();
    CU_ASSERT_EQUAL(ROWS(self), 7);
    index_path(self, path);
    for (size_t i = 0; i < sizeof damage / sizeof damage[0]; i++) {
        poke(path, damage[i].at, damage[i].bytes);
        json_t *found = SEARCH(self);
        CU_ASSERT(remarks(found, "it is damaged"));
        CU_ASSERT_EQUAL(json_array_size(json_object_get(found, "rows")), 7);
        json_decref(found);
    }
    CU_ASSERT_EQUAL(truncate(path, 8192), 0);
    json_t *found = SEARCH(self);
    CU_ASSERT(remarks(found, "it is damaged"));
    json_decref(found);
    CU_ASSERT_EQUAL(unlink(path), 0);
    CU_ASSERT_EQUAL(ROWS(self), 7);
}

/* Whoever gives a copy away could have written anything into the index that comes with it. */
static void test_an_index_that_was_copied_is_not_believed(void)
{
    char path[300], aside[310];
    OWNED(bytes) whole = NULL;
    OWNED(forge) self = some_log();
    CU_ASSERT_EQUAL(ROWS(self), 7);
    index_path(self, path);
    snprintf(aside, sizeof aside, "%s.aside", path);
    MUST(file_read(path, 1 << 24, &whole));
    CU_ASSERT_EQUAL_FATAL(rename(path, aside), 0); /* its number must not come again */
    MUST(file_replace(path, bytes_span(whole), 0600));
    CU_ASSERT_EQUAL(refused(self, "--as-is", NULL), NOT_FOUND);
    json_t *found = SEARCH(self);
    CU_ASSERT(remarks(found, "made elsewhere"));
    CU_ASSERT_EQUAL(json_array_size(json_object_get(found, "rows")), 7);
    json_decref(found);
    CU_ASSERT_EQUAL(rename(aside, path), 0);
    found = SEARCH(self);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(found, "remarks")), 0);
    json_decref(found);
}

static void test_a_link_in_the_folder_is_not_followed(void)
{
    char path[300], target[300];
    OWNED(forge) self = some_log();
    snprintf(path, sizeof path, "%s/index", self->folder);
    snprintf(target, sizeof target, "%s/elsewhere", unit_folder());
    MUST(file_make_folders(target, 0700));
    CU_ASSERT_EQUAL_FATAL(symlink(target, path), 0);
    CU_ASSERT_EQUAL(refused(self, NULL), REFUSED);
    CU_ASSERT_EQUAL(rmdir(target), 0); /* empty as before */
    CU_ASSERT_EQUAL(unlink(path), 0);
    CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
    index_path(self, path);
    snprintf(target, sizeof target, "%s.victim", self->folder);
    MUST(file_replace(target, span_of_text("mine"), 0600));
    CU_ASSERT_EQUAL_FATAL(symlink(target, path), 0);
    CU_ASSERT_EQUAL(ROWS(self), 7);
    OWNED(bytes) kept = NULL;
    MUST(file_read(target, 100, &kept));
    CU_ASSERT(span_is_text(bytes_span(kept), "mine"));
}

/* SQLite would play a journal that lies there into the file that has got its name. */
static void test_a_journal_that_was_planted_is_not_played(void)
{
    char path[300], journal[320];
    OWNED(forge) self = some_log();
    index_path(self, path);
    snprintf(journal, sizeof journal, "%s/index", self->folder);
    MUST(file_make_folders(journal, 0700));
    snprintf(journal, sizeof journal, "%s-journal", path);
    MUST(file_replace(journal, span_of_text("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7 and more"), 0600));
    CU_ASSERT_EQUAL(ROWS(self), 7);
    CU_ASSERT_EQUAL(access(journal, F_OK), -1);
}

static void test_another_writer_does_not_keep_one_from_searching(void)
{
    struct index_place place;
    int lock = -1;
    OWNED(forge) self = some_log();
    CU_ASSERT_EQUAL(ROWS(self), 7);
    MUST(index_place_find(self->folder, 1, NULL, &place));
    MUST(index_file_lock(&place, &lock));
    CU_ASSERT_EQUAL(ROWS(self), 7); /* nothing to write: nobody is asked */
    close(lock);
}

static void test_nothing_of_a_payload_is_in_the_index(void)
{
    char path[300];
    OWNED(bytes) whole = NULL;
    OWNED(forge) self = some_log();
    CU_ASSERT_EQUAL(ROWS(self), 7);
    index_path(self, path);
    MUST(file_read(path, 1 << 24, &whole));
    CU_ASSERT_PTR_NULL(memmem(whole->data, whole->size, "content", 7)); /* of forge_append */
    CU_ASSERT_PTR_NOT_NULL(memmem(whole->data, whole->size, "2026-17", 7));
}

static void test_where_there_is_no_log_it_is_said(void)
{
    OWNED(forge) self = some_log();
    char path[300], aside[300];
    snprintf(path, sizeof path, "%s/log", self->folder);
    snprintf(aside, sizeof aside, "%s/aside", self->folder);
    CU_ASSERT_EQUAL_FATAL(rename(path, aside), 0);
    CU_ASSERT_EQUAL(refused(self, NULL), NOT_FOUND);
    CU_ASSERT_EQUAL(rename(aside, path), 0);
}

// --- what is printed ----------------------------------------------------------------------------

static void test_strangers_words_do_no_harm_in_print(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    struct header request = asked(self);
    request.purpose = span_of_text("=1+1,\"x\"");
    request.rule = span_of_text("\xe2\x80\xaeregla"); /* turns the writing round */
    put(self, &request);
    char *text = say(self, NULL), *csv = say(self, "--csv", NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\\xe2\\x80\\xaeregla"));
    CU_ASSERT_PTR_NULL(strstr(text, "\xe2\x80\xae"));
    CU_ASSERT_PTR_NOT_NULL(strstr(csv, "\"'=1+1,\"\"x\"\"\""));
    free(text);
    free(csv);
    CU_ASSERT_EQUAL(ROWS(self, "--purpose", "=1+1,\"x\""), 1);
}

static void test_nothing_found_is_said_in_a_line(void)
{
    OWNED(forge) self = some_log();
    char *text = say(self, "--purpose", "P-9", NULL);
    CU_ASSERT_STRING_EQUAL(text, "none found: nothing in this log has the --purpose asked for\n");
    free(text);
    text = say(self, "--purpose", "P-2", "--outcome", "refused", NULL);
    CU_ASSERT_STRING_EQUAL(text, "none found among 12 entries\n");
    free(text);
}

SUITE(search, TEST(test_a_request_and_its_outcome_are_one_row),
      TEST(test_the_rule_of_a_refusal_goes_before_the_requests),
      TEST(test_outcomes_are_found_by_name_status_and_group), TEST(test_a_row_passes_every_filter),
      TEST(test_an_exchange_is_found_by_its_first_digits),
      TEST(test_what_joins_nothing_has_a_row_of_its_own),
      TEST(test_an_exchange_of_a_server_with_itself_is_two_rows),
      TEST(test_a_refusal_that_names_no_leaf_joins_by_the_exchange),
      TEST(test_an_entry_that_cannot_be_read_is_found_too),
      TEST(test_a_word_of_a_later_version_is_shown_as_its_number),
      TEST(test_times_include_what_they_name), TEST(test_what_is_no_time_is_refused),
      TEST(test_a_time_up_to_its_millisecond_is_found),
      TEST(test_pages_hold_each_row_once_in_order),
      TEST(test_entries_of_one_millisecond_stay_apart), TEST(test_a_key_that_is_taken_is_not_lost),
      TEST(test_a_wrong_command_line_is_told), TEST(test_filters_are_values_and_never_sql),
      TEST(test_what_came_later_is_taken_in_by_the_next_search),
      TEST(test_an_index_that_is_caught_up_says_what_a_new_one_says),
      TEST(test_a_replaced_log_is_noticed), TEST(test_a_damaged_index_is_made_anew),
      TEST(test_an_index_that_was_copied_is_not_believed),
      TEST(test_a_link_in_the_folder_is_not_followed),
      TEST(test_a_journal_that_was_planted_is_not_played),
      TEST(test_another_writer_does_not_keep_one_from_searching),
      TEST(test_nothing_of_a_payload_is_in_the_index), TEST(test_where_there_is_no_log_it_is_said),
      TEST(test_strangers_words_do_no_harm_in_print), TEST(test_nothing_found_is_said_in_a_line))
