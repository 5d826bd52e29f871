// SPDX-License-Identifier: MIT
/*
 * crew - threads that examine the entries of a log, and hand them back in the log's order.
 *
 * The owner's thread walks over the leaves and gives them out in batches, one worker after the
 * other; each worker is a thread and two pipes, and gives its batches back as it got them. So the
 * order is the log's, whatever the number of threads, and nobody shares anything. The number of
 * batches is fixed: the walk waits for the oldest one when all are out.
 */
#ifndef TOOLS_AUDIT_CREW_H
#define TOOLS_AUDIT_CREW_H

#include "tools/audit/examine.h"

struct crew;

/* Takes an examined entry, in the order in which leaves were given; it is cleared afterwards. */
typedef void crew_take(void *owner, const struct examined *examined);

/* threads: 1 to VERIFY_THREADS_MAX; 1: the calling thread does it all. Faults as examiner_new;
 * INTERNAL: no thread. */
fault crew_start(size_t threads, const struct examination *about, crew_take *take, void *owner,
                 struct crew **out);
/* Ends the threads; what they have not handed back is dropped. */
void crew_free(struct crew **self);

/* The leaf is copied. Waits while all batches are out; calls `take` for those that came back. */
void crew_give(struct crew *self, uint64_t index, struct span leaf);
/* Waits for all that was given. */
void crew_finish(struct crew *self);

#endif
