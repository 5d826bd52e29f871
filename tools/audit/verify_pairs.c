// SPDX-License-Identifier: MIT
/* Two logs against one another: the nine types of lib/bus/pair_type.h. Types 2, 4 to 6, 8 and 9 are
 * findings; 1 and 3 are what an honest node may leave behind, unless the other side has answered
 * what it does not have; 7 is found entry by entry (verify_entry.c, verify_late.c). */
#include "tools/audit/verify.h"

#include "lib/base/text.h"
#include "tools/audit/json_text.h"

#include <inttypes.h>
#include <stdlib.h>

#define SETTLED_MS 2000 /* younger entries may not have reached the other log yet */
#define LISTED_MAX 5

static const char same_leaves[] = "both sides hold the same leaves";

/* What came of a request, in this epoch or a later one: by its leaf hash. */
struct outcome {
    const struct kept *answer; /* the first */
    bool given_up;
};

static struct outcome *outcome_of(struct map *outcomes, const struct sha256 *request)
{
    struct outcome *outcome = map_get(outcomes, sha256_span(request));
    if (outcome == NULL) {
        outcome = owned_new(sizeof *outcome);
        map_set(outcomes, sha256_span(request), outcome);
    }
    return outcome;
}

static void note_outcomes(const struct log *log, struct map *out)
{
    for (uint64_t i = 0; i < log->count; i++) {
        const struct kept *kept = &log->entry[i];
        if (kept->kind == 0 || kept->kind >= HEADER_STARTED || !kept->has_reply_to)
            continue;
        struct outcome *outcome = outcome_of(out, &kept->reply_to);
        if (outcome->answer == NULL)
            outcome->answer = kept;
        /* a request that never reached the provider is followed by the consumer's own fault */
        outcome->given_up |= kept->kind == HEADER_FAULT && kept_is_own(log, kept);
    }
}

static void outcomes_clear(struct map *outcomes)
{
    size_t step = 0;
    for (struct outcome *at; (at = map_next(outcomes, &step, NULL)) != NULL;)
        free(at);
    map_clear(outcomes);
}

// --- tallies ------------------------------------------------------------------------------------

/* Of all its epochs. */
static const struct log *whole(const struct log *log)
{
    while (log->before != NULL)
        log = log->before;
    return log;
}

static struct pair_tally *tally_of(struct verify *self, const struct log *here,
                                   const struct log *there)
{
    here = whole(here);
    there = whole(there);
    for (size_t i = 0; i < self->tallies; i++) {
        struct pair_tally *tally = &self->tally[i];
        if ((tally->a == here && tally->b == there) || (tally->a == there && tally->b == here))
            return tally;
    }
    self->tally = owned_grow(self->tally, self->tallies + 1, sizeof *self->tally);
    self->tally[self->tallies] = (struct pair_tally){.a = here, .b = there};
    return &self->tally[self->tallies++];
}

void verify_count_type(struct verify *self, const struct log *log, enum pair_type type)
{
    for (size_t i = 0; i < self->tallies; i++)
        if (self->tally[i].a == whole(log) || self->tally[i].b == whole(log))
            self->tally[i].count[type]++;
}

/* Those of one type that are told in one line. */
struct listed {
    uint64_t count, healed;
    char list[LISTED_MAX * 24];
};

static void list(struct listed *self, uint64_t index, bool healed)
{
    size_t used = strlen(self->list);
    if (self->count < LISTED_MAX)
        text_format(self->list + used, sizeof self->list - used, "%s%" PRIu64,
                    self->count == 0 ? "" : ", ", index);
    self->count++;
    self->healed += healed;
}

static void remark_listed(struct verify *self, const struct log *here, const struct log *there,
                          enum pair_type type, const struct listed *listed)
{
    if (listed->count == 0)
        return;
    REMARK(self, here,
           "%" PRIu64 " %s (type %d), entr%s %s%s: not in the log of %s; %" PRIu64
           " of them healed, by late receipts there. %s",
           listed->count, pair_type_word(type), type, listed->count == 1 ? "y" : "ies",
           listed->list, listed->count > LISTED_MAX ? ", ..." : "", there->view->server,
           listed->healed, pair_type_meaning(type));
}

// --- types 1 to 4 -------------------------------------------------------------------------------

struct comparing {
    struct verify *verify;
    struct log *here, *there;
    struct map outcomes; /* of `here`, and of its later epochs */
    struct listed listed[PAIR_TYPES_END];
};

