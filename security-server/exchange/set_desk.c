// SPDX-License-Identifier: MIT
#include "security-server/exchange/set_desk.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/map.h"
#include "lib/bus/set_talk.h"
#include "security-server/exchange/late_receipts.h"
#include "security-server/exchange/leaf_checker.h"
#include "security-server/exchange/leaf_lender.h"
#include "security-server/exchange/minute_share.h"
#include "security-server/exchange/set_reader.h"
#include "security-server/exchange/sets_reach.h"

#include "logtalk.pb-c.h"

#include <assert.h>
#include <stdlib.h>

#define NO_INDEX ((UINT64_C(1) << 48) - 1)
#define HOURS_MAX (RECONCILE_DAYS_MAX * 24)

struct asker {
    char *id;
    struct question *question; /* under way, or NULL */
    struct minute_share share;
};

/* One under way; gone with its answer. */
struct question {
    struct set_desk *desk;
    struct asker *asker;
    struct log_talk_reply reply;
    struct set_job job;
    void *room; /* what the job fills: digests, entries or queries */
    struct set_entry lent[RECONCILE_LEAVES_A_MESSAGE];
    struct leaf_lender lender;
    struct leaf_checker checker;
    uint8_t verdicts[2 * RECONCILE_LEAVES_A_MESSAGE];
    struct sha256 taken[RECONCILE_LEAVES_A_MESSAGE]; /* those that `waits` says */
    bool waits[RECONCILE_LEAVES_A_MESSAGE];          /* for being durable */
    size_t waiting;
    bool checked;
    struct loop_timer timer;
};

struct set_desk {
    struct node *node;
    struct map askers; /* by server: only servers of the directory can connect */
    size_t under_way;
};

struct set_desk *set_desk_new(struct node *node)
{
    struct set_desk *self = owned_new(sizeof *self);
    self->node = node;
    return self;
}

static void question_free(struct question *question)
{
    struct node *node = question->desk->node;
    late_receipts_forget(node->late, question);
    loop_stop_timer(node->loop, &question->timer);
    leaf_checker_stop(&question->checker);
    bytes_free(&question->lender.packed);
    free(question->room);
    free(question);
}

void set_desk_free(struct set_desk **self)
{
    size_t step = 0;
    if (*self == NULL)
        return;
    for (struct asker *asker; (asker = map_next(&(*self)->askers, &step, NULL)) != NULL;) {
        if (asker->question != NULL)
            question_free(asker->question);
        free(asker->id);
        free(asker);
    }
    map_clear(&(*self)->askers);
    free(*self);
    *self = NULL;
}

// --- answers ------------------------------------------------------------------------------------

static void end(struct question *question)
{
    question->asker->question = NULL;
    question->desk->under_way--;
    question_free(question);
}

static void answer_digests(struct set_desk *self, const struct log_talk_reply *to,
                           Chaski__SetStatus status, const struct bytes *digests)
{
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__SetDigestsAnswer said = CHASKI__SET_DIGESTS_ANSWER__INIT;
    message.body_case = CHASKI__LOG_TALK__BODY_SET_DIGESTS_ANSWER;
    message.set_digests_answer = &said;
    said.status = status;
    said.time_ms = (uint64_t)clock_wall_ms();
    if (digests != NULL)
        said.digests = (ProtobufCBinaryData){digests->size, digests->data};
    log_talk_answer(self->node->talk, to, &message);
}

static void answer_list(struct set_desk *self, const struct log_talk_reply *to,
                        Chaski__SetStatus status, const struct bytes *hashes, bool more)
{
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__SetListAnswer said = CHASKI__SET_LIST_ANSWER__INIT;
    message.body_case = CHASKI__LOG_TALK__BODY_SET_LIST_ANSWER;
    message.set_list_answer = &said;
    said.status = status;
    said.more = more;
    if (hashes != NULL)
        said.hashes = (ProtobufCBinaryData){hashes->size, hashes->data};
    log_talk_answer(self->node->talk, to, &message);
}

static void answer_leaves(struct set_desk *self, const struct log_talk_reply *to,
                          Chaski__SetStatus status, const struct bytes *leaves)
{
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__GiveLeavesAnswer said = CHASKI__GIVE_LEAVES_ANSWER__INIT;
    message.body_case = CHASKI__LOG_TALK__BODY_GIVE_LEAVES_ANSWER;
    message.give_leaves_answer = &said;
    said.status = status;
    if (leaves != NULL)
        said.leaves = (ProtobufCBinaryData){leaves->size, leaves->data};
    log_talk_answer(self->node->talk, to, &message);
}

