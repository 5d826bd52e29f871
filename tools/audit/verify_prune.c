// SPDX-License-Identifier: MIT
/*
 * A log whose beginning was removed: its leaf hashes stay in the tiles, so that every root, proof
 * and reply is checked as before; what the entries said is gone, and a record of the log answers
 * for it.
 */
#include "tools/audit/verify.h"

#include <inttypes.h>
#include <stdlib.h>

fault verify_pruned(struct verify *self, struct log *log)
{
    uint64_t first = log->view->pruned.first;
    log->first = first;
    if (first == 0)
        return DONE;
    struct sha256 *hashes = owned_array(first, sizeof *hashes);
    fault f = log_view_pruned_hashes(log->view, hashes);
    for (uint64_t i = 0; i < first && !failed(f); i++)
        verify_keep(log, i, &hashes[i]);
    free(hashes);
    if (failed(f))
        return RAISE(f.code,
                     "%s: what was pruned can be proved by tile/0 only, which must be copied "
                     "along: %.200s",
                     log->view->folder, fault_detail());
    (void)self;
    return DONE;
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
    if (what->before != log->first || !sha256_equal(&what->root, &log->root[log->first]))
        FIND(self, log, log->view->pruned.act, "pruned", removed,
             "it removes the first %" PRIu64 " entries of another log, or others than these",
             what->before);
}
