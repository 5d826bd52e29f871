// SPDX-License-Identifier: MIT
#include "lib/base/file.h"
#include "tests/unit/bus/payloads.h"

#include <dirent.h>
#include <stdlib.h>

static uint64_t erase(struct payload_store *store, const uint64_t *list, size_t count)
{
    uint64_t erased = 0;
    MUST(payload_store_erase(store, list, count, &erased));
    return erased;
}

static bool is_zero(struct path path, off_t at, size_t size)
{
    uint8_t room[4096];
    int fd = open(path.at, O_RDONLY | O_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0 && size <= sizeof room);
    CU_ASSERT_EQUAL(pread(fd, room, size, at), (ssize_t)size);
    close(fd);
    for (size_t i = 0; i < size; i++)
        if (room[i] != 0)
            return false;
    return true;
}

static off_t key_in_slab(uint64_t i)
{
    return (off_t)(SLAB_HEAD_BYTES + i * SLOT_BYTES + 16);
}

static bool is_gone(const char *folder, uint64_t i)
{
    return state_of(folder, i) == PAYLOAD_ERASED &&
           is_zero(slab_of(folder, FIRST_DAY), key_in_slab(i), KEY_WRAPPED_BYTES) &&
           is_zero(payloads_of(folder, FIRST_DAY), frame_of(i),
                   (size_t)(frame_of(i + 1) - frame_of(i)));
}

static struct path mark_of(const char *folder)
{
    struct path path;
    CU_ASSERT_FATAL(text_format(path.at, sizeof path.at, "%s/keys/" FIRST_DAY ".rewrap", folder));
    return path;
}

static uint64_t id_of(const char *folder)
{
    struct slab_head head = {0};
    int fd = open(slab_of(folder, FIRST_DAY).at, O_RDONLY | O_CLOEXEC);
    MUST(slab_head_read(fd, &head));
    close(fd);
    return head.key_id;
}

static void copy_file(struct path from, struct path to)
{
    OWNED(bytes) content = NULL;
    MUST(file_read(from.at, 64u << 20, &content));
    MUST(file_replace(to.at, bytes_span(content), 0600));
}

static struct path beside(struct path path, const char *ending)
{
    struct path other;
    CU_ASSERT_FATAL(text_format(other.at, sizeof other.at, "%s%s", path.at, ending));
    return other;
}

// --- erasing ------------------------------------------------------------------------------------

static void test_erased_records_are_gone_and_the_others_stay(void)
{
    const char *folder = make_store(10);
    static const uint64_t list[] = {2, 3, 4, 7};
    OWNED(payload_store) store = NULL;
    MUST(payload_store_open(folder, 10, a_holder(), &store));
    CU_ASSERT_EQUAL(erase(store, list, 4), 4);
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT(is_gone(folder, list[i]));
    CU_ASSERT_EQUAL(count_held(folder, 0, 10), 6);
    CU_ASSERT_EQUAL(erase(store, list, 4), 0); /* once more does no harm */
    CU_ASSERT_EQUAL(count_held(folder, 0, 10), 6);
    write_records(store, 10, 5, NOON_MS);
    CU_ASSERT_EQUAL(count_held(folder, 0, 15), 11);
}

/* The last slot says where the next payload goes: also when it is erased. */
static void test_a_store_goes_on_behind_an_erased_last_record(void)
{
    const char *folder = make_store(10);
    static const uint64_t list[] = {8, 9};
    struct payload_store *store = NULL;
    MUST(payload_store_open(folder, 10, a_holder(), &store));
    erase(store, list, 2);
    payload_store_free(&store);
    MUST(payload_store_open(folder, 10, a_holder(), &store));
    write_records(store, 10, 5, NOON_MS);
    payload_store_free(&store);
    CU_ASSERT_EQUAL(count_held(folder, 0, 15), 13);
    CU_ASSERT(is_gone(folder, 8) && is_gone(folder, 9));
}

