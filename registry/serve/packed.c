// SPDX-License-Identifier: MIT
#include "registry/serve/packed.h"

#include "lib/base/map.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"

#include <stdlib.h>
#include <strings.h>
#include <unistd.h>
#include <zlib.h>

#define GZIP_WINDOW (15 + 16) /* zlib's way of saying: with a head and a foot of gzip */
#define MEMORY_LEVEL 8

struct kept {
    char etag[64]; /* of the file that was packed */
    struct bytes *bytes;
};

struct packed {
    struct map kept; /* by name */
    size_t bytes;
};

struct packed *packed_new(void)
{
    return owned_new(sizeof(struct packed));
}

static void drop_all(struct packed *self)
{
    size_t step = 0;
    for (struct kept *at; (at = map_next(&self->kept, &step, NULL)) != NULL;) {
        bytes_free(&at->bytes);
        free(at);
    }
    map_clear(&self->kept);
    self->bytes = 0;
}

void packed_free(struct packed **self)
{
    if (*self == NULL)
        return;
    drop_all(*self);
    free(*self);
    *self = NULL;
}

/* "gzip" or "*" as a whole word, without q=0. */
bool packed_is_wanted(const char *accept_encoding)
{
    const char *at = accept_encoding == NULL ? "" : accept_encoding;
    while (*at != '\0') {
        size_t size = strcspn(at, ",");
        const char *word = at + strspn(at, " \t");
        size_t length = strcspn(word, " \t;,");
        const char *quality = strstr(word, "q=");
        bool zero = quality != NULL && quality < at + size && strtod(quality + 2, NULL) <= 0;
        if (((length == 4 && strncasecmp(word, "gzip", 4) == 0) || (length == 1 && *word == '*')))
            return !zero;
        at += size + (at[size] == ',');
    }
    return false;
}

static fault read_whole(const struct published_file *file, struct bytes **out)
{
    OWNED(bytes) whole = NULL;
    TRY(bytes_new((size_t)file->size, &whole));
    for (size_t at = 0; at < whole->size;) {
        ssize_t got = pread(file->fd, whole->data + at, whole->size - at, (off_t)at);
        if (got <= 0)
            return RAISE(IO_FAILED, "a file of the directory: %m");
        at += (size_t)got;
    }
    *out = TAKE(whole);
    return DONE;
}

static fault pack(struct span from, struct bytes **out)
{
    z_stream stream = {0};
    OWNED(bytes) packed = NULL;
    TRY(bytes_new(from.size, &packed));
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return RAISE(INTERNAL, "zlib does not start");
    stream.next_in = (Bytef *)(uintptr_t)from.at;
    stream.avail_in = (uInt)from.size;
    stream.next_out = packed->data;
    stream.avail_out = (uInt)packed->size;
    int ended = deflate(&stream, Z_FINISH);
    packed->size = stream.total_out;
    deflateEnd(&stream);
    if (ended != Z_STREAM_END)
        return RAISE(NOT_FOUND, "it does not become smaller");
    *out = TAKE(packed);
    return DONE;
}

static fault make(struct packed *self, const char *name, const struct published_file *file,
                  struct kept **out)
{
    OWNED(bytes) whole = NULL;
    OWNED(bytes) packed = NULL;
    OWNED(bytes) exact = NULL;
    TRY(read_whole(file, &whole));
    TRY(pack(bytes_span(whole), &packed));
    TRY(bytes_copy(bytes_span(packed), &exact)); /* without the room that was not needed */
    if (self->bytes + exact->size > PACKED_BYTES_MAX)
        drop_all(self);
    struct kept *kept = owned_new(sizeof *kept);
    text_format(kept->etag, sizeof kept->etag, "%s", file->etag);
    self->bytes += exact->size;
    kept->bytes = TAKE(exact);
    struct kept *before = map_set(&self->kept, span_of_text(name), kept);
    if (before != NULL) {
        self->bytes -= before->bytes->size;
        bytes_free(&before->bytes);
        free(before);
    }
    *out = kept;
    return DONE;
}

fault packed_file(struct packed *self, const char *name, const struct published_file *file,
                  struct span *out)
{
    if (file->size < PACKED_FILE_BYTES_MIN || file->size > PACKED_FILE_BYTES_MAX)
        return RAISE(NOT_FOUND, "not of a size that is packed");
    struct kept *kept = map_get(&self->kept, span_of_text(name));
    if (kept == NULL || strcmp(kept->etag, file->etag) != 0)
        TRY(make(self, name, file, &kept));
    *out = bytes_span(kept->bytes);
    return DONE;
}
