// SPDX-License-Identifier: MIT
/* The entries of one log against one another: heads, order, outcomes, its end. */
#include "tools/audit/verify.h"

#include "lib/base/text.h"
#include "tools/audit/wal_tail.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

/* A running node's checkpoint may be older than its last record by this much, not by more. */
#define CHECKPOINT_REACH_MS 60000
#define LISTED_MAX 5

static const char cut[] = "The end of the log is missing, or what vouches for it was taken away.";

// --- heads --------------------------------------------------------------------------------------

/* Every header that this log's own server signed carries a head of this log. */
void verify_head(struct verify *self, const struct log *log, const struct kept *kept,
                 const struct log *holder)
{
    if (kept->log_size > log->count)
        FIND(self, holder, kept->index, "append only",
             "The log of the signer was cut: its end is missing.",
             "it embeds a head of %" PRIu64 " entries of %s, which has %" PRIu64, kept->log_size,
             log->view->server, log->count);
    else if (!verify_root_is(log, kept->log_size, &kept->log_root))
        FIND(self, holder, kept->index, "append only",
             "An entry of the signer's log was removed, exchanged or moved afterwards.",
             "it embeds a head of %" PRIu64 " entries of %s with another root", kept->log_size,
             log->view->server);
    else if (log == holder && kept->log_size > kept->index)
        FIND(self, holder, kept->index, "append only", "The order of the log was changed.",
             "it embeds a head that includes itself");
}

/* A server takes its head as it signs, and its entries stand in the order in which it signed. */
static void check_own_heads(struct verify *self, struct log *log)
{
    for (uint64_t i = 0; i < log->count; i++) {
        const struct kept *kept = &log->entry[i];
        if (!kept_is_own(log, kept))
            continue;
        if (kept->log_epoch == log->view->epoch)
            verify_head(self, log, kept, log);
        else
            FIND(self, log, i, "append only", "The entry was put into another log than its own.",
                 "it embeds a head of epoch %u of this log", kept->log_epoch);
        if (kept->again) /* an exchange with itself: the second record comes later */
            continue;
        if (kept->log_size < log->own_size)
            FIND(self, log, i, "append only", "The order of the log was changed.",
                 "it embeds a head of %" PRIu64 " entries, and entry %" PRIu64
                 " before it one of %" PRIu64,
                 kept->log_size, log->own_index, log->own_size);
        else
            log->own_size = kept->log_size, log->own_index = i;
    }
}

static void note_peer_head(struct log *log, const struct kept *kept)
{
    struct span name = span_of_text(kept->sender_server);
    struct peer_head *head = map_get(&log->heads, name);
    if (head == NULL) {
        head = owned_new(sizeof *head);
        head->server = kept->sender_server;
        map_set(&log->heads, name, head);
    }
    if (kept->log_epoch < head->epoch ||
        (kept->log_epoch == head->epoch && kept->log_size <= head->size))
        return;
    head->epoch = kept->log_epoch;
    head->size = kept->log_size;
    head->root = kept->log_root;
    head->index = kept->index;
}

static void note_peer_heads(struct log *log)
{
    for (uint64_t i = 0; i < log->count; i++)
        if (log->entry[i].kind != 0 && log->entry[i].log_size > 0 &&
            !kept_is_own(log, &log->entry[i]))
            note_peer_head(log, &log->entry[i]);
}

// --- order and outcomes -------------------------------------------------------------------------

/* In an exchange of a server with itself, consumer and provider keep the same leaf. */
static void check_repeats(struct verify *self, struct log *log)
{
    struct map seen_again = {0};
    for (uint64_t i = 0; i < log->count; i++) {
        const struct kept *kept = &log->entry[i];
        if (!kept->again)
            continue;
        bool with_itself = kept->kind != 0 && kept->kind < HEADER_STARTED &&
                           strcmp(kept->sender_server, kept->receiver_server) == 0;
        bool third = map_set(&seen_again, sha256_span(&kept->leaf_hash), log) != NULL;
        if (with_itself && !third)
            continue;
        FIND(self, log, i, "each entry once", "A record was copied within the log.",
             "it is entry %" PRIu64 " again",
             (uint64_t)(uintptr_t)map_get(&log->by_hash, sha256_span(&kept->leaf_hash)) - 1);
    }
    map_clear(&seen_again);
}

static bool is_outcome(const struct kept *kept)
{
    return (kept->kind == HEADER_RESPONSE || kept->kind == HEADER_FAULT) && !kept->again;
}

static bool stands_before(const struct log *log, const struct sha256 *leaf_hash)
{
    for (const struct log *at = log->before; at != NULL; at = at->before)
        if (map_get(&at->by_hash, sha256_span(leaf_hash)) != NULL)
            return true;
    return false;
}

/* What an earlier epoch has answered must not be answered again. */
static void note_responses(const struct log *log, struct map *outcomes)
{
    for (uint64_t i = 0; i < log->count; i++)
        if (is_outcome(&log->entry[i]) && log->entry[i].kind == HEADER_RESPONSE &&
            log->entry[i].has_reply_to)
            map_set(outcomes, sha256_span(&log->entry[i].reply_to), (void *)(uintptr_t)(i + 1));
}

