// SPDX-License-Identifier: MIT
/* Permits by their codes: none that is in force is forgotten. */
#include "security-server/exchange/permits.h"

#include "lib/bus/audit_log.h"
#include "lib/crypto/merkle.h"

#include "tests/unit/unit.h"

#define NOW INT64_C(1790000000000)

/* The n-th one, in force until then. */
static void take(struct permits *permits, uint64_t n, int64_t until_ms, int64_t now_ms,
                 char code[PERMIT_CODE_ROOM])
{
    permit_code_make(n, code);
    struct header_permit said = {.code = span_of_text(code),
                                 .reason = PERMIT_NO_UNIQUE_MATCH,
                                 .until_ms = until_ms,
                                 .has_evidence = true,
                                 .evidence = {{5}},
                                 .evidence_index = 41};
    struct header header = {.sender = span_of_text("CO/MUN/890905211"),
                            .procedure = span_of_text("T-1"),
                            .requirement = span_of_text("R-1"),
                            .territory = span_of_text("05001"),
                            .case_ref = span_of_text("2026-17"),
                            .time_ms = NOW,
                            .permit = &said};
    permits_take(permits, &header, audit_place(2, n), &(struct sha256){{9}}, now_ms);
}

static void test_a_permit_is_found_by_its_code_with_all_that_it_says(void)
{
    OWNED(permits) permits = permits_new();
    char code[PERMIT_CODE_ROOM];
    take(permits, 7, NOW + 1000, NOW, code);
    const struct permit *found = permits_find(permits, code);
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    CU_ASSERT_STRING_EQUAL(found->code, code);
    CU_ASSERT_EQUAL(found->reason, PERMIT_NO_UNIQUE_MATCH);
    CU_ASSERT_EQUAL(found->given_ms, NOW);
    CU_ASSERT_EQUAL(found->until_ms, NOW + 1000);
    CU_ASSERT_STRING_EQUAL(found->member, "CO/MUN/890905211");
    CU_ASSERT_STRING_EQUAL(found->procedure, "T-1");
    CU_ASSERT_STRING_EQUAL(found->requirement, "R-1");
    CU_ASSERT_STRING_EQUAL(found->territory, "05001");
    CU_ASSERT_STRING_EQUAL(found->case_ref, "2026-17"); /* the source was asked in it */
    CU_ASSERT_EQUAL(found->place, audit_place(2, 7));
    CU_ASSERT_EQUAL(found->leaf_hash.at[0], 9);
    CU_ASSERT_TRUE(found->has_evidence);
    CU_ASSERT_EQUAL(found->evidence.at[0], 5);
    CU_ASSERT_EQUAL(found->evidence_place, audit_place(2, 41)); /* of the log that it stands in */
    CU_ASSERT_PTR_NULL(permits_find(permits, "0000000000"));
}

static void test_what_has_ended_is_found_while_there_is_room(void)
{
    OWNED(permits) permits = permits_new();
    char code[PERMIT_CODE_ROOM];
    take(permits, 7, NOW - 1, NOW, code);
    MUST(permits_room(permits, NOW));
    CU_ASSERT_PTR_NOT_NULL(permits_find(permits, code));
}

static void test_none_in_force_is_forgotten_and_no_more_are_given(void)
{
    OWNED(permits) permits = permits_new();
    char first[PERMIT_CODE_ROOM], code[PERMIT_CODE_ROOM];
    take(permits, 1, NOW + 1000, NOW, first);
    for (uint64_t n = 2; n < PERMITS_HELD_MAX; n++)
        take(permits, n, NOW + 5000 + (int64_t)n, NOW, code);
    MUST(permits_room(permits, NOW));
    take(permits, PERMITS_HELD_MAX, NOW + 5000, NOW, code);
    MUST_FAIL(OVERLOADED, permits_room(permits, NOW));
    take(permits, PERMITS_HELD_MAX + 1, NOW + 9000, NOW,
         code); /* it stood in the log: it is held */
    CU_ASSERT_PTR_NOT_NULL(permits_find(permits, first));
    CU_ASSERT_PTR_NOT_NULL(permits_find(permits, code));
    MUST_FAIL(OVERLOADED, permits_room(permits, NOW + 1000)); /* one ended, one was too many */
    CU_ASSERT_PTR_NULL(permits_find(permits, first));
    MUST(permits_room(permits, NOW + 5000));
    CU_ASSERT_PTR_NOT_NULL(permits_find(permits, code));
    MUST(permits_room(permits, NOW + 9000 + PERMITS_HELD_MAX));
}

static void test_a_permit_whose_evidence_is_not_there_is_unproven(void)
{
    struct span leaf = span_of_text("the leaf of a failure");
    struct permit permit = {.has_evidence = true,
                            .evidence = merkle_leaf_hash(leaf),
                            .evidence_place = audit_place(1, 41)};
    MUST(permit_check_evidence(&permit, OK, leaf));
    MUST_FAIL(PERMIT_UNPROVEN, permit_check_evidence(&permit, OK, span_of_text("another leaf")));
    MUST_FAIL(PERMIT_UNPROVEN, permit_check_evidence(&permit, LOG_BROKEN, span_of("", 0)));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "entry 41"));
}

SUITE(permits, TEST(test_a_permit_whose_evidence_is_not_there_is_unproven),
      TEST(test_a_permit_is_found_by_its_code_with_all_that_it_says),
      TEST(test_what_has_ended_is_found_while_there_is_room),
      TEST(test_none_in_force_is_forgotten_and_no_more_are_given))
