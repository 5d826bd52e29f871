// SPDX-License-Identifier: MIT
#include "tools/audit/wal_tail.h"

#include "lib/base/crc32c.h"
#include "lib/base/cursor.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "lib/bus/wal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#define TRY_BYTES 64 /* what a try costs besides its checksum */

/* A whole record with a number from `least` to `most`? Moves on when it is; when it only looks like
 * one, *wasted grows by what it cost to see that. */
static bool take_record(struct cursor *at, uint64_t least, uint64_t most, uint64_t *index,
                        size_t *wasted)
{
    struct cursor ahead = *at;
    uint32_t length = 0, crc = 0;
    uint64_t found = 0;
    uint8_t number[8];
    struct span body;
    if (failed(cursor_take_u32(&ahead, &length)) || length == 0 || length > LEAF_BYTES_MAX ||
        failed(cursor_take_u32(&ahead, &crc)) || failed(cursor_take_u64(&ahead, &found)) ||
        found < least || found > most || failed(cursor_take(&ahead, length, &body)))
        return false;
    put_u64(number, found);
    if (crc32c(crc32c(0, span_of(number, sizeof number)), body) != crc) {
        *wasted += TRY_BYTES + body.size;
        return false;
    }
    *index = found;
    *at = ahead;
    return true;
}

struct wal_tail wal_tail_of(struct span segment, uint64_t first)
{
    struct cursor at = cursor_over(segment);
    uint64_t next = first, index = 0;
    size_t wasted = 0;
    while (take_record(&at, next, next, &index, &wasted))
        next++;
    struct wal_tail tail = {.torn_bytes = span_used(at.left)};
    if (tail.torn_bytes == 0)
        return tail;
    uint64_t most = next + at.left.size / WAL_FRAME_BYTES;
    struct span byte;
    do {
        struct cursor here = at;
        tail.hides = take_record(&here, first, most, &tail.index, &wasted);
        tail.poses = wasted >= WAL_TAIL_WASTE_BYTES;
    } while (!tail.hides && !tail.poses && !failed(cursor_take(&at, 1, &byte)) &&
             !cursor_at_end(&at));
    return tail;
}

static fault last_segment(const char *folder, char name[32], uint64_t *first)
{
    name[0] = '\0';
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return errno == ENOENT ? DONE : RAISE(IO_FAILED, "%s: %s", folder, strerror(errno));
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        uint64_t number = 0;
        if (strlen(entry->d_name) == 24 && strcmp(entry->d_name + 20, ".seg") == 0 &&
            !failed(text_number(span_of(entry->d_name, 20), UINT64_MAX, &number)) &&
            (name[0] == '\0' || number > *first)) {
            text_format(name, 32, "%s", entry->d_name);
            *first = number;
        }
    }
    closedir(dir);
    return DONE;
}

fault wal_tail_look(const char *folder, struct wal_tail *out)
{
    char name[32], path[700];
    uint64_t first = 0;
    struct span segment;
    TRY(last_segment(folder, name, &first));
    if (name[0] == '\0') {
        *out = (struct wal_tail){0};
        return DONE;
    }
    if (!text_format(path, sizeof path, "%s/%s", folder, name))
        return RAISE(BAD_REQUEST, "the folder's name is too long");
    TRY(wal_map(path, &segment));
    *out = wal_tail_of(segment, first);
    wal_unmap(segment);
    return DONE;
}
