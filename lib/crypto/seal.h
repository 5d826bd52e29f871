// SPDX-License-Identifier: MIT
/*
 * seal - end-to-end encryption to a server's X25519 key: X25519 + HKDF-SHA256 + AES-256-GCM.
 *
 * A sealing context has one ephemeral key and counts its messages, so that the 50 us of key
 * agreement are paid once per peer and period and not per message. The receiving side derives the
 * same key from the ephemeral public key, which stands in each message.
 *
 *   key   = HKDF-SHA256(ikm = X25519 result, salt = ephemeral public || receiver public,
 *                       info = "chaski seal v1", 32 bytes)
 *
 *   nonce = 4 zero bytes || u64 counter, big-endian; a counter is never used twice with one key
 */
#ifndef CRYPTO_SEAL_H
#define CRYPTO_SEAL_H

#include "lib/base/bytes.h"
#include "lib/crypto/keypair.h"

#define SEAL_KEY_BYTES 32
#define SEAL_TAG_BYTES 16
#define SEAL_BYTES_MAX ((size_t)1 << 30) /* of one text, or of what goes with it */

struct seal_key; /* one AES-256-GCM key with its prepared context; wiped on free */

fault seal_key_make(const uint8_t key[SEAL_KEY_BYTES], struct seal_key **out);
void seal_key_free(struct seal_key **self);

/* Sender: fresh ephemeral key for this receiver. SEAL_BROKEN on a low-order receiver key. 50 us. */
fault seal_start(const uint8_t receiver[X25519_PUBLIC_BYTES],
                 uint8_t ephemeral_out[X25519_PUBLIC_BYTES], struct seal_key **out);
/* Receiver's key process: the raw key for that ephemeral. SEAL_BROKEN on a low-order point. */
fault seal_derive(struct keypair *receiver, const uint8_t ephemeral[X25519_PUBLIC_BYTES],
                  uint8_t out[SEAL_KEY_BYTES]);

/* out has room for plain.size + SEAL_TAG_BYTES. In both directions `out` may be the input's own
 * place, but must not overlap it otherwise. CRYPTO_FAILED over SEAL_BYTES_MAX. */
fault seal_encrypt(struct seal_key *self, uint64_t counter, struct span associated,
                   struct span plain, uint8_t *out);
/* out has room for sealed.size - SEAL_TAG_BYTES; wiped on SEAL_BROKEN. */
fault seal_decrypt(struct seal_key *self, uint64_t counter, struct span associated,
                   struct span sealed, uint8_t *out);

/* Texts that each have a key of their own, with counter 0: one context for all of them. */
struct seal_once;
fault seal_once_new(struct seal_once **out);
void seal_once_free(struct seal_once **self);
/* As seal_encrypt. The key must be fresh: never used before, nor after. */
fault seal_once_encrypt(struct seal_once *self, const uint8_t key[SEAL_KEY_BYTES],
                        struct span associated, struct span plain, uint8_t *out);
/* As seal_decrypt. */
fault seal_once_decrypt(struct seal_once *self, const uint8_t key[SEAL_KEY_BYTES],
                        struct span associated, struct span sealed, uint8_t *out);

void seal_wipe(void *at, size_t size);

#endif
