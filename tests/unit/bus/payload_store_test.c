// SPDX-License-Identifier: MIT
#include "lib/bus/payload_store.h"

#include "tests/unit/bus/payloads.h"

// --- reading back -------------------------------------------------------------------------------

static void test_what_was_written_is_read_back(void)
{
    const char *folder = unit_folder();
    OWNED(payload_store) store = NULL;
    MUST(payload_store_open(folder, 0, a_holder(), &store));
    write_records(store, 0, 300, NOON_MS);
    CU_ASSERT_EQUAL(count_held(folder, 0, 300), 300); /* while it is open for writing */
    payload_store_free(&store);
    CU_ASSERT_EQUAL(count_held(folder, 0, 300), 300);
}

static void test_a_large_payload_is_read_back(void)
{
    const char *folder = unit_folder();
    struct sha256 leaf = leaf_of(0, 0);
    enum payload_state state;
    OWNED(payload_store) store = NULL;
    OWNED(bytes) large = NULL;
    OWNED(bytes) back = NULL;
    MUST(bytes_new(9u << 20, &large)); /* more than is filled ahead at once */
    for (size_t i = 0; i < large->size; i++)
        large->data[i] = (uint8_t)(i * 7 / 5);
    MUST(payload_store_open(folder, 0, a_holder(), &store));
    MUST(payload_store_write(store, 0, &leaf, bytes_span(large), NOON_MS));
    write_records(store, 1, 1, NOON_MS);
    MUST(payload_store_read(folder, a_ring(), 0, &leaf, &state, &back));
    CU_ASSERT_EQUAL(state, PAYLOAD_HELD);
    CU_ASSERT(span_equal(bytes_span(back), bytes_span(large)));
    CU_ASSERT(holds(folder, 1, 0));
}

static void test_a_record_without_payload_has_none(void)
{
    const char *folder = unit_folder();
    struct sha256 leaf = leaf_of(1, 0);
    OWNED(payload_store) store = NULL;
    CU_ASSERT_EQUAL(state_of(folder, 0), PAYLOAD_NONE); /* nothing was ever written here */
    MUST(payload_store_open(folder, 0, a_holder(), &store));
    write_records(store, 0, 1, NOON_MS);
    MUST(payload_store_write(store, 1, &leaf, (struct span){0}, NOON_MS));
    write_records(store, 2, 1, NOON_MS);
    CU_ASSERT_EQUAL(state_of(folder, 1), PAYLOAD_NONE);
    CU_ASSERT_EQUAL(count_held(folder, 0, 3), 2);
    CU_ASSERT_EQUAL(state_of(folder, 3), PAYLOAD_NONE);
    CU_ASSERT_EQUAL(state_of(folder, 1000000), PAYLOAD_NONE); /* behind the end of the slab */
}

static void test_payloads_and_keys_are_for_their_owner_only(void)
{
    const char *folder = make_store(1);
    struct path paths[] = {slab_of(folder, FIRST_DAY), payloads_of(folder, FIRST_DAY)};
    for (size_t i = 0; i < 2; i++) {
        struct stat facts;
        CU_ASSERT_EQUAL_FATAL(stat(paths[i].at, &facts), 0);
        CU_ASSERT_EQUAL(facts.st_mode & 077, 0);
    }
}

// --- keys ---------------------------------------------------------------------------------------

static enum payload_state state_with(const char *folder, struct key_ring *ring, uint64_t i)
{
    struct sha256 leaf = leaf_of(i, 0);
    enum payload_state state = PAYLOAD_NONE;
    OWNED(bytes) blob = NULL;
    MUST(payload_store_read(folder, ring, i, &leaf, &state, &blob));
    CU_ASSERT_EQUAL(blob != NULL, state == PAYLOAD_HELD);
    return state;
}

static void test_without_the_store_key_a_payload_is_sealed(void)
{
    const char *folder = make_store(3);
    CU_ASSERT_EQUAL(state_with(folder, NULL, 1), PAYLOAD_SEALED);
    CU_ASSERT_EQUAL(state_with(folder, another_ring(), 1), PAYLOAD_SEALED);
    CU_ASSERT_EQUAL(state_with(folder, a_ring(), 1), PAYLOAD_HELD);
    flip(payloads_of(folder, FIRST_DAY), frame_of(1) + 30, 0x01); /* its rot is seen all the same */
    struct sha256 leaf = leaf_of(1, 0);
    enum payload_state state;
    OWNED(bytes) blob = NULL;
    MUST_FAIL(LOG_BROKEN, payload_store_read(folder, NULL, 1, &leaf, &state, &blob));
}

