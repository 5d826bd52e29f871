// SPDX-License-Identifier: MIT
/* No way through the register hides a debt or makes it younger. */
#include "lib/bus/directory_snapshot.h"
#include "lib/bus/once_only_debt.h"
#include "lib/bus/once_only_lint.h"
#include "tests/unit/bus/registers.h"

#define SOURCE(id, type, place, service)                                                     \
    "{\"sources\":[{\"id\":\"" id "\",\"evidence_type\":\"" type "\",\"territory\":\"" place \
    "\",\"service\":\"" S service "\"}]}"
#define NONE(id, type, place)                                                                \
    "{\"sources\":[{\"id\":\"" id "\",\"evidence_type\":\"" type "\",\"territory\":\"" place \
    "\",\"none\":\"Se cambia el sistema\",\"until\":\"2030-01-31\"}]}"
#define ASKS(id, places, requirement)                                 \
    "{\"procedures\":[{\"id\":\"" id                                  \
    "\",\"title\":\"t\",\"owner\":\"CO/MUN\",\"territories\":" places \
    ",\"requirements\":[\"" requirement "\"],\"ask_citizen\":[\"" requirement "\"]}]}"

/* The one debt of the register as it stands; its source and age. */
static void debt(struct book *book, const char *source, int64_t since_ms)
{
    OWNED(directory) state = NULL;
    struct lint lint;
    MUST(book_fold(book, &state));
    MUST(lint_look(state, NULL, book->time_ms, &lint));
    CU_ASSERT_EQUAL_FATAL(lint.of_kind[LINT_DEBT], 1);
    CU_ASSERT_STRING_EQUAL(lint.finding[0].source, source);
    CU_ASSERT_EQUAL(lint.finding[0].since_ms, since_ms);
    lint_clear(&lint);
}

static int64_t add(struct book *book, const char *json)
{
    int64_t at_ms = book->time_ms;
    MUST(registers_add(book, json));
    return at_ms;
}

static void refused_removal(struct book *book, Chaski__Removed__WhatCase what, const char *id,
                            const char *said)
{
    OWNED(directory) none = NULL;
    registers_remove(book, what, id);
    MUST_FAIL(DIRECTORY_BAD, book_fold(book, &none));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), said));
    bytes_free(&book->act[--book->count]);
}

static void test_a_municipal_source_is_seen_below_a_national_none(void)
{
    OWNED(book) book = book_new();
    registers_country(book); /* T-1 asks for R-INC; S-TAX: nobody in CO until 2030 */
    int64_t came_ms = add(book, SOURCE("S-TAX5", "E-TAX", "05001", "cert"));
    debt(book, "S-TAX5", came_ms);
    registers_refused(book, ASKS("T-2", "[]", "R-INC"));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "source S-TAX5"));
    registers_refused(book, ASKS("T-2", "[\"05\"]", "R-INC"));
    add(book, ASKS("T-2", "[\"54001\",\"05002\"]", "R-INC"));
    debt(book, "S-TAX5", came_ms);
}

static void test_what_proves_it_in_one_municipality_is_seen(void)
{
    OWNED(book) book = book_new();
    registers_country(book);
    add(book, "{\"satisfactions\":[{\"id\":\"Q-ID5\",\"requirement\":\"R-ID\",\"territory\":"
              "\"05001\",\"any_of\":[[\"E-CERT\"]]}]}");
    registers_refused(book, ASKS("T-2", "[]", "R-ID"));
    registers_refused(book, ASKS("T-2", "[\"05\"]", "R-ID"));
    add(book, ASKS("T-2", "[\"54001\"]", "R-ID"));
}

static void test_a_none_in_a_municipality_is_no_source(void)
{
    OWNED(book) book = book_new();
    registers_country(book);
    registers_remove(book, CHASKI__REMOVED__WHAT_SOURCE, "S-TAX");
    add(book, NONE("S-TAX5", "E-TAX", "05001"));
    add(book, ASKS("T-2", "[]", "R-INC"));
    add(book, ASKS("T-3", "[\"05\"]", "R-INC"));
}

static void test_a_place_that_is_added_is_a_new_debt(void)
{
    OWNED(book) book = book_new();
    registers_country(book);
    add(book, ASKS("T-2", "[\"54001\"]", "R-RES"));
    registers_refused(book, ASKS("T-2", "[\"54001\",\"05001\"]", "R-RES"));
    registers_refused(book, ASKS("T-2", "[]", "R-RES"));
    add(book, ASKS("T-2", "[\"54001\",\"54002\"]", "R-RES"));
}

