// SPDX-License-Identifier: MIT
#include "lib/bus/audit_log_private.h"

#include "lib/base/file.h"
#include "lib/bus/header.h"
#include "lib/crypto/cades.h"

#include <inttypes.h>

#define PATH_BYTES AUDIT_PATH_BYTES

uint64_t audit_log_first(const struct audit_log *self)
{
    return self->pruned.first;
}

/* What is removed can be proved by tiles only: they must reach so far, and be of this log. */
static fault check_tiles(struct audit_log *self, uint64_t before, struct merkle *tree)
{
    char path[PATH_BYTES];
    OWNED(bytes) note = NULL;
    struct checkpoint head = {.size = 0};
    struct sha256 proof[MERKLE_PROOF_MAX];
    size_t length = 0;
    audit_log_path(self->folder, self->epoch, "checkpoint", path, sizeof path);
    fault f = file_read(path, NOTE_BYTES_MAX, &note);
    if (!failed(f))
        f = checkpoint_open(bytes_span(note), &self->key, &head);
    if (failed(f) || head.size < before)
        return RAISE(REFUSED, "the tiles do not reach entry %" PRIu64 " yet: try again later",
                     before);
    *strrchr(path, '/') = '\0';
    OWNED(tile_reader) tiles = tile_reader_new(path, head.size);
    TRY(pruned_tree(tiles, before, tree));
    TRY(tile_reader_consistency(tiles, before, proof, &length));
    struct sha256 root = merkle_root(tree);
    f = merkle_consistency_check(before, &root, head.size, &head.root, proof, length);
    return failed(f)
               ? RAISE(LOG_BROKEN, "the tiles of %s are not those of its checkpoint", self->folder)
               : DONE;
}

static fault header_at(struct audit_log *self, uint64_t index, struct bytes **leaf,
                       struct header_read **out)
{
    struct cades_parts parts;
    TRY(wal_read(self->wal, index, leaf));
    TRY(cades_parse(bytes_span(*leaf), &parts));
    return header_decode(parts.content, out);
}

static fault check_age(struct audit_log *self, uint64_t before, int64_t oldest_ms)
{
    OWNED(bytes) leaf = NULL;
    OWNED(header_read) read = NULL;
    TRY(header_at(self, before - 1, &leaf, &read));
    return header_of(read)->time_ms <= oldest_ms
               ? DONE
               : RAISE(REFUSED, "entry %" PRIu64 " is too young to be removed", before - 1);
}

/* Content is erased as an act of its own, with its own ground, before its record goes. */
static fault check_erased(struct audit_log *self, const uint64_t *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        OWNED(bytes) leaf = NULL;
        OWNED(header_read) read = NULL;
        char day[DAY_TEXT_BYTES] = "", folder[PATH_BYTES];
        TRY(header_at(self, list[i], &leaf, &read));
        if (header_of(read)->kind >= HEADER_STARTED)
            continue;
        log_epoch_payloads(self->folder, self->epoch, folder, sizeof folder);
        ignore(payload_store_day_of(folder, list[i], day)); /* only words */
        return RAISE(REFUSED,
                     "entry %" PRIu64 " of %s still holds its payload: erase those days first, "
                     "chaski erase --day %s",
                     list[i], day, day);
    }
    return DONE;
}

static fault bound_prune(struct audit_log *self, struct audit_pruning *work)
{
    struct merkle tree;
    uint64_t wanted = work->before < self->tree.size ? work->before : self->tree.size;
    work->before = wal_bound(self->wal, wanted);
    if (work->before <= self->pruned.first || work->before == self->tree.size)
        return RAISE(NOT_FOUND,
                     "no whole segment lies before entry %" PRIu64
                     "; a log is removed by segments, and the last one stays",
                     wanted);
    TRY(check_age(self, work->before, work->oldest_ms));
    TRY(check_tiles(self, work->before, &tree));
    work->root = merkle_root(&tree);
    work->next = self->pruned.first;
    work->bounded = true;
    return DONE;
}

fault audit_log_plan_prune(struct audit_log *self, struct audit_pruning *work)
{
    uint64_t list[AUDIT_SLOTS_A_STEP];
    size_t held = 0;
    if (!work->bounded)
        TRY(bound_prune(self, work));
    TRY(payload_store_held(self->payloads, work->next, work->before - 1, AUDIT_SLOTS_A_STEP, list,
                           &held, &work->next));
    TRY(check_erased(self, list, held));
    work->more = work->next < work->before;
    return DONE;
}

/* What became of the epoch before is said in entry 0, which auditors must be able to read for as
 * long as that epoch is there: its leaf stays, and the tree proves it. */
static fault keep_first(struct audit_log *self)
{
    OWNED(bytes) leaf = NULL;
    if (self->epoch == 1 || self->pruned.first > 0)
        return DONE;
    TRY(wal_read(self->wal, 0, &leaf));
    return pruned_first_write(self->folder, self->epoch, bytes_span(leaf));
}

/* First the files that say so, then what they say. */
static fault note_prune(struct audit_log *self, struct audit_pruning *work)
{
    struct pruned pruned = {.first = work->before, .act = work->act};
    TRY(check_tiles(self, work->before, &pruned.tree));
    TRY(keep_first(self));
    TRY(pruned_write(self->folder, self->epoch, &pruned));
    self->pruned = pruned;
    return DONE;
}

fault audit_log_prune(struct audit_log *self, struct audit_pruning *work)
{
    if (!work->noted) {
        if (work->before > self->pruned.first)
            TRY(note_prune(self, work));
        work->next = 0;
        work->noted = true;
    }
    TRY(pruned_drop_bundles(self->folder, self->epoch, self->pruned.first, &work->next,
                            &work->more));
    if (work->more)
        return DONE;
    TRY(audit_settle_for_good(self));
    TRY(payload_store_drop_before(self->payloads, self->pruned.first));
    return wal_drop_before(self->wal, self->pruned.first);
}
