// SPDX-License-Identifier: MIT
/*
 * show_once_only - for `show`: procedures, what they need, what proves it, and who delivers it.
 */
#ifndef REGISTRY_SHOW_ONCE_ONLY_H
#define REGISTRY_SHOW_ONCE_ONLY_H

#include "lib/bus/directory.h"

#include <jansson.h>
#include <stdio.h>

/* Nothing when there is none of them. */
void show_once_only(const struct directory *directory, FILE *out);
/* An object with a list for each kind; of the form that `once-only add` takes, with what is derived
 * left out. */
json_t *show_once_only_json(const struct directory *directory);

#endif
