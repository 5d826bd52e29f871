// SPDX-License-Identifier: MIT
#include "lib/bus/audit_log_private.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/closed_log.h"
#include "lib/bus/header.h"
#include "lib/bus/limits.h"
#include "lib/crypto/cades.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES AUDIT_PATH_BYTES

void audit_log_path(const char *folder, unsigned epoch, const char *what, char *out, size_t room)
{
    bool fits = text_format(out, room, "%s/log/%u/%s", folder, epoch, what);
    assert(fits);
}

/* What the walk over the leaves at start needs to know. */
struct recovering {
    struct audit_log *log;
    struct checkpoint promised;
    audit_visit *visit;
    void *owner;
};

static fault root_differs(const char *folder, unsigned epoch, uint64_t size)
{
    return RAISE(
        LOG_SHRUNK,
        "%s: the first %" PRIu64 " entries are not the ones that the checkpoint was signed "
        "over: the log was altered. Put back the original files of log/%u/wal; or, if they "
        "are lost, close this epoch: " LOG_EPOCH_REMEDY,
        folder, size, epoch);
}

static fault take_leaf(void *owner, uint64_t index, struct span leaf)
{
    struct recovering *self = owner;
    struct sha256 hash = merkle_leaf_hash(leaf);
    merkle_append(&self->log->tree, &hash);
    if (self->promised.size == index + 1) {
        struct sha256 root = merkle_root(&self->log->tree);
        if (!sha256_equal(&root, &self->promised.root))
            return root_differs(self->log->folder, self->log->epoch, self->promised.size);
    }
    return self->visit == NULL ? DONE : self->visit(self->owner, index, leaf, &hash);
}

/* No checkpoint yet is a new log. */
static fault read_promise(const struct audit_log_options *options, struct checkpoint *out)
{
    char path[PATH_BYTES];
    OWNED(bytes) note = NULL;
    audit_log_path(options->folder, options->epoch, "promise", path, sizeof path);
    fault f = file_read(path, NOTE_BYTES_MAX, &note);
    if (f.code == NOT_FOUND) {
        out->size = 0;
        return DONE;
    }
    TRY(f);
    if (failed(checkpoint_open(bytes_span(note), options->key, out)))
        return RAISE(LOG_BROKEN, "%s is not signed by this log's key", path);
    return DONE;
}

// --- the end ------------------------------------------------------------------------------------

static void last_file(const struct audit_log *self, const struct wal_end *end, char out[PATH_BYTES])
{
    char wal[PATH_BYTES];
    audit_log_path(self->folder, self->epoch, "wal", wal, sizeof wal);
    wal_segment_path(wal, end->last_first, out, PATH_BYTES);
}

/* Says which file is to be put back, and with what in it. `needed`: entries that there must be. */
static fault is_shrunk(const struct audit_log *self, const struct wal_end *end, const char *why,
                       uint64_t needed)
{
    char file[PATH_BYTES];
    last_file(self, end, file);
    return RAISE(LOG_SHRUNK,
                 "the log holds %" PRIu64 " entries, but %s: entries %" PRIu64 " to %" PRIu64
                 " are missing. Put back %s (and later ones) with these entries in it; or, if they "
                 "are lost, close this epoch: " LOG_EPOCH_REMEDY ". Nothing was changed",
                 end->size, why, end->size, needed - 1, file);
}

/* The first group of a log is its STARTED record alone. */
static uint64_t group_most(uint64_t size)
{
    return size == 0 ? 1 : AUDIT_GROUP_MAX;
}

struct tail_walk {
    const char *server;
    uint64_t size;
    bool committed; /* a later record was signed when the entry at the end stood in the log */
};

/* A record of our own names the size that our log had when it was signed. */
static fault look_at_later(void *owner, uint64_t index, struct span leaf)
{
    struct tail_walk *walk = owner;
    struct cades_parts parts;
    OWNED(header_read) read = NULL;
    (void)index;
    if (failed(cades_parse(leaf, &parts)) || failed(header_decode(parts.content, &read)))
        return DONE;
    const struct header *header = header_of(read);
    if (span_is_text(header->sender_server, walk->server) && header->log_size > walk->size)
        walk->committed = true;
    return DONE;
}

