// SPDX-License-Identifier: MIT
/* What the registers of once only take and what not; debts; removals; the snapshot. */
#include "lib/bus/directory_snapshot.h"
#include "lib/bus/once_only_debt.h"
#include "tests/unit/bus/registers.h"

static void test_what_leans_on_nothing_is_refused(void)
{
    OWNED(book) book = book_new();
    static const char *const bad[] = {
        "{\"requirements\":[{\"id\":\"R 1\",\"name\":\"n\"}]}",
        "{\"evidence_types\":[{\"id\":\"E-1\",\"title\":\"t\",\"sensitivity\":\"public\","
        "\"versions\":[\"1\",\"1\"]}]}",
        "{\"satisfactions\":[{\"id\":\"Q-1\",\"requirement\":\"R-9\",\"territory\":\"CO\","
        "\"any_of\":[]}]}",
        "{\"satisfactions\":[{\"id\":\"Q-1\",\"requirement\":\"R-RES\",\"territory\":\"05\","
        "\"any_of\":[[\"E-9\"]]}]}",
        "{\"satisfactions\":[{\"id\":\"Q-1\",\"requirement\":\"R-RES\",\"territory\":\"05\","
        "\"any_of\":[[]]}]}",
        "{\"satisfactions\":[{\"id\":\"Q-1\",\"requirement\":\"R-RES\",\"territory\":\"CO\","
        "\"any_of\":[]}]}", /* Q-RES says it already */
        "{\"satisfactions\":[{\"id\":\"Q-1\",\"requirement\":\"R-RES\",\"territory\":\"5001\","
        "\"any_of\":[]}]}",
        "{\"satisfactions\":[{\"id\":\"Q-1\",\"requirement\":\"R-RES\",\"territory\":\"VE\","
        "\"any_of\":[]}]}",
        "{\"sources\":[{\"id\":\"S-1\",\"evidence_type\":\"E-9\",\"territory\":\"CO\","
        "\"service\":\"" S "cert\"}]}",
        "{\"sources\":[{\"id\":\"S-1\",\"evidence_type\":\"E-TAX\",\"territory\":\"CO\","
        "\"service\":\"" S "nada\"}]}",
        "{\"sources\":[{\"id\":\"S-1\",\"evidence_type\":\"E-TAX\",\"territory\":\"CO\","
        "\"service\":\"" S "cert\",\"path\":\"/{otra}\"}]}",
        "{\"sources\":[{\"id\":\"S-1\",\"evidence_type\":\"E-TAX\",\"territory\":\"CO\","
        "\"service\":\"" S "cert\",\"path\":\"/{subject.number\"}]}",
        "{\"sources\":[{\"id\":\"S-1\",\"evidence_type\":\"E-TAX\",\"territory\":\"CO\","
        "\"service\":\"" S "cert\",\"path\":\"x\"}]}",
        "{\"sources\":[{\"id\":\"S-1\",\"evidence_type\":\"E-TAX\",\"territory\":\"CO\","
        "\"service\":\"" S "cert\",\"path\":\"/a/../{subject.number}\"}]}",
        "{\"sources\":[{\"id\":\"S-1\",\"evidence_type\":\"E-TAX\",\"territory\":\"CO\","
        "\"service\":\"" S "cert\",\"path\":\"/a%2Fb/{subject.number}\"}]}",
        "{\"sources\":[{\"id\":\"S-1\",\"evidence_type\":\"E-TAX\",\"territory\":\"CO\","
        "\"service\":\"" S "cert\",\"path\":\"/{subject.number}?entero\"}]}",
        "{\"sources\":[{\"id\":\"S-1\",\"evidence_type\":\"E-TAX\",\"territory\":\"CO\","
        "\"none\":\"r\"}]}", /* without an end */
        "{\"procedures\":[{\"id\":\"T-2\",\"title\":\"t\",\"owner\":\"CO/MUN/1\"}]}",
        "{\"procedures\":[{\"id\":\"T-2\",\"title\":\"t\",\"owner\":\"CO/MUN\","
        "\"requirements\":[\"R-9\"]}]}",
        "{\"procedures\":[{\"id\":\"T-2\",\"title\":\"t\",\"owner\":\"CO/MUN\","
        "\"requirements\":[\"R-RES\",\"R-RES\"]}]}",
        "{\"procedures\":[{\"id\":\"T-2\",\"title\":\"t\",\"owner\":\"CO/MUN\","
        "\"purpose\":\"curiosidad\"}]}",
        "{\"procedures\":[{\"id\":\"T-2\",\"title\":\"t\",\"owner\":\"CO/MUN\","
        "\"legal_bases\":[\"L-9\"]}]}",
    };
    registers_country(book);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        registers_refused(book, bad[i]);
}

