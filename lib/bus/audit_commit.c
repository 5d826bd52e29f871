// SPDX-License-Identifier: MIT
/*
 * Append: payloads, slots and leaves of a group go into the journal, which is flushed once, and
 * then into their own files, which are flushed when the journal has gone one lap. No file has
 * anything of a group before the journal has all of it.
 */
#include "lib/bus/audit_log_private.h"

#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/log_epoch.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES AUDIT_PATH_BYTES
#define FILES 4 /* by enum journal_file */

/* With the keys: whoever may not have those may not have this. */
static fault journal_path(const char *folder, unsigned epoch, char out[PATH_BYTES])
{
    char payloads[PATH_BYTES];
    log_epoch_payloads(folder, epoch, payloads, sizeof payloads);
    return text_format(out, PATH_BYTES, "%s/keys/journal", payloads)
               ? DONE
               : RAISE(BAD_CONFIG, "the log folder's name is too long");
}

// --- after a stop -------------------------------------------------------------------------------

struct redo {
    const char *folder;
    unsigned epoch;
    struct target {
        int fd; /* -1: none is open */
        uint64_t name, key;
        bool gone;
    } target[FILES];
};

static fault end_target(struct target *target)
{
    fault f = DONE;
    if (target->fd >= 0 && fdatasync(target->fd) != 0)
        f = RAISE(LOG_FAILED, "what the journal holds could not be written again: %m");
    if (target->fd >= 0)
        close(target->fd);
    *target = (struct target){.fd = -1};
    return f;
}

static fault open_leaves(const struct redo *self, uint64_t first, int *fd_out)
{
    char folder[PATH_BYTES], path[PATH_BYTES];
    audit_log_path(self->folder, self->epoch, "wal", folder, sizeof folder);
    wal_segment_path(folder, first, path, sizeof path);
    *fd_out = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (*fd_out >= 0)
        return DONE;
    return errno == ENOENT ? RAISE(NOT_FOUND, "%s is not there", path)
                           : RAISE(LOG_FAILED, "%s: %m", path);
}

static fault open_beside(const struct redo *self, const struct journal_part *part, int *fd_out)
{
    const struct payload_part like = {
        .slots = part->file == JOURNAL_SLOTS, .day = part->name, .key = part->key};
    char folder[PATH_BYTES];
    log_epoch_payloads(self->folder, self->epoch, folder, sizeof folder);
    return payload_store_reopen(folder, &like, fd_out);
}

/* A file that is not there was pruned, or is lost: the log's size tells which. */
static fault go_to_target(const struct redo *self, const struct journal_part *part,
                          struct target *target)
{
    int fd = -1;
    if ((target->fd >= 0 || target->gone) && target->name == part->name && target->key == part->key)
        return DONE;
    TRY(end_target(target));
    fault f = part->file == JOURNAL_LEAVES ? open_leaves(self, part->name, &fd)
                                           : open_beside(self, part, &fd);
    if (failed(f) && f.code != NOT_FOUND)
        return f;
    *target = (struct target){fd, part->name, part->key, failed(f)};
    return DONE;
}

static fault redo_part(void *owner, const struct journal_part *part)
{
    struct redo *self = owner;
    if (part->file < JOURNAL_LEAVES || part->file > JOURNAL_SLOTS || part->at > INT64_MAX)
        return RAISE(LOG_BROKEN, "the journal names a file that there is not");
    struct target *target = &self->target[part->file];
    TRY(go_to_target(self, part, target));
    if (target->gone)
        return DONE;
    fault f = file_write_at(target->fd, part->bytes, (off_t)part->at);
    return failed(f) ? RAISE(LOG_FAILED, "%s", fault_detail()) : DONE;
}

fault audit_redo(const char *folder, unsigned epoch, uint64_t *size)
{
    struct redo self = {.folder = folder, .epoch = epoch};
    char path[PATH_BYTES];
    for (size_t i = 0; i < FILES; i++)
        self.target[i].fd = -1;
    TRY(journal_path(folder, epoch, path));
    fault f = journal_read(path, redo_part, &self, size);
    for (size_t i = 0; i < FILES; i++) {
        fault ended = end_target(&self.target[i]);
        f = failed(f) ? f : ended;
    }
    return f;
}

