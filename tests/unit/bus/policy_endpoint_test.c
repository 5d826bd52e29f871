// SPDX-License-Identifier: MIT
/* The golden table of endpoints: question, rule. A changed line here is a changed right of
 * somebody. And what the directory takes of them. */
#include "lib/bus/directory_snapshot.h"
#include "lib/bus/policy.h"

#include "tests/unit/bus/book.h"

#define SERVICE DANE "/DIVIPOLA/personas"
#define TRAMITES MEDELLIN "/TRAMITES"
#define APP FIRM "/APP"
#define NOW_MS (BOOK_START_MS + 30 * BOOK_DAY_MS)

/* The last act is refused, and taken back. */
#define BAD(added)                                         \
    do {                                                   \
        OWNED(directory) none_ = NULL;                     \
        added;                                             \
        MUST_FAIL(DIRECTORY_BAD, book_fold(book, &none_)); \
        bytes_free(&book->act[--book->count]);             \
    } while (0)

struct part {
    const char *id, *method, *path;
    int class;
};

static void set_service(struct book *book, const struct part *part, size_t count)
{
    Chaski__Endpoint endpoint[DIRECTORY_ENDPOINTS_MAX + 1], *pointer[DIRECTORY_ENDPOINTS_MAX + 1];
    for (size_t i = 0; i < count; i++) {
        chaski__endpoint__init(&endpoint[i]);
        endpoint[i].id = book_text(part[i].id);
        endpoint[i].method = book_text(part[i].method);
        endpoint[i].path = book_text(part[i].path);
        endpoint[i].class_ = (Chaski__ServiceClass)part[i].class;
        pointer[i] = &endpoint[i];
    }
    BOOK_ACT(book, SERVICE_SET, service_set, CHASKI__SERVICE_SET__INIT, it->id = book_text(SERVICE),
             it->class_ = CHASKI__SERVICE_CLASS__SHARED, it->n_endpoint = count,
             it->endpoint = pointer);
}

static void restrict_part(struct book *book, const char *id, const char *endpoint)
{
    char *named = book_text(endpoint);
    BOOK_ACT(book, RESTRICTION_SET, restriction_set, CHASKI__RESTRICTION_SET__INIT,
             it->id = book_text(id), it->service = book_text(SERVICE),
             it->ground = CHASKI__GROUND__PRIVACY, it->reason = book_text("Datos de personas"),
             it->approver = book_text("Oficina jurídica"), it->from_ms = (uint64_t)book->time_ms,
             it->until_ms = (uint64_t)(NOW_MS + BOOK_DAY_MS), it->n_endpoint = 1,
             it->endpoint = &named);
}

static void grant_part(struct book *book, const char *id, const char *consumer,
                       const char *endpoint)
{
    char *named = book_text(endpoint);
    BOOK_ACT(book, GRANT_SET, grant_set, CHASKI__GRANT_SET__INIT, it->id = book_text(id),
             it->service = book_text(SERVICE), it->consumer = book_text(consumer),
             it->legal_basis = book_text("Ley 1581 de 2012"),
             it->until_ms = (uint64_t)(NOW_MS + 9 * BOOK_DAY_MS), it->n_endpoint = 1,
             it->endpoint = &named);
}

static const struct part parts[] = {{"resumen", "GET", "/resumen", SERVICE_OPEN},
                                    {"ficha", "GET", "/ficha/*", SERVICE_SHARED},
                                    {"salud", "*", "/salud/**", SERVICE_SHARED},
                                    {"censo", "GET", "/censo", SERVICE_OPEN}};

static struct book *book_of_parts(void)
{
    struct book *book = book_new();
    book_country(book);
    set_service(book, parts, 4);
    restrict_part(book, "R-salud", "salud");
    restrict_part(book, "R-censo", "censo");
    grant_part(book, "G-salud", MEDELLIN, "salud");
    grant_part(book, "G-ficha", FIRM, "ficha");
    return book;
}

struct line {
    const char *client, *endpoint, *purpose, *rule;
};

