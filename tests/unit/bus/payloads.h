// SPDX-License-Identifier: MIT
/*
 * payloads - a payload store filled with records that can be told from one another.
 */
#ifndef TESTS_BUS_PAYLOADS_H
#define TESTS_BUS_PAYLOADS_H

#include "lib/base/text.h"
#include "lib/bus/payload_store.h"
#include "lib/bus/slab.h"
#include "tests/unit/bus/store_keys.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_MS INT64_C(86400000)
#define NOON_MS (INT64_C(1795000000000) / DAY_MS * DAY_MS + DAY_MS / 2) /* 2026-11-18 */
#define FIRST_DAY "20261118"
#define NEXT_DAY "20261119"
#define FRAME_BYTES 16
#define TAG_BYTES 16

/* The leaf hash of record i, in its n-th version. */
static inline struct sha256 leaf_of(uint64_t i, uint8_t version)
{
    struct sha256 hash = {{0}};
    memcpy(hash.at, &i, sizeof i);
    hash.at[31] = version;
    return hash;
}

/* Salt and payload of record i; their lengths differ. */
static inline struct span blob_of(uint64_t i, uint8_t version, uint8_t room[512])
{
    size_t size = 32 + (size_t)(i * 41 % 400);
    memset(room, (int)(i % 251), size);
    room[0] = version;
    return span_of(room, size);
}

static inline void give_spare(struct payload_store *store)
{
    OWNED(day_key) key = NULL;
    if (!payload_store_wants_spare(store))
        return;
    MUST(day_key_make(a_holder(), &key));
    payload_store_give_spare(store, &key);
}

static inline void write_version(struct payload_store *store, uint64_t first, uint64_t count,
                                 uint8_t version, int64_t wall_ms)
{
    uint8_t room[512];
    give_spare(store);
    for (uint64_t i = first; i < first + count; i++) {
        struct sha256 leaf = leaf_of(i, version);
        MUST(payload_store_write(store, i, &leaf, blob_of(i, version, room), wall_ms));
    }
    MUST(payload_store_put(store));
    payload_store_sync(store);
}

static inline void write_records(struct payload_store *store, uint64_t first, uint64_t count,
                                 int64_t wall_ms)
{
    write_version(store, first, count, 0, wall_ms);
}

static inline bool holds(const char *folder, uint64_t i, uint8_t version)
{
    uint8_t room[512];
    struct sha256 leaf = leaf_of(i, version);
    enum payload_state state;
    OWNED(bytes) blob = NULL;
    return !failed(payload_store_read(folder, a_ring(), i, &leaf, &state, &blob)) &&
           state == PAYLOAD_HELD && span_equal(bytes_span(blob), blob_of(i, version, room));
}

/* How many of the records are there with their own bytes. */
static inline uint64_t count_held(const char *folder, uint64_t first, uint64_t count)
{
    uint64_t held = 0;
    for (uint64_t i = first; i < first + count; i++)
        held += holds(folder, i, 0);
    return held;
}

static inline enum payload_state state_of(const char *folder, uint64_t i)
{
    struct sha256 leaf = leaf_of(i, 0);
    enum payload_state state = PAYLOAD_ERASED;
    OWNED(bytes) blob = NULL;
    MUST(payload_store_read(folder, a_ring(), i, &leaf, &state, &blob));
    CU_ASSERT_EQUAL(blob != NULL, state == PAYLOAD_HELD);
    return state;
}

/* A store of one day with records 0 to count - 1. */
static inline const char *make_store(uint64_t count)
{
    const char *folder = unit_folder();
    OWNED(payload_store) store = NULL;
    MUST(payload_store_open(folder, 0, a_holder(), &store));
    write_records(store, 0, count, NOON_MS);
    return folder;
}

struct path {
    char at[256];
};

static inline struct path slab_of(const char *folder, const char *day)
{
    struct path path;
    CU_ASSERT_FATAL(text_format(path.at, sizeof path.at, "%s/keys/%s.slab", folder, day));
    return path;
}

static inline struct path payloads_of(const char *folder, const char *day)
{
    struct path path;
    CU_ASSERT_FATAL(text_format(path.at, sizeof path.at, "%s/payload/%s.seg", folder, day));
    return path;
}

static inline struct path key_of(const char *folder, const char *day)
{
    struct path path;
    CU_ASSERT_FATAL(text_format(path.at, sizeof path.at, "%s/keys/%s.key", folder, day));
    return path;
}

static inline bool is_there(struct path path)
{
    return access(path.at, F_OK) == 0;
}

static inline void flip(struct path path, off_t at, uint8_t bits)
{
    uint8_t byte = 0;
    int fd = open(path.at, O_RDWR | O_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(pread(fd, &byte, 1, at), 1);
    byte ^= bits;
    CU_ASSERT_EQUAL(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static inline bool is_broken(const char *folder, uint64_t i)
{
    struct sha256 leaf = leaf_of(i, 0);
    enum payload_state state;
    OWNED(bytes) blob = NULL;
    fault f = payload_store_read(folder, a_ring(), i, &leaf, &state, &blob);
    return f.code == LOG_BROKEN && blob == NULL;
}

/* Offset of record i's frame. */
static inline off_t frame_of(uint64_t i)
{
    uint8_t room[512];
    off_t at = 0;
    for (uint64_t k = 0; k < i; k++)
        at += (off_t)(FRAME_BYTES + blob_of(k, 0, room).size + TAG_BYTES);
    return at;
}

#endif
