// SPDX-License-Identifier: MIT
/*
 * subject_ring - the keys of years under which pseudonyms of persons are made. They live in this
 * process's memory; on disk lies what the registry sealed to this server. So many pseudonyms a
 * minute are made and no more: who asks may be somebody who tries numbers (docs/decisions/0038).
 * One that was made a moment ago is not counted again, for it tells nothing new: a view asks each
 * server of the country about one person.
 */
#ifndef KEYS_SUBJECT_RING_H
#define KEYS_SUBJECT_RING_H

#include "lib/bus/subject_key.h"

/* A zeroed one is empty, and makes SUBJECTS_A_MINUTE_DEFAULT a minute. */
struct subject_ring {
    size_t count;
    struct {
        unsigned year;
        uint8_t key[PSEUDONYM_KEY_BYTES];
    } held[SUBJECT_KEYS_MAX];
    int64_t a_minute; /* 0: the default */
    /* pseudonyms that may be made at once, in 60,000ths; as of then */
    int64_t left, left_ms;
    bool begun;
    size_t next; /* the newest that were made, round and round; zeros are none */
    struct sha256 made[SUBJECTS_REMEMBERED];
};

/* Opens it and keeps it; of a year that is there already, this one from now on. Faults as
 * subject_key_open; OVERLOADED. */
fault subject_ring_take(struct subject_ring *self, const struct subject_key_blob *blob,
                        const char *server, const struct sha256 *commitment,
                        struct keypair *receiver);
/* Destroys it, if it is there. */
void subject_ring_forget(struct subject_ring *self, unsigned year);
/* SUBJECT_KEY_MISSING; SUBJECT_RATE; BAD_FRAME when the document is not in its one form. */
fault subject_ring_make(struct subject_ring *self, unsigned year, const char *document,
                        int64_t now_ms, struct sha256 *out);
/* Destroys all. */
void subject_ring_clear(struct subject_ring *self);

#endif
