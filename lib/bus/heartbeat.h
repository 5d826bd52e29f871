// SPDX-License-Identifier: MIT
/*
 * heartbeat - the directory's word that a head is its newest at a time: a C2SP note by the
 * directory's log key, made anew each minute. In the form of a checkpoint with one extension line,
 * so it says nothing about the tree that the log would not sign anyway.
 *
 *   <origin>\n <size>\n <base64 root>\n time <seconds since 1970>\n  \n  signature lines
 */
#ifndef BUS_HEARTBEAT_H
#define BUS_HEARTBEAT_H

#include "lib/crypto/note.h"

#define HEARTBEAT_BODY_ROOM (CHECKPOINT_BODY_ROOM + 40)

struct heartbeat {
    struct checkpoint head;
    uint64_t time_s;
};

/* What is signed; room at least HEARTBEAT_BODY_ROOM; returns the length. */
size_t heartbeat_body(const struct heartbeat *self, char *out, size_t room);
/* The note; bytes_free() it. BAD_NAME when the key is not that of the origin. */
fault heartbeat_note(const struct heartbeat *self, const struct note_key *key,
                     const uint8_t signature[ED25519_SIGNATURE_BYTES], struct bytes **out);
/* Signs and makes it. */
fault heartbeat_make(const struct heartbeat *self, const struct note_key *key,
                     struct keypair *signer, struct bytes **out);
/* Checks the signature and the form. BAD_FRAME (a plain checkpoint too), SIGNATURE_BAD. */
fault heartbeat_open(struct span note, const struct note_key *key, struct heartbeat *out);

#endif
