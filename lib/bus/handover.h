// SPDX-License-Identifier: MIT
/*
 * handover - from one key of the directory's log to the next: the statement that both keys sign, in
 * an act (AuthorityKeysSet, directory.proto), and the file in which a published folder shows these
 * acts to who knows an older key than the one that signs its heads.
 *
 *   handovers    CAdES leaves of those acts, in their order, in the form of an entry bundle
 *                (C2SP tlog-tiles: for each its size in two bytes, big-endian, and the leaf)
 *
 * What the file says by itself is only that the keys agreed. That the act stands in the log and was
 * approved says the fold, which has the last word (directory_load).
 * docs/decisions/0034.
 */
#ifndef BUS_HANDOVER_H
#define BUS_HANDOVER_H

#include "lib/base/bytes.h"
#include "lib/crypto/certificate.h"
#include "lib/crypto/note.h"

#define HANDOVERS_FILE "handovers"

struct handover {
    uint64_t number;               /* of its act */
    struct note_key before, after; /* of the same name, which is the log's origin */
    uint8_t signature_before[ED25519_SIGNATURE_BYTES], signature_after[ED25519_SIGNATURE_BYTES];
};

/* Both keys sign: the old one that it gives way, the new one that it is held. */
fault handover_make(const struct note_key *before, struct keypair *signer_before,
                    const struct note_key *after, struct keypair *signer_after,
                    struct handover *out);
/* DIRECTORY_BAD: keys of two logs, the same key, or a signature that is none. */
fault handover_check(const struct handover *self);
struct Chaski__AuthorityKeysSet; /* directory.pb-c.h */
fault handover_read(const struct Chaski__AuthorityKeysSet *act, struct handover *out);
/* From the act in a leaf, checked as above. NOT_FOUND: an act of another kind. */
fault handover_of_leaf(struct span leaf, struct handover *out);

/* The key to which a folder's file leads from `base`; base itself when there is no file, or it says
 * nothing of that key. DIRECTORY_BAD for a file that is none. */
fault handovers_key(const char *folder, const struct note_key *base, struct note_key *out);
/* The same from the file's bytes. authority: authority.pem, of which one must have signed each act;
 * empty: the bytes are our own. was: keys that gave way, the oldest first, also those from before
 * `base`. */
#define HANDOVERS_MAX 32 /* in the life of a directory */
#define HANDOVERS_BYTES_MAX (HANDOVERS_MAX * 8192)
struct handovers {
    struct note_key key;
    size_t former;
    struct note_key was[HANDOVERS_MAX];
    uint64_t number[HANDOVERS_MAX]; /* of the act with which it gave way */
};
fault handovers_follow(struct span file, const struct note_key *base, struct span authority,
                       struct handovers *out);
fault handovers_read(const char *folder, const struct note_key *base, struct handovers *out);
/* Up to which size a key that gave way with that act may have signed heads. */
uint64_t handover_last_size(uint64_t number);
/* A head by the key, or by a former one as long as it was its turn. SIGNATURE_BAD;
 * DIRECTORY_FORKED: by one that had given way (*out is that head). */
fault handovers_open(const struct handovers *self, struct span note, struct checkpoint *out);
/* Adds those of the leaves that are such acts and are not there yet; durable. */
fault handovers_add(const char *folder, const struct span *leaves, size_t count);

#endif
