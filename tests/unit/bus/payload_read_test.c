// SPDX-License-Identifier: MIT
/* A reader that keeps files open sees what one that opens them each time sees, also while a node
 * writes. */
#include "lib/bus/payload_private.h"
#include "tests/unit/bus/payloads.h"

#include <stdlib.h>
#include <time.h>

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

// --- many days ----------------------------------------------------------------------------------

enum slab_form { WHOLE, DAMAGED, BLANK, SLAB_FORMS };

static void put_slab(const char *folder, uint64_t day, uint64_t first, enum slab_form form)
{
    char path[300];
    uint8_t head[SLAB_HEAD_BYTES] = {0};
    const struct slab_head names = {.first_index = first, .key_id = day};
    if (form != BLANK)
        slab_head_put(&names, head);
    if (form == DAMAGED)
        head[20] ^= 1;
    snprintf(path, sizeof path, "%s/keys/%08llu.slab", folder, (unsigned long long)day);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_FATAL(write(fd, head, sizeof head) == (ssize_t)sizeof head);
    close(fd);
}

static const char *make_keys(void)
{
    static char path[300];
    const char *folder = unit_folder();
    snprintf(path, sizeof path, "%s/keys", folder);
    CU_ASSERT_FATAL(mkdir(path, 0700) == 0);
    return folder;
}

/* As if nothing had come into keys/ for some hours. */
static void let_settle(const char *folder, int hours)
{
    char path[300];
    const struct timespec then = {.tv_sec = time(NULL) - hours * 3600};
    const struct timespec both[2] = {then, then};
    snprintf(path, sizeof path, "%s/keys", folder);
    CU_ASSERT_FATAL(utimensat(AT_FDCWD, path, both, 0) == 0);
}

/* What payload_day_of finds by looking at all of them. */
static void check_found(const char *folder, const struct day_index *days, uint64_t index,
                        const uint64_t *first, size_t count)
{
    char day[DAY_TEXT_BYTES], damaged[DAY_TEXT_BYTES];
    char day_too[DAY_TEXT_BYTES], damaged_too[DAY_TEXT_BYTES];
    struct slab_head head = {0}, head_too = {0};
    uint64_t next = 0, next_too = UINT64_MAX;
    payload_day_of(folder, index, day, &head, damaged);
    day_index_find(days, index, day_too, &head_too, damaged_too, &next);
    CU_ASSERT_STRING_EQUAL(day, day_too);
    CU_ASSERT_STRING_EQUAL(damaged, damaged_too);
    CU_ASSERT(day[0] == '\0' ||
              (head.first_index == head_too.first_index && head.key_id == head_too.key_id));
    for (size_t i = 0; i < count; i++)
        if (first[i] > index && first[i] < next_too)
            next_too = first[i];
    CU_ASSERT_EQUAL(next, next_too);
}

static void test_an_index_finds_what_a_look_at_all_slabs_finds(void)
{
    srandom(7);
    for (int round = 0; round < 60; round++) {
        uint64_t first[40];
        size_t whole = 0, count = (size_t)random() % 40;
        const char *folder = make_keys();
        for (size_t i = 0; i < count; i++) { /* in any order, some from the same entry on */
            uint64_t begins = (uint64_t)random() % 30;
            enum slab_form form =
                random() % 3 > 0 ? WHOLE : (enum slab_form)(random() % SLAB_FORMS);
            put_slab(folder, 20260101 + i, begins, form);
            if (form == WHOLE)
                first[whole++] = begins;
        }
        OWNED(day_index) days = day_index_new(folder);
        day_index_look(days);
        for (uint64_t index = 0; index < 32; index++)
            check_found(folder, days, index, first, whole);
    }
}

static void test_an_index_is_stale_once_something_may_have_changed(void)
{
    const char *folder = make_keys();
    put_slab(folder, 20260101, 0, WHOLE);
    OWNED(day_index) days = day_index_new(folder);
    CU_ASSERT(day_index_is_stale(days));
    day_index_look(days);
    CU_ASSERT(day_index_is_stale(days)); /* what comes within one tick would not be seen */
    let_settle(folder, 2);
    day_index_look(days);
    CU_ASSERT(!day_index_is_stale(days));
    put_slab(folder, 20260102, 5, BLANK); /* a day that a node is about to begin */
    CU_ASSERT(day_index_is_stale(days));
    let_settle(folder, 1);
    day_index_look(days);
    CU_ASSERT(!day_index_is_stale(days));
    put_slab(folder, 20260102, 5, WHOLE); /* ... and has begun: its folder does not show it */
    CU_ASSERT(day_index_is_stale(days));
}

#define FEW_DAYS 200
#define MANY_DAYS 3000

/* One reader over an entry of each day, in microseconds of this process, which are as many however
 * busy the machine is: the quickest of three times. */
static int64_t days_read_us(uint64_t days)
{
    int64_t least = INT64_MAX;
    const char *folder = make_keys();
    for (uint64_t i = 0; i < days; i++)
        put_slab(folder, 10000000 + i, i, WHOLE);
    let_settle(folder, 1);
    for (int round = 0; round < 3; round++) {
        int64_t began = clock(); /* POSIX: in microseconds */
        OWNED(payload_reader) reader = payload_reader_new(folder, NULL);
        for (uint64_t i = 0; i < days; i++)
            CU_ASSERT_EQUAL(read_with(reader, i), PAYLOAD_NONE);
        int64_t took = clock() - began;
        least = took < least ? took : least;
    }
    return least;
}

static void test_an_entry_of_many_days_takes_as_long_as_one_of_few(void)
{
    int64_t few = days_read_us(FEW_DAYS), many = days_read_us(MANY_DAYS);
    CU_ASSERT(many / MANY_DAYS < 5 * few / FEW_DAYS + 5); /* by looking at all it was 15 times */
}

SUITE(payload_read, TEST(test_days_are_read_in_any_order),
      TEST(test_a_day_that_is_begun_meanwhile_is_found),
      TEST(test_what_is_erased_meanwhile_is_told_from_damage),
      TEST(test_damage_is_found_each_time_and_spoils_no_other_record),
      TEST(test_without_a_folder_there_is_nothing),
      TEST(test_an_index_finds_what_a_look_at_all_slabs_finds),
      TEST(test_an_index_is_stale_once_something_may_have_changed),
      TEST(test_an_entry_of_many_days_takes_as_long_as_one_of_few))
