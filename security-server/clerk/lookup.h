// SPDX-License-Identifier: MIT
/*
 * lookup - finds the records of an exchange in the log by the id that its client knows: the
 * exchange's own (x-road-request-id), or the X-Road-Id, which stands in the payload only. Step by
 * step, newest entries first, so that nobody else waits for it.
 */
#ifndef CLERK_LOOKUP_H
#define CLERK_LOOKUP_H

#include "lib/bus/payload_store.h"
#include "lib/evidence/record.h"

/* The view is copied from, so that it may change meanwhile; the rest is borrowed for the life of
 * the lookup. */
struct lookup_for {
    const struct log_view *view; /* the epoch that is looked through */
    const char *client;          /* subsystem: at its end of the exchange only */
    const char *message_id;
    struct key_ring *keys;
};

struct lookup;

/* until: entries before it are looked at; they must be durable. */
fault lookup_new(const struct lookup_for *what, uint64_t until, struct lookup **out);
void lookup_free(struct lookup **self);
/* A bounded step. OVERLOADED: not done after RECORD_LOOKUP_MS. */
fault lookup_step(struct lookup *self, bool *done);

/* Requests first, then their outcomes; at most RECORDS_FOUND_MAX in all; lent. */
size_t lookup_count(const struct lookup *self);
struct record *lookup_record(struct lookup *self, size_t which);

#endif
