// SPDX-License-Identifier: MIT
/*
 * client_list - members and subsystems in one order, given out in pages: what X-Road's listClients
 * is made of. The order is made once per epoch of a state and keeps that state.
 */
#ifndef EXCHANGE_CLIENT_LIST_H
#define EXCHANGE_CLIENT_LIST_H

#include "lib/bus/directory.h"

struct client_list;

struct client_list *client_list_new(void);
void client_list_free(struct client_list **self);

struct client_entry {
    const char *id;             /* I/C/M or I/C/M/S */
    const char *name;           /* the member's */
    const char *subsystem_name; /* "" for a member */
};

/* Texts are borrowed from the list until it is asked again. */
struct client_page {
    uint64_t epoch;
    uint32_t from, total;
    size_t count;
    struct client_entry client[CLIENTS_PAGE_MAX];
};

/* As many clients as fit, at least one while there is one left. With another epoch than the
 * directory's, the first page of that. */
void client_list_page(struct client_list *self, struct directory *directory, uint64_t epoch,
                      uint32_t from, struct client_page *out);

#endif
