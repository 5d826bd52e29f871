// SPDX-License-Identifier: MIT
/* What the logs say, summed up. An exchange is counted once, in whichever of the logs it stands. */
#include "tools/audit/picture.h"

#include "lib/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define MONDAY_MS (4 * DAY) /* 1970-01-05: weeks begin on Mondays */

// --- once each ----------------------------------------------------------------------------------

static const struct kept *find_leaf(const struct log *log, const struct sha256 *leaf_hash)
{
    uintptr_t at = (uintptr_t)map_get(&log->by_hash, sha256_span(leaf_hash));
    return at == 0 ? NULL : &log->entry[at - 1];
}

static bool stands_before(const struct verify *verify, const struct log *log,
                          const struct kept *kept)
{
    for (const struct log *before = verify->log; before < log; before++)
        if (find_leaf(before, &kept->leaf_hash) != NULL)
            return true;
    return kept->again;
}

static bool is_in_time(const struct picture *self, const struct kept *kept)
{
    return kept->time_ms >= self->from_ms && kept->time_ms <= self->until_ms;
}

/* An exchange is dated by its request, if there is one. */
static bool is_shown(const struct picture *self, const struct kept *begun)
{
    return is_in_time(self, begun) &&
           (self->member[0] == '\0' || strcmp(begun->caller, self->member) == 0 ||
            strcmp(begun->provider, self->member) == 0);
}

// --- the axis -----------------------------------------------------------------------------------

struct times {
    int64_t *at;
    size_t count, room;
};

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void gather_times(const struct picture *self, struct times *out)
{
    for (size_t i = 0; i < self->verify->logs; i++)
        out->room += self->verify->log[i].count;
    out->at = owned_array(out->room + 1, sizeof *out->at);
    for (size_t i = 0; i < self->verify->logs; i++) {
        const struct log *log = &self->verify->log[i];
        for (uint64_t k = 0; k < log->count; k++)
            if (log->entry[k].kind != 0 && is_in_time(self, &log->entry[k]))
                out->at[out->count++] = log->entry[k].time_ms;
    }
    if (out->count > 0)
        qsort(out->at, out->count, sizeof *out->at, by_time);
}

static int64_t width_for(int64_t span_ms)
{
    static const int64_t widths[] = {SECOND,      5 * SECOND, 15 * SECOND, MINUTE,   5 * MINUTE,
                                     15 * MINUTE, HOUR,       3 * HOUR,    6 * HOUR, 12 * HOUR,
                                     DAY,         7 * DAY,    28 * DAY,    364 * DAY};
    size_t last = sizeof widths / sizeof widths[0] - 1;
    for (size_t i = 0; i < last; i++)
        if (span_ms / widths[i] + 2 <= PICTURE_BUCKETS)
            return widths[i];
    return widths[last];
}

/* Ends at the outermost times, unless a few of them lie so far off that nothing else could be
 * seen: whoever writes an entry chooses its time. */
static void lay_axis(struct picture *self)
{
    struct times times = {0};
    gather_times(self, &times);
    if (times.count > 0) {
        size_t aside = times.count / 200;
        int64_t from = times.at[0], until = times.at[times.count - 1];
        int64_t near = times.at[aside], far = times.at[times.count - 1 - aside];
        if (until - from > 8 * (far - near + MINUTE) && aside > 0)
            from = near, until = far;
        int64_t width = width_for(until - from);
        self->axis.width_ms = width;
        self->axis.from_ms = (from - MONDAY_MS) / width * width + MONDAY_MS;
        self->axis.buckets = (size_t)((until - self->axis.from_ms) / width) + 1;
    }
    free(times.at);
}

bool axis_bucket(const struct axis *self, int64_t time_ms, size_t *out)
{
    if (self->buckets == 0 || time_ms < self->from_ms)
        return false;
    *out = (size_t)((time_ms - self->from_ms) / self->width_ms);
    return *out < self->buckets;
}

