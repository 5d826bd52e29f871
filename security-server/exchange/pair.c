// SPDX-License-Identifier: MIT
#include "security-server/exchange/pair_private.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/text.h"
#include "security-server/exchange/late_receipts.h"
#include "security-server/exchange/sets_reach.h"

#include "logtalk.pb-c.h"

#include <stdlib.h>

// --- steps --------------------------------------------------------------------------------------

static void on_timer(struct loop_timer *timer)
{
    struct pair *self = timer->owner;
    if (!self->ending && clock_steady_ms() - self->began_ms > RECONCILE_PEER_MS) {
        self->report.more = true;
        pair_fail(self, RAISE(OVERLOADED, "it took more than %d s", RECONCILE_PEER_MS / 1000));
        return;
    }
    self->step(self);
}

void pair_next(struct pair *self, pair_step *step)
{
    self->waits_since_ms = 0;
    self->step = step;
    loop_set_timer(self->node->loop, &self->timer, 0);
}

void pair_wait(struct pair *self, pair_step *step)
{
    int64_t now_ms = clock_steady_ms();
    if (self->waits_since_ms == 0)
        self->waits_since_ms = now_ms;
    if (now_ms - self->waits_since_ms > RECONCILE_WAIT_MS) {
        pair_fail(self, RAISE(OVERLOADED,
                              "%s, or this server's own scribe, was not ready for %d s: its sets "
                              "of leaves are behind, or it takes in no more for now",
                              self->peer, RECONCILE_WAIT_MS / 1000));
        return;
    }
    self->step = step;
    loop_set_timer(self->node->loop, &self->timer, RECONCILE_AGAIN_MS);
}

static void finish(struct pair *self)
{
    if (self->pending > 0) { /* told when they are in the log, or when they cannot be */
        self->step = finish;
        loop_set_timer(self->node->loop, &self->timer, LATE_LOOK_MS);
        return;
    }
    self->report.ended_ms = clock_wall_ms();
    self->done(self->owner, &self->report);
    pair_free(&self);
}

static void end(struct pair *self)
{
    self->ending = true;
    pair_next(self, finish);
}

void pair_fail(struct pair *self, fault f)
{
    self->report.fault = f.code;
    text_format(self->report.detail, sizeof self->report.detail, "%s", fault_detail());
    end(self);
}

void pair_ask(struct pair *self, Chaski__LogTalk *message, log_talk_done *done)
{
    const struct directory_server *peer =
        directory_server(self->node->directory, span_of_text(self->peer));
    fault f = peer == NULL
                  ? RAISE(NOT_FOUND, "%s is not in the directory", self->peer)
                  : log_talk_ask(self->node->talk, peer, message, RECONCILE_ASK_MS, done, self);
    if (failed(f))
        pair_fail(self, f);
}

bool pair_ready(struct pair *self, int status, pair_step *again)
{
    if (status == CHASKI__SET_STATUS__SET_READY)
        return true;
    if (status == CHASKI__SET_STATUS__SET_BEHIND || status == CHASKI__SET_STATUS__SET_BUSY)
        pair_wait(self, again);
    else
        pair_fail(self, RAISE(REFUSED, "%s does not answer such a question", self->peer));
    return false;
}

void pair_fail_own(struct pair *self, const struct set_job *job)
{
    if (job->fault == LOG_BROKEN)
        sets_reach_begin_anew(self->node);
    pair_fail(self, RAISE(job->fault, "%s", job->detail));
}

static void read_own(struct pair *self, void (*done)(struct set_job *job))
{
    self->job.done = done;
    self->job.peer = self->peer;
    self->job.owner = self;
    fault f = set_reader_ask(self->node->sets, &self->job);
    if (failed(f))
        pair_fail(self, f);
}

static void fill_range(const struct set_range *range, Chaski__SetRange *out)
{
    out->hour = (uint64_t)range->hour;
    out->until_ms = (uint64_t)range->until_ms;
    out->minute = (uint32_t)(range->minute + 1);
    out->prefix = (uint32_t)(range->prefix + 1);
}

// --- digests ------------------------------------------------------------------------------------

static struct pair_task part_of(const struct pair *self, size_t part)
{
    uint64_t own = self->own[part].count, theirs = self->theirs[part].count;
    struct pair_task task = {self->task.range, own > theirs ? own : theirs};
    if (self->parts == SET_MINUTES)
        task.range.minute = (int)part;
    else if (self->parts == SET_PREFIXES)
        task.range.prefix = (int)part;
    else
        task.range.hour += (int64_t)part;
    return task;
}

static void compare_digests(struct set_job *job)
{
    struct pair *self = job->owner;
    bool hours = self->parts <= RECONCILE_HOURS_A_QUESTION;
    if (job->fault != OK) {
        pair_fail_own(self, job);
        return;
    }
    for (size_t i = self->parts; i-- > 0;) { /* the earliest is taken first */
        const struct set_digest *own = &self->own[i], *theirs = &self->theirs[i];
        if (hours && (own->count == SET_UNKNOWN || theirs->count == SET_UNKNOWN)) {
            self->report.hours_unknown++; /* one of the two has removed that part of its log */
            continue;
        }
        if (hours) {
            self->report.leaves += own->count;
            self->report.peer_leaves += theirs->count;
        }
        if (own->count == theirs->count && sha256_equal(&own->digest, &theirs->digest))
            continue;
        self->report.hours_unequal += hours;
        if (self->depth < PAIR_STACK_MAX)
            self->stack[self->depth++] = part_of(self, i);
    }
    pair_next(self, pair_go);
}

