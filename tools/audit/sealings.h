// SPDX-License-Identifier: MIT
/*
 * sealings - which sealings stood in the directory when: an exchange that keeps itself from its
 * person's view is judged by the state that its header names, and not by that of today.
 */
#ifndef TOOLS_AUDIT_SEALINGS_H
#define TOOLS_AUDIT_SEALINGS_H

#include "lib/base/map.h"

struct Chaski__Act; /* directory.pb-c.h */

/* One sealing from one act to the next that says otherwise. */
struct sealing_stood {
    struct sealing_stood *before; /* of the same id, that was noted before */
    uint64_t from, until;         /* sizes of the directory: stands at from < size <= until */
    char *consumer, *purpose;
    int64_t days_max, until_ms;
};

/* A zeroed one is empty. sealings_clear() it. */
struct sealings {
    struct map by_id; /* id -> the last struct sealing_stood */
};

/* The act of that number; others than those of sealings are passed over. */
void sealings_take(struct sealings *self, uint64_t number, const struct Chaski__Act *act);
void sealings_clear(struct sealings *self);

/* As it stood when the directory had `size` acts; NULL: none did. */
const struct sealing_stood *sealings_at(const struct sealings *self, struct span id, uint64_t size);

#endif
