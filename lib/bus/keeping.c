// SPDX-License-Identifier: MIT
#include "lib/bus/keeping.h"

#include "lib/bus/header.h"

bool keeping_names(const char *of, struct span id)
{
    size_t size = strlen(of);
    return size == 0 || (id.size >= size && memcmp(id.at, of, size) == 0 &&
                         (id.size == size || id.at[size] == '/'));
}

enum keep_mode keeping_mode(const struct keeping *self, struct span service)
{
    const struct keeping_rule *best = NULL;
    for (size_t i = 0; self != NULL && i < self->count; i++)
        if (keeping_names(self->rule[i].of, service) &&
            (best == NULL || strlen(self->rule[i].of) > strlen(best->of)))
            best = &self->rule[i];
    return best == NULL ? KEEP_FULL : best->mode;
}

bool erasure_covers(const struct erasure *self, uint64_t index, unsigned kind, struct span service)
{
    if (index < self->first || index > self->last || kind >= HEADER_STARTED ||
        !keeping_names(self->of, service))
        return false;
    for (size_t i = 0; i < self->excepts; i++)
        if (keeping_names(self->except[i], service))
            return false;
    return true;
}
