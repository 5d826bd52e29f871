// SPDX-License-Identifier: MIT
/*
 * fetch - small answers over HTTP from addresses that the directory names (libcurl). Bounded in
 * size and time; redirects are not followed.
 */
#ifndef REGISTRY_STATUS_FETCH_H
#define REGISTRY_STATUS_FETCH_H

#include "lib/base/bytes.h"

struct fetcher;

fault fetcher_new(struct fetcher **out);
void fetcher_free(struct fetcher **self);

/* POSTs `body` when it has a type, else GETs. Waits, at most STATUS_FETCH_WAIT_MS. *out has at most
 * `most` bytes; bytes_free() it. PEER_UNREACHABLE (also when there is more), REFUSED (a status
 * other than 200), with the reason. */
fault fetcher_ask(struct fetcher *self, const char *url, const char *type, struct span body,
                  size_t most, struct bytes **out);

#endif
