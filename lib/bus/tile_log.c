// SPDX-License-Identifier: MIT
#include "lib/bus/tile_log.h"

#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "lib/bus/tiles.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WIDTH 256
#define LEVELS 8 /* 256^8 entries */
#define PATH_BYTES 768
#define BUNDLE_BYTES_MAX (WIDTH * (2 + LEAF_BYTES_MAX))

/* The unfinished tile of one level. */
struct edge {
    uint64_t number; /* of the tile */
    unsigned width;  /* hashes in it */
    struct sha256 hash[WIDTH];
};

struct tile_writer {
    char folder[PATH_BYTES - 200];
    struct merkle tree;
    struct edge edge[LEVELS];
    struct bytes *bundle; /* entries of the unfinished one */
    bool edged[LEVELS];   /* a partial tile was written since the tile began */
    bool bundle_edged;
};

// --- writing ------------------------------------------------------------------------------------

/* Temp file and rename; made durable by the flush. */
static fault put_file(const char *path, struct span content)
{
    char parent[PATH_BYTES], temp[PATH_BYTES + 8];
    text_format(parent, sizeof parent, "%.*s", (int)(strrchr(path, '/') - path), path);
    text_format(temp, sizeof temp, "%s.tmp", path);
    int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0 && errno == ENOENT) {
        TRY(file_make_folders(parent, 0755));
        fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    }
    if (fd < 0)
        return RAISE(IO_FAILED, "%s: %m", temp);
    fault f = file_write_at(fd, content, 0);
    close(fd);
    if (!failed(f) && rename(temp, path) != 0)
        f = RAISE(IO_FAILED, "%s: %m", path);
    return f;
}

static fault put_tile(const struct tile_writer *self, int level, uint64_t number, unsigned width,
                      struct span content)
{
    char tile[160], path[PATH_BYTES];
    tiles_path(level, number, width, tile, sizeof tile);
    text_format(path, sizeof path, "%s/%s", self->folder, tile);
    return put_file(path, content);
}

/* Partial tiles that a full one has replaced. */
static void drop_partials(const struct tile_writer *self, int level, uint64_t number)
{
    char tile[160], path[PATH_BYTES];
    for (unsigned width = 1; width < WIDTH; width++) {
        tiles_path(level, number, width, tile, sizeof tile);
        text_format(path, sizeof path, "%s/%s", self->folder, tile);
        unlink(path); /* most were never there */
    }
    *strrchr(path, '/') = '\0';
    rmdir(path);
}

static struct sha256 root_of(const struct sha256 *hash, size_t count)
{
    struct merkle tree = {0};
    for (size_t i = 0; i < count; i++)
        merkle_append(&tree, &hash[i]);
    return merkle_root(&tree);
}

/* A full tile is written and becomes one hash of the level above. */
static fault add_hash(struct tile_writer *self, unsigned level, const struct sha256 *hash)
{
    struct edge *edge = &self->edge[level];
    edge->hash[edge->width++] = *hash;
    if (edge->width < WIDTH)
        return DONE;
    TRY(put_tile(self, (int)level, edge->number, WIDTH, span_of(edge->hash, sizeof edge->hash)));
    if (self->edged[level])
        drop_partials(self, (int)level, edge->number);
    struct sha256 above = root_of(edge->hash, WIDTH);
    edge->number++;
    edge->width = 0;
    self->edged[level] = false;
    assert(level + 1 < LEVELS);
    return add_hash(self, level + 1, &above);
}

fault tile_writer_add(struct tile_writer *self, struct span leaf)
{
    uint8_t size[2];
    assert(leaf.size <= LEAF_BYTES_MAX);
    put_u16(size, (uint16_t)leaf.size);
    TRY(bytes_append(self->bundle, span_of(size, sizeof size)));
    TRY(bytes_append(self->bundle, leaf));
    struct sha256 hash = merkle_leaf_hash(leaf);
    if (self->edge[0].width + 1 == WIDTH) {
        uint64_t number = self->edge[0].number;
        TRY(put_tile(self, -1, number, WIDTH, bytes_span(self->bundle)));
        if (self->bundle_edged)
            drop_partials(self, -1, number);
        self->bundle->size = 0;
        self->bundle_edged = false;
    }
    TRY(add_hash(self, 0, &hash));
    merkle_append(&self->tree, &hash);
    return DONE;
}

