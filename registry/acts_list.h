// SPDX-License-Identifier: MIT
/*
 * acts_list - the acts of a directory one by one: number, time, what each did, and who approved it.
 *
 * Of a store, or of a published folder (lib/bus/directory.h), which the anchor's keys must have
 * signed. Everything is checked before anything is said, as a node does: the checkpoint's
 * signature, the root of all acts, the authority's signature under each, and each approval with the
 * key that its operator or server had then. Acts of a folder are read in bundles of 256, twice: in
 * memory stand one bundle and the state that they fold to.
 */
#ifndef REGISTRY_ACTS_LIST_H
#define REGISTRY_ACTS_LIST_H

#include "registry/arguments.h"

#include <stdio.h>

/* Options: --by OPERATOR|SERVER, --since DAY, --json (an array), --anchor FILE for a folder.
 * REFUSED for who was never an operator or a server, and when the folder changed meanwhile;
 * DIRECTORY_BAD; NOT_FOUND for a folder that lacks acts; faults of store_look. A directory that is
 * no longer valid is read all the same. */
fault acts_list(const char *folder, const struct arguments *arguments, FILE *out);

#endif
