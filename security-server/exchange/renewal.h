// SPDX-License-Identifier: MIT
/*
 * renewal - the next signing key takes over before the certificate of the present one ends, without
 * a person and without a pause.
 *
 *   1. <audit_folder>/directory/renewal    what the follower posts to /member/v1/renewals
 *   2. <audit_folder>/followed/renewal     what the authority answered: a certificate
 *   3. <audit_folder>/directory/act        the act that brings it into the directory, approved by
 *                                          the present key; the follower posts it, too
 *   4. when it has stood there for renew_settle_s, so that all peers have it, headers are signed
 *      with the next key, and keys_folder/sign.next.crt is written
 *
 * Each step is derived from what is there, so it goes on after any stop. Both certificates stay in
 * the directory: what was signed with the old one is good. At the next start sign.next.* take the
 * place of sign.* (renewal_files.h).
 */
#ifndef EXCHANGE_RENEWAL_H
#define EXCHANGE_RENEWAL_H

#include "security-server/exchange/node.h"

struct renewal;

/* NULL when the directory is not followed. */
struct renewal *renewal_new(struct node *node);
void renewal_free(struct renewal **self);

#endif
