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

static void check_left(struct verify *self, struct log *log, const struct epoch_closed *closed)
{
    struct log *before = log->before;
    if (before->count < closed->size)
        FIND(self, before, REPORT_WHOLE, rule,
             "More of it was removed after it was closed, or not all of it was copied.",
             "%" PRIu64 " entries are here, and %" PRIu64 " were left when it was closed",
             before->count, closed->size);
    else if (!sha256_equal(&before->root[closed->size], &closed->root))
        FIND(self, before, REPORT_WHOLE, rule, "It was altered after it was closed.",
             "the root over %" PRIu64 " entries is not the one that closed it", closed->size);
    else if (before->count > closed->size)
        REMARK(self, before,
               "%" PRIu64 " entries are here that were missing when it was closed: they were put "
               "back later",
               before->count - closed->size);
}

// --- what others know ---------------------------------------------------------------------------

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
    if (head->size <= before->count && !sha256_equal(&before->root[head->size], &head->root))
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
    for (size_t i = 0; i < closed->heads; i++)
        take_listed(self, log, &closed->head[i], &known);
    for (size_t i = 0; i < self->logs; i++)
        if (self->log[i].view != NULL && strcmp(self->log[i].view->server, log->view->server) != 0)
            take_held(&self->log[i], log->before, &known);
    return known;
}

static void check_known(struct verify *self, struct log *log, const struct epoch_closed *closed)
{
    struct log *before = log->before;
    struct known known = find_known(self, log, closed);
    const char *reason = log->reason == NULL ? "sealed" : log->reason;
    if (known.unlisted > before->count)
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
             reason);
        return;
    }
    REMARK(self, before,
           "it was closed, and epoch %u begun, though nobody knows of more than is here (%" PRIu32
           " of %" PRIu32 " others answered); reason stated: %s",
           log->view->epoch, closed->answered, closed->asked, reason);
}

void verify_epoch(struct verify *self, struct log *log)
{
    if (log->view == NULL || log->before == NULL || log->count == 0)
        return;
    if (log->closed == NULL && log->first > 0) {
        REMARK(self, log, "what became of epoch %u was said in a record that was pruned",
               log->before->view->epoch);
        return;
    }
    if (log->closed == NULL) {
        FIND(self, log, 0, rule,
             "Nobody answers for the end of the epoch before: a log was begun anew in silence.",
             "its first record does not say what became of epoch %u", log->before->view->epoch);
        return;
    }
    check_left(self, log, header_of(log->closed)->closed);
    check_known(self, log, header_of(log->closed)->closed);
}
