// SPDX-License-Identifier: MIT
/* chaski keys make and certificate, when the signing key lives in a PKCS#11 token. */
#include "lib/base/secret.h"
#include "lib/bus/signing_object.h"
#include "tools/chaski/keys.h"

#include <stdlib.h>

struct keys_token {
    struct token_module *module;
    struct token *token;
    struct token_session *session;
};

fault keys_token_open(const struct keys_options *options, struct keys_token **out)
{
    struct token_uri uri;
    OWNED(secret) pin = NULL;
    OWNED(keys_token) self = owned_new(sizeof *self);
    if (options->module == NULL)
        return RAISE(BAD_REQUEST, "--token needs --module with the path of its PKCS#11 module");
    if (failed(token_uri_parse(options->token, &uri)))
        return RAISE(BAD_REQUEST, "--token: %s", fault_detail());
    if (options->signs_now)
        TRY(signing_object_take(options->folder, &uri));
    TRY(token_module_load(options->module, &self->module));
    if (uri.pin_source[0] != '\0')
        TRY(secret_read(uri.pin_source, "PIN", &pin));
    TRY(token_open(self->module, &uri, secret_span(pin), NULL, &self->token));
    *out = TAKE(self);
    return DONE;
}

void keys_token_free(struct keys_token **self)
{
    if (*self == NULL)
        return;
    token_session_free(&(*self)->session);
    token_free(&(*self)->token);
    token_module_free(&(*self)->module);
    free(*self);
    *self = NULL;
}

fault keys_token_make(struct keys_token *self, uint8_t point[P256_POINT_BYTES])
{
    return token_make_key(self->token, point);
}

static fault sign(void *owner, const uint8_t digest[32], uint8_t out[P256_SIGNATURE_BYTES_MAX],
                  size_t *out_size)
{
    return token_session_sign(owner, digest, out, out_size);
}

fault keys_token_signer(struct keys_token *self, struct digest_signer *out)
{
    if (self->session == NULL)
        TRY(token_session_open(self->token, &self->session));
    *out = (struct digest_signer){sign, self->session};
    return DONE;
}
