// SPDX-License-Identifier: MIT
#include "lib/bus/tiles.h"

#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "lib/crypto/merkle.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TILE_WIDTH 256
#define PATH_BYTES 768
#define BUNDLE_BYTES_MAX (TILE_WIDTH * (2 + LEAF_BYTES_MAX))

/* "x001/x234/067": groups of three digits, all but the last with an x. */
static size_t number_path(uint64_t number, char *out, size_t room)
{
    if (number < 1000)
        return (size_t)snprintf(out, room, "%03" PRIu64, number);
    char before[64];
    number_path(number / 1000, before, sizeof before);
    /* the groups before have no x in their last one yet */
    char *last = strrchr(before, '/');
    last = last == NULL ? before : last + 1;
    return (size_t)snprintf(out, room, "%.*sx%s/%03" PRIu64, (int)(last - before), before, last,
                            number % 1000);
}

size_t tiles_path(int level, uint64_t number, unsigned width, char *out, size_t room)
{
    char digits[80], part[16] = "", kind[16] = "entries";
    number_path(number, digits, sizeof digits);
    if (level >= 0)
        snprintf(kind, sizeof kind, "%d", level);
    if (width < TILE_WIDTH)
        snprintf(part, sizeof part, ".p/%u", width);
    bool fits = text_format(out, room, "tile/%s/%s%s", kind, digits, part);
    assert(fits);
    return strlen(out);
}

/* Makes the folders of a tile, and the names of new ones durable up to the log's own. */
static fault make_folders(const char *folder, const char *parent)
{
    char above[PATH_BYTES];
    if (access(parent, F_OK) == 0)
        return DONE;
    TRY(file_make_folders(parent, 0755));
    text_format(above, sizeof above, "%s", parent);
    while (strlen(above) > strlen(folder)) {
        *strrchr(above, '/') = '\0';
        TRY(file_sync_folder(above));
    }
    return DONE;
}

static fault write_tile(const char *folder, int level, uint64_t number, unsigned width,
                        struct span bytes)
{
    char tile[160], path[PATH_BYTES], parent[PATH_BYTES];
    tiles_path(level, number, width, tile, sizeof tile);
    if (!text_format(path, sizeof path, "%s/%s", folder, tile))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    text_format(parent, sizeof parent, "%.*s", (int)(strrchr(path, '/') - path), path);
    TRY(make_folders(folder, parent));
    return file_replace(path, bytes, 0644);
}

static unsigned width_of(uint64_t number, uint64_t count)
{
    uint64_t left = count - number * TILE_WIDTH;
    return left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH;
}

static fault write_bundle(const char *folder, const struct span *leaves, uint64_t number,
                          uint64_t count)
{
    OWNED(bytes) bundle = bytes_empty(TILE_WIDTH * 1024);
    unsigned width = width_of(number, count);
    for (unsigned i = 0; i < width; i++) {
        struct span leaf = leaves[number * TILE_WIDTH + i];
        uint8_t size[2];
        if (leaf.size > LEAF_BYTES_MAX)
            return RAISE(BAD_REQUEST, "an entry of %zu bytes", leaf.size);
        put_u16(size, (uint16_t)leaf.size);
        TRY(bytes_append(bundle, span_of(size, sizeof size)));
        TRY(bytes_append(bundle, leaf));
    }
    return write_tile(folder, -1, number, width, bytes_span(bundle));
}

/* Tree hash of one full tile below. */
static struct sha256 tile_root(const struct sha256 *hashes)
{
    struct merkle tree = {0};
    for (unsigned i = 0; i < TILE_WIDTH; i++)
        merkle_append(&tree, &hashes[i]);
    return merkle_root(&tree);
}

/* Writes one level's tiles from the one that holds `from` on. */
static fault write_level(const char *folder, int level, const struct sha256 *hashes, uint64_t from,
                         uint64_t count)
{
    for (uint64_t number = from / TILE_WIDTH; number * TILE_WIDTH < count; number++) {
        unsigned width = width_of(number, count);
        TRY(write_tile(folder, level, number, width,
                       span_of(&hashes[number * TILE_WIDTH], width * sizeof *hashes)));
    }
    return DONE;
}

static fault write_hashes(const char *folder, int level, struct sha256 *hashes, uint64_t from,
                          uint64_t count)
{
    for (; count > 0; level++) {
        TRY(write_level(folder, level, hashes, from, count));
        from /= TILE_WIDTH;
        count /= TILE_WIDTH; /* only full tiles are hashed upwards */
        for (uint64_t i = 0; i < count; i++)
            hashes[i] = tile_root(&hashes[i * TILE_WIDTH]);
    }
    return DONE;
}

fault tiles_write_hashes(const char *folder, int level, const struct sha256 *hashes, uint64_t count)
{
    struct sha256 *row = owned_array(count + 1, sizeof *row);
    for (uint64_t i = 0; i < count; i++)
        row[i] = hashes[i];
    fault f = write_hashes(folder, level, row, 0, count);
    free(row);
    return f;
}