// --- outcomes -----------------------------------------------------------------------------------

static enum outcome outcome_of(const struct kept *kept)
{
    if (kept->kind == HEADER_RESPONSE)
        return kept->status < 400 || kept->status > 999 ? OUTCOME_OK
               : kept->status < 500                     ? OUTCOME_REFUSED
                                                        : OUTCOME_FAILED;
    bool callers =
        fault_known(kept->fault) && fault_blame((enum fault_code)kept->fault) == BLAME_CALLER;
    return callers ? OUTCOME_REFUSED : OUTCOME_FAILED;
}

static void count(struct tally *tally, enum outcome outcome, int64_t more)
{
    tally->by[outcome] += (uint64_t)more;
}

static struct pair *pair_of(struct picture *self, const struct kept *kept)
{
    char key[2 * ID_BYTES_MAX + 2];
    bool fits = text_format(key, sizeof key, "%s\n%s", kept->caller, kept->provider);
    struct pair *pair = fits ? map_get(&self->pairs, span_of_text(key)) : NULL;
    if (pair == NULL) {
        pair = owned_new(sizeof *pair);
        pair->caller = kept->caller;
        pair->provider = kept->provider;
        map_set(&self->pairs, span_of_text(key), pair);
    }
    return pair;
}

/* Adds an exchange, or moves one that was open to its outcome. */
static void count_exchange(struct picture *self, const struct kept *begun, enum outcome outcome,
                           bool moved)
{
    struct tally *tallies[] = {&self->tally, &pair_of(self, begun)->tally, NULL};
    size_t bucket = 0;
    if (axis_bucket(&self->axis, begun->time_ms, &bucket))
        tallies[2] = &self->bucket[bucket];
    else
        self->axis.outside += !moved;
    for (size_t i = 0; i < 3 && (i < 2 || tallies[i] != NULL); i++) {
        tallies[i]->all += !moved;
        if (moved)
            count(tallies[i], OUTCOME_NONE, -1);
        count(tallies[i], outcome, 1);
    }
}

static void name_outcome(const struct kept *kept, char out[32])
{
    if (kept->kind == HEADER_RESPONSE)
        snprintf(out, 32, "status %" PRIu32, kept->status);
    else if (fault_known(kept->fault))
        snprintf(out, 32, "%s", fault_name((enum fault_code)kept->fault));
    else
        snprintf(out, 32, "%s", "FAULT_OTHER");
}

/* What a service said of its own was allowed, so the rule in it is no reason. */
static void count_reason(struct picture *self, const struct kept *kept, enum outcome group)
{
    char key[POLICY_RULE_ROOM + 40], outcome[32];
    const char *rule = kept->kind == HEADER_RESPONSE ? "" : kept->rule;
    if (group == OUTCOME_OK)
        return;
    name_outcome(kept, outcome);
    text_format(key, sizeof key, "%s\n%s", outcome, rule);
    struct reason *reason = map_get(&self->reasons, span_of_text(key));
    if (reason == NULL) {
        reason = owned_new(sizeof *reason);
        reason->rule = rule;
        reason->group = group;
        memcpy(reason->outcome, outcome, sizeof outcome);
        map_set(&self->reasons, span_of_text(key), reason);
    }
    reason->count++;
}

// --- a request and its outcome ------------------------------------------------------------------

/* Requests by exchange: for refusals of what could not be verified, which name no leaf. */
static struct map by_exchange_of(const struct picture *self)
{
    struct map map = {0};
    for (size_t i = 0; i < self->verify->logs; i++)
        for (uint64_t k = 0; k < self->verify->log[i].count; k++) {
            struct kept *kept = &self->verify->log[i].entry[k];
            struct span id = span_of(kept->exchange_id, EXCHANGE_ID_BYTES);
            if (kept->kind == HEADER_REQUEST && map_get(&map, id) == NULL)
                map_set(&map, id, kept);
        }
    return map;
}