static void test_a_day_key_alone_opens_its_day_and_no_other(void)
{
    const char *folder = make_store(3);
    struct payload_store *store = NULL;
    MUST(payload_store_open(folder, 3, a_holder(), &store));
    write_records(store, 3, 3, NOON_MS + DAY_MS);
    payload_store_free(&store);
    OWNED(key_ring) all = key_ring_new(a_holder());
    OWNED(key_ring) one = key_ring_new(NULL);
    struct slab_head head;
    struct day_key *found = NULL;
    uint8_t key[KEY_WRAP_BYTES];
    OWNED(day_key) given = NULL;
    int fd = open(slab_of(folder, FIRST_DAY).at, O_RDONLY | O_CLOEXEC);
    MUST(slab_head_read(fd, &head));
    close(fd);
    MUST(key_ring_find(all, folder, FIRST_DAY, head.key_id, &found));
    MUST(a_holder()->unwrap(a_holder()->owner, found->wrapped, key));
    MUST(day_key_take(key, found->wrapped, &given));
    key_ring_add(one, &given);
    CU_ASSERT_EQUAL(state_with(folder, one, 1), PAYLOAD_HELD);
    CU_ASSERT_EQUAL(state_with(folder, one, 4), PAYLOAD_SEALED);
}

static void test_a_store_under_another_store_key_is_not_opened(void)
{
    const char *folder = make_store(3);
    OWNED(payload_store) store = NULL;
    MUST_FAIL(BAD_KEY, payload_store_open(folder, 3, another_holder(), &store));
    MUST(payload_store_open(folder, 3, a_holder(), &store));
}

static void test_each_day_has_a_key_of_its_own(void)
{
    const char *folder = make_store(3);
    struct slab_head head[2];
    OWNED(payload_store) store = NULL;
    MUST(payload_store_open(folder, 3, a_holder(), &store));
    write_records(store, 3, 3, NOON_MS + DAY_MS);
    const char *days[] = {FIRST_DAY, NEXT_DAY};
    for (size_t i = 0; i < 2; i++) {
        int fd = open(slab_of(folder, days[i]).at, O_RDONLY | O_CLOEXEC);
        MUST(slab_head_read(fd, &head[i]));
        close(fd);
    }
    CU_ASSERT_NOT_EQUAL(head[0].key_id, head[1].key_id);
    CU_ASSERT_EQUAL(count_held(folder, 0, 6), 6);
}

static void test_without_a_spare_key_a_store_stays_with_its_day(void)
{
    const char *folder = unit_folder();
    uint8_t room[512];
    struct sha256 leaf = leaf_of(1, 0);
    OWNED(payload_store) store = NULL;
    MUST(payload_store_open(folder, 0, a_holder(), &store));
    CU_ASSERT(!payload_store_wants_spare(store));
    leaf = leaf_of(0, 0);
    MUST(payload_store_write(store, 0, &leaf, blob_of(0, 0, room), NOON_MS));
    CU_ASSERT(payload_store_wants_spare(store));
    leaf = leaf_of(1, 0);
    MUST(payload_store_write(store, 1, &leaf, blob_of(1, 0, room), NOON_MS + DAY_MS));
    MUST(payload_store_put(store));
    CU_ASSERT(!is_there(slab_of(folder, NEXT_DAY)));
    give_spare(store);
    leaf = leaf_of(2, 0);
    MUST(payload_store_write(store, 2, &leaf, blob_of(2, 0, room), NOON_MS + DAY_MS));
    MUST(payload_store_put(store));
    CU_ASSERT(is_there(slab_of(folder, NEXT_DAY)));
    CU_ASSERT_EQUAL(count_held(folder, 0, 3), 3);
}

static void test_what_is_kept_of_yesterday_is_read_by_the_store_itself(void)
{
    const char *folder = make_store(3);
    enum payload_state state;
    struct sha256 leaf = leaf_of(1, 0);
    struct payload_store *store = NULL;
    for (int run = 0; run < 2; run++) {
        OWNED(bytes) blob = NULL;
        MUST(payload_store_open(folder, 3 + (uint64_t)run, a_holder(), &store));
        if (run == 0)
            write_records(store, 3, 1, NOON_MS + DAY_MS);
        MUST(payload_store_read_own(store, 1, &leaf, &state, &blob));
        CU_ASSERT_EQUAL(state, PAYLOAD_HELD);
        payload_store_free(&store);
    }
}

