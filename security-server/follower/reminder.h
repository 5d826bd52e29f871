// SPDX-License-Identifier: MIT
/*
 * reminder - tells an address that shows less of the directory than is held what is held: a
 * registry that was started on an old copy of its store hears of it before it signs a second
 * history. A mirror does not listen, and need not.
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
/* at: which of the anchor's addresses. Each at most every FOLLOW_REMIND_MS. */
void reminder_tell(struct reminder *self, size_t at);

#endif
