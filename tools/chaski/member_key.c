// SPDX-License-Identifier: MIT
#include "tools/chaski/member_key.h"

#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/crypto/certificate.h"

#include <stdlib.h>

struct member_key {
    struct keypair *key; /* NULL: in the token */
    struct keys_token *token;
    struct digest_signer signer;
};

static fault sign_in_memory(void *owner, const uint8_t digest[32],
                            uint8_t out[P256_SIGNATURE_BYTES_MAX], size_t *size)
{
    return keypair_sign_digest(owner, digest, out, size);
}

fault member_key_open(const struct keys_options *options, const char *folder,
                      struct key_opener *opener, struct member_key **out)
{
    char path[512];
    OWNED(member_key) self = owned_new(sizeof *self);
    if (options->token != NULL) {
        TRY(keys_token_open(options, &self->token));
        TRY(keys_token_signer(self->token, &self->signer));
    } else {
        if (!text_format(path, sizeof path, "%s/sign.key", folder))
            return RAISE(BAD_REQUEST, "the folder's name is too long");
        TRY(keypair_load_sealed(path, KEY_P256, opener, &self->key));
        self->signer = (struct digest_signer){sign_in_memory, self->key};
    }
    *out = TAKE(self);
    return DONE;
}

void member_key_free(struct member_key **self)
{
    if (*self == NULL)
        return;
    keypair_free(&(*self)->key);
    keys_token_free(&(*self)->token);
    free(*self);
    *self = NULL;
}

fault member_key_sign(struct member_key *self, const uint8_t digest[32],
                      uint8_t out[P256_SIGNATURE_BYTES_MAX], size_t *size)
{
    return self->signer.sign(self->signer.owner, digest, out, size);
}

fault member_key_request(struct member_key *self, const char *server, const char *name,
                         struct bytes **out)
{
    struct bus_id id;
    struct certificate_subject subject;
    TRY(keys_check_server(server, &id));
    TRY(keys_subject(server, name, &id, &subject));
    if (self->key == NULL)
        return RAISE(BAD_REQUEST, "the key is in a token: --request FILE names the request that "
                                  "`chaski keys make` wrote");
    return keypair_request(self->key, &subject, out);
}
