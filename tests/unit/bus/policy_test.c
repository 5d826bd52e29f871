// SPDX-License-Identifier: MIT
/* The golden table: question, rule, fault. A changed line here is a changed right of somebody. */
#include "lib/bus/policy.h"

#include "tests/unit/bus/book.h"

#define OPEN_SERVICE DANE "/DIVIPOLA/abierto"
#define SHARED_SERVICE DANE "/DIVIPOLA/municipios"
#define RESTRICTED_SERVICE DANE "/DIVIPOLA/reservado"
#define LATER_SERVICE DANE "/DIVIPOLA/luego"
#define OVER_SERVICE DANE "/DIVIPOLA/antes"
#define MISUSED_SERVICE DANE "/DIVIPOLA/abusado"
#define TRAMITES MEDELLIN "/TRAMITES"
#define SALUD MEDELLIN "/SALUD"
#define APP FIRM "/APP"
#define NOW_MS (BOOK_START_MS + 30 * BOOK_DAY_MS)

static struct book *book_of_grants(void)
{
    struct book *book = book_new();
    book_country(book);
    book_subsystem(book, SALUD, MEDELLIN "/SS1");
    book_purpose(book, "afiliacion");
    book_purpose(book, "censo");
    book_purpose(book, "subsidio");
    book_purpose(book, "vacunas");
    BOOK_ACT(book, SERVICE_SET, service_set, CHASKI__SERVICE_SET__INIT,
             it->id = book_text(DANE "/DIVIPOLA/apagado"), it->class_ = CHASKI__SERVICE_CLASS__OPEN,
             it->disabled = true, it->notice = book_text("Mantenimiento hasta el lunes."));
    /* who may claim what: a class, a group, one subsystem, and one whose time is over */
    book_group(book, "salud", (const char *const[]){DANE, SALUD}, 2);
    book_competence(book, "C-class", "CO/MUN", "censo", 0);
    book_competence(book, "C-class-2", "CO/MUN", "censo", NOW_MS + 1);
    book_competence(book, "C-group", "group:salud", "vacunas", 0);
    book_competence(book, "C-sub", TRAMITES, "subsidio", NOW_MS + BOOK_DAY_MS);
    book_competence(book, "C-over", MEDELLIN, "afiliacion", NOW_MS);
    /* closed: to all until a day, later only, no longer; and to one who misused it */
    book_service(book, DANE "/DIVIPOLA/otro", SERVICE_OPEN);
    book_restriction(book, "R-otro", DANE "/DIVIPOLA/otro", "", book->time_ms,
                     NOW_MS + 100 * BOOK_DAY_MS);
    book_service(book, LATER_SERVICE, SERVICE_OPEN);
    book_restriction(book, "R-later", LATER_SERVICE, "", NOW_MS + 1, NOW_MS + BOOK_DAY_MS);
    book_service(book, OVER_SERVICE, SERVICE_SHARED);
    book_restriction(book, "R-over", OVER_SERVICE, "", book->time_ms, NOW_MS);
    book_service(book, MISUSED_SERVICE, SERVICE_OPEN);
    book_restriction(book, "R-misuse", MISUSED_SERVICE, MEDELLIN, book->time_ms,
                     NOW_MS + BOOK_DAY_MS);
    /* the short one first: the longer one must still be the one named */
    book_grant(book, "G-short", RESTRICTED_SERVICE, TRAMITES, "tramite-licencia",
               NOW_MS + BOOK_DAY_MS);
    book_grant(book, "G-exact", RESTRICTED_SERVICE, TRAMITES, "tramite-licencia",
               NOW_MS + 9 * BOOK_DAY_MS);
    book_grant(book, "G-class", RESTRICTED_SERVICE, "CO/MUN", "censo", NOW_MS + BOOK_DAY_MS);
    book_grant(book, "G-old", RESTRICTED_SERVICE, APP, "", NOW_MS);
    book_grant(book, "G-member", DANE "/DIVIPOLA/otro", MEDELLIN, "", NOW_MS + 1);
    book_grant(book, "G-misused", MISUSED_SERVICE, SALUD, "", NOW_MS + BOOK_DAY_MS);
    return book;
}

