// SPDX-License-Identifier: MIT
/* Logs against one another: both sides of an exchange hold the same leaves, and a server shows all
 * of them one history. */
#include "tools/audit/verify.h"

#include "lib/base/text.h"

#include <inttypes.h>
#include <stdlib.h>

// --- heads of those whose log is not here -------------------------------------------------------

struct claim {
    struct sha256 root;
    const struct log *log;
    const struct kept *kept; /* which of its entries, or ... */
    const struct held *held; /* ... which file beside it */
};

/* The claim of this head that was seen first; `claim` itself when it is the first. */
static const struct claim *first_claim(struct map *claims, const char *server, unsigned epoch,
                                       uint64_t size, const struct claim *claim)
{
    char key[ID_TEXT_BYTES_MAX + 32];
    if (!text_format(key, sizeof key, "%s %u %" PRIu64, server, epoch, size))
        return claim;
    struct claim *first = map_get(claims, span_of_text(key));
    if (first == NULL) {
        first = owned_new(sizeof *first);
        *first = *claim;
        map_set(claims, span_of_text(key), first);
    }
    return first;
}

static void check_claim(struct verify *self, struct map *claims, const struct log *log,
                        const struct kept *kept)
{
    struct claim claim = {.root = kept->log_root, .log = log, .kept = kept};
    if (kept->kind == 0 || kept->log_size == 0)
        return;
    const struct claim *first =
        first_claim(claims, kept->sender_server, kept->log_epoch, kept->log_size, &claim);
    if (!sha256_equal(&first->root, &claim.root))
        FIND(self, log, kept->index, "one history",
             "The signer has shown two histories of one log: the two entries convict it.",
             "it embeds a head of %" PRIu64 " entries of %s with another root than entry %" PRIu64
             " of %s",
             kept->log_size, kept->sender_server, first->kept->index, first->log->view->name);
}

/* After the entries: what stands in files is compared with them too. Of a log that is here it has
 * been compared with the log itself. */
static void check_held_claim(struct verify *self, struct map *claims, const struct held *held)
{
    struct claim claim = {.root = held->head.root, .log = held->holder, .held = held};
    if (held->server[0] == '\0' || held->head.size == 0 || verify_held_is_here(self, held))
        return;
    const struct claim *first =
        first_claim(claims, held->server, held->epoch, held->head.size, &claim);
    if (sha256_equal(&first->root, &claim.root))
        return;
    char place[48] = "";
    if (first->kept != NULL)
        text_format(place, sizeof place, "entry %" PRIu64, first->kept->index);
    FIND(self, held->holder, REPORT_WHOLE, "one history",
         "The signer has shown two histories of one log: the two heads convict it.",
         "%s holds a head of %" PRIu64 " entries of %s with another root than %s of %s", held->file,
         held->head.size, held->server, first->held != NULL ? first->held->file : place,
         first->log->view->name);
}

/* Two heads of one size have one root, whoever holds them. */
static void check_claims(struct verify *self)
{
    struct map claims = {0};
    for (size_t i = 0; i < self->logs; i++)
        for (uint64_t k = 0; k < self->log[i].count; k++)
            check_claim(self, &claims, &self->log[i], &self->log[i].entry[k]);
    for (size_t i = 0; i < self->helds; i++)
        check_held_claim(self, &claims, &self->held[i]);
    size_t step = 0;
    for (struct claim *at; (at = map_next(&claims, &step, NULL)) != NULL;)
        free(at);
    map_clear(&claims);
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
                verify_pair(self, here, there);
            if (i < k)
                verify_copies(self, here, there);
        }
    verify_older(self);
    check_claims(self);
    verify_acts(self);
}