fault audit_journal_open(const char *folder, unsigned epoch, struct journal **out)
{
    char path[PATH_BYTES];
    TRY(journal_path(folder, epoch, path));
    *strrchr(path, '/') = '\0';
    TRY(file_make_folders(path, 0700));
    TRY(journal_path(folder, epoch, path));
    return journal_open(path, out);
}

// --- append -------------------------------------------------------------------------------------

static fault take_payload(struct audit_log *self, const struct audit_record *record,
                          int64_t wall_ms)
{
    return record->salt_only ? payload_store_write_salt(self->payloads, record->index,
                                                        &record->leaf_hash, record->blob, wall_ms)
                             : payload_store_write(self->payloads, record->index,
                                                   &record->leaf_hash, record->blob, wall_ms);
}

/* Where everything will go, with room for it; what may fail for a passing reason happens here. */
static fault stage_group(struct audit_log *self, struct audit_record *records, size_t count,
                         int64_t wall_ms, struct journal_part *parts, size_t *made)
{
    struct span leaves[AUDIT_GROUP_MAX];
    struct payload_part beside[PAYLOAD_PARTS_MAX];
    struct wal_place place;
    for (size_t i = 0; i < count; i++) {
        records[i].index = self->tree.size + i;
        records[i].leaf_hash = merkle_leaf_hash(records[i].leaf);
        leaves[i] = records[i].leaf;
        TRY(take_payload(self, &records[i], wall_ms));
    }
    TRY(payload_store_stage(self->payloads, beside, made));
    for (size_t i = 0; i < *made; i++)
        parts[i] =
            (struct journal_part){beside[i].slots ? JOURNAL_SLOTS : JOURNAL_PAYLOADS, beside[i].day,
                                  beside[i].at, beside[i].key, beside[i].bytes};
    TRY(wal_stage(self->wal, self->tree.size, leaves, count, &place));
    parts[(*made)++] =
        (struct journal_part){JOURNAL_LEAVES, place.segment, place.at, 0, place.frames};
    return DONE;
}

/* It is promised by the journal, and there is room: a write that fails now is a broken disk. The
 * next start writes it again. */
static void put_group(struct audit_log *self)
{
    if (failed(payload_store_put(self->payloads))) {
        EVENT(ERROR, "audit.write_failed", E_TEXT("folder", self->folder),
              E_TEXT("error", fault_detail()));
        abort();
    }
    wal_put(self->wal);
}

void audit_settle(struct audit_log *self)
{
    payload_store_sync(self->payloads);
    wal_sync(self->wal);
    journal_rewind(self->journal);
    self->begun = 0;
}

fault audit_settle_for_good(struct audit_log *self)
{
    audit_settle(self);
    return journal_wipe(self->journal);
}

/* The disk is kept busy with the files a little at a time, so that the lap's end is no long wait.
 * The first group is settled at once: the log's existence is told by its segment. */
static void settle_when_due(struct audit_log *self)
{
    size_t used = journal_used(self->journal);
    if (used >= JOURNAL_LAP_BYTES || self->tree.size == 0) {
        audit_settle(self);
    } else if (used - self->begun >= JOURNAL_AHEAD_BYTES) {
        payload_store_sync_ahead(self->payloads);
        wal_sync_ahead(self->wal);
        self->begun = used;
    }
}

fault audit_log_append(struct audit_log *self, struct audit_record *records, size_t count,
                       int64_t wall_ms)
{
    struct journal_part parts[PAYLOAD_PARTS_MAX + 1];
    size_t made = 0;
    assert(count <= AUDIT_GROUP_MAX);
    if (count == 0)
        return DONE;
    for (size_t i = 0; i < count; i++)
        assert(records[i].leaf.size > 0 && records[i].leaf.size <= LEAF_BYTES_MAX);
    TRY(stage_group(self, records, count, wall_ms, parts, &made));
    TRY(journal_write(self->journal, self->tree.size, (uint32_t)count, parts, made));
    put_group(self);
    settle_when_due(self);
    for (size_t i = 0; i < count; i++)
        merkle_append(&self->tree, &records[i].leaf_hash);
    self->root = merkle_root(&self->tree);
    return DONE;
}
