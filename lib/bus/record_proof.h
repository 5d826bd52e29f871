// SPDX-License-Identifier: MIT
/*
 * record_proof - proof that an entry stands in a log: c2sp.org/tlog-proof@v1.
 *
 *   c2sp.org/tlog-proof@v1
 *   index <decimal>
 *   <base64 of a hash>        the path, the leaf's sibling first; no line for a tree of one
 *                             (an empty line)
 *   <checkpoint>              the signed note, byte for byte
 *
 * The format allows a line `extra <base64>` behind the first one. Nothing vouches for it, we write
 * none, and it is refused here.
 */
#ifndef BUS_RECORD_PROOF_H
#define BUS_RECORD_PROOF_H

#include "lib/base/bytes.h"
#include "lib/crypto/merkle.h"
#include "lib/crypto/note.h"

#define RECORD_PROOF_BYTES_MAX (NOTE_BYTES_MAX + 4096)

struct record_proof {
    uint64_t index;
    size_t length;
    struct sha256 path[MERKLE_PROOF_MAX];
    struct span note; /* borrowed */
};

/* bytes_free() it. */
fault record_proof_encode(const struct record_proof *self, struct bytes **out);
/* Accepts exactly what record_proof_encode makes, with any bytes as the note; else BAD_FRAME. The
 * note points into `bytes` and is checked by checkpoint_open. */
fault record_proof_decode(struct span bytes, struct record_proof *out);

/* Is the leaf where the proof says, under a head that `key` signed? *head, when DONE. Faults as
 * checkpoint_open and merkle_inclusion_root; INCONSISTENT when the path leads to another root. */
fault record_proof_check(const struct record_proof *self, const struct sha256 *leaf_hash,
                         const struct note_key *key, struct checkpoint *head);

/* The path of an entry from the hashes of all leaves; at most MERKLE_PROOF_MAX. index < size. */
size_t record_proof_path(const struct sha256 *leaf_hashes, uint64_t size, uint64_t index,
                         struct sha256 out[MERKLE_PROOF_MAX]);

#endif
