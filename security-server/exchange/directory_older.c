// SPDX-License-Identifier: MIT
#include "security-server/exchange/directory_older.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/directory_partial.h"
#include "lib/bus/tiles.h"

#include <stdlib.h>

#define PATH_BYTES 768

struct directory_older {
    char followed[PATH_BYTES - 200], copy[PATH_BYTES - 200];
    bool whole;   /* nothing is missing, or was when it was looked at last */
    bool asked;   /* the job is under way */
    bool filling; /* something was missing */
    bool stale;   /* the copy was written anew meanwhile */
    struct set_job job;
    uint64_t size;   /* of the copy, for the job */
    uint64_t begins; /* what the job found */
    int64_t said_ms;
};

struct directory_older *directory_older_new(const char *followed, const char *copy)
{
    struct directory_older *self = owned_new(sizeof *self);
    if (!text_format(self->followed, sizeof self->followed, "%s", followed) ||
        !text_format(self->copy, sizeof self->copy, "%s", copy))
        self->whole = true; /* names that are too long were refused before */
    return self;
}

void directory_older_free(struct directory_older **self)
{
    free(*self);
    *self = NULL;
}

/* On the thread of the sets. NOT_FOUND: the follower has no more yet. */
static fault fill(void *owner)
{
    struct directory_older *self = owner;
    char tile[160], path[PATH_BYTES];
    OWNED(bytes) bundle = NULL;
    self->begins = directory_partial_begins(self->copy, self->size);
    if (self->begins == 0)
        return DONE;
    uint64_t number = self->begins / DIRECTORY_BUNDLE - 1;
    tiles_path(-1, number, DIRECTORY_BUNDLE, tile, sizeof tile);
    text_format(path, sizeof path, "%s/%s", self->followed, tile);
    TRY(file_read(path, DIRECTORY_BUNDLE * (2 + (size_t)LEAF_BYTES_MAX), &bundle));
    return directory_partial_fill(self->copy, self->size, number, bytes_span(bundle));
}

static void on_filled(struct set_job *job)
{
    struct directory_older *self = job->owner;
    int64_t now_ms = clock_steady_ms();
    bool stale = self->stale;
    self->asked = self->stale = false;
    if (stale)
        return;
    if (job->fault == OK && self->begins == 0) {
        if (self->filling)
            EVENT(INFO, "directory.older_had", E_NUMBER("size", (int64_t)self->size));
        self->whole = true;
        self->filling = false;
        return;
    }
    self->filling = true;
    if (job->fault == OK || job->fault == NOT_FOUND ||
        (self->said_ms != 0 && now_ms - self->said_ms < FOLLOW_SAY_MS))
        return;
    self->said_ms = now_ms;
    EVENT(WARN, "directory.older_not_kept", E_NUMBER("before", (int64_t)self->begins),
          E_FAULT(RAISE(job->fault, "%s", job->detail)));
}

void directory_older_look(struct directory_older *self, struct set_reader *sets, uint64_t size)
{
    if (self->whole || self->asked || sets == NULL || size == 0)
        return;
    self->size = size;
    self->job = (struct set_job){.work = SET_CALL, .call = fill, .done = on_filled, .owner = self};
    self->asked = !failed(set_reader_ask(sets, &self->job)); /* else at the next look */
}

void directory_older_again(struct directory_older *self)
{
    self->whole = false;
    self->stale = self->asked;
}

bool directory_older_is_whole(const struct directory_older *self)
{
    return self->whole;
}