static void check_replies(struct verify *self, struct log *log)
{
    struct map outcomes = {0};
    for (const struct log *before = log->before; before != NULL; before = before->before)
        note_responses(before, &outcomes);
    for (uint64_t i = 0; i < log->count; i++) {
        const struct kept *kept = &log->entry[i];
        if (!is_outcome(kept) || !kept->has_reply_to)
            continue;
        struct span request = sha256_span(&kept->reply_to);
        uintptr_t at = (uintptr_t)map_get(&log->by_hash, request);
        bool earlier = at == 0 && stands_before(log, &kept->reply_to);
        if (at == 0 && !earlier && kept->fault != REPLAYED)
            FIND(self, log, i, "request precedes answer",
                 "An answer without its request: the request was removed, or never recorded.",
                 "the request that it answers is not in this log");
        else if (at > i)
            FIND(self, log, i, "request precedes answer", "The order of the log was changed.",
                 "the request that it answers comes after it");
        if (kept->kind == HEADER_RESPONSE &&
            map_set(&outcomes, request, (void *)(uintptr_t)(i + 1)) != NULL)
            FIND(self, log, i, "nothing runs twice", "One request was executed and answered twice.",
                 "a second response to the same request");
    }
    map_clear(&outcomes);
}

/* A refusal of a request that could not be verified names no leaf, only the exchange. */
static void note_outcomes(const struct log *log, struct map *by_request, struct map *by_exchange)
{
    for (uint64_t i = 0; i < log->count; i++) {
        const struct kept *kept = &log->entry[i];
        if (!is_outcome(kept))
            continue;
        if (kept->has_reply_to)
            map_set(by_request, sha256_span(&kept->reply_to), &log->entry[i]);
        else
            map_set(by_exchange, span_of(kept->exchange_id, EXCHANGE_ID_BYTES), &log->entry[i]);
    }
}

static bool has_outcome(const struct kept *request, const struct map *by_request,
                        const struct map *by_exchange)
{
    if (map_get(by_request, sha256_span(&request->leaf_hash)) != NULL)
        return true;
    const struct kept *refusal =
        map_get(by_exchange, span_of(request->exchange_id, EXCHANGE_ID_BYTES));
    return refusal != NULL && strcmp(refusal->receiver_server, request->sender_server) == 0;
}

static void remark_open_requests(struct verify *self, struct log *log)
{
    struct map by_request = {0}, by_exchange = {0};
    char list[LISTED_MAX * 24] = "";
    uint64_t open = 0;
    for (const struct log *at = log; at != NULL; at = at->later)
        note_outcomes(at, &by_request, &by_exchange);
    for (uint64_t i = 0; i < log->count; i++) {
        const struct kept *kept = &log->entry[i];
        if (kept->kind != HEADER_REQUEST || kept->again ||
            has_outcome(kept, &by_request, &by_exchange))
            continue;
        size_t used = strlen(list);
        if (open < LISTED_MAX)
            text_format(list + used, sizeof list - used, "%s%" PRIu64, open == 0 ? "" : ", ", i);
        open++;
    }
    map_clear(&by_request);
    map_clear(&by_exchange);
    if (open > 0)
        REMARK(self, log,
               "%" PRIu64 " request%s without an outcome: entr%s %s%s (under way when the copy was "
               "made, or what became of it was left out)",
               open, open == 1 ? "" : "s", open == 1 ? "y" : "ies", list,
               open > LISTED_MAX ? ", ..." : "");
}

// --- its end ------------------------------------------------------------------------------------

static void check_root(struct verify *self, struct log *log)
{
    if (verify_beyond(log, log->promised.size, "promise"))
        return;
    if (log->promised.size > log->count)
        FIND(self, log, REPORT_WHOLE, "checkpoint", cut,
             "the checkpoint promises %" PRIu64 " entries, the log has %" PRIu64,
             log->promised.size, log->count);
    else if (!verify_root_is(log, log->promised.size, &log->promised.root))
        FIND(self, log, REPORT_WHOLE, "checkpoint", "An entry was altered, removed or moved.",
             "the root over %" PRIu64 " entries is not the one in the checkpoint",
             log->promised.size);
}

/* How long the node has run on without a checkpoint, by its own entries. A node that died before
 * one could be signed begins anew with STARTED. */
static int64_t without_checkpoint_ms(const struct log *log)
{
    int64_t first_ms = 0, last_ms = 0;
    for (uint64_t i = log->promised.size; i < log->count; i++) {
        const struct kept *kept = &log->entry[i];
        if (!kept_is_own(log, kept))
            continue;
        if (first_ms == 0 || kept->kind == HEADER_STARTED)
            first_ms = last_ms = kept->time_ms;
        if (kept->time_ms > last_ms)
            last_ms = kept->time_ms;
    }
    return last_ms - first_ms;
}

