// SPDX-License-Identifier: MIT
#include "lib/bus/rights.h"

#include "tests/unit/unit.h"

static struct span text(const char *text)
{
    return span_of_text(text);
}

static void expect(const struct rights *rights, const char *first, const char *second,
                   const char *ids)
{
    char found[200] = "";
    const struct right_list *list = rights_of(rights, text(first), text(second));
    for (size_t i = 0; i < list->count; i++) {
        strcat(found, list->right[i].id);
        strcat(found, " ");
    }
    CU_ASSERT_STRING_EQUAL(found, ids);
}

static void test_the_one_that_ends_last_comes_first(void)
{
    struct rights rights = {0};
    rights_put(&rights, text("s"), text("c"), (struct right){"b", 5, NULL});
    rights_put(&rights, text("s"), text("c"), (struct right){"late", 9, NULL});
    rights_put(&rights, text("s"), text("c"), (struct right){"a", 5, NULL});
    rights_put(&rights, text("s"), text("c"), (struct right){"early", 1, NULL});
    expect(&rights, "s", "c", "late a b early ");
    rights_take(&rights, text("s"), text("c"), "a");
    rights_take(&rights, text("s"), text("c"), "nobody");
    rights_take(&rights, text("s"), text("d"), "b");
    expect(&rights, "s", "c", "late b early ");
    rights_clear(&rights);
}

static void test_pairs_of_names_are_told_apart(void)
{
    struct rights rights = {0};
    rights_put(&rights, text("ab"), text("c"), (struct right){"1", 0, NULL});
    rights_put(&rights, text("a"), text("bc"), (struct right){"2", 0, NULL});
    rights_put(&rights, text("ab"), text(""), (struct right){"3", 0, NULL});
    expect(&rights, "ab", "c", "1 ");
    expect(&rights, "a", "bc", "2 ");
    expect(&rights, "ab", "", "3 ");
    expect(&rights, "abc", "", "");
    rights_clear(&rights);
}

static void test_a_name_that_is_too_long_for_any_is_found_nowhere(void)
{
    static char name[5000];
    struct rights rights = {0};
    memset(name, 'x', sizeof name - 1);
    expect(&rights, name, "", "");
    expect(&rights, "", name, "");
}

SUITE(rights, TEST(test_the_one_that_ends_last_comes_first),
      TEST(test_pairs_of_names_are_told_apart),
      TEST(test_a_name_that_is_too_long_for_any_is_found_nowhere))
