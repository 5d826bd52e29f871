// SPDX-License-Identifier: MIT
/* What one side lacks is sent by the other, checked, and taken in: here by late_receipts, there by
 * the peer's set_desk. */
#include "security-server/exchange/pair_private.h"

#include "lib/base/event.h"
#include "lib/crypto/merkle.h"
#include "security-server/exchange/late_receipts.h"

#include "logtalk.pb-c.h"

static void fetch(struct pair *self);
static void send_leaves(struct pair *self);

// --- leaves that we lack ------------------------------------------------------------------------

static void taken(void *owner, fault f, const struct sha256 *leaf_hash, bool new)
{
    struct pair *self = owner;
    self->pending--;
    (void)new; /* there already: it came in while we compared */
    pair_report_state(&self->report, leaf_hash, failed(f) ? PAIR_OPEN : PAIR_TAKEN, f.code);
}

/* The peer names a leaf that it does not show, or shows one that proves nothing. */
static void refuse(struct pair *self, const struct sha256 *hash, fault f)
{
    struct pair_finding finding = {.type = f.code == FROM_FUTURE ? PAIR_CLOCK : PAIR_BAD_LEAF,
                                   .state = PAIR_REFUSED,
                                   .leaf_hash = *hash,
                                   .missing_here = true,
                                   .fault = f.code};
    if (event_rate_allows(&self->node->refused_leaves))
        EVENT(WARN, "reconcile.leaf_refused", E_TEXT("peer", self->peer), E_FAULT(f));
    pair_report_add(&self->report, &finding);
    self->report.refused++;
}

static void note_came(struct pair *self, const struct late_leaf *leaf)
{
    const struct late_receipt *receipt = &leaf->receipt;
    struct pair_finding finding = {.type = pair_type_of(receipt->kind, receipt->own, true),
                                   .kind = receipt->kind,
                                   .time_ms = receipt->time_ms,
                                   .leaf_hash = receipt->leaf_hash,
                                   .missing_here = true};
    struct set_query *query = &self->query[self->came];
    memcpy(finding.exchange_id, leaf->exchange_id, EXCHANGE_ID_BYTES);
    pair_report_add(&self->report, &finding);
    *query = (struct set_query){
        .leaf_hash = receipt->leaf_hash, .kind = receipt->kind, .own = receipt->own};
    memcpy(query->exchange_id, leaf->exchange_id, EXCHANGE_ID_BYTES);
    self->hash[self->came] = receipt->leaf_hash;
    self->content[self->came++] = leaf->content;
}

/* Where it was listed, it was missing; elsewhere it may be here already. */
static fault check_place(const struct pair *self, const struct late_leaf *leaf,
                         const struct sha256 *wanted)
{
    const struct late_receipt *receipt = &leaf->receipt;
    const struct set_range *range = &self->task.range;
    if (!sha256_equal(&receipt->leaf_hash, wanted))
        return RAISE(INCONSISTENT, "another leaf than was asked for");
    if (receipt->time_ms / SET_HOUR_MS != range->hour || receipt->time_ms >= range->until_ms ||
        (range->minute >= 0 && receipt->time_ms % SET_HOUR_MS / 60000 != range->minute))
        return RAISE(INCONSISTENT, "a leaf of another time than it was listed under");
    return DONE;
}

static void each_leaf(struct leaf_checker *checker, fault f, struct late_leaf **leaf)
{
    struct pair *self = checker->owner;
    const struct sha256 *wanted = &self->lack[self->lack_at + checker->at];
    if (!failed(f))
        f = check_place(self, *leaf, wanted);
    if (failed(f)) {
        refuse(self, wanted, f);
        return;
    }
    note_came(self, *leaf);
    if (failed(late_receipts_take(self->node->late, leaf, taken, self)))
        self->report.more = true;
    else
        self->pending++;
}

// --- two leaves where there should be one -------------------------------------------------------

static size_t came_at(const struct pair *self, const struct sha256 *hash)
{
    size_t i = 0;
    while (i + 1 < self->came && !sha256_equal(&self->hash[i], hash))
        i++;
    return i;
}

