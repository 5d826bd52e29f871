// SPDX-License-Identifier: MIT
/*
 * audit_log_private - what the rooms of the audit log share.
 *
 *   audit_log.c     recovery, reading back, erasing
 *   audit_commit.c  append: one flush for all files, and what a stop left of that
 *   audit_prune.c   removing its beginning
 */
#ifndef BUS_AUDIT_LOG_PRIVATE_H
#define BUS_AUDIT_LOG_PRIVATE_H

#include "lib/bus/audit_log.h"
#include "lib/bus/journal.h"
#include "lib/bus/limits.h"
#include "lib/bus/pruned.h"

#define AUDIT_PATH_BYTES 512
#define AUDIT_SLOTS_A_STEP 128 /* looked at by one step of an erasure, or of a plan to prune */

struct audit_log {
    char folder[AUDIT_PATH_BYTES];
    unsigned epoch;
    struct wal *wal;
    struct payload_store *payloads;
    struct journal *journal;
    size_t begun; /* of the journal, of which the disk was told to begin with the files */
    struct merkle tree;
    struct sha256 root;
    struct pruned pruned;
    struct note_key key;
    size_t closed_count;
    struct closed_log *closed[LOG_EPOCHS_MAX];
};

/* Writes again what this epoch's journal holds, durably; may be done again. The log's lock is held.
 * *size: how many entries there must be; 0: it does not say. LOG_BROKEN, LOG_FAILED, IO_FAILED. */
fault audit_redo(const char *folder, unsigned epoch, uint64_t *size);
/* A blank journal, once it is sure that nothing of the old one is missing. LOG_FAILED. */
fault audit_journal_open(const char *folder, unsigned epoch, struct journal **out);
/* All that was appended is durable in its own files; the journal begins anew. */
void audit_settle(struct audit_log *self);
/* The same, and no copy of it stays in the journal: before something is overwritten or removed that
 * must not come back. LOG_FAILED. */
fault audit_settle_for_good(struct audit_log *self);

#endif
