// SPDX-License-Identifier: MIT
#include "lib/bus/directory_files.h"

#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "lib/bus/tiles.h"
#include "lib/crypto/digest.h"

#include <inttypes.h>

#define WIDTH 256
#define LEVELS 8 /* of tiles of hashes */
#define BUNDLE_BYTES_MAX (WIDTH * (2 + (size_t)LEAF_BYTES_MAX))

static void tile(int level, uint64_t number, uint64_t count, struct directory_file *out)
{
    uint64_t left = count - number * WIDTH;
    unsigned width = left < WIDTH ? (unsigned)left : WIDTH;
    tiles_path(level, number, width, out->name, sizeof out->name);
    out->instead[0] = '\0';
    if (width < WIDTH)
        tiles_path(level, number, WIDTH, out->instead, sizeof out->instead);
    out->bytes_max = level < 0 ? BUNDLE_BYTES_MAX : WIDTH * (size_t)SHA256_BYTES;
}

/* The complete subtrees of a tree of `size` entries whose heights are of one level stand in one
 * tile; there is none where the size has no bits. */
static bool edge_of(uint64_t size, uint64_t head, unsigned level, struct directory_file *out)
{
    uint64_t hashes = size >> 8 * level;
    if (hashes % WIDTH == 0)
        return false;
    tile((int)level, hashes / WIDTH, head >> 8 * level, out);
    return true;
}

bool directory_files_next(uint64_t snapshot, uint64_t head, uint64_t *step,
                          struct directory_file *out)
{
    if (snapshot > 0 && *step == 0) {
        ++*step;
        text_format(out->name, sizeof out->name, "snapshot/%" PRIu64, snapshot);
        out->instead[0] = '\0';
        out->bytes_max = DIRECTORY_SNAPSHOT_BYTES_MAX;
        return true;
    }
    if (*step == 0)
        *step = 1;
    while (*step <= LEVELS)
        if (edge_of(snapshot, head, (unsigned)(*step)++ - 1, out))
            return true;
    uint64_t number = snapshot / WIDTH + *step - LEVELS - 1;
    if (number * WIDTH >= head)
        return false;
    ++*step;
    tile(-1, number, head, out);
    return true;
}

uint64_t directory_files_newest(struct span body)
{
    uint64_t size = 0;
    while (body.size > 0 && body.at[body.size - 1] == '\n')
        body.size--;
    return failed(text_number(body, DIRECTORY_ENTRIES_MAX, &size)) ? 0 : size;
}
