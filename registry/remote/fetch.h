// SPDX-License-Identifier: MIT
/*
 * fetch - the directory of a registry elsewhere, checked against the anchor, as a store that
 * drafts.
 */
#ifndef REGISTRY_REMOTE_FETCH_H
#define REGISTRY_REMOTE_FETCH_H

#include "lib/bus/anchor_file.h"
#include "registry/remote/registry_http.h"
#include "registry/store.h"

/* Through a folder of its own below TMPDIR, removed afterwards. Faults of directory_load. */
fault fetch_store(struct registry_http *http, const struct anchor_file *anchor, struct store **out);

#endif
