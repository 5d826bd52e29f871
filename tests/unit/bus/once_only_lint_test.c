// SPDX-License-Identifier: MIT
#include "lib/bus/once_only_lint.h"

#include "tests/unit/bus/registers.h"

static const char csv[] = "cod_municipio_divipola,municipio,numero_suit,nombre_tramite\n"
                          "05001,Medellín,00431,Licencia\n"
                          "05001,Medellín,00432,Otra\n"
                          "05001,Medellín,00432,Tercera\n"
                          "5001,Medellín,00433,Sin cero\n"
                          "05001,Medellín,,Sin número\n"
                          "54001,Cúcuta,00432,La de Cúcuta\n"
                          "54001,Cúcuta,431,Licencia\n"; /* 431 is not 00431 */

static void look(const struct directory *state, const char *text, int64_t at_ms, struct lint *out)
{
    OWNED(bytes) file = NULL;
    OWNED(table) table = NULL;
    if (text != NULL) {
        MUST(bytes_copy(span_of_text(text), &file));
        MUST(table_parse(&file, NULL, &table));
    }
    MUST(lint_look(state, table, at_ms, out));
}

static void test_a_debt_is_told_with_its_owner_and_age(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    struct lint lint;
    registers_country(book);
    int64_t asked_ms = book->time_ms;
    book->time_ms += 40 * BOOK_DAY_MS;
    MUST(registers_add(book, "{\"sources\":[{\"id\":\"S-TAX\",\"evidence_type\":\"E-TAX\","
                             "\"territory\":\"CO\",\"service\":\"" S "cert\"}]}"));
    MUST(book_fold(book, &state));
    look(state, NULL, book->time_ms, &lint);
    CU_ASSERT_EQUAL(lint.of_kind[LINT_DEBT], 1);
    CU_ASSERT_EQUAL(lint.count, 1);
    CU_ASSERT_STRING_EQUAL(lint.finding[0].text,
                           "procedure T-1 (00431) asks for R-INC (Cuánto gana) although source "
                           "S-TAX serves it: " S "cert");
    CU_ASSERT_STRING_EQUAL(lint.finding[0].owner, "CO/MUN");
    CU_ASSERT(lint.finding[0].since_ms > asked_ms); /* of the source: it came later */
    lint_clear(&lint);
}

static void test_what_keeps_a_procedure_from_being_planned_is_told(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    struct lint lint;
    registers_country(book);
    MUST(registers_add(
        book, "{\"requirements\":[{\"id\":\"R-NEW\",\"name\":\"n\"}],\"procedures\":["
              "{\"id\":\"T-2\",\"title\":\"Sin número\",\"owner\":\"CO/MUN\"},"
              "{\"id\":\"T-3\",\"number\":\"00431\",\"title\":\"Otra\",\"owner\":\"CO/MUN\","
              "\"requirements\":[\"R-NEW\"]}]}"));
    MUST(book_fold(book, &state));
    look(state, NULL, book->time_ms, &lint);
    CU_ASSERT_EQUAL(lint.procedures, 3);
    CU_ASSERT_EQUAL(lint.of_kind[LINT_NO_NUMBER], 1);
    CU_ASSERT_EQUAL(lint.of_kind[LINT_REPEATED_NUMBER], 2); /* T-1 and T-3 */
    CU_ASSERT_EQUAL(lint.of_kind[LINT_NO_SATISFACTION], 1);
    CU_ASSERT_EQUAL(lint.of_kind[LINT_DEBT], 0);
    lint_clear(&lint);
}

static void test_a_table_is_held_against_the_register(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    struct lint lint;
    registers_country(book);
    MUST(book_fold(book, &state));
    look(state, csv, book->time_ms, &lint);
    CU_ASSERT_EQUAL(lint.rows, 7);
    CU_ASSERT_EQUAL(lint.of_kind[LINT_REPEATED_NUMBER], 2); /* not that of another municipality */
    CU_ASSERT_EQUAL(lint.of_kind[LINT_BAD_CODE], 1);
    CU_ASSERT_EQUAL(lint.of_kind[LINT_NO_NUMBER], 1);
    CU_ASSERT_EQUAL(lint.of_kind[LINT_NOT_REGISTERED], 6);
    for (size_t i = 0; i < lint.count; i++)
        if (lint.finding[i].kind == LINT_BAD_CODE)
            CU_ASSERT_EQUAL(lint.finding[i].row, 5);
    lint_clear(&lint);
    look(state, "cod_municipio_divipola,numero_suit,nombre_tramite\n05001,00431,Permiso\n",
         book->time_ms, &lint);
    CU_ASSERT_EQUAL(lint.of_kind[LINT_OTHER_TITLE], 1);
    lint_clear(&lint);
}

static void test_a_table_without_its_columns_is_refused(void)
{
    OWNED(bytes) file = NULL;
    OWNED(table) table = NULL;
    struct lint lint;
    MUST(bytes_copy(span_of_text("numero_suit,nombre_tramite\n1,a\n"), &file));
    MUST(table_parse(&file, NULL, &table));
    MUST_FAIL(BAD_TABLE, lint_look(NULL, table, 0, &lint));
    lint_clear(&lint);
}

SUITE(once_only_lint, TEST(test_a_debt_is_told_with_its_owner_and_age),
      TEST(test_what_keeps_a_procedure_from_being_planned_is_told),
      TEST(test_a_table_is_held_against_the_register),
      TEST(test_a_table_without_its_columns_is_refused))