/* Signed by the other side when its log was longer than it is now? */
static bool is_lost_there(struct log *there, const struct kept *kept)
{
    if (strcmp(kept->sender_server, there->view->server) != 0)
        return false;
    const struct log *of = verify_epoch_of(there, kept->log_epoch);
    return of != NULL && verify_is_lost(of, kept);
}

/* One beyond the end of a newest epoch is told with all else that is. */
static void check_head_of(struct verify *self, struct log *here, struct log *of,
                          const struct kept *kept)
{
    if (kept->log_size > of->count && of->later == NULL && kept->time_ms >= of->own_ms)
        verify_note_head(self, of, kept, here);
    else
        verify_head(self, of, kept, here);
}

/* A head that the other side signed, against the epoch of its log that it is of. */
static void check_head(struct verify *self, struct log *here, struct log *there,
                       const struct kept *kept)
{
    struct log *of = verify_epoch_of(there, kept->log_epoch);
    if (of == NULL && verify_is_after_all(self, there, kept))
        return;
    if (of == NULL)
        FIND(self, here, kept->index, "append only", "An epoch of the signer's log is missing.",
             "it embeds a head of epoch %u of %s, which is not in %s", kept->log_epoch,
             there->view->server, there->view->folder);
    else if (of->later == NULL || kept->log_size <= of->count)
        check_head_of(self, here, of, kept);
}

/* `there` signed it, and so has written it down before it was sent. When it came back to it late,
 * that is found among its own receipts. */
static void miss_theirs(struct comparing *self, const struct kept *kept, enum pair_type type,
                        bool healed)
{
    if (!healed)
        FIND(self->verify, self->here, kept->index, same_leaves,
             "The other side signed this and does not have it: lost or suppressed there.",
             "%s of %s is not in its own log (type %d: %s)", header_kind_word(kept->kind),
             self->there->view->server, type, pair_type_word(type));
}

/* An answer that was never fetched, or a request cut off by a crash, is evidence enough on the side
 * that has it. */
static void miss_ours(struct comparing *self, const struct kept *kept, enum pair_type type,
                      bool healed)
{
    const struct outcome *outcome = map_get(&self->outcomes, sha256_span(&kept->leaf_hash));
    if (!healed && kept->kind == HEADER_REQUEST && outcome != NULL && !outcome->given_up)
        FIND(self->verify, self->here, kept->index, same_leaves,
             "The other side answered this and does not have it: lost or suppressed there.",
             "a request to %s is not in its log (type %d: %s)", self->there->view->server, type,
             pair_type_word(type));
    else
        list(&self->listed[type], kept->index, healed);
}

static const struct kept *answer_to(const struct comparing *self, const struct kept *kept)
{
    const struct outcome *outcome = kept->kind == HEADER_REQUEST
                                        ? map_get(&self->outcomes, sha256_span(&kept->leaf_hash))
                                        : NULL;
    return outcome == NULL ? NULL : outcome->answer;
}

/* Told, in one finding, with the end that the other side has lost. */
static bool is_told(struct comparing *self, const struct kept *kept)
{
    const struct kept *answer = answer_to(self, kept);
    return is_lost_there(self->there, kept) ||
           (answer != NULL && is_lost_there(self->there, answer));
}

/* Told with all else that the other side's copy is too old for. */
static bool is_beyond(struct comparing *self, const struct kept *kept)
{
    const struct kept *answer = answer_to(self, kept);
    return verify_is_beyond(self->there, kept) ||
           (answer != NULL && verify_is_answered_beyond(self->there, kept, answer));
}

static void compare(struct comparing *self, struct pair_tally *tally, const struct kept *kept)
{
    const char *own = self->here->view->server, *other = self->there->view->server;
    bool sent = strcmp(kept->sender_server, own) == 0 && strcmp(kept->receiver_server, other) == 0;
    bool got = strcmp(kept->sender_server, other) == 0 && strcmp(kept->receiver_server, own) == 0;
    if (kept->time_ms > self->there->walked_ms - SETTLED_MS)
        return;
    if (got)
        check_head(self->verify, self->here, self->there, kept);
    if (sent == got || verify_is_later(self->verify, kept) ||
        verify_find_leaf(self->there, &kept->leaf_hash, NULL) != NULL || is_told(self, kept))
        return;
    enum pair_type type = pair_type_of(kept->kind, sent, false);
    bool healed = verify_late_came(self->verify, self->there, kept, self->here);
    if (!healed && is_beyond(self, kept))
        return;
    tally->count[type]++;
    tally->healed[type] += healed;
    if (got)
        miss_theirs(self, kept, type, healed);
    else
        miss_ours(self, kept, type, healed);
}

