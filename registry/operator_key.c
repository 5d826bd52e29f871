// SPDX-License-Identifier: MIT
#include "registry/operator_key.h"

#include "lib/base/secret.h"
#include "lib/base/text.h"
#include "lib/crypto/certificate_request.h"
#include "lib/crypto/random.h"
#include "lib/crypto/token.h"
#include "registry/commands.h"

#include <stdlib.h>
#include <string.h>

#define POINT_TEXT_BYTES 128

struct operator_key {
    struct keypair *pair;
    struct token_module *module; /* these three of a token, or NULL */
    struct token *token;
    struct token_session *session;
};

void operator_key_free(struct operator_key **owner)
{
    struct operator_key *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    keypair_free(&self->pair);
    token_session_free(&self->session);
    token_free(&self->token);
    token_module_free(&self->module);
    free(self);
}

struct keypair *operator_key_pair(struct operator_key *self)
{
    return self->pair;
}

static bool is_in_a_token(const char *name)
{
    return strncmp(name, "pkcs11:", 7) == 0;
}

// --- in a token ---------------------------------------------------------------------------------

static fault open_token(struct operator_key *self, const char *name, const char *module)
{
    struct token_uri uri;
    OWNED(secret) pin = NULL;
    if (module == NULL)
        return RAISE(BAD_REQUEST, "a key in a token needs --module with the path of its PKCS#11 "
                                  "module");
    if (failed(token_uri_parse(name, &uri)))
        return RAISE(BAD_REQUEST, "%s", fault_detail());
    TRY(token_module_load(module, &self->module));
    if (uri.pin_source[0] != '\0')
        TRY(secret_read(uri.pin_source, "PIN", &pin));
    return token_open(self->module, &uri, secret_span(pin), NULL, &self->token);
}

static fault sign(void *owner, const uint8_t digest[32], uint8_t out[P256_SIGNATURE_BYTES_MAX],
                  size_t *out_size)
{
    return token_session_sign(owner, digest, out, out_size);
}

/* A token may hold a public key that is not of the private one. */
static fault prove(struct keypair *pair, const uint8_t point[P256_POINT_BYTES])
{
    uint8_t digest[32], signature[P256_SIGNATURE_BYTES_MAX];
    size_t size = 0;
    random_fill(digest, sizeof digest);
    TRY(keypair_sign_digest(pair, digest, signature, &size));
    return failed(p256_verify_digest(span_of(point, P256_POINT_BYTES), digest,
                                     span_of(signature, size)))
               ? RAISE(TOKEN_REFUSED,
                       "the token's public key of this name is not of the private one")
               : DONE;
}

static fault take_pair(struct operator_key *self)
{
    uint8_t point[P256_POINT_BYTES];
    TRY(token_public(self->token, point));
    TRY(token_session_open(self->token, &self->session));
    TRY(keypair_of_signer(point, &(struct digest_signer){sign, self->session}, &self->pair));
    return prove(self->pair, point);
}

// --- either -------------------------------------------------------------------------------------

fault operator_key_open(const char *name, const char *module, struct operator_key **out)
{
    OWNED(operator_key) self = owned_new(sizeof *self);
    if (is_in_a_token(name)) {
        TRY(open_token(self, name, module));
        TRY(take_pair(self));
    } else {
        TRY(keypair_load(name, KEY_P256, &self->pair));
    }
    *out = TAKE(self);
    return DONE;
}

static fault make_in_file(const char *path, struct bytes **point)
{
    OWNED(keypair) key = NULL;
    TRY(keypair_make(KEY_P256, &key));
    TRY(keypair_public(key, point));
    return keypair_save(key, path);
}

static fault make_in_token(const char *name, const char *module, struct bytes **point)
{
    uint8_t made[P256_POINT_BYTES];
    OWNED(operator_key) self = owned_new(sizeof *self);
    TRY(open_token(self, name, module));
    TRY(token_make_key(self->token, made));
    return bytes_copy(span_of(made, sizeof made), point);
}

fault operator_key_make(const char *name, const char *module, struct said *said)
{
    OWNED(bytes) point = NULL;
    char text[POINT_TEXT_BYTES];
    TRY(is_in_a_token(name) ? make_in_token(name, module, &point) : make_in_file(name, &point));
    text_base64(bytes_span(point), text, sizeof text);
    said_add(said, "%s", text);
    return DONE;
}

// --- those of a command -------------------------------------------------------------------------

void operator_keys_free(struct operator_keys **self)
{
    if (*self == NULL)
        return;
    while ((*self)->count > 0)
        operator_key_free(&(*self)->key[--(*self)->count]);
    free(*self);
    *self = NULL;
}

fault operator_keys_open(const struct arguments *arguments, struct operator_keys **out)
{
    OWNED(operator_keys) self = owned_new(sizeof *self);
    const char *module = arguments_text(arguments, ARGUMENT_MODULE);
    size_t in_tokens = 0;
    if (arguments->count[ARGUMENT_AS] > DIRECTORY_APPROVALS_MAX)
        return RAISE(REFUSED, "an act has at most %d approvals", DIRECTORY_APPROVALS_MAX);
    for (size_t i = 0; i < arguments->count[ARGUMENT_AS]; i++) {
        const char *name = arguments->value[ARGUMENT_AS][i];
        in_tokens += is_in_a_token(name);
        if (in_tokens > 1)
            return RAISE(BAD_REQUEST, "one --as in a token at a time");
        TRY(operator_key_open(name, module, &self->key[self->count]));
        self->count++;
    }
    *out = TAKE(self);
    return DONE;
}

fault operator_keys_approve(const struct operator_keys *self, struct store *store)
{
    for (size_t i = 0; i < self->count; i++)
        TRY(store_approve_as(store, operator_key_pair(self->key[i])));
    return DONE;
}