fault tile_writer_flush(struct tile_writer *self)
{
    for (unsigned level = 0; level < LEVELS; level++) {
        struct edge *edge = &self->edge[level];
        if (edge->width == 0)
            continue;
        TRY(put_tile(self, (int)level, edge->number, edge->width,
                     span_of(edge->hash, edge->width * sizeof edge->hash[0])));
        self->edged[level] = true;
    }
    if (self->bundle->size > 0) {
        TRY(put_tile(self, -1, self->edge[0].number, self->edge[0].width,
                     bytes_span(self->bundle)));
        self->bundle_edged = true;
    }
    int fd = open(self->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return RAISE(IO_FAILED, "%s: %m", self->folder);
    fault f = syncfs(fd) == 0 ? DONE : RAISE(IO_FAILED, "%s: %m", self->folder);
    close(fd);
    return f;
}

/* The unfinished tile of one level, or one that has been filled since. */
static fault load_tile(const char *folder, int level, uint64_t number, unsigned width, size_t most,
                       struct bytes **out)
{
    char tile[160], path[PATH_BYTES];
    tiles_path(level, number, width, tile, sizeof tile);
    text_format(path, sizeof path, "%s/%s", folder, tile);
    fault f = file_read(path, most, out);
    if (f.code == NOT_FOUND && width < WIDTH)
        return load_tile(folder, level, number, WIDTH, most, out);
    if (failed(f))
        return RAISE(LOG_BROKEN, "tile %s: %s", path, fault_name(f.code));
    return DONE;
}

static fault load_edge(struct tile_writer *self, unsigned level, uint64_t hashes)
{
    struct edge *edge = &self->edge[level];
    OWNED(bytes) tile = NULL;
    edge->number = hashes / WIDTH;
    edge->width = (unsigned)(hashes % WIDTH);
    self->edged[level] = edge->width > 0;
    if (edge->width == 0)
        return DONE;
    TRY(load_tile(self->folder, (int)level, edge->number, edge->width, sizeof edge->hash, &tile));
    if (tile->size < edge->width * sizeof edge->hash[0])
        return RAISE(LOG_BROKEN, "a tile of level %u with %zu bytes", level, tile->size);
    memcpy(edge->hash, tile->data, edge->width * sizeof edge->hash[0]);
    /* the bits of width stand for complete subtrees at the right edge of the whole tree */
    struct merkle part = {0};
    for (unsigned i = 0; i < edge->width; i++)
        merkle_append(&part, &edge->hash[i]);
    for (unsigned bit = 0; bit < 8; bit++)
        if ((edge->width >> bit & 1) != 0)
            self->tree.edge[8 * level + bit] = part.edge[bit];
    return DONE;
}

static fault load_bundle(struct tile_writer *self)
{
    OWNED(bytes) bundle = NULL;
    const struct edge *edge = &self->edge[0];
    self->bundle_edged = edge->width > 0;
    if (edge->width == 0)
        return DONE;
    TRY(load_tile(self->folder, -1, edge->number, edge->width, BUNDLE_BYTES_MAX, &bundle));
    struct cursor at = cursor_over(bytes_span(bundle));
    for (unsigned i = 0; i < edge->width; i++) {
        uint16_t size = 0;
        struct span entry;
        if (failed(cursor_take_u16(&at, &size)) || failed(cursor_take(&at, size, &entry)))
            return RAISE(LOG_BROKEN, "the last bundle ends early");
        struct sha256 hash = merkle_leaf_hash(entry);
        if (!sha256_equal(&hash, &edge->hash[i]))
            return RAISE(LOG_BROKEN, "the last bundle is not what its tile says");
    }
    return bytes_append(self->bundle, span_of(bundle->data, bundle->size - at.left.size));
}

fault tile_writer_open(const char *folder, uint64_t size, const struct sha256 *root,
                       struct tile_writer **out)
{
    OWNED(tile_writer) self = owned_new(sizeof *self);
    self->bundle = bytes_empty(WIDTH * 1024);
    if (!text_format(self->folder, sizeof self->folder, "%s", folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    uint64_t hashes = size;
    for (unsigned level = 0; level < LEVELS; level++, hashes /= WIDTH)
        TRY(load_edge(self, level, hashes));
    self->tree.size = size;
    TRY(load_bundle(self));
    struct sha256 found = merkle_root(&self->tree);
    if (!sha256_equal(&found, root))
        return RAISE(LOG_BROKEN, "the tiles in %s lead to another root than %" PRIu64 " entries do",
                     folder, size);
    *out = TAKE(self);
    return DONE;
}

void tile_writer_free(struct tile_writer **self)
{
    if (*self == NULL)
        return;
    bytes_free(&(*self)->bundle);
    free(*self);
    *self = NULL;
}

uint64_t tile_writer_size(const struct tile_writer *self)
{
    return self->tree.size;
}

struct sha256 tile_writer_root(const struct tile_writer *self)
{
    return merkle_root(&self->tree);
}

// --- reading ------------------------------------------------------------------------------------

/* One tile per level is kept: proofs go along one path. */
struct tile_reader {
    char folder[PATH_BYTES - 200];
    uint64_t size;
    struct {
        bool held;
        uint64_t number;
        struct bytes *tile;
    } level[LEVELS];
};

struct tile_reader *tile_reader_new(const char *folder, uint64_t size)
{
    struct tile_reader *self = owned_new(sizeof *self);
    text_format(self->folder, sizeof self->folder, "%s", folder); /* too long: nothing is found */
    self->size = size;
    return self;
}

void tile_reader_free(struct tile_reader **self)
{
    if (*self == NULL)
        return;
    for (unsigned level = 0; level < LEVELS; level++)
        bytes_free(&(*self)->level[level].tile);
    free(*self);
    *self = NULL;
}

static unsigned width_of(uint64_t number, uint64_t count)
{
    uint64_t left = count - number * WIDTH;
    return left < WIDTH ? (unsigned)left : WIDTH;
}

static fault hash_at(struct tile_reader *self, unsigned level, uint64_t index, struct sha256 *out)
{
    uint64_t number = index / WIDTH, count = self->size >> 8 * level;
    if (index >= count)
        return RAISE(LOG_BROKEN, "a log of %" PRIu64 " entries has no such hash", self->size);
    if (!self->level[level].held || self->level[level].number != number) {
        struct bytes *tile = NULL;
        TRY(load_tile(self->folder, (int)level, number, width_of(number, count),
                      WIDTH * sizeof *out, &tile));
        bytes_free(&self->level[level].tile);
        self->level[level].tile = tile;
        self->level[level].number = number;
        self->level[level].held = true;
    }
    struct span tile = bytes_span(self->level[level].tile);
    size_t at = (size_t)(index % WIDTH) * sizeof *out;
    if (at + sizeof *out > tile.size)
        return RAISE(LOG_BROKEN, "a tile of level %u with %zu bytes", level, tile.size);
    memcpy(out->at, tile.at + at, sizeof *out);
    return DONE;
}

/* A complete subtree: 2^height leaves from start on. */
static fault hash_complete(struct tile_reader *self, uint64_t start, unsigned height,
                           struct sha256 *out)
{
    unsigned level = height / 8;
    struct sha256 hash[128];
    size_t count = (size_t)1 << height % 8;
    for (size_t i = 0; i < count; i++)
        TRY(hash_at(self, level, (start >> 8 * level) + i, &hash[i]));
    *out = root_of(hash, count);
    return DONE;
}

fault tile_reader_hash(struct tile_reader *self, struct merkle_range range, struct sha256 *out)
{
    assert(range.start < range.end);
    /* from the right: complete subtrees of falling size, as the bits of the length say */
    struct sha256 part[64];
    size_t parts = 0;
    for (uint64_t at = range.start, left = range.end - range.start; left > 0;) {
        unsigned height = 63 - (unsigned)__builtin_clzll(left);
        TRY(hash_complete(self, at, height, &part[parts++]));
        at += (uint64_t)1 << height;
        left -= (uint64_t)1 << height;
    }
    *out = part[parts - 1];
    for (size_t i = parts - 1; i-- > 0;)
        *out = merkle_node_hash(&part[i], out);
    return DONE;
}

static fault hash_all(struct tile_reader *self, const struct merkle_range *ranges, size_t count,
                      struct sha256 *out)
{
    for (size_t i = 0; i < count; i++)
        TRY(tile_reader_hash(self, ranges[i], &out[i]));
    return DONE;
}

fault tile_reader_inclusion(struct tile_reader *self, uint64_t index,
                            struct sha256 out[MERKLE_PROOF_MAX], size_t *length)
{
    struct merkle_range ranges[MERKLE_PROOF_MAX];
    if (index >= self->size)
        return RAISE(NOT_FOUND, "the log has no entry %" PRIu64, index);
    *length = merkle_inclusion_ranges(index, self->size, ranges);
    return hash_all(self, ranges, *length, out);
}

fault tile_reader_consistency(struct tile_reader *self, uint64_t old_size,
                              struct sha256 out[MERKLE_PROOF_MAX], size_t *length)
{
    struct merkle_range ranges[MERKLE_PROOF_MAX];
    if (old_size > self->size)
        return RAISE(NOT_FOUND, "the log has %" PRIu64 " entries, not %" PRIu64, self->size,
                     old_size);
    *length = merkle_consistency_ranges(old_size, self->size, ranges);
    return hash_all(self, ranges, *length, out);
}

fault tile_reader_entry(struct tile_reader *self, uint64_t index, struct bytes **out)
{
    OWNED(bytes) bundle = NULL;
    struct span entry = {0};
    if (index >= self->size)
        return RAISE(NOT_FOUND, "the log has no entry %" PRIu64, index);
    uint64_t number = index / WIDTH;
    TRY(load_tile(self->folder, -1, number, width_of(number, self->size), BUNDLE_BYTES_MAX,
                  &bundle));
    struct cursor at = cursor_over(bytes_span(bundle));
    for (uint64_t i = number * WIDTH; i <= index; i++) {
        uint16_t size = 0;
        if (failed(cursor_take_u16(&at, &size)) || failed(cursor_take(&at, size, &entry)))
            return RAISE(LOG_BROKEN, "bundle %" PRIu64 " ends early", number);
    }
    return bytes_copy(entry, out);
}
