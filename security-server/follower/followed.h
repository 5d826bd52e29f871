// SPDX-License-Identifier: MIT
/*
 * followed - the follower's own copy of the directory, in the form of a published folder: what came
 * from strangers stands here once its signature, root and consistency with what was there before
 * are checked. The acts themselves are judged by the exchange process, which takes the copy from
 * here.
 *
 *   <audit_folder>/followed/    the copy; its checkpoint is written last
 *   <audit_folder>/followed/heartbeat   newest word of the directory about a head that is held
 *   <audit_folder>/refused/     a head that contradicts the copy, with its acts if they prove it
 *   <audit_folder>/directory/   the exchange process's own copy: only read here
 *
 * Killed at any moment it leaves the head before or the head after.
 */
#ifndef FOLLOWER_FOLLOWED_H
#define FOLLOWER_FOLLOWED_H

#include "lib/bus/anchor_file.h"
#include "lib/bus/directory_partial.h"
#include "lib/bus/handover.h"
#include "lib/bus/heartbeat.h"

struct followed;

/* Reads what is there; a damaged copy is left aside, and begins anew from the exchange process's or
 * from nothing. BAD_CONFIG: the certificates of the anchor are none. */
fault followed_open(const char *audit_folder, const struct anchor_file *anchor,
                    struct followed **out);
void followed_free(struct followed **self);

/* What is held; size 0: nothing. */
const struct checkpoint *followed_head(const struct followed *self);
/* The signed note of it; bytes_free() it. */
fault followed_note(const struct followed *self, struct bytes **out);
/* The act of that number; bytes_free() it. NOT_FOUND: not held, or not yet. */
fault followed_act(const struct followed *self, uint64_t number, struct bytes **out);
const struct note_key *followed_key(const struct followed *self);
/* Newest heartbeat held; time_s 0: none. */
const struct heartbeat *followed_heartbeat(const struct followed *self);

/* A head by that key, or by one before it in its turn: as handovers_open. */
fault followed_open_head(const struct followed *self, struct span note, struct checkpoint *out);
/* An address's `handovers`, and the certificate that signed its acts: when they lead from the key
 * that is known to another, that one counts from now on, durably. *more: they did. DIRECTORY_BAD,
 * INCONSISTENT: they are none of the authority's. */
fault followed_learn(struct followed *self, struct span handovers, struct span pem, bool *more);

/* Takes over what the exchange process heard from a peer, if it is newer. */
fault followed_catch_up(struct followed *self);

struct followed_news {
    struct span note;
    uint64_t from; /* index of the first leaf: at most what is held */
    const struct span *leaf;
    size_t leaves;   /* reach up to the note's size, or beyond */
    struct span pem; /* authority.pem, or empty: the one that is held */
};

/*
 * Takes a newer head, durably; of the same head, a note with other cosignatures.
 *
 * BAD_FRAME, SIGNATURE_BAD: the note is not the directory's. DIRECTORY_OLD: it is smaller than what
 * is held. INCONSISTENT: the acts are not those of the note, or of another directory, or the copy
 * was damaged: fetch them from the first one on. DIRECTORY_FORKED: they are, and they are not what
 * is held.
 */
fault followed_take(struct followed *self, const struct followed_news *news);

/*
 * The first head of all, from a snapshot on: docs/decisions/0033. Durably; what came before is
 * filled in later. INCONSISTENT: it is not what was signed, or something is held already.
 */
fault followed_begin(struct followed *self, struct span note, struct span pem,
                     const struct directory_partial *with);
/* The first entry from which on all are held; 0: nothing is missing. */
uint64_t followed_begins(const struct followed *self);
/* Puts the full bundle of entries that ends there in its place. INCONSISTENT: it is another one. */
fault followed_fill(struct followed *self, struct span bundle);

/* Takes a newer word about a head that is held. NOT_FOUND: about a larger one; that comes first.
 * DIRECTORY_OLD: signed later than the one that is held, about a smaller head. DIRECTORY_FORKED: of
 * the same size, and another root. Older ones are left aside. */
fault followed_take_heartbeat(struct followed *self, struct span note, struct heartbeat *out);

/* Keeps what contradicts, for the exchange process, which tells of it. leaves may be 0. */
fault followed_refuse(struct followed *self, const struct followed_news *news);

#endif
