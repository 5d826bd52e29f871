// SPDX-License-Identifier: MIT
/*
 * journal - what one group writes into several files, first together into one: a group is durable
 * by one flush, all of it or nothing.
 *
 *   keys/journal   a sector of 512 bytes: "CHSKJRN1" | id (16, random) | u32 crc32c of both; then
 *                  records, each from a sector's beginning on:
 *   head           id (16) | u64 entry | u32 entries | u32 bytes of parts | u32 zero
 *                  | u32 crc32c(the 36 before || parts)
 *   part           u32 file | u32 size | u64 name | u64 offset | u64 id of the day key | bytes
 *
 * All integers big-endian. The files themselves are written without a flush, and made durable now
 * and then; only then may the journal be rewound. After a stop that lost what was not flushed the
 * parts are written again, at the same places: doing so twice changes nothing. Records of an
 * earlier lap are told by their entries, which are smaller. The id keeps what strangers have
 * written into a leaf from passing for a record. Blank when its log was closed in peace.
 */
#ifndef BUS_JOURNAL_H
#define BUS_JOURNAL_H

#include "lib/base/bytes.h"

struct journal;

enum journal_file {
    JOURNAL_LEAVES = 1,   /* name: first index of the segment */
    JOURNAL_PAYLOADS = 2, /* name: the day as a number, yyyymmdd */
    JOURNAL_SLOTS = 3     /* likewise */
};

struct journal_part {
    enum journal_file file;
    uint64_t name;
    uint64_t at;
    uint64_t key; /* of the day's slab, for it may change its key; 0 for leaves */
    struct span bytes;
};

typedef fault journal_visit(void *owner, const struct journal_part *part);

/* Shows the parts of all whole groups, in order; changes nothing. A group that a stop tore apart
 * was acknowledged by nobody, and is passed over. *size: how many entries the log had after the
 * last of them; 0: there is none. No file is an empty journal. LOG_BROKEN: its head is damaged.
 * IO_FAILED; a visitor's fault ends it. */
fault journal_read(const char *path, journal_visit *visit, void *owner, uint64_t *size);

/* Blank and durable; what an older one holds is overwritten first. LOG_FAILED. */
fault journal_open(const char *path, struct journal **out);
void journal_free(struct journal **self);

/* Durable when it returns DONE. LOG_FAILED (disk full): nothing counts as written. Ends the process
 * when its flush fails. */
fault journal_write(struct journal *self, uint64_t entry, uint32_t entries,
                    const struct journal_part *parts, size_t count);
/* Since it was opened or rewound, in bytes. */
size_t journal_used(const struct journal *self);
/* All that it holds is durable elsewhere: the next record goes to its beginning. */
void journal_rewind(struct journal *self);
/* The same, and nothing of it is left in the file; durable. LOG_FAILED. */
fault journal_wipe(struct journal *self);

#endif
