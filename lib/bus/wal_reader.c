// SPDX-License-Identifier: MIT
#include "lib/bus/wal_private.h"

#include "lib/base/text.h"
#include "lib/bus/limits.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>

struct wal_reader {
    char folder[WAL_PATH_BYTES];
    uint64_t next;  /* entry to be shown next */
    uint64_t first; /* of the segment that is mapped */
    struct span bytes;
    size_t place;  /* of entry `next` in it */
    size_t let_go; /* up to here its pages are given back */
};

/* What was shown is not read again: its pages shall not count as memory of this process. */
static void let_go(struct wal_reader *self)
{
    size_t whole = self->place - self->place % WAL_LET_GO_BYTES;
    if (whole <= self->let_go)
        return;
    madvise((void *)(uintptr_t)(self->bytes.at + self->let_go), whole - self->let_go,
            MADV_DONTNEED);
    self->let_go = whole;
}

/* Maps the segment that begins at or before this entry: the last such one. */
static fault go_to_segment(struct wal_reader *self, uint64_t index)
{
    struct segment *list = NULL;
    size_t count = 0;
    char path[WAL_PATH_BYTES];
    TRY(wal_list_segments(self->folder, &list, &count));
    size_t i = count;
    while (i > 0 && list[i - 1].first > index)
        i--;
    uint64_t first = i > 0 ? list[i - 1].first : 0;
    wal_free_segments(list, count);
    if (i == 0)
        return RAISE(NOT_FOUND, "%s: no segment holds entry %" PRIu64, self->folder, index);
    if (self->bytes.size > 0 && self->first == first)
        return DONE; /* still the last one */
    wal_unmap(self->bytes);
    self->bytes = (struct span){0};
    wal_path(self->folder, first, path);
    TRY(wal_map(path, &self->bytes));
    self->first = first;
    self->place = self->let_go = 0;
    return DONE;
}

/* The frame of entry `next`, here or at the head of the next segment. */
static fault take_next(struct wal_reader *self, struct span *leaf)
{
    for (int attempt = 0; attempt < 2; attempt++) {
        struct cursor at =
            cursor_over(span_of(self->bytes.at + self->place, self->bytes.size - self->place));
        if (!failed(wal_take_frame(&at, self->next, leaf))) {
            let_go(self); /* before it: this leaf is still to be looked at */
            self->place = (size_t)(leaf->at - self->bytes.at) + leaf->size;
            return DONE;
        }
        if (attempt == 0)
            TRY(go_to_segment(self, self->next));
        if (self->first != self->next)
            break;
    }
    return RAISE(LOG_BROKEN, "%s: entry %" PRIu64 " is not there", self->folder, self->next);
}

fault wal_reader_open(const char *folder, uint64_t next, struct wal_reader **out)
{
    OWNED(wal_reader) self = owned_new(sizeof *self);
    struct span leaf;
    if (!text_format(self->folder, sizeof self->folder, "%s", folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    TRY(go_to_segment(self, next));
    for (self->next = self->first; self->next < next; self->next++)
        TRY(take_next(self, &leaf));
    *out = TAKE(self);
    return DONE;
}

void wal_reader_free(struct wal_reader **self)
{
    if (*self == NULL)
        return;
    wal_unmap((*self)->bytes);
    free(*self);
    *self = NULL;
}

fault wal_reader_show(struct wal_reader *self, uint64_t until, wal_visit *visit, void *owner)
{
    struct span leaf;
    while (self->next < until) {
        TRY(take_next(self, &leaf));
        TRY(visit(owner, self->next, leaf));
        self->next++;
    }
    return DONE;
}
