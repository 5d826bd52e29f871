// SPDX-License-Identifier: MIT
/*
 * authority - what runs at the far end of authority_line: the store, open for writing, and the
 * folder that it publishes.
 */
#ifndef REGISTRY_SERVE_AUTHORITY_H
#define REGISTRY_SERVE_AUTHORITY_H

#include "lib/base/fault.h"

struct authority_plan {
    const char *store;
    const char *folder; /* published */
};

/* owner: a struct authority_plan. First answers by itself: ready, or the fault. DONE when the line
 * was closed. */
fault authority_run(void *owner, int fd);

#endif
