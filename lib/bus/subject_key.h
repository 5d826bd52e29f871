// SPDX-License-Identifier: MIT
/*
 * subject_key - the country's key of one year for pseudonyms, sealed to one server: as it lies in
 * the published folder, in the server's own, and never anywhere in the clear but in the registry's
 * store and in the memory of keys processes.
 *
 *   subject-keys/<year>/<64 hex digits of SHA-256(server)>
 *
 *   CHSKSUB1 | u16 year | id of the sealing key (8) | ephemeral key (32) | sealed key (32 + 16)
 *
 * Sealed as letters are (lib/crypto/seal.h), counter 0, associated data = "chaski subject key v1"
 * || 00 || server || 00 || u16 year || commitment. Integers big-endian.
 */
#ifndef BUS_SUBJECT_KEY_H
#define BUS_SUBJECT_KEY_H

#include "lib/bus/letter.h"
#include "lib/bus/pseudonym.h"

#define SUBJECT_KEYS_FOLDER "subject-keys"
#define SUBJECT_KEY_NAME_ROOM (sizeof SUBJECT_KEYS_FOLDER + 5 + 2 * SHA256_BYTES + 1)

/* The name of the file, below the folder. */
void subject_key_name(const char *server, unsigned year, char out[SUBJECT_KEY_NAME_ROOM]);

/* For this server, to one of its sealing keys. bytes_free() it. */
fault subject_key_seal(const char *server, unsigned year, const uint8_t key[PSEUDONYM_KEY_BYTES],
                       const uint8_t receiver[X25519_PUBLIC_BYTES], struct bytes **out);

struct subject_key_blob {
    unsigned year;
    uint8_t seal_key_id[SEAL_KEY_ID_BYTES];
    uint8_t ephemeral[X25519_PUBLIC_BYTES];
    struct span sealed; /* points into what was read */
};
/* BAD_FRAME. */
fault subject_key_read(struct span bytes, struct subject_key_blob *out);

/* For the process that holds the secret half. SEAL_BROKEN: sealed for another server, year, key or
 * commitment. BAD_KEY: the key is not the one that the commitment names. */
fault subject_key_open(const struct subject_key_blob *blob, const char *server,
                       const struct sha256 *commitment, struct keypair *receiver,
                       uint8_t out[PSEUDONYM_KEY_BYTES]);

#endif