struct line {
    const char *client, *service, *purpose;
    int64_t at_ms;
    enum fault_code fault;
    const char *rule;
    const char *remedy; /* a piece of it */
};

static const struct line table[] = {
    {"CO/GOV/1/X", OPEN_SERVICE, "", NOW_MS, UNKNOWN_CLIENT, "directory/unknown-client",
     "chaski-registry subsystem add STORE CO/GOV/1/X"},
    {MEDELLIN, OPEN_SERVICE, "", NOW_MS, UNKNOWN_CLIENT, "directory/unknown-client", ""},
    {TRAMITES, DANE "/DIVIPOLA/nada", "", NOW_MS, UNKNOWN_SERVICE, "directory/unknown-service",
     "directory's list"},
    {TRAMITES, DANE "/DIVIPOLA/apagado", "", NOW_MS, SERVICE_DISABLED, "service/disabled",
     "when the service will be back"},

    {TRAMITES, OPEN_SERVICE, "", NOW_MS, OK, "open/any-member", NULL},
    {APP, OPEN_SERVICE, "no-such", NOW_MS, OK, "open/any-member", NULL},

    {TRAMITES, DANE "/DIVIPOLA/listMethods", "", NOW_MS, OK, "metadata/any-member", NULL},
    {APP, DANE "/DIVIPOLA/allowedMethods", "", NOW_MS, OK, "metadata/any-member", NULL},
    {APP, DANE "/DIVIPOLA/getOpenAPI", "curiosidad", NOW_MS, OK, "metadata/any-member", NULL},
    {"CO/GOV/1/X", DANE "/DIVIPOLA/listMethods", "", NOW_MS, UNKNOWN_CLIENT,
     "directory/unknown-client", ""},
    {TRAMITES, DANE "/NADA/listMethods", "", NOW_MS, UNKNOWN_SERVICE, "directory/unknown-service",
     ""},
    {TRAMITES, DANE "/DIVIPOLA/getWsdl", "", NOW_MS, UNKNOWN_SERVICE, "directory/unknown-service",
     ""},

    {TRAMITES, SHARED_SERVICE, "tramite-licencia", NOW_MS, OK, "shared/competence C-1", NULL},
    {SALUD, SHARED_SERVICE, "tramite-licencia", NOW_MS, OK, "shared/competence C-1", NULL},
    {TRAMITES, SHARED_SERVICE, "censo", NOW_MS, OK, "shared/competence C-class", NULL},
    {SALUD, SHARED_SERVICE, "vacunas", NOW_MS, OK, "shared/competence C-group", NULL},
    {DANE "/DIVIPOLA", SHARED_SERVICE, "vacunas", NOW_MS, OK, "shared/competence C-group", NULL},
    {TRAMITES, SHARED_SERVICE, "vacunas", NOW_MS, ACCESS_DENIED, "shared/not-competent",
     "competence add STORE C-ID --consumer " MEDELLIN " --purpose vacunas"},
    {TRAMITES, SHARED_SERVICE, "subsidio", NOW_MS, OK, "shared/competence C-sub", NULL},
    {SALUD, SHARED_SERVICE, "subsidio", NOW_MS, ACCESS_DENIED, "shared/not-competent", ""},
    {TRAMITES, SHARED_SERVICE, "afiliacion", NOW_MS - 1, OK, "shared/competence C-over", NULL},
    {TRAMITES, SHARED_SERVICE, "afiliacion", NOW_MS, ACCESS_DENIED, "shared/not-competent", ""},
    {DANE "/DIVIPOLA", SHARED_SERVICE, "censo", NOW_MS, ACCESS_DENIED, "shared/not-competent", ""},
    {TRAMITES, SHARED_SERVICE, "", NOW_MS, ACCESS_DENIED, "shared/no-purpose",
     "Chaski-Purpose with a purpose that is registered in the directory, such as afiliacion"},
    {TRAMITES, SHARED_SERVICE, "curiosidad", NOW_MS, ACCESS_DENIED, "shared/unknown-purpose",
     "Chaski-Purpose"},
    {APP, SHARED_SERVICE, "tramite-licencia", NOW_MS, ACCESS_DENIED, "shared/not-a-public-agency",
     "--public"},
    {APP, SHARED_SERVICE, "", NOW_MS, ACCESS_DENIED, "shared/not-a-public-agency",
     "chaski grant add G-ID --service " SHARED_SERVICE " --consumer " APP},

    {TRAMITES, RESTRICTED_SERVICE, "tramite-licencia", NOW_MS, OK, "restricted/grant G-exact",
     NULL},
    {TRAMITES, RESTRICTED_SERVICE, "censo", NOW_MS, OK, "restricted/grant G-class", NULL},
    {SALUD, RESTRICTED_SERVICE, "censo", NOW_MS, OK, "restricted/grant G-class", NULL},
    {TRAMITES, RESTRICTED_SERVICE, "afiliacion", NOW_MS, ACCESS_DENIED, "restricted/no-grant R-1",
     "chaski grant add G-ID --service " RESTRICTED_SERVICE " --consumer " TRAMITES},
    {TRAMITES, RESTRICTED_SERVICE, "", NOW_MS, ACCESS_DENIED, "restricted/no-grant R-1",
     "grant add"},
    {SALUD, RESTRICTED_SERVICE, "tramite-licencia", NOW_MS, ACCESS_DENIED,
     "restricted/no-grant R-1", DANE},
    {APP, RESTRICTED_SERVICE, "", NOW_MS, ACCESS_DENIED, "restricted/grant-expired G-old",
     "grant add"},
    {APP, RESTRICTED_SERVICE, "", NOW_MS - 1, OK, "restricted/grant G-old", NULL},
    {APP, RESTRICTED_SERVICE, "curiosidad", NOW_MS - 1, ACCESS_DENIED, "restricted/no-grant R-1",
     ""},
    {SALUD, DANE "/DIVIPOLA/otro", "", NOW_MS, OK, "restricted/grant G-member", NULL},
    {TRAMITES, DANE "/DIVIPOLA/otro", "afiliacion", NOW_MS, OK, "restricted/grant G-member", NULL},
    {TRAMITES, DANE "/DIVIPOLA/otro", "", NOW_MS + 1, ACCESS_DENIED,
     "restricted/grant-expired G-member", ""},
    {APP, DANE "/DIVIPOLA/otro", "", NOW_MS, ACCESS_DENIED, "restricted/no-grant R-otro", ""},

    /* an end opens by itself, to whom the class opens it */
    {TRAMITES, RESTRICTED_SERVICE, "afiliacion", NOW_MS + 269 * BOOK_DAY_MS, ACCESS_DENIED,
     "restricted/no-grant R-1", ""},
    {TRAMITES, RESTRICTED_SERVICE, "censo", NOW_MS + 271 * BOOK_DAY_MS, OK,
     "shared/competence C-class", NULL},
    {APP, LATER_SERVICE, "", NOW_MS, OK, "open/any-member", NULL},
    {APP, LATER_SERVICE, "", NOW_MS + 1, ACCESS_DENIED, "restricted/no-grant R-later", ""},
    {APP, LATER_SERVICE, "", NOW_MS + BOOK_DAY_MS, OK, "open/any-member", NULL},
    {TRAMITES, OVER_SERVICE, "censo", NOW_MS - 1, ACCESS_DENIED, "restricted/no-grant R-over", ""},
    {TRAMITES, OVER_SERVICE, "censo", NOW_MS, OK, "shared/competence C-class", NULL},

    /* shut out: one member, and not its subsystem with a grant */
    {APP, MISUSED_SERVICE, "", NOW_MS, OK, "open/any-member", NULL},
    {TRAMITES, MISUSED_SERVICE, "", NOW_MS, ACCESS_DENIED, "restricted/no-grant R-misuse", ""},
    {SALUD, MISUSED_SERVICE, "", NOW_MS, OK, "restricted/grant G-misused", NULL},
    {TRAMITES, MISUSED_SERVICE, "", NOW_MS + BOOK_DAY_MS, OK, "open/any-member", NULL},
};

