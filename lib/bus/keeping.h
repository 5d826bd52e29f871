// SPDX-License-Identifier: MIT
/*
 * keeping - what is kept of which service's payloads, and which payloads an act of erasure covers.
 * Both are said in signed headers, so that an auditor can tell what is missing from what was
 * removed.
 */
#ifndef BUS_KEEPING_H
#define BUS_KEEPING_H

#include "lib/base/bytes.h"

#define KEEPING_RULES_MAX 64
#define KEEPING_BYTES_MAX 4096 /* of all rules' texts: they must fit into a header */

enum keep_mode {
    KEEP_FULL,
    KEEP_METADATA, /* the salt only: whoever has the payload can prove that it is the one */
    KEEP_OFF,      /* nothing: nobody can ever tell which of two payloads it was */
};

struct keeping_rule {
    const char *of; /* an identifier, or the beginning of some up to a '/'; "": all services */
    enum keep_mode mode;
};

struct keeping {
    size_t count;
    struct keeping_rule *rule;
};

/* Payloads of entries first to last, of services that `of` names and none of `except` does. */
struct erasure {
    uint64_t first, last;
    const char *day; /* yyyymmdd */
    const char *of;
    size_t excepts;
    const char *const *except;
    unsigned epoch; /* an earlier one, whose entries these are; 0: the record's own */
};

/* Is it this identifier, or one below it? */
bool keeping_names(const char *of, struct span id);
/* The longest rule that names the service decides; none: KEEP_FULL. `self` may be NULL. */
enum keep_mode keeping_mode(const struct keeping *self, struct span service);

/* `kind`: of the entry's header. Only requests, responses and faults are covered: what a log says
 * of itself is not erased. */
bool erasure_covers(const struct erasure *self, uint64_t index, unsigned kind, struct span service);

#endif