static void check_reach(struct verify *self, struct log *log)
{
    if (log->promised.size >= log->count)
        return;
    log->uncovered = log->count - log->promised.size;
    int64_t ran_ms = without_checkpoint_ms(log);
    if (ran_ms > CHECKPOINT_REACH_MS)
        FIND(self, log, REPORT_WHOLE, "checkpoint", cut,
             "the log runs on for %" PRId64 " s after its checkpoint; a node signs one each minute",
             ran_ms / 1000);
    else
        REMARK(self, log,
               "%" PRIu64 " entr%s at the end that no checkpoint covers yet: if more followed and "
               "were cut off, only a peer's log can tell",
               log->uncovered, log->uncovered == 1 ? "y" : "ies");
}

static void check_checkpoint(struct verify *self, struct log *log)
{
    if (log->promise_bad) {
        FIND(self, log, REPORT_WHOLE, "checkpoint", "The head of the log cannot be relied on.",
             "the checkpoint is not signed by the log's key");
    } else if (log->promised.size == 0) {
        log->uncovered = log->count;
        FIND(self, log, REPORT_WHOLE, "checkpoint", cut,
             "there is no checkpoint: nothing says how long this log is (a node signs its first "
             "one within a minute)");
    } else {
        check_root(self, log);
        check_reach(self, log);
    }
}

static void check_ends(struct verify *self, struct log *log)
{
    if (log->count == 0) {
        FIND(self, log, REPORT_WHOLE, "whole log", "All of the log is missing.",
             "the log is empty: a node writes a first record before it takes the first request");
        return;
    }
    const struct kept *last = &log->entry[log->count - 1];
    if (log->entry[0].kind != HEADER_STARTED && log->view->epoch == 1 && log->first == 0)
        FIND(self, log, 0, "whole log", "The beginning of the log is missing.",
             "its first record does not say that the node started");
    if (last->kind != HEADER_STOPPED)
        REMARK(self, log,
               "its last record is a %s, no stop: the node ran on when the copy was made, or "
               "died, or what followed was cut off",
               last->kind == 0 ? "thing that cannot be read" : header_kind_word(last->kind));
}

/* What a running node is writing at the moment may be seen out of order; a moment later it is
 * whole. */
static fault look_at_tail(const char *folder, struct wal_tail *out)
{
    TRY(wal_tail_look(folder, out));
    for (int again = 0; out->hides && again < 3; again++) {
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
        TRY(wal_tail_look(folder, out));
    }
    return DONE;
}

static void check_tail(struct verify *self, struct log *log)
{
    char path[600];
    struct wal_tail tail = {0};
    audit_log_path(log->view->folder, log->view->epoch, "wal", path, sizeof path);
    if (failed(look_at_tail(path, &tail)))
        FIND(self, log, REPORT_WHOLE, "whole log", "The last segment could not be looked at.", "%s",
             fault_detail());
    else if (tail.hides)
        FIND(self, log, REPORT_WHOLE, "whole log",
             "A record was broken so that the log seems to end before the ones behind it (or the "
             "copy was made in the middle of a write: then copy again).",
             "after its last whole record stand %" PRIu64
             " bytes, and in them a whole record with number %" PRIu64,
             tail.torn_bytes, tail.index);
    else if (tail.poses)
        FIND(self, log, REPORT_WHOLE, "whole log",
             "No torn write looks like that: somebody made it up, to hide something or to keep the "
             "auditor busy.",
             "after its last whole record stand %" PRIu64
             " bytes that pose as records and are none; not all of them were looked through",
             tail.torn_bytes);
    else if (tail.torn_bytes > 0)
        REMARK(self, log,
               "%" PRIu64 " bytes after its last whole record are none: a write under way, or torn "
               "when the node died",
               tail.torn_bytes);
}

/* Keys were given, and some payloads open with none of them. */
static void remark_sealed(struct verify *self, struct log *log)
{
    uint64_t sealed = log->payloads[FOUND_SEALED];
    if (sealed > 0 && self->arguments->store_keys > 0)
        REMARK(self, log,
               "%" PRIu64 " payload%s opened with none of the keys given: only what they are "
               "committed to was checked",
               sealed, sealed == 1 ? "" : "s");
}

static void remark_incidents(struct verify *self, struct log *log)
{
    for (size_t i = 0; i < log->incidents && i < INCIDENTS_TOLD_MAX; i++)
        REMARK(self, log, "entry %" PRIu64 ", INCIDENT: %s", log->incident[i].index,
               log->incident[i].text == NULL ? "what it says is sealed, or not held"
                                             : log->incident[i].text);
    if (log->incidents > INCIDENTS_TOLD_MAX)
        REMARK(self, log, "%" PRIu64 " more INCIDENT records: chaski-audit search --kind incident",
               log->incidents - INCIDENTS_TOLD_MAX);
}

void verify_log(struct verify *self, struct log *log)
{
    check_own_heads(self, log);
    note_peer_heads(log);
    check_repeats(self, log);
    check_replies(self, log);
    verify_missing(self, log);
    check_ends(self, log);
    if (log->count > 0 || log->promised.size > 0 || log->promise_bad)
        check_checkpoint(self, log);
    check_tail(self, log);
    remark_open_requests(self, log);
    remark_sealed(self, log);
    remark_incidents(self, log);
}
