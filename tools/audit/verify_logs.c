// SPDX-License-Identifier: MIT
/* Logs against one another: both sides of an exchange hold the same leaves, and a server shows all
 * of them one history. */
#include "tools/audit/verify.h"

#include "lib/base/text.h"

#include <inttypes.h>
#include <stdlib.h>

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
                verify_pair(self, here, there);
            if (i < k)
                check_doubles(self, here, there);
        }
    check_claims(self);
    verify_acts(self);
}