static void judge_twin(struct pair *self, size_t at, struct span leaf)
{
    struct cades_parts parts;
    size_t came = came_at(self, &self->twin_of[at]);
    if (leaf.size == 0 || failed(cades_parse(leaf, &parts)))
        return;
    struct sha256 content = SHA256_OF(parts.content);
    bool same = sha256_equal(&content, &self->content[came]);
    struct pair_finding finding = {.type = same ? PAIR_TWO_SIGNATURES : PAIR_TWO_HEADERS,
                                   .kind = self->twin[at].kind,
                                   .time_ms = self->twin[at].time_ms,
                                   .leaf_hash = self->twin_of[at]};
    memcpy(finding.exchange_id, self->twin[at].exchange_id, EXCHANGE_ID_BYTES);
    pair_report_add(&self->report, &finding);
}

static void twins_read(struct leaf_lender *lender)
{
    struct pair *self = lender->owner;
    struct span left = bytes_span(lender->packed), leaf;
    for (size_t i = 0; i < lender->at && !failed(set_talk_get_leaf(&left, &leaf)); i++)
        judge_twin(self, i, leaf);
    bytes_free(&lender->packed);
    pair_next(self, fetch);
}

/* A request that could not be verified may come again and be refused again, so refusals may be
 * several. */
static void twins_found(struct set_job *job)
{
    struct pair *self = job->owner;
    size_t twins = 0;
    for (size_t i = 0; job->fault == OK && i < job->count; i++) {
        const struct set_query *query = &job->queries[i];
        if (!query->has_twin || query->kind == HEADER_FAULT)
            continue;
        self->twin_of[twins] = query->leaf_hash;
        self->twin[twins++] = query->twin;
    }
    self->lender = (struct leaf_lender){
        .node = self->node, .entry = self->twin, .count = twins, .done = twins_read, .owner = self};
    leaf_lender_begin(&self->lender);
}

static void look_for_twins(struct pair *self)
{
    self->job = (struct set_job){.work = SET_FIND,
                                 .peer = self->peer,
                                 .range = self->task.range,
                                 .queries = self->query,
                                 .count = self->came,
                                 .done = twins_found,
                                 .owner = self};
    fault f = set_reader_ask(self->node->sets, &self->job);
    if (failed(f))
        pair_fail(self, f);
}

// --- asking for them ----------------------------------------------------------------------------

static void all_checked(struct leaf_checker *checker)
{
    struct pair *self = checker->owner;
    size_t given = checker->at;
    for (; given == 0 && checker->at < self->asked; checker->at++)
        refuse(self, &self->lack[self->lack_at + checker->at],
               RAISE(NOT_FOUND, "the leaf is not at hand there"));
    self->lack_at += checker->at;
    pair_next(self, look_for_twins);
}

static fault take_leaves(struct pair *self, const Chaski__GiveLeavesAnswer *said)
{
    size_t count = 0;
    struct span leaves = span_of(said->leaves.data, said->leaves.len);
    TRY(set_talk_count_leaves(leaves, &count));
    if (count > self->asked)
        return RAISE(BAD_FRAME, "%zu leaves where %zu were asked for", count, self->asked);
    self->came = 0;
    self->checker = (struct leaf_checker){.node = self->node,
                                          .peer = self->peer,
                                          .each = each_leaf,
                                          .end = all_checked,
                                          .owner = self};
    TRY(bytes_copy(leaves, &self->checker.leaves));
    leaf_checker_begin(&self->checker);
    return DONE;
}

static void leaves_came(void *owner, const char *peer, fault f, const Chaski__LogTalk *answer)
{
    struct pair *self = owner;
    (void)peer;
    if (!failed(f) && answer->body_case != CHASKI__LOG_TALK__BODY_GIVE_LEAVES_ANSWER)
        f = RAISE(BAD_FRAME, "an answer of another kind");
    if (!failed(f)) {
        if (!pair_ready(self, (int)answer->give_leaves_answer->status, fetch))
            return;
        f = take_leaves(self, answer->give_leaves_answer);
    }
    if (failed(f))
        pair_fail(self, f);
}

