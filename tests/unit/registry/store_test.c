// SPDX-License-Identifier: MIT
#include "tests/unit/registry/authority.h"

#include <sys/stat.h>
#include <unistd.h>

#define DANE_ADD "member add CO/GOV/899999027 --name DANE --public"
#define NOW_MS INT64_C(1790000000500)

static size_t acts_in(const struct place *place)
{
    OWNED(store) store = NULL;
    MUST(store_look(place->at, &store));
    return store_count(store);
}

static bool is_private(const struct place *store, const char *name)
{
    struct stat facts;
    struct place file = place_in(store->at, name);
    return stat(file.at, &facts) == 0 && (facts.st_mode & 077) == 0;
}

static void test_a_new_store_has_its_first_act_and_private_keys(void)
{
    struct place place = authority_make();
    OWNED(store) store = authority_open(&place);
    CU_ASSERT_EQUAL(store_count(store), 1);
    CU_ASSERT_EQUAL(store_valid_days(store), 30);
    CU_ASSERT_STRING_EQUAL(directory_instance(store_state(store)), "CO");
    CU_ASSERT(is_private(&place, "keys"));
    CU_ASSERT(is_private(&place, "keys/ca.key"));
    CU_ASSERT(is_private(&place, "keys/acts.key"));
    CU_ASSERT(is_private(&place, "keys/log.key"));
    const struct certificate_subject *subject = certificate_subject(store_authority(store));
    CU_ASSERT_STRING_EQUAL(subject->member, "CO/AUTHORITY/REGISTRY");
}

static void leave(const char *folder, const char *name, const char *file)
{
    struct place left = place_in(folder, name), keys = place_in(left.at, "keys");
    struct place path = place_in(left.at, file);
    MUST(file_make_folders(keys.at, 0700));
    place_write(&path, span_of_text("x"));
}

static bool is_there(const char *folder, const char *name)
{
    struct place place = place_in(folder, name);
    return access(place.at, F_OK) == 0;
}

static void test_what_one_that_was_stopped_left_goes_and_nothing_else(void)
{
    const struct store_plan plan = {
        .instance = "CO", .name = "A", .origin = "chaski/CO/directory", .valid_days = 30};
    const char *folder = unit_folder();
    struct place store = place_in(folder, "store");
    leave(folder, "store.new-77", "keys/ca.key");
    leave(folder, "store.new-78", "acts.log"); /* whole enough to be somebody's */
    leave(folder, "store.new-2026b", "keys/ca.key");
    leave(folder, "store2.new-77", "keys/ca.key");
    leave(folder, "store.new-79", "keys/mine"); /* a file that no init makes */
    MUST(store_make(store.at, &plan));
    CU_ASSERT(!is_there(folder, "store.new-77"));
    CU_ASSERT(is_there(folder, "store.new-78/acts.log"));
    CU_ASSERT(is_there(folder, "store.new-2026b/keys/ca.key"));
    CU_ASSERT(is_there(folder, "store2.new-77/keys/ca.key"));
    CU_ASSERT(is_there(folder, "store.new-79/keys/mine"));
}

static void test_a_store_is_not_made_over_another(void)
{
    const struct store_plan plan = {"CO", "Otra", "chaski/CO/directory", 30, 0, NULL};
    struct place place = authority_make();
    struct place head = place_in(place.at, "acts.head");
    OWNED(bytes) before = place_read(&head);
    MUST_FAIL(REFUSED, store_make(place.at, &plan));
    OWNED(bytes) after = place_read(&head);
    CU_ASSERT(span_equal(bytes_span(before), bytes_span(after)));
    OWNED(store) store = authority_open(&place);
    CU_ASSERT_EQUAL(store_count(store), 1);
}

static void test_a_bad_plan_leaves_nothing_behind(void)
{
    static const char *const bad[] = {"", "C/O", "C O", " CO", "C%O"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct store_plan plan = {bad[i], "X", "chaski/x", 30, 0, NULL};
        struct place place = place_in(unit_folder(), "store");
        CU_ASSERT(failed(store_make(place.at, &plan)));
        CU_ASSERT_NOT_EQUAL(access(place.at, F_OK), 0);
    }
    /* fails half-way, when the log's key is named */
    const struct store_plan plan = {"CO", "X", "has a blank", 30, 0, NULL};
    const char *folder = unit_folder();
    struct place place = place_in(folder, "store");
    CU_ASSERT(failed(store_make(place.at, &plan)));
    CU_ASSERT_EQUAL(rmdir(folder), 0); /* only an empty folder goes */
    CU_ASSERT_EQUAL(mkdir(folder, 0700), 0);
}

