// SPDX-License-Identifier: MIT
/*
 * keys - what the commands about a server's keys share.
 */
#ifndef TOOLS_CHASKI_KEYS_H
#define TOOLS_CHASKI_KEYS_H

#include "lib/bus/limits.h"
#include "lib/crypto/certificate_request.h"
#include "lib/crypto/token.h"

struct keys_options {
    const char *folder, *server, *name, *request, *certificate;
    const char *address[DIRECTORY_ADDRESSES_MAX];
    size_t addresses;
    const char *passphrase, *new_passphrase; /* sources, as in lib/base/secret.h; NULL: not given */
    const char *token, *module;              /* PKCS#11 URI and module; NULL: keys in files */
    bool signs_now;   /* the token's object that signs by now (lib/bus/signing_object.h), not the
                         URI's */
    struct span seal; /* the passphrase itself, under which new keys are written; empty: unsealed */
};

/* What the authority needs to know, and nothing secret. */
struct keys_public {
    char vkey[512], witness_vkey[512];
    char transport[65], seal[65];
    struct bytes *request; /* PKCS#10, DER; bytes_free() it */
};

/* BAD_REQUEST unless it is the identifier of a server. */
struct bus_id;
fault keys_check_server(const char *server, struct bus_id *out);
/* The subject of its certificate: `text` is the server's identifier as written. BAD_REQUEST. */
struct certificate_subject;
fault keys_subject(const char *text, const char *name, const struct bus_id *server,
                   struct certificate_subject *out);
/* Makes all keys of a server in options->folder, which holds none: each sealed before the first
 * byte of it is on the disk, if `seal` says so; the signing key in the token, if one is named.
 * Needs folder, server and name. Waits for disk and token. */
fault keys_make_all(const struct keys_options *options, struct keys_public *out);

/* The passphrase for new keys from options->passphrase into *passphrase, which options->seal is
 * lent from; nothing without such a source. */
struct secret; /* lib/base/secret.h */
fault keys_read_seal(struct keys_options *options, struct secret **passphrase);

/* chaski keys seal, unseal and passphrase: all files of the folder change together, or none. */
fault keys_seal(const struct keys_options *options);
fault keys_unseal(const struct keys_options *options);
fault keys_change_passphrase(const struct keys_options *options);

/* A transport key's file; `source` of its passphrase may be NULL. BAD_KEY, BAD_PASSPHRASE. */
struct curve_keys;
fault keys_read_transport(const char *path, const char *source, struct curve_keys *out);

/* chaski keys roll seal, chaski keys roll transport: argv[0] is the second word. */
fault keys_roll_seal(int argc, char **argv);
fault keys_roll_transport(int argc, char **argv);

/* The certificate becomes sign.crt when it is of the key in the folder, or in the token. */
fault keys_take_certificate(const struct keys_options *options);

/* A token that is logged in to, once. */
struct keys_token;
fault keys_token_open(const struct keys_options *options, struct keys_token **out);
void keys_token_free(struct keys_token **self);
/* Makes the key in it. */
fault keys_token_make(struct keys_token *self, uint8_t point[P256_POINT_BYTES]);
/* Signs with the key that is there. TOKEN_REFUSED, TOKEN_AWAY. */
fault keys_token_signer(struct keys_token *self, struct digest_signer *out);

#endif