// --- days ---------------------------------------------------------------------------------------

static void test_the_next_day_opens_new_files_and_both_days_are_read_back(void)
{
    const char *folder = unit_folder();
    OWNED(payload_store) store = NULL;
    MUST(payload_store_open(folder, 0, a_holder(), &store));
    write_records(store, 0, 20, NOON_MS);
    CU_ASSERT(!is_there(slab_of(folder, NEXT_DAY)));
    write_records(store, 20, 20, NOON_MS + DAY_MS / 2); /* its first millisecond */
    CU_ASSERT(is_there(slab_of(folder, FIRST_DAY)));
    CU_ASSERT(is_there(payloads_of(folder, FIRST_DAY)));
    CU_ASSERT(is_there(slab_of(folder, NEXT_DAY)));
    CU_ASSERT(is_there(payloads_of(folder, NEXT_DAY)));
    CU_ASSERT_EQUAL(count_held(folder, 0, 40), 40);
}

static void test_a_clock_that_goes_back_stays_with_the_newer_day(void)
{
    const char *folder = unit_folder();
    struct payload_store *store = NULL;
    MUST(payload_store_open(folder, 0, a_holder(), &store));
    write_records(store, 0, 10, NOON_MS + DAY_MS);
    write_records(store, 10, 10, NOON_MS);
    CU_ASSERT(!is_there(slab_of(folder, FIRST_DAY)));
    payload_store_free(&store);
    MUST(payload_store_open(folder, 20, a_holder(), &store)); /* and so it does after a restart */
    write_records(store, 20, 10, NOON_MS - 3 * DAY_MS);
    payload_store_free(&store);
    CU_ASSERT(!is_there(slab_of(folder, FIRST_DAY)));
    CU_ASSERT_EQUAL(count_held(folder, 0, 30), 30);
}

// --- opening again ------------------------------------------------------------------------------

static void test_an_opened_store_goes_on_after_its_last_record(void)
{
    const char *folder = make_store(50);
    struct payload_store *store = NULL;
    MUST(payload_store_open(folder, 50, a_holder(), &store));
    write_records(store, 50, 50, NOON_MS);
    payload_store_free(&store);
    CU_ASSERT_EQUAL(count_held(folder, 0, 100), 100);
    MUST(payload_store_open(folder, 100, a_holder(), &store)); /* on a later day: both days go on */
    write_records(store, 100, 10, NOON_MS + DAY_MS);
    payload_store_free(&store);
    MUST(payload_store_open(folder, 110, a_holder(), &store));
    write_records(store, 110, 10, NOON_MS + DAY_MS);
    payload_store_free(&store);
    CU_ASSERT_EQUAL(count_held(folder, 0, 120), 120);
}

static void test_an_opened_store_goes_on_behind_records_without_payload(void)
{
    const char *folder = make_store(5);
    struct payload_store *store = NULL;
    MUST(payload_store_open(folder, 5, a_holder(), &store));
    for (uint64_t i = 5; i < 8; i++) {
        struct sha256 leaf = leaf_of(i, 0);
        MUST(payload_store_write(store, i, &leaf, (struct span){0}, NOON_MS));
    }
    MUST(payload_store_put(store));
    payload_store_free(&store);
    MUST(payload_store_open(folder, 8, a_holder(), &store));
    write_records(store, 8, 5, NOON_MS);
    payload_store_free(&store);
    CU_ASSERT_EQUAL(count_held(folder, 0, 13), 10);
}

/* Nothing of a group is to be read before it is put; one that is given up leaves no trace. */
static void test_a_group_that_is_given_up_leaves_nothing(void)
{
    const char *folder = make_store(5);
    uint8_t room[512];
    struct payload_store *store = NULL;
    MUST(payload_store_open(folder, 5, a_holder(), &store));
    for (uint64_t i = 5; i < 8; i++) {
        struct sha256 leaf = leaf_of(i, 1);
        MUST(payload_store_write(store, i, &leaf, blob_of(i, 1, room), NOON_MS));
    }
    CU_ASSERT_EQUAL(state_of(folder, 5), PAYLOAD_NONE);
    write_records(store, 5, 2, NOON_MS); /* the first indexes come again */
    CU_ASSERT_EQUAL(count_held(folder, 0, 7), 7);
    CU_ASSERT_EQUAL(state_of(folder, 7), PAYLOAD_NONE);
    payload_store_free(&store);
    MUST(payload_store_open(folder, 7, a_holder(), &store));
    CU_ASSERT_EQUAL(payload_store_ahead(store), 0);
    payload_store_free(&store);
}

