// SPDX-License-Identifier: MIT
/*
 * directory_prove - is a snapshot what the acts before it lead to? Who holds the keys of acts and
 * of the log, and no operator's, can vouch for a state that no act leads to; whoever has the acts
 * can tell. And the mark that says so long as nobody has: of a copy that began with a snapshot.
 *
 * docs/decisions/0041: who proves it, when, and what becomes of a lie.
 */
#ifndef BUS_DIRECTORY_PROVE_H
#define BUS_DIRECTORY_PROVE_H

#include "lib/base/bytes.h"

struct trust; /* lib/crypto/certificate.h */

// --- the proof ----------------------------------------------------------------------------------

struct directory_prover;

struct directory_prove {
    const char *folder;  /* published, and whole (directory_partial_begins is 0); copied */
    uint64_t size;       /* of its head; snapshots of fewer acts are compared */
    struct trust *trust; /* lent for the prover's life; one thread at a time */
    bool set_aside;      /* also those that a node kept as proof of a lie (see below) */
    bool to_the_end;     /* without a snapshot all acts are folded all the same */
    bool vouched_only;   /* what no act vouches for is passed over: nobody can have begun with it */
};

/* Of files only, and none that is larger than a snapshot can be: anything else of such a name was
 * made by hand. NOT_FOUND, CERTIFICATE_BAD, IO_FAILED; OVERLOADED: more than
 * DIRECTORY_SNAPSHOTS_MAX snapshots.
 */
fault directory_prover_new(const struct directory_prove *what, struct directory_prover **out);
void directory_prover_free(struct directory_prover **self);

/* Folds the next DIRECTORY_PROVE_ACTS acts at most, each signature and approval checked (60 us an
 * act), or compares the next snapshot (50 ms in a country). Holds one state and one bundle.
 * *done: nothing is left.
 *
 * INCONSISTENT: the authority vouched for this snapshot, and it is of another state. BAD_FRAME: it
 * is not what the authority vouched for, or not in the form that this program makes. After both
 * directory_prover_at() is its size, and the next call goes on.
 * DIRECTORY_BAD: the acts themselves do not hold. LOG_BROKEN: the folder's acts are not those of
 * its tiles: damaged. NOT_FOUND, IO_FAILED. */
fault directory_prover_step(struct directory_prover *self, bool *done);
uint64_t directory_prover_at(const struct directory_prover *self); /* acts folded so far */
size_t directory_prover_snapshots(const struct directory_prover *self);
/* Is the snapshot of so many acts among those that were compared and held? */
bool directory_prover_held(const struct directory_prover *self, uint64_t size);

// --- the mark -----------------------------------------------------------------------------------

/* `snapshot/not_folded` in the folder. Durable on return; both may be repeated. */
fault directory_mark(const char *folder);
fault directory_unmark(const char *folder);
bool directory_is_marked(const char *folder);

/* The snapshot of so many acts is renamed to <size>.lied, which nothing begins with: it is proof,
 * beside the act that vouches for it. Durable; DONE when there is none. */
fault directory_snapshot_aside(const char *folder, uint64_t size);

#endif