static void test_what_is_said_of_its_beginning_makes_no_debt_younger(void)
{
    OWNED(book) book = book_new();
    registers_country(book);
    registers_refused(book,
                      "{\"sources\":[{\"id\":\"S-9\",\"evidence_type\":\"E-TAX\","
                      "\"territory\":\"CO\",\"service\":\"" S "cert\",\"since\":\"2026-09-23\"}]}");
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "has not come"));
    registers_refused(book, "{\"procedures\":[{\"id\":\"T-2\",\"title\":\"t\",\"owner\":\"CO/MUN\","
                            "\"since\":\"2027-01-01\"}]}");
    int64_t came_ms =
        add(book, "{\"sources\":[{\"id\":\"S-TAX\",\"evidence_type\":\"E-TAX\","
                  "\"territory\":\"CO\",\"service\":\"" S "cert\",\"since\":\"2020-01-01\"}]}");
    debt(book, "S-TAX", came_ms);
    book->time_ms += 40 * BOOK_DAY_MS;
    add(book, "{\"sources\":[{\"id\":\"S-TAX\",\"evidence_type\":\"E-TAX\",\"territory\":\"CO\","
              "\"service\":\"" S "cert\",\"since\":\"2026-10-20\"}]}");
    add(book, "{\"procedures\":[{\"id\":\"T-1\",\"title\":\"Otra vez\",\"owner\":\"CO/MUN\","
              "\"requirements\":[\"R-INC\"],\"ask_citizen\":[\"R-INC\"],\"since\":\"2026-10-20\""
              "}]}");
    debt(book, "S-TAX", came_ms);
}

static void test_what_procedures_rest_on_is_not_taken_away_in_silence(void)
{
    OWNED(book) book = book_new();
    registers_country(book);
    refused_removal(book, CHASKI__REMOVED__WHAT_SOURCE, "S-CERT", "procedure T-1 rests on");
    refused_removal(book, CHASKI__REMOVED__WHAT_SATISFACTION, "Q-RES", "procedure T-1 rests on");
    registers_refused(book, SOURCE("S-CERT", "E-CERT", "54001", "cert"));
    registers_refused(book, SOURCE("S-CERT", "E-TAX", "05001", "cert"));
    registers_refused(book, "{\"satisfactions\":[{\"id\":\"Q-RES\",\"requirement\":\"R-RES\","
                            "\"territory\":\"05\",\"any_of\":[]}]}");
    registers_refused(book,
                      "{\"sources\":[{\"id\":\"S-CERT\",\"evidence_type\":\"E-CERT\","
                      "\"territory\":\"05001\",\"none\":\"Ya no\",\"until\":\"2026-09-01\"}]}");
    add(book, NONE("S-CERT", "E-CERT", "05001"));
    add(book, SOURCE("S-NEW", "E-CERT", "05001", "cert"));
    add(book, SOURCE("S-NEXT", "E-CERT", "05001", "bill"));
    registers_remove(book, CHASKI__REMOVED__WHAT_SOURCE, "S-NEW"); /* S-NEXT delivers it */
    add(book, ASKS("T-3", "[\"54001\"]", "R-ID"));
}

static void test_what_is_taken_published_and_set_again_is_no_way_out(void)
{
    OWNED(book) book = book_new();
    registers_country(book);
    registers_remove(book, CHASKI__REMOVED__WHAT_PROCEDURE, "T-1");
    registers_remove(book, CHASKI__REMOVED__WHAT_SOURCE, "S-CERT");
    registers_refused(book, ASKS("T-1", "[\"05001\"]", "R-RES")); /* bill and deed are there too */
    registers_remove(book, CHASKI__REMOVED__WHAT_SOURCE, "S-DEED");
    registers_refused(book, ASKS("T-1", "[\"05001\"]", "R-RES"));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "until it was taken away on 2026-09-21"));
    registers_refused(book, ASKS("T-1", "[]", "R-RES"));
    add(book, ASKS("T-1", "[\"54001\"]", "R-RES"));
    /* why and until when is said: it may be asked for, and is a debt from then on when one is back
     */
    add(book, NONE("S-CERT", "E-CERT", "05001"));
    add(book, NONE("S-DEED", "E-DEED", "05"));
    int64_t asked_ms = add(book, ASKS("T-2", "[\"05001\"]", "R-RES"));
    book->time_ms += 30 * BOOK_DAY_MS;
    add(book, SOURCE("S-CERT", "E-CERT", "05001", "cert"));
    debt(book, "S-CERT", asked_ms);
}

static void test_the_same_fact_under_another_name_is_not_asked_for(void)
{
    OWNED(book) book = book_new();
    registers_country(book);
    add(book, "{\"requirements\":[{\"id\":\"R-RES2\",\"name\":\"Vive aquí\",\"fact\":"
              "\"residencia\"}]}");
    registers_refused(book, ASKS("T-2", "[]", "R-RES2"));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "nobody has said what proves"));
    add(book, "{\"satisfactions\":[{\"id\":\"Q-RES2\",\"requirement\":\"R-RES2\",\"territory\":"
              "\"54001\",\"any_of\":[]}]}");
    registers_refused(book, ASKS("T-2", "[]", "R-RES2"));
    add(book, ASKS("T-2", "[\"54001\"]", "R-RES2"));
}

