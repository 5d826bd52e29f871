// SPDX-License-Identifier: MIT
#include "security-server/exchange/pair_report.h"

#include "lib/bus/limits.h"
#include "tests/unit/unit.h"

#include "audit.pb-c.h"

static struct pair_finding finding_of(uint8_t n, enum pair_type type)
{
    struct pair_finding finding = {.type = type, .kind = HEADER_REQUEST, .missing_here = true};
    finding.leaf_hash.at[0] = n;
    return finding;
}

static void test_all_are_counted_and_some_are_told(void)
{
    struct pair_report report = {.peer = owned_text("CO/GOV/1/SS1")};
    struct pair_finding finding = finding_of(1, PAIR_BAD_LEAF);
    for (int i = 0; i < RECONCILE_FINDINGS_MAX + 50; i++)
        pair_report_add(&report, &finding);
    CU_ASSERT_EQUAL(report.count[PAIR_BAD_LEAF], RECONCILE_FINDINGS_MAX + 50);
    CU_ASSERT_EQUAL(report.findings, RECONCILE_FINDINGS_MAX);
    CU_ASSERT_EQUAL(pair_report_count(&report), RECONCILE_FINDINGS_MAX + 50);
    pair_report_clear(&report);
}

static void test_what_became_of_a_leaf_is_told(void)
{
    struct pair_report report = {.peer = owned_text("CO/GOV/1/SS1")};
    OWNED(bytes) packed = NULL;
    struct pair_finding one = finding_of(1, PAIR_REQUEST_AT_CONSUMER);
    struct pair_finding twin = finding_of(1, PAIR_TWO_HEADERS);
    struct pair_finding two = finding_of(2, PAIR_ANSWER_AT_PROVIDER);
    pair_report_add(&report, &one);
    pair_report_add(&report, &twin);
    pair_report_add(&report, &two);
    pair_report_state(&report, &one.leaf_hash, PAIR_TAKEN, OK);
    pair_report_state(&report, &two.leaf_hash, PAIR_REFUSED, SIGNATURE_BAD);
    CU_ASSERT(report.taken == 1 && report.refused == 1 && report.sent == 0);
    MUST(pair_report_pack(&report, &packed));
    Chaski__ReconcileReport *back =
        chaski__reconcile_report__unpack(NULL, packed->size, packed->data);
    CU_ASSERT_PTR_NOT_NULL_FATAL(back);
    CU_ASSERT_EQUAL(back->n_count, PAIR_TYPES_END - 1);
    CU_ASSERT_EQUAL(back->count[PAIR_TWO_HEADERS - 1], 1);
    CU_ASSERT_EQUAL_FATAL(back->n_finding, 3);
    CU_ASSERT_EQUAL(back->finding[0]->state, PAIR_TAKEN);
    CU_ASSERT_EQUAL(back->finding[1]->state, PAIR_OPEN); /* it is about two leaves */
    CU_ASSERT_EQUAL(back->finding[2]->fault, SIGNATURE_BAD);
    chaski__reconcile_report__free_unpacked(back, NULL);
    pair_report_clear(&report);
}

SUITE(pair_report, TEST(test_all_are_counted_and_some_are_told),
      TEST(test_what_became_of_a_leaf_is_told))
