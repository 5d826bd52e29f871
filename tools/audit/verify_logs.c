// SPDX-License-Identifier: MIT
/* Logs against one another: both sides of an exchange hold the same leaves, and a server shows all
 * of them one history. */
#include "tools/audit/verify.h"

#include "lib/base/text.h"

#include <inttypes.h>
#include <stdlib.h>

#define SETTLED_MS 2000 /* younger entries may not have reached the other log yet */

/* A consumer's request that never reached the provider is followed by the consumer's own fault. */
static bool was_given_up(const struct log *log, uint64_t from, const struct kept *request)
{
    for (uint64_t i = from; i < log->count; i++)
        if (log->entry[i].kind == HEADER_FAULT && log->entry[i].has_reply_to &&
            sha256_equal(&log->entry[i].reply_to, &request->leaf_hash) &&
            strcmp(log->entry[i].sender_server, log->view->server) == 0)
            return true;
    return false;
}

static const struct kept *find_answer(const struct log *log, uint64_t from,
                                      const struct kept *request)
{
    for (uint64_t i = from; i < log->count; i++)
        if (log->entry[i].has_reply_to &&
            sha256_equal(&log->entry[i].reply_to, &request->leaf_hash))
            return &log->entry[i];
    return NULL;
}

/* Signed by the other side when its log was longer than it is now? */
static bool is_lost_there(struct log *there, const struct kept *kept)
{
    if (strcmp(kept->sender_server, there->view->server) != 0)
        return false;
    const struct log *of = verify_epoch_of(there, kept->log_epoch);
    return of != NULL && verify_is_lost(of, kept);
}

/* What became of it is in this epoch or a later one. */
static bool is_given_up(const struct log *here, const struct kept *request)
{
    for (const struct log *at = here; at != NULL; at = at->later)
        if (was_given_up(at, at == here ? request->index + 1 : 0, request))
            return true;
    return false;
}

static const struct kept *answer_to(const struct log *here, const struct kept *request)
{
    for (const struct log *at = here; at != NULL; at = at->later) {
        const struct kept *answer = find_answer(at, at == here ? request->index + 1 : 0, request);
        if (answer != NULL)
            return answer;
    }
    return NULL;
}

/* A head that the other side signed, against the epoch of its log that it is of. */
static void check_head(struct verify *self, struct log *here, struct log *there,
                       const struct kept *kept)
{
    const struct log *of = verify_epoch_of(there, kept->log_epoch);
    if (of == NULL)
        FIND(self, here, kept->index, "append only", "An epoch of the signer's log is missing.",
             "it embeds a head of epoch %u of %s, which is not in %s", kept->log_epoch,
             there->view->server, there->view->folder);
    else if (of->later == NULL || kept->log_size <= of->count)
        verify_head(self, of, kept, here);
}

/* What `here` holds of exchanges with `there`, and no epoch of `there` does. */
static void check_symmetry(struct verify *self, struct log *here, struct log *there)
{
    const char *own = here->view->server, *other = there->view->server;
    for (uint64_t i = 0; i < here->count; i++) {
        const struct kept *kept = &here->entry[i];
        if (kept->sender_server == NULL || kept->kind >= HEADER_STARTED)
            continue;
        bool sent =
            strcmp(kept->sender_server, own) == 0 && strcmp(kept->receiver_server, other) == 0;
        bool got =
            strcmp(kept->sender_server, other) == 0 && strcmp(kept->receiver_server, own) == 0;
        if (kept->time_ms > there->walked_ms - SETTLED_MS)
            continue;
        if (got)
            check_head(self, here, there, kept);
        if ((!sent && !got) || verify_find_leaf(there, &kept->leaf_hash, NULL) != NULL)
            continue;
        const struct kept *answer = kept->kind == HEADER_REQUEST ? answer_to(here, kept) : NULL;
        /* told, in one finding, with the end that the other side has lost */
        if (is_lost_there(there, kept) || (answer != NULL && is_lost_there(there, answer)))
            continue;
        if (got)
            FIND(self, here, i, "both sides hold the same leaves",
                 "The other side signed this and does not have it: lost or suppressed there.",
                 "%s of %s is not in its own log", header_kind_word(kept->kind), other);
        else if (kept->kind == HEADER_REQUEST && answer != NULL && !is_given_up(here, kept))
            FIND(self, here, i, "both sides hold the same leaves",
                 "The other side answered this and does not have it: lost or suppressed there.",
                 "a request to %s is not in its log", other);
        /* An answer that was never fetched, or a request cut off by a crash, is evidence enough on
         * the side that has it. */
    }
}

// --- heads of those whose log is not here -------------------------------------------------------

struct claim {
    const struct log *log;
    const struct kept *kept;
};

static void check_claim(struct verify *self, struct map *claims, const struct log *log,
                        const struct kept *kept)
{
    char key[ID_TEXT_BYTES_MAX + 32];
    if (kept->kind == 0 || kept->log_size == 0 ||
        !text_format(key, sizeof key, "%s %u %" PRIu64, kept->sender_server, kept->log_epoch,
                     kept->log_size))
        return;
    struct claim *first = map_get(claims, span_of_text(key));
    if (first == NULL) {
        first = owned_new(sizeof *first);
        *first = (struct claim){log, kept};
        map_set(claims, span_of_text(key), first);
    } else if (!sha256_equal(&first->kept->log_root, &kept->log_root)) {
        FIND(self, log, kept->index, "one history",
             "The signer has shown two histories of one log: the two entries convict it.",
             "it embeds a head of %" PRIu64 " entries of %s with another root than entry %" PRIu64
             " of %s",
             kept->log_size, kept->sender_server, first->kept->index, first->log->view->name);
    }
}

/* Two heads of one size have one root, whoever holds them. */
static void check_claims(struct verify *self)
{
    struct map claims = {0};
    for (size_t i = 0; i < self->logs; i++)
        for (uint64_t k = 0; k < self->log[i].count; k++)
            check_claim(self, &claims, &self->log[i], &self->log[i].entry[k]);
    size_t step = 0;
    for (struct claim *at; (at = map_next(&claims, &step, NULL)) != NULL;)
        free(at);
    map_clear(&claims);
}

static void check_doubles(struct verify *self, const struct log *a, const struct log *b)
{
    if (strcmp(a->view->log_key.name, b->view->log_key.name) == 0)
        REMARK(self, b, "is the same log as %s", a->view->name);
}

static bool is_same_folder(const struct log *a, const struct log *b)
{
    return verify_epoch_of((struct log *)(uintptr_t)b, a->view->epoch) == a;
}

void verify_logs(struct verify *self)
{
    for (size_t i = 0; i < self->logs; i++)
        for (size_t k = 0; k < self->logs; k++) {
            struct log *here = &self->log[i], *there = &self->log[k];
            if (i == k || here->view == NULL || there->view == NULL)
                continue;
            if (there->before == NULL && !is_same_folder(here, there))
                check_symmetry(self, here, there);
            if (i < k)
                check_doubles(self, here, there);
        }
    check_claims(self);
}
