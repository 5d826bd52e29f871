// SPDX-License-Identifier: MIT
#include "lib/bus/log_epoch.h"

#include "lib/base/file.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static struct note_key key_of(const char *name)
{
    static const uint8_t public_key[ED25519_PUBLIC_BYTES] = {7};
    struct note_key key;
    MUST(note_key_make(name, NOTE_LOG, public_key, &key));
    return key;
}

static void test_a_later_epoch_has_the_same_key_under_its_own_name(void)
{
    struct note_key registered = key_of("chaski.log/CO/GOV/1/SS1/1"), second, first;
    MUST(log_epoch_key(&registered, 1, &first));
    MUST(log_epoch_key(&registered, 2, &second));
    CU_ASSERT_STRING_EQUAL(first.name, registered.name);
    CU_ASSERT_STRING_EQUAL(second.name, "chaski.log/CO/GOV/1/SS1/2");
    CU_ASSERT_EQUAL(memcmp(second.public_key, registered.public_key, ED25519_PUBLIC_BYTES), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(second.id, registered.id, sizeof second.id), 0);
}

static void test_what_does_not_end_in_1_has_one_epoch(void)
{
    struct note_key other = key_of("log.example/a"), zero = key_of("log.example/01"), out;
    MUST(log_epoch_key(&other, 1, &out));
    MUST_FAIL(REFUSED, log_epoch_key(&other, 2, &out));
    MUST_FAIL(REFUSED, log_epoch_key(&zero, 2, &out));
    struct note_key registered = key_of("log.example/1");
    MUST_FAIL(REFUSED, log_epoch_key(&registered, 0, &out));
    MUST_FAIL(REFUSED, log_epoch_key(&registered, LOG_EPOCHS_MAX + 1, &out));
}

static void test_an_origin_names_its_epoch(void)
{
    struct note_key registered = key_of("log.example/1"), other = key_of("log.example/7");
    CU_ASSERT_EQUAL(log_epoch_of(&registered, span_of_text("log.example/1")), 1);
    CU_ASSERT_EQUAL(log_epoch_of(&registered, span_of_text("log.example/2")), 2);
    CU_ASSERT_EQUAL(log_epoch_of(&registered, span_of_text("log.example/64")), 64);
    CU_ASSERT_EQUAL(log_epoch_of(&registered, span_of_text("log.example/65")), 0);
    CU_ASSERT_EQUAL(log_epoch_of(&registered, span_of_text("log.example/02")), 0);
    CU_ASSERT_EQUAL(log_epoch_of(&registered, span_of_text("log.example/0")), 0);
    CU_ASSERT_EQUAL(log_epoch_of(&registered, span_of_text("log.example")), 0);
    CU_ASSERT_EQUAL(log_epoch_of(&registered, span_of_text("log.elsewhere/2")), 0);
    CU_ASSERT_EQUAL(log_epoch_of(&other, span_of_text("log.example/7")), 1);
    CU_ASSERT_EQUAL(log_epoch_of(&other, span_of_text("log.example/8")), 0);
}

static void test_origins_of_one_log_have_one_base(void)
{
    CU_ASSERT(span_is_text(log_epoch_base(span_of_text("log.example/12")), "log.example"));
    CU_ASSERT(span_is_text(log_epoch_base(span_of_text("log.example/a")), "log.example/a"));
    CU_ASSERT(span_is_text(log_epoch_base(span_of_text("12")), "12"));
    CU_ASSERT(span_is_text(log_epoch_base(span_of_text("x/")), "x/"));
    CU_ASSERT_EQUAL(log_epoch_base((struct span){0}).size, 0);
}

static void put(const char *folder, const char *name, struct span content)
{
    char path[600], parent[600];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(parent, sizeof parent, "%.*s", (int)(strrchr(path, '/') - path), path);
    MUST(file_make_folders(parent, 0700));
    MUST(file_replace(path, content, 0600));
}

static unsigned newest(const char *folder)
{
    unsigned epoch = 0;
    MUST(log_epoch_newest(folder, &epoch));
    return epoch;
}

static void test_an_epoch_begins_with_an_entry_or_a_promise(void)
{
    static const uint8_t frame[16] = {0, 0, 0, 9}, zeros[16] = {0};
    const char *folder = unit_folder();
    CU_ASSERT_EQUAL(newest(folder), 1);
    put(folder, "log/2/wal/00000000000000000000.seg", span_of(zeros, sizeof zeros));
    put(folder, "log/99/promise", span_of_text("x"));
    put(folder, "log/03/promise", span_of_text("x"));
    CU_ASSERT_EQUAL(newest(folder), 1);
    put(folder, "log/2/wal/00000000000000000000.seg", span_of(frame, sizeof frame));
    CU_ASSERT_EQUAL(newest(folder), 2);
    put(folder, "log/5/promise", span_of_text("x"));
    CU_ASSERT_EQUAL(newest(folder), 5);
}

static void test_the_number_that_was_reached_is_noted(void)
{
    const char *folder = unit_folder();
    unsigned epoch = 0;
    MUST(log_epoch_marked(folder, &epoch));
    CU_ASSERT_EQUAL(epoch, 1);
    put(folder, "log/epoch", span_of_text("many\n"));
    MUST_FAIL(LOG_BROKEN, log_epoch_marked(folder, &epoch));
    MUST(log_epoch_mark(folder, 3));
    MUST(log_epoch_marked(folder, &epoch));
    CU_ASSERT_EQUAL(epoch, 3);
}

SUITE(log_epoch, TEST(test_a_later_epoch_has_the_same_key_under_its_own_name),
      TEST(test_what_does_not_end_in_1_has_one_epoch), TEST(test_an_origin_names_its_epoch),
      TEST(test_origins_of_one_log_have_one_base),
      TEST(test_an_epoch_begins_with_an_entry_or_a_promise),
      TEST(test_the_number_that_was_reached_is_noted))
