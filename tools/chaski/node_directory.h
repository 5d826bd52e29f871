// SPDX-License-Identifier: MIT
/*
 * node_directory - the directory that the node on this machine uses now: its own copy on disk,
 * checked like every other. No network, and no running node, is needed.
 */
#ifndef TOOLS_CHASKI_NODE_DIRECTORY_H
#define TOOLS_CHASKI_NODE_DIRECTORY_H

#include "lib/bus/directory.h"

#include <limits.h>

struct node_directory {
    char audit_folder[PATH_MAX]; /* of the same settings */
    struct trust *trust;
    struct directory *state;
};

/* config: the server's settings. node_directory_clear() it, also after a fault. BAD_CONFIG;
 * NOT_FOUND: the node has not started yet; faults of directory_load. */
fault node_directory_read(const char *config, struct node_directory *out);
void node_directory_clear(struct node_directory *self);

#endif
