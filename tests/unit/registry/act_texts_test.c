// SPDX-License-Identifier: MIT
#include "registry/act_texts.h"

#include "tests/unit/registry/authority.h"

#include "directory.pb-c.h"

/* The text of a field of an act, in each place where one may be. */
static void refuses(Chaski__Act *act, const char *field)
{
    MUST_FAIL(REFUSED, act_texts_check(act));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), field));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "U+202E"));
}

static char turned[] = "Fondo \u202eacilb\u00fap";

static void test_each_text_of_an_act_is_looked_at(void)
{
    char *topics[] = {turned};
    Chaski__MemberSet member = CHASKI__MEMBER_SET__INIT;
    Chaski__LegalBasisSet basis = CHASKI__LEGAL_BASIS_SET__INIT;
    Chaski__Removed removed = CHASKI__REMOVED__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    act.act_case = CHASKI__ACT__ACT_MEMBER_SET;
    act.member_set = &member;
    MUST(act_texts_check(&act));
    member.name = turned;
    refuses(&act, "name of MemberSet");
    act.act_case = CHASKI__ACT__ACT_LEGAL_BASIS_SET; /* the pointers are one union */
    act.legal_basis_set = &basis;
    MUST(act_texts_check(&act));
    basis.n_topic = 1;
    basis.topic = topics;
    refuses(&act, "topic of LegalBasisSet");
    act.act_case = CHASKI__ACT__ACT_REMOVED;
    act.removed = &removed;
    removed.what_case = CHASKI__REMOVED__WHAT_GRANT;
    removed.grant = turned;
    refuses(&act, "grant of Removed");
    removed.what_case = CHASKI__REMOVED__WHAT__NOT_SET; /* what is not there is not read */
    MUST(act_texts_check(&act));
    removed.reason = turned;
    refuses(&act, "reason of Removed");
}

static void test_a_store_takes_no_name_that_reads_as_another(void)
{
    struct place place = authority_make();
    MUST_FAIL(REFUSED, authority_run(&place, "member add CO/GOV/1 --name \u202eonU"));
    MUST_FAIL(REFUSED, authority_run(&place, "member add CO/GOV/1 --name U\u200bno"));
    MUST(authority_run(&place, "member add CO/GOV/1 --name U\u00f1o"));
}

SUITE(act_texts, TEST(test_each_text_of_an_act_is_looked_at),
      TEST(test_a_store_takes_no_name_that_reads_as_another))
