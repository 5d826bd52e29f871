// SPDX-License-Identifier: MIT
#include "security-server/exchange/minute_share.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"

#define MINUTE_MS 60000

bool minute_share_allows(struct minute_share *self, unsigned most, const char *name,
                         const char *peer, const char *question)
{
    int64_t now_ms = clock_steady_ms();
    if (self->window_ms == 0 || now_ms - self->window_ms >= MINUTE_MS)
        *self = (struct minute_share){.window_ms = now_ms};
    if (self->asked < most) {
        self->asked++;
        return true;
    }
    if (self->asked == most) {
        self->asked++;
        EVENT(WARN, name, E_TEXT("peer", peer), E_TEXT("question", question),
              E_NUMBER("a_minute", most));
    }
    return false;
}
