// SPDX-License-Identifier: MIT
/*
 * outages - which sources this server has seen fail, and what they answered in cases: what a permit
 * to ask a citizen can lean on. Everything here stands in our log, and is read from it again at a
 * start; what is older than OUTAGE_WINDOW_MS bears nothing out.
 *
 * Only a source's own query counts, as a collection sent it (header.source): whoever asks a service
 * for something else learns nothing about the source, and could make it fail at will. A failure is
 * the provider's: its system or its server did not answer, or not in time, or with 5xx. What the
 * caller got wrong is none, and neither is a deadline that left less than OUTAGE_PATIENCE_MS. One
 * that comes within OUTAGE_SPACING_MS of the last that was counted is the same.
 *
 * No answer at all is a failure for everybody. A 5xx is an answer, and one can be had by asking
 * about somebody on whom the service breaks: it counts for that person in that case alone.
 */
#ifndef EXCHANGE_OUTAGES_H
#define EXCHANGE_OUTAGES_H

#include "lib/bus/header.h"

struct exchange;

/* A record of our log. */
struct outcome_place {
    uint64_t place; /* audit_place */
    struct sha256 leaf_hash;
};

struct outage {
    int64_t since_ms; /* of the first failure without an answer after it */
    int64_t newest_ms, counted_ms;
    unsigned failures;           /* that were counted */
    struct sha256 case_ref;      /* of one person's */
    struct outcome_place newest; /* counted or not */
};

struct outages;
struct outages *outages_new(void);
void outages_free(struct outages **self);

/* An exchange that we asked for has come to its end. */
void outages_note(struct outages *self, const struct exchange *x);
/* The same from two records of the log, in its order. */
void outages_recall(struct outages *self, const struct header *request,
                    const struct header *outcome, const struct outcome_place *place);

/* The source is down, as of that time: OUTAGE_ATTEMPTS times it did not answer, the newest of them
 * not too long ago, and no answer since. NULL: it is not known to be. */
const struct outage *outages_of(const struct outages *self, const char *source, int64_t at_ms);
struct outages_question {
    const char *source, *case_ref, *requirement;
    struct span subject; /* the pseudonym; nothing was ever answered about nobody */
};
/* Likewise OUTAGE_ATTEMPTS times it answered about that subject, in that case, that it could not;
 * and has not answered about the subject since. The requirement plays no part. */
const struct outage *outages_about(const struct outages *self,
                                   const struct outages_question *question, int64_t at_ms);
/* The newest answer of the source in that case about that subject, for that requirement if it was
 * asked for it: its status and record. false: none that is young enough. */
bool outages_answer(const struct outages *self, const struct outages_question *question,
                    int64_t at_ms, unsigned *status, struct outcome_place *out);

#endif