static void test_records_of_several_days_are_erased_at_once(void)
{
    const char *folder = make_store(5);
    static const uint64_t list[] = {1, 4, 5, 9};
    OWNED(payload_store) store = NULL;
    MUST(payload_store_open(folder, 5, a_holder(), &store));
    write_records(store, 5, 5, NOON_MS + DAY_MS);
    CU_ASSERT_EQUAL(erase(store, list, 4), 4);
    CU_ASSERT_EQUAL(count_held(folder, 0, 10), 6);
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(state_of(folder, list[i]), PAYLOAD_ERASED);
}

static void test_large_frames_are_overwritten_whole(void)
{
    const char *folder = unit_folder();
    struct sha256 leaf = leaf_of(0, 0);
    static const uint64_t list[] = {0};
    OWNED(payload_store) store = NULL;
    OWNED(bytes) large = NULL;
    MUST(bytes_new(3u << 20, &large));
    memset(large->data, 0x5a, large->size);
    MUST(payload_store_open(folder, 0, a_holder(), &store));
    MUST(payload_store_write(store, 0, &leaf, bytes_span(large), NOON_MS));
    write_records(store, 1, 1, NOON_MS);
    CU_ASSERT_EQUAL(erase(store, list, 1), 1);
    for (off_t at = 0; at < (off_t)large->size; at += 4096)
        CU_ASSERT(is_zero(payloads_of(folder, FIRST_DAY), at, 4096));
    CU_ASSERT(holds(folder, 1, 0));
}

static void test_what_is_held_is_found_in_steps(void)
{
    const char *folder = make_store(30);
    static const uint64_t erased[] = {3, 4};
    uint64_t list[7], next = 0, seen = 0, steps = 0;
    size_t count = 0;
    OWNED(payload_store) store = NULL;
    MUST(payload_store_open(folder, 30, a_holder(), &store));
    write_records(store, 30, 10, NOON_MS + DAY_MS);
    erase(store, erased, 2);
    while (next <= 39) {
        MUST(payload_store_held(store, next, 39, 7, list, &count, &next));
        for (size_t i = 0; i < count; i++)
            CU_ASSERT(list[i] != 3 && list[i] != 4);
        seen += count;
        steps++;
    }
    CU_ASSERT_EQUAL(seen, 38);
    CU_ASSERT(steps >= 6 && steps < 20);
}

static void test_a_salt_alone_is_told_from_a_payload(void)
{
    const char *folder = make_store(2);
    static const uint64_t list[] = {2};
    uint8_t salt[32];
    struct sha256 leaf = leaf_of(2, 0);
    enum payload_state state;
    OWNED(payload_store) store = NULL;
    OWNED(bytes) back = NULL;
    memset(salt, 9, sizeof salt);
    MUST(payload_store_open(folder, 2, a_holder(), &store));
    MUST(payload_store_write_salt(store, 2, &leaf, span_of(salt, sizeof salt), NOON_MS));
    MUST(payload_store_put(store));
    MUST(payload_store_read(folder, a_ring(), 2, &leaf, &state, &back));
    CU_ASSERT_EQUAL(state, PAYLOAD_SALT);
    CU_ASSERT(span_equal(bytes_span(back), span_of(salt, sizeof salt)));
    bytes_free(&back);
    MUST(payload_store_read(folder, NULL, 2, &leaf, &state, &back));
    CU_ASSERT_EQUAL(state, PAYLOAD_SALT);
    CU_ASSERT_PTR_NULL(back);
    CU_ASSERT_EQUAL(erase(store, list, 1), 1);
    CU_ASSERT_EQUAL(state_of(folder, 2), PAYLOAD_ERASED);
}

// --- another key --------------------------------------------------------------------------------

/* What was copied before the erasure, put back afterwards. */
static void test_older_copies_of_an_erased_record_open_no_more(void)
{
    const char *folder = make_store(10);
    static const uint64_t list[] = {4};
    struct payload_store *store = NULL;
    struct path slab = slab_of(folder, FIRST_DAY), seg = payloads_of(folder, FIRST_DAY);
    copy_file(slab, beside(slab, ".stale"));
    copy_file(seg, beside(seg, ".stale"));
    uint64_t before = id_of(folder);
    MUST(payload_store_open(folder, 10, a_holder(), &store));
    erase(store, list, 1);
    CU_ASSERT(is_there(mark_of(folder)));
    payload_store_free(&store);
    MUST(payload_store_open(folder, 10, a_holder(), &store)); /* at the start, the open day too */
    payload_store_free(&store);
    CU_ASSERT_NOT_EQUAL(id_of(folder), before);
    CU_ASSERT(!is_there(mark_of(folder)));
    CU_ASSERT(is_gone(folder, 4));
    CU_ASSERT_EQUAL(count_held(folder, 0, 10), 9);
    copy_file(beside(slab, ".stale"), slab);
    copy_file(beside(seg, ".stale"), seg);
    for (uint64_t i = 0; i < 10; i++)
        CU_ASSERT(is_broken(folder, i));
}