static void test_an_act_stays(void)
{
    struct place place = authority_make();
    MUST(authority_run(&place, DANE_ADD));
    OWNED(store) store = authority_open(&place);
    const struct directory_member *member =
        directory_member(store_state(store), span_of_text("CO/GOV/899999027"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(member);
    CU_ASSERT_STRING_EQUAL(member->name, "DANE");
    CU_ASSERT(member->public_agency);
}

static void test_a_refused_act_is_not_stored(void)
{
    struct place place = authority_make();
    struct place log = place_in(place.at, "acts.log");
    OWNED(bytes) before = place_read(&log);
    MUST_FAIL(REFUSED, authority_run(&place, "member add CO/AUTHORITY/X --name X"));
    MUST_FAIL(REFUSED, authority_run(&place, "member add EC/GOV/1 --name X"));
    MUST_FAIL(REFUSED, authority_run(&place, "service add CO/GOV/1/A/b"));
    OWNED(bytes) after = place_read(&log);
    CU_ASSERT(span_equal(bytes_span(before), bytes_span(after)));
    CU_ASSERT_EQUAL(acts_in(&place), 1);
}

static void test_what_is_not_committed_does_not_count(void)
{
    struct place place = authority_make();
    {
        OWNED(store) store = authority_open(&place);
        MUST(authority_tell(store, DANE_ADD));
        CU_ASSERT_EQUAL(store_count(store), 2);
    }
    CU_ASSERT_EQUAL(acts_in(&place), 1);
}

static void test_two_commands_do_not_interleave(void)
{
    struct place place = authority_make();
    OWNED(store) first = authority_open(&place);
    OWNED(store) second = NULL;
    MUST_FAIL(REFUSED, store_open(place.at, &second));
    MUST(store_look(place.at, &second)); /* looking is free */
    store_free(&first);
    store_free(&second);
    MUST(store_open(place.at, &second));
}

/* A crash between the frames and the head: any part of the last command may be there. */
static void test_an_unfinished_command_is_cut_off(void)
{
    struct place place = authority_make();
    struct place log = place_in(place.at, "acts.log");
    struct place head = place_in(place.at, "acts.head");
    OWNED(bytes) old_log = place_read(&log);
    OWNED(bytes) old_head = place_read(&head);
    MUST(authority_run(&place, DANE_ADD));
    OWNED(bytes) new_log = place_read(&log);
    for (size_t cut = old_log->size + 1; cut <= new_log->size; cut += 37) {
        place_write(&log, span_of(new_log->data, cut));
        place_write(&head, bytes_span(old_head));
        CU_ASSERT_EQUAL(acts_in(&place), 1); /* looking leaves it aside */
        OWNED(store) store = authority_open(&place);
        CU_ASSERT_EQUAL(store_cut_bytes(store), cut - old_log->size);
        CU_ASSERT_EQUAL(store_count(store), 1);
        store_free(&store);
        OWNED(bytes) mended = place_read(&log);
        CU_ASSERT(span_equal(bytes_span(mended), bytes_span(old_log)));
    }
    MUST(authority_run(&place, DANE_ADD));
    CU_ASSERT_EQUAL(acts_in(&place), 2);
}

static void test_a_byte_changed_anywhere_is_noticed(void)
{
    static const char *const names[] = {"acts.log", "acts.head"};
    struct place place = authority_make();
    MUST(authority_run(&place, DANE_ADD));
    for (size_t n = 0; n < 2; n++) {
        struct place file = place_in(place.at, names[n]);
        OWNED(bytes) sound = place_read(&file);
        for (size_t i = 0; i < sound->size; i += n == 0 ? 5 : 1) {
            OWNED(store) store = NULL;
            sound->data[i] ^= 0x01;
            place_write(&file, bytes_span(sound));
            sound->data[i] ^= 0x01;
            fault f = store_open(place.at, &store);
            CU_ASSERT(f.code == LOG_BROKEN || f.code == LOG_SHRUNK);
            OWNED(bytes) left = place_read(&file);
            CU_ASSERT_EQUAL(left->size, sound->size); /* refused, not repaired */
        }
        place_write(&file, bytes_span(sound));
    }
    CU_ASSERT_EQUAL(acts_in(&place), 2);
}

static void test_a_cut_log_is_refused(void)
{
    struct place place = authority_make();
    struct place log = place_in(place.at, "acts.log");
    MUST(authority_run(&place, DANE_ADD));
    OWNED(bytes) sound = place_read(&log);
    OWNED(store) store = NULL;
    place_write(&log, span_of(sound->data, sound->size - 1));
    MUST_FAIL(LOG_SHRUNK, store_open(place.at, &store));
}

static void test_acts_of_another_authority_are_refused(void)
{
    struct place place = authority_make(), other = authority_make();
    static const char *const names[] = {"acts.log", "acts.head"};
    for (size_t i = 0; i < 2; i++) {
        struct place from = place_in(other.at, names[i]), to = place_in(place.at, names[i]);
        OWNED(bytes) bytes = place_read(&from);
        place_write(&to, bytes_span(bytes));
    }
    OWNED(store) store = NULL;
    MUST_FAIL(LOG_BROKEN, store_open(place.at, &store));
}

static void test_a_key_open_to_others_is_refused(void)
{
    struct place place = authority_make();
    struct place key = place_in(place.at, "keys/acts.key");
    OWNED(store) store = NULL;
    CU_ASSERT_EQUAL_FATAL(chmod(key.at, 0644), 0);
    MUST_FAIL(BAD_KEY, store_open(place.at, &store));
}

static void test_acts_do_not_go_back_in_time(void)
{
    clock_set_for_test(NOW_MS, 0);
    struct place place = authority_make();
    MUST(authority_run(&place, DANE_ADD));
    clock_set_for_test(NOW_MS - 60000, 0); /* a clock that was put right */
    MUST(authority_run(&place, "member add CO/GOV/1 --name Uno"));
    OWNED(store) store = authority_open(&place);
    CU_ASSERT_EQUAL(store_time(store), NOW_MS);
    clock_set_for_test(0, -1);
}

static void test_a_clock_that_was_ahead_stops_no_act(void)
{
    clock_set_for_test(NOW_MS, 0);
    struct place place = authority_make();
    clock_set_for_test(NOW_MS + STORE_DAY_MS, 0);
    MUST(authority_run(&place, DANE_ADD));
    clock_set_for_test(NOW_MS, 0);
    MUST(authority_run(&place, "member add CO/GOV/2 --name Dos"));
    OWNED(store) store = authority_open(&place);
    CU_ASSERT_EQUAL(directory_last_ms(store_state(store)), NOW_MS + STORE_DAY_MS);
    clock_set_for_test(0, -1);
}

static void test_what_is_issued_is_good_from_the_clock_s_time_on(void)
{
    clock_set_for_test(NOW_MS, 0);
    struct place place = authority_make();
    clock_set_for_test(NOW_MS + STORE_DAY_MS, 0);
    MUST(authority_run(&place, DANE_ADD));
    clock_set_for_test(NOW_MS, 0);
    OWNED(store) store = authority_open(&place);
    MUST(store_make_issuer(store, "CA-2"));
    char path[600];
    OWNED(certificate) made = NULL;
    CU_ASSERT_FATAL(text_format(path, sizeof path, "%s/ca-CA-2.pem", place.at));
    MUST(certificate_load(path, &made));
    CU_ASSERT(certificate_not_before_ms(made) <= NOW_MS);
    clock_set_for_test(0, 0); /* a machine that does not know the time at all */
    MUST_FAIL(REFUSED, store_make_issuer(store, "CA-3"));
    clock_set_for_test(0, -1);
}

SUITE(store, TEST(test_a_new_store_has_its_first_act_and_private_keys),
      TEST(test_what_one_that_was_stopped_left_goes_and_nothing_else),
      TEST(test_a_store_is_not_made_over_another), TEST(test_a_bad_plan_leaves_nothing_behind),
      TEST(test_an_act_stays), TEST(test_a_refused_act_is_not_stored),
      TEST(test_what_is_not_committed_does_not_count), TEST(test_two_commands_do_not_interleave),
      TEST(test_an_unfinished_command_is_cut_off), TEST(test_a_byte_changed_anywhere_is_noticed),
      TEST(test_a_cut_log_is_refused), TEST(test_acts_of_another_authority_are_refused),
      TEST(test_a_key_open_to_others_is_refused), TEST(test_acts_do_not_go_back_in_time),
      TEST(test_a_clock_that_was_ahead_stops_no_act),
      TEST(test_what_is_issued_is_good_from_the_clock_s_time_on))
