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

#define KEY_SEED_BYTES 32
#define ED25519_PUBLIC_BYTES 32
#define ED25519_SIGNATURE_BYTES 64
#define X25519_PUBLIC_BYTES 32
#define P256_SIGNATURE_BYTES_MAX 72 /* DER SEQUENCE of two INTEGERs */

struct keypair;

fault keypair_make(enum key_kind kind, struct keypair **out);
/* From a private key of 32 raw bytes; Ed25519 (seed) and X25519 only, else BAD_KEY. */
fault keypair_from_raw(enum key_kind kind, const uint8_t raw[KEY_SEED_BYTES], struct keypair **out);
/* Reads an unencrypted PKCS#8 PEM file ("BEGIN PRIVATE KEY"). BAD_KEY when it is missing, a
 * symbolic link, not a regular file, open to group or others, or of another kind. */
fault keypair_load(const char *path, enum key_kind kind, struct keypair **out);
/* The same of a file that may be sealed (key_file.h); the opener counts. BAD_PASSPHRASE, too. */
struct key_opener;
fault keypair_load_sealed(const char *path, enum key_kind kind, struct key_opener *opener,
                          struct keypair **out);
/* A P-256 key of which only the public point is here, and somebody who signs (low S): a token. The
 * signer's owner outlives it. Such a key cannot be saved. BAD_KEY for a point off the curve. */
struct digest_signer;
fault keypair_of_signer(const uint8_t point[65], const struct digest_signer *signer,
                        struct keypair **out);
/* Writes PKCS#8 PEM with mode 0600 and syncs the file (not its folder); refuses to overwrite
 * (IO_FAILED). Waits for the disk. */
fault keypair_save(const struct keypair *self, const char *path);
/* The same under a passphrase, see key_file_make; an empty one: unsealed. */
fault keypair_save_sealed(const struct keypair *self, const char *path, struct span passphrase);
void keypair_free(struct keypair **self); /* wipes */

enum key_kind keypair_kind(const struct keypair *self);
/* Raw public key: 32 bytes for Ed25519 and X25519; 65-byte uncompressed point for P-256. */
fault keypair_public(const struct keypair *self, struct bytes **out);
/* PKCS#10 request, DER, self-signed: proof of possession. P-256 only, else BAD_KEY. subject is
 * "C=CO,O=...,serialNumber=CO/GOV/899999027,CN=server", bounded as in certificate.h (BAD_NAME). */
struct certificate_subject;
fault keypair_request(struct keypair *self, const struct certificate_subject *subject,
                      struct bytes **out);

/* ECDSA over a ready SHA-256 digest, DER, low-S (evidence format B.2). P-256 only (asserted, as the
 * kind of key is for the two below). */
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
