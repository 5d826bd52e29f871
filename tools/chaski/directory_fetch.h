// SPDX-License-Identifier: MIT
/*
 * directory_fetch - the directory as a registry publishes it now, over HTTP, checked by the anchor.
 */
#ifndef TOOLS_CHASKI_DIRECTORY_FETCH_H
#define TOOLS_CHASKI_DIRECTORY_FETCH_H

#include "lib/bus/anchor_file.h"
#include "lib/bus/directory.h"

/* at: what `/directory/` lies below. trust_free() and directory_release() both. Waits for the
 * network and for as much disk under $TMPDIR as the directory has. PEER_UNREACHABLE,
 * BODY_TOO_LARGE, faults of directory_load. */
fault directory_fetch(const struct anchor_file *anchor, const char *at, struct trust **trust,
                      struct directory **out);

#endif
