// SPDX-License-Identifier: MIT
/*
 * audit_log - one node's evidence on disk: leaves (wal), payloads, Merkle tree, checkpoint.
 *
 *   <folder>/log/<epoch>/wal/...       leaves in order: the source of truth
 *   <folder>/log/<epoch>/promise       newest signed head
 *   <folder>/payload/..., <folder>/keys/...   see payload_store.h; of a later epoch: log_epoch.h
 *
 * Append is group commit: all given records become durable together, payloads before leaves, so
 * that a leaf in the log always has its payload. A head is told to nobody before it is durable.
 * Used by one thread.
 */
#ifndef BUS_AUDIT_LOG_H
#define BUS_AUDIT_LOG_H

#include "lib/base/bytes.h"
#include "lib/bus/payload_store.h"
#include "lib/bus/wal.h"
#include "lib/crypto/merkle.h"
#include "lib/crypto/note.h"

struct audit_head {
    uint64_t size;
    struct sha256 root;
};

struct audit_record {
    struct span leaf;
    struct span blob;        /* salt || payload; size 0: none */
    bool salt_only;          /* the blob is the salt alone */
    uint64_t index;          /* out */
    struct sha256 leaf_hash; /* out */
};

typedef fault audit_visit(void *owner, uint64_t index, struct span leaf,
                          const struct sha256 *leaf_hash);

struct audit_log_options {
    const char *folder;
    unsigned epoch; /* 1 for a new log */
    size_t segment_bytes;
    const struct note_key *key; /* whose checkpoint binds this log */
    const char *server;         /* whose records tell how far the log had come; may be NULL */
    struct key_holder holder;   /* of the day keys; asked while the log is opened, never later */
};

struct audit_recovery {
    uint64_t size;
    uint64_t cut_bytes;     /* of a torn tail that was cut */
    uint64_t promised_size; /* by the checkpoint; 0 when there was none */
    uint64_t whole_after;   /* whole records among the bytes that were cut */
    uint64_t ahead;         /* payloads of a group that was not committed */
    uint64_t segment;       /* first index of the last segment */
};

struct audit_log;
struct closed_log;

/* One number for an entry of this node in whichever epoch: what is remembered beside the log says
 * where to look. In epoch 1 it is the index. */
static inline uint64_t audit_place(unsigned epoch, uint64_t index)
{
    return (uint64_t)(epoch - 1) << 48 | index;
}

static inline unsigned audit_place_epoch(uint64_t place)
{
    return (unsigned)(place >> 48) + 1;
}

static inline uint64_t audit_place_index(uint64_t place)
{
    return place & ((UINT64_C(1) << 48) - 1);
}

/*
 * Recovers and opens for writing. `visit` sees every leaf in order.
 *
 * LOG_SHRUNK   more was once there than is now, or something else: a checkpoint promises it,
 * payloads beyond any group show it. The log was cut, restored from an old copy or altered.
 * LOG_BROKEN   damaged before its end: whole records follow that no torn write leaves behind.
 * REFUSED      another process holds it. LOG_FAILED: disk.
 * BAD_KEY: the newest day key is under another store key.
 * The detail says which and what to do. A log that is refused is left exactly as it was found; a
 * torn tail that is cut is set aside first.
 */
fault audit_log_open(const struct audit_log_options *options, audit_visit *visit, void *owner,
                     struct audit_log **out, struct audit_recovery *recovery);
void audit_log_free(struct audit_log **self);
/* Takes a closed epoch over, to be read and erased from beside this one. At most LOG_EPOCHS_MAX. */
void audit_log_add_closed(struct audit_log *self, struct closed_log **closed);

/* Durable when it returns DONE; on LOG_FAILED none of them is in the log. At most AUDIT_GROUP_MAX.
 * Ends the process when a sync fails. */
fault audit_log_append(struct audit_log *self, struct audit_record *records, size_t count,
                       int64_t wall_ms);
struct audit_head audit_log_head(const struct audit_log *self);
/* Keeps a signed note of a head of this log as the newest checkpoint, durably. */
fault audit_log_keep_checkpoint(struct audit_log *self, struct span note);
/* Work that may be done when nothing waits, by a bounded step. *more: there is more of it. */
fault audit_log_rest(struct audit_log *self, bool *more);
/* Its payloads: for their keys; never beside another call on this log. */
struct payload_store *audit_log_payloads(struct audit_log *self);

/* One record back, by its place; *blob is NULL when its payload is not there (any more), or of a
 * day whose key is not open. */
fault audit_log_read(struct audit_log *self, uint64_t place, struct bytes **leaf,
                     struct bytes **blob);

/* An erasure under way; step by step, so that nobody waits for it. */
struct audit_erasing {
    const struct erasure *what;
    unsigned epoch;  /* whose entries they are */
    bool only_count; /* nothing is erased, only counted */
    uint64_t next;   /* begin with what->first; over when it is beyond what->last */
    uint64_t found;  /* out: payloads so far */
};

/* A bounded step. What it has erased is durable when it returns; after a fault or a crash it may be
 * begun again. */
fault audit_log_erase(struct audit_log *self, struct audit_erasing *work);

/* A prune under way: the beginning of the log is removed. Plan it (by steps), write its record,
 * then carry it out (by steps). */
struct audit_pruning {
    uint64_t before; /* plan, in: entries before this; out: the bound of a segment not beyond it */
    int64_t oldest_ms;   /* plan, in: nothing as young as this is removed */
    uint64_t act;        /* carry out, in: the entry of the record */
    struct sha256 root;  /* plan, out: of the entries before */
    uint64_t next;       /* begin with 0 */
    bool more;           /* out: call again */
    bool bounded, noted; /* begin with false */
};

/* NOT_FOUND: no whole segment lies before that. REFUSED: tiles or payloads are not ready for it, or
 * it is too young; the detail says what to do. LOG_BROKEN: the tiles are not of this log. */
fault audit_log_plan_prune(struct audit_log *self, struct audit_pruning *work);
/* Over, durably, when it returns DONE with no more to do; what a crash interrupts is done again
 * with the same act. */
fault audit_log_prune(struct audit_log *self, struct audit_pruning *work);
/* The first entry that is there. */
uint64_t audit_log_first(const struct audit_log *self);

/* Paths below a log folder, for auditors. room at least 512. */
void audit_log_path(const char *folder, unsigned epoch, const char *what, char *out, size_t room);

#endif
