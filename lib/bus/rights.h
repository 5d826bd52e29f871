// SPDX-License-Identifier: MIT
/*
 * rights - rules by what they are about, ready for a decision: for each pair of names (a service
 * and a consumer, a purpose and a consumer) the rules about them, the one that ends last first. One
 * look is one hash of the two names; nothing is searched.
 *
 * A zeroed struct rights is empty. Rules and their texts are the owner's.
 */
#ifndef BUS_RIGHTS_H
#define BUS_RIGHTS_H

#include "lib/base/map.h"

struct right {
    const char *id; /* among equal ends the smallest comes first, on every node */
    int64_t until_ms;
    const void *rule;
};

/* The order of a list. */
bool right_comes_before(const struct right *left, const struct right *right);

struct right_list {
    size_t count, room;
    struct right *right;
};

struct rights {
    struct map by_names;
};

void rights_clear(struct rights *self);
/* What stood there under this id is taken out first by the caller. */
void rights_put(struct rights *self, struct span first, struct span second, struct right right);
void rights_take(struct rights *self, struct span first, struct span second, const char *id);
/* Never NULL: an empty list when there is none. As long as nothing is put or taken. */
const struct right_list *rights_of(const struct rights *self, struct span first,
                                   struct span second);

#endif
