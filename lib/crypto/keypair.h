// SPDX-License-Identifier: MIT
/*
 * keypair - private and public keys: P-256 (member signing), Ed25519 (log), X25519 (sealing).
 *
 * A struct keypair is used by one thread at a time: it keeps prepared OpenSSL contexts.
 */
#ifndef CRYPTO_KEYPAIR_H
#define CRYPTO_KEYPAIR_H

#include "lib/base/bytes.h"

enum key_kind { KEY_P256, KEY_ED25519, KEY_X25519 };

#define ED25519_PUBLIC_BYTES 32
#define ED25519_SIGNATURE_BYTES 64
#define X25519_PUBLIC_BYTES 32
#define P256_SIGNATURE_BYTES_MAX 72 /* DER SEQUENCE of two INTEGERs */

struct keypair;

fault keypair_make(enum key_kind kind, struct keypair **out);
/* Reads a PKCS#8 PEM file. BAD_KEY when it is missing, open to group or others, or of another kind. */
fault keypair_load(const char *path, enum key_kind kind, struct keypair **out);
/* Writes PKCS#8 PEM with mode 0600; refuses to overwrite (IO_FAILED). */
fault keypair_save(const struct keypair *self, const char *path);
void keypair_free(struct keypair **self); /* wipes */

enum key_kind keypair_kind(const struct keypair *self);
/* Raw public key: 32 bytes for Ed25519 and X25519; 65-byte uncompressed point for P-256. */
fault keypair_public(const struct keypair *self, struct bytes **out);
/* PKCS#10 request, DER, self-signed: proof of possession. P-256 only. subject is
 * "C=CO,O=...,serialNumber=CO/GOV/899999027,CN=server": see certificate.h. */
struct certificate_subject;
fault keypair_request(const struct keypair *self, const struct certificate_subject *subject,
                      struct bytes **out);

/* ECDSA over a ready SHA-256 digest, DER, low-S (evidence format B.2). */
fault keypair_sign_digest(struct keypair *self, const uint8_t digest[32],
                          uint8_t out[P256_SIGNATURE_BYTES_MAX], size_t *out_size);
/* Ed25519 over a message. */
fault keypair_sign_message(struct keypair *self, struct span message,
                           uint8_t out[ED25519_SIGNATURE_BYTES]);
/* X25519. SEAL_BROKEN on a low-order peer key. */
fault keypair_agree(struct keypair *self, const uint8_t peer[X25519_PUBLIC_BYTES], uint8_t out[32]);

/* Ed25519 check with a raw public key. SIGNATURE_BAD when it does not verify. */
fault ed25519_verify(const uint8_t public_key[ED25519_PUBLIC_BYTES], struct span message,
                     struct span signature);

#endif
