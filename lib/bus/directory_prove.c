// SPDX-License-Identifier: MIT
#include "lib/bus/directory_prove.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/directory_private.h"
#include "lib/bus/directory_snapshot.h"
#include "lib/bus/limits.h"
#include "lib/bus/tile_log.h"
#include "lib/bus/tiles.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 768
#define BUNDLE 256 /* entries in a full one */
#define MARK "not_folded"
#define ASIDE ".lied"

struct held {
    uint64_t size;
    bool aside; /* under its other name */
    bool good;
};

struct directory_prover {
    char folder[PATH_BYTES - 100];
    uint64_t size, end; /* of the head; acts that are folded at last */
    bool vouched_only;
    struct trust *trust;
    struct certificate *authority;
    struct directory *state; /* NULL: nothing is folded yet */
    struct tile_reader *tiles;
    struct held *held; /* rising */
    size_t count, next;
};

static fault path_in(const char *folder, const char *name, char out[PATH_BYTES])
{
    return text_format(out, PATH_BYTES, "%s/snapshot%s%s", folder, name[0] == '\0' ? "" : "/", name)
               ? DONE
               : RAISE(BAD_CONFIG, "the directory folder's name is too long");
}

static void name_of(uint64_t size, bool aside, char out[64])
{
    text_format(out, 64, "%" PRIu64 "%s", size, aside ? ASIDE : "");
}

// --- which snapshots there are ------------------------------------------------------------------

/* Only the name that we would give it ourselves: 0700 is none. */
static bool read_name(const char *name, struct held *out)
{
    char again[64];
    struct span text = span_of_text(name);
    size_t tail = sizeof ASIDE - 1;
    out->aside = text.size > tail && strcmp(name + text.size - tail, ASIDE) == 0;
    text.size -= out->aside ? tail : 0;
    if (failed(text_number(text, UINT64_MAX, &out->size)))
        return false;
    name_of(out->size, out->aside, again);
    return strcmp(again, name) == 0;
}

static int compare_held(const void *left, const void *right)
{
    const struct held *a = left, *b = right;
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    return (int)a->aside - (int)b->aside;
}

static bool may_be_one(DIR *folder, const char *name)
{
    struct stat facts;
    return fstatat(dirfd(folder), name, &facts, 0) == 0 && S_ISREG(facts.st_mode) &&
           facts.st_size <= DIRECTORY_SNAPSHOT_BYTES_MAX;
}

static fault list(struct directory_prover *self, bool aside)
{
    char path[PATH_BYTES];
    TRY(path_in(self->folder, "", path));
    self->held = owned_array(DIRECTORY_SNAPSHOTS_MAX, sizeof *self->held);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return DONE; /* there are none */
    bool fits = true;
    for (struct dirent *at; fits && (at = readdir(folder)) != NULL;) {
        struct held found = {0};
        if (!read_name(at->d_name, &found) || found.size == 0 || found.size >= self->size ||
            (found.aside && !aside) || !may_be_one(folder, at->d_name))
            continue;
        fits = self->count < DIRECTORY_SNAPSHOTS_MAX;
        if (fits)
            self->held[self->count++] = found;
    }
    closedir(folder);
    if (!fits)
        return RAISE(OVERLOADED, "%s holds more than %d snapshots", path, DIRECTORY_SNAPSHOTS_MAX);
    qsort(self->held, self->count, sizeof *self->held, compare_held);
    return DONE;
}

static fault open_all(struct directory_prover *self, const struct directory_prove *what)
{
    char path[PATH_BYTES];
    self->size = what->size;
    if (!text_format(self->folder, sizeof self->folder, "%s", what->folder))
        return RAISE(BAD_CONFIG, "the directory folder's name is too long");
    text_format(path, sizeof path, "%s/authority.pem", self->folder);
    TRY(certificate_load(path, &self->authority));
    TRY(list(self, what->set_aside));
    self->tiles = tile_reader_new(self->folder, self->size);
    self->end = what->to_the_end && self->count == 0 ? self->size
                : self->count > 0                    ? self->held[self->count - 1].size
                                                     : 0;
    return DONE;
}

fault directory_prover_new(const struct directory_prove *what, struct directory_prover **out)
{
    OWNED(directory_prover) self = owned_new(sizeof *self);
    self->trust = what->trust;
    self->vouched_only = what->vouched_only;
    TRY(open_all(self, what));
    *out = TAKE(self);
    return DONE;
}

void directory_prover_free(struct directory_prover **owner)
{
    struct directory_prover *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    directory_release(&self->state);
    certificate_free(&self->authority);
    if (self->tiles != NULL)
        tile_reader_free(&self->tiles);
    free(self->held);
    free(self);
}

uint64_t directory_prover_at(const struct directory_prover *self)
{
    return self->state == NULL ? 0 : directory_epoch(self->state);
}

size_t directory_prover_snapshots(const struct directory_prover *self)
{
    return self->count;
}

bool directory_prover_held(const struct directory_prover *self, uint64_t size)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->held[i].size == size && self->held[i].good)
            return true;
    return false;
}

// --- folding ------------------------------------------------------------------------------------

/* What the disk spoilt is nobody's lie: entries are held against the hashes first. */
static fault check_hashes(struct directory_prover *self, uint64_t first, const struct span *leaves,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct sha256 wanted, found = merkle_leaf_hash(leaves[i]);
        TRY(tile_reader_hash(self->tiles, (struct merkle_range){first + i, first + i + 1},
                             &wanted));
        if (!sha256_equal(&found, &wanted))
            return RAISE(LOG_BROKEN, "entry %" PRIu64 " in %s is not the one that its tiles name",
                         first + i, self->folder);
    }
    return DONE;
}

