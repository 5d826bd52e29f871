// SPDX-License-Identifier: MIT
/*
 * note - C2SP signed notes and checkpoints with Ed25519 keys (types 0x01 log, 0x04 cosignature).
 *
 * Source: c2sp.org/signed-note, c2sp.org/tlog-checkpoint, c2sp.org/tlog-cosignature.
 */
#ifndef CRYPTO_NOTE_H
#define CRYPTO_NOTE_H

#include "lib/base/bytes.h"
#include "lib/crypto/digest.h"
#include "lib/crypto/keypair.h"

#define NOTE_NAME_BYTES_MAX 256
#define NOTE_BYTES_MAX 16384
#define NOTE_LOG 0x01     /* key type: Ed25519 over the text */
#define NOTE_WITNESS 0x04 /* key type: Ed25519 over a time and the text */
#define CHECKPOINT_BODY_ROOM 400

/* A verifier key: "name+<8 hex>+base64(type || public key)". */
struct note_key {
    char name[NOTE_NAME_BYTES_MAX];
    uint8_t id[4];
    uint8_t type; /* 0x01 or 0x04 */
    uint8_t public_key[ED25519_PUBLIC_BYTES];
};

/* BAD_NAME when the name is empty, too long, not UTF-8, or holds a space (of any script), '+' or
 * control character; BAD_KEY for another type. */
fault note_key_make(const char *name, uint8_t type, const uint8_t public_key[ED25519_PUBLIC_BYTES],
                    struct note_key *out);
fault note_key_parse(struct span vkey, struct note_key *out); /* BAD_KEY; the id is checked */
/* Writes the vkey text with closing NUL; room at least 400. */
void note_key_text(const struct note_key *self, char *out, size_t room);

struct checkpoint {
    char origin[NOTE_NAME_BYTES_MAX];
    uint64_t size;
    struct sha256 root;
};

/* The three lines that are signed; room at least 400; returns the length. */
size_t checkpoint_body(const struct checkpoint *self, char *out, size_t room);
/* Body + blank line + one signature line of this key. bytes_free() it. BAD_NAME when the key is not
 * of type 0x01 or its name is not the origin. */
fault checkpoint_note(const struct checkpoint *self, const struct note_key *key,
                      const uint8_t signature[ED25519_SIGNATURE_BYTES], struct bytes **out);
/* Parses a note and checks that `key` (type 0x01) signed it and that the origin is the key's name.
 * BAD_FRAME, SIGNATURE_BAD (no or bad signature of this key). Unknown signature lines are skipped,
 * but must be well formed; extension lines are signed with the rest and left aside. */
fault checkpoint_open(struct span note, const struct note_key *key, struct checkpoint *out);

/* What a witness (key type 0x04) signs: "cosignature/v1", time, and the checkpoint's three lines;
 * room at least 464; returns the length. time_s: seconds since 1970 UTC. */
size_t cosignature_body(const struct checkpoint *self, uint64_t time_s, char *out, size_t room);
/* Adds the witness's line at the end of a note. BAD_KEY for another type of key. */
fault cosignature_append(struct bytes *note, const struct note_key *witness, uint64_t time_s,
                         const uint8_t signature[ED25519_SIGNATURE_BYTES]);
/* Parses a note of any origin and checks that the witness cosigned it; it says nothing about the
 * log's own signature. BAD_FRAME, SIGNATURE_BAD. */
fault cosignature_open(struct span note, const struct note_key *witness, struct checkpoint *out,
                       uint64_t *out_time_s);

#endif
