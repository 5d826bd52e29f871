// SPDX-License-Identifier: MIT
#include "lib/base/options.h"
#include "tests/unit/unit.h"

#include <string.h>

struct words {
    const char *config, *ground, *operand;
    uint64_t wait_s;
    bool json;
    const char *address[2];
    size_t addresses;
};

/* Takes up to seven words behind the command's own. */
static fault take(struct words *out, size_t least, const char *const words[7])
{
    const struct option_place known[] = {
        OPTION_MUST("config", &out->config),
        OPTION_TEXT("ground", &out->ground),
        OPTION_NUMBER("wait", &out->wait_s, 1, 60),
        OPTION_FLAG("json", &out->json),
        OPTION_LIST("address", out->address, &out->addresses, 2),
        {0},
    };
    const struct operand_place operand = {
        .name = "an entry", .place = &out->operand, .least = least, .most = 1};
    char text[8][16] = {"erase"}, *argv[9] = {text[0]};
    int argc = 1;
    for (; argc < 8 && words[argc - 1] != NULL; argc++) {
        memcpy(text[argc], words[argc - 1], strlen(words[argc - 1]) + 1);
        argv[argc] = text[argc];
    }
    fault f = options_take("erase", argc, argv, known, &operand);
    if (!failed(f)) /* the words end with this function */
        out->operand = out->operand == NULL ? NULL : "given";
    return f;
}

#define TAKE(out, ...) take(out, 0, (const char *const[7]){__VA_ARGS__})

static void must_say(fault f, const char *words)
{
    CU_ASSERT_EQUAL(f.code, BAD_REQUEST);
    CU_ASSERT_STRING_EQUAL(fault_detail(), words);
}

static void test_each_value_goes_to_its_place(void)
{
    struct words got = {.wait_s = 5, .ground = "as before"};
    MUST(TAKE(&got, "--config", "c", "--wait=60", "entry", "--json"));
    CU_ASSERT_PTR_NOT_NULL(got.config);
    CU_ASSERT_EQUAL(got.wait_s, 60);
    CU_ASSERT(got.json);
    CU_ASSERT_STRING_EQUAL(got.operand, "given");
    CU_ASSERT_STRING_EQUAL(got.ground, "as before");
}

static void test_a_list_takes_what_it_holds(void)
{
    struct words got = {0};
    MUST(TAKE(&got, "--config=c", "--address=a", "--address", "b"));
    CU_ASSERT_EQUAL(got.addresses, 2);
    must_say(TAKE(&got, "--config=c", "--address=c"), "--address is given more than 2 times");
}

static void test_what_is_wrong_is_named(void)
{
    struct words got = {0};
    must_say(TAKE(&got, "--json"), "erase needs --config");
    must_say(TAKE(&got, "--config"), "--config needs a value");
    must_say(TAKE(&got, "--colour", "red"), "--colour is no option of erase");
    must_say(TAKE(&got, "--config=c", "--config=d"), "--config is given twice");
    must_say(TAKE(&got, "--json", "--json"), "--json is given twice");
    must_say(TAKE(&got, "--config=c", "a", "b"), "erase: 'b' is one word too many");
    must_say(take(&got, 1, (const char *const[7]){"--config=c"}), "erase needs an entry");
}

static void test_a_number_keeps_its_bounds(void)
{
    struct words got = {0};
    const char *const bad[] = {"--wait=0", "--wait=61", "--wait=", "--wait=-1", "--wait=1s"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        must_say(TAKE(&got, bad[i], "--config=c"), "--wait takes a number from 1 to 60");
    MUST(TAKE(&got, "--config=c", "--wait=1"));
    CU_ASSERT_EQUAL(got.wait_s, 1);
}

static void test_words_are_read_anew_each_time(void)
{
    struct words first = {0}, second = {0};
    MUST_FAIL(BAD_REQUEST, TAKE(&first, "--colour", "x", "--config=c"));
    MUST(TAKE(&second, "--config=c", "--json"));
    CU_ASSERT(second.json);
}

SUITE(options, TEST(test_each_value_goes_to_its_place), TEST(test_a_list_takes_what_it_holds),
      TEST(test_what_is_wrong_is_named), TEST(test_a_number_keeps_its_bounds),
      TEST(test_words_are_read_anew_each_time))
