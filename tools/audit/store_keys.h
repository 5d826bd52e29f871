// SPDX-License-Identifier: MIT
/*
 * store_keys - what an auditor was given to open payloads with: store keys of nodes, or keys of
 * single days.
 */
#ifndef TOOLS_AUDIT_STORE_KEYS_H
#define TOOLS_AUDIT_STORE_KEYS_H

#include "lib/bus/day_key.h"
#include "tools/audit/commands.h"

struct store_keys;

/* All of --store-key. For one thread at a time; another one opens its own. NOT_FOUND, BAD_KEY. */
fault store_keys_open(const struct audit_arguments *arguments, struct store_keys **out);
void store_keys_free(struct store_keys **self);
/* Borrowed; without any key in it payloads stay sealed. */
struct key_ring *store_keys_ring(const struct store_keys *self);

#endif
