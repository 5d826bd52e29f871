// SPDX-License-Identifier: MIT
/* Logs against one another: both sides of an exchange hold the same leaves, and a server shows all
 * of them one history. */
#include "tools/audit/verify.h"

#include "lib/base/text.h"

#include <inttypes.h>
#include <stdlib.h>

#define SETTLED_MS 2000 /* younger entries may not have reached the other log yet */

/* A consumer's request that never reached the provider is followed by the consumer's own fault. */
static bool was_given_up(const struct log *log, const struct kept *request)
{
    for (uint64_t i = request->index + 1; i < log->count; i++)
        if (log->entry[i].kind == HEADER_FAULT && log->entry[i].has_reply_to &&
            sha256_equal(&log->entry[i].reply_to, &request->leaf_hash) &&
            strcmp(log->entry[i].sender_server, log->view->server) == 0)
            return true;
    return false;
}

static bool has_answer(const struct log *log, const struct kept *request)
{
    for (uint64_t i = request->index + 1; i < log->count; i++)
        if (log->entry[i].has_reply_to &&
            sha256_equal(&log->entry[i].reply_to, &request->leaf_hash))
            return true;
    return false;
}

/* What `here` holds of exchanges with `there`, and `there` does not. */
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
            verify_head(self, there, kept, here);
        if ((!sent && !got) || map_get(&there->by_hash, sha256_span(&kept->leaf_hash)) != NULL)
            continue;
        if (got)
            FIND(self, here, i, "both sides hold the same leaves",
                 "The other side signed this and does not have it: lost or suppressed there.",
                 "%s of %s is not in its own log", header_kind_word(kept->kind), other);
        else if (kept->kind == HEADER_REQUEST && has_answer(here, kept) &&
                 !was_given_up(here, kept))
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
        !text_format(key, sizeof key, "%s %" PRIu64, kept->sender_server, kept->log_size))
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
             kept->log_size, kept->sender_server, first->kept->index, first->log->view->folder);
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
        report_remark(self->report, b->view->folder, "is the same log as %s", a->view->folder);
}

void verify_logs(struct verify *self)
{
    for (size_t i = 0; i < self->logs; i++)
        for (size_t k = 0; k < self->logs; k++) {
            struct log *here = &self->log[i], *there = &self->log[k];
            if (i == k || here->view == NULL || there->view == NULL)
                continue;
            check_symmetry(self, here, there);
            if (i < k)
                check_doubles(self, here, there);
        }
    check_claims(self);
}