/* More than is gathered at once, with a day's end in its midst. */
static void test_a_group_may_be_large_and_end_on_another_day(void)
{
    const char *folder = unit_folder();
    enum payload_state state;
    OWNED(payload_store) store = NULL;
    OWNED(bytes) large = NULL;
    MUST(bytes_new(300u << 10, &large));
    MUST(payload_store_open(folder, 0, a_holder(), &store));
    for (uint64_t i = 0; i < 12; i++) {
        struct sha256 leaf = leaf_of(i, 0);
        memset(large->data, (int)i + 1, large->size);
        give_spare(store);
        MUST(payload_store_write(store, i, &leaf, bytes_span(large),
                                 i < 6 ? NOON_MS : NOON_MS + DAY_MS));
    }
    MUST(payload_store_put(store));
    for (uint64_t i = 0; i < 12; i++) {
        struct sha256 leaf = leaf_of(i, 0);
        OWNED(bytes) back = NULL;
        memset(large->data, (int)i + 1, large->size);
        MUST(payload_store_read(folder, a_ring(), i, &leaf, &state, &back));
        CU_ASSERT(span_equal(bytes_span(back), bytes_span(large)));
    }
    CU_ASSERT(is_there(slab_of(folder, NEXT_DAY)));
}

/* A group that was written but never came into the log: its indexes come again. */
static void test_what_the_log_does_not_know_is_written_over(void)
{
    const char *folder = make_store(30);
    struct stat before, after;
    OWNED(payload_store) store = NULL;
    CU_ASSERT_EQUAL(stat(payloads_of(folder, FIRST_DAY).at, &before), 0);
    MUST(payload_store_open(folder, 20, a_holder(), &store));
    write_version(store, 20, 4, 1, NOON_MS);
    CU_ASSERT_EQUAL(count_held(folder, 0, 20), 20);
    for (uint64_t i = 20; i < 24; i++) {
        CU_ASSERT(holds(folder, i, 1));
        CU_ASSERT(is_broken(folder, i)); /* under the leaf of its first version */
    }
    write_version(store, 24, 20, 1, NOON_MS);
    for (uint64_t i = 20; i < 44; i++)
        CU_ASSERT(holds(folder, i, 1));
    CU_ASSERT_EQUAL(count_held(folder, 0, 20), 20);
    CU_ASSERT_EQUAL(stat(payloads_of(folder, FIRST_DAY).at, &after), 0);
    CU_ASSERT_EQUAL(after.st_size, before.st_size);
}

static void test_a_group_is_tried_again_with_the_same_indexes(void)
{
    const char *folder = make_store(10);
    OWNED(payload_store) store = NULL;
    MUST(payload_store_open(folder, 10, a_holder(), &store));
    write_version(store, 10, 5, 1, NOON_MS);
    write_records(store, 10, 3, NOON_MS);
    write_records(store, 13, 10, NOON_MS);
    CU_ASSERT_EQUAL(count_held(folder, 0, 23), 23);
}

static void test_a_group_may_be_tried_again_on_the_next_day(void)
{
    const char *folder = make_store(10);
    OWNED(payload_store) store = NULL;
    MUST(payload_store_open(folder, 10, a_holder(), &store));
    write_version(store, 10, 5, 1, NOON_MS);
    write_records(store, 10, 20, NOON_MS + DAY_MS);
    CU_ASSERT_EQUAL(count_held(folder, 0, 30), 30);
}

// --- damage -------------------------------------------------------------------------------------

static void test_a_payload_opens_under_its_own_leaf_only(void)
{
    const char *folder = make_store(3);
    struct sha256 wrong = leaf_of(1, 9);
    enum payload_state state;
    OWNED(bytes) blob = NULL;
    MUST_FAIL(LOG_BROKEN, payload_store_read(folder, a_ring(), 1, &wrong, &state, &blob));
    CU_ASSERT_PTR_NULL(blob);
    CU_ASSERT(holds(folder, 1, 0));
}

static void test_every_flipped_byte_of_a_frame_is_noticed(void)
{
    const char *folder = make_store(4);
    struct path path = payloads_of(folder, FIRST_DAY);
    for (off_t at = frame_of(2); at < frame_of(3); at++) {
        flip(path, at, 0x04);
        CU_ASSERT(is_broken(folder, 2));
        CU_ASSERT(holds(folder, 1, 0) && holds(folder, 3, 0));
        flip(path, at, 0x04);
    }
    CU_ASSERT_EQUAL(count_held(folder, 0, 4), 4);
}

