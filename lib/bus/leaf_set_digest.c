// SPDX-License-Identifier: MIT
/*
 * Digests of sets: SHA-256 over sorted hashes, of which a busy hour has more than memory is to
 * hold.
 *
 * Cells are the parts, each in 256 by a byte of the hash; so the cells in their order hold a part's
 * hashes in theirs. Cells that fit into memory together are a batch. One walk counts the cells, a
 * second one takes the hashes: of one batch into memory, of several each to its place in a file
 * without a name, from which they are read and sorted batch after batch. Whatever the hour holds,
 * its file is read twice.
 */
#include "lib/bus/leaf_set_private.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define CELLS_A_PART 256
#define BATCHES_MAX 1024
#define SPILL_HASHES 256 /* of one batch, written together */

struct cell_hash {
    uint16_t part;
    struct sha256 hash;
};

struct batch {
    uint64_t first; /* hash of the spill file */
    size_t room, count;
    struct cell_hash *waiting; /* the last ones of `count`: not written yet */
    size_t waits;
};

struct sorting {
    size_t parts;
    uint64_t *cell; /* how many of each; when that is known, its batch */
    struct batch *batch;
    size_t batches, buffer; /* hashes that may wait */
    int spill;              /* -1: all is in memory */
    enum fault_code failed;
    char detail[200];
};

static size_t part_of(const struct sorting *self, const struct set_entry *entry)
{
    if (self->parts == SET_MINUTES)
        return (size_t)(entry->time_ms % SET_HOUR_MS / 60000);
    return self->parts == SET_PREFIXES ? entry->leaf_hash.at[0] : 0;
}

static size_t cell_of(const struct sorting *self, const struct set_entry *entry)
{
    uint8_t byte = entry->leaf_hash.at[self->parts == SET_PREFIXES ? 1 : 0];
    return part_of(self, entry) * CELLS_A_PART + byte;
}

static void count_entry(void *owner, const struct set_entry *entry)
{
    struct sorting *self = owner;
    self->cell[cell_of(self, entry)]++;
}

/* From here on cell[] tells in which batch a cell is. */
static fault plan(struct sorting *self, const char *path)
{
    uint64_t first = 0;
    self->batch = owned_grow(NULL, 1, sizeof *self->batch);
    self->batch[0] = (struct batch){0};
    self->batches = 1;
    for (size_t i = 0; i < self->parts * CELLS_A_PART; i++) {
        uint64_t count = self->cell[i];
        struct batch *batch = &self->batch[self->batches - 1];
        if (count > SET_SORT_MAX ||
            (self->batches == BATCHES_MAX && batch->room + count > SET_SORT_MAX))
            return RAISE(OVERLOADED, "%s: more than %d leaves that begin alike, or %d of that",
                         path, SET_SORT_MAX, BATCHES_MAX);
        if (batch->room + count > SET_SORT_MAX) {
            self->batch = owned_grow(self->batch, self->batches + 1, sizeof *self->batch);
            batch = &self->batch[self->batches++];
            *batch = (struct batch){.first = first};
        }
        batch->room += (size_t)count;
        first += count;
        self->cell[i] = self->batches - 1;
    }
    self->buffer = self->batches == 1 ? self->batch[0].room : SPILL_HASHES;
    for (size_t i = 0; i < self->batches; i++)
        self->batch[i].waiting = owned_array(self->buffer + 1, sizeof(struct cell_hash));
    return DONE;
}

// --- taking the hashes --------------------------------------------------------------------------

static struct span hashes_span(const struct cell_hash *at, size_t count)
{
    return span_of(at, count * sizeof *at);
}

/* Gone when it is closed, also by a crash. Exchanges keep the room that they need. */
static fault open_spill(struct sorting *self, const char *audit_folder)
{
    char path[SET_PATH_BYTES];
    struct statvfs room;
    const struct batch *last = &self->batch[self->batches - 1];
    uint64_t need = (last->first + last->room) * sizeof(struct cell_hash);
    if (!text_format(path, sizeof path, "%s/sets/.sorting", audit_folder))
        return RAISE(BAD_CONFIG, "the audit folder's name is too long");
    if (statvfs(audit_folder, &room) != 0 ||
        (uint64_t)room.f_bavail * room.f_frsize < need + SET_SPILL_SPARE_BYTES)
        return RAISE(IO_FAILED, "no room to sort %llu leaves of an hour",
                     (unsigned long long)(last->first + last->room));
    self->spill = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (self->spill < 0)
        return RAISE(IO_FAILED, "%s: %m", path);
    unlink(path);
    return DONE;
}

