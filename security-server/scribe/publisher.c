// SPDX-License-Identifier: MIT
#include "security-server/scribe/publisher.h"

#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/audit_log.h"
#include "lib/bus/header.h"
#include "lib/bus/log_epoch.h"
#include "lib/bus/pruned.h"
#include "lib/bus/tile_log.h"
#include "lib/bus/wal.h"
#include "lib/crypto/cades.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 512
#define ENTRIES_A_STEP 20000

struct publisher {
    char audit_folder[PATH_BYTES - 64];
    char folder[PATH_BYTES - 32]; /* of this epoch */
    unsigned epoch;
    struct note_key key;
    struct tile_writer *tiles;
    struct wal_reader *segments;
    struct checkpoint promised;
    int64_t promised_ms;   /* when its note was written */
    struct bytes *promise; /* its note */
    struct checkpoint published;
    bool traffic; /* entries since then that are more than our own stamps */
    struct timespec cosigned_stamp;
};

static void path_in(const struct publisher *self, const char *name, char out[PATH_BYTES])
{
    audit_log_path(self->audit_folder, self->epoch, name, out, PATH_BYTES);
}

static fault read_key(struct publisher *self)
{
    char path[PATH_BYTES];
    OWNED(bytes) vkey = NULL;
    if (!text_format(path, sizeof path, "%s/anchor/log.vkey", self->audit_folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    TRY(file_read(path, 1024, &vkey));
    struct span line = bytes_span(vkey);
    while (line.size > 0 && line.at[line.size - 1] == '\n')
        line.size--;
    struct note_key registered;
    TRY(note_key_parse(line, &registered));
    return log_epoch_key(&registered, self->epoch, &self->key);
}

fault publisher_read(const struct publisher *self, const char *name, struct bytes **note,
                     struct checkpoint *out)
{
    char path[PATH_BYTES];
    path_in(self, name, path);
    TRY(file_read(path, NOTE_BYTES_MAX, note));
    return checkpoint_open(bytes_span(*note), &self->key, out);
}

/* What was pruned is in the tiles only. */
static fault begin_anew(struct publisher *self)
{
    struct pruned pruned;
    TRY(pruned_read(self->audit_folder, self->epoch, &pruned));
    if (pruned.first > 0)
        return RAISE(LOG_BROKEN,
                     "the tiles are damaged, and the entries before %" PRIu64
                     " were pruned: put back tile/ and checkpoint from a copy",
                     pruned.first);
    struct merkle empty = {0};
    struct sha256 root = merkle_root(&empty);
    self->published = (struct checkpoint){.size = 0};
    return tile_writer_open(self->folder, 0, &root, &self->tiles);
}

/* Tiles are derived: when they or the checkpoint are damaged, the segments make them again. */
static fault open_tiles(struct publisher *self)
{
    OWNED(bytes) note = NULL;
    fault f = publisher_read(self, "checkpoint", &note, &self->published);
    if (f.code == NOT_FOUND)
        return begin_anew(self);
    if (!failed(f))
        f = tile_writer_open(self->folder, self->published.size, &self->published.root,
                             &self->tiles);
    if (!failed(f))
        return DONE;
    EVENT(WARN, "scribe.tiles_made_anew", E_FAULT(f));
    return begin_anew(self);
}

fault publisher_open(const char *audit_folder, unsigned epoch, struct publisher **out)
{
    OWNED(publisher) self = owned_new(sizeof *self);
    self->epoch = epoch;
    if (!text_format(self->audit_folder, sizeof self->audit_folder, "%s", audit_folder) ||
        !text_format(self->folder, sizeof self->folder, "%s/log/%u", audit_folder, epoch))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    TRY(read_key(self));
    TRY(open_tiles(self));
    *out = TAKE(self);
    return DONE;
}

void publisher_free(struct publisher **self)
{
    if (*self == NULL)
        return;
    tile_writer_free(&(*self)->tiles);
    wal_reader_free(&(*self)->segments);
    bytes_free(&(*self)->promise);
    free(*self);
    *self = NULL;
}

uint64_t publisher_size(const struct publisher *self)
{
    return self->published.size;
}

uint64_t publisher_promised(const struct publisher *self, int64_t *time_ms)
{
    *time_ms = self->promised_ms;
    return self->promised.size;
}

// --- tiles up to the promise --------------------------------------------------------------------

/* A stamp that is logged must not be a reason for the next one, or a log would never rest. */
static bool is_stamp(struct span leaf)
{
    struct cades_parts parts;
    OWNED(header_read) read = NULL;
    return !failed(cades_parse(leaf, &parts)) && !failed(header_decode(parts.content, &read)) &&
           header_of(read)->kind == HEADER_STAMPED;
}

static fault take_leaf(void *owner, uint64_t index, struct span leaf)
{
    struct publisher *self = owner;
    (void)index;
    self->traffic = self->traffic || !is_stamp(leaf);
    return tile_writer_add(self->tiles, leaf);
}

static fault publish(struct publisher *self)
{
    char path[PATH_BYTES];
    struct sha256 root = tile_writer_root(self->tiles);
    if (!sha256_equal(&root, &self->promised.root))
        return RAISE(LOG_BROKEN,
                     "the first %" PRIu64 " entries of the segments are not those that were signed",
                     self->promised.size);
    TRY(tile_writer_flush(self->tiles));
    path_in(self, "checkpoint", path);
    TRY(file_replace(path, bytes_span(self->promise), 0644));
    self->published = self->promised;
    self->traffic = false;
    return DONE;
}

static fault aim(struct publisher *self)
{
    char path[PATH_BYTES];
    struct stat st;
    OWNED(bytes) note = NULL;
    struct checkpoint promised;
    path_in(self, "promise", path);
    int64_t written_ms =
        stat(path, &st) == 0 ? (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000 : 0;
    TRY(publisher_read(self, "promise", &note, &promised));
    bytes_free(&self->promise);
    self->promise = TAKE(note);
    self->promised = promised;
    self->promised_ms = written_ms;
    return DONE;
}

static fault open_segments(struct publisher *self)
{
    char path[PATH_BYTES];
    if (self->segments != NULL)
        return DONE;
    path_in(self, "wal", path);
    return wal_reader_open(path, tile_writer_size(self->tiles), &self->segments);
}

fault publisher_follow(struct publisher *self, bool *more)
{
    *more = false;
    uint64_t at = tile_writer_size(self->tiles);
    if (at >= self->promised.size)
        TRY(aim(self)); /* else the one before is on its way */
    if (self->promised.size <= at)
        return DONE;
    TRY(open_segments(self));
    uint64_t until = self->promised.size;
    if (until - at > ENTRIES_A_STEP)
        until = at + ENTRIES_A_STEP;
    TRY(wal_reader_show(self->segments, until, take_leaf, self));
    *more = until < self->promised.size;
    return DONE;
}

bool publisher_has_news(const struct publisher *self)
{
    return self->traffic;
}

fault publisher_publish(struct publisher *self)
{
    return tile_writer_size(self->tiles) == self->promised.size &&
                   self->promised.size > self->published.size
               ? publish(self)
               : DONE;
}

struct span publisher_note(const struct publisher *self)
{
    return bytes_span(self->promise);
}

// --- what witnesses signed ----------------------------------------------------------------------

static bool has_changed(struct publisher *self, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 || (st.st_mtim.tv_sec == self->cosigned_stamp.tv_sec &&
                                 st.st_mtim.tv_nsec == self->cosigned_stamp.tv_nsec))
        return false;
    self->cosigned_stamp = st.st_mtim;
    return true;
}

/* What was stamped stays as it was stamped, whoever signs it later. */
static fault keep_history(const struct publisher *self, const struct checkpoint *head,
                          struct span note)
{
    char name[64], path[PATH_BYTES];
    text_format(name, sizeof name, "cp/%" PRIu64 ".tst", head->size);
    path_in(self, name, path);
    if (access(path, F_OK) == 0)
        return DONE;
    path_in(self, "cp", path);
    TRY(file_make_folders(path, 0755));
    text_format(name, sizeof name, "cp/%" PRIu64, head->size);
    path_in(self, name, path);
    return file_replace(path, note, 0644);
}

fault publisher_take_cosigned(struct publisher *self, struct checkpoint *taken,
                              struct bytes **note_out)
{
    char path[PATH_BYTES];
    OWNED(bytes) note = NULL;
    struct checkpoint head;
    taken->size = 0;
    path_in(self, "cosigned", path);
    if (!has_changed(self, path))
        return DONE;
    TRY(publisher_read(self, "cosigned", &note, &head));
    if (head.size > self->published.size) { /* its tiles are not there yet */
        self->cosigned_stamp = (struct timespec){0};
        return DONE;
    }
    TRY(keep_history(self, &head, bytes_span(note)));
    if (head.size == self->published.size) {
        path_in(self, "checkpoint", path);
        TRY(file_replace(path, bytes_span(note), 0644));
    }
    *taken = head;
    *note_out = TAKE(note);
    return DONE;
}
