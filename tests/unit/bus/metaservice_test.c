// SPDX-License-Identifier: MIT
#include "lib/bus/metaservice.h"

#include "tests/unit/unit.h"

static enum metaservice of(const char *service)
{
    return metaservice_of(span_of_text(service));
}

static void test_the_three_that_are_exchanges_are_known(void)
{
    CU_ASSERT_EQUAL(of("CO/GOV/1/S/listMethods"), METASERVICE_LIST_METHODS);
    CU_ASSERT_EQUAL(of("CO/GOV/1/S/allowedMethods"), METASERVICE_ALLOWED_METHODS);
    CU_ASSERT_EQUAL(of("CO/GOV/1/S/getOpenAPI"), METASERVICE_OPENAPI);
}

static void test_other_names_and_places_are_services(void)
{
    static const char *const others[] = {"CO/GOV/1/S/municipios",
                                         "CO/GOV/1/S/listmethods",
                                         "CO/GOV/1/S/listMethods2",
                                         "CO/GOV/1/S/listMethod",
                                         "CO/GOV/1/S/listClients",
                                         "CO/GOV/1/S/getWsdl",
                                         "CO/GOV/1/listMethods",
                                         "CO/GOV/1/listMethods/x",
                                         "",
                                         "CO/GOV/1/S/listMethods/",
                                         "listMethods"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        CU_ASSERT_EQUAL(of(others[i]), METASERVICE_NONE);
}

static void test_codes_that_x_road_keeps_are_reserved(void)
{
    static const char *const kept[] = {"listMethods",
                                       "allowedMethods",
                                       "getOpenAPI",
                                       "listClients",
                                       "getWsdl",
                                       "getSecurityServerMetrics",
                                       "getSecurityServerOperationalData",
                                       "getSecurityServerHealthData"};
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        CU_ASSERT(metaservice_is_reserved(span_of_text(kept[i])));
    CU_ASSERT_FALSE(metaservice_is_reserved(span_of_text("municipios")));
    CU_ASSERT_FALSE(metaservice_is_reserved(span_of_text("getopenapi")));
    CU_ASSERT_FALSE(metaservice_is_reserved(span_of_text("")));
}

SUITE(metaservice, TEST(test_the_three_that_are_exchanges_are_known),
      TEST(test_other_names_and_places_are_services),
      TEST(test_codes_that_x_road_keeps_are_reserved))