static void test_a_file_that_is_misspelt_is_refused_with_its_place(void)
{
    OWNED(book) book = book_new();
    static const struct {
        const char *json, *said;
    } bad[] = {{"", "no JSON"},
               {"[]", "no object"},
               {"{\"procedure\":[]}", "there is no field procedure"},
               {"{\"requirements\":[{\"id\":\"R\",\"name\":\"n\",\"nombre\":\"n\"}]}",
                "requirements[0]: there is no field nombre"},
               {"{\"requirements\":[{\"id\":\"R\"}]}", "requirements[0]: name is missing"},
               {"{\"procedures\":[{\"id\":\"T\",\"title\":\"t\",\"owner\":\"CO/MUN\","
                "\"number\":431}]}",
                "procedures[0]: number is no text"},
               {"{\"procedures\":[{\"id\":\"T\",\"title\":\"t\",\"owner\":\"CO/MUN\","
                "\"ask_citizen\":[\"R\"]}]}",
                "not among its requirements"},
               {"{\"sources\":[{\"id\":\"S\",\"evidence_type\":\"E\",\"territory\":\"CO\"}]}",
                "either service, or none"},
               {"{\"sources\":[{\"id\":\"S\",\"evidence_type\":\"E\",\"territory\":\"CO\","
                "\"none\":\"r\",\"until\":\"2027-02-30\"}]}",
                "no day"},
               {"{\"satisfactions\":[{\"id\":\"Q\",\"requirement\":\"R\",\"territory\":\"CO\"}]}",
                "any_of is a list"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        MUST_FAIL(BAD_REQUEST, registers_add(book, bad[i].json));
        if (strstr(fault_detail(), bad[i].said) == NULL)
            fprintf(stderr, "  '%s' is not in '%s'\n", bad[i].said, fault_detail());
        CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), bad[i].said));
    }
}

static void test_codes_keep_their_zeros(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    registers_country(book);
    MUST(book_fold(book, &state));
    CU_ASSERT_STRING_EQUAL(directory_procedure(state, span_of_text("T-1"))->number, "00431");
    CU_ASSERT_STRING_EQUAL(directory_source(state, span_of_text("S-DEED"))->territory, "05");
}

#define NEW_DEBT                                                                             \
    "{\"procedures\":[{\"id\":\"T-2\",\"title\":\"t\",\"owner\":\"CO/MUN\",\"territories\":" \
    "[\"05001\"],\"requirements\":[\"R-RES\"],\"ask_citizen\":[\"R-RES\"]}]}"

static void test_nobody_makes_a_new_debt(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    registers_country(book);
    registers_refused(book, NEW_DEBT);
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "source S-CERT"));
    /* what was asked for before there was a source may go on being said */
    MUST(registers_add(book, "{\"sources\":[{\"id\":\"S-TAX\",\"evidence_type\":\"E-TAX\","
                             "\"territory\":\"CO\",\"service\":\"" S "cert\"}],"
                             "\"procedures\":[{\"id\":\"T-1\",\"title\":\"Otra vez\",\"owner\":"
                             "\"CO/MUN\",\"requirements\":[\"R-INC\"],\"ask_citizen\":[\"R-INC\"]"
                             "}]}"));
    MUST(book_fold(book, &state));
    const struct directory_procedure *procedure = directory_procedure(state, span_of_text("T-1"));
    struct once_only_debt debt;
    CU_ASSERT_TRUE_FATAL(
        once_only_debt(state, procedure, procedure->need[0].requirement, book->time_ms, &debt));
    CU_ASSERT_STRING_EQUAL(debt.source->id, "S-TAX");
}

