// SPDX-License-Identifier: MIT
/*
 * Key cards of one log: each names a key of its own, and later ones are dated later. That they are
 * signed, by whom, and in which order they stand is judged as of any entry. To which key a letter
 * was sealed stands in no record.
 */
#include "tools/audit/verify.h"

#include <inttypes.h>
#include <stdlib.h>

/* The next card was made late when it came more than this after its time: a node tries each ten
 * seconds. */
#define LATE_MS 3600000

void verify_note_card(struct log *log, const struct log_entry *entry)
{
    log->card = owned_grow(log->card, log->cards + 1, sizeof *log->card);
    log->card[log->cards++] =
        (struct card_act){entry->index, entry->header->time_ms, *entry->header->card};
}

static const struct card_act *first_with(const struct log *log, const uint8_t *key, size_t end)
{
    for (size_t i = 0; i < end; i++)
        if (memcmp(log->card[i].card.key, key, HEADER_CARD_KEY_BYTES) == 0)
            return &log->card[i];
    return NULL;
}

/* By a map, for a log of years holds thousands. */
static void check_keys(struct verify *self, struct log *log)
{
    struct map seen = {0};
    for (const struct log *before = log->before; before != NULL; before = before->before)
        for (size_t i = 0; i < before->cards; i++)
            map_set(&seen, span_of(before->card[i].card.key, HEADER_CARD_KEY_BYTES), log);
    for (size_t i = 0; i < log->cards; i++) {
        const struct card_act *act = &log->card[i];
        struct span key = span_of(act->card.key, HEADER_CARD_KEY_BYTES);
        if (map_set(&seen, key, log) == NULL)
            continue;
        const struct card_act *first = first_with(log, act->card.key, i);
        if (first != NULL)
            FIND(self, log, act->index, "key cards",
                 "A sealing key that was to be destroyed came back: what was sealed to it before "
                 "can still be opened.",
                 "it names the key of entry %" PRIu64 " again", first->index);
        else
            FIND(self, log, act->index, "key cards",
                 "A sealing key that was to be destroyed came back: what was sealed to it before "
                 "can still be opened.",
                 "it names a key of an earlier epoch again");
    }
    map_clear(&seen);
}

/* Senders take the later one by the time in it. */
static void check_order(struct verify *self, struct log *log)
{
    for (size_t i = 1; i < log->cards; i++)
        if (log->card[i].time_ms <= log->card[i - 1].time_ms)
            REMARK(self, log,
                   "entry %" PRIu64
                   ", a key card, is not dated later than the one of entry %" PRIu64
                   ": its clock was set back, and senders took the directory's key",
                   log->card[i].index, log->card[i - 1].index);
}

/* Did the node run on with a key that was to be renewed? By what it signed itself. */
static bool ran_late(const struct log *log, const struct card_act *act, uint64_t end)
{
    for (uint64_t i = act->index + 1; i < end; i++)
        if (kept_is_own(log, &log->entry[i]) &&
            log->entry[i].time_ms > act->card.until_ms + LATE_MS)
            return log->entry[i].kind != HEADER_STARTED;
        else if (kept_is_own(log, &log->entry[i]) && log->entry[i].kind == HEADER_STARTED)
            return false; /* keys go with the process: what follows has none of this card's */
    return false;
}

static void remark_late(struct verify *self, struct log *log)
{
    uint64_t late = 0, first = 0;
    for (size_t i = 0; i < log->cards; i++) {
        uint64_t end = i + 1 < log->cards ? log->card[i + 1].index : log->count;
        if (!ran_late(log, &log->card[i], end))
            continue;
        first = late == 0 ? log->card[i].index : first;
        late++;
    }
    if (late > 0)
        REMARK(self, log,
               "%" PRIu64 " sealing key%s used for longer than announced, the first by entry "
               "%" PRIu64,
               late, late == 1 ? " was" : "s were", first);
}

void verify_cards(struct verify *self, struct log *log)
{
    check_keys(self, log);
    check_order(self, log);
    remark_late(self, log);
}