void verify_pair(struct verify *self, struct log *here, struct log *there)
{
    struct comparing comparing = {.verify = self, .here = here, .there = there};
    struct pair_tally *tally = tally_of(self, here, there);
    note_outcomes(here, &comparing.outcomes);
    for (const struct log *at = here->later; at != NULL; at = at->later)
        note_outcomes(at, &comparing.outcomes);
    for (uint64_t i = 0; i < here->count; i++)
        if (here->entry[i].kind != 0 && here->entry[i].kind < HEADER_STARTED)
            compare(&comparing, tally, &here->entry[i]);
    for (enum pair_type type = 1; type < PAIR_TYPES_END; type++)
        remark_listed(self, here, there, type, &comparing.listed[type]);
    outcomes_clear(&comparing.outcomes);
}

// --- types 8 and 9: order and clocks ------------------------------------------------------------

/* Who answers has the request in its log, and so in the head that it signs into the answer. */
static void check_answer(struct verify *self, struct log *log, const struct kept *kept)
{
    uintptr_t at = (uintptr_t)map_get(&log->by_hash, sha256_span(&kept->reply_to));
    if (at == 0)
        return;
    const struct kept *request = &log->entry[at - 1];
    if (kept_is_own(log, kept) && kept->log_epoch == log->view->epoch && at > kept->log_size &&
        at - 1 < kept->index) {
        verify_count_type(self, log, PAIR_ORDER);
        FIND(self, log, kept->index, "request precedes answer", pair_type_meaning(PAIR_ORDER),
             "the request that it answers is entry %" PRIu64 ", but when it was signed the log had "
             "%" PRIu64 " entries (type %d: %s)",
             (uint64_t)at - 1, kept->log_size, PAIR_ORDER, pair_type_word(PAIR_ORDER));
    }
    if (kept->kind == HEADER_RESPONSE && kept->time_ms < request->time_ms - FRESH_FUTURE_MS) {
        verify_count_type(self, log, PAIR_CLOCK);
        FIND(self, log, kept->index, "time", pair_type_meaning(PAIR_CLOCK),
             "it is dated %" PRId64 " ms before the request that it answers (type %d: %s)",
             request->time_ms - kept->time_ms, PAIR_CLOCK, pair_type_word(PAIR_CLOCK));
    }
}

static void check_order(struct verify *self, struct log *log)
{
    uint64_t from_future = 0;
    for (uint64_t i = 0; i < log->count; i++) {
        const struct kept *kept = &log->entry[i];
        if (kept->kind == 0 || kept->kind >= HEADER_STARTED)
            continue;
        if (kept->has_reply_to)
            check_answer(self, log, kept);
        from_future += kept->kind == HEADER_FAULT && kept->fault == FROM_FUTURE;
    }
    if (from_future > 0) {
        verify_count_type(self, log, PAIR_CLOCK);
        REMARK(self, log, "%" PRIu64 " refusal%s of messages from the future (type %d: %s). %s",
               from_future, from_future == 1 ? "" : "s", PAIR_CLOCK, pair_type_word(PAIR_CLOCK),
               pair_type_meaning(PAIR_CLOCK));
    }
}

void verify_acts(struct verify *self)
{
    for (size_t i = 0; i < self->logs; i++)
        if (self->log[i].view != NULL)
            check_order(self, &self->log[i]);
    verify_twins(self);
}

// --- telling ------------------------------------------------------------------------------------

static json_t *tally_json(const struct pair_tally *tally)
{
    json_t *object = json_object(), *types = json_array();
    json_put_text(object, "a", span_of_text(tally->a->view->server));
    json_put_text(object, "b", span_of_text(tally->b->view->server));
    for (enum pair_type type = 1; type < PAIR_TYPES_END; type++) {
        json_t *one = json_object();
        json_put_number(one, "type", type);
        json_put_text(one, "finding", span_of_text(pair_type_word(type)));
        json_put_number(one, "count", tally->count[type]);
        json_put_number(one, "healed", tally->healed[type]);
        json_put_text(one, "meaning", span_of_text(pair_type_meaning(type)));
        json_put_text(one, "action", span_of_text(pair_type_action(type)));
        json_array_append_new(types, one);
    }
    json_object_set_new(object, "types", types);
    return object;
}

json_t *verify_pairs_json(const struct verify *self)
{
    json_t *array = json_array();
    for (size_t i = 0; i < self->tallies; i++)
        json_array_append_new(array, tally_json(&self->tally[i]));
    return array;
}