static void refused_removal(struct book *book, Chaski__Removed__WhatCase what, const char *id)
{
    OWNED(directory) none = NULL;
    registers_remove(book, what, id);
    MUST_FAIL(DIRECTORY_BAD, book_fold(book, &none));
    bytes_free(&book->act[--book->count]);
}

static void test_what_is_leant_on_stays(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    registers_country(book);
    refused_removal(book, CHASKI__REMOVED__WHAT_REQUIREMENT, "R-RES");
    refused_removal(book, CHASKI__REMOVED__WHAT_EVIDENCE_TYPE, "E-CERT");
    refused_removal(book, CHASKI__REMOVED__WHAT_SERVICE, S "cert");
    refused_removal(book, CHASKI__REMOVED__WHAT_PURPOSE, "tramite-licencia");
    refused_removal(book, CHASKI__REMOVED__WHAT_SOURCE, "S-9");
    registers_remove(book, CHASKI__REMOVED__WHAT_PROCEDURE, "T-1");
    registers_remove(book, CHASKI__REMOVED__WHAT_SATISFACTION, "Q-RES");
    registers_remove(book, CHASKI__REMOVED__WHAT_REQUIREMENT, "R-RES");
    registers_remove(book, CHASKI__REMOVED__WHAT_SOURCE, "S-CERT");
    registers_remove(book, CHASKI__REMOVED__WHAT_EVIDENCE_TYPE, "E-CERT");
    registers_remove(book, CHASKI__REMOVED__WHAT_SERVICE, S "cert");
    MUST(book_fold(book, &state));
    CU_ASSERT_PTR_NULL(once_only_evidence_for(state, "R-RES", "05001"));
}

static void test_a_snapshot_holds_the_registers_and_their_debts(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    OWNED(directory) again = NULL;
    OWNED(bytes) one = NULL;
    OWNED(bytes) other = NULL;
    registers_country(book);
    MUST(registers_add(book, "{\"sources\":[{\"id\":\"S-TAX\",\"evidence_type\":\"E-TAX\","
                             "\"territory\":\"CO\",\"service\":\"" S "cert\"}]}"));
    book_published(book, BOOK_DAY_MS);
    MUST(book_fold(book, &state));
    MUST(directory_snapshot(state, book->count, &one));
    MUST(directory_restore(bytes_span(one), book->trust, &again));
    MUST(directory_snapshot(again, book->count, &other));
    CU_ASSERT_TRUE(span_equal(bytes_span(one), bytes_span(other)));
    const struct directory_procedure *procedure = directory_procedure(again, span_of_text("T-1"));
    CU_ASSERT_EQUAL(procedure->needs, 3);
    CU_ASSERT_TRUE(procedure->need[2].ask_citizen);
    struct once_only_debt debt;
    CU_ASSERT_TRUE(
        once_only_debt(again, procedure, procedure->need[2].requirement, book->time_ms, &debt));
    CU_ASSERT_TRUE(once_only_in_plan(again, procedure, span_of_text(S "deed"), span_of_text("")));
}

SUITE(act_once_only, TEST(test_what_leans_on_nothing_is_refused),
      TEST(test_a_file_that_is_misspelt_is_refused_with_its_place),
      TEST(test_codes_keep_their_zeros), TEST(test_nobody_makes_a_new_debt),
      TEST(test_what_is_leant_on_stays), TEST(test_a_snapshot_holds_the_registers_and_their_debts))
