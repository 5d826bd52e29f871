// SPDX-License-Identifier: MIT
#include "lib/bus/closed_log.h"

#include "lib/bus/audit_log_private.h"
#include "lib/bus/log_epoch.h"
#include "lib/bus/pruned.h"

#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 512

struct closed_log {
    unsigned epoch;
    struct merkle tree;
    struct wal *wal;
    struct payload_store *payloads;
};

struct walk {
    struct closed_log *log;
    audit_visit *visit;
    void *owner;
};

static fault take_leaf(void *owner, uint64_t index, struct span leaf)
{
    const struct walk *walk = owner;
    struct sha256 hash = merkle_leaf_hash(leaf);
    merkle_append(&walk->log->tree, &hash);
    fault f = walk->visit == NULL ? DONE : walk->visit(walk->owner, index, leaf, &hash);
    return f.code == LOG_BROKEN ? DONE : f;
}

/* It may have been closed without a start between: what was acknowledged last belongs to it. Then
 * no copy of that stays, for its payloads may be erased. */
static fault redo(const char *folder, unsigned epoch, const char *wal)
{
    OWNED(journal) blank = NULL;
    uint64_t size = 0;
    int lock = -1;
    if (access(wal, F_OK) != 0)
        return DONE;
    TRY(wal_lock(wal, &lock));
    fault f = audit_redo(folder, epoch, &size);
    if (!failed(f) && size > 0)
        f = audit_journal_open(folder, epoch, &blank);
    close(lock);
    return f;
}

fault closed_log_open(const char *folder, unsigned epoch, const struct key_holder *holder,
                      audit_visit *visit, void *owner, struct closed_log **out)
{
    OWNED(closed_log) self = owned_new(sizeof *self);
    struct walk walk = {self, visit, owner};
    char path[PATH_BYTES];
    uint64_t size = 0;
    struct pruned pruned;
    if (strlen(folder) > 300)
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    self->epoch = epoch;
    TRY(pruned_read(folder, epoch, &pruned));
    self->tree = pruned.tree;
    audit_log_path(folder, epoch, "wal", path, sizeof path);
    TRY(redo(folder, epoch, path));
    TRY(wal_open_closed(path, pruned.first, take_leaf, &walk, &self->wal, &size));
    log_epoch_payloads(folder, epoch, path, sizeof path);
    TRY(payload_store_open_closed(path, holder, &self->payloads));
    *out = TAKE(self);
    return DONE;
}

void closed_log_free(struct closed_log **self)
{
    if (*self == NULL)
        return;
    payload_store_free(&(*self)->payloads);
    wal_free(&(*self)->wal);
    free(*self);
    *self = NULL;
}

unsigned closed_log_epoch(const struct closed_log *self)
{
    return self->epoch;
}

struct audit_head closed_log_head(const struct closed_log *self)
{
    return (struct audit_head){self->tree.size, merkle_root(&self->tree)};
}

struct wal *closed_log_leaves(struct closed_log *self)
{
    return self->wal;
}

struct payload_store *closed_log_payloads(struct closed_log *self)
{
    return self->payloads;
}