static void test_every_flipped_byte_of_a_slabs_head_is_noticed(void)
{
    const char *folder = make_store(4);
    struct path path = slab_of(folder, FIRST_DAY);
    OWNED(payload_store) store = NULL;
    for (off_t at = 0; at < SLAB_HEAD_BYTES; at++) {
        flip(path, at, 0x40);
        CU_ASSERT(is_broken(folder, 2));
        MUST_FAIL(LOG_BROKEN, payload_store_open(folder, 4, a_holder(), &store));
        flip(path, at, 0x40);
    }
    CU_ASSERT_EQUAL(count_held(folder, 0, 4), 4);
}

static void test_every_flipped_byte_of_a_day_key_is_noticed(void)
{
    const char *folder = make_store(4);
    struct path path = key_of(folder, FIRST_DAY);
    OWNED(payload_store) store = NULL;
    for (off_t at = 0; at < 512; at++) {
        flip(path, at, 0x40);
        CU_ASSERT(is_broken(folder, 2));
        MUST_FAIL(LOG_BROKEN, payload_store_open(folder, 4, a_holder(), &store));
        flip(path, at, 0x40);
    }
    CU_ASSERT_EQUAL(count_held(folder, 0, 4), 4);
    CU_ASSERT_EQUAL(unlink(path.at), 0);
    CU_ASSERT(is_broken(folder, 2));
    MUST_FAIL(LOG_BROKEN, payload_store_open(folder, 4, a_holder(), &store));
}

static void test_every_flipped_byte_of_a_slot_is_noticed(void)
{
    const char *folder = make_store(4);
    struct path path = slab_of(folder, FIRST_DAY);
    for (off_t i = 0; i < SLOT_BYTES; i++) {
        off_t at = SLAB_HEAD_BYTES + 2 * SLOT_BYTES + i;
        flip(path, at, 0x40);
        CU_ASSERT(is_broken(folder, 2));
        CU_ASSERT(holds(folder, 1, 0) && holds(folder, 3, 0));
        flip(path, at, 0x40);
    }
    CU_ASSERT_EQUAL(count_held(folder, 0, 4), 4);
}

static void test_payloads_that_are_missing_are_noticed(void)
{
    const char *folder = make_store(4);
    struct path path = payloads_of(folder, FIRST_DAY);
    CU_ASSERT_EQUAL(truncate(path.at, frame_of(3) - 1), 0);
    CU_ASSERT_EQUAL(count_held(folder, 0, 4), 2);
    CU_ASSERT(is_broken(folder, 2) && is_broken(folder, 3));
    CU_ASSERT_EQUAL(unlink(path.at), 0);
    CU_ASSERT(is_broken(folder, 0));
}

/* Its last slot says where to write on: into other payloads, or so far away that the disk fills. */
static void test_a_store_is_not_opened_on_a_damaged_last_slot(void)
{
    const char *folder = make_store(4);
    struct path path = slab_of(folder, FIRST_DAY);
    OWNED(payload_store) store = NULL;
    for (off_t i = 0; i < SLOT_BYTES; i++) {
        off_t at = SLAB_HEAD_BYTES + 3 * SLOT_BYTES + i;
        flip(path, at, 0x40);
        MUST_FAIL(LOG_BROKEN, payload_store_open(folder, 4, a_holder(), &store));
        payload_store_free(&store);
        flip(path, at, 0x40);
    }
    MUST(payload_store_open(folder, 4, a_holder(), &store));
    CU_ASSERT_EQUAL(count_held(folder, 0, 4), 4);
}

/* Whoever began such a slab anew would write over the keys in it. */
static void test_a_slab_with_a_damaged_head_is_neither_skipped_nor_begun_anew(void)
{
    const char *folder = make_store(4);
    struct path path = slab_of(folder, FIRST_DAY);
    OWNED(payload_store) store = NULL;
    flip(path, 3, 0x20);
    MUST_FAIL(LOG_BROKEN, payload_store_open(folder, 4, a_holder(), &store));
    CU_ASSERT(is_broken(folder, 2));
    flip(path, 3, 0x20);
    CU_ASSERT_EQUAL(count_held(folder, 0, 4), 4);
}

