// SPDX-License-Identifier: MIT
/*
 * payload_store - payloads beside the log: encrypted per record, so that each can be erased without
 * breaking a proof.
 *
 *   payload/<yyyymmdd>.seg   frames: u32 length | u32 crc32c(index || body) | u64 index | body
 *                            body = AES-256-GCM(record key, nonce 0, associated = leaf hash) of
 *                            salt || payload
 *   keys/<yyyymmdd>.slab     by index: where the frame lies, and its record key, wrapped (slab.h)
 *   keys/<yyyymmdd>.key      the day key that the record keys are under, wrapped (day_key.h)
 *   keys/<yyyymmdd>.rewrap   something of that day was erased: its slab is to change its key
 *
 * A record key is used once, so its nonce may be constant. All integers big-endian. A day is begun
 * with a spare key that lies ready, so that nobody waits at midnight; without one the store stays
 * with the day that is open.
 */
#ifndef BUS_PAYLOAD_STORE_H
#define BUS_PAYLOAD_STORE_H

#include "lib/bus/day_key.h"
#include "lib/crypto/digest.h"

struct payload_store;

enum payload_state {
    PAYLOAD_NONE,
    PAYLOAD_HELD,
    PAYLOAD_ERASED,
    PAYLOAD_SALT,   /* only the salt was kept; *out is that */
    PAYLOAD_SEALED, /* it is there, and whoever asks has no key to it */
};

/* `folder` holds payload/ and keys/. `next_index`: the log's size, where writing goes on. `holder`
 * is asked during this call only: for the keys of the two newest days, and for a spare one. A
 * change of the newest slab's key that is due, or was interrupted, is done. LOG_SHRUNK: keys of
 * later days than the log's end are there. LOG_BROKEN: the newest slab is damaged, or does not
 * agree with its payload file or with the log; it is left as it was. BAD_KEY: its day key is under
 * another store key. */
fault payload_store_open(const char *folder, uint64_t next_index, const struct key_holder *holder,
                         struct payload_store **out);
/* Of a log that nobody writes any more: only for reading and erasing. Slabs whose change of key is
 * due get it now. No folder: nothing is held. IO_FAILED, LOG_FAILED. */
fault payload_store_open_closed(const char *folder, const struct key_holder *holder,
                                struct payload_store **out);
/* How far payloads go beyond the log's end: what a group that was not committed left behind, at
 * most AUDIT_GROUP_MAX; more was once committed. */
uint64_t payload_store_ahead(const struct payload_store *self);
void payload_store_free(struct payload_store **self);

/* Takes salt || payload of one record; an empty blob only marks the slot. Nobody can read it before
 * the group is put. LOG_FAILED (disk full): nothing counts as written. Indexes go up by one;
 * after a failed group the same ones come again. */
fault payload_store_write(struct payload_store *self, uint64_t index,
                          const struct sha256 *leaf_hash, struct span blob, int64_t wall_ms);
/* The same, when the blob is the salt alone. */
fault payload_store_write_salt(struct payload_store *self, uint64_t index,
                               const struct sha256 *leaf_hash, struct span salt, int64_t wall_ms);
/* Where what was taken will go; `bytes` until it is put. */
struct payload_part {
    bool slots;   /* to keys/<day>.slab; else to payload/<day>.seg */
    uint64_t day; /* as a number */
    uint64_t at;
    uint64_t key; /* id of the day key */
    struct span bytes;
};
#define PAYLOAD_PARTS_MAX 2

/* Makes room for what was taken, and says where it will go; nothing is written. What is too much
 * for a journal is put, durably, instead: *count is 0 then. LOG_FAILED: disk full. */
fault payload_store_stage(struct payload_store *self, struct payload_part parts[PAYLOAD_PARTS_MAX],
                          size_t *count);
