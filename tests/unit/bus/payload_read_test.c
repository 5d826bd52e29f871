// SPDX-License-Identifier: MIT
/* A reader that keeps files open sees what one that opens them each time sees, also while a node
 * writes. */
#include "tests/unit/bus/payloads.h"

static enum payload_state read_with(struct payload_reader *reader, uint64_t i)
{
    uint8_t room[512];
    struct sha256 leaf = leaf_of(i, 0);
    enum payload_state state = PAYLOAD_NONE;
    OWNED(bytes) blob = NULL;
    MUST(payload_reader_read(reader, i, &leaf, &state, &blob));
    CU_ASSERT_EQUAL(blob != NULL, state == PAYLOAD_HELD);
    CU_ASSERT(blob == NULL || span_equal(bytes_span(blob), blob_of(i, 0, room)));
    return state;
}

static void test_days_are_read_in_any_order(void)
{
    static const uint64_t order[] = {0, 5, 9, 1, 4, 6, 2, 3, 8, 7};
    const char *folder = make_store(3);
    struct payload_store *store = NULL;
    MUST(payload_store_open(folder, 3, a_holder(), &store));
    write_records(store, 3, 3, NOON_MS + DAY_MS);
    write_records(store, 6, 4, NOON_MS + 2 * DAY_MS);
    payload_store_free(&store);
    OWNED(payload_reader) reader = payload_reader_new(folder, a_ring());
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        CU_ASSERT_EQUAL(read_with(reader, order[i]), PAYLOAD_HELD);
    CU_ASSERT_EQUAL(read_with(reader, 10), PAYLOAD_NONE);
    CU_ASSERT_EQUAL(read_with(reader, 1000000), PAYLOAD_NONE);
}

static void test_a_day_that_is_begun_meanwhile_is_found(void)
{
    const char *folder = make_store(3);
    OWNED(payload_store) store = NULL;
    OWNED(payload_reader) reader = payload_reader_new(folder, a_ring());
    CU_ASSERT_EQUAL(read_with(reader, 2), PAYLOAD_HELD);
    CU_ASSERT_EQUAL(read_with(reader, 3), PAYLOAD_NONE);
    MUST(payload_store_open(folder, 3, a_holder(), &store));
    write_records(store, 3, 2, NOON_MS);
    CU_ASSERT_EQUAL(read_with(reader, 3), PAYLOAD_HELD);
    CU_ASSERT_EQUAL(read_with(reader, 5), PAYLOAD_NONE);
    write_records(store, 5, 2, NOON_MS + DAY_MS);
    CU_ASSERT_EQUAL(read_with(reader, 5), PAYLOAD_HELD);
    CU_ASSERT_EQUAL(read_with(reader, 4), PAYLOAD_HELD);
}

static void test_what_is_erased_meanwhile_is_told_from_damage(void)
{
    static const uint64_t list[] = {1};
    const char *folder = make_store(4);
    struct payload_store *store = NULL;
    uint64_t erased = 0;
    OWNED(payload_reader) reader = payload_reader_new(folder, a_ring());
    CU_ASSERT_EQUAL(read_with(reader, 0), PAYLOAD_HELD);
    MUST(payload_store_open(folder, 4, a_holder(), &store));
    MUST(payload_store_erase(store, list, 1, &erased));
    CU_ASSERT_EQUAL(read_with(reader, 1), PAYLOAD_ERASED);
    payload_store_free(&store);
    MUST(payload_store_open(folder, 4, a_holder(), &store)); /* the slab changes its key */
    payload_store_free(&store);
    for (uint64_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(read_with(reader, i), i == 1 ? PAYLOAD_ERASED : PAYLOAD_HELD);
}

static void test_damage_is_found_each_time_and_spoils_no_other_record(void)
{
    const char *folder = make_store(4);
    struct sha256 leaf = leaf_of(2, 0);
    enum payload_state state;
    OWNED(bytes) blob = NULL;
    OWNED(payload_reader) reader = payload_reader_new(folder, a_ring());
    flip(payloads_of(folder, FIRST_DAY), frame_of(2) + 30, 0x01);
    for (int again = 0; again < 3; again++) {
        MUST_FAIL(LOG_BROKEN, payload_reader_read(reader, 2, &leaf, &state, &blob));
        CU_ASSERT_EQUAL(read_with(reader, 3), PAYLOAD_HELD);
    }
}

static void test_without_a_folder_there_is_nothing(void)
{
    OWNED(payload_reader) reader = payload_reader_new("/nonexistent", a_ring());
    CU_ASSERT_EQUAL(read_with(reader, 0), PAYLOAD_NONE);
    CU_ASSERT_EQUAL(read_with(reader, 1), PAYLOAD_NONE);
}

SUITE(payload_read, TEST(test_days_are_read_in_any_order),
      TEST(test_a_day_that_is_begun_meanwhile_is_found),
      TEST(test_what_is_erased_meanwhile_is_told_from_damage),
      TEST(test_damage_is_found_each_time_and_spoils_no_other_record),
      TEST(test_without_a_folder_there_is_nothing))