static void fetch(struct pair *self)
{
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__GiveLeaves question = CHASKI__GIVE_LEAVES__INIT;
    if (self->lack_at == self->lacks) {
        self->lacks = self->lack_at = 0;
        pair_next(self, send_leaves);
        return;
    }
    if (self->pending >= LATE_QUEUE_LEAVES / 2) { /* others may want to bring some too */
        self->step = fetch;
        loop_set_timer(self->node->loop, &self->timer, LATE_LOOK_MS);
        return;
    }
    size_t left = self->lacks - self->lack_at;
    self->asked = left < RECONCILE_LEAVES_A_MESSAGE ? left : RECONCILE_LEAVES_A_MESSAGE;
    question.hour = (uint64_t)self->task.range.hour;
    question.hashes =
        (ProtobufCBinaryData){self->asked * SHA256_BYTES, self->lack[self->lack_at].at};
    message.body_case = CHASKI__LOG_TALK__BODY_GIVE_LEAVES;
    message.give_leaves = &question;
    pair_ask(self, &message, leaves_came);
}

// --- leaves that they lack ----------------------------------------------------------------------

/* NOT_FOUND: we could not show it, and so sent none in its place. */
static void note_verdict(struct pair *self, const struct set_entry *entry, enum fault_code code)
{
    if (code == OK) {
        pair_report_state(&self->report, &entry->leaf_hash, PAIR_SENT, OK);
        return;
    }
    pair_report_state(&self->report, &entry->leaf_hash,
                      code == NOT_FOUND ? PAIR_OPEN : PAIR_REFUSED, code);
    if (code == NOT_FOUND)
        return;
    struct pair_finding finding = {.type = PAIR_BAD_LEAF,
                                   .state = PAIR_REFUSED,
                                   .kind = entry->kind,
                                   .time_ms = entry->time_ms,
                                   .leaf_hash = entry->leaf_hash,
                                   .fault = code};
    memcpy(finding.exchange_id, entry->exchange_id, EXCHANGE_ID_BYTES);
    pair_report_add(&self->report, &finding);
}

static fault take_verdicts(struct pair *self, const Chaski__TakeLeavesAnswer *said)
{
    size_t sent = self->asked;
    bool full = false;
    for (size_t i = 0; i < sent && !full; i++) {
        enum fault_code code = OK;
        TRY(set_talk_get_verdict(span_of(said->verdicts.data, said->verdicts.len), i, &code));
        full = code == OVERLOADED;
        if (full)
            break;
        note_verdict(self, &self->give[self->give_at++], code);
        self->waits_since_ms = 0;
    }
    if (full)
        pair_wait(self, send_leaves);
    else
        pair_next(self, send_leaves);
    return DONE;
}

static void verdicts_came(void *owner, const char *peer, fault f, const Chaski__LogTalk *answer)
{
    struct pair *self = owner;
    (void)peer;
    if (!failed(f) && answer->body_case != CHASKI__LOG_TALK__BODY_TAKE_LEAVES_ANSWER)
        f = RAISE(BAD_FRAME, "an answer of another kind");
    if (!failed(f)) {
        if (!pair_ready(self, (int)answer->take_leaves_answer->status, send_leaves))
            return;
        f = take_verdicts(self, answer->take_leaves_answer);
    }
    if (failed(f))
        pair_fail(self, f);
}

static void lent(struct leaf_lender *lender)
{
    struct pair *self = lender->owner;
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__TakeLeaves question = CHASKI__TAKE_LEAVES__INIT;
    OWNED(bytes) packed = TAKE(lender->packed);
    self->asked = lender->at;
    if (self->asked == 0) { /* our own log could not be read just now */
        pair_wait(self, send_leaves);
        return;
    }
    question.leaves = (ProtobufCBinaryData){packed->size, packed->data};
    message.body_case = CHASKI__LOG_TALK__BODY_TAKE_LEAVES;
    message.take_leaves = &question;
    pair_ask(self, &message, verdicts_came);
}

static void send_leaves(struct pair *self)
{
    size_t left = self->gives - self->give_at;
    if (left == 0) {
        self->gives = self->give_at = 0;
        pair_next(self, pair_go);
        return;
    }
    self->lender = (struct leaf_lender){
        .node = self->node,
        .entry = self->give + self->give_at,
        .count = left < RECONCILE_LEAVES_A_MESSAGE ? left : RECONCILE_LEAVES_A_MESSAGE,
        .done = lent,
        .owner = self};
    leaf_lender_begin(&self->lender);
}

void pair_bring(struct pair *self)
{
    self->lack_at = self->give_at = 0;
    fetch(self);
}