/* Where it begins nobody knows: what an older day holds is still there, and of the rest it is not
 * said that there never was any. */
static void test_a_day_with_a_damaged_head_spoils_no_other_day(void)
{
    const char *folder = make_store(4);
    OWNED(payload_store) store = NULL;
    MUST(payload_store_open(folder, 4, a_holder(), &store));
    write_records(store, 4, 4, NOON_MS + DAY_MS);
    write_records(store, 8, 4, NOON_MS + 2 * DAY_MS);
    flip(slab_of(folder, NEXT_DAY), 0, 0x01);
    CU_ASSERT_EQUAL(count_held(folder, 0, 4), 4);
    for (uint64_t i = 4; i < 8; i++)
        CU_ASSERT(is_broken(folder, i));
    CU_ASSERT_EQUAL(count_held(folder, 8, 4), 4);
    CU_ASSERT_EQUAL(state_of(folder, 12), PAYLOAD_NONE);
}

/* A log that lost records would let the store write over the payloads of others. */
static void test_a_log_that_ends_before_the_day_begins_is_refused(void)
{
    const char *folder = make_store(10);
    struct payload_store *store = NULL;
    MUST(payload_store_open(folder, 10, a_holder(), &store));
    write_records(store, 10, 10, NOON_MS + DAY_MS);
    payload_store_free(&store);
    MUST_FAIL(LOG_SHRUNK, payload_store_open(folder, 7, a_holder(), &store));
    CU_ASSERT_EQUAL(count_held(folder, 0, 20), 20);
    MUST(payload_store_open(folder, 10, a_holder(), &store));
    payload_store_free(&store);
}

/* The power went after the slab had its size and before it had a head. */
static void test_a_slab_that_is_still_blank_is_begun(void)
{
    const char *folder = make_store(4);
    struct path path = slab_of(folder, NEXT_DAY);
    OWNED(payload_store) store = NULL;
    int fd = open(path.at, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(ftruncate(fd, 1 << 16), 0);
    close(fd);
    CU_ASSERT_EQUAL(count_held(folder, 0, 4), 4);
    MUST(payload_store_open(folder, 4, a_holder(), &store));
    write_records(store, 4, 4, NOON_MS + DAY_MS);
    CU_ASSERT_EQUAL(count_held(folder, 0, 8), 8);
}

SUITE(payload_store, TEST(test_what_was_written_is_read_back),
      TEST(test_a_large_payload_is_read_back), TEST(test_a_record_without_payload_has_none),
      TEST(test_payloads_and_keys_are_for_their_owner_only),
      TEST(test_the_next_day_opens_new_files_and_both_days_are_read_back),
      TEST(test_a_clock_that_goes_back_stays_with_the_newer_day),
      TEST(test_an_opened_store_goes_on_after_its_last_record),
      TEST(test_an_opened_store_goes_on_behind_records_without_payload),
      TEST(test_what_the_log_does_not_know_is_written_over),
      TEST(test_a_group_is_tried_again_with_the_same_indexes),
      TEST(test_a_group_that_is_given_up_leaves_nothing),
      TEST(test_a_group_may_be_large_and_end_on_another_day),
      TEST(test_a_group_may_be_tried_again_on_the_next_day),
      TEST(test_a_payload_opens_under_its_own_leaf_only),
      TEST(test_every_flipped_byte_of_a_frame_is_noticed),
      TEST(test_every_flipped_byte_of_a_slot_is_noticed),
      TEST(test_every_flipped_byte_of_a_slabs_head_is_noticed),
      TEST(test_every_flipped_byte_of_a_day_key_is_noticed),
      TEST(test_without_the_store_key_a_payload_is_sealed),
      TEST(test_a_day_key_alone_opens_its_day_and_no_other),
      TEST(test_a_store_under_another_store_key_is_not_opened),
      TEST(test_each_day_has_a_key_of_its_own),
      TEST(test_without_a_spare_key_a_store_stays_with_its_day),
      TEST(test_what_is_kept_of_yesterday_is_read_by_the_store_itself),
      TEST(test_payloads_that_are_missing_are_noticed),
      TEST(test_a_slab_with_a_damaged_head_is_neither_skipped_nor_begun_anew),
      TEST(test_a_day_with_a_damaged_head_spoils_no_other_day),
      TEST(test_a_log_that_ends_before_the_day_begins_is_refused),
      TEST(test_a_store_is_not_opened_on_a_damaged_last_slot),
      TEST(test_a_slab_that_is_still_blank_is_begun))