static void check_line(const struct directory *directory, const struct line *line)
{
    struct policy_verdict verdict;
    policy_decide(directory,
                  &(struct policy_question){.client = span_of_text(line->client),
                                            .service = span_of_text(line->service),
                                            .purpose = span_of_text(line->purpose),
                                            .at_ms = line->at_ms},
                  &verdict);
    bool as_written = verdict.fault == line->fault && strcmp(verdict.rule, line->rule) == 0;
    if (!as_written)
        fprintf(stderr, "  %s asks %s for '%s': %s, written: %s\n", line->client, line->service,
                line->purpose, verdict.rule, line->rule);
    CU_ASSERT(as_written);
    CU_ASSERT_NOT_EQUAL(verdict.reason[0], '\0');
    if (line->remedy == NULL) {
        CU_ASSERT_EQUAL(verdict.remedy[0], '\0');
        return;
    }
    CU_ASSERT_NOT_EQUAL(verdict.remedy[0], '\0');
    CU_ASSERT_PTR_NOT_NULL(strstr(verdict.remedy, line->remedy));
}

static void test_every_line_of_the_golden_table_holds(void)
{
    OWNED(book) book = book_of_grants();
    OWNED(directory) directory = NULL;
    MUST(book_fold(book, &directory));
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        check_line(directory, &table[i]);
}

