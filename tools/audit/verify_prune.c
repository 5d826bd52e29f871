// SPDX-License-Identifier: MIT
/*
 * A log whose beginning was removed: its leaf hashes stay in the tiles, so that every root, proof
 * and reply is checked as before; what the entries said is gone, and a record of the log answers
 * for it.
 */
#include "tools/audit/verify.h"

#include <inttypes.h>
#include <stdlib.h>

fault verify_pruned_read(struct log *log)
{
    if (log->view->pruned.first == 0)
        return DONE;
    fault f = log_view_pruned_hashes(log->view, &log->pruned_hash);
    return failed(f) ? RAISE(LOG_BROKEN,
                             "what was pruned can be proved by tile/0 only, which must be copied "
                             "along: %.200s",
                             fault_detail())
                     : DONE;
}

/* Entry 0 of a later epoch stays, for it says what became of the epoch before. */
static void take_first(struct verify *self, struct log *log)
{
    OWNED(bytes) leaf = NULL;
    if (log->view->epoch == 1 ||
        failed(pruned_first_read(log->view->folder, log->view->epoch, &leaf)))
        return; /* found with the epoch */
    struct sha256 hash = merkle_leaf_hash(bytes_span(leaf));
    if (sha256_equal(&hash, &log->entry[0].leaf_hash))
        log->first_leaf = TAKE(leaf);
    else
        FIND(self, log, 0, "pruned", "What was kept of it is not what stood there.",
             "first.leaf is not the entry 0 that the tree holds");
}

void verify_pruned(struct verify *self, struct log *log)
{
    log->first = log->view->pruned.first;
    if (log->first == 0)
        return;
    for (uint64_t i = 0; i < log->first; i++)
        verify_keep(log, i, &log->pruned_hash[i]);
    free(log->pruned_hash);
    log->pruned_hash = NULL;
    take_first(self, log);
}

void verify_prune_act(struct verify *self, struct log *log)
{
    static const char removed[] =
        "The beginning of the log was removed, and nobody answers for it.";
    if (log->first == 0)
        return;
    if (log->pruned == NULL) {
        FIND(self, log, log->view->pruned.act, "pruned", removed,
             "it is said to be the record that removed the entries before %" PRIu64 ", and is none",
             log->first);
        return;
    }
    const struct header_pruned *what = header_of(log->pruned)->pruned;
    if (what->before != log->first || !verify_root_is(log, log->first, &what->root))
        FIND(self, log, log->view->pruned.act, "pruned", removed,
             "it removes the first %" PRIu64 " entries of another log, or others than these",
             what->before);
}
