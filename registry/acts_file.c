// SPDX-License-Identifier: MIT
#include "registry/acts_file.h"

#include "lib/base/crc32c.h"
#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 768
#define FRAME_BYTES 8
#define HEAD_BYTES_MAX 256
#define LOG_BYTES_MAX ((size_t)DIRECTORY_ENTRIES_MAX * 2048)

struct acts_file {
    char folder[512];
    struct bytes *backing;
    struct span *leaves; /* count of them; room for `room` */
    size_t count, room;
    size_t committed;
    uint64_t bytes; /* of acts.log that count */
    struct merkle tree, committed_tree;
    struct bytes **added; /* memory of leaves that were not in the file */
    size_t added_count, added_room, added_committed;
};

void acts_file_free(struct acts_file **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < (*self)->added_count; i++)
        bytes_free(&(*self)->added[i]);
    free((*self)->added);
    bytes_free(&(*self)->backing);
    free((*self)->leaves);
    free(*self);
    *self = NULL;
}

size_t acts_file_count(const struct acts_file *self)
{
    return self->count;
}

const struct span *acts_file_leaves(const struct acts_file *self)
{
    return self->leaves;
}

struct sha256 acts_file_root(const struct acts_file *self)
{
    return merkle_root(&self->tree);
}

static fault path_of(const char *folder, const char *name, char *out)
{
    if (!text_format(out, PATH_BYTES, "%s/%s", folder, name))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    return DONE;
}

static void keep_leaf(struct acts_file *self, struct span leaf)
{
    if (self->count == self->room) {
        self->room = self->room == 0 ? 64 : 2 * self->room;
        self->leaves = owned_grow(self->leaves, self->room, sizeof *self->leaves);
    }
    self->leaves[self->count++] = leaf;
    struct sha256 hash = merkle_leaf_hash(leaf);
    merkle_append(&self->tree, &hash);
}

// --- reading ------------------------------------------------------------------------------------

struct head {
    uint64_t entries, bytes;
    struct sha256 root;
};

static fault take_head(struct span text, struct head *out)
{
    struct cursor from = cursor_over(text);
    struct span entries, bytes, root;
    TRY(cursor_take_until(&from, ' ', &entries));
    TRY(cursor_take_until(&from, ' ', &bytes));
    TRY(cursor_take_until(&from, '\n', &root));
    TRY(text_number(entries, DIRECTORY_ENTRIES_MAX, &out->entries));
    TRY(text_number(bytes, LOG_BYTES_MAX, &out->bytes));
    return text_unhex(root, out->root.at, sizeof out->root.at);
}

static fault read_head(const char *folder, struct head *out)
{
    char path[PATH_BYTES];
    OWNED(bytes) text = NULL;
    TRY(path_of(folder, "acts.head", path));
    fault f = file_read(path, HEAD_BYTES_MAX, &text);
    if (f.code == NOT_FOUND)
        return RAISE(NOT_FOUND,
                     "%s is not a store: make one with chaski-registry init %s --instance "
                     "CODE --name TEXT",
                     folder, folder);
    TRY(f);
    return failed(take_head(bytes_span(text), out)) ? RAISE(LOG_BROKEN, "%s is damaged", path)
                                                    : DONE;
}

static fault take_frame(struct cursor *from, struct span *leaf)
{
    uint32_t length = 0, sum = 0;
    TRY(cursor_take_u32(from, &length));
    TRY(cursor_take_u32(from, &sum));
    TRY(cursor_take(from, length, leaf));
    return crc32c(0, *leaf) == sum ? DONE : RAISE(BAD_FRAME, "checksum");
}

static fault take_frames(struct acts_file *self, const char *path, const struct head *head)
{
    struct span whole = bytes_span(self->backing);
    if (whole.size < head->bytes)
        return RAISE(LOG_SHRUNK,
                     "%s has %zu bytes, and %" PRIu64
                     " were written: put back the complete file from a copy",
                     path, whole.size, head->bytes);
    struct cursor from = cursor_over(span_of(whole.at, head->bytes));
    while (!cursor_at_end(&from)) {
        struct span leaf;
        if (failed(take_frame(&from, &leaf)))
            return RAISE(LOG_BROKEN, "%s is damaged at act %zu: put it back from a copy", path,
                         self->count);
        keep_leaf(self, leaf);
    }
    struct sha256 root = merkle_root(&self->tree);
    if (self->count != head->entries || !sha256_equal(&root, &head->root))
        return RAISE(LOG_BROKEN, "%s does not hold the acts that acts.head counts", path);
    self->bytes = head->bytes;
    self->committed = self->count;
    self->committed_tree = self->tree;
    return DONE;
}

