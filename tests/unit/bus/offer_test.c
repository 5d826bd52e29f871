// SPDX-License-Identifier: MIT
#include "lib/bus/offer.h"

#include "lib/bus/policy.h"
#include "tests/unit/bus/book.h"

#define DIVIPOLA DANE "/DIVIPOLA"
#define NOW_MS (BOOK_START_MS + 30 * BOOK_DAY_MS)

static struct directory *country(void)
{
    OWNED(book) book = book_new();
    struct directory *directory = NULL;
    book_country(book);
    book_subsystem(book, DANE "/OTRO", DANE "/SS1");
    book_service(book, DANE "/OTRO/ajeno", SERVICE_OPEN);
    book_purpose(book, "afiliacion");
    book_competence(book, "C-2", MEDELLIN, "afiliacion", 0);
    BOOK_ACT(book, SERVICE_SET, service_set, CHASKI__SERVICE_SET__INIT,
             it->id = book_text(DIVIPOLA "/apagado"), it->class_ = CHASKI__SERVICE_CLASS__OPEN,
             it->disabled = true);
    book_service(book, DIVIPOLA "/viejo", SERVICE_OPEN);
    book_restriction(book, "R-2", DIVIPOLA "/viejo", "", book->time_ms, NOW_MS + BOOK_DAY_MS);
    book_grant(book, "G-1", DIVIPOLA "/reservado", MEDELLIN, "tramite-licencia",
               NOW_MS + BOOK_DAY_MS);
    book_grant(book, "G-2", DIVIPOLA "/viejo", MEDELLIN, "", NOW_MS);
    MUST(book_fold(book, &directory));
    return directory;
}

/* The codes that are offered, with a blank behind each. */
static void expect(const char *client, const char *purpose, const char *codes)
{
    OWNED(directory) directory = country();
    struct policy_question caller = {.purpose = span_of_text(purpose), .at_ms = NOW_MS};
    char found[400] = "";
    struct offer offer;
    if (client != NULL)
        caller.client = span_of_text(client);
    MUST(offer_of(directory, directory_subsystem(directory, span_of_text(DIVIPOLA)),
                  client == NULL ? NULL : &caller, &offer));
    for (size_t i = 0; i < offer.count; i++) {
        strcat(found, strrchr(offer.service[i]->id, '/') + 1);
        strcat(found, " ");
    }
    offer_clear(&offer);
    CU_ASSERT_STRING_EQUAL(found, codes);
}

static void test_all_services_of_the_subsystem_are_listed_in_order(void)
{
    expect(NULL, "", "abierto apagado municipios reservado viejo ");
}

static void test_with_a_purpose_the_policy_of_an_exchange_decides(void)
{
    expect(MEDELLIN "/TRAMITES", "tramite-licencia", "abierto municipios reservado ");
    expect(MEDELLIN "/TRAMITES", "afiliacion", "abierto municipios ");
    expect(MEDELLIN "/TRAMITES", "curiosidad", "abierto ");
    expect(FIRM "/APP", "tramite-licencia", "abierto ");
}

static void test_without_a_purpose_what_some_purpose_would_open_counts(void)
{
    expect(MEDELLIN "/TRAMITES", "", "abierto municipios reservado ");
    expect(DIVIPOLA, "", "abierto "); /* competent for nothing */
    expect(FIRM "/APP", "", "abierto ");
}

static void test_a_caller_that_is_not_registered_is_offered_nothing(void)
{
    expect("CO/GOV/1/X", "", "");
    expect(MEDELLIN, "tramite-licencia", "");
}

static void expect_provider(const char *service, const char *provider)
{
    OWNED(directory) directory = country();
    const struct directory_subsystem *found = offer_provider(directory, span_of_text(service));
    CU_ASSERT_EQUAL(found == NULL, provider == NULL);
    if (found != NULL && provider != NULL)
        CU_ASSERT_STRING_EQUAL(found->id, provider);
}

static void test_services_and_metaservices_have_a_provider(void)
{
    expect_provider(DIVIPOLA "/abierto", DIVIPOLA);
    expect_provider(DIVIPOLA "/listMethods", DIVIPOLA);
    expect_provider(MEDELLIN "/TRAMITES/getOpenAPI", MEDELLIN "/TRAMITES");
    expect_provider(DIVIPOLA "/nada", NULL);
    expect_provider(DANE "/NADA/listMethods", NULL);
    expect_provider(DIVIPOLA "/getWsdl", NULL);
}

SUITE(offer, TEST(test_all_services_of_the_subsystem_are_listed_in_order),
      TEST(test_with_a_purpose_the_policy_of_an_exchange_decides),
      TEST(test_without_a_purpose_what_some_purpose_would_open_counts),
      TEST(test_a_caller_that_is_not_registered_is_offered_nothing),
      TEST(test_services_and_metaservices_have_a_provider))
