// SPDX-License-Identifier: MIT
#include "security-server/exchange/dispute_rate.h"

#include "lib/base/clock.h"
#include "lib/bus/limits.h"

static bool is_over(const struct dispute_rate *self)
{
    return clock_steady_ms() - self->told_ms >= CONFLICT_TELL_MS;
}

bool dispute_rate_is_open(const struct dispute_rate *self)
{
    return !self->told || (self->owed == 0 && is_over(self));
}

void dispute_rate_tell(struct dispute_rate *self)
{
    self->told = true;
    self->told_ms = clock_steady_ms();
}

void dispute_rate_owe(struct dispute_rate *self)
{
    self->owed++;
}

uint64_t dispute_rate_take(struct dispute_rate *self)
{
    uint64_t owed = self->owed;
    if (owed == 0 || !is_over(self))
        return 0;
    self->owed = 0;
    dispute_rate_tell(self);
    return owed;
}