static void read_digests(struct pair *self)
{
    if (!sets_reach_time(self->node, self->until_ms)) {
        pair_wait(self, read_digests);
        return;
    }
    bool hours = self->parts <= RECONCILE_HOURS_A_QUESTION;
    self->job = (struct set_job){.work = hours ? SET_HOURS : SET_PARTS,
                                 .range = self->task.range,
                                 .parts = self->parts,
                                 .digest = self->own};
    read_own(self, compare_digests);
}

/* Both clocks are off, or one: the times in what they sign cannot be compared. */
static void check_clock(struct pair *self, uint64_t their_ms)
{
    int64_t ahead_ms = (int64_t)their_ms - clock_wall_ms();
    struct pair_finding finding = {.type = PAIR_CLOCK, .time_ms = clock_wall_ms()};
    if (self->report.count[PAIR_CLOCK] > 0 ||
        (ahead_ms <= FRESH_FUTURE_MS && ahead_ms >= -FRESH_FUTURE_MS - RECONCILE_ASK_MS))
        return;
    pair_report_add(&self->report, &finding);
}

static void ask_digests(struct pair *self);

static void digests_came(void *owner, const char *peer, fault f, const Chaski__LogTalk *answer)
{
    struct pair *self = owner;
    (void)peer;
    if (!failed(f) && answer->body_case != CHASKI__LOG_TALK__BODY_SET_DIGESTS_ANSWER)
        f = RAISE(BAD_FRAME, "an answer of another kind");
    if (failed(f)) {
        pair_fail(self, f);
        return;
    }
    const Chaski__SetDigestsAnswer *said = answer->set_digests_answer;
    if (said->time_ms > 0 && said->time_ms < INT64_MAX)
        check_clock(self, said->time_ms);
    if (!pair_ready(self, (int)said->status, ask_digests))
        return;
    f = set_talk_get_digests(span_of(said->digests.data, said->digests.len), self->parts,
                             self->theirs);
    if (failed(f))
        pair_fail(self, f);
    else
        pair_next(self, read_digests);
}

static void ask_digests(struct pair *self)
{
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__SetDigests question = CHASKI__SET_DIGESTS__INIT;
    Chaski__SetRange range = CHASKI__SET_RANGE__INIT;
    fill_range(&self->task.range, &range);
    question.range = &range;
    question.parts = (uint32_t)self->parts;
    message.body_case = CHASKI__LOG_TALK__BODY_SET_DIGESTS;
    message.set_digests = &question;
    pair_ask(self, &message, digests_came);
}

// --- lists --------------------------------------------------------------------------------------

static void lack(struct pair *self, const struct sha256 *hash)
{
    self->report.differences++;
    self->lack[self->lacks++] = *hash;
}

static void give(struct pair *self, const struct set_entry *entry)
{
    struct pair_finding finding = {.type = pair_type_of(entry->kind, entry->own, false),
                                   .kind = entry->kind,
                                   .time_ms = entry->time_ms,
                                   .leaf_hash = entry->leaf_hash};
    memcpy(finding.exchange_id, entry->exchange_id, EXCHANGE_ID_BYTES);
    pair_report_add(&self->report, &finding);
    self->report.differences++;
    self->give[self->gives++] = *entry;
}

/* Up to where do both pages reach? NULL: to the end. */
static const struct sha256 *reach_of(const struct pair *self)
{
    const struct sha256 *own =
        self->own_more ? &self->own_list[self->own_count - 1].leaf_hash : NULL;
    const struct sha256 *theirs =
        self->their_more ? &self->their_list[self->their_count - 1] : NULL;
    if (own == NULL || theirs == NULL)
        return own == NULL ? theirs : own;
    return memcmp(own->at, theirs->at, SHA256_BYTES) < 0 ? own : theirs;
}

static bool beyond(const struct sha256 *hash, const struct sha256 *reach)
{
    return reach != NULL && memcmp(hash->at, reach->at, SHA256_BYTES) > 0;
}

static void compare_lists(struct set_job *job)
{
    struct pair *self = job->owner;
    size_t i = 0, k = 0;
    if (job->fault != OK) {
        pair_fail_own(self, job);
        return;
    }
    self->own_count = job->count;
    self->own_more = job->more;
    const struct sha256 *reach = reach_of(self);
    while (i < self->own_count || k < self->their_count) {
        const struct sha256 *own = i < self->own_count ? &self->own_list[i].leaf_hash : NULL;
        const struct sha256 *theirs = k < self->their_count ? &self->their_list[k] : NULL;
        int order = own == NULL      ? 1
                    : theirs == NULL ? -1
                                     : memcmp(own->at, theirs->at, SHA256_BYTES);
        if (beyond(order <= 0 ? own : theirs, reach))
            break;
        if (order < 0)
            give(self, &self->own_list[i]);
        else if (order > 0)
            lack(self, theirs);
        i += order <= 0;
        k += order >= 0;
    }
    self->has_after = reach != NULL;
    if (reach != NULL)
        self->after = *reach;
    pair_next(self, pair_bring);
}

