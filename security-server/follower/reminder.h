// SPDX-License-Identifier: MIT
/*
 * reminder - tells an address that shows less of the directory than is held what is held: a
 * registry that was started on an old copy of its store hears of it before it signs a second
 * history (POST /directory/head, then POST /directory/act). A mirror does not listen, and need not.
 */
#ifndef FOLLOWER_REMINDER_H
#define FOLLOWER_REMINDER_H

#include "security-server/follower/fetcher.h"
#include "security-server/follower/followed.h"

struct reminder;

/* All borrowed. */
struct reminder *reminder_new(struct fetcher *fetcher, struct followed *followed,
                              const struct anchor_file *anchor);
void reminder_free(struct reminder **self);
/* at: which of the anchor's addresses. shown: how many acts it has; the act behind them is shown to
 * it too, or the newest where that one is not held yet: whoever has lost it knows neither a later
 * key of the log nor whom to believe, but the authority's signature. Each at most every
 * FOLLOW_REMIND_MS. */
void reminder_tell(struct reminder *self, size_t at, uint64_t shown);

#endif
