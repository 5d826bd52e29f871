// SPDX-License-Identifier: MIT
#include "security-server/token/pin_note.h"

#include "tests/unit/crypto/fixture.h"

static void test_a_pin_that_was_refused_is_not_tried_before_it_changes(void)
{
    const char *folder = unit_folder();
    struct fixture_path pin = fixture_write(folder, "pin", span_of_text("111111"));
    MUST(pin_note_check(folder, pin.at));
    MUST(pin_note_keep(folder, pin.at));
    MUST_FAIL(TOKEN_REFUSED, pin_note_check(folder, pin.at));
    CU_ASSERT_PTR_NULL(strstr(fault_detail(), "111111"));
    fixture_write(folder, "pin", span_of_text("222222x"));
    MUST(pin_note_check(folder, pin.at));
    MUST(pin_note_keep(folder, pin.at));
    pin_note_drop(folder);
    MUST(pin_note_check(folder, pin.at));
}

static void test_a_pin_of_another_file_is_another_one(void)
{
    const char *folder = unit_folder();
    struct fixture_path pin = fixture_write(folder, "pin", span_of_text("111111"));
    struct fixture_path other = fixture_write(folder, "pin2", span_of_text("111111"));
    MUST(pin_note_keep(folder, pin.at));
    MUST(pin_note_check(folder, other.at));
    MUST_FAIL(TOKEN_REFUSED, pin_note_check(folder, pin.at));
    MUST_FAIL(BAD_PASSPHRASE, pin_note_check(folder, "/nonexistent/pin"));
    pin_note_drop(folder);
    pin_note_drop(folder);
}

SUITE(pin_note, TEST(test_a_pin_that_was_refused_is_not_tried_before_it_changes),
      TEST(test_a_pin_of_another_file_is_another_one))
