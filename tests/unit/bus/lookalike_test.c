// SPDX-License-Identifier: MIT
#include "lib/bus/lookalike.h"

#include "tests/unit/unit.h"

static bool same(const char *a, const char *b)
{
    return lookalike(span_of_text(a), span_of_text(b));
}

static void test_what_a_person_takes_for_the_same_is_alike(void)
{
    static const char *const pairs[][2] = {
        {"CO/GOV/DANE", "CO/GOV/dane"},
        {"CO/GOV/DANE", "CO/GOV/D%D0%90NE"},              /* Cyrillic A */
        {"CO/GOV/BOGOTA", "CO/GOV/BOG0TA"},               /* digit 0 */
        {"CO/GOV/BOGOTA", "CO/GOV/BOGOT%C3%81"},          /* accent */
        {"CO/GOV/BOGOTA", "CO/GOV/BOGOTA%CC%81"},         /* combining accent */
        {"CO/GOV/ICA", "CO/GOV/lCA"},                     /* l for I */
        {"CO/GOV/ICA", "CO/GOV/1CA"},                     /* 1 for I */
        {"CO/GOV/A-B", "CO/GOV/A%E2%80%93B"},             /* en dash */
        {"CO/GOV/A-B", "CO/GOV/A_B"},                     /* underscore */
        {"CO/GOV/AB", "CO/GOV/A%E2%80%8BB"},              /* zero-width space */
        {"CO/GOV/AB", "CO/GOV/AB."},                      /* dot at the end */
        {"CO/GOV/AB", "CO/GOV/%EF%BC%A1%EF%BC%A2"},       /* full width */
        {"CO/GOV/899999027/SS1", "CO/GOV/899999027/ssl"}, /* l for 1 */
        {"CO/GOV/899999027", "CO/GOV/0899999027"},        /* zeros at the head */
        {"CO/GOV/899999027", "CO/GOV/000899999027"},
        {"CO/GOV/899999027", "CO/GOV/O899999027"}, /* ... and a letter for one */
        {"CO/GOV/899999027/SS1", "CO/GOV/899999027/SS01"},
        {"CO/GOV/100", "CO/GOV/l00"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        CU_ASSERT(same(pairs[i][0], pairs[i][1]));
        CU_ASSERT(same(pairs[i][1], pairs[i][0]));
    }
}

static void test_what_differs_to_the_eye_does_not(void)
{
    CU_ASSERT_FALSE(same("CO/GOV/899999027", "CO/GOV/899999028"));
    CU_ASSERT_FALSE(same("CO/GOV/DANE", "CO/MUN/DANE"));
    CU_ASSERT_FALSE(same("CO/GOV/1", "CO/GOV/10"));
    CU_ASSERT_FALSE(same("CO/GOV/11", "CO/GOV/101"));
    CU_ASSERT_FALSE(same("CO/GOV/OLAYA", "CO/GOV/LAYA"));
    CU_ASSERT_FALSE(same("CO/GOV/SS0", "CO/GOV/SS"));
    CU_ASSERT_FALSE(same("CO/GOV/AB", "CO/GOV/A/B"));
    CU_ASSERT_FALSE(same("CO/GOV/AB", "CO/GOV/ABC"));
    CU_ASSERT_FALSE(same("CO/GOV/AB", "CO/GOV/%E6%BC%A2"));
}

static void test_the_longest_identifier_has_room(void)
{
    char text[5 * 255 * 3 + 8];
    size_t used = 0;
    for (int part = 0; part < 5; part++) {
        for (int i = 0; i < 85; i++, used += 9)
            memcpy(text + used, "%E6%BC%A2", 9);
        text[used++] = part < 4 ? '/' : '\0';
    }
    CU_ASSERT(same(text, text));
}

static void test_what_is_no_identifier_is_like_nothing(void)
{
    CU_ASSERT_FALSE(same("", ""));
    CU_ASSERT_FALSE(same("CO//X", "CO//X"));
    CU_ASSERT_FALSE(same("CO/%ZZ/X", "CO/%ZZ/X"));
}

SUITE(lookalike, TEST(test_what_a_person_takes_for_the_same_is_alike),
      TEST(test_what_differs_to_the_eye_does_not), TEST(test_the_longest_identifier_has_room),
      TEST(test_what_is_no_identifier_is_like_nothing))
