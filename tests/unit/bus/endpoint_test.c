// SPDX-License-Identifier: MIT
#include "lib/bus/endpoint.h"

#include "tests/unit/unit.h"

#include <stdlib.h>

#define NONE 5
#define TWO_WAYS 6

static struct endpoint list[NONE];

static void make_list(void)
{
    static const char *const rules[NONE][2] = {{"GET", "/personas/resumen"},
                                               {"*", "/personas/**"},
                                               {"GET", "/sedes/*"},
                                               {"POST", "/**"},
                                               {"GET", "/ni\xc3\xb1"
                                                       "ez/**"}};
    for (size_t i = 0; i < NONE; i++)
        MUST(endpoint_compile(rules[i][0], rules[i][1], &list[i]));
}

struct line {
    const char *method, *path;
    size_t found;
};

static const struct line table[] = {
    {"GET", "/personas/resumen", 0},
    {"get", "/personas/resumen", 0},
    {"HEAD", "/personas/resumen", 0},
    {"HEAD", "/sedes/1", 2},
    {"OPTIONS", "/sedes/1", NONE},
    {"GET", "/personas/resume%6e", 0},
    {"GET", "/%70ersonas/1", 1},
    {"DELETE", "/personas/resumen", 1},
    {"GET", "/personas/1/hijos", 1},
    {"GET", "/personas", NONE},
    {"GET", "/sedes/x%20y", 2},
    {"GET", "/sedes/1/2", NONE},
    {"PUT", "/sedes/1", NONE},
    {"POST", "", 3},
    {"POST", "/", 3},
    {"GET", "", NONE},
    /* capitals and a slash at the end, which some services do not regard */
    {"GET", "/Personas/1", TWO_WAYS},
    {"GET", "/PERSONAS%2F1", TWO_WAYS},
    {"GET", "/personas/ANA", 1},
    {"GET", "/personas/Resumen", TWO_WAYS},
    {"GET", "/Otros/1", NONE},
    {"GET",
     "/ni\xc3\x91"
     "ez/1",
     TWO_WAYS},
    {"GET", "/ni%c3%91ez/1", TWO_WAYS},
    {"GET", "/ni%c3%b1ez/1", 4},
    {"GET", "/personas/resumen%3fa=1", TWO_WAYS},
    {"GET", "/personas/resumen%23a", TWO_WAYS},
    {"GET", "/personas/1%3fa", 1},
    {"GET", "/sedes/1/", TWO_WAYS},
    {"GET", "/sedes/1%2F", TWO_WAYS},
    {"GET", "/sedes/1/;x", TWO_WAYS},
    {"GET", "/personas/resumen/", TWO_WAYS},
    {"GET", "/personas/1/;x", 1},
    {"GET", "/otros/", NONE},
    {"POST", "/sedes/1/", 3},
    /* bytes that are no text: what one reader refuses another takes for a slash or a dot */
    {"GET", "/personas/1%c0%afx", TWO_WAYS},
    {"GET", "/personas/%C0%AE%C0%AE/sedes", TWO_WAYS},
    {"GET", "/personas/%c1%9cx", TWO_WAYS},
    {"GET", "/personas/%e0%80%af", TWO_WAYS},
    {"GET", "/personas/%f0%80%80%af", TWO_WAYS},
    {"GET", "/personas/%f5%80%80%80", TWO_WAYS},
    {"GET", "/personas/%ff", TWO_WAYS},
    {"GET", "/personas/%ed%a0%80", TWO_WAYS},
    {"GET", "/personas/%e9", TWO_WAYS},
    {"GET", "/personas/\xc0\xaf", TWO_WAYS},
    {"GET", "/personas/Mar%C3%ADa", 1},
    {"GET", "/personas/%f0%9f%8c%b5", 1},
    /* an escaped slash is none, and a service that takes it for one gets no further by it */
    {"GET", "/sedes/1%2F2", TWO_WAYS},
    {"GET", "/sedes%2F1", TWO_WAYS},
    {"GET", "/personas/1%2Fhijos", 1},
    {"GET", "/personas%2f1", TWO_WAYS},
    {"GET", "/personas/x%2F..%2F..%2Fsedes/1", TWO_WAYS},
    {"GET", "/personas/%2Fx", TWO_WAYS},
    {"GET", "/otros%2Fx", NONE},
    /* a parameter that a service drops */
    {"GET", "/personas;x=1/1", TWO_WAYS},
    {"GET", "/personas/1;x=1", 1},
    {"GET", "/personas/resumen;x", TWO_WAYS},
    {"GET", "/sedes/1;x", 2},
    {"GET", "/sedes/..;x/personas/1", TWO_WAYS},
    {"GET", "/sedes/..%3Bx", TWO_WAYS},
    /* what no gateway forwards */
    {"GET", "/personas/../sedes/1", TWO_WAYS},
    {"GET", "/personas/%2e%2E/sedes", TWO_WAYS},
    {"GET", "/personas/.", TWO_WAYS},
    {"GET", "/personas//1", TWO_WAYS},
    {"GET", "//personas/1", TWO_WAYS},
    {"GET", "personas/1", TWO_WAYS},
    {"GET", "/personas/%", TWO_WAYS},
    {"GET", "/personas/%2", TWO_WAYS},
    {"GET", "/personas/%252e", TWO_WAYS},
    {"GET", "/personas/%00", TWO_WAYS},
    {"GET", "/personas\\1", TWO_WAYS},
    {"GET", "/personas/1/", 1},
};