/* Writes what was taken, all at once. Not yet durable. LOG_FAILED. */
fault payload_store_put(struct payload_store *self);
/* Makes all written durable; ends the process on a failing fdatasync. */
void payload_store_sync(struct payload_store *self);
/* Has the disk begin with that, and does not wait. */
void payload_store_sync_ahead(struct payload_store *self);
/* Opens the file of a part, to be written again. NOT_FOUND: the day is not there any more, or has
 * another key since. LOG_BROKEN: its slab is damaged. LOG_FAILED, IO_FAILED. */
fault payload_store_reopen(const char *folder, const struct payload_part *part, int *fd_out);

/* Is the next day's key missing? */
bool payload_store_wants_spare(const struct payload_store *self);
void payload_store_give_spare(struct payload_store *self, struct day_key **key);

/* Reads back salt || payload. *state says whether there is one; *out only when PAYLOAD_HELD, and
 * when PAYLOAD_SALT if there is a key to it. LOG_BROKEN when it is held but does not decrypt, or
 * when damage leaves open whether it is held. Needs no payload_store: for auditors too. `ring` may
 * be NULL. */
fault payload_store_read(const char *folder, struct key_ring *ring, uint64_t index,
                         const struct sha256 *leaf_hash, enum payload_state *state,
                         struct bytes **out);
/* The same for many records, one after the other: a day's files stay open, and which days there are
 * is known. One thread at a time; `ring` is borrowed. */
struct payload_reader;
struct payload_reader *payload_reader_new(const char *folder, struct key_ring *ring);
void payload_reader_free(struct payload_reader **self);
fault payload_reader_read(struct payload_reader *self, uint64_t index,
                          const struct sha256 *leaf_hash, enum payload_state *state,
                          struct bytes **out);
/* The day whose slab holds this entry. NOT_FOUND. */
fault payload_reader_day(struct payload_reader *self, uint64_t index, char day[DAY_TEXT_BYTES]);

/* With the keys that the store has open: those of its two newest days. */
fault payload_store_read_own(struct payload_store *self, uint64_t index,
                             const struct sha256 *leaf_hash, enum payload_state *state,
                             struct bytes **out);
/* The first entry of a day and the first one of the next day, UINT64_MAX when there is none yet.
 * NOT_FOUND: no slab of that day. */
fault payload_store_day(const char *folder, const char *day, uint64_t *first, uint64_t *next);

/* The first entry of the first day that is not before this one. NOT_FOUND: all days are before it.
 */
fault payload_store_from_day(const char *folder, const char *day, uint64_t *first);

/* The day whose slab holds this entry. NOT_FOUND. */
fault payload_store_day_of(const char *folder, uint64_t index, char day[DAY_TEXT_BYTES]);

// --- erasing ------------------------------------------------------------------------------------

/* Which of the entries `first` to `last` hold something? Looks at a bounded number of them, finds
 * at most `most`; *next: where to go on, beyond `last` when all were looked at. */
fault payload_store_held(const struct payload_store *self, uint64_t first, uint64_t last,
                         size_t most, uint64_t *list, size_t *count, uint64_t *next);
/* Overwrites the frames, then the record keys, of those that hold something; indexes go up. Durable
 * when it returns DONE, and may be done again after a fault or a crash. *erased: how many. */
fault payload_store_erase(struct payload_store *self, const uint64_t *list, size_t count,
                          uint64_t *erased);

/* Removes the files of days that end before entry `first`; durable. The day that is open stays. */
fault payload_store_drop_before(struct payload_store *self, uint64_t first);

/* The oldest day before the open one whose slab is to change its key, and the key's wrapped form.
 * NOT_FOUND: none, or one is being changed. */
fault payload_store_rewrap_due(const struct payload_store *self, char day[DAY_TEXT_BYTES],
                               uint8_t wrapped[KEY_WRAPPED_BYTES]);
/* Begins to put that day's slab under a fresh key; REFUSED when `old` is not its key (any more). */
fault payload_store_rewrap_begin(struct payload_store *self, const char *day, struct day_key **old,
                                 struct day_key **fresh);
/* Is one under way? */
bool payload_store_rewraps(const struct payload_store *self);
/* Goes on with it, by a bounded step. *more: call it again. */
fault payload_store_rewrap_step(struct payload_store *self, bool *more);

#endif