static void answer_verdicts(struct set_desk *self, const struct log_talk_reply *to,
                            Chaski__SetStatus status, const uint8_t *verdicts, size_t count)
{
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__TakeLeavesAnswer said = CHASKI__TAKE_LEAVES_ANSWER__INIT;
    message.body_case = CHASKI__LOG_TALK__BODY_TAKE_LEAVES_ANSWER;
    message.take_leaves_answer = &said;
    said.status = status;
    said.verdicts = (ProtobufCBinaryData){2 * count, (uint8_t *)(uintptr_t)verdicts};
    log_talk_answer(self->node->talk, to, &message);
}

static void answer_none(struct set_desk *self, const Chaski__LogTalk *asked,
                        const struct log_talk_reply *to, Chaski__SetStatus status)
{
    if (asked->body_case == CHASKI__LOG_TALK__BODY_SET_DIGESTS)
        answer_digests(self, to, status, NULL);
    else if (asked->body_case == CHASKI__LOG_TALK__BODY_SET_LIST)
        answer_list(self, to, status, NULL, false);
    else if (asked->body_case == CHASKI__LOG_TALK__BODY_GIVE_LEAVES)
        answer_leaves(self, to, status, NULL);
    else
        answer_verdicts(self, to, status, NULL, 0);
}

/* A set that cannot be read is as one that is not there yet: the scribe makes it anew. */
static Chaski__SetStatus status_of(const struct question *question)
{
    if (question->job.fault == OK)
        return CHASKI__SET_STATUS__SET_READY;
    if (question->job.fault == LOG_BROKEN)
        sets_reach_begin_anew(question->desk->node);
    return question->job.fault == OVERLOADED ? CHASKI__SET_STATUS__SET_REFUSED
                                             : CHASKI__SET_STATUS__SET_BEHIND;
}

// --- digests and lists --------------------------------------------------------------------------

static void digests_read(struct set_job *job)
{
    struct question *question = job->owner;
    Chaski__SetStatus status = status_of(question);
    OWNED(bytes) packed = bytes_empty(job->parts * SET_DIGEST_BYTES);
    if (status == CHASKI__SET_STATUS__SET_READY &&
        failed(set_talk_put_digests(job->digest, job->parts, packed)))
        status = CHASKI__SET_STATUS__SET_BUSY;
    answer_digests(question->desk, &question->reply, status, packed);
    end(question);
}

static void list_read(struct set_job *job)
{
    struct question *question = job->owner;
    Chaski__SetStatus status = status_of(question);
    OWNED(bytes) packed = bytes_empty(job->most * SHA256_BYTES);
    for (size_t i = 0; status == CHASKI__SET_STATUS__SET_READY && i < job->count; i++)
        if (failed(bytes_append(packed, sha256_span(&job->entry[i].leaf_hash))))
            status = CHASKI__SET_STATUS__SET_BUSY;
    answer_list(question->desk, &question->reply, status, packed, job->more);
    end(question);
}

static fault read_hour(uint64_t number, int64_t *out)
{
    int64_t now = clock_wall_ms() / SET_HOUR_MS;
    if (number > (uint64_t)now + 1 || (int64_t)number < now - HOURS_MAX - 24)
        return RAISE(BAD_FRAME, "an hour of another time");
    *out = (int64_t)number;
    return DONE;
}

static fault read_range(const Chaski__SetRange *asked, struct set_range *out)
{
    if (asked == NULL || asked->minute > SET_MINUTES || asked->prefix > SET_PREFIXES ||
        asked->until_ms > INT64_MAX)
        return RAISE(BAD_FRAME, "a range that is none");
    out->until_ms = (int64_t)asked->until_ms;
    out->minute = (int)asked->minute - 1;
    out->prefix = (int)asked->prefix - 1;
    return read_hour(asked->hour, &out->hour);
}

static fault take_digests(struct question *question, const Chaski__SetDigests *asked)
{
    struct set_job *job = &question->job;
    TRY(read_range(asked->range, &job->range));
    bool of_hours = asked->parts >= 1 && asked->parts <= RECONCILE_HOURS_A_QUESTION;
    if (!of_hours && asked->parts != SET_MINUTES && asked->parts != SET_PREFIXES)
        return RAISE(BAD_FRAME, "digests of %u parts", asked->parts);
    job->work = of_hours ? SET_HOURS : SET_PARTS;
    job->parts = asked->parts;
    job->digest = question->room = owned_array(asked->parts, sizeof *job->digest);
    job->done = digests_read;
    return DONE;
}