static void read_list(struct pair *self)
{
    self->job = (struct set_job){.work = SET_LIST,
                                 .range = self->task.range,
                                 .has_after = self->has_after,
                                 .after = self->after,
                                 .most = RECONCILE_HASHES_A_MESSAGE,
                                 .entry = self->own_list};
    read_own(self, compare_lists);
}

static fault take_list(struct pair *self, const Chaski__SetListAnswer *said)
{
    const struct sha256 *hashes = NULL;
    TRY(set_talk_get_hashes(span_of(said->hashes.data, said->hashes.len),
                            RECONCILE_HASHES_A_MESSAGE, self->has_after ? &self->after : NULL,
                            &hashes, &self->their_count));
    if (said->more && self->their_count == 0)
        return RAISE(BAD_FRAME, "an empty page that is not the last");
    if (self->their_count > 0)
        memcpy(self->their_list, hashes, self->their_count * SHA256_BYTES);
    self->their_more = said->more != 0;
    return DONE;
}

static void ask_list(struct pair *self);

static void list_came(void *owner, const char *peer, fault f, const Chaski__LogTalk *answer)
{
    struct pair *self = owner;
    (void)peer;
    if (!failed(f) && answer->body_case != CHASKI__LOG_TALK__BODY_SET_LIST_ANSWER)
        f = RAISE(BAD_FRAME, "an answer of another kind");
    if (!failed(f)) {
        if (!pair_ready(self, (int)answer->set_list_answer->status, ask_list))
            return;
        f = take_list(self, answer->set_list_answer);
    }
    if (failed(f))
        pair_fail(self, f);
    else
        pair_next(self, read_list);
}

static void ask_list(struct pair *self)
{
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__SetList question = CHASKI__SET_LIST__INIT;
    Chaski__SetRange range = CHASKI__SET_RANGE__INIT;
    fill_range(&self->task.range, &range);
    question.range = &range;
    if (self->has_after)
        question.after = (ProtobufCBinaryData){SHA256_BYTES, self->after.at};
    message.body_case = CHASKI__LOG_TALK__BODY_SET_LIST;
    message.set_list = &question;
    pair_ask(self, &message, list_came);
}

// --- the walk -----------------------------------------------------------------------------------

static void begin_hours(struct pair *self)
{
    int64_t end_hour = (self->until_ms + SET_HOUR_MS - 1) / SET_HOUR_MS;
    int64_t left = end_hour - self->next_hour;
    self->task = (struct pair_task){{self->next_hour, self->until_ms, -1, -1}, 0};
    self->parts = (size_t)(left < RECONCILE_HOURS_A_QUESTION ? left : RECONCILE_HOURS_A_QUESTION);
    self->next_hour += (int64_t)self->parts;
    ask_digests(self);
}

void pair_go(struct pair *self)
{
    if (self->report.differences > RECONCILE_DIFFERENCES_MAX)
        self->report.more = true;
    if (self->has_after && !self->report.more) { /* the next page of the same range */
        ask_list(self);
        return;
    }
    self->has_after = false;
    if (self->report.more ||
        (self->depth == 0 && self->next_hour * SET_HOUR_MS >= self->until_ms)) {
        end(self);
        return;
    }
    if (self->depth == 0) {
        begin_hours(self);
        return;
    }
    self->task = self->stack[--self->depth];
    bool many = self->task.count > RECONCILE_HASHES_A_MESSAGE;
    if (self->task.range.minute < 0 || (many && self->task.range.prefix < 0)) {
        self->parts = self->task.range.minute < 0 ? SET_MINUTES : SET_PREFIXES;
        ask_digests(self);
        return;
    }
    ask_list(self);
}

struct pair *pair_begin(struct node *node, const char *peer, int64_t first_hour, int64_t until_ms,
                        pair_done *done, void *owner)
{
    struct pair *self = owned_new(sizeof *self);
    self->node = node;
    self->peer = owned_text(peer);
    self->next_hour = first_hour;
    self->until_ms = until_ms;
    self->young_until_ms = until_ms + node->config->reconcile_grace_ms;
    self->done = done;
    self->owner = owner;
    self->began_ms = clock_steady_ms();
    self->report.peer = owned_text(peer);
    self->report.began_ms = clock_wall_ms();
    self->report.from_ms = first_hour * SET_HOUR_MS;
    self->report.until_ms = until_ms;
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    pair_next(self, pair_count_young);
    return self;
}

void pair_free(struct pair **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    late_receipts_forget((*self)->node->late, *self);
    leaf_checker_stop(&(*self)->checker);
    bytes_free(&(*self)->lender.packed);
    pair_report_clear(&(*self)->report);
    free((*self)->peer);
    free(*self);
    *self = NULL;
}
