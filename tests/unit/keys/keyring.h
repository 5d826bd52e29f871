// SPDX-License-Identifier: MIT
/*
 * keyring - a folder with the keys of one server, as `chaski keys` makes it.
 */
#ifndef TESTS_KEYS_KEYRING_H
#define TESTS_KEYS_KEYRING_H

#include "security-server/keys/key_store.h"
#include "tests/unit/crypto/fixture.h"

struct keyring {
    const char *folder;
    struct country *country; /* its key is sign.key, its member certificate sign.crt */
    uint8_t log[ED25519_PUBLIC_BYTES];
    uint8_t seal[X25519_PUBLIC_BYTES];
};

/* A fresh key at this name, in place of one that stands there. */
static inline struct bytes *keyring_put(const char *folder, const char *name, enum key_kind kind)
{
    struct fixture_path path = fixture_path(folder, name);
    struct bytes *public_key = NULL;
    OWNED(keypair) key = NULL;
    MUST(keypair_make(kind, &key));
    unlink(path.at);
    MUST(keypair_save(key, path.at));
    MUST(keypair_public(key, &public_key));
    return public_key;
}

static inline struct keyring *keyring_new(void)
{
    struct keyring *self = owned_new(sizeof *self);
    self->folder = unit_folder();
    self->country = fixture_country();
    MUST(keypair_save(self->country->key, fixture_path(self->folder, "sign.key").at));
    fixture_write_pem(self->folder, "sign.crt", self->country->member);
    OWNED(bytes) log = keyring_put(self->folder, "log.key", KEY_ED25519);
    OWNED(bytes) seal = keyring_put(self->folder, "seal.key", KEY_X25519);
    memcpy(self->log, log->data, sizeof self->log);
    memcpy(self->seal, seal->data, sizeof self->seal);
    return self;
}

static inline void keyring_free(struct keyring **self)
{
    if (*self == NULL)
        return;
    country_free(&(*self)->country);
    free(*self);
    *self = NULL;
}

#endif
