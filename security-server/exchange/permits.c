// SPDX-License-Identifier: MIT
#include "security-server/exchange/permits.h"

#include "lib/base/map.h"

#include <stdlib.h>

struct permits {
    struct map by_code;
    struct permit **ring; /* in the order in which they came */
    size_t count, oldest;
};

struct permits *permits_new(void)
{
    return owned_new(sizeof(struct permits));
}

static void forget(struct permits *self, struct permit *permit)
{
    if (map_get(&self->by_code, span_of_text(permit->code)) == permit)
        map_remove(&self->by_code, span_of_text(permit->code));
    free((char *)(uintptr_t)permit->member);
    free((char *)(uintptr_t)permit->procedure);
    free((char *)(uintptr_t)permit->requirement);
    free((char *)(uintptr_t)permit->territory);
    free(permit);
}

void permits_free(struct permits **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < (*self)->count; i++)
        forget(*self, (*self)->ring[i]);
    map_clear(&(*self)->by_code);
    free((*self)->ring);
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

static struct permit **place_for_one(struct permits *self)
{
    if (self->count < PERMITS_HELD_MAX) {
        if ((self->count & (self->count - 1)) == 0) /* room is a power of two */
            self->ring = owned_grow(self->ring, self->count == 0 ? 1 : 2 * self->count,
                                    sizeof(struct permit *));
        return &self->ring[self->count++];
    }
    struct permit **place = &self->ring[self->oldest];
    self->oldest = (self->oldest + 1) % PERMITS_HELD_MAX;
    forget(self, *place);
    return place;
}

void permits_take(struct permits *self, const struct header *header, uint64_t place,
                  const struct sha256 *leaf_hash)
{
    struct permit *permit = owned_new(sizeof *permit);
    memcpy(permit->code, header->permit->code.at, PERMIT_CODE_BYTES);
    permit->reason = header->permit->reason;
    permit->since_ms = header->permit->since_ms;
    permit->given_ms = header->time_ms;
    permit->until_ms = header->permit->until_ms;
    permit->member = text_of(header->sender);
    permit->procedure = text_of(header->procedure);
    permit->requirement = text_of(header->requirement);
    permit->territory = text_of(header->territory);
    permit->place = place;
    permit->leaf_hash = *leaf_hash;
    *place_for_one(self) = permit;
    map_set(&self->by_code, span_of_text(permit->code), permit);
}

const struct permit *permits_find(const struct permits *self, const char *code)
{
    return map_get(&self->by_code, span_of_text(code));
}
