// SPDX-License-Identifier: MIT
#include "gateway/asic_query.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#define WHO "xRoadInstance=CO&memberClass=MUN&memberCode=890905211"

static fault read(const char *query, struct asic_query *out)
{
    memset(out, 0x5a, sizeof *out);
    return asic_query_read(span_of_text(query), out);
}

static void test_both_halves_of_a_subsystem(void)
{
    struct asic_query query;
    MUST(read("queryId=a%20b+c&" WHO "&subsystemCode=TRAMITES", &query));
    CU_ASSERT_STRING_EQUAL(query.message_id, "a b c");
    CU_ASSERT_STRING_EQUAL(query.client, "CO/MUN/890905211/TRAMITES");
    CU_ASSERT(query.request && query.response && !query.unique && !query.force);
}

static void test_switches_stand_alone_or_say_true(void)
{
    struct asic_query query;
    MUST(read("requestOnly&queryId=x&force=true&" WHO "&unique=1", &query));
    CU_ASSERT(query.request && !query.response && query.unique && query.force);
    CU_ASSERT_STRING_EQUAL(query.client, "CO/MUN/890905211");
    MUST(read("responseOnly=&queryId=x&" WHO, &query));
    CU_ASSERT(!query.request && query.response && !query.unique && !query.force);
}

static void test_a_slash_in_a_code_stays_inside_it(void)
{
    struct asic_query query;
    MUST(read("queryId=x&xRoadInstance=CO&memberClass=MUN&memberCode=1%2F2&subsystemCode=S",
              &query));
    CU_ASSERT_STRING_EQUAL(query.client, "CO/MUN/1%2F2/S");
}

static void test_what_is_missing_twice_or_unknown_is_refused(void)
{
    static const char *const bad[] = {
        "",
        "&",
        "queryId=x",
        WHO,
        "queryId=&" WHO,
        "queryId=x&queryId=x&" WHO,
        "queryId=x&queryId=y&" WHO,
        "queryId=x&" WHO "&",
        "queryId=x&" WHO "&force&force",
        "queryId=x&" WHO "&force=false",
        "queryId=x&" WHO "&requestOnly=0",
        "queryId=x&" WHO "&requestOnly&responseOnly",
        "queryId=x&" WHO "&unique",
        "queryId=x&" WHO "&queryid=x",
        "queryId=x&" WHO "&format=zip",
        "queryId=%zz&" WHO,
        "queryId=%00&" WHO,
        "queryId=%0d%0aX: y&" WHO,
        "queryId=%ff&" WHO,
        "queryId=x&xRoadInstance=&memberClass=MUN&memberCode=1",
    };
    struct asic_query query;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        fault f = read(bad[i], &query);
        CU_ASSERT_EQUAL(f.code, BAD_REQUEST);
        if (f.code != BAD_REQUEST)
            fprintf(stderr, "  taken: %s\n", bad[i]);
    }
}

static void test_what_is_too_long_is_refused(void)
{
    struct asic_query query;
    char text[3 * MESSAGE_ID_BYTES_MAX + 400], id[MESSAGE_ID_BYTES_MAX + 2], code[258];
    memset(id, 'i', sizeof id);
    id[MESSAGE_ID_BYTES_MAX] = '\0';
    snprintf(text, sizeof text, "queryId=%s&" WHO, id);
    MUST(read(text, &query));
    CU_ASSERT_EQUAL(strlen(query.message_id), MESSAGE_ID_BYTES_MAX);
    id[MESSAGE_ID_BYTES_MAX] = 'i';
    id[MESSAGE_ID_BYTES_MAX + 1] = '\0';
    snprintf(text, sizeof text, "queryId=%s&" WHO, id);
    MUST_FAIL(BAD_REQUEST, read(text, &query));
    memset(code, 'c', sizeof code);
    code[256] = '\0';
    snprintf(text, sizeof text, "queryId=x&xRoadInstance=CO&memberClass=MUN&memberCode=%s", code);
    MUST_FAIL(BAD_REQUEST, read(text, &query));
}

SUITE(asic_query, TEST(test_both_halves_of_a_subsystem),
      TEST(test_switches_stand_alone_or_say_true), TEST(test_a_slash_in_a_code_stays_inside_it),
      TEST(test_what_is_missing_twice_or_unknown_is_refused),
      TEST(test_what_is_too_long_is_refused))