static const struct line table[] = {
    {APP, "resumen", "", "open/any-member"},
    {TRAMITES, "ficha", "tramite-licencia", "shared/competence C-1"},
    {TRAMITES, "ficha", "", "shared/no-purpose"},
    {APP, "ficha", "", "shared/grant G-ficha"},
    {TRAMITES, "salud", "tramite-licencia", "restricted/grant G-salud"},
    {APP, "salud", "", "restricted/no-grant R-salud"},
    {APP, "censo", "", "restricted/no-grant R-censo"},
    {TRAMITES, "censo", "", "restricted/no-grant R-censo"}, /* of another part */
    /* what no endpoint names goes by the service's own class */
    {TRAMITES, "", "tramite-licencia", "shared/competence C-1"},
    {APP, "", "", "shared/not-a-public-agency"},
    {TRAMITES, "nada", "", "directory/unknown-endpoint"},
};

static void ask(const struct directory *directory, const struct line *line,
                struct policy_verdict *out)
{
    struct policy_trace trace;
    policy_explain(directory,
                   &(struct policy_question){
                       .client = span_of_text(line->client),
                       .service = span_of_text(SERVICE),
                       .purpose = span_of_text(line->purpose),
                       .endpoint = span_of_text(line->endpoint),
                       .at_ms = NOW_MS,
                   },
                   out, &trace);
    CU_ASSERT_EQUAL(trace.missing[0] == '\0', out->fault == OK);
}

static void check_table(const struct directory *directory)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct policy_verdict verdict;
        ask(directory, &table[i], &verdict);
        if (strcmp(verdict.rule, table[i].rule) != 0)
            fprintf(stderr, "  %s asks %s for '%s': %s\n", table[i].client, table[i].endpoint,
                    table[i].purpose, verdict.rule);
        CU_ASSERT_STRING_EQUAL(verdict.rule, table[i].rule);
        CU_ASSERT_EQUAL(verdict.remedy[0] == '\0', verdict.fault == OK);
    }
}

static void test_each_endpoint_has_a_class_restrictions_and_grants_of_its_own(void)
{
    OWNED(book) book = book_of_parts();
    OWNED(directory) state = NULL;
    MUST(book_fold(book, &state));
    check_table(state);
    CU_ASSERT_EQUAL(policy_class_of(state, span_of_text(SERVICE), NOW_MS), POLICY_RESTRICTED);
    CU_ASSERT_EQUAL(policy_class_of(state, span_of_text(SERVICE), NOW_MS + BOOK_DAY_MS),
                    POLICY_SHARED);
}

static void test_a_restriction_of_the_service_holds_for_all_its_endpoints(void)
{
    OWNED(book) book = book_of_parts();
    OWNED(directory) state = NULL;
    struct policy_verdict verdict;
    book_restriction(book, "R-all", SERVICE, "", book->time_ms, NOW_MS + 2 * BOOK_DAY_MS);
    MUST(book_fold(book, &state));
    ask(state, &(struct line){APP, "resumen", "", ""}, &verdict);
    CU_ASSERT_STRING_EQUAL(verdict.rule, "restricted/no-grant R-all");
    ask(state, &(struct line){APP, "ficha", "", ""}, &verdict);
    CU_ASSERT_STRING_EQUAL(verdict.rule, "restricted/grant G-ficha");
    ask(state, &(struct line){APP, "", "", ""}, &verdict);
    CU_ASSERT_STRING_EQUAL(verdict.rule, "restricted/no-grant R-all");
}

static void test_a_service_is_offered_to_whom_one_endpoint_is_open(void)
{
    OWNED(book) book = book_of_parts();
    OWNED(directory) state = NULL;
    MUST(book_fold(book, &state));
    struct policy_question app = {
        .client = span_of_text(APP), .service = span_of_text(SERVICE), .at_ms = NOW_MS};
    CU_ASSERT(policy_allows_somehow(state, &app));
    app.endpoint = span_of_text("salud");
    CU_ASSERT(!policy_allows_somehow(state, &app));
}

static void test_endpoints_come_back_from_a_snapshot_in_their_order(void)
{
    OWNED(book) book = book_of_parts();
    OWNED(directory) state = NULL;
    OWNED(directory) again = NULL;
    OWNED(bytes) snapshot = NULL;
    MUST(book_fold(book, &state));
    MUST(directory_snapshot(state, book->count, &snapshot));
    MUST(directory_restore(bytes_span(snapshot), book->trust, &again));
    check_table(again);
    CU_ASSERT_STRING_EQUAL(directory_service(again, span_of_text(SERVICE))->endpoint[3].id,
                           "censo");
}

