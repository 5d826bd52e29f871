// SPDX-License-Identifier: MIT
/*
 * directory_first - the first start of a node that follows the directory: there is nothing to begin
 * with until the follower has fetched it.
 */
#ifndef EXCHANGE_DIRECTORY_FIRST_H
#define EXCHANGE_DIRECTORY_FIRST_H

#include "security-server/exchange/node.h"

/* Waits until there is a directory, and says each minute that it waits. Returns at once when this
 * node ever used one, or follows none. BAD_CONFIG: the anchor has expired, and nothing newer is
 * known. DRAINING: asked to stop. KEYS_UNREACHABLE: the line to the keys process closed. Signals
 * are blocked. */
fault directory_first_await(const struct node *node, int keys_fd);

#endif
