// SPDX-License-Identifier: MIT
/*
 * orders - what an operator orders of the running node, in files: who may write into the audit
 * folder may order. Looked for each second; an answer lies beside where the order was.
 *
 *   <audit_folder>/orders/<32 hex digits>.order    chaski.EraseOrder
 *   <audit_folder>/orders/<32 hex digits>.result   chaski.EraseResult
 */
#ifndef EXCHANGE_ORDERS_H
#define EXCHANGE_ORDERS_H

#include "security-server/exchange/node.h"

struct orders;

fault orders_new(struct node *node, struct orders **out);
void orders_free(struct orders **self);

#endif
