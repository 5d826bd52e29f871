// SPDX-License-Identifier: MIT
/*
 * day_key - the key of one day's slab, and the file in which it lies, wrapped.
 *
 *   keys/<yyyymmdd>.key   two places of 512 bytes, each blank or
 *                         "CHSKDKEY" | u64 id | wrapped key (40) | zeros | u32 crc32c of all before
 *
 * Two places, because a slab changes its key: the fresh one is written beside the old one, then the
 * slab under the fresh one takes the old slab's place, then the old key is overwritten where it
 * lies. The slab's head names the key it is under by its id; whatever else stands in the file is
 * what an interrupted change left.
 */
#ifndef BUS_DAY_KEY_H
#define BUS_DAY_KEY_H

#include "lib/crypto/key_wrap.h"

#define DAY_TEXT_BYTES 9 /* "yyyymmdd" and NUL */

struct day_key {
    uint64_t id; /* first bytes of a hash of the key */
    uint8_t wrapped[KEY_WRAPPED_BYTES];
    struct key_wrap *wrap; /* what slots are wrapped with */
};

/* Who holds the key under which day keys are: the keys process for a node, files for an auditor.
 * unwrap: SEAL_BROKEN when the day key is not under a key that it holds. */
struct key_holder {
    fault (*wrap)(void *owner, const uint8_t key[KEY_WRAP_BYTES], uint8_t out[KEY_WRAPPED_BYTES]);
    fault (*unwrap)(void *owner, const uint8_t wrapped[KEY_WRAPPED_BYTES],
                    uint8_t out[KEY_WRAP_BYTES]);
    void *owner;
};

/* A holder that has the store key itself: for tools and tests. */
struct key_holder key_holder_of(struct key_wrap *store_key);

fault day_key_make(const struct key_holder *holder, struct day_key **out);
/* Of a key and its wrapped form. */
fault day_key_take(const uint8_t key[KEY_WRAP_BYTES], const uint8_t wrapped[KEY_WRAPPED_BYTES],
                   struct day_key **out);
void day_key_free(struct day_key **self);
uint64_t day_key_id(const uint8_t key[KEY_WRAP_BYTES]);

// --- its file: `folder` is the audit folder -----------------------------------------------------

/* For a slab that has no key yet: this one alone. Durable. */
fault day_key_file_begin(const char *folder, const char *day, const struct day_key *key);
/* Beside the key with id `kept`. Durable. */
fault day_key_file_add(const char *folder, const char *day, uint64_t kept,
                       const struct day_key *key);
/* Overwrites where it lies what is not the key with id `kept`. Durable. */
fault day_key_file_keep_only(const char *folder, const char *day, uint64_t kept);
/* LOG_BROKEN: the file is missing, damaged, or has no key with this id. */
fault day_key_file_find(const char *folder, const char *day, uint64_t id,
                        uint8_t wrapped[KEY_WRAPPED_BYTES]);

// --- keys at hand -------------------------------------------------------------------------------

/* Day keys that are open, by id. `holder` NULL: only those that are added. */
struct key_ring;

struct key_ring *key_ring_new(const struct key_holder *holder);
void key_ring_free(struct key_ring **self);
void key_ring_add(struct key_ring *self, struct day_key **key);
/* Drops all but these two. */
void key_ring_keep(struct key_ring *self, uint64_t one, uint64_t other);
/* From now on only what is there. */
void key_ring_close(struct key_ring *self);
/* *out, borrowed, is NULL when the key lies in its file and nobody here can unwrap it. LOG_BROKEN
 * as day_key_file_find. */
fault key_ring_find(struct key_ring *self, const char *folder, const char *day, uint64_t id,
                    struct day_key **out);

#endif
