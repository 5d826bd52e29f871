// SPDX-License-Identifier: MIT
/*
 * opened_keys - sealing keys of peers' contexts, as derived by the keys process: each is asked for
 * once, and messages that need it wait meanwhile.
 */
#ifndef EXCHANGE_OPENED_KEYS_H
#define EXCHANGE_OPENED_KEYS_H

#include "lib/bus/letter.h"

struct node;
struct opened_keys;

/* Called with the key, or with a fault; the key is borrowed until it returns. */
typedef void opened_done(void *owner, fault f, struct seal_key *key);

struct opened_keys *opened_keys_new(struct node *node);
void opened_keys_free(struct opened_keys **self);

/* Calls `done` at once when the key is known, later otherwise. OVERLOADED (and no call) when too
 * many messages wait. */
fault opened_keys_get(struct opened_keys *self, const struct envelope *envelope, opened_done *done,
                      void *owner);

/* Forgets what was derived from this sealing key of ours; who waits for a key still gets it. */
void opened_keys_forget(struct opened_keys *self, const uint8_t seal_key_id[SEAL_KEY_ID_BYTES]);

#endif
