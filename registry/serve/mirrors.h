// SPDX-License-Identifier: MIT
/*
 * mirrors - before a store is served: does anybody know more of this directory than it?
 */
#ifndef REGISTRY_SERVE_MIRRORS_H
#define REGISTRY_SERVE_MIRRORS_H

#include "lib/base/fault.h"

/* Asks each of these for /directory/checkpoint. REFUSED when one shows more acts than the store
 * has, or others; or does not answer: who knows that it is gone for good leaves it out. Waits at
 * most 10 s for each. */
fault mirrors_check(const char *store, const char *const *urls, size_t count);

#endif
