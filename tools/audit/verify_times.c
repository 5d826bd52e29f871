// SPDX-License-Identifier: MIT
/*
 * Time stamps that a log has taken in: is each token that it names still there, and do the times in
 * the entries lie between the stamps around them?
 */
#include "tools/audit/verify.h"

#include "lib/bus/payload_store.h"

#include "audit.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>

#define SKEW_MS 60000 /* clocks of honest nodes and authorities differ by less */

struct timing {
    struct verify *verify;
    struct log *log;
    uint64_t logged;  /* records that a stamp was taken in */
    uint64_t last;    /* ... the entry of the last one */
    uint64_t sealed;  /* ... those that could not be opened */
    uint64_t missing; /* ... those whose token is not there, and of the last of these: */
    uint64_t missing_size, missing_index;
};

// --- tokens and the records of them -------------------------------------------------------------

/* Its token, if there is one: NULL. confirmed[] stands in the order of sizes. */
static struct confirmed *token_of(const struct log *log, uint64_t size)
{
    const struct confirmed wanted = {.size = size};
    struct confirmed *found = log->confirmations == 0
                                  ? NULL
                                  : bsearch(&wanted, log->confirmed, log->confirmations,
                                            sizeof *log->confirmed, verify_by_size);
    return found != NULL && found->token ? found : NULL;
}

static int by_entry(const void *a, const void *b)
{
    uint64_t x = ((const struct stamp_act *)a)->index, y = ((const struct stamp_act *)b)->index;
    return x < y ? -1 : x > y;
}

/* What its signed header names; NULL: nothing, as in records of before it could. */
static const struct stamp_act *act_of(const struct log *log, uint64_t index)
{
    const struct stamp_act wanted = {.index = index};
    return log->stamps == 0
               ? NULL
               : bsearch(&wanted, log->stamp, log->stamps, sizeof *log->stamp, by_entry);
}

static int64_t miss_token(struct timing *self, uint64_t size, uint64_t index)
{
    self->missing++;
    self->missing_size = size;
    self->missing_index = index;
    return 0;
}

/* By the signed header: needs no key. */
static int64_t named_stamp(struct timing *self, const struct stamp_act *act)
{
    struct confirmed *token = token_of(self->log, act->size);
    if (token == NULL)
        return miss_token(self, act->size, act->index);
    if (!sha256_equal(&token->token_hash, &act->token))
        return 0; /* check_named judges */
    token->logged = true;
    return token->stamp_ms;
}

/* By the payload, when it can be read. */
static int64_t sealed_stamp(struct timing *self, uint64_t index)
{
    OWNED(bytes) blob = NULL;
    enum payload_state state = PAYLOAD_NONE;
    const struct log *log = self->log;
    if (failed(
            payload_reader_read(log->reader, index, &log->entry[index].leaf_hash, &state, &blob)))
        return 0;
    self->sealed += state == PAYLOAD_SEALED;
    if (blob == NULL || blob->size < SALT_BYTES)
        return 0;
    Chaski__StampText *text =
        chaski__stamp_text__unpack(NULL, blob->size - SALT_BYTES, blob->data + SALT_BYTES);
    if (text == NULL)
        return 0;
    uint64_t size = text->size;
    chaski__stamp_text__free_unpacked(text, NULL);
    const struct confirmed *token = token_of(log, size);
    return token == NULL ? miss_token(self, size, index) : token->stamp_ms;
}

/* The time of the stamp that entry `index` logs; 0 when it logs none that can be read and stands.
 */
static int64_t logged_stamp(struct timing *self, uint64_t index)
{
    const struct stamp_act *act = act_of(self->log, index);
    return act != NULL ? named_stamp(self, act) : sealed_stamp(self, index);
}

/* A token is never replaced by another one: a later one over the same checkpoint would date the
 * entries before it later than they are. */
static void check_named(struct timing *self)
{
    const struct log *log = self->log;
    for (size_t i = 0; i < log->stamps; i++) {
        const struct confirmed *token = token_of(log, log->stamp[i].size);
        if (token != NULL && !token->logged)
            FIND(self->verify, log, log->stamp[i].index, "time stamp",
                 "The token that the log took in was exchanged for another one.",
                 "it names another token over cp/%" PRIu64 " than the one that is there",
                 log->stamp[i].size);
    }
}

// --- the sandwich -------------------------------------------------------------------------------

/* Signed after the last stamp that its embedded head covers, before the first that covers it. */
static void check_times(struct timing *self)
{
    struct log *log = self->log;
    /* after[n]: newest stamp logged among the first n entries */
    int64_t *after = owned_array(log->count + 1, sizeof *after);
    size_t next = 0;
    for (uint64_t i = 0; i < log->count; i++) {
        bool logs = log->entry[i].kind == HEADER_STAMPED && kept_is_own(log, &log->entry[i]);
        int64_t stamp_ms = logs ? logged_stamp(self, i) : 0;
        if (logs)
            self->logged++, self->last = i;
        after[i + 1] = stamp_ms > after[i] ? stamp_ms : after[i];
    }
    for (uint64_t i = 0; i < log->count; i++) {
        const struct kept *kept = &log->entry[i];
        while (next < self->log->confirmations &&
               (self->log->confirmed[next].size <= i || self->log->confirmed[next].stamp_ms == 0))
            next++;
        if (!kept_is_own(log, kept) || kept->log_size > log->count)
            continue;
        if (kept->time_ms + SKEW_MS < after[kept->log_size])
            FIND(self->verify, log, i, "time", "It was dated back: its clock was wrong or lied.",
                 "dated %" PRId64 " s before a time stamp that it covers",
                 (after[kept->log_size] - kept->time_ms) / 1000);
        if (next < self->log->confirmations &&
            kept->time_ms > self->log->confirmed[next].stamp_ms + SKEW_MS)
            FIND(self->verify, log, i, "time", "It was dated ahead: its clock was wrong or lied.",
                 "dated %" PRId64 " s after a time stamp that covers it",
                 (kept->time_ms - self->log->confirmed[next].stamp_ms) / 1000);
    }
    free(after);
    if (self->sealed > 0)
        REMARK(self->verify, log,
               "%" PRIu64
               " logged time stamp%s sealed: without --store-key it was not checked that "
               "no entry was dated back",
               self->sealed, self->sealed == 1 ? " is" : "s are");
}

/* A token lies in cp/ before the record of it is written. While a running node's log is copied the
 * newest one may be missed. */
static void check_tokens(struct timing *self)
{
    static const char removed[] = "What vouches for the age of the log was taken away (or the copy "
                                  "was made in the middle of it: then copy again).";
    const struct log *log = self->log;
    uint64_t tokens = 0;
    for (size_t i = 0; i < log->confirmations; i++)
        tokens += log->confirmed[i].token;
    bool is_newest = self->missing == 1 && self->missing_index == self->last;
    if (self->logged > 0 && tokens == 0)
        FIND(self->verify, log, self->last, "time stamp", removed,
             "it is the last of %" PRIu64
             " records that a time stamp was taken in, and cp/ holds no token",
             self->logged);
    else if (self->missing > 0 && !is_newest)
        FIND(self->verify, log, self->missing_index, "time stamp", removed,
             "it says that cp/%" PRIu64
             ".tst was taken in, and that token is not there; nor are %" PRIu64 " others",
             self->missing_size, self->missing - 1);
}

void verify_times(struct verify *self, struct log *log)
{
    struct timing timing = {.verify = self, .log = log};
    check_times(&timing);
    check_named(&timing);
    check_tokens(&timing);
}
