// SPDX-License-Identifier: MIT
#include "security-server/exchange/fair_rate.h"

#include "lib/base/owned.h"
#include "lib/bus/limits.h"

#include <stdlib.h>

/* Tokens are counted in millionths: a rate of one a second is one millionth a microsecond. */
#define TOKEN INT64_C(1000000)
#define IDLE_US_MAX INT64_C(3600000000) /* longer than any bucket takes to fill at one a second */

struct bucket {
    char *member; /* NULL for the service's own */
    int64_t tokens;
    int64_t filled_us; /* up to then */
    bool begun;
};

struct fair_rate {
    struct bucket whole;
    size_t members;
    struct bucket member[FAIR_MEMBERS_MAX];
};

struct fair_rate *fair_rate_new(void)
{
    return owned_new(sizeof(struct fair_rate));
}

void fair_rate_free(struct fair_rate **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < (*self)->members; i++)
        free((*self)->member[i].member);
    free(*self);
    *self = NULL;
}

/* rate and burst are the service's; this bucket has one part in `parts` of them, and room for one
 * token at least. A bucket begins full. */
static void fill(struct bucket *self, int64_t rate, int64_t burst, int64_t parts, int64_t now_us)
{
    int64_t room = burst * TOKEN / parts < TOKEN ? TOKEN : burst * TOKEN / parts;
    int64_t passed_us = self->begun ? now_us - self->filled_us : IDLE_US_MAX;
    if (passed_us > IDLE_US_MAX)
        passed_us = IDLE_US_MAX;
    self->tokens += passed_us <= 0 ? 0 : passed_us * rate / parts;
    if (!self->begun || self->tokens > room)
        self->tokens = room;
    if (passed_us > 0)
        self->filled_us = now_us;
    self->begun = true;
}

static struct bucket *bucket_of(struct fair_rate *self, struct span member)
{
    struct bucket *oldest = &self->member[0];
    for (size_t i = 0; i < self->members; i++) {
        if (span_is_text(member, self->member[i].member))
            return &self->member[i];
        if (self->member[i].filled_us < oldest->filled_us)
            oldest = &self->member[i];
    }
    if (self->members < FAIR_MEMBERS_MAX)
        oldest = &self->member[self->members++];
    free(oldest->member);
    *oldest = (struct bucket){.member = owned_new(member.size + 1)};
    if (member.size > 0)
        memcpy(oldest->member, member.at, member.size);
    return oldest;
}

static int64_t active(const struct fair_rate *self, const struct bucket *asks, int64_t now_us)
{
    int64_t count = 1;
    for (size_t i = 0; i < self->members; i++)
        count += &self->member[i] != asks && self->member[i].filled_us > now_us - FAIR_ACTIVE_US;
    return count;
}

static int64_t wait_us(int64_t missing, int64_t rate)
{
    return (missing + rate - 1) / rate;
}

int64_t fair_rate_take(struct fair_rate *self, struct fair_limit limit, struct span member,
                       int64_t now_us)
{
    int64_t rate = limit.rate, burst = limit.burst == 0 ? limit.rate : limit.burst;
    if (rate == 0)
        return 0;
    struct bucket *own = bucket_of(self, member);
    int64_t parts = active(self, own, now_us);
    fill(&self->whole, rate, burst, 1, now_us);
    fill(own, rate, burst, parts, now_us);
    if (self->whole.tokens < TOKEN)
        return wait_us(TOKEN - self->whole.tokens, rate);
    bool within = own->tokens >= TOKEN;
    if (!within && self->whole.tokens < burst * TOKEN / 2 + TOKEN)
        return wait_us((TOKEN - own->tokens) * parts, rate);
    self->whole.tokens -= TOKEN;
    own->tokens -= within ? TOKEN : 0;
    return 0;
}
