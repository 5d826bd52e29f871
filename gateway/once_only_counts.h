// SPDX-License-Identifier: MIT
/*
 * once_only_counts - what became of collections and permits, by procedure, for Prometheus. A zeroed
 * one is empty. Only procedures that the security server knows are given to it: strangers' names
 * would fill it. From ONCE_ONLY_COUNTED_MAX on, all others are counted together.
 */
#ifndef GATEWAY_ONCE_ONLY_COUNTS_H
#define GATEWAY_ONCE_ONLY_COUNTS_H

#include "lib/base/bytes.h"

enum once_only_count {
    COUNT_COMPLETE,
    COUNT_INCOMPLETE,
    COUNT_PERMITTED,
    COUNT_DENIED,
    COUNTS_END
};

struct once_only_counts {
    size_t count;
    struct once_only_counted *of; /* each procedure */
};

void once_only_counts_clear(struct once_only_counts *self);
void once_only_counts_add(struct once_only_counts *self, const char *procedure,
                          enum once_only_count what);
/* Appends Prometheus text. */
void once_only_counts_write(const struct once_only_counts *self, struct bytes *out);

#endif
