// SPDX-License-Identifier: MIT
/*
 * Epochs of one log against one another: does the record that closed one say what is there, does it
 * name every head that others hold, and what was lost?
 */
#include "tools/audit/verify.h"

#include "lib/base/text.h"

#include <inttypes.h>

static const char rule[] = "epoch";

// --- one log in several epochs ------------------------------------------------------------------

static struct log *first_of(struct log *log)
{
    while (log->before != NULL)
        log = log->before;
    return log;
}

struct log *verify_epoch_of(struct log *log, unsigned epoch)
{
    for (struct log *at = first_of(log); at != NULL; at = at->later)
        if (at->view->epoch == epoch)
            return at;
    return NULL;
}

const struct log *verify_find_leaf(const struct log *log, const struct sha256 *leaf_hash,
                                   uint64_t *index)
{
    while (log->before != NULL)
        log = log->before;
    for (; log != NULL; log = log->later) {
        uintptr_t at = (uintptr_t)map_get(&log->by_hash, sha256_span(leaf_hash));
        if (at == 0)
            continue;
        if (index != NULL)
            *index = at - 1;
        return log;
    }
    return NULL;
}

bool verify_is_lost(const struct log *log, const struct kept *kept)
{
    return log->later != NULL && kept->log_size >= log->count;
}

// --- what is left of it -------------------------------------------------------------------------

/* How far the record that closed the epoch vouches for what is here: by what was left then, and by
 * heads that others held. */
static uint64_t vouched(const struct log *before, const struct epoch_closed *closed)
{
    uint64_t size = closed->size;
    for (size_t i = 0; i < closed->heads; i++) {
        const struct epoch_head *head = &closed->head[i];
        if (head->epoch == before->view->epoch && head->size > size &&
            head->size <= before->count && verify_root_is(before, head->size, &head->root))
            size = head->size;
    }
    return size;
}

/* A node never writes into a closed epoch. Its operator may put back what was found again; that is
 * proved by a head of that time, and without one it may have been made up since. */
static void check_more(struct verify *self, struct log *before, const struct epoch_closed *closed)
{
    uint64_t known = vouched(before, closed);
    if (before->count > known)
        FIND(self, before, known, rule,
             "They may have been written after it was closed. (Its last seconds, put back, look "
             "like that too: then another party's log or a witness holds a head beyond them.)",
             "%" PRIu64 " entries are here, %" PRIu64
             " were left when it was closed, and nobody that was asked then knew of more than "
             "%" PRIu64,
             before->count, closed->size, known);
    else if (before->count > closed->size)
        REMARK(self, before,
               "%" PRIu64 " entries are here that were missing when it was closed: they were put "
               "back later, and are those of which others held a head",
               before->count - closed->size);
}

static void check_left(struct verify *self, struct log *log, const struct epoch_closed *closed)
{
    struct log *before = log->before;
    if (closed->epoch != before->view->epoch)
        FIND(self, log, 0, rule, "It says nothing of the epoch before.",
             "it closes epoch %u, and the one before this is %u", closed->epoch,
             before->view->epoch);
    else if (before->count < closed->size)
        FIND(self, before, REPORT_WHOLE, rule,
             "More of it was removed after it was closed, or not all of it was copied.",
             "%" PRIu64 " entries are here, and %" PRIu64 " were left when it was closed",
             before->count, closed->size);
    else if (!verify_root_is(before, closed->size, &closed->root))
        FIND(self, before, REPORT_WHOLE, rule, "It was altered after it was closed.",
             "the root over %" PRIu64 " entries is not the one that closed it", closed->size);
    else
        check_more(self, before, closed);
}

// --- what others know ---------------------------------------------------------------------------

bool verify_beyond(struct log *log, uint64_t size, const char *file)
{
    if (log->later == NULL || size <= log->count)
        return false;
    if (size > log->beyond) {
        log->beyond = size;
        text_format(log->beyond_by, sizeof log->beyond_by, "%s", file);
    }
    return true;
}

/* The largest head of the closed epoch that anybody holds. */
struct known {
    uint64_t size;
    const char *by;
    uint64_t listed;       /* the largest that the record names */
    uint64_t others;       /* entries of the lost part that other logs given hold */
    const struct log *log; /* holds a head that the record does not name, in this entry */
    uint64_t index, unlisted;
};

/* A head that fits is a beginning of what is here; one beyond the end says that more was. */
static void take_listed(struct verify *self, struct log *log, const struct epoch_head *head,
                        struct known *out)
{
    struct log *before = log->before;
    if (head->epoch != before->view->epoch)
        return;
    if (head->size <= before->count && !verify_root_is(before, head->size, &head->root))
        FIND(self, log, 0, "one history",
             "The epoch was closed over a fork: others hold another history than the one here.",
             "it names a head of %" PRIu64 " entries of epoch %u, held by %s, with another root",
             head->size, head->epoch, head->by);
    if (head->size > out->listed)
        out->listed = head->size;
    if (head->size > out->size)
        out->size = head->size, out->by = head->by;
}