static fault take_list(struct question *question, const Chaski__SetList *asked)
{
    struct set_job *job = &question->job;
    TRY(read_range(asked->range, &job->range));
    if (asked->after.len != 0 && asked->after.len != SHA256_BYTES)
        return RAISE(BAD_FRAME, "a hash of %zu bytes", asked->after.len);
    job->has_after = asked->after.len == SHA256_BYTES;
    if (job->has_after)
        memcpy(job->after.at, asked->after.data, SHA256_BYTES);
    job->work = SET_LIST;
    job->most = RECONCILE_HASHES_A_MESSAGE;
    job->entry = question->room = owned_array(job->most, sizeof *job->entry);
    job->done = list_read;
    return DONE;
}

// --- leaves that they lack ----------------------------------------------------------------------

static void lent(struct leaf_lender *lender)
{
    struct question *question = lender->owner;
    answer_leaves(question->desk, &question->reply, CHASKI__SET_STATUS__SET_READY, lender->packed);
    end(question);
}

/* The queries were sorted, and so are the hashes that were asked for. */
static void leaves_found(struct set_job *job)
{
    struct question *question = job->owner;
    Chaski__SetStatus status = status_of(question);
    if (status != CHASKI__SET_STATUS__SET_READY) {
        answer_leaves(question->desk, &question->reply, status, NULL);
        end(question);
        return;
    }
    for (size_t i = 0; i < job->count; i++)
        if (job->queries[i].found)
            question->lent[i] = job->queries[i].entry;
        else /* no entry has this number, so nothing is lent */
            question->lent[i] = (struct set_entry){.epoch = 1, .index = NO_INDEX};
    question->lender = (struct leaf_lender){.node = question->desk->node,
                                            .entry = question->lent,
                                            .count = job->count,
                                            .done = lent,
                                            .owner = question};
    leaf_lender_begin(&question->lender);
}

static fault take_give(struct question *question, const Chaski__GiveLeaves *asked)
{
    struct set_job *job = &question->job;
    const struct sha256 *hashes = NULL;
    TRY(read_hour(asked->hour, &job->range.hour));
    TRY(set_talk_get_hashes(span_of(asked->hashes.data, asked->hashes.len),
                            RECONCILE_LEAVES_A_MESSAGE, NULL, &hashes, &job->count));
    job->queries = question->room = owned_array(RECONCILE_LEAVES_A_MESSAGE, sizeof *job->queries);
    for (size_t i = 0; i < job->count; i++)
        job->queries[i].leaf_hash = hashes[i];
    job->work = SET_FIND;
    job->done = leaves_found;
    return DONE;
}

// --- leaves that we lack ------------------------------------------------------------------------

static void answer_judged(struct question *question)
{
    answer_verdicts(question->desk, &question->reply, CHASKI__SET_STATUS__SET_READY,
                    question->verdicts, question->checker.at);
    end(question);
}

/* OK is said of what is durable in the log, and of nothing else. What this node could not do is no
 * fault of the leaf: it may come again. */
static void kept(void *owner, fault f, const struct sha256 *leaf_hash, bool new)
{
    struct question *question = owner;
    size_t i = 0;
    (void)new;
    while (i < RECONCILE_LEAVES_A_MESSAGE &&
           (!question->waits[i] || !sha256_equal(&question->taken[i], leaf_hash)))
        i++;
    assert(i < RECONCILE_LEAVES_A_MESSAGE);
    set_talk_put_verdict(!failed(f) || f.code == INCONSISTENT ? f.code : OVERLOADED,
                         question->verdicts + 2 * i);
    question->waits[i] = false;
    if (--question->waiting == 0 && question->checked)
        answer_judged(question);
}

/* What waits still goes on by itself: when it is brought again, it waits for that one, or is there.
 */
static void waited_enough(struct loop_timer *timer)
{
    answer_judged(timer->owner);
}

static void judge(struct leaf_checker *checker, fault f, struct late_leaf **leaf)
{
    struct question *question = checker->owner;
    if (!failed(f)) {
        question->taken[checker->at] = (*leaf)->receipt.leaf_hash;
        f = late_receipts_take(question->desk->node->late, leaf, kept, question);
        question->waits[checker->at] = !failed(f);
        question->waiting += !failed(f);
    }
    if (failed(f) && f.code != OVERLOADED &&
        event_rate_allows(&question->desk->node->refused_leaves))
        EVENT(WARN, "reconcile.leaf_refused", E_TEXT("peer", question->asker->id), E_FAULT(f));
    set_talk_put_verdict(failed(f) ? f.code : OVERLOADED, question->verdicts + 2 * checker->at);
}