/* Maps are seeded afresh in each fold, so an order that leaks from one shows here. */
static void test_two_nodes_name_the_same_grant(void)
{
    OWNED(book) book = book_of_grants();
    for (char id[] = "G-a"; id[2] <= 'z'; id[2]++)
        book_grant(book, id, RESTRICTED_SERVICE, TRAMITES, "afiliacion", NOW_MS + BOOK_DAY_MS);
    for (size_t i = 0; i < 16; i++) {
        OWNED(directory) directory = NULL;
        MUST(book_fold(book, &directory));
        check_line(directory, &(struct line){TRAMITES, RESTRICTED_SERVICE, "afiliacion", NOW_MS, OK,
                                             "restricted/grant G-a", NULL});
    }
}

static void test_the_notice_of_a_disabled_service_is_the_reason(void)
{
    OWNED(book) book = book_of_grants();
    OWNED(directory) directory = NULL;
    struct policy_verdict verdict;
    MUST(book_fold(book, &directory));
    policy_decide(directory,
                  &(struct policy_question){.client = span_of_text(TRAMITES),
                                            .service = span_of_text(DANE "/DIVIPOLA/apagado"),
                                            .at_ms = NOW_MS},
                  &verdict);
    CU_ASSERT_STRING_EQUAL(verdict.reason, "Mantenimiento hasta el lunes.");
}

/* What a restriction that has ended leaves is what there was before it, for all who may ask. */
static void test_an_ended_restriction_leaves_no_trace(void)
{
    OWNED(book) before = book_of_grants();
    OWNED(book) after = book_of_grants();
    OWNED(directory) open = NULL;
    OWNED(directory) ended = NULL;
    book_restriction(after, "R-new", SHARED_SERVICE, "", after->time_ms, NOW_MS);
    book_restriction(after, "R-one", OPEN_SERVICE, "CO/MUN", after->time_ms, NOW_MS);
    MUST(book_fold(before, &open));
    MUST(book_fold(after, &ended));
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct policy_verdict one, other;
        const struct line *line = &table[i];
        struct policy_question question = {.client = span_of_text(line->client),
                                           .service = span_of_text(line->service),
                                           .purpose = span_of_text(line->purpose),
                                           .at_ms = NOW_MS};
        policy_decide(open, &question, &one);
        policy_decide(ended, &question, &other);
        CU_ASSERT_STRING_EQUAL(one.rule, other.rule);
        question.at_ms = NOW_MS - 1;
        policy_decide(ended, &question, &other);
        if (strcmp(line->service, SHARED_SERVICE) == 0 && other.fault != UNKNOWN_CLIENT)
            CU_ASSERT_STRING_EQUAL(other.rule, "restricted/no-grant R-new");
    }
}

