// SPDX-License-Identifier: MIT
/*
 * store_keys - what an auditor was given to open payloads with: store keys of nodes, or keys of
 * single days.
 */
#ifndef TOOLS_AUDIT_STORE_KEYS_H
#define TOOLS_AUDIT_STORE_KEYS_H

#include "lib/bus/day_key.h"
#include "tools/audit/commands.h"

/* A ring for all of --store-key; without any, payloads stay sealed. NOT_FOUND, BAD_KEY. */
fault store_keys_open(const struct audit_arguments *arguments, struct key_ring **out);

#endif