static fault fold(struct directory_prover *self, uint64_t first, const struct span *leaves,
                  size_t count)
{
    TRY(check_hashes(self, first, leaves, count));
    if (self->state != NULL)
        return directory_fold_further(self->state, leaves, count, self->trust);
    return directory_fold(leaves, count, self->trust, self->authority, &self->state);
}

/* The end of a bundle lies on the disk as the head has it, and no shorter. */
static fault fold_to(struct directory_prover *self, uint64_t to)
{
    uint64_t at = directory_prover_at(self), stop = (at / BUNDLE + 1) * BUNDLE;
    OWNED(bytes) backing = NULL;
    struct span *leaves = NULL;
    stop = stop < self->size ? stop : self->size;
    to = to < stop ? to : stop;
    to = to - at < DIRECTORY_PROVE_ACTS ? to : at + DIRECTORY_PROVE_ACTS;
    fault f = tiles_read_from(self->folder, at, stop, &backing, &leaves);
    if (f.code == BAD_FRAME)
        return RAISE(LOG_BROKEN, "an entry bundle in %s is damaged: %s", self->folder,
                     fault_detail());
    TRY(f);
    f = fold(self, at, leaves, (size_t)(to - at));
    free(leaves);
    return f;
}

// --- comparing ----------------------------------------------------------------------------------

static fault check_voucher(struct directory_prover *self, uint64_t size, struct span snapshot)
{
    OWNED(bytes) leaf = NULL;
    struct cades_parts parts;
    struct sha256 digest = SHA256_OF(snapshot);
    TRY(tile_reader_entry(self->tiles, size, &leaf));
    return !failed(cades_parse(bytes_span(leaf), &parts)) &&
                   directory_vouches(parts.content, &digest)
               ? DONE
               : RAISE(BAD_FRAME,
                       "the authority did not vouch for this snapshot of %" PRIu64 " acts", size);
}

/* Bytes that differ are another state only if they are one: an older program may have written it
 * otherwise. */
static fault tell_apart(struct directory_prover *self, uint64_t size, struct span given)
{
    OWNED(directory) other = NULL;
    if (failed(directory_restore(given, self->trust, &other)))
        return RAISE(BAD_FRAME,
                     "the snapshot of %" PRIu64 " acts is not in this program's form: %s", size,
                     fault_detail());
    return RAISE(INCONSISTENT,
                 "the authority vouched for a snapshot of %" PRIu64
                 " acts that is not what these acts lead to",
                 size);
}

static fault compare(struct directory_prover *self, struct held *held)
{
    char path[PATH_BYTES], name[64];
    OWNED(bytes) given = NULL;
    OWNED(bytes) folded = NULL;
    name_of(held->size, held->aside, name);
    TRY(path_in(self->folder, name, path));
    fault f = file_read(path, DIRECTORY_SNAPSHOT_BYTES_MAX, &given);
    if (f.code == NOT_FOUND)
        return DONE; /* removed meanwhile */
    TRY(f);
    f = check_voucher(self, held->size, bytes_span(given));
    if (f.code == BAD_FRAME && self->vouched_only)
        return DONE;
    TRY(f);
    TRY(directory_snapshot(self->state, held->size, &folded));
    if (!span_equal(bytes_span(given), bytes_span(folded)))
        return tell_apart(self, held->size, bytes_span(given));
    held->good = true;
    return DONE;
}

fault directory_prover_step(struct directory_prover *self, bool *done)
{
    uint64_t at = directory_prover_at(self);
    fault f = DONE;
    if (self->next < self->count && self->held[self->next].size == at)
        f = compare(self, &self->held[self->next++]);
    else if (at < self->end)
        f = fold_to(self, self->next < self->count ? self->held[self->next].size : self->end);
    *done = self->next == self->count && directory_prover_at(self) >= self->end;
    return f;
}

// --- the mark -----------------------------------------------------------------------------------

fault directory_mark(const char *folder)
{
    char path[PATH_BYTES];
    TRY(path_in(folder, "", path));
    TRY(file_make_folders(path, 0755));
    TRY(path_in(folder, MARK, path));
    return file_replace(path, span_of_text("what this copy began with was not folded yet\n"), 0644);
}

static fault remove_in(const char *folder, const char *name)
{
    char path[PATH_BYTES];
    TRY(path_in(folder, name, path));
    if (unlink(path) != 0)
        return errno == ENOENT ? DONE : RAISE(IO_FAILED, "%s: %s", path, strerror(errno));
    TRY(path_in(folder, "", path));
    return file_sync_folder(path);
}

fault directory_unmark(const char *folder)
{
    return remove_in(folder, MARK);
}

bool directory_is_marked(const char *folder)
{
    char path[PATH_BYTES];
    return !failed(path_in(folder, MARK, path)) && access(path, F_OK) == 0;
}

fault directory_snapshot_aside(const char *folder, uint64_t size)
{
    char from[PATH_BYTES], to[PATH_BYTES], name[64];
    name_of(size, false, name);
    TRY(path_in(folder, name, from));
    name_of(size, true, name);
    TRY(path_in(folder, name, to));
    TRY(remove_in(folder, "newest"));
    if (rename(from, to) != 0)
        return errno == ENOENT ? DONE : RAISE(IO_FAILED, "%s: %s", from, strerror(errno));
    TRY(path_in(folder, "", to));
    return file_sync_folder(to);
}
