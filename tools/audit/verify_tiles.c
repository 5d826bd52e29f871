// SPDX-License-Identifier: MIT
/* The static form of a log against its entries: bundles of leaves, tiles of hashes. */
#include "tools/audit/verify.h"

#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/bus/tiles.h"

#include <inttypes.h>
#include <stdlib.h>

#define PATH_BYTES 640
#define WIDTH 256
#define BUNDLE_BYTES_MAX (WIDTH * (2 + LEAF_BYTES_MAX))

static const char derived[] = "The segments say otherwise, and they are what was signed; whoever "
                              "reads the files from a share "
                              "is misled.";

/* A partial tile, or the full one that has replaced it. */
static fault read_tile(const struct log *log, int level, uint64_t number, unsigned width,
                       struct bytes **out)
{
    char tile[160], path[PATH_BYTES];
    tiles_path(level, number, width, tile, sizeof tile);
    audit_log_path(log->view->folder, log->view->epoch, tile, path, sizeof path);
    fault f = file_read(path, BUNDLE_BYTES_MAX, out);
    return f.code == NOT_FOUND && width < WIDTH ? read_tile(log, level, number, WIDTH, out) : f;
}

static bool bundle_holds(const struct log *log, const struct bytes *bundle, uint64_t number,
                         unsigned width, uint64_t *wrong)
{
    struct cursor at = cursor_over(bytes_span(bundle));
    for (unsigned i = 0; i < width; i++) {
        uint16_t size = 0;
        struct span entry;
        *wrong = number * WIDTH + i;
        if (failed(cursor_take_u16(&at, &size)) || failed(cursor_take(&at, size, &entry)))
            return false;
        struct sha256 hash = merkle_leaf_hash(entry);
        if (!sha256_equal(&hash, &log->entry[*wrong].leaf_hash))
            return false;
    }
    return true;
}

static void check_bundles(struct verify *self, struct log *log, uint64_t size)
{
    /* bundles before the first entry were pruned with the segments */
    for (uint64_t number = log->first / WIDTH; number * WIDTH < size; number++) {
        OWNED(bytes) bundle = NULL;
        uint64_t left = size - number * WIDTH, wrong = number * WIDTH;
        unsigned width = left < WIDTH ? (unsigned)left : WIDTH;
        if (failed(read_tile(log, -1, number, width, &bundle)))
            FIND(self, log, wrong, "tiles", derived, "its bundle cannot be read: %s",
                 fault_detail());
        else if (!bundle_holds(log, bundle, number, width, &wrong))
            FIND(self, log, wrong, "tiles", derived, "it is another one in its bundle");
    }
}

/* hashes: of this level; they are made those of the next one. */
static void check_level(struct verify *self, struct log *log, int level, struct sha256 *hashes,
                        uint64_t count)
{
    for (uint64_t number = 0; number * WIDTH < count; number++) {
        OWNED(bytes) tile = NULL;
        uint64_t left = count - number * WIDTH;
        unsigned width = left < WIDTH ? (unsigned)left : WIDTH;
        size_t size = width * sizeof *hashes;
        fault f = read_tile(log, level, number, width, &tile);
        if (failed(f) || tile->size < size ||
            memcmp(tile->data, &hashes[number * WIDTH], size) != 0)
            FIND(self, log, REPORT_WHOLE, "tiles", derived,
                 "tile %d/%" PRIu64 " is not what the entries hash to", level, number);
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
