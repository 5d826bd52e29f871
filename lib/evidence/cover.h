// SPDX-License-Identifier: MIT
/*
 * cover - the signed heads of a log that cover an entry, and the proof that it stands under one.
 *
 *   log/<epoch>/cp/<size> heads that witnesses cosigned; <size>.tst: time stamp over such a file
 *   .../checkpoint        the head that the tiles reach
 *   .../promise           the newest head, which only the segments reach
 *
 * Any of these may be missing. Heads that the log's key did not sign are passed over.
 */
#ifndef EVIDENCE_COVER_H
#define EVIDENCE_COVER_H

#include "lib/evidence/log_view.h"

#define COVER_TOKEN_BYTES_MAX (1 << 20)

struct cover {
    struct checkpoint head;
    struct bytes *note;
    struct bytes *token; /* RFC 3161 token over the note, not checked here; or NULL */
};

void cover_free(struct cover **self);

/* What there is by now. Read it before the walk over the entries: a running node writes on. */
struct covers;
fault covers_read(const struct log_view *view, struct covers **out);
void covers_free(struct covers **self);

/* The head that says most about when the entry was there: the first one with a time stamp, else the
 * first one with cosignatures, else the tiles' or the newest. NULL in *out when none covers it. */
fault covers_first(const struct covers *self, uint64_t index, struct cover **out);
/* The newest one with a time stamp, if it is larger than `first`: it outlives the older stamp's
 * certificates. NULL in *out when there is none. */
fault covers_newest_stamped(const struct covers *self, const struct cover *first,
                            struct cover **out);

/* Proof of an entry under this head: from the tiles if they lead there, else from the hashes of all
 * leaves that were walked over (none: leaf_hashes NULL, leaf_count 0). LOG_BROKEN when neither
 * leads to the head's root. bytes_free() it.
 */
fault cover_prove(const struct log_view *view, const struct cover *self, uint64_t index,
                  const struct sha256 *leaf_hash, const struct sha256 *leaf_hashes,
                  uint64_t leaf_count, struct bytes **out);

#endif
