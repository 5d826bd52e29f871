// SPDX-License-Identifier: MIT
/*
 * operator_key - an operator's key: in a file that only that person reads, or in a PKCS#11 token
 * that never gives it out.
 *
 * Named by --as: a path, or a token's URI (lib/crypto/token_uri.h) with --module. For one command:
 * it is opened, signs, and is forgotten.
 */
#ifndef REGISTRY_OPERATOR_KEY_H
#define REGISTRY_OPERATOR_KEY_H

#include "lib/bus/limits.h"
#include "lib/crypto/keypair.h"

struct operator_key;

/* module: of the token, or NULL. BAD_KEY; BAD_REQUEST for a URI that is none, or without a module;
 * BAD_PASSPHRASE, TOKEN_AWAY, TOKEN_REFUSED. */
fault operator_key_open(const char *name, const char *module, struct operator_key **out);
void operator_key_free(struct operator_key **self); /* wipes */
/* Signs digests; lent. */
struct keypair *operator_key_pair(struct operator_key *self);

/* The keys that --as names, at most as many as an act can have approvals; a command owns them, and
 * they outlive what signs with them. One in a token at most: its module is there once. */
struct arguments;
struct operator_keys {
    size_t count;
    struct operator_key *key[DIRECTORY_APPROVALS_MAX];
};
fault operator_keys_open(const struct arguments *arguments, struct operator_keys **out);
void operator_keys_free(struct operator_keys **self);
struct store;
fault operator_keys_approve(const struct operator_keys *self, struct store *store);

/* Makes one and says its public half. IO_FAILED when the file is there, REFUSED when the token has
 * a key of that name. */
struct said;
fault operator_key_make(const char *name, const char *module, struct said *said);

#endif
