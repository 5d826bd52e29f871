// SPDX-License-Identifier: MIT
/*
 * audit_log_private - what the rooms of the audit log share.
 *
 *   audit_log.c     recovery, append, reading back, erasing
 *   audit_prune.c   removing its beginning
 */
#ifndef BUS_AUDIT_LOG_PRIVATE_H
#define BUS_AUDIT_LOG_PRIVATE_H

#include "lib/bus/audit_log.h"
#include "lib/bus/limits.h"
#include "lib/bus/pruned.h"

#define AUDIT_PATH_BYTES 512
#define AUDIT_SLOTS_A_STEP 128 /* looked at by one step of an erasure, or of a plan to prune */

struct audit_log {
    char folder[AUDIT_PATH_BYTES];
    unsigned epoch;
    struct wal *wal;
    struct payload_store *payloads;
    struct merkle tree;
    struct sha256 root;
    struct pruned pruned;
    struct note_key key;
    size_t closed_count;
    struct closed_log *closed[LOG_EPOCHS_MAX];
};

#endif
