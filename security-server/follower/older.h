// SPDX-License-Identifier: MIT
/*
 * older - fills in what a copy lacks that began with a snapshot: one bundle of acts after the
 * other, from the newest that is missing down, at leisure, so that news and exchanges have the
 * line. Who does not have a bundle (an address that began with a snapshot itself) is followed by
 * the next one.
 */
#ifndef FOLLOWER_OLDER_H
#define FOLLOWER_OLDER_H

#include "lib/base/loop.h"
#include "security-server/follower/fetcher.h"
#include "security-server/follower/followed.h"

struct older;

/* All borrowed. It looks by itself. */
struct older *older_new(struct loop *loop, struct fetcher *fetcher, struct followed *followed,
                        const struct anchor_file *anchor);
void older_free(struct older **self);

#endif
