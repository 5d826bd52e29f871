// SPDX-License-Identifier: MIT
/*
 * approving - operators' keys at hand (--as), and their approvals of an act.
 *
 * Who a key belongs to is looked up in the directory by its public half when an act is approved.
 */
#ifndef REGISTRY_APPROVING_H
#define REGISTRY_APPROVING_H

#include "lib/bus/directory.h"

struct approving;
struct keypair;     /* lib/crypto/keypair.h */
struct Chaski__Act; /* directory.pb-c.h */

struct approving *approving_new(void);
void approving_free(struct approving **self);

/* An operator's P-256 key, lent for as long as it approves. REFUSED for more than
 * DIRECTORY_APPROVALS_MAX. */
fault approving_add_key(struct approving *self, struct keypair *key);
size_t approving_keys(const struct approving *self);

/* Gives the act an intent, if it has none, and adds the approval of each key that has not approved
 * it yet. What the act then points to is lent until the next call. REFUSED when a key is of no
 * operator of this directory, or there are too many approvals. */
fault approving_sign(struct approving *self, const struct directory *state, int64_t now_ms,
                     struct Chaski__Act *act);

/* The operator with this key; NULL when there is none. */
const struct directory_operator *approving_person(const struct directory *state,
                                                  struct span public_key);

#endif
