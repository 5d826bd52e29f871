// SPDX-License-Identifier: MIT
#include "security-server/exchange/directory_quorum.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"

#include <stdlib.h>

/* Newest first. */
static int by_time(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return one < other ? 1 : one > other ? -1 : 0;
}

static unsigned count_good(const struct directory *state, struct span note, uint64_t *times,
                           unsigned *quorum)
{
    const struct directory_server *witness[DIRECTORY_WITNESSES_MAX];
    size_t witnesses = directory_witnesses(state, witness, quorum);
    struct sha256 root = directory_root(state);
    unsigned good = 0;
    for (size_t i = 0; i < witnesses; i++) {
        struct checkpoint head;
        uint64_t time_s = 0;
        if (witness[i]->is_witness &&
            !failed(cosignature_open(note, &witness[i]->witness_key, &head, &time_s)) &&
            head.size == directory_epoch(state) && sha256_equal(&head.root, &root))
            times[good++] = time_s;
    }
    return good;
}

bool directory_quorum_see(struct directory_quorum *self, const struct directory *state,
                          struct span note)
{
    uint64_t times[DIRECTORY_WITNESSES_MAX];
    uint64_t size = directory_epoch(state);
    unsigned good = count_good(state, note, times, &self->quorum);
    if (size != self->size) {
        self->size = size;
        self->have = 0;
        if (self->waiting_ms == 0)
            self->waiting_ms = clock_steady_ms();
    }
    bool better = good > self->have;
    if (better)
        self->have = good;
    if (self->quorum == 0) {
        self->waiting_ms = 0;
    } else if (good >= self->quorum) {
        qsort(times, good, sizeof times[0], by_time);
        int64_t time_s =
            times[self->quorum - 1] > INT64_MAX / 1000 ? 0 : (int64_t)times[self->quorum - 1];
        self->time_s = time_s > self->time_s ? time_s : self->time_s;
        if (self->confirmed != size)
            EVENT(INFO, "directory.confirmed", E_NUMBER("epoch", size),
                  E_NUMBER("witnesses", good));
        self->confirmed = size;
        self->waiting_ms = self->said_ms = 0;
    }
    return better;
}

void directory_quorum_watch(struct directory_quorum *self, int64_t alarm_ms)
{
    int64_t now_ms = clock_steady_ms();
    if (self->waiting_ms == 0 || now_ms - self->waiting_ms < alarm_ms ||
        (self->said_ms != 0 && now_ms - self->said_ms < alarm_ms))
        return;
    self->said_ms = now_ms;
    EVENT(ERROR, "directory.unconfirmed", E_MS("for_ms", now_ms - self->waiting_ms),
          E_NUMBER("epoch", self->size), E_NUMBER("confirmed_epoch", self->confirmed),
          E_NUMBER("witnesses", self->have), E_NUMBER("quorum", self->quorum));
}
