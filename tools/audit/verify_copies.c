// SPDX-License-Identifier: MIT
/*
 * Copies of one log, of one moment or of different ones: as far as the shorter one goes both hold
 * the same entries, and every head that the log's key signed, in whichever folder it lies, fits
 * both. Each copy of a forked log is sound by itself; only beside the other it tells.
 *
 * A copy that is merely shorter is no finding: what stands beyond its end is here, and checked.
 */
#include "tools/audit/verify.h"

#include "lib/base/text.h"

#include <inttypes.h>

#define LISTED_MAX 5
#define LISTED_BYTES 96 /* a file's name and its size */

void verify_note_signed(struct log *log, const char *file, const struct checkpoint *head)
{
    struct signed_head one = {.size = head->size, .root = head->root};
    text_format(one.file, sizeof one.file, "%s", file);
    log->signed_head =
        owned_grow(log->signed_head, log->signed_heads + 1, sizeof *log->signed_head);
    log->signed_head[log->signed_heads++] = one;
}

// --- entries ------------------------------------------------------------------------------------

/* True: as far as both go they are the same. */
static bool check_entries(struct verify *self, const struct log *here, const struct log *there)
{
    uint64_t both = here->count < there->count ? here->count : there->count, at = 0;
    struct sha256 root = roots_at(here->roots, both);
    if (verify_root_is(there, both, &root))
        return true;
    while (at + 1 < both && sha256_equal(&here->entry[at].leaf_hash, &there->entry[at].leaf_hash))
        at++;
    FIND(self, there, at, "one history",
         "One log was shown in two histories: whoever has its key wrote both, or one of the copies "
         "was altered. What is signed in each tells which.",
         "%s is the same log, and has another entry %" PRIu64, here->view->name, at);
    return false;
}

// --- heads --------------------------------------------------------------------------------------

static void check_heads(struct verify *self, const struct log *holder, const struct log *other)
{
    char list[LISTED_MAX * LISTED_BYTES] = "";
    uint64_t count = 0;
    for (size_t i = 0; i < holder->signed_heads; i++) {
        const struct signed_head *head = &holder->signed_head[i];
        if (head->size > other->count || verify_root_is(other, head->size, &head->root))
            continue;
        size_t used = strlen(list);
        if (count < LISTED_MAX)
            text_format(list + used, sizeof list - used, "%slog/%u/%s (%" PRIu64 " entries)",
                        count == 0 ? "" : ", ", holder->view->epoch, head->file, head->size);
        count++;
    }
    if (count > 0)
        FIND(self, holder, REPORT_WHOLE, "one history",
             "The log's key has signed two histories: these heads, and the other copy, convict it "
             "(unless that copy was altered, which is then found in it).",
             "%" PRIu64 " head%s signed by this log, in %s%s: not what %s holds, which is the same "
             "log",
             count, count == 1 ? "" : "s", list, count > LISTED_MAX ? ", ..." : "",
             other->view->name);
}

// --- ends ---------------------------------------------------------------------------------------

static uint64_t reach_of(const struct log *log)
{
    uint64_t size = log->count;
    for (size_t i = 0; i < log->signed_heads; i++)
        if (log->signed_head[i].size > size)
            size = log->signed_head[i].size;
    return size;
}

/* A closed epoch does not grow: what another copy has of it beyond its end was lost here. */
static void check_closed(struct verify *self, const struct log *log, const struct log *other)
{
    uint64_t size = reach_of(other);
    if (log->later != NULL && size > log->count + log->lost)
        FIND(self, log, REPORT_WHOLE, "lost tail",
             "More was lost with the end of this epoch than the record that closed it says.",
             "%s is the same log and knows of %" PRIu64 " entries of this epoch, and %" PRIu64
             " are here",
             other->view->name, size, log->count);
}

static void remark(struct verify *self, const struct log *here, const struct log *there)
{
    const struct log *longer = here->count > there->count ? here : there;
    const struct log *shorter = longer == here ? there : here;
    if (longer->count == shorter->count)
        REMARK(self, there, "is the same log as %s", here->view->name);
    else
        REMARK(self, shorter,
               "is the same log as %s, which goes on where this ends, after %" PRIu64
               " entries: an older copy, or cut off there",
               longer->view->name, shorter->count);
}

void verify_copies(struct verify *self, struct log *here, struct log *there)
{
    if (strcmp(here->view->log_key.name, there->view->log_key.name) != 0)
        return;
    if (check_entries(self, here, there))
        remark(self, here, there);
    check_heads(self, here, there);
    check_heads(self, there, here);
    check_closed(self, here, there);
    check_closed(self, there, here);
}
