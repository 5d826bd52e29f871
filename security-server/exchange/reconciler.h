// SPDX-License-Identifier: MIT
/*
 * reconciler - when our leaves are compared with our peers', and with whom: every night, or every
 * so often, and on an operator's order (<audit_folder>/orders/<32 hex digits>.reconcile); one peer
 * after the other. What was found lies in <audit_folder>/reconcile/ (report_files.h).
 */
#ifndef EXCHANGE_RECONCILER_H
#define EXCHANGE_RECONCILER_H

#include "security-server/exchange/node.h"

struct reconciler;

fault reconciler_new(struct node *node, struct reconciler **out);
void reconciler_free(struct reconciler **self);

/* When the next run begins, after now: at a random moment of that hour (UTC); or, with hour -1,
 * every_ms from now, later by a random part of a tenth of it. chance: 0 to UINT32_MAX. */
int64_t reconciler_next_ms(int64_t now_ms, int64_t hour, int64_t every_ms, uint32_t chance);

#endif
