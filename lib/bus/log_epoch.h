// SPDX-License-Identifier: MIT
/*
 * log_epoch - a node's log is a row of logs, one for each epoch. The first stands under the origin
 * that the directory registers, `NAME/1`; a later one under `NAME/2` and so on, by the same key. An
 * epoch is closed when its end is really lost: heads that were signed bind what is gone, so the log
 * must not go on from a shorter prefix. The next one begins with a record that says so.
 *
 *   <audit folder>/log/<epoch>/...            leaves, heads, tiles: see audit_log.h
 *   <audit folder>/payload/, keys/            payloads of epoch 1 and their keys
 *   <audit folder>/epoch/<epoch>/payload/...  the same of a later one
 *   <audit folder>/log/epoch                  number of the newest, once it is past 1
 */
#ifndef BUS_LOG_EPOCH_H
#define BUS_LOG_EPOCH_H

#include "lib/base/bytes.h"
#include "lib/bus/limits.h"
#include "lib/crypto/digest.h"
#include "lib/crypto/note.h"

/* How an operator closes one, for messages that refuse a log. */
#define LOG_EPOCH_REMEDY \
    "chaski log new-epoch --config FILE --reason TEXT --officer ID, then start again"

/* A head of a server's log, and who holds its signature over it. */
struct epoch_head {
    const char *by; /* a server; the log's own for what lies in its own files; or, of a witness that
                       is no server, the name of its key */
    unsigned epoch;
    uint64_t size;
    struct sha256 root;
};

/* What the first record of a later epoch says. */
struct epoch_closed {
    unsigned epoch;           /* the one that ends */
    uint64_t size;            /* what is left of it: whole entries from its beginning */
    struct sha256 root;       /* ... and their root */
    uint32_t asked, answered; /* others who were asked what they hold of this log */
    size_t heads;             /* at most EPOCH_HEADS_MAX */
    const struct epoch_head *head;
};

/* The key under the origin of an epoch. REFUSED: the registered origin does not end in /1, or there
 * can be no such epoch. */
fault log_epoch_key(const struct note_key *registered, unsigned epoch, struct note_key *out);
/* Which epoch of that log this origin names; 0: none. */
unsigned log_epoch_of(const struct note_key *registered, struct span origin);
/* What the origins of all epochs of one log begin with. */
struct span log_epoch_base(struct span origin);

/* Where epoch's payloads and keys lie: what payload_store takes as its folder. room at least 512.
 */
void log_epoch_payloads(const char *folder, unsigned epoch, char *out, size_t room);

/* The newest epoch of which something is there: a promise, or an entry; 1 for a new log. IO_FAILED.
 */
fault log_epoch_newest(const char *folder, unsigned *out);
/* The number in log/epoch, 1 without one; LOG_BROKEN when it is none. */
fault log_epoch_marked(const char *folder, unsigned *out);
fault log_epoch_mark(const char *folder, unsigned epoch);

#endif
