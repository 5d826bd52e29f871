// SPDX-License-Identifier: MIT
#include "lib/bus/permit_code.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static void test_a_code_is_read_as_people_say_it(void)
{
    char code[PERMIT_CODE_ROOM], read[PERMIT_CODE_ROOM], said[32];
    permit_code_make(UINT64_C(0x1000000021), code); /* has zeros and a one */
    CU_ASSERT_TRUE(permit_code_fits(code));
    CU_ASSERT_EQUAL(strlen(code), PERMIT_CODE_BYTES);
    snprintf(said, sizeof said, " %.5s-%.5s ", code, code + 5);
    for (char *c = said; *c != '\0'; c++)
        *c = *c == '0' ? 'o' : *c == '1' ? 'l' : (char)(*c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c);
    CU_ASSERT_TRUE(permit_code_read(said, read));
    CU_ASSERT_STRING_EQUAL(read, code);
    CU_ASSERT_FALSE(permit_code_fits(said));
}

static void test_every_wrong_character_is_found(void)
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    char code[PERMIT_CODE_ROOM];
    for (uint64_t seed = 1; seed < 50; seed++) {
        permit_code_make(seed * UINT64_C(0x9E3779B97F4A7C15), code);
        for (int i = 0; i < PERMIT_CODE_BYTES; i++) {
            char right = code[i];
            for (const char *d = digits; *d != '\0'; d++) {
                code[i] = *d;
                CU_ASSERT_EQUAL(permit_code_fits(code), *d == right);
            }
            code[i] = right;
        }
    }
}

static void test_two_that_changed_places_are_found(void)
{
    char code[PERMIT_CODE_ROOM];
    for (uint64_t seed = 1; seed < 200; seed++) {
        permit_code_make(seed * UINT64_C(0x9E3779B97F4A7C15), code);
        for (int i = 0; i < PERMIT_CODE_BYTES; i++)
            for (int k = i + 1; k < PERMIT_CODE_BYTES; k++) {
                char one = code[i], other = code[k];
                code[i] = other;
                code[k] = one;
                CU_ASSERT_EQUAL(permit_code_fits(code), one == other);
                code[i] = one;
                code[k] = other;
            }
    }
}

static void test_what_is_no_code_is_refused(void)
{
    static const char *const bad[] = {"",           "0",          "00000000000", "UUUUUUUUUU",
                                      "0000000001", "../../../x", "000000000%"};
    char read[PERMIT_CODE_ROOM];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_FALSE(permit_code_read(bad[i], read));
}

SUITE(permit_code, TEST(test_a_code_is_read_as_people_say_it),
      TEST(test_every_wrong_character_is_found), TEST(test_two_that_changed_places_are_found),
      TEST(test_what_is_no_code_is_refused))