static void test_an_empty_list_hides_no_wider_one_that_is_delivered(void)
{
    OWNED(book) book = book_new();
    registers_country(book);
    add(book, "{\"satisfactions\":[{\"id\":\"Q-RES5\",\"requirement\":\"R-RES\",\"territory\":"
              "\"05\",\"any_of\":[]}]}");
    registers_refused(book, ASKS("T-2", "[\"05001\"]", "R-RES"));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "which the state holds"));
    registers_refused(book, ASKS("T-2", "[\"05\"]", "R-RES"));
    registers_refused(book, ASKS("T-2", "[]", "R-RES"));
    add(book, "{\"satisfactions\":[{\"id\":\"Q-INC5\",\"requirement\":\"R-INC\",\"territory\":"
              "\"05001\",\"any_of\":[]}]}");
    add(book, ASKS("T-2", "[\"05001\"]", "R-INC")); /* nobody delivers that one */
    registers_remove(book, CHASKI__REMOVED__WHAT_PROCEDURE, "T-1");
    book->time_ms += BOOK_DAY_MS;
    int64_t came_ms = add(book, SOURCE("S-TAX", "E-TAX", "CO", "cert"));
    debt(book, "S-TAX", came_ms);
}

static void test_who_stops_asking_for_less_than_a_year_asked_all_along(void)
{
    OWNED(book) book = book_new();
    registers_country(book);
    int64_t came_ms = add(book, SOURCE("S-TAX", "E-TAX", "CO", "cert"));
    debt(book, "S-TAX", came_ms);
    for (int years = 0; years < 2; years++) {
        book->time_ms += 10 * BOOK_DAY_MS;
        registers_remove(book, CHASKI__REMOVED__WHAT_PROCEDURE, "T-1");
        book->time_ms += years * 366 * BOOK_DAY_MS;
        add(book, NONE("S-TAX", "E-TAX", "CO"));
        int64_t asked_ms = add(book, ASKS("T-1", "[]", "R-INC"));
        add(book, SOURCE("S-TAX", "E-TAX", "CO", "cert"));
        debt(book, "S-TAX", years == 0 ? came_ms : asked_ms);
    }
}

static void test_the_oldest_of_several_sources_tells_the_age(void)
{
    OWNED(book) book = book_new();
    registers_country(book);
    int64_t came_ms = add(book, SOURCE("S-TAX5", "E-TAX", "05001", "cert"));
    book->time_ms += 100 * BOOK_DAY_MS;
    add(book, SOURCE("S-TAX", "E-TAX", "CO", "cert"));
    debt(book, "S-TAX5", came_ms);
}

static void test_a_snapshot_keeps_what_is_over(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    OWNED(directory) again = NULL;
    OWNED(bytes) one = NULL;
    OWNED(bytes) other = NULL;
    struct lint lint;
    registers_country(book);
    int64_t came_ms = add(book, SOURCE("S-TAX", "E-TAX", "CO", "cert"));
    book->time_ms += 50 * BOOK_DAY_MS;
    registers_remove(book, CHASKI__REMOVED__WHAT_PROCEDURE, "T-1");
    registers_remove(book, CHASKI__REMOVED__WHAT_SOURCE, "S-CERT");
    add(book, NONE("S-TAX", "E-TAX", "CO"));
    add(book, ASKS("T-1", "[]", "R-INC"));
    add(book, SOURCE("S-TAX", "E-TAX", "CO", "cert"));
    book_published(book, BOOK_DAY_MS);
    MUST(book_fold(book, &state));
    MUST(directory_snapshot(state, book->count, &one));
    MUST(directory_restore(bytes_span(one), book->trust, &again));
    MUST(directory_snapshot(again, book->count, &other));
    CU_ASSERT_TRUE(span_equal(bytes_span(one), bytes_span(other)));
    MUST(lint_look(again, NULL, book->time_ms, &lint));
    CU_ASSERT_EQUAL_FATAL(lint.of_kind[LINT_DEBT], 1);
    CU_ASSERT_EQUAL(lint.finding[0].since_ms, came_ms);
    lint_clear(&lint);
}

SUITE(once_only_debt, TEST(test_a_municipal_source_is_seen_below_a_national_none),
      TEST(test_what_proves_it_in_one_municipality_is_seen),
      TEST(test_a_none_in_a_municipality_is_no_source),
      TEST(test_a_place_that_is_added_is_a_new_debt),
      TEST(test_what_is_said_of_its_beginning_makes_no_debt_younger),
      TEST(test_what_procedures_rest_on_is_not_taken_away_in_silence),
      TEST(test_what_is_taken_published_and_set_again_is_no_way_out),
      TEST(test_the_same_fact_under_another_name_is_not_asked_for),
      TEST(test_an_empty_list_hides_no_wider_one_that_is_delivered),
      TEST(test_who_stops_asking_for_less_than_a_year_asked_all_along),
      TEST(test_the_oldest_of_several_sources_tells_the_age),
      TEST(test_a_snapshot_keeps_what_is_over))
