// SPDX-License-Identifier: MIT
/*
 * How far others confirmed a log: a quorum of its witnesses, a time stamp authority. What the
 * directory asks for must be there, but for the end: what was written last waits for its turn.
 *
 * How old the end is, the log says itself: for how long its node ran on after the first entry that
 * nobody confirmed, counted from where the directory asked for it. While a node is stopped nothing
 * is due. Of a log of which nothing at all was confirmed the time of the audit is taken: it may be
 * too short for its own entries to tell.
 */
#include "tools/audit/verify.h"

#include "lib/base/clock.h"

#include <inttypes.h>

/* Who confirms, and what is to be said when they did not. */
struct confirmers {
    const char *rule, *meaning;
    const char *who;  /* "a quorum of its witnesses" */
    int64_t since_ms; /* the directory asks for them; 0: it names nobody */
    uint64_t covered; /* entries */
};

/* A node with nothing to do leaves its own record of the last stamp to the next hour. */
static bool waits(const struct log *log, const struct kept *kept)
{
    return kept_is_own(log, kept) && kept->kind != HEADER_STAMPED;
}

/* From the first own entry that waits, or since_ms if that is later, without the time between runs.
 */
static int64_t ran_on_ms(const struct log *log, uint64_t covered, int64_t since_ms)
{
    int64_t ran_ms = 0, at_ms = 0;
    for (uint64_t i = covered; i < log->count; i++) {
        const struct kept *kept = &log->entry[i];
        if (!kept_is_own(log, kept) || (at_ms == 0 && !waits(log, kept)))
            continue;
        if (at_ms == 0)
            at_ms = kept->time_ms > since_ms ? kept->time_ms : since_ms;
        if (kept->time_ms <= at_ms)
            continue;
        if (kept->kind != HEADER_STARTED)
            ran_ms += kept->time_ms - at_ms;
        at_ms = kept->time_ms;
    }
    return ran_ms;
}

static uint64_t waiting(const struct log *log, uint64_t covered)
{
    uint64_t count = 0;
    for (uint64_t i = covered; i < log->count; i++)
        count += waits(log, &log->entry[i]);
    return count;
}

static int64_t first_own_ms(const struct log *log)
{
    for (uint64_t i = log->first; i < log->count; i++)
        if (kept_is_own(log, &log->entry[i]))
            return log->entry[i].time_ms;
    return 0;
}

/* Asked for from its first entry on, none of it confirmed, and long over. */
static bool was_never_confirmed(const struct log *log, const struct confirmers *by)
{
    return by->covered == 0 && by->since_ms <= first_own_ms(log) &&
           clock_wall_ms() - log->own_ms > WITNESS_ALARM_MS_DEFAULT;
}

static void check(struct verify *self, struct log *log, const struct confirmers *by)
{
    uint64_t left = waiting(log, by->covered);
    int64_t ran_ms = ran_on_ms(log, by->covered, by->since_ms);
    if (left == 0)
        return;
    if (ran_ms > WITNESS_ALARM_MS_DEFAULT)
        FIND(self, log, REPORT_WHOLE, by->rule, by->meaning,
             "%s confirmed the first %" PRIu64 " entries only; the node ran on for %" PRId64
             " minutes, which is longer than the %d in which the others are due",
             by->who, by->covered, ran_ms / 60000, WITNESS_ALARM_MS_DEFAULT / 60000);
    else if (was_never_confirmed(log, by))
        FIND(self, log, REPORT_WHOLE, by->rule, by->meaning,
             "nothing of it was confirmed by %s, which the directory asks for since before its "
             "first entry",
             by->who);
    else
        REMARK(self, log,
               "%" PRIu64
               " own entr%s at the end: not confirmed by %s (due within %d minutes, and the "
               "log ends before that)",
               left, left == 1 ? "y" : "ies", by->who, WITNESS_ALARM_MS_DEFAULT / 60000);
}

/* Checkpoints of the history whose witnesses were others then, or too few. */
static void remark_unquorate(struct verify *self, struct log *log)
{
    uint64_t count = 0, newest = 0;
    for (size_t i = 0; i < log->confirmations; i++)
        if (log->confirmed[i].good < log->confirmed[i].quorum)
            count++, newest = log->confirmed[i].size;
    if (count > 0)
        REMARK(self, log,
               "%" PRIu64 " of %zu kept checkpoints, the newest of %" PRIu64
               " entries, carry no quorum of the witnesses of today",
               count, log->confirmations, newest);
}

static uint64_t stamped(const struct log *log)
{
    uint64_t size = 0;
    for (size_t i = 0; i < log->confirmations; i++)
        if (log->confirmed[i].stamp_ms != 0)
            size = log->confirmed[i].size;
    return size;
}

void verify_cover(struct verify *self, struct log *log)
{
    const struct directory_server *server =
        directory_server(self->judge, span_of_text(log->view->server));
    struct confirmers witnesses = {
        .rule = "cosignature",
        .meaning = "Nobody but its own server vouches for what stands there: it may have been "
                   "written anew, or what witnesses signed was taken away.",
        .who = "a quorum of its witnesses",
        .since_ms = server == NULL ? 0 : history_witnessed_ms(self->history, server),
        .covered = log->quorate};
    log->stamped = stamped(log);
    log->witnessed = witnesses.since_ms != 0;
    struct confirmers stampers = {
        .rule = "time stamp",
        .meaning = "Nobody but its own server says when this was written: it may have been written "
                   "later, or the time stamps were taken away.",
        .who = "a time stamp authority",
        .since_ms = history_stampers_ms(self->history),
        .covered = log->stamped};
    if (witnesses.since_ms == 0)
        REMARK(self, log,
               "the directory assigns no witnesses to this log: that it shows everybody the same "
               "is its own server's word, and its peers'");
    else
        check(self, log, &witnesses);
    if (stampers.since_ms == 0)
        REMARK(self, log,
               "the directory names no time stamp authority: when something was written is its "
               "own server's word");
    else
        check(self, log, &stampers);
    remark_unquorate(self, log);
}
