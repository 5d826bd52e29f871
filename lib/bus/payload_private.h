// SPDX-License-Identifier: MIT
/*
 * payload_private - what the rooms of the payload store share.
 *
 *   payload_store.c   days
 *   payload_days.c    which day holds an entry
 *   payload_write.c   writing, by groups
 *   payload_read.c    reading back, without a store
 *   payload_erase.c   erasing, and a slab's change of key
 */
#ifndef BUS_PAYLOAD_PRIVATE_H
#define BUS_PAYLOAD_PRIVATE_H

#include "lib/bus/ahead_file.h"
#include "lib/bus/payload_store.h"
#include "lib/bus/slab.h"
#include "lib/crypto/seal.h"

#define PAYLOAD_PATH_BYTES 512
#define FRAME_BYTES 16
#define PAYLOAD_READ_FLAGS (O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)

/* A slab on its way to another key. */
struct rewrap {
    char day[DAY_TEXT_BYTES]; /* "": none under way */
    struct day_key *old, *fresh;
    struct slab_head head;
    int from, to;
    uint64_t next, slots;
};

struct payload_store {
    char folder[PAYLOAD_PATH_BYTES];
    char day[DAY_TEXT_BYTES]; /* of the open files; "" before the first */
    struct slab_head head;
    uint64_t next_index;
    uint64_t ahead;       /* found when it was opened */
    off_t payload_end;    /* where `frames` go */
    struct bytes *frames; /* of the group that is gathered, and their slots: up to next_index */
    struct bytes *slots;
    bool spilled; /* some of the group is in the files already */
    struct seal_once *cipher;
    struct ahead_file payload;
    struct ahead_file slab;
    struct key_ring *ring;
    struct day_key *key;   /* of the open day; the ring's */
    struct day_key *spare; /* for the next one */
    struct rewrap rewrap;
};

/* Opens the files of that time's day, if it is a later one and a key lies ready. */
fault payload_go_to_day(struct payload_store *self, int64_t wall_ms);

/* payload/<day>.seg, keys/<day>.slab, keys/<day>.rewrap, by ending */
void payload_path(const char *folder, const char *day, const char *ending,
                  char out[PAYLOAD_PATH_BYTES]);
fault payload_sync_keys(const char *folder);

/* The day whose slab holds this index: the newest one that begins at or below it, or "". Where a
 * damaged slab begins is not known: *damaged is the newest such day, or "". */
void payload_day_of(const char *folder, uint64_t index, char out[DAY_TEXT_BYTES],
                    struct slab_head *head, char damaged[DAY_TEXT_BYTES]);

/* NOT_FOUND: there is none. */
fault payload_oldest_day(const char *folder, char out[DAY_TEXT_BYTES]);

/* The same for many entries: the heads of all slabs, read once. A folder of strangers may hold tens
 * of thousands of them. */
struct day_index;
struct day_index *day_index_new(const char *folder);
void day_index_free(struct day_index **self);
/* May keys/ hold something else by now? */
bool day_index_is_stale(const struct day_index *self);
/* Reads them again if so; before the first day_index_find(). */
void day_index_look(struct day_index *self);
/* As payload_day_of. *next: before which entry this answer holds; it does from the slab's first one
 * on, and where no day was found from this entry on. */
void day_index_find(const struct day_index *self, uint64_t index, char out[DAY_TEXT_BYTES],
                    struct slab_head *head, char damaged[DAY_TEXT_BYTES], uint64_t *next);

/* Ends a change of this day's key that was interrupted, and makes one that is due. */
fault payload_rewrap_now(const char *folder, const char *day, const struct key_holder *holder);
void payload_rewrap_drop(struct payload_store *self);

#endif
