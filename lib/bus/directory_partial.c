// SPDX-License-Identifier: MIT
#include "lib/bus/directory_partial.h"

#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/directory_private.h"
#include "lib/bus/limits.h"
#include "lib/bus/tile_log.h"
#include "lib/bus/tiles.h"
#include "lib/crypto/cades.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 768
#define LEVEL_BITS 8 /* a bundle is a complete subtree of that height */

uint64_t directory_partial_first(uint64_t snapshot)
{
    return snapshot / DIRECTORY_BUNDLE * DIRECTORY_BUNDLE;
}

/* A row of full bundles is a tree of their hashes, so many levels further up. */
static struct merkle tree_of(const struct sha256 *bundle, uint64_t count)
{
    struct merkle above = {0}, tree = {.size = count * DIRECTORY_BUNDLE};
    for (uint64_t i = 0; i < count; i++)
        merkle_append(&above, &bundle[i]);
    for (unsigned level = 0; level + LEVEL_BITS < MERKLE_LEVELS; level++)
        tree.edge[level + LEVEL_BITS] = above.edge[level];
    return tree;
}

// --- beginning ----------------------------------------------------------------------------------

static fault check_voucher(struct span leaf, struct span state)
{
    struct cades_parts parts;
    struct sha256 digest = SHA256_OF(state);
    return !failed(cades_parse(leaf, &parts)) && directory_vouches(parts.content, &digest)
               ? DONE
               : RAISE(INCONSISTENT, "the authority does not vouch for the snapshot");
}

fault directory_partial_check(const struct directory_partial *self, const struct checkpoint *head,
                              struct merkle *tree)
{
    uint64_t first = directory_partial_first(self->snapshot);
    if (self->snapshot >= head->size)
        return RAISE(INCONSISTENT, "a snapshot of %" PRIu64 " acts for a head of %" PRIu64,
                     self->snapshot, head->size);
    *tree = tree_of(self->bundle, first / DIRECTORY_BUNDLE);
    for (uint64_t i = 0; i < head->size - first; i++) {
        struct sha256 hash = merkle_leaf_hash(self->leaf[i]);
        merkle_append(tree, &hash);
    }
    struct sha256 root = merkle_root(tree);
    if (!sha256_equal(&root, &head->root))
        return RAISE(INCONSISTENT, "the entries lead to another root than was signed");
    return check_voucher(self->leaf[self->snapshot - first], self->state);
}

static fault write_snapshot(const char *folder, uint64_t size, struct span state)
{
    char path[PATH_BYTES], name[32];
    if (!text_format(path, sizeof path, "%s/snapshot", folder))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    TRY(file_make_folders(path, 0755));
    text_format(name, sizeof name, "%" PRIu64, size);
    text_format(path, sizeof path, "%s/snapshot/%s", folder, name);
    TRY(file_replace(path, state, 0644));
    text_format(path, sizeof path, "%s/snapshot/newest", folder);
    return file_replace(path, span_of_text(name), 0644);
}

/* What lies there of the bundles before may be what was damaged: it is fetched again. */
static void drop_older(const char *folder, uint64_t count)
{
    char tile[160], path[PATH_BYTES];
    for (uint64_t number = 0; number < count; number++) {
        tiles_path(-1, number, DIRECTORY_BUNDLE, tile, sizeof tile);
        if (text_format(path, sizeof path, "%s/%s", folder, tile))
            unlink(path);
    }
}

fault directory_partial_write(const char *folder, const struct directory_partial *self,
                              const struct checkpoint *head, struct span note)
{
    char path[PATH_BYTES];
    OWNED(tile_writer) tiles = NULL;
    uint64_t first = directory_partial_first(self->snapshot);
    struct merkle before = tree_of(self->bundle, first / DIRECTORY_BUNDLE);
    struct sha256 root = merkle_root(&before);
    drop_older(folder, first / DIRECTORY_BUNDLE);
    TRY(write_snapshot(folder, self->snapshot, self->state));
    TRY(tiles_write_hashes(folder, 1, self->bundle, first / DIRECTORY_BUNDLE));
    TRY(tile_writer_open(folder, first, &root, &tiles));
    for (uint64_t i = 0; i < head->size - first; i++)
        TRY(tile_writer_add(tiles, self->leaf[i]));
    TRY(tile_writer_flush(tiles));
    text_format(path, sizeof path, "%s/checkpoint", folder);
    return file_replace(path, note, 0644);
}

// --- from a folder ------------------------------------------------------------------------------

fault directory_partial_newest(const char *folder, uint64_t size, uint64_t *out)
{
    char path[PATH_BYTES];
    uint64_t best = 0;
    if (!text_format(path, sizeof path, "%s/snapshot", folder))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    DIR *list = opendir(path);
    for (struct dirent *at; list != NULL && (at = readdir(list)) != NULL;) {
        uint64_t found = 0;
        if (!failed(text_number(span_of_text(at->d_name), UINT64_MAX, &found)) && found < size &&
            found > best)
            best = found;
    }
    if (list != NULL)
        closedir(list);
    *out = best;
    return best > 0 ? DONE : RAISE(NOT_FOUND, "%s has neither all entries nor a snapshot", folder);
}

