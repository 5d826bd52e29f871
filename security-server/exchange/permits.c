// SPDX-License-Identifier: MIT
#include "security-server/exchange/permits.h"

#include "lib/base/clock.h"
#include "lib/base/map.h"
#include "lib/bus/audit_log.h"
#include "lib/crypto/merkle.h"

#include <inttypes.h>
#include <stdlib.h>

struct permits {
    struct map by_code;
    struct permit **held; /* in the order in which they came */
    size_t count, room;
    int64_t first_end_ms; /* none of them ends before */
};

struct permits *permits_new(void)
{
    return owned_new(sizeof(struct permits));
}

/* A later one may have its code: codes are random. */
static void forget(struct permits *self, struct permit *permit)
{
    if (map_get(&self->by_code, span_of_text(permit->code)) == permit)
        map_remove(&self->by_code, span_of_text(permit->code));
    free((char *)(uintptr_t)permit->member);
    free((char *)(uintptr_t)permit->procedure);
    free((char *)(uintptr_t)permit->requirement);
    free((char *)(uintptr_t)permit->territory);
    free((char *)(uintptr_t)permit->case_ref);
    free(permit);
}

void permits_free(struct permits **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < (*self)->count; i++)
        forget(*self, (*self)->held[i]);
    map_clear(&(*self)->by_code);
    free((*self)->held);
    free(*self);
    *self = NULL;
}

static char *text_of(struct span from)
{
    char *text = owned_array(from.size + 1, 1);
    if (from.size > 0)
        memcpy(text, from.at, from.size);
    return text;
}

// --- room ---------------------------------------------------------------------------------------

static void drop_ended(struct permits *self, int64_t now_ms)
{
    size_t kept = 0;
    if (now_ms < self->first_end_ms)
        return;
    self->first_end_ms = INT64_MAX;
    for (size_t i = 0; i < self->count; i++) {
        struct permit *permit = self->held[i];
        if (permit->until_ms <= now_ms) {
            forget(self, permit);
            continue;
        }
        if (permit->until_ms < self->first_end_ms)
            self->first_end_ms = permit->until_ms;
        self->held[kept++] = permit;
    }
    self->count = kept;
}

fault permits_room(struct permits *self, int64_t now_ms)
{
    char until[32];
    if (self->count >= PERMITS_HELD_MAX)
        drop_ended(self, now_ms);
    if (self->count < PERMITS_HELD_MAX)
        return DONE;
    clock_text(self->first_end_ms, until, sizeof until);
    return RAISE(OVERLOADED,
                 "%d permits of this server are in force, and each of them stays so to its end: no "
                 "more are given before %s, when the first one ends",
                 PERMITS_HELD_MAX, until);
}

static void hold(struct permits *self, struct permit *permit)
{
    if (self->count == self->room) {
        self->room = self->room == 0 ? 64 : 2 * self->room;
        self->held = owned_grow(self->held, self->room, sizeof(struct permit *));
    }
    if (self->count == 0 || permit->until_ms < self->first_end_ms)
        self->first_end_ms = permit->until_ms;
    self->held[self->count++] = permit;
    map_set(&self->by_code, span_of_text(permit->code), permit);
}

// --- taking and finding -------------------------------------------------------------------------

void permits_take(struct permits *self, const struct header *header, uint64_t place,
                  const struct sha256 *leaf_hash, int64_t now_ms)
{
    const struct header_permit *said = header->permit;
    struct permit *permit = owned_new(sizeof *permit);
    memcpy(permit->code, said->code.at, PERMIT_CODE_BYTES);
    permit->reason = said->reason;
    permit->since_ms = said->since_ms;
    permit->given_ms = header->time_ms;
    permit->until_ms = said->until_ms;
    permit->member = text_of(header->sender);
    permit->procedure = text_of(header->procedure);
    permit->requirement = text_of(header->requirement);
    permit->territory = text_of(header->territory);
    permit->case_ref = text_of(header->case_ref);
    permit->place = place;
    permit->leaf_hash = *leaf_hash;
    permit->has_evidence = said->has_evidence;
    permit->evidence = said->evidence;
    permit->evidence_place = audit_place(audit_place_epoch(place), said->evidence_index);
    if (self->count >= PERMITS_HELD_MAX)
        drop_ended(self, now_ms);
    hold(self, permit);
}

const struct permit *permits_find(const struct permits *self, const char *code)
{
    return map_get(&self->by_code, span_of_text(code));
}

fault permit_check_evidence(const struct permit *permit, enum fault_code reading, struct span leaf)
{
    uint64_t entry = audit_place_index(permit->evidence_place);
    if (reading != OK)
        return RAISE(PERMIT_UNPROVEN, "it names entry %" PRIu64 ", which cannot be read: %s", entry,
                     fault_sentence(reading));
    struct sha256 hash = merkle_leaf_hash(leaf);
    return sha256_equal(&hash, &permit->evidence)
               ? DONE
               : RAISE(PERMIT_UNPROVEN, "entry %" PRIu64 " is another record than it names", entry);
}
