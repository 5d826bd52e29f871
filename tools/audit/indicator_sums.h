// SPDX-License-Identifier: MIT
/*
 * indicator_sums - exchanges of several logs, each counted once, by who was asked and by who asked.
 * Reads headers alone; whether they are true, verify tells.
 */
#ifndef TOOLS_AUDIT_INDICATOR_SUMS_H
#define TOOLS_AUDIT_INDICATOR_SUMS_H

#include "lib/evidence/log_view.h"

/* What became of an exchange. */
enum indicator_end {
    INDICATOR_AUTOMATIC, /* answered, by a rule that took nobody's word */
    INDICATOR_BY_WORD,   /* answered, by a grant, a decision or in an emergency */
    INDICATOR_REFUSED,   /* by a rule, or for what the caller sent */
    INDICATOR_FAILED,    /* neither: the provider, its service or the way */
    INDICATOR_NONE,      /* no outcome is in these logs */
    INDICATOR_ENDS
};

struct indicator_exchange {
    char *provider, *caller; /* members, I/C/M */
    char *refusal;           /* the rule without its id, else the fault; NULL: it was not refused */
    enum indicator_end end;
    int64_t time_ms, latency_ms; /* latency: -1 when there is no answer */
    int64_t sealed_until_ms;
};

/* A question to a citizen that was tried: was it denied, for the state has the answer? */
struct indicator_permit {
    char *member; /* that would have asked */
    int64_t time_ms;
    bool denied;
};

struct indicator_sums;

struct indicator_sums *indicator_sums_new(void);
void indicator_sums_free(struct indicator_sums **self);
/* All entries of all epochs of a folder. OVERLOADED: more than INDICATOR_EXCHANGES_MAX of either.
 */
fault indicator_sums_add(struct indicator_sums *self, const char *folder,
                         const struct log_anchors *anchors);
/* Lent; in no order. Exchanges of metaservices are left out. */
const struct indicator_exchange *const *indicator_sums_all(struct indicator_sums *self,
                                                           size_t *count);

/* Lent; in no order. */
const struct indicator_permit *indicator_sums_permits(const struct indicator_sums *self,
                                                      size_t *count);

#endif
