// SPDX-License-Identifier: MIT
/*
 * access - requests for access to what a restriction closes, and where they stand; the arbiter's
 * decisions; what was opened in an emergency.
 *
 * Where a request stands follows from the directory and the time, on every node alike: a deadline
 * passes without anybody doing anything. Reasons: docs/decisions/0036.
 */
#ifndef BUS_ACCESS_H
#define BUS_ACCESS_H

#include "lib/bus/access_facts.h"
#include "lib/bus/access_scope.h"
#include "lib/bus/directory.h"
#include "lib/bus/working_days.h"

struct directory_calendar {
    struct working_calendar days;
    unsigned answer_days, decide_days;
};

struct directory_request {
    const char *id;
    const char *service;
    const char *consumer; /* a subsystem */
    size_t purposes;
    const char **purpose; /* rising */
    struct access_scope scope;
    const char *legal_basis;
    const char *reason;
    int64_t at_ms;
    int64_t answer_until_ms;         /* for the provider; by the calendar of the day it came */
    int64_t decide_until_ms;         /* for the arbiter, once it is the arbiter's */
    int64_t objected_ms;             /* 0: not */
    enum directory_ground objection; /* when it was */
    const char *objection_reason;
    const char *grant;     /* that answered it, or "" */
    int64_t taken_back_ms; /* when its owner removed or narrowed that grant; 0: not */
    const char *decision;  /* on this very request, or "" */
    const char *precedent; /* on another one, that decided this one as it came, or "" */
};

struct directory_decision {
    const char *id;
    const char *request;
    bool allow;
    const char *reason;
    int64_t at_ms, until_ms;
    /* what it rests on, and what makes another request equal; as long as the decision */
    const char *service, *class; /* I/C of the consumer */
    size_t purposes;
    const char **purpose;
    struct access_scope scope;
    const char *legal_basis;
    struct access_facts facts; /* as they were then */
};

struct directory_break_glass {
    const char *id;
    const char *service;
    const char *consumer; /* a subsystem */
    const char *purpose;
    const char *reason;
    int64_t at_ms;
    int64_t until_ms; /* as it was set */
    int64_t ended_ms; /* before that; 0: not */
    size_t openers;
    const char **opener; /* operators who approved it */
    const char *review;  /* "": not reviewed yet */
    const char *reviewer;
    int64_t reviewed_ms;
};

/* Lookups; NULL when it is not there. */
const struct directory_calendar *directory_calendar(const struct directory *self);
const struct directory_request *directory_request(const struct directory *self, struct span id);
const struct directory_decision *directory_decision(const struct directory *self, struct span id);
const struct directory_break_glass *directory_break_glass(const struct directory *self,
                                                          struct span id);
/* Walks in no particular order: *step = 0 first, NULL at the end. */
const struct directory_request *directory_next_request(const struct directory *self, size_t *step);
const struct directory_decision *directory_next_decision(const struct directory *self,
                                                         size_t *step);
const struct directory_break_glass *directory_next_break_glass(const struct directory *self,
                                                               size_t *step);

enum standing_state {
    STANDING_SUBMITTED = 1, /* the provider may still answer */
    STANDING_OBJECTED,      /* the provider said no: the arbiter's */
    STANDING_ESCALATED,     /* the provider said nothing, and silence does not open: likewise */
    STANDING_REOPENED,      /* the provider took back what it had granted: likewise */
    STANDING_GRANTED,       /* by a grant of the provider */
    STANDING_SILENT,        /* open: the provider said nothing */
    STANDING_ALLOWED,       /* open by a decision of the arbiter */
    STANDING_DENIED,        /* closed by one */
    STANDING_UNNEEDED,      /* nothing closes the service to the consumer any more */
    STANDING_ENDED,         /* what opened it, or closed it, is over or was taken back */
    STANDINGS_END
};

struct standing {
    enum standing_state state;
    /* Whose turn it is: a member's id, or "arbiter"; "": nobody has to do anything. */
    const char *owner;
    int64_t until_ms; /* the owner's deadline, or the end of what stands; 0: none */
    bool overdue;     /* the deadline of the arbiter is over: silence that everybody sees */
    const char *by;   /* id of the grant, the decision or the precedent; "": none */
};

void access_standing(const struct directory *self, const struct directory_request *request,
                     int64_t at_ms, struct standing *out);
/* "submitted" ... */
const char *access_state_word(enum standing_state state);
/* Waits for somebody. */
bool access_is_open(enum standing_state state);
/* Waits, or opens: nobody asks the same beside it, and what it names stays in the service. */
bool access_still_stands(enum standing_state state);

/* What somebody wants to do, of a service. */
struct access_wanted {
    struct span service, consumer, purpose;
    const char *endpoint; /* its id; "": what no endpoint fits */
    const char *column;   /* NULL: the answer as a whole */
};
/* The request that says most about it: one that opens, else one that denies, else one that waits,
 * the latest among equals. NULL: there is none. */
const struct directory_request *access_request_for(const struct directory *self,
                                                   const struct access_wanted *wanted,
                                                   int64_t at_ms, struct standing *standing);

/* Does a request of this subsystem for this service stand in the register? */
bool access_has_asked(const struct directory *self, struct span service, struct span consumer);

/* Does any restriction close something of these parts of the service to this subsystem then? */
bool access_is_closed(const struct directory *self, struct span service, struct span consumer,
                      const struct access_scope *scope, int64_t at_ms);

/* What was opened in an emergency to this subsystem for this purpose and is open then; the one that
 * ends last. NULL: nothing. */
const struct directory_break_glass *access_break_glass(const struct directory *self,
                                                       struct span service, struct span consumer,
                                                       struct span purpose, int64_t at_ms);
/* When it ended or will end. */
int64_t access_glass_end_ms(const struct directory_break_glass *glass);

#endif
