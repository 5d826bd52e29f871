// SPDX-License-Identifier: MIT
/*
 * exchange_table - all live exchanges, bounded: by exchange id where we ask, by call number where
 * we are asked.
 */
#ifndef EXCHANGE_EXCHANGE_TABLE_H
#define EXCHANGE_EXCHANGE_TABLE_H

#include "security-server/exchange/exchange.h"

struct exchange_table;

struct exchange_table *exchange_table_new(size_t most);
void exchange_table_free(struct exchange_table **self); /* frees the exchanges too */

/* Takes the exchange over. OVERLOADED when full, REPLAYED when we ask under an id that is live. */
fault exchange_table_add(struct exchange_table *self, struct exchange *x);
void exchange_table_remove(struct exchange_table *self, struct exchange *x);
size_t exchange_table_count(const struct exchange_table *self);

struct exchange *exchange_table_asked(struct exchange_table *self,
                                      const uint8_t id[EXCHANGE_ID_BYTES]);
/* Each in which we ask. The visitor may neither add nor remove any. */
void exchange_table_each_asked(struct exchange_table *self,
                               void (*visit)(struct exchange *x, void *owner), void *owner);
/* Gives the exchange a call number, by which it is found until exchange_table_called_back. */
void exchange_table_call(struct exchange_table *self, struct exchange *x);
struct exchange *exchange_table_called(struct exchange_table *self, uint64_t call);
/* The call is over: its number finds nothing any more. */
void exchange_table_called_back(struct exchange_table *self, struct exchange *x);

#endif
