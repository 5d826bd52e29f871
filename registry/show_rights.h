// SPDX-License-Identifier: MIT
/*
 * show_rights - for `show`: legal bases, purposes, groups, and who may what until when.
 */
#ifndef REGISTRY_SHOW_RIGHTS_H
#define REGISTRY_SHOW_RIGHTS_H

#include "lib/bus/directory.h"

#include <jansson.h>
#include <stdio.h>

void show_rights(const struct directory *directory, FILE *out);
/* An object with a list for each kind. */
json_t *show_rights_json(const struct directory *directory);

#endif