static void test_what_is_no_endpoint_is_not_taken(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    struct part many[DIRECTORY_ENDPOINTS_MAX + 1];
    char id[DIRECTORY_ENDPOINTS_MAX + 1][8];
    book_country(book);
    const struct part bad[] = {
        {"", "GET", "/a", 1},     {"a b", "GET", "/a", 1}, {"a:b", "GET", "/a", 1},
        {"a", "get", "/a", 1},    {"a", "GET", "a", 1},    {"a", "GET", "/a\\b", 1},
        {"a", "GET", "/a%20", 1}, {"a", "GET", "/a", 0},   {"a", "GET", "/a", 3}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        BAD(set_service(book, &bad[i], 1));
    BAD(set_service(book, (struct part[]){{"a", "GET", "/a", 1}, {"a", "GET", "/b", 1}}, 2));
    for (size_t i = 0; i <= DIRECTORY_ENDPOINTS_MAX; i++) {
        snprintf(id[i], sizeof id[i], "e-%zu", i);
        many[i] = (struct part){id[i], "GET", "/a", 1};
    }
    BAD(set_service(book, many, DIRECTORY_ENDPOINTS_MAX + 1));
    set_service(book, many, DIRECTORY_ENDPOINTS_MAX);
    MUST(book_fold(book, &state));
}

/* Else what a restriction closes would be open again under another name. */
static void test_an_endpoint_that_a_right_names_stays(void)
{
    OWNED(book) book = book_of_parts();
    OWNED(directory) state = NULL;
    BAD(set_service(book, parts, 3)); /* without censo, which R-censo names */
    BAD(set_service(book, NULL, 0));
    BAD(restrict_part(book, "R-9", "nada"));
    BAD(grant_part(book, "G-9", MEDELLIN, "nada"));
    set_service(book, (struct part[]){parts[3], parts[2], parts[1]}, 3); /* nobody names resumen */
    MUST(book_fold(book, &state));
}

static void set_subject(struct book *book, bool required, bool disabled)
{
    BOOK_ACT(book, SERVICE_SET, service_set, CHASKI__SERVICE_SET__INIT,
             it->id = book_text(DANE "/DIVIPOLA/otro"), it->class_ = CHASKI__SERVICE_CLASS__OPEN,
             it->subject_required = required, it->disabled = disabled);
}

static struct policy_verdict asked_about(const struct book *book, bool nobody,
                                         struct policy_trace *trace)
{
    OWNED(directory) state = NULL;
    struct policy_verdict verdict = {.fault = INTERNAL};
    struct policy_question question = {.client = span_of_text(MEDELLIN "/TRAMITES"),
                                       .service = span_of_text(DANE "/DIVIPOLA/otro"),
                                       .at_ms = NOW_MS,
                                       .names_nobody = nobody};
    MUST(book_fold(book, &state));
    policy_explain(state, &question, &verdict, trace);
    return verdict;
}

/* Even an open service, and before any right is looked at; who names a person loses nothing. */
static void test_a_service_about_persons_takes_no_request_about_nobody(void)
{
    OWNED(book) book = book_of_parts();
    struct policy_trace trace;
    set_subject(book, false, false);
    CU_ASSERT_EQUAL(asked_about(book, true, &trace).fault, OK);
    CU_ASSERT_STRING_EQUAL(trace.step[3].name, "restriction");
    set_subject(book, true, false);
    struct policy_verdict verdict = asked_about(book, true, &trace);
    CU_ASSERT_EQUAL(verdict.fault, SUBJECT_REQUIRED);
    CU_ASSERT_STRING_EQUAL(verdict.rule, "subject/not-named");
    CU_ASSERT_PTR_NOT_NULL(strstr(verdict.remedy, "Chaski-Subject"));
    CU_ASSERT_STRING_EQUAL(trace.missing, "subject");
    verdict = asked_about(book, false, &trace);
    CU_ASSERT_EQUAL(verdict.fault, OK);
    CU_ASSERT_STRING_EQUAL(verdict.rule, "open/any-member");
    CU_ASSERT_STRING_EQUAL(trace.step[3].name, "subject");
    set_subject(book, true, true);
    CU_ASSERT_EQUAL(asked_about(book, true, &trace).fault, SERVICE_DISABLED);
    set_subject(book, false, false);
    CU_ASSERT_EQUAL(asked_about(book, true, &trace).fault, OK);
}

static void set_rate(struct book *book, uint32_t rate, uint32_t burst)
{
    BOOK_ACT(book, SERVICE_SET, service_set, CHASKI__SERVICE_SET__INIT,
             it->id = book_text(DANE "/DIVIPOLA/otro"), it->class_ = CHASKI__SERVICE_CLASS__OPEN,
             it->rate = rate, it->burst = burst);
}

static void grant_volume(struct book *book, const char *id, uint32_t volume, int64_t until_ms)
{
    BOOK_ACT(book, GRANT_SET, grant_set, CHASKI__GRANT_SET__INIT, it->id = book_text(id),
             it->service = book_text(SERVICE), it->consumer = book_text(MEDELLIN),
             it->legal_basis = book_text("Ley 1581 de 2012"), it->until_ms = (uint64_t)until_ms,
             it->volume_a_day = volume);
}

static void test_a_rate_and_a_volume_have_bounds(void)
{
    OWNED(book) book = book_of_parts();
    OWNED(directory) state = NULL;
    BAD(set_rate(book, SERVICE_RATE_MAX + 1, 0));
    BAD(set_rate(book, 1, SERVICE_BURST_MAX + 1));
    BAD(set_rate(book, 0, 1));
    BAD(grant_volume(book, "G-9", GRANT_VOLUME_MAX + 1, NOW_MS + BOOK_DAY_MS));
    set_rate(book, SERVICE_RATE_MAX, SERVICE_BURST_MAX);
    MUST(book_fold(book, &state));
}

/* Else to be given another right could mean to be refused. */
static void test_a_grant_that_counts_nothing_is_used_first(void)
{
    OWNED(book) book = book_of_parts();
    OWNED(directory) state = NULL;
    OWNED(directory) again = NULL;
    OWNED(bytes) snapshot = NULL;
    struct policy_verdict verdict;
    const struct line line = {TRAMITES, "censo", "", ""};
    grant_volume(book, "G-long", 5, NOW_MS + 9 * BOOK_DAY_MS);
    MUST(book_fold(book, &state));
    ask(state, &line, &verdict);
    CU_ASSERT_STRING_EQUAL(verdict.rule, "restricted/grant G-long");
    grant_volume(book, "G-short", 0, NOW_MS + 1);
    directory_release(&state);
    MUST(book_fold(book, &state));
    ask(state, &line, &verdict);
    CU_ASSERT_STRING_EQUAL(verdict.rule, "restricted/grant G-short");
    MUST(directory_snapshot(state, book->count, &snapshot));
    MUST(directory_restore(bytes_span(snapshot), book->trust, &again));
    CU_ASSERT_EQUAL(directory_grant(again, span_of_text("G-long"))->volume_a_day, 5);
}

static void test_of_grants_that_count_the_one_that_counts_furthest_is_used(void)
{
    OWNED(book) book = book_of_parts();
    OWNED(directory) state = NULL;
    struct policy_verdict verdict;
    const struct line line = {TRAMITES, "censo", "", ""};
    grant_volume(book, "G-many", 100, NOW_MS + 1);
    grant_volume(book, "G-few", 1, NOW_MS + 9 * BOOK_DAY_MS);
    MUST(book_fold(book, &state));
    ask(state, &line, &verdict);
    CU_ASSERT_STRING_EQUAL(verdict.rule, "restricted/grant G-many");
    grant_volume(book, "G-many", 100, NOW_MS); /* it has ended */
    directory_release(&state);
    MUST(book_fold(book, &state));
    ask(state, &line, &verdict);
    CU_ASSERT_STRING_EQUAL(verdict.rule, "restricted/grant G-few");
}

SUITE(policy_endpoint, TEST(test_each_endpoint_has_a_class_restrictions_and_grants_of_its_own),
      TEST(test_a_restriction_of_the_service_holds_for_all_its_endpoints),
      TEST(test_a_service_is_offered_to_whom_one_endpoint_is_open),
      TEST(test_endpoints_come_back_from_a_snapshot_in_their_order),
      TEST(test_what_is_no_endpoint_is_not_taken), TEST(test_an_endpoint_that_a_right_names_stays),
      TEST(test_a_service_about_persons_takes_no_request_about_nobody),
      TEST(test_a_rate_and_a_volume_have_bounds),
      TEST(test_a_grant_that_counts_nothing_is_used_first),
      TEST(test_of_grants_that_count_the_one_that_counts_furthest_is_used))
