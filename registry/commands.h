// SPDX-License-Identifier: MIT
/*
 * commands - what an operator may tell the authority: each command makes acts in an open store.
 */
#ifndef REGISTRY_COMMANDS_H
#define REGISTRY_COMMANDS_H

#include "registry/store.h"

#include <stdio.h>

#define ARGUMENTS_MAX 4
#define SERVERS_MAX 16

/* A command line, taken apart. Borrowed texts. */
struct arguments {
    size_t count;
    const char *positional[ARGUMENTS_MAX]; /* after the command's words; [0] is the store */
    const char *name, *title, *class, *notice, *legal_basis, *service, *consumer, *purpose, *until,
        *reason, *instance, *to, *certificate_to, *certificate, *csv;
    const char *server[SERVERS_MAX];
    size_t servers;
    const char *address[DIRECTORY_ADDRESSES_MAX];
    size_t addresses;
    int64_t valid_days; /* 0: not given */
    bool public_agency, json;
};

struct command {
    const char *words; /* "member add" */
    size_t positional; /* how many, with the store */
    const char *usage;
    const char *sentence;
    bool changes; /* the store is committed after it */
    fault (*run)(struct store *store, const struct arguments *arguments);
};

extern const struct command commands[]; /* ends with words == NULL */

/* show.c */
fault show_run(struct store *store, const struct arguments *arguments);

#endif
