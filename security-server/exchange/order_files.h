// SPDX-License-Identifier: MIT
/*
 * order_files - orders of an operator as files in <audit_folder>/orders: which one is next, and
 * what came of it.
 *
 *   <32 hex digits><ending>   an order; the digits are its number
 *   <32 hex digits>.result    the answer; the order goes when it is there
 */
#ifndef EXCHANGE_ORDER_FILES_H
#define EXCHANGE_ORDER_FILES_H

#include "lib/bus/header.h"

#define ORDER_NAME_BYTES (2 * EXCHANGE_ID_BYTES + 1)

struct order_files {
    char folder[448];
    const char *ending;          /* ".order" */
    char name[ORDER_NAME_BYTES]; /* of the order under way, or "" */
};

/* Makes the folder. BAD_CONFIG, IO_FAILED. */
fault order_files_begin(struct order_files *self, const char *audit_folder, const char *ending);
/* Finds an order and remembers its name; false when there is none, or one is under way. */
bool order_files_find(struct order_files *self);
/* Its content. */
fault order_files_read(const struct order_files *self, size_t most, struct bytes **out);
/* Is this its number? */
bool order_files_named(const struct order_files *self, struct span id);
/* Writes the answer, and takes the order away; an order that could not be answered stays. */
void order_files_answer(struct order_files *self, struct span result);

#endif