static void take_held(const struct log *holder, const struct log *before, struct known *out)
{
    const char *server = before->view->server;
    for (uint64_t i = 0; i < holder->count; i++) {
        const struct kept *kept = &holder->entry[i];
        if (kept->kind == 0 || strcmp(kept->sender_server, server) != 0 ||
            kept->log_epoch != before->view->epoch)
            continue;
        bool gone = verify_find_leaf(before, &kept->leaf_hash, NULL) == NULL;
        uint64_t least = kept->log_size + gone; /* it stood behind the head that it names */
        out->others += gone && kept->log_size >= before->count;
        if (kept->log_size > out->listed && kept->log_size > out->unlisted)
            out->log = holder, out->index = i, out->unlisted = kept->log_size;
        if (least > out->size)
            out->size = least, out->by = holder->view->server;
    }
}

static struct known find_known(struct verify *self, struct log *log,
                               const struct epoch_closed *closed)
{
    struct known known = {.by = "nobody"};
    for (size_t i = 0; closed != NULL && i < closed->heads; i++)
        take_listed(self, log, &closed->head[i], &known);
    for (size_t i = 0; i < self->logs; i++)
        if (self->log[i].view != NULL && strcmp(self->log[i].view->server, log->view->server) != 0)
            take_held(&self->log[i], log->before, &known);
    if (log->before->beyond > known.size)
        known.size = log->before->beyond, known.by = log->before->beyond_by;
    return known;
}

static const char *reason_of(const struct log *log)
{
    if (log->closed == NULL)
        return "none";
    if (log->reason == NULL)
        return log->first > 0 ? "pruned" : "sealed";
    return log->reason;
}

/* closed: NULL when nothing says what became of it; what others hold counts all the same. */
static void check_known(struct verify *self, struct log *log, const struct epoch_closed *closed)
{
    struct log *before = log->before;
    struct known known = find_known(self, log, closed);
    if (closed != NULL && known.unlisted > before->count)
        FIND(self, known.log, known.index, "lost tail",
             "Whoever closed the epoch did not name this head: it was not asked for, or concealed.",
             "it embeds a head of %" PRIu64
             " entries of epoch %u of %s, and the record that closed "
             "that epoch names none beyond %" PRIu64,
             known.unlisted, before->view->epoch, log->view->server, known.listed);
    if (known.size > before->count) {
        before->lost = known.size - before->count;
        FIND(self, before, REPORT_WHOLE, "lost tail",
             "The end of this epoch was lost, or removed: what stood in it is known to the other "
             "parties only.",
             "it was closed with %" PRIu64 " entries, and by what %s holds it had %" PRIu64
             ": entries %" PRIu64 " to %" PRIu64 " at least are missing; %" PRIu64
             " records that this server signed among them are in the other logs given; reason "
             "stated: %s",
             before->count, known.by, known.size, before->count, known.size - 1, known.others,
             reason_of(log));
    } else if (closed != NULL) {
        REMARK(self, before,
               "it was closed, and epoch %u begun, though nobody knows of more than is here "
               "(%" PRIu32 " of %" PRIu32 " others answered); reason stated: %s",
               log->view->epoch, closed->answered, closed->asked, reason_of(log));
    }
}

static void find_silence(struct verify *self, struct log *log)
{
    if (log->first > 0)
        FIND(self, log, 0, rule,
             "What became of the epoch before was removed: a prune keeps that record.",
             "its first record was pruned, and first.leaf does not hold it: what became of epoch "
             "%u nobody says",
             log->before->view->epoch);
    else
        FIND(self, log, 0, rule,
             "Nobody answers for the end of the epoch before: a log was begun anew in silence.",
             "its first record does not say what became of epoch %u", log->before->view->epoch);
}

/* What its node wrote beside the epochs when it began the newest one. */
static void check_marker(struct verify *self, const struct log *newest)
{
    unsigned marked = 0;
    fault f = log_epoch_marked(newest->view->folder, &marked);
    if (failed(f))
        FIND(self, newest, REPORT_WHOLE, rule, "No node writes that: it was altered or damaged.",
             "%s", fault_detail());
    else if (marked > newest->view->epoch)
        FIND(self, newest, REPORT_WHOLE, rule,
             "A whole later epoch was removed, or not copied (or it began in the middle of the "
             "copying: then copy again).",
             "log/epoch says that the newest epoch is %u, and the newest here is %u", marked,
             newest->view->epoch);
}

void verify_epoch(struct verify *self, struct log *log)
{
    if (log->view == NULL)
        return;
    if (log->later == NULL)
        check_marker(self, log);
    if (log->before == NULL)
        return;
    const struct epoch_closed *closed = log->closed == NULL ? NULL : header_of(log->closed)->closed;
    if (closed != NULL)
        check_left(self, log, closed);
    else
        find_silence(self, log);
    check_known(self, log, closed);
}