/* Is what stands after the last whole record the rest of a write that a stop tore apart? */
static fault check_tail(struct audit_log *self, const struct wal_end *end, const char *server)
{
    struct tail_walk walk = {.server = server, .size = end->size};
    char file[PATH_BYTES];
    last_file(self, end, file);
    if (server != NULL)
        TRY(wal_visit_tail(self->wal, look_at_later, &walk));
    if (walk.committed ||
        (end->after_count > 0 && end->after_last - end->size >= group_most(end->size)))
        return RAISE(LOG_BROKEN,
                     "%s is damaged at entry %" PRIu64 ", and %" PRIu64
                     " whole entries stand after it, up to %" PRIu64
                     ". Put back the undamaged file; or, if it is lost, close this "
                     "epoch: " LOG_EPOCH_REMEDY ". Nothing was changed",
                     file, end->size, end->after_count, end->after_last);
    return DONE;
}

static fault check_end(struct audit_log *self, const struct audit_log_options *options,
                       const struct checkpoint *promised, const struct wal_end *end,
                       uint64_t journaled)
{
    char folder[PATH_BYTES];
    if (end->size < promised->size)
        return is_shrunk(self, end, "its checkpoint promises more", promised->size);
    if (end->size < journaled)
        return is_shrunk(self, end, "its journal held more", journaled);
    TRY(check_tail(self, end, options->server));
    /* before a slab changes its key: slots under the old one would come back */
    TRY(audit_journal_open(options->folder, options->epoch, &self->journal));
    log_epoch_payloads(options->folder, options->epoch, folder, sizeof folder);
    TRY(payload_store_open(folder, end->size, &options->holder, &self->payloads));
    uint64_t ahead = payload_store_ahead(self->payloads);
    if (ahead > group_most(end->size))
        return is_shrunk(self, end, "payloads of more are kept", end->size + ahead);
    return DONE;
}

