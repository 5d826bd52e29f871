// SPDX-License-Identifier: MIT
/*
 * poster - hands this server's cosignature of the directory's newest head to the authority:
 * POST <url>/directory/cosignature, one line. The exchange process leaves it in
 * <audit_folder>/directory/cosignature.
 */
#ifndef FOLLOWER_POSTER_H
#define FOLLOWER_POSTER_H

#include "lib/bus/anchor_file.h"
#include "security-server/follower/fetcher.h"

struct poster;

/* All borrowed. */
struct poster *poster_new(struct fetcher *fetcher, const char *audit_folder,
                          const struct anchor_file *anchor);
void poster_free(struct poster **self);
/* To be called every second or so: posts what is new, to the addresses in turn until one takes it,
 * FOLLOW_POST_TRIES_MAX times; then the next head's is waited for. */
void poster_look(struct poster *self);

#endif