static void give_rewrap(struct payload_store *store)
{
    char day[DAY_TEXT_BYTES];
    uint8_t wrapped[KEY_WRAPPED_BYTES], key[KEY_WRAP_BYTES];
    OWNED(day_key) old = NULL;
    OWNED(day_key) fresh = NULL;
    MUST(payload_store_rewrap_due(store, day, wrapped));
    CU_ASSERT_STRING_EQUAL(day, FIRST_DAY);
    MUST(a_holder()->unwrap(a_holder()->owner, wrapped, key));
    MUST(day_key_take(key, wrapped, &old));
    MUST(day_key_make(a_holder(), &fresh));
    MUST(payload_store_rewrap_begin(store, day, &old, &fresh));
}

static void test_a_day_that_is_over_gets_its_key_while_others_are_written(void)
{
    const char *folder = make_store(3000);
    static const uint64_t list[] = {7, 2999};
    char day[DAY_TEXT_BYTES];
    uint8_t wrapped[KEY_WRAPPED_BYTES];
    bool more = true;
    uint64_t steps = 0, before = id_of(folder);
    OWNED(payload_store) store = NULL;
    MUST(payload_store_open(folder, 3000, a_holder(), &store));
    erase(store, list, 1);
    MUST_FAIL(NOT_FOUND, payload_store_rewrap_due(store, day, wrapped)); /* it is open still */
    write_records(store, 3000, 1, NOON_MS + DAY_MS);
    give_rewrap(store);
    for (; more; steps++) {
        MUST(payload_store_rewrap_step(store, &more));
        write_records(store, 3001 + steps, 1, NOON_MS + DAY_MS);
        CU_ASSERT(holds(folder, 6, 0) && holds(folder, 3001 + steps, 0));
    }
    CU_ASSERT(steps >= 3);
    CU_ASSERT_NOT_EQUAL(id_of(folder), before);
    CU_ASSERT_EQUAL(count_held(folder, 0, 3001 + steps), 3000 + steps);
    MUST_FAIL(NOT_FOUND, payload_store_rewrap_due(store, day, wrapped));
    enum payload_state state;
    struct sha256 leaf = leaf_of(6, 0);
    OWNED(bytes) blob = NULL;
    MUST(payload_store_read_own(store, 6, &leaf, &state, &blob)); /* it has the fresh key itself */
    CU_ASSERT_EQUAL(state, PAYLOAD_HELD);
}

/* Else the fresh slab would bring back what was erased after that part of it was made. */
static void test_an_erasure_meanwhile_begins_the_change_anew(void)
{
    const char *folder = make_store(3000);
    static const uint64_t list[] = {7, 8};
    bool more = true;
    OWNED(payload_store) store = NULL;
    MUST(payload_store_open(folder, 3000, a_holder(), &store));
    write_records(store, 3000, 1, NOON_MS + DAY_MS);
    erase(store, list, 1);
    give_rewrap(store);
    MUST(payload_store_rewrap_step(store, &more));
    erase(store, list + 1, 1);
    MUST(payload_store_rewrap_step(store, &more));
    CU_ASSERT(!more);
    CU_ASSERT(is_there(mark_of(folder)));
    give_rewrap(store);
    for (more = true; more;)
        MUST(payload_store_rewrap_step(store, &more));
    CU_ASSERT(is_gone(folder, 7) && is_gone(folder, 8));
    CU_ASSERT_EQUAL(count_held(folder, 0, 3001), 2999);
}

// --- stopped in between -------------------------------------------------------------------------

