// SPDX-License-Identifier: MIT
/*
 * token_desk - what the process with the token does for the exchange: it signs headers, and has
 * another key of the token take over (token_renewal.h); nothing else. As in the keys process it
 * builds the CAdES attributes of our own certificate itself, so it cannot be made to sign anything
 * that is not a leaf of ours.
 */
#ifndef TOKEN_TOKEN_DESK_H
#define TOKEN_TOKEN_DESK_H

#include "lib/crypto/cades.h"
#include "lib/crypto/certificate_request.h"

struct token_renewal;

/* Each header says under which of the two certificates it is signed. */
struct token_desk {
    struct certificate *certificate; /* sign.crt */
    struct cades_template template;
    struct certificate *next_certificate; /* sign.next.crt; NULL: there is none */
    struct cades_template next_template;
    struct token_renewal *renewal; /* lent; NULL: the key does not change */
};

/* Who signs by the key of each certificate. */
struct token_signers {
    struct digest_signer now, next; /* the latter when there is a next_certificate */
};

/* BAD_KEY, CERTIFICATE_BAD with the file. */
fault token_desk_open(const char *keys_folder, struct token_desk *out);
void token_desk_close(struct token_desk *self); /* its certificates */

/* Signs something of no meaning by each key and verifies it: are these the member's keys, and do
 * they work? TOKEN_REFUSED when a certificate is of another key; else as the signer fails. */
fault token_desk_try(const struct token_desk *self, const struct token_signers *signers);

/* One datagram in (KeysBatch), one out; *out is NULL when nothing is to be said. A fault of the
 * signer of a header (TOKEN_AWAY, TOKEN_REFUSED) is returned and answers nothing, so that the
 * datagram may be tried again; so is, with `may_reload`, KEY_UNKNOWN: what lies in the keys folder
 * is to be read again first. All else becomes part of the answer. BAD_FRAME: no batch.
 * bytes_free() it. */
fault token_desk_answer(const struct token_desk *self, const struct token_signers *signers,
                        bool may_reload, struct span datagram, struct bytes **out);
/* The same while there is no token: each job fails with `state`. */
fault token_desk_refuse(fault state, const char *detail, struct span datagram, struct bytes **out);
/* Tells the state (DONE: it signs) without having been asked. */
fault token_desk_state(fault state, const char *detail, struct bytes **out);

#endif
