// SPDX-License-Identifier: MIT
/*
 * Copies of different ages. What the others know of beyond the end of a copy is told in one finding
 * about it: an honest log that was copied earlier and one whose end was cut off look alike.
 *
 * What stands beyond the end the log's own server says, in what it signed: it takes its head as it
 * signs, and its entries stand in the order in which it signed. No clock of another is asked, nor
 * that of the audit. A log that goes on after what is missing is no older copy.
 *
 * With --as-of what is dated later counts for nothing against a log that reaches that moment: by an
 * own entry dated then or later, under a head for which others answer. Its own word would not do:
 * whoever cuts a log can sign one more record.
 */
#include "tools/audit/verify.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "tools/audit/search_arguments.h"

#include <inttypes.h>

#define TIME_BYTES 48

static const char meaning[] =
    "It is an older copy than the others, or its end was cut off: the folders alone do not tell. "
    "Copy it again (an honest log then holds these), or give --as-of a moment before it was "
    "copied; ask its witnesses for the newest head.";

fault verify_as_of(struct verify *self)
{
    int64_t first_ms = 0;
    self->as_of_ms = INT64_MAX;
    if (self->arguments->as_of == NULL)
        return DONE;
    TRY(search_time_read(self->arguments->as_of, &first_ms, &self->as_of_ms));
    report_remark(
        self->report, NULL,
        "the logs are held against one another up to %s (--as-of); what is dated later is "
        "checked in its own log only",
        self->arguments->as_of);
    return DONE;
}

bool verify_is_later(const struct verify *self, const struct kept *kept)
{
    return kept->time_ms > self->as_of_ms;
}

static struct log *newest_of(struct log *log)
{
    while (log->later != NULL)
        log = log->later;
    return log;
}

static bool is_of_newest(const struct log *newest, const struct kept *kept)
{
    return strcmp(kept->sender_server, newest->view->server) == 0 &&
           kept->log_epoch == newest->view->epoch;
}

// --- does it reach the moment? ------------------------------------------------------------------

/* What stands in the holder's log behind a head beyond the end answers for nothing: a log that was
 * cut since may have handed out its new heads. */
static uint64_t vouched_by(const struct log *holder, const struct log *log)
{
    uint64_t size = 0;
    for (uint64_t i = 0; i < holder->count; i++) {
        const struct kept *kept = &holder->entry[i];
        if (kept->kind == 0 || !is_of_newest(log, kept))
            continue;
        if (kept->log_size > log->count)
            break;
        if (kept->log_size > size && verify_root_is(log, kept->log_size, &kept->log_root))
            size = kept->log_size;
    }
    return size;
}

/* Entries for which others answer: its witnesses, or, when it has none, the other logs given. */
static uint64_t vouched(const struct verify *self, const struct log *log)
{
    uint64_t size = log->quorate;
    for (size_t i = 0; i < self->logs && !log->witnessed; i++) {
        const struct log *holder = &self->log[i];
        if (holder->view == NULL || strcmp(holder->view->server, log->view->server) == 0)
            continue;
        uint64_t by = vouched_by(holder, log);
        if (by > size)
            size = by;
    }
    return size;
}

bool verify_reaches(const struct verify *self, struct log *log)
{
    if (self->as_of_ms == INT64_MAX)
        return false;
    if (log->reaches == REACH_UNKNOWN) {
        uint64_t size = vouched(self, log);
        log->reaches = REACH_SHORT;
        for (uint64_t i = log->first; i < size && log->reaches == REACH_SHORT; i++)
            if (kept_is_own(log, &log->entry[i]) && log->entry[i].time_ms >= self->as_of_ms)
                log->reaches = REACH_FAR;
    }
    return log->reaches == REACH_FAR;
}

// --- what stands beyond its end -----------------------------------------------------------------

void verify_note_head(const struct verify *self, struct log *log, const struct kept *kept,
                      const struct log *holder)
{
    struct beyond *beyond = &log->beyond_end;
    if (verify_is_later(self, kept) && verify_reaches(self, log)) {
        beyond->later++;
        return;
    }
    if (kept->log_size <= beyond->size)
        return;
    beyond->size = kept->log_size;
    beyond->holder = holder;
    beyond->index = kept->index;
}

bool verify_is_after_all(const struct verify *self, struct log *log, const struct kept *kept)
{
    struct log *newest = newest_of(log);
    if (kept->log_epoch <= newest->view->epoch || !verify_is_later(self, kept) ||
        !verify_reaches(self, newest))
        return false;
    newest->beyond_end.later++;
    return true;
}

static void note_entry(struct log *newest, const struct kept *kept)
{
    struct beyond *beyond = &newest->beyond_end;
    beyond->entries++;
    if (kept->time_ms > beyond->newest_ms)
        beyond->newest_ms = kept->time_ms;
}

bool verify_is_beyond(struct log *log, const struct kept *kept)
{
    struct log *newest = newest_of(log);
    if (!is_of_newest(newest, kept) || kept->log_size < newest->own_size ||
        kept->time_ms < newest->own_ms)
        return false;
    note_entry(newest, kept);
    return true;
}

bool verify_is_answered_beyond(struct log *log, const struct kept *request,
                               const struct kept *answer)
{
    struct log *newest = newest_of(log);
    if (!is_of_newest(newest, answer) || answer->log_size <= newest->count ||
        answer->time_ms < newest->own_ms)
        return false;
    note_entry(newest, request);
    return true;
}

// --- telling ------------------------------------------------------------------------------------

static void find(struct verify *self, const struct log *log)
{
    const struct beyond *beyond = &log->beyond_end;
    char last[TIME_BYTES], newest[TIME_BYTES] = "", head[800] = "";
    clock_text(log->own_ms, last, sizeof last);
    if (beyond->entries > 0) {
        strcpy(newest, ", the newest of ");
        clock_text(beyond->newest_ms, newest + strlen(newest), sizeof newest - strlen(newest));
    }
    if (beyond->size > 0)
        text_format(head, sizeof head,
                    "; the largest head that it signed is of %" PRIu64 " entries (entry %" PRIu64
                    " of %s)",
                    beyond->size, beyond->index, beyond->holder->view->name);
    FIND(self, log, REPORT_WHOLE, "older copy", meaning,
         "it ends after %" PRIu64 " entries, its own last one of %s; the other logs hold %" PRIu64
         " records from beyond that end%s%s",
         log->count, last, beyond->entries, newest, head);
}

static void remark(struct verify *self, struct log *log)
{
    char last[TIME_BYTES];
    clock_text(log->own_ms, last, sizeof last);
    if (!verify_reaches(self, log))
        REMARK(self, log,
               "nobody but its own server says that it reaches the moment of --as-of: its own last "
               "entry is of %s, and %" PRIu64 " of %" PRIu64
               " entries stand under a head for which "
               "others answer",
               last, vouched(self, log), log->count);
    else if (log->beyond_end.later > 0)
        REMARK(self, log,
               "the others hold %" PRIu64 " later heads of it, which were not looked at (--as-of)",
               log->beyond_end.later);
}

void verify_older(struct verify *self)
{
    for (size_t i = 0; i < self->logs; i++) {
        struct log *log = &self->log[i];
        if (log->view == NULL || log->later != NULL)
            continue;
        if (log->beyond_end.entries > 0 || log->beyond_end.size > 0)
            find(self, log);
        if (self->as_of_ms != INT64_MAX)
            remark(self, log);
    }
}