/* Each state in which the disk may be left between the steps of a change of key: the next start
 * makes of it a slab under one key, with the old one gone and everything else held. */
static void test_a_change_that_was_interrupted_anywhere_is_ended(void)
{
    for (int after = 0; after < 4; after++) {
        const char *folder = make_store(10);
        static const uint64_t list[] = {4};
        struct path slab = slab_of(folder, FIRST_DAY), key = key_of(folder, FIRST_DAY);
        struct payload_store *store = NULL;
        uint8_t wrapped[KEY_WRAPPED_BYTES];
        uint64_t before = id_of(folder);
        MUST(payload_store_open(folder, 10, a_holder(), &store));
        erase(store, list, 1);
        payload_store_free(&store);
        copy_file(slab, beside(slab, ".old"));
        copy_file(key, beside(key, ".old"));
        if (after >= 1) { /* the fresh key stands beside the old one */
            OWNED(day_key) fresh = NULL;
            MUST(day_key_make(a_holder(), &fresh));
            MUST(day_key_file_add(folder, FIRST_DAY, before, fresh));
        }
        if (after == 2) /* half a slab */
            MUST(file_replace(beside(slab, ".new").at, span_of_text("CHSKSLB2 half"), 0600));
        if (after == 3) { /* all done but for the old key and the mark */
            MUST(payload_store_open(folder, 10, a_holder(), &store));
            payload_store_free(&store);
            OWNED(bytes) old = NULL;
            MUST(file_read(beside(key, ".old").at, 4096, &old));
            OWNED(bytes) now = NULL;
            MUST(file_read(key.at, 4096, &now));
            size_t from = now->data[0] == 0 ? 0 : 512;
            memcpy(now->data + from, old->data[0] == 0 ? old->data + 512 : old->data, 512);
            MUST(file_replace(key.at, bytes_span(now), 0600));
            MUST(file_replace(mark_of(folder).at, span_of_text(""), 0600));
        }
        MUST(payload_store_open(folder, 10, a_holder(), &store));
        payload_store_free(&store);
        CU_ASSERT_NOT_EQUAL(id_of(folder), before);
        MUST_FAIL(LOG_BROKEN, day_key_file_find(folder, FIRST_DAY, before, wrapped));
        CU_ASSERT(!is_there(mark_of(folder)) && !is_there(beside(slab, ".new")));
        CU_ASSERT_EQUAL(count_held(folder, 0, 10), 9);
        CU_ASSERT(is_gone(folder, 4));
    }
}

/* A frame that is overwritten and a slot that is not yet: done once more, it is whole. */
static void test_an_erasure_that_was_interrupted_can_be_done_again(void)
{
    const char *folder = make_store(10);
    static const uint64_t list[] = {4};
    static const uint8_t zeros[64];
    struct payload_store *store = NULL;
    int fd = open(payloads_of(folder, FIRST_DAY).at, O_WRONLY | O_CLOEXEC);
    MUST(file_write_at(fd, span_of(zeros, sizeof zeros), frame_of(4)));
    close(fd);
    CU_ASSERT(is_broken(folder, 4));
    MUST(payload_store_open(folder, 10, a_holder(), &store));
    CU_ASSERT_EQUAL(erase(store, list, 1), 1);
    payload_store_free(&store);
    CU_ASSERT(is_gone(folder, 4));
}

SUITE(payload_erase, TEST(test_erased_records_are_gone_and_the_others_stay),
      TEST(test_a_store_goes_on_behind_an_erased_last_record),
      TEST(test_records_of_several_days_are_erased_at_once),
      TEST(test_large_frames_are_overwritten_whole), TEST(test_what_is_held_is_found_in_steps),
      TEST(test_a_salt_alone_is_told_from_a_payload),
      TEST(test_older_copies_of_an_erased_record_open_no_more),
      TEST(test_a_day_that_is_over_gets_its_key_while_others_are_written),
      TEST(test_an_erasure_meanwhile_begins_the_change_anew),
      TEST(test_a_change_that_was_interrupted_anywhere_is_ended),
      TEST(test_an_erasure_that_was_interrupted_can_be_done_again))
