// SPDX-License-Identifier: MIT
/*
 * token_renewal - another key of the token takes the place of the one that signs: it is made there,
 * asks for a certificate, and signs under it, while the settings go on naming the first one
 * (lib/bus/signing_object.h, docs/decisions/0040).
 *
 *   sign.next.object   written before the key is made, so that a stop leaves no key without a name
 *   sign.next.crt      written when the key has shown that it is of that certificate, and before
 *                      anybody is told so; from then on the process signs by both
 *   sign.old.objects   keys that gave way: a line each, "<second in which its certificate ends>
 *                      <label>"
 *
 * One thread at a time: who comes while another one is at it is told OVERLOADED.
 */
#ifndef TOKEN_TOKEN_RENEWAL_H
#define TOKEN_TOKEN_RENEWAL_H

#include "lib/bus/limits.h"
#include "lib/crypto/token.h"
#include "security-server/server_config.h"
#include "security-server/token/token_desk.h"

struct Chaski__ApproveRenewal; /* keys.pb-c.h */

/* Opens the sealing keys for their public halves and forgets them: it approves no act with others,
 * and none at all when they do not open. config is lent, and its passphrase must be there.
 * BAD_CONFIG. */
fault token_renewal_new(const struct server_config *config, struct token_renewal **out);
void token_renewal_free(struct token_renewal **self);

/* The token that is open now, and the object of its URI signs under sign.crt. NULL: none is. */
void token_renewal_use(struct token_renewal *self, struct token *token);
/* The label of the next key. NOT_FOUND: none was begun. */
fault token_renewal_object(const struct token_renewal *self, char out[TOKEN_OBJECT_ROOM]);

/* The result is that of RequestRenewal in keys.proto; the key is made when there is none. A token
 * that makes none: the event token.key_not_made says the one command. KEY_UNKNOWN: one took over
 * already, and the next is made after the next start of the server. TOKEN_REFUSED, TOKEN_AWAY. */
fault token_renewal_request(struct token_renewal *self, const struct token_desk *desk,
                            const struct digest_signer *now, uint8_t out[TOKEN_RESULT_BYTES_MAX],
                            size_t *size);
/* An approval by the present key. REFUSED as renewal_act_check. */
fault token_renewal_approve(struct token_renewal *self, const struct token_desk *desk,
                            const struct digest_signer *now,
                            const struct Chaski__ApproveRenewal *job,
                            uint8_t out[TOKEN_RESULT_BYTES_MAX], size_t *size);
/* KEY_UNKNOWN: it is in sign.next.crt now, and is to be read from there; after that, DONE. BAD_KEY:
 * of another key. REFUSED: none is waited for. */
fault token_renewal_take(struct token_renewal *self, const struct token_desk *desk,
                         struct span der);

/* Keys that gave way, and whose certificates have ended: one that was made here is removed from the
 * token, the one that the settings name is told of. Once in the life of the process. */
void token_renewal_clear_old(struct token_renewal *self);

#endif
