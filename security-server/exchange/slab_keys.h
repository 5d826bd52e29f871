// SPDX-License-Identifier: MIT
/*
 * slab_keys - sees to it that the payloads have their keys: one for the next day lies ready before
 * that day begins, and a day of which something was erased gets a fresh one when it is over.
 */
#ifndef EXCHANGE_SLAB_KEYS_H
#define EXCHANGE_SLAB_KEYS_H

#include "security-server/exchange/node.h"

struct slab_keys;

struct slab_keys *slab_keys_new(struct node *node);
void slab_keys_free(struct slab_keys **self);

#endif