fault audit_log_open(const struct audit_log_options *options, audit_visit *visit, void *owner,
                     struct audit_log **out, struct audit_recovery *recovery)
{
    OWNED(audit_log) self = owned_new(sizeof *self);
    struct recovering walk = {.log = self, .visit = visit, .owner = owner};
    char path[PATH_BYTES];
    struct wal_end end;
    uint64_t journaled = 0;
    int lock = -1;
    if (strlen(options->folder) > 300 ||
        !text_format(self->folder, sizeof self->folder, "%s", options->folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    self->epoch = options->epoch;
    TRY(read_promise(options, &walk.promised));
    TRY(pruned_read(options->folder, options->epoch, &self->pruned));
    self->tree = self->pruned.tree;
    self->key = *options->key;
    audit_log_path(options->folder, options->epoch, "wal", path, sizeof path);
    TRY(wal_lock(path, &lock));
    fault f = audit_redo(options->folder, options->epoch, &journaled);
    if (failed(f)) {
        close(lock);
        return f;
    }
    TRY(wal_open_from(path, options->segment_bytes, self->pruned.first, lock, take_leaf, &walk,
                      &self->wal, &end));
    TRY(check_end(self, options, &walk.promised, &end, journaled));
    TRY(wal_cut_tail(self->wal));
    self->root = merkle_root(&self->tree);
    *recovery = (struct audit_recovery){end.size,
                                        end.cut_bytes,
                                        walk.promised.size,
                                        end.after_count,
                                        payload_store_ahead(self->payloads),
                                        end.last_first};
    *out = TAKE(self);
    return DONE;
}

void audit_log_free(struct audit_log **self)
{
    if (*self == NULL)
        return;
    if ((*self)->journal != NULL && (*self)->payloads != NULL)
        ignore(audit_settle_for_good(*self)); /* what is left in it is written once more */
    journal_free(&(*self)->journal);
    payload_store_free(&(*self)->payloads);
    wal_free(&(*self)->wal);
    for (size_t i = 0; i < (*self)->closed_count; i++)
        closed_log_free(&(*self)->closed[i]);
    free(*self);
    *self = NULL;
}

void audit_log_add_closed(struct audit_log *self, struct closed_log **closed)
{
    assert(self->closed_count < LOG_EPOCHS_MAX);
    self->closed[self->closed_count++] = TAKE(*closed);
}

/* Where an epoch's leaves and payloads are. */
struct parts {
    struct wal *wal;
    struct payload_store *payloads;
    uint64_t size;
};

static fault parts_of(struct audit_log *self, unsigned epoch, struct parts *out)
{
    if (epoch == self->epoch) {
        *out = (struct parts){self->wal, self->payloads, self->tree.size};
        return DONE;
    }
    for (size_t i = 0; i < self->closed_count; i++)
        if (closed_log_epoch(self->closed[i]) == epoch) {
            *out = (struct parts){closed_log_leaves(self->closed[i]),
                                  closed_log_payloads(self->closed[i]),
                                  closed_log_head(self->closed[i]).size};
            return DONE;
        }
    return RAISE(NOT_FOUND, "this log has no epoch %u", epoch);
}

struct audit_head audit_log_head(const struct audit_log *self)
{
    return (struct audit_head){self->tree.size, self->root};
}

fault audit_log_keep_checkpoint(struct audit_log *self, struct span note)
{
    char path[PATH_BYTES];
    audit_settle(self); /* who follows the segments reads up to it, also after a power cut */
    audit_log_path(self->folder, self->epoch, "promise", path, sizeof path);
    return file_replace(path, note, 0644);
}

fault audit_log_rest(struct audit_log *self, bool *more)
{
    bool preparing = wal_prepare(self->wal);
    if (payload_store_rewraps(self->payloads))
        TRY(audit_settle_for_good(self)); /* slots under the old key must not come back */
    fault f = payload_store_rewrap_step(self->payloads, more);
    *more |= preparing;
    return f;
}

struct payload_store *audit_log_payloads(struct audit_log *self)
{
    return self->payloads;
}

fault audit_log_read(struct audit_log *self, uint64_t place, struct bytes **leaf,
                     struct bytes **blob)
{
    uint64_t index = audit_place_index(place);
    struct parts from;
    OWNED(bytes) found = NULL;
    OWNED(bytes) content = NULL;
    enum payload_state state;
    TRY(parts_of(self, audit_place_epoch(place), &from));
    TRY(wal_read(from.wal, index, &found));
    struct sha256 hash = merkle_leaf_hash(bytes_span(found));
    TRY(payload_store_read_own(from.payloads, index, &hash, &state, &content));
    *blob = state == PAYLOAD_HELD ? TAKE(content) : NULL;
    *leaf = TAKE(found);
    return DONE;
}

static fault is_covered(struct wal *wal, const struct erasure *what, uint64_t index, bool *out)
{
    OWNED(bytes) leaf = NULL;
    OWNED(header_read) read = NULL;
    struct cades_parts parts;
    TRY(wal_read(wal, index, &leaf));
    TRY(cades_parse(bytes_span(leaf), &parts));
    TRY(header_decode(parts.content, &read));
    *out = erasure_covers(what, index, header_of(read)->kind, header_of(read)->service);
    return DONE;
}

fault audit_log_erase(struct audit_log *self, struct audit_erasing *work)
{
    uint64_t list[AUDIT_SLOTS_A_STEP], next = work->next, erased = 0;
    size_t held = 0, covered = 0;
    struct parts of;
    TRY(parts_of(self, work->epoch, &of));
    if (of.size == 0)
        return RAISE(NOT_FOUND, "the log is empty");
    uint64_t last = work->what->last < of.size ? work->what->last : of.size - 1;
    if (work->next <= last)
        TRY(payload_store_held(of.payloads, work->next, last, AUDIT_SLOTS_A_STEP, list, &held,
                               &next));
    for (size_t i = 0; i < held; i++) {
        bool is = false;
        TRY(is_covered(of.wal, work->what, list[i], &is));
        if (is)
            list[covered++] = list[i];
    }
    if (!work->only_count && covered > 0)
        TRY(audit_settle_for_good(self));
    if (!work->only_count)
        TRY(payload_store_erase(of.payloads, list, covered, &erased));
    work->found += covered;
    work->next = next > last ? work->what->last + 1 : next;
    return DONE;
}
