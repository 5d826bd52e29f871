// SPDX-License-Identifier: MIT
/*
 * subject_fetch - fetches the keys of pseudonyms that the exchange process misses
 * (<audit_folder>/directory/subject-keys: years, a line each), as the registry sealed them to this
 * server, into <audit_folder>/followed/subject-keys/. What is in them this process cannot read.
 */
#ifndef FOLLOWER_SUBJECT_FETCH_H
#define FOLLOWER_SUBJECT_FETCH_H

#include "lib/bus/anchor_file.h"
#include "security-server/follower/fetcher.h"

struct subject_fetch;

/* All borrowed. */
struct subject_fetch *subject_fetch_new(struct fetcher *fetcher, const char *audit_folder,
                                        const char *server, const struct anchor_file *anchor);
void subject_fetch_free(struct subject_fetch **self);
/* To be called every second or so: asks the addresses in turn for one year at a time; after the
 * last address, all of them again after SUBJECT_FETCH_AGAIN_MS. */
void subject_fetch_look(struct subject_fetch *self);

#endif