/* Partial tiles that a full one has replaced; a reader that still wants one takes the full one. */
static void drop_partials(const char *folder, int level, uint64_t from, uint64_t count)
{
    for (uint64_t number = from / TILE_WIDTH; number < count / TILE_WIDTH; number++) {
        char tile[160], path[PATH_BYTES];
        for (unsigned width = 1; width < TILE_WIDTH; width++) {
            tiles_path(level, number, width, tile, sizeof tile);
            if (text_format(path, sizeof path, "%s/%s", folder, tile))
                unlink(path); /* most were never there */
        }
        *strrchr(path, '/') = '\0';
        rmdir(path);
    }
}

fault tiles_publish(const char *folder, const struct span *leaves, uint64_t old_size,
                    uint64_t count, struct span checkpoint_note)
{
    char path[PATH_BYTES];
    struct sha256 *hashes = owned_array(count, sizeof *hashes);
    for (uint64_t i = 0; i < count; i++)
        hashes[i] = merkle_leaf_hash(leaves[i]);
    fault f = DONE;
    for (uint64_t number = old_size / TILE_WIDTH; !failed(f) && number * TILE_WIDTH < count;
         number++)
        f = write_bundle(folder, leaves, number, count);
    if (!failed(f))
        f = write_hashes(folder, 0, hashes, old_size, count);
    free(hashes);
    TRY(f);
    if (!text_format(path, sizeof path, "%s/checkpoint", folder))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    TRY(file_replace(path, checkpoint_note, 0644));
    drop_partials(folder, -1, old_size, count);
    for (int level = 0; count > 0; level++, old_size /= TILE_WIDTH, count /= TILE_WIDTH)
        drop_partials(folder, level, old_size, count);
    return DONE;
}

// --- reading ------------------------------------------------------------------------------------

static fault read_bundle(const char *folder, uint64_t number, unsigned width, struct bytes **out)
{
    char tile[160], path[PATH_BYTES];
    tiles_path(-1, number, width, tile, sizeof tile);
    if (!text_format(path, sizeof path, "%s/%s", folder, tile))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    return file_read(path, BUNDLE_BYTES_MAX, out);
}

/* Takes the entries of a bundle from the `skip`th to the `width`th; it may hold more only when it
 * is a full one that has replaced the partial one. Offsets of spans are made pointers when the
 * backing stands. */
static fault take_entries(struct bytes *backing, const struct bytes *bundle, unsigned skip,
                          unsigned width, bool full, struct span *leaves)
{
    struct cursor at = cursor_over(bytes_span(bundle));
    for (unsigned i = 0; i < width; i++) {
        uint16_t size = 0;
        struct span entry;
        TRY(cursor_take_u16(&at, &size));
        TRY(cursor_take(&at, size, &entry));
        if (i < skip)
            continue;
        size_t offset = backing->size;
        TRY(bytes_append(backing, entry));
        leaves[i - skip] = (struct span){(const uint8_t *)(uintptr_t)offset, size};
    }
    if (!full && !cursor_at_end(&at))
        return RAISE(BAD_FRAME, "%zu bytes behind the last entry of a bundle", at.left.size);
    return DONE;
}

static fault read_into(const char *folder, uint64_t number, uint64_t from, uint64_t count,
                       struct bytes *all, struct span *list)
{
    OWNED(bytes) bundle = NULL;
    uint64_t first = number * TILE_WIDTH;
    unsigned width = width_of(number, count);
    bool full = false;
    fault f = read_bundle(folder, number, width, &bundle);
    if (f.code == NOT_FOUND && width < TILE_WIDTH) {
        full = true; /* filled since; the partial one may be gone */
        f = read_bundle(folder, number, TILE_WIDTH, &bundle);
    }
    TRY(f);
    unsigned skip = first < from ? (unsigned)(from - first) : 0;
    return take_entries(all, bundle, skip, width, full, list + (first + skip - from));
}

fault tiles_read_from(const char *folder, uint64_t from, uint64_t count, struct bytes **backing,
                      struct span **leaves)
{
    if (count > DIRECTORY_ENTRIES_MAX || from > count)
        return RAISE(BAD_FRAME, "%" PRIu64 " entries; at most %d", count, DIRECTORY_ENTRIES_MAX);
    OWNED(bytes) all = bytes_empty(64 * 1024);
    struct span *list = owned_array(count - from + 1, sizeof *list);
    fault f = DONE;
    for (uint64_t number = from / TILE_WIDTH; !failed(f) && number * TILE_WIDTH < count; number++)
        f = read_into(folder, number, from, count, all, list);
    if (failed(f)) {
        free(list);
        return f;
    }
    for (uint64_t i = 0; i < count - from; i++)
        list[i] = span_of(all->data + (uintptr_t)list[i].at, list[i].size);
    *backing = TAKE(all);
    *leaves = list;
    return DONE;
}

fault tiles_read_entries(const char *folder, uint64_t count, struct bytes **backing,
                         struct span **leaves)
{
    return tiles_read_from(folder, 0, count, backing, leaves);
}
