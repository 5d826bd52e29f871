// SPDX-License-Identifier: MIT
/*
 * quota - what rights allow in number: requests a second of a service (fair_rate.h), and answers a
 * day under a grant that has a volume, for each member that uses it.
 *
 * Counted is a request when it is let through, and taken back when no answer came of it. Days are
 * UTC's. The counts of today are taken from the evidence at a start: what stands there as answered
 * under a grant. Both sides count: the provider's server refuses by it, the caller's tells what is
 * left.
 */
#ifndef EXCHANGE_QUOTA_H
#define EXCHANGE_QUOTA_H

#include "lib/bus/directory.h"
#include "lib/bus/header.h"
#include "security-server/exchange/fair_rate.h"

struct quota;
struct quota *quota_new(void);
void quota_free(struct quota **self);

/* 0: it may; else so many seconds are to be waited. Of more than QUOTA_SERVICES_MAX services all
 * begin anew with full buckets. */
uint32_t quota_rate(struct quota *self, const char *service, struct span member,
                    struct fair_limit limit, int64_t now_us);

/* The grant that a rule names, when it has a volume; else NULL. */
const struct directory_grant *quota_grant(const struct directory *directory, struct span rule);

/* What one of so many servers (0 counts as 1) that offer the service gives of a volume: an even
 * part, rounded up. Servers do not tell each other, and a volume that each gave whole would grow
 * with them; so all together give less than one for each server more than the volume. */
uint32_t quota_share(uint32_t volume, size_t servers);

/* One more today, of this server's part. RATE_LIMITED: it is used up; *retry_s is until midnight.
 * OVERLOADED: more than QUOTA_COUNTS_MAX are counted. */
fault quota_take(struct quota *self, const struct directory_grant *grant, size_t servers,
                 struct span member, int64_t at_ms, uint32_t *retry_s);
void quota_give_back(struct quota *self, const char *grant, struct span member);
uint64_t quota_used(const struct quota *self, const char *grant, struct span member, int64_t at_ms);

/* An answer of the log while it is read at a start, or one that comes: counted if its rule is a
 * grant with a volume, for the member that got it. */
void quota_note(struct quota *self, const struct directory *directory, const struct header *header);

#endif