/* What explains a decision decides the same, and names what is missing exactly when it refuses. */
static void test_an_explanation_is_that_of_the_decision(void)
{
    OWNED(book) book = book_of_grants();
    OWNED(directory) directory = NULL;
    MUST(book_fold(book, &directory));
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct line *line = &table[i];
        struct policy_question question = {.client = span_of_text(line->client),
                                           .service = span_of_text(line->service),
                                           .purpose = span_of_text(line->purpose),
                                           .at_ms = line->at_ms};
        struct policy_verdict verdict;
        struct policy_trace trace;
        policy_explain(directory, &question, &verdict, &trace);
        CU_ASSERT_STRING_EQUAL(verdict.rule, line->rule);
        CU_ASSERT_EQUAL(trace.missing[0] == '\0', line->fault == OK);
        CU_ASSERT(trace.steps > 0);
        for (size_t k = 0; k + 1 < trace.steps; k++)
            CU_ASSERT(trace.step[k].holds);
        CU_ASSERT_EQUAL(trace.step[trace.steps - 1].holds, line->fault == OK);
        CU_ASSERT_EQUAL(trace.command[0] != '\0',
                        line->fault != OK && line->fault != UNKNOWN_SERVICE);
    }
}

static void test_what_is_missing_is_named_with_who_can_supply_it(void)
{
    OWNED(book) book = book_of_grants();
    OWNED(directory) directory = NULL;
    struct policy_verdict verdict;
    struct policy_trace trace;
    MUST(book_fold(book, &directory));
    policy_explain(directory,
                   &(struct policy_question){.client = span_of_text(TRAMITES),
                                             .service = span_of_text(RESTRICTED_SERVICE),
                                             .purpose = span_of_text("afiliacion"),
                                             .at_ms = NOW_MS},
                   &verdict, &trace);
    CU_ASSERT_STRING_EQUAL(trace.missing, "grant");
    CU_ASSERT_STRING_EQUAL(trace.supplier, DANE);
    CU_ASSERT_STRING_EQUAL(trace.step[3].name, "restriction");
    CU_ASSERT_STRING_EQUAL(trace.step[3].detail, "R-1");
}

static void test_how_closed_a_service_is_depends_on_the_day(void)
{
    OWNED(book) book = book_of_grants();
    OWNED(directory) directory = NULL;
    MUST(book_fold(book, &directory));
    struct span later = span_of_text(LATER_SERVICE);
    CU_ASSERT_EQUAL(policy_class_of(directory, later, NOW_MS), POLICY_OPEN);
    CU_ASSERT_EQUAL(policy_class_of(directory, later, NOW_MS + 1), POLICY_RESTRICTED);
    CU_ASSERT_EQUAL(policy_class_of(directory, span_of_text(SHARED_SERVICE), NOW_MS),
                    POLICY_SHARED);
    CU_ASSERT_EQUAL(policy_class_of(directory, span_of_text(MISUSED_SERVICE), NOW_MS), POLICY_OPEN);
}

SUITE(policy, TEST(test_every_line_of_the_golden_table_holds),
      TEST(test_an_ended_restriction_leaves_no_trace),
      TEST(test_an_explanation_is_that_of_the_decision),
      TEST(test_what_is_missing_is_named_with_who_can_supply_it),
      TEST(test_how_closed_a_service_is_depends_on_the_day),
      TEST(test_two_nodes_name_the_same_grant),
      TEST(test_the_notice_of_a_disabled_service_is_the_reason))
