// SPDX-License-Identifier: MIT
/*
 * token_desk - what the process with the token does for the exchange: it signs headers, nothing
 * else. As in the keys process it builds the CAdES attributes of our own certificate itself, so it
 * cannot be made to sign anything that is not a leaf of ours.
 */
#ifndef TOKEN_TOKEN_DESK_H
#define TOKEN_TOKEN_DESK_H

#include "lib/crypto/cades.h"
#include "lib/crypto/certificate_request.h"

struct token_desk {
    struct certificate *certificate; /* sign.crt */
    struct cades_template template;
};

/* BAD_KEY, CERTIFICATE_BAD with the file. */
fault token_desk_open(const char *keys_folder, struct token_desk *out);
void token_desk_close(struct token_desk *self);

/* Signs something of no meaning and verifies it with sign.crt: is this the member's key, and does
 * it work? TOKEN_REFUSED when the certificate is of another key; else as the signer fails. */
fault token_desk_try(const struct token_desk *self, const struct digest_signer *signer);

/* One datagram in (KeysBatch), one out; *out is NULL when nothing is to be said. A fault of the
 * signer (TOKEN_AWAY, TOKEN_REFUSED) is returned and answers nothing, so that the datagram may be
 * tried again; all else becomes part of the answer. BAD_FRAME: no batch. bytes_free() it. */
fault token_desk_answer(const struct token_desk *self, const struct digest_signer *signer,
                        struct span datagram, struct bytes **out);
/* The same while there is no token: each job fails with `state`. */
fault token_desk_refuse(fault state, const char *detail, struct span datagram, struct bytes **out);
/* Tells the state (DONE: it signs) without having been asked. */
fault token_desk_state(fault state, const char *detail, struct bytes **out);

#endif
