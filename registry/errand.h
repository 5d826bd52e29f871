// SPDX-License-Identifier: MIT
/*
 * errand - a piece of work among strangers, done by a child that ends with it: what somebody sends
 * back can end this one errand and nothing else.
 */
#ifndef REGISTRY_ERRAND_H
#define REGISTRY_ERRAND_H

#include "lib/base/fault.h"

#include <stddef.h>

#define ERRAND_RESULT_BYTES_MAX 4096 /* a pipe takes so much at once */

struct errand {
    /* In the child, in JAIL_SCRIBE, with no descriptor but the standard ones; fills the result. */
    fault (*work)(void *owner, void *result);
    void *owner;
    const char *event; /* of a fault in the child */
    int wait_ms;       /* then the child is killed */
};

/* Waits for its end. Call it where no private key is in memory and no thread runs; the child dies
 * with who waits here. *result is written only on success. INTERNAL: the child's event says why, or
 * it was killed. */
fault errand_run(const struct errand *errand, void *result, size_t size);

#endif
