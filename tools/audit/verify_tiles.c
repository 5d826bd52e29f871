// SPDX-License-Identifier: MIT
/* The static form of a log against its entries: bundles of leaves, tiles of hashes. */
#include "tools/audit/verify.h"

#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/tiles.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>

#define PATH_BYTES 640
#define WIDTH 256
#define BUNDLE_BYTES_MAX (WIDTH * (2 + LEAF_BYTES_MAX))

static const char derived[] = "The segments say otherwise, and they are what was signed; whoever "
                              "reads the files from a share "
                              "is misled.";

/* A partial tile, or the full one that has replaced it; *width becomes that of what was read. */
static fault read_tile(const struct log *log, int level, uint64_t number, unsigned *width,
                       struct bytes **out)
{
    char tile[160], path[PATH_BYTES];
    tiles_path(level, number, *width, tile, sizeof tile);
    audit_log_path(log->view->folder, log->view->epoch, tile, path, sizeof path);
    fault f = file_read(path, BUNDLE_BYTES_MAX, out);
    if (f.code != NOT_FOUND || *width == WIDTH)
        return f;
    *width = WIDTH;
    return read_tile(log, level, number, width, out);
}

/* So many entries, and nothing behind them; what a running node wrote since the log was read is
 * only counted. */
static bool bundle_holds(const struct log *log, const struct bytes *bundle, uint64_t number,
                         unsigned width, uint64_t *wrong)
{
    struct cursor at = cursor_over(bytes_span(bundle));
    for (unsigned i = 0; i < width; i++) {
        uint16_t size = 0;
        struct span entry;
        uint64_t index = number * WIDTH + i;
        if (index < log->count)
            *wrong = index;
        if (failed(cursor_take_u16(&at, &size)) || failed(cursor_take(&at, size, &entry)))
            return false;
        struct sha256 hash = merkle_leaf_hash(entry);
        if (index < log->count && !sha256_equal(&hash, &log->entry[index].leaf_hash))
            return false;
    }
    return cursor_at_end(&at);
}

// --- parts that a larger one has replaced -------------------------------------------------------

/* What is left of an earlier head may lie there as long as it likes, and whoever reads the log at
 * that head takes it: its hashes or leaves are the first of what is there now. */
struct parts {
    struct verify *verify;
    struct log *log;
    int level; /* -1: bundles */
    uint64_t number;
    unsigned known;              /* how much of this tile the log has */
    unsigned seen;               /* width of the file that was looked at already */
    const struct sha256 *hashes; /* of a tile: that many */
};

/* "1" to "255"; 0: it is named otherwise. */
static unsigned width_of(const char *name)
{
    uint64_t width = 0;
    if (name[0] == '0' || failed(text_number(span_of_text(name), WIDTH - 1, &width)))
        return 0;
    return (unsigned)width;
}

static bool part_fits(const struct parts *self, unsigned width, const struct bytes *part)
{
    uint64_t wrong;
    if (self->level < 0)
        return bundle_holds(self->log, part, self->number, width, &wrong);
    return part->size == width * sizeof *self->hashes &&
           memcmp(part->data, self->hashes, part->size) == 0;
}

/* Larger ones come in when a running node is copied; heads beyond the log are found elsewhere. */
static void check_part(const struct parts *self, const char *name)
{
    OWNED(bytes) part = NULL;
    char tile[160], path[PATH_BYTES];
    unsigned width = width_of(name);
    if (width == 0 || width > self->known || width == self->seen)
        return;
    tiles_path(self->level, self->number, width, tile, sizeof tile);
    audit_log_path(self->log->view->folder, self->log->view->epoch, tile, path, sizeof path);
    fault f = file_read(path, BUNDLE_BYTES_MAX, &part);
    if (f.code == NOT_FOUND || (!failed(f) && part_fits(self, width, part)))
        return; /* gone meanwhile, or as it should be */
    FIND(self->verify, self->log, REPORT_WHOLE, "tiles", derived,
         "%s, which is left of an earlier head, is not what the entries hash to", tile);
}

static void check_parts(const struct parts *self)
{
    char tile[160], path[PATH_BYTES];
    tiles_path(self->level, self->number, 1, tile, sizeof tile);
    *strrchr(tile, '/') = '\0';
    audit_log_path(self->log->view->folder, self->log->view->epoch, tile, path, sizeof path);
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        check_part(self, entry->d_name);
    if (dir != NULL)
        closedir(dir);
}

// --- what is there now --------------------------------------------------------------------------

static void check_bundles(struct verify *self, struct log *log, uint64_t size)
{
    /* bundles before the first entry were pruned with the segments */
    for (uint64_t number = log->first / WIDTH; number * WIDTH < size; number++) {
        OWNED(bytes) bundle = NULL;
        uint64_t left = size - number * WIDTH, wrong = number * WIDTH;
        unsigned width = left < WIDTH ? (unsigned)left : WIDTH, seen = width;
        if (failed(read_tile(log, -1, number, &seen, &bundle)))
            FIND(self, log, wrong, "tiles", derived, "its bundle cannot be read: %s",
                 fault_detail());
        else if (!bundle_holds(log, bundle, number, seen, &wrong))
            FIND(self, log, wrong, "tiles", derived,
                 "it is another one in its bundle, or something stands behind it there");
        check_parts(&(struct parts){self, log, -1, number, width, seen, NULL});
    }
}

/* hashes: of this level; they are made those of the next one. */
static void check_level(struct verify *self, struct log *log, int level, struct sha256 *hashes,
                        uint64_t count)
{
    for (uint64_t number = 0; number * WIDTH < count; number++) {
        OWNED(bytes) tile = NULL;
        uint64_t left = count - number * WIDTH;
        unsigned width = left < WIDTH ? (unsigned)left : WIDTH, seen = width;
        fault f = read_tile(log, level, number, &seen, &tile);
        if (failed(f) || tile->size != seen * sizeof *hashes ||
            memcmp(tile->data, &hashes[number * WIDTH], width * sizeof *hashes) != 0)
            FIND(self, log, REPORT_WHOLE, "tiles", derived,
                 "tile %d/%" PRIu64 " is not what the entries hash to", level, number);
        check_parts(
            &(struct parts){self, log, level, number, width, seen, &hashes[number * WIDTH]});
        if (left < WIDTH)
            return;
        struct merkle tree = {0};
        for (unsigned i = 0; i < WIDTH; i++)
            merkle_append(&tree, &hashes[number * WIDTH + i]);
        hashes[number] = merkle_root(&tree);
    }
}

void verify_tiles(struct verify *self, struct log *log, uint64_t size)
{
    struct sha256 *hashes = owned_array(size + 1, sizeof *hashes);
    for (uint64_t i = 0; i < size; i++)
        hashes[i] = log->entry[i].leaf_hash;
    check_bundles(self, log, size);
    uint64_t count = size;
    for (int level = 0; count > 0; level++, count /= WIDTH)
        check_level(self, log, level, hashes, count);
    free(hashes);
}
