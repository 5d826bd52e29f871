// SPDX-License-Identifier: MIT
/*
 * token - a P-256 signing key that lives in a PKCS#11 token and never leaves it.
 *
 * PKCS#11 2.40 (OASIS), with p11-kit's header and the module that the operator names, loaded into
 * this process. A token is opened by one thread, which waits for it; then each thread that signs
 * has a session of its own. When a session fails, all are freed by their threads, the token is
 * closed and opened again.
 *
 * Faults: TOKEN_AWAY, it is not there or does not work, and may come back by itself; TOKEN_REFUSED,
 * somebody must change something: module, PIN, label, kind of key. Both in words, never with a PIN.
 */
#ifndef CRYPTO_TOKEN_H
#define CRYPTO_TOKEN_H

#include "lib/crypto/keypair.h"
#include "lib/crypto/p256.h"
#include "lib/crypto/token_uri.h"

/* A module, once loaded, stays for the life of the process: many do not survive being unloaded. */
struct token_module;
fault token_module_load(const char *path, struct token_module **out);
void token_module_free(struct token_module **self); /* of our memory only */

struct token;
struct token_session;

/* Initializes the module, finds the one token and logs in, once. `pin_refused` (may be NULL) tells
 * that the token has counted a wrong PIN: the same one must not be tried again, or it locks itself.
 * A token with one try left is not tried at all. An empty PIN: no login. */
fault token_open(struct token_module *module, const struct token_uri *uri, struct span pin,
                 bool *pin_refused, struct token **out);
/* All its sessions are freed before. */
void token_free(struct token **self);

/* For one thread. Finds the key: exactly one private P-256 key that may sign. */
fault token_session_open(struct token *token, struct token_session **out);
void token_session_free(struct token_session **self);
/* ECDSA over a ready SHA-256 digest, DER, low-S, as keypair_sign_digest. Waits for the token. */
fault token_session_sign(struct token_session *self, const uint8_t digest[32],
                         uint8_t out[P256_SIGNATURE_BYTES_MAX], size_t *out_size);

/* The public half as the token shows it: exactly one public key of the URI's name. That it is of
 * the private one, a signature shows. TOKEN_REFUSED. */
fault token_public(struct token *token, uint8_t point[P256_POINT_BYTES]);

/* Makes the key named by the URI's object (needed) and id (else a random one): sensitive, not
 * extractable, for signatures only. REFUSED when there is a key of that name or id. */
fault token_make_key(struct token *token, uint8_t point[P256_POINT_BYTES]);

/* The same token in the same login, and another key of it, by its label. It is freed before the
 * token that it is of, whose login it does not end. */
struct token *token_alias(const struct token *of, const char *object);
void token_alias_free(struct token **self);

/* Besides the session's own key that of `alias`, for one who signs by both; else as
 * token_session_open, token_session_sign. */
fault token_session_add(struct token_session *self, const struct token *alias);
fault token_session_sign_added(struct token_session *self, const uint8_t digest[32],
                               uint8_t out[P256_SIGNATURE_BYTES_MAX], size_t *out_size);

/* How many objects of the URI's name there are; counts up to 2 of each class. */
fault token_count_keys(struct token *token, size_t *private_keys, size_t *public_keys);
/* Removes them for ever, private and public. REFUSED for more than one of a class. */
fault token_remove_key(struct token *token);

#endif