static fault write_waiting(const struct sorting *self, struct batch *batch)
{
    uint64_t at = batch->first + batch->count - batch->waits;
    size_t waits = batch->waits;
    batch->waits = 0;
    return file_write_at(self->spill, hashes_span(batch->waiting, waits),
                         (off_t)(at * sizeof(struct cell_hash)));
}

/* The file may grow between the two walks; what is younger than the count is left out where there
 * is no room for it. */
static void gather_entry(void *owner, const struct set_entry *entry)
{
    struct sorting *self = owner;
    struct batch *batch = &self->batch[self->cell[cell_of(self, entry)]];
    if (self->failed != OK || batch->count == batch->room)
        return;
    if (batch->waits == self->buffer) {
        fault f = write_waiting(self, batch);
        self->failed = f.code;
        if (failed(f)) {
            text_format(self->detail, sizeof self->detail, "%s", fault_detail());
            return;
        }
    }
    batch->waiting[batch->waits++] =
        (struct cell_hash){(uint16_t)part_of(self, entry), entry->leaf_hash};
    batch->count++;
}

static fault gather(struct sorting *self, const char *audit_folder, struct set_scan *scan,
                    const char *path)
{
    if (self->batches > 1)
        TRY(open_spill(self, audit_folder));
    scan->visit = gather_entry;
    TRY(set_scan_file(scan, path));
    for (size_t i = 0; i < self->batches && self->failed == OK && self->spill >= 0; i++)
        TRY(write_waiting(self, &self->batch[i]));
    return self->failed == OK ? DONE : RAISE(self->failed, "%s", self->detail);
}

// --- hashing ------------------------------------------------------------------------------------

/* The part under way goes on in the next batch. */
struct digesting {
    struct sha256_stream *stream;
    size_t part;
    struct set_digest *out;
};

static int by_part_and_hash(const void *a, const void *b)
{
    const struct cell_hash *left = a, *right = b;
    return left->part != right->part ? (left->part < right->part ? -1 : 1)
                                     : memcmp(left->hash.at, right->hash.at, SHA256_BYTES);
}

static void end_parts(struct digesting *self, size_t until)
{
    for (; self->part < until; self->part++)
        self->out[self->part].digest = sha256_stream_end(self->stream);
}

static void digest_batch(struct digesting *self, struct cell_hash *hash, size_t count)
{
    qsort(hash, count, sizeof *hash, by_part_and_hash);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && by_part_and_hash(&hash[i - 1], &hash[i]) == 0)
            continue;
        end_parts(self, hash[i].part);
        sha256_stream_add(self->stream, sha256_span(&hash[i].hash));
        self->out[hash[i].part].count++;
    }
}

static fault digest_spilt(const struct sorting *self, struct digesting *digesting)
{
    fault f = DONE;
    struct cell_hash *hash = owned_array(SET_SORT_MAX, sizeof *hash);
    for (size_t i = 0; i < self->batches && !failed(f); i++) {
        const struct batch *batch = &self->batch[i];
        f = file_read_at(self->spill, (uint8_t *)hash, batch->count * sizeof *hash,
                         (off_t)(batch->first * sizeof *hash));
        if (!failed(f))
            digest_batch(digesting, hash, batch->count);
    }
    free(hash);
    return f;
}

static fault digest_all(struct sorting *self, const char *audit_folder, struct set_scan *scan,
                        const char *path, struct digesting *digesting)
{
    TRY(set_scan_file(scan, path));
    TRY(plan(self, path));
    TRY(gather(self, audit_folder, scan, path));
    if (self->spill >= 0)
        TRY(digest_spilt(self, digesting));
    else
        digest_batch(digesting, self->batch[0].waiting, self->batch[0].count);
    end_parts(digesting, self->parts);
    return DONE;
}

static void sorting_clear(struct sorting *self)
{
    for (size_t i = 0; i < self->batches; i++)
        free(self->batch[i].waiting);
    free(self->batch);
    free(self->cell);
    if (self->spill >= 0)
        close(self->spill);
}

fault leaf_set_digests(const char *audit_folder, const char *peer, const struct set_range *range,
                       size_t parts, struct set_digest *out)
{
    char path[SET_PATH_BYTES];
    struct sorting sorting = {.parts = parts, .spill = -1};
    struct set_scan scan = {range, count_entry, &sorting};
    TRY(set_path_to_read(audit_folder, peer, range->hour, path));
    struct digesting digesting = {.stream = sha256_stream_new(), .out = out};
    memset(out, 0, parts * sizeof *out);
    sorting.cell = owned_array(parts * CELLS_A_PART, sizeof *sorting.cell);
    fault f = digest_all(&sorting, audit_folder, &scan, path, &digesting);
    sorting_clear(&sorting);
    sha256_stream_free(&digesting.stream);
    return f;
}