/* The first place of a leaf among all logs: there its outcome is noted. */
static struct kept *first_place(const struct picture *self, const struct sha256 *leaf_hash)
{
    for (size_t i = 0; i < self->verify->logs; i++) {
        const struct log *log = &self->verify->log[i];
        uintptr_t at = (uintptr_t)map_get(&log->by_hash, sha256_span(leaf_hash));
        if (at != 0)
            return &log->entry[at - 1];
    }
    return NULL;
}

static struct kept *request_of(const struct picture *self, const struct map *by_exchange,
                               const struct kept *outcome)
{
    struct kept *request =
        outcome->has_reply_to
            ? first_place(self, &outcome->reply_to)
            : map_get(by_exchange, span_of(outcome->exchange_id, EXCHANGE_ID_BYTES));
    if (request == NULL || request->kind != HEADER_REQUEST || request->has_outcome)
        return NULL;
    bool asked =
        outcome->has_reply_to || strcmp(outcome->receiver_server, request->sender_server) == 0;
    return asked ? request : NULL;
}

static void note_latency(struct picture *self, int64_t took_ms)
{
    if (took_ms < 0) {
        self->backwards++;
        return;
    }
    if ((self->latencies & (self->latencies - 1)) == 0) /* full at each power of two */
        self->latency = owned_grow(self->latency, 2 * self->latencies + 1, sizeof *self->latency);
    self->latency[self->latencies++] = took_ms;
}

static void count_outcome(struct picture *self, const struct map *by_exchange, struct kept *kept)
{
    struct kept *request = request_of(self, by_exchange, kept);
    enum outcome outcome = outcome_of(kept);
    if (request != NULL)
        request->has_outcome = true;
    if (!is_shown(self, request != NULL ? request : kept))
        return;
    count_reason(self, kept, outcome);
    picture_count_withheld(self, kept, request != NULL ? request->service : kept->service);
    if (request == NULL) {
        self->lone++;
        count_exchange(self, kept, outcome, false);
        return;
    }
    count_exchange(self, request, outcome, true);
    if (kept->kind == HEADER_RESPONSE)
        note_latency(self, kept->time_ms - request->time_ms);
}

/* Entries that are part of an exchange, each leaf once; requests first. */
static void count_all(struct picture *self, bool requests, const struct map *by_exchange)
{
    for (size_t i = 0; i < self->verify->logs; i++) {
        const struct log *log = &self->verify->log[i];
        for (uint64_t k = 0; k < log->count; k++) {
            struct kept *kept = &log->entry[k];
            if (kept->kind == 0 || kept->kind >= HEADER_STARTED ||
                (kept->kind == HEADER_REQUEST) != requests ||
                stands_before(self->verify, log, kept))
                continue;
            if (!requests)
                count_outcome(self, by_exchange, kept);
            else if (is_shown(self, kept))
                self->requests++, count_exchange(self, kept, OUTCOME_NONE, false);
        }
    }
}

void picture_sum(struct picture *self)
{
    struct map by_exchange = by_exchange_of(self);
    lay_axis(self);
    count_all(self, true, &by_exchange);
    count_all(self, false, &by_exchange);
    map_clear(&by_exchange);
    if (self->latencies > 0)
        qsort(self->latency, self->latencies, sizeof *self->latency, by_time);
}

void picture_sums_free(struct picture *self)
{
    size_t step = 0;
    for (void *at; (at = map_next(&self->pairs, &step, NULL)) != NULL;)
        free(at);
    step = 0;
    for (void *at; (at = map_next(&self->reasons, &step, NULL)) != NULL;)
        free(at);
    step = 0;
    for (void *at; (at = map_next(&self->held_back, &step, NULL)) != NULL;)
        free(at);
    map_clear(&self->held_back);
    map_clear(&self->pairs);
    map_clear(&self->reasons);
    free(self->latency);
}
