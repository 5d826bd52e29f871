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

/* A verifier key: "name+<8 hex>+base64(type || public key)". */
struct note_key {
    char name[NOTE_NAME_BYTES_MAX];
    uint8_t id[4];
    uint8_t type; /* 0x01 or 0x04 */
    uint8_t public_key[ED25519_PUBLIC_BYTES];
};

/* BAD_NAME when the name is empty, too long, or holds a space, '+' or control character. */
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
/* Body + blank line + one signature line of this key. bytes_free() it. */
fault checkpoint_note(const struct checkpoint *self, const struct note_key *key,
                      const uint8_t signature[ED25519_SIGNATURE_BYTES], struct bytes **out);
/* Parses a note and checks that `key` (type 0x01) signed it and that the origin is the key's name.
 * BAD_FRAME, SIGNATURE_BAD (no or bad signature of this key). Unknown signature lines are skipped. */
fault checkpoint_open(struct span note, const struct note_key *key, struct checkpoint *out);

#endif