static void judged(struct leaf_checker *checker)
{
    struct question *question = checker->owner;
    question->checked = true;
    if (question->waiting == 0) {
        answer_judged(question);
        return;
    }
    question->timer = (struct loop_timer){.fire = waited_enough, .owner = question};
    loop_set_timer(question->desk->node->loop, &question->timer, LATE_ANSWER_MS);
}

static fault take_take(struct question *question, const Chaski__TakeLeaves *asked)
{
    struct span leaves = span_of(asked->leaves.data, asked->leaves.len);
    size_t count = 0;
    if (leaves.size > RECONCILE_LEAVES_BYTES_MAX)
        return RAISE(BAD_FRAME, "%zu bytes of leaves", leaves.size);
    TRY(set_talk_count_leaves(leaves, &count));
    question->checker = (struct leaf_checker){.node = question->desk->node,
                                              .peer = question->asker->id,
                                              .each = judge,
                                              .end = judged,
                                              .owner = question};
    return bytes_copy(leaves, &question->checker.leaves);
}

// --- questions ----------------------------------------------------------------------------------

static struct asker *asker_of(struct set_desk *self, const char *peer)
{
    struct asker *asker = map_get(&self->askers, span_of_text(peer));
    if (asker != NULL)
        return asker;
    asker = owned_new(sizeof *asker);
    asker->id = owned_text(peer);
    map_set(&self->askers, span_of_text(peer), asker);
    return asker;
}

static bool is_about_sets(const Chaski__LogTalk *message)
{
    return message->body_case == CHASKI__LOG_TALK__BODY_SET_DIGESTS ||
           message->body_case == CHASKI__LOG_TALK__BODY_SET_LIST ||
           message->body_case == CHASKI__LOG_TALK__BODY_GIVE_LEAVES ||
           message->body_case == CHASKI__LOG_TALK__BODY_TAKE_LEAVES;
}

static fault read_question(struct question *question, const Chaski__LogTalk *message)
{
    if (message->body_case == CHASKI__LOG_TALK__BODY_SET_DIGESTS)
        return take_digests(question, message->set_digests);
    if (message->body_case == CHASKI__LOG_TALK__BODY_SET_LIST)
        return take_list(question, message->set_list);
    if (message->body_case == CHASKI__LOG_TALK__BODY_GIVE_LEAVES)
        return take_give(question, message->give_leaves);
    return take_take(question, message->take_leaves);
}

static Chaski__SetStatus begin(struct question *question, const Chaski__LogTalk *message)
{
    const struct node *node = question->desk->node;
    struct set_job *job = &question->job;
    if (failed(read_question(question, message))) {
        if (event_rate_allows(&question->desk->node->refused_messages))
            EVENT(WARN, "reconcile.question_refused", E_TEXT("peer", question->asker->id),
                  E_TEXT("detail", fault_detail()));
        return CHASKI__SET_STATUS__SET_REFUSED;
    }
    if (message->body_case == CHASKI__LOG_TALK__BODY_TAKE_LEAVES) {
        leaf_checker_begin(&question->checker);
        return CHASKI__SET_STATUS__SET_READY;
    }
    bool compares = message->body_case != CHASKI__LOG_TALK__BODY_GIVE_LEAVES;
    if (compares &&
        (job->range.until_ms > clock_wall_ms() || !sets_reach_time(node, job->range.until_ms)))
        return CHASKI__SET_STATUS__SET_BEHIND;
    job->peer = question->asker->id;
    job->owner = question;
    return failed(set_reader_ask(node->sets, job)) ? CHASKI__SET_STATUS__SET_BUSY
                                                   : CHASKI__SET_STATUS__SET_READY;
}

void set_desk_take(struct set_desk *self, const char *peer, const Chaski__LogTalk *message,
                   const struct log_talk_reply *reply)
{
    if (self == NULL || self->node->draining || !is_about_sets(message))
        return;
    struct asker *asker = asker_of(self, peer);
    if (!minute_share_allows(&asker->share, RECONCILE_ANSWERS_A_MINUTE, "reconcile.asked_too_often",
                             peer, "leaves"))
        return;
    if (asker->question != NULL || self->under_way >= RECONCILE_QUEUE) {
        answer_none(self, message, reply, CHASKI__SET_STATUS__SET_BUSY);
        return;
    }
    struct question *question = owned_new(sizeof *question);
    question->desk = self;
    question->asker = asker;
    question->reply = *reply;
    asker->question = question;
    self->under_way++;
    Chaski__SetStatus status = begin(question, message);
    if (status == CHASKI__SET_STATUS__SET_READY)
        return;
    answer_none(self, message, reply, status);
    end(question);
}
