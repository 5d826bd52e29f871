// SPDX-License-Identifier: MIT
/*
 * segment_edit FILE delete N | swap N: takes the N-th frame of a log's segment out, or exchanges it
 * with the next, and makes the others follow: indexes and checksums are right again. It is what
 * somebody does who has the disk and no key.
 */
#include "lib/base/crc32c.h"
#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"

#include <stdio.h>
#include <stdlib.h>

#define FRAMES_MAX 100000
#define SEGMENT_BYTES_MAX (1 << 28)
#define HEAD_BYTES 16 /* length, checksum, index */

static fault read_frames(struct span segment, struct span *body, size_t *count, uint64_t *first)
{
    struct cursor at = cursor_over(segment);
    uint32_t size = 0, checksum;
    uint64_t index;
    *count = 0;
    while (*count < FRAMES_MAX && !failed(cursor_take_u32(&at, &size)) && size != 0) {
        TRY(cursor_take_u32(&at, &checksum));
        TRY(cursor_take_u64(&at, &index));
        TRY(cursor_take(&at, size, &body[*count]));
        if ((*count)++ == 0)
            *first = index;
    }
    return DONE;
}

/* As long as it was: what is left over are zeros. */
static fault write_frames(const char *path, const struct span *body, size_t count, uint64_t first,
                          size_t bytes)
{
    OWNED(bytes) out = NULL;
    TRY(bytes_new(bytes, &out));
    uint8_t *at = out->data;
    for (size_t i = 0; i < count; i++) {
        put_u32(at, (uint32_t)body[i].size);
        put_u64(at + 8, first + i);
        memcpy(at + HEAD_BYTES, body[i].at, body[i].size);
        put_u32(at + 4, crc32c(0, span_of(at + 8, 8 + body[i].size)));
        at += HEAD_BYTES + body[i].size;
    }
    return file_replace(path, bytes_span(out), 0600);
}

static fault edit(const char *path, bool deletes, uint64_t number)
{
    static struct span body[FRAMES_MAX];
    OWNED(bytes) segment = NULL;
    size_t count = 0;
    uint64_t first = 0;
    TRY(file_read(path, SEGMENT_BYTES_MAX, &segment));
    TRY(read_frames(bytes_span(segment), body, &count, &first));
    if (number + 1 >= count)
        return RAISE(BAD_REQUEST, "%s has %zu frames", path, count);
    if (deletes) {
        memmove(&body[number], &body[number + 1], (count - number - 1) * sizeof *body);
        count--;
    } else {
        struct span kept = body[number];
        body[number] = body[number + 1];
        body[number + 1] = kept;
    }
    return write_frames(path, body, count, first, segment->size);
}

int main(int argc, char **argv)
{
    uint64_t number = 0;
    bool deletes = argc == 4 && strcmp(argv[2], "delete") == 0;
    if (argc != 4 || (!deletes && strcmp(argv[2], "swap") != 0) ||
        failed(text_number(span_of_text(argv[3]), FRAMES_MAX, &number))) {
        fputs("segment_edit FILE delete N | swap N\n", stderr);
        return 2;
    }
    if (!failed(edit(argv[1], deletes, number)))
        return 0;
    fprintf(stderr, "segment_edit: %s\n", fault_detail());
    return 1;
}
