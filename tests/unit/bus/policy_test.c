// SPDX-License-Identifier: MIT
/* The golden table: question, rule, fault. A changed line here is a changed right of somebody. */
#include "lib/bus/policy.h"

#include "tests/unit/bus/book.h"

#define OPEN_SERVICE DANE "/DIVIPOLA/abierto"
#define SHARED_SERVICE DANE "/DIVIPOLA/municipios"
#define RESTRICTED_SERVICE DANE "/DIVIPOLA/reservado"
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
    book_service(book, DANE "/DIVIPOLA/otro", SERVICE_RESTRICTED);
    BOOK_ACT(book, SERVICE_SET, service_set, CHASKI__SERVICE_SET__INIT,
             it->id = book_text(DANE "/DIVIPOLA/apagado"), it->class_ = CHASKI__SERVICE_CLASS__OPEN,
             it->disabled = true, it->notice = book_text("Mantenimiento hasta el lunes."));
    /* the short one first: the longer one must still be the one named */
    book_grant(book, "G-short", RESTRICTED_SERVICE, TRAMITES, "tramite-licencia",
               NOW_MS + BOOK_DAY_MS);
    book_grant(book, "G-exact", RESTRICTED_SERVICE, TRAMITES, "tramite-licencia",
               NOW_MS + 9 * BOOK_DAY_MS);
    book_grant(book, "G-old", RESTRICTED_SERVICE, APP, "", NOW_MS);
    book_grant(book, "G-member", DANE "/DIVIPOLA/otro", MEDELLIN, "", NOW_MS + 1);
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

    {TRAMITES, SHARED_SERVICE, "tramite-licencia", NOW_MS, OK, "shared/public-agency-with-purpose",
     NULL},
    {TRAMITES, SHARED_SERVICE, "", NOW_MS, ACCESS_DENIED, "shared/no-purpose",
     "Chaski-Purpose with a purpose that is registered in the directory, such as afiliacion"},
    {TRAMITES, SHARED_SERVICE, "curiosidad", NOW_MS, ACCESS_DENIED, "shared/unknown-purpose",
     "Chaski-Purpose"},
    {APP, SHARED_SERVICE, "tramite-licencia", NOW_MS, ACCESS_DENIED, "shared/not-a-public-agency",
     "--public"},
    {APP, SHARED_SERVICE, "", NOW_MS, ACCESS_DENIED, "shared/not-a-public-agency", "--public"},

    {TRAMITES, RESTRICTED_SERVICE, "tramite-licencia", NOW_MS, OK, "restricted/grant G-exact",
     NULL},
    {TRAMITES, RESTRICTED_SERVICE, "afiliacion", NOW_MS, ACCESS_DENIED, "restricted/no-grant",
     "chaski-registry grant add STORE G-ID --service " RESTRICTED_SERVICE " --consumer " TRAMITES},
    {TRAMITES, RESTRICTED_SERVICE, "", NOW_MS, ACCESS_DENIED, "restricted/no-grant", "grant add"},
    {SALUD, RESTRICTED_SERVICE, "tramite-licencia", NOW_MS, ACCESS_DENIED, "restricted/no-grant",
     DANE},
    {APP, RESTRICTED_SERVICE, "", NOW_MS, ACCESS_DENIED, "restricted/grant-expired G-old",
     "grant add"},
    {APP, RESTRICTED_SERVICE, "", NOW_MS - 1, OK, "restricted/grant G-old", NULL},
    {APP, RESTRICTED_SERVICE, "curiosidad", NOW_MS - 1, ACCESS_DENIED, "restricted/no-grant", ""},
    {SALUD, DANE "/DIVIPOLA/otro", "", NOW_MS, OK, "restricted/grant G-member", NULL},
    {TRAMITES, DANE "/DIVIPOLA/otro", "afiliacion", NOW_MS, OK, "restricted/grant G-member", NULL},
    {TRAMITES, DANE "/DIVIPOLA/otro", "", NOW_MS + 1, ACCESS_DENIED,
     "restricted/grant-expired G-member", ""},
    {APP, DANE "/DIVIPOLA/otro", "", NOW_MS, ACCESS_DENIED, "restricted/no-grant", ""},
};

static void check_line(const struct directory *directory, const struct line *line)
{
    struct policy_verdict verdict;
    policy_decide(directory,
                  &(struct policy_question){span_of_text(line->client), span_of_text(line->service),
                                            span_of_text(line->purpose), line->at_ms},
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

SUITE(policy, TEST(test_every_line_of_the_golden_table_holds),
      TEST(test_two_nodes_name_the_same_grant),
      TEST(test_the_notice_of_a_disabled_service_is_the_reason))
