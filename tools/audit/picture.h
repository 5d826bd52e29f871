// SPDX-License-Identifier: MIT
/*
 * picture - what the rooms of `chaski-audit report` share: one page that shows what verify found
 * and what the logs say, as a bounded picture however long they are.
 *
 *   picture.c           the command: verify, sum up, write the page
 *   picture_sums.c      exchanges, outcomes, who with whom, rules, latencies: counted once each,
 *                       in however many of the logs they stand
 *   picture_gaps.c      what was confirmed late or never; silence
 *   picture_top.c       the verdict, what was checked, what was not proved
 *   picture_findings.c  findings and remarks
 *   picture_evidence.c  where the evidence of a finding lies
 *   picture_time.c      exchanges over time, and each log's confirmation under it
 *   picture_who.c       who asks whom
 *   picture_bars.c      refusals by rule, latencies
 *   picture_withheld.c  columns that answers did not hold, by rule
 *   picture_logs.c      each log, anchors, how to check it alone
 *   page.c              HTML, and the door through which strangers' words go
 *   picture_style.c     how it looks
 *
 * No script, and nothing is fetched: a Content-Security-Policy says so to the browser.
 */
#ifndef TOOLS_AUDIT_PICTURE_H
#define TOOLS_AUDIT_PICTURE_H

#include "tools/audit/page.h"
#include "tools/audit/verify.h"

#define PICTURE_BUCKETS 96   /* columns of time */
#define PICTURE_PARTIES 10   /* at either side of who asks whom; the rest is summed up */
#define PICTURE_PAIRS 40     /* rows of the table beside it */
#define PICTURE_RULES 15     /* the rest is summed up */
#define PICTURE_EACH 20      /* findings of one rule that are shown */
#define PICTURE_RULES_MAX 64 /* different rules of findings */
#define PICTURE_REMARKS 60
#define PICTURE_LATE 8     /* stretches of one log that were confirmed late, and of silence */
#define PICTURE_LOGS 16    /* lanes of the picture; the table has all */
#define PICTURE_DECADES 18 /* columns of latency */

enum outcome { OUTCOME_OK, OUTCOME_REFUSED, OUTCOME_FAILED, OUTCOME_NONE, OUTCOMES };

struct tally {
    uint64_t all;
    uint64_t by[OUTCOMES];
};

struct pair { /* who asked whom */
    const char *caller, *provider;
    struct tally tally;
};

struct reason {       /* why something was refused or failed */
    const char *rule; /* "": the fault names none */
    char outcome[32]; /* the fault's name, or a status */
    enum outcome group;
    uint64_t count;
};

struct held_back {       /* columns that answers of a service do not hold */
    const char *service; /* "": the log does not say */
    const char *columns; /* each with its rule (withheld_text.h) */
    uint64_t count;      /* answers */
};

struct axis { /* of time */
    int64_t from_ms, width_ms;
    size_t buckets;
    uint64_t outside; /* exchanges dated before or after it */
};

/* Own entries in a row that were stamped late, or not at all. */
struct late {
    uint64_t first, last, entries;
    int64_t from_ms, until_ms;
    int64_t wait_ms; /* the longest; 0: never stamped */
};

struct silence {
    uint64_t after; /* entry */
    int64_t from_ms, until_ms;
    bool stopped; /* the node said that it stops */
};

enum lane_state { LANE_EMPTY, LANE_STAMPED, LANE_PENDING, LANE_LATE, LANE_NEVER };

struct lane { /* one log over time */
    uint64_t kinds[HEADER_KINDS_END], unreadable;
    int64_t first_ms, last_ms;
    uint32_t entries[PICTURE_BUCKETS];
    enum lane_state state[PICTURE_BUCKETS];
    uint64_t stamps, unquorate; /* tokens; checkpoints without a quorum */
    int64_t longest_ms;         /* wait for a stamp */
    uint64_t unstamped;         /* own entries that no token covers */
    size_t lates, lates_shown, silences;
    struct late late[PICTURE_LATE];
    struct silence silence[PICTURE_LATE]; /* the longest first */
};

struct shown { /* a finding that is kept for the page */
    char *folder, *what;
    uint64_t entry;
    const char *rule, *meaning;
};

struct rule_count {
    const char *rule;
    uint64_t count;
};

struct picture {
    const struct verify *verify;
    const struct report *report;
    int64_t made_ms;
    struct page *page;
    /* which exchanges are shown */
    int64_t from_ms, until_ms;
    char member[ID_TEXT_BYTES_MAX + 1]; /* "": all */
    /* of verify */
    size_t rules, shown, remarks;
    struct rule_count rule[PICTURE_RULES_MAX];
    uint64_t other_rules; /* findings beyond these */
    struct shown finding[PICTURE_EACH * PICTURE_RULES_MAX];
    struct {
        char *folder, *what;
    } remark[PICTURE_REMARKS];
    /* of the logs */
    struct tally tally; /* requests, and outcomes that have none */
    uint64_t requests, lone;
    struct axis axis;
    struct tally bucket[PICTURE_BUCKETS];
    struct map pairs, reasons; /* -> struct pair, struct reason */
    struct map held_back;      /* -> struct held_back */
    int64_t *latency;          /* ms, sorted */
    size_t latencies;
    uint64_t backwards; /* answers dated before their request */
    struct lane *lane;  /* by log */
};

static inline struct span words_of(const char *text)
{
    return span_of_text(text == NULL ? "" : text);
}

/* The member's name from the directories at hand, or its id. */
struct span picture_name(const struct picture *self, const char *member);

void picture_sum(struct picture *self);
void picture_sums_free(struct picture *self);
/* After picture_sum, which lays the axis. */
void picture_look_for_gaps(struct picture *self);
/* Which column; false: outside. */
bool axis_bucket(const struct axis *self, int64_t time_ms, size_t *out);
/* Marks below a picture whose columns begin at x and are `step` wide. */
void axis_put(struct page *page, const struct axis *self, double x, double step, double y);

void picture_put_top(struct picture *self);
void picture_put_findings(struct picture *self);
/* log: whose finding it is; NULL when it could not be opened. */
void picture_put_evidence(struct picture *self, const struct shown *finding, const struct log *log);
/* Its server, and which epoch when it is not the first. */
void picture_put_whose(struct picture *self, const struct log *log);
void picture_put_time(struct picture *self);
void picture_put_lanes(struct picture *self);
void picture_put_who(struct picture *self);
void picture_put_reasons(struct picture *self);
/* Notes what an answer withheld; `service`: of the request, or of the answer itself. */
void picture_count_withheld(struct picture *self, const struct kept *answer, const char *service);
void picture_put_withheld(struct picture *self);
void picture_put_latency(struct picture *self);
void picture_put_gaps(struct picture *self);
void picture_put_logs(struct picture *self);
void picture_put_foundations(struct picture *self);

extern const char picture_style[];

#endif
