// SPDX-License-Identifier: MIT
/*
 * key_store - the private keys of one server, loaded once before the jail closes.
 */
#ifndef KEYS_KEY_STORE_H
#define KEYS_KEY_STORE_H

#include "lib/bus/bus_id.h"
#include "lib/bus/limits.h"
#include "lib/bus/letter.h"
#include "lib/bus/store_key.h"
#include "lib/crypto/cades.h"
#include "lib/crypto/key_file.h"
#include "lib/crypto/keypair.h"

struct key_store {
    struct keypair *sign;           /* NULL: a token signs, and nothing here can */
    bool certified;                 /* there is a sign.crt, or one was taken */
    struct cades_template template; /* of sign.crt: nothing but CAdES attributes is ever signed */
    struct certificate_subject subject; /* of sign.crt */
    char server[ID_TEXT_BYTES_MAX + 1]; /* as key_store_prepare was told; else "" */
    struct keypair *next;               /* sign.next.key: takes over when it has a certificate */
    struct bytes *next_request;         /* its PKCS#10 */
    struct keypair *log;
    struct keypair *witness; /* witness.key; NULL: this server cosigns nobody's log */
    struct key_wrap *store;  /* of store.key: day keys of payloads are under it */
    bool store_made;         /* just now: there was none */
    size_t seals;
    struct keypair *seal[SEAL_KEYS_MAX]; /* seal.key, seal.1.key, ... newest first */
    uint8_t seal_id[SEAL_KEYS_MAX][SEAL_KEY_ID_BYTES];
    struct key_opener opener; /* how many files were sealed, and how many not */
};

/* A missing store.key is made: nodes from before there was one have none. BAD_KEY with the file and
 * what is wrong: missing, readable by others, not of the kind, or sign.crt is no certificate of
 * sign.key. That there is no sign.crt yet is no fault. BAD_PASSPHRASE: sealed, and it does not
 * open. With `token` sign.key is not looked for. The passphrase is used until this returns. */
fault key_store_load(const char *folder, struct span passphrase, bool token,
                     struct key_store **out);
/* Opens the next signing key of this server, or makes it, sealed as the others are, before the jail
 * closes: a process that cannot open files can still take it into use. Nothing without sign.crt.
 * Faults as above; IO_FAILED when it cannot be kept. */
fault key_store_prepare(struct key_store *self, const char *folder, struct span passphrase,
                        const char *server);
/* Without a sign.crt yet: this one, when it is of sign.key; else when it is of the next key, which
 * then is the signing key. BAD_KEY; REFUSED when no certificate is waited for. */
fault key_store_certify(struct key_store *self, struct span der);
void key_store_free(struct key_store **self);

#endif