static fault cut(const char *path, uint64_t bytes)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return RAISE(IO_FAILED, "%s: %m", path);
    bool done = ftruncate(fd, (off_t)bytes) == 0 && fsync(fd) == 0;
    int why = errno;
    close(fd);
    errno = why;
    return done ? DONE : RAISE(IO_FAILED, "cutting %s: %m", path);
}

fault acts_file_open(const char *folder, bool mend, uint64_t *cut_bytes, struct acts_file **out)
{
    OWNED(acts_file) self = owned_new(sizeof *self);
    char path[PATH_BYTES];
    struct head head;
    if (!text_format(self->folder, sizeof self->folder, "%s", folder))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    TRY(read_head(folder, &head));
    TRY(path_of(folder, "acts.log", path));
    TRY(file_read(path, LOG_BYTES_MAX, &self->backing));
    TRY(take_frames(self, path, &head));
    uint64_t behind = self->backing->size - head.bytes;
    if (mend && behind > 0)
        TRY(cut(path, head.bytes));
    *cut_bytes = behind;
    *out = TAKE(self);
    return DONE;
}

// --- writing ------------------------------------------------------------------------------------

static fault write_head(const struct acts_file *self, uint64_t bytes)
{
    char path[PATH_BYTES], root[2 * SHA256_BYTES + 1], text[HEAD_BYTES_MAX];
    struct sha256 hash = merkle_root(&self->tree);
    TRY(path_of(self->folder, "acts.head", path));
    text_hex(sha256_span(&hash), root, sizeof root);
    text_format(text, sizeof text, "%zu %" PRIu64 " %s\n", self->count, bytes, root);
    return file_replace(path, span_of_text(text), 0600);
}

fault acts_file_make(const char *folder)
{
    struct acts_file empty = {0};
    char path[PATH_BYTES];
    if (!text_format(empty.folder, sizeof empty.folder, "%s", folder))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    TRY(path_of(folder, "acts.log", path));
    TRY(file_replace(path, (struct span){NULL, 0}, 0600));
    return write_head(&empty, 0);
}

void acts_file_add(struct acts_file *self, struct bytes **leaf)
{
    if (self->added_count == self->added_room) {
        self->added_room = self->added_room == 0 ? 16 : 2 * self->added_room;
        self->added = owned_grow(self->added, self->added_room, sizeof *self->added);
    }
    self->added[self->added_count++] = *leaf;
    keep_leaf(self, bytes_span(*leaf));
    *leaf = NULL;
}

static fault frame(const struct acts_file *self, struct bytes *out)
{
    for (size_t i = self->committed; i < self->count; i++) {
        uint8_t head[FRAME_BYTES];
        put_u32(head, (uint32_t)self->leaves[i].size);
        put_u32(head + 4, crc32c(0, self->leaves[i]));
        TRY(bytes_append(out, span_of(head, sizeof head)));
        TRY(bytes_append(out, self->leaves[i]));
    }
    return DONE;
}

static fault write_frames(const struct acts_file *self, struct span frames)
{
    char path[PATH_BYTES];
    TRY(path_of(self->folder, "acts.log", path));
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return RAISE(IO_FAILED, "%s: %m", path);
    fault f = file_write_at(fd, frames, (off_t)self->bytes);
    if (!failed(f) && fsync(fd) != 0)
        f = RAISE(IO_FAILED, "fsync of %s: %m", path);
    close(fd);
    return f;
}

fault acts_file_commit(struct acts_file *self)
{
    OWNED(bytes) frames = bytes_empty(4096);
    if (self->committed == self->count)
        return DONE;
    TRY(frame(self, frames));
    TRY(write_frames(self, bytes_span(frames)));
    TRY(write_head(self, self->bytes + frames->size));
    self->bytes += frames->size;
    self->committed = self->count;
    self->committed_tree = self->tree;
    self->added_committed = self->added_count;
    return DONE;
}

void acts_file_rewind(struct acts_file *self)
{
    while (self->added_count > self->added_committed)
        bytes_free(&self->added[--self->added_count]);
    self->count = self->committed;
    self->tree = self->committed_tree;
}