static void test_each_request_falls_to_one_endpoint_or_is_refused(void)
{
    make_list();
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        size_t found = TWO_WAYS;
        fault f = endpoint_find(list, NONE, span_of_text(table[i].method),
                                span_of_text(table[i].path), &found);
        if (found != table[i].found)
            fprintf(stderr, "  %s %s falls to %zu\n", table[i].method, table[i].path, found);
        CU_ASSERT_EQUAL(found, table[i].found);
        CU_ASSERT_EQUAL(f.code, table[i].found == TWO_WAYS ? BAD_REQUEST : OK);
    }
}

static void test_no_word_of_the_path_stands_in_the_refusal(void)
{
    size_t found;
    make_list();
    MUST_FAIL(BAD_REQUEST, endpoint_find(list, NONE, span_of_text("GET"),
                                         span_of_text("/sedes/1020304050%2F2"), &found));
    CU_ASSERT_PTR_NULL(strstr(fault_detail(), "1020304050"));
}

static void test_a_path_is_bounded(void)
{
    static char path[ENDPOINT_PATH_BYTES_MAX + 1];
    size_t found;
    make_list();
    memset(path, 'a', sizeof path);
    memcpy(path, "/personas/", 10);
    MUST(endpoint_find(list, NONE, span_of_text("GET"), span_of(path, sizeof path - 1), &found));
    CU_ASSERT_EQUAL(found, 1);
    MUST_FAIL(BAD_REQUEST,
              endpoint_find(list, NONE, span_of_text("GET"), span_of(path, sizeof path), &found));
}

static void test_an_endpoint_is_a_method_and_a_pattern_of_decoded_paths(void)
{
    static const char *const bad[][2] = {{"", "/a"},      {"get", "/a"},    {"GET ", "/a"},
                                         {"GET", ""},     {"GET", "a"},     {"GET", "*"},
                                         {"GET", "/%41"}, {"GET", "/a\\b"}, {"CONNECT", "/a"}};
    struct endpoint endpoint;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        MUST_FAIL(BAD_REQUEST, endpoint_compile(bad[i][0], bad[i][1], &endpoint));
    MUST(endpoint_compile("*", "**", &endpoint));
}

SUITE(endpoint, TEST(test_each_request_falls_to_one_endpoint_or_is_refused),
      TEST(test_no_word_of_the_path_stands_in_the_refusal), TEST(test_a_path_is_bounded),
      TEST(test_an_endpoint_is_a_method_and_a_pattern_of_decoded_paths))