static fault read_hashes(const char *folder, uint64_t size, uint64_t count, struct sha256 *out)
{
    OWNED(tile_reader) tiles = tile_reader_new(folder, size);
    for (uint64_t i = 0; i < count; i++)
        TRY(tile_reader_hash(
            tiles, (struct merkle_range){i * DIRECTORY_BUNDLE, (i + 1) * DIRECTORY_BUNDLE},
            &out[i]));
    return DONE;
}

fault directory_partial_read(const char *folder, uint64_t size, struct directory_partial_read *out)
{
    char path[PATH_BYTES];
    uint64_t snapshot = 0;
    TRY(directory_partial_newest(folder, size, &snapshot));
    uint64_t first = directory_partial_first(snapshot);
    if (!text_format(path, sizeof path, "%s/snapshot/%" PRIu64, folder, snapshot))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    TRY(file_read(path, DIRECTORY_SNAPSHOT_BYTES_MAX, &out->state));
    TRY(tiles_read_from(folder, first, size, &out->backing, &out->leaf));
    out->bundle = owned_array(first / DIRECTORY_BUNDLE + 1, sizeof *out->bundle);
    TRY(read_hashes(folder, size, first / DIRECTORY_BUNDLE, out->bundle));
    out->partial =
        (struct directory_partial){snapshot, bytes_span(out->state), out->bundle, out->leaf};
    return DONE;
}

void directory_partial_clear(struct directory_partial_read *self)
{
    bytes_free(&self->state);
    bytes_free(&self->backing);
    free(self->bundle);
    free(self->leaf);
    *self = (struct directory_partial_read){0};
}

fault directory_partial_tree(const char *folder, uint64_t size, uint64_t first, struct merkle *out)
{
    uint64_t count = first / DIRECTORY_BUNDLE;
    struct sha256 *bundle = owned_array(count + 1, sizeof *bundle);
    fault f = read_hashes(folder, size, count, bundle);
    if (!failed(f))
        *out = tree_of(bundle, count);
    free(bundle);
    return f;
}

// --- what came before ---------------------------------------------------------------------------

static bool is_there(const char *folder, uint64_t number, unsigned width)
{
    char tile[160], path[PATH_BYTES];
    tiles_path(-1, number, width, tile, sizeof tile);
    return text_format(path, sizeof path, "%s/%s", folder, tile) && access(path, F_OK) == 0;
}

uint64_t directory_partial_begins(const char *folder, uint64_t size)
{
    uint64_t number = size / DIRECTORY_BUNDLE;
    unsigned rest = (unsigned)(size % DIRECTORY_BUNDLE);
    if (rest > 0 && !is_there(folder, number, rest) && !is_there(folder, number, DIRECTORY_BUNDLE))
        return size;
    while (number > 0 && is_there(folder, number - 1, DIRECTORY_BUNDLE))
        number--;
    return number * DIRECTORY_BUNDLE;
}

fault directory_partial_refuse(const char *folder, uint64_t size)
{
    uint64_t begins = directory_partial_begins(folder, size);
    return begins == 0
               ? DONE
               : RAISE(NOT_FOUND,
                       "%.150s lacks its first %" PRIu64
                       " acts, which this needs: its node began with a snapshot and still fetches "
                       "them. Copy it again when the node has said directory.older_had, or put the "
                       "tile/ of a whole published directory there",
                       folder, begins);
}

/* hash: of each entry. */
static fault hash_entries(struct span bundle, struct sha256 hash[DIRECTORY_BUNDLE])
{
    struct cursor at = cursor_over(bundle);
    for (unsigned i = 0; i < DIRECTORY_BUNDLE; i++) {
        uint16_t size = 0;
        struct span entry;
        if (failed(cursor_take_u16(&at, &size)) || failed(cursor_take(&at, size, &entry)))
            return RAISE(INCONSISTENT, "a bundle that ends with its entry %u", i);
        hash[i] = merkle_leaf_hash(entry);
    }
    return cursor_at_end(&at) ? DONE : RAISE(INCONSISTENT, "bytes behind a bundle");
}

static fault write_in(const char *folder, int level, uint64_t number, struct span content)
{
    char tile[160], path[PATH_BYTES], parent[PATH_BYTES];
    tiles_path(level, number, DIRECTORY_BUNDLE, tile, sizeof tile);
    if (!text_format(path, sizeof path, "%s/%s", folder, tile))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    text_format(parent, sizeof parent, "%.*s", (int)(strrchr(path, '/') - path), path);
    TRY(file_make_folders(parent, 0755));
    return file_replace(path, content, 0644);
}

fault directory_partial_fill(const char *folder, uint64_t size, uint64_t number, struct span bundle)
{
    OWNED(tile_reader) tiles = tile_reader_new(folder, size);
    struct sha256 hash[DIRECTORY_BUNDLE], wanted;
    struct merkle tree = {0};
    uint64_t first = number * DIRECTORY_BUNDLE;
    TRY(hash_entries(bundle, hash));
    for (unsigned i = 0; i < DIRECTORY_BUNDLE; i++)
        merkle_append(&tree, &hash[i]);
    struct sha256 found = merkle_root(&tree);
    TRY(tile_reader_hash(tiles, (struct merkle_range){first, first + DIRECTORY_BUNDLE}, &wanted));
    if (!sha256_equal(&found, &wanted))
        return RAISE(INCONSISTENT, "bundle %" PRIu64 " is not the one that was signed", number);
    TRY(write_in(folder, 0, number, span_of(hash, sizeof hash)));
    return write_in(folder, -1, number, bundle);
}
