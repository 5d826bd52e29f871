// SPDX-License-Identifier: MIT
/*
 * order - an order to a running node, laid into its evidence folder, and what the node says to it.
 */
#ifndef TOOLS_CHASKI_ORDER_H
#define TOOLS_CHASKI_ORDER_H

#include "lib/base/bytes.h"
#include "lib/bus/limits.h"

#include <limits.h>

#define ORDER_WAIT_S_DEFAULT 60
#define ORDER_WAIT_S_MAX 86400

struct Chaski__EraseOrder;

/* The evidence folder of the node with these settings, and its folder of orders, which must be
 * there. out: room PATH_MAX each. IO_FAILED: it cannot be written. */
fault order_folders(const char *config, char *folder, char *orders);

/* Gives it a number, lays it down, and waits. *record: the entry that records it; *erased: how much
 * it removed. SERVER_AWAY: no answer yet; whatever the node answers. */
fault order_give(const char *config, struct Chaski__EraseOrder *order, uint64_t wait_s,
                 uint64_t *record, uint64_t *erased);

#endif
