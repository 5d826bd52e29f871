// SPDX-License-Identifier: MIT
#include "security-server/follower/subject_fetch.h"

#include "lib/base/clock.h"
#include "lib/base/cursor.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/subject_key.h"

#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 768
#define WANTED_BYTES_MAX 512

struct subject_fetch {
    struct fetcher *fetcher;
    const char *audit_folder, *server;
    const struct anchor_file *anchor;
    char name[SUBJECT_KEY_NAME_ROOM]; /* that is asked for */
    size_t at;                        /* the address that is asked */
    bool running;
    int64_t again_ms; /* steady */
};

struct subject_fetch *subject_fetch_new(struct fetcher *fetcher, const char *audit_folder,
                                        const char *server, const struct anchor_file *anchor)
{
    struct subject_fetch *self = owned_new(sizeof *self);
    self->fetcher = fetcher;
    self->audit_folder = audit_folder;
    self->server = server;
    self->anchor = anchor;
    return self;
}

void subject_fetch_free(struct subject_fetch **self)
{
    if (*self == NULL)
        return;
    fetcher_drop((*self)->fetcher, *self);
    free(*self);
    *self = NULL;
}

static void path_of(const struct subject_fetch *self, char out[PATH_BYTES])
{
    text_format(out, PATH_BYTES, "%s/followed/%s", self->audit_folder, self->name);
}

static fault keep(const struct subject_fetch *self, struct span body)
{
    char path[PATH_BYTES];
    struct subject_key_blob blob;
    TRY(subject_key_read(body, &blob));
    path_of(self, path);
    *strrchr(path, '/') = '\0';
    TRY(file_make_folders(path, 0700));
    path[strlen(path)] = '/';
    return file_replace(path, body, 0600);
}

static void on_answer(void *owner, fault f, struct span body)
{
    struct subject_fetch *self = owner;
    self->running = false;
    if (!failed(f))
        f = keep(self, body);
    if (!failed(f)) {
        EVENT(INFO, "follow.subject_key", E_TEXT("from", self->anchor->address[self->at]));
        return;
    }
    EVENT(DEBUG, "follow.no_subject_key", E_TEXT("address", self->anchor->address[self->at]),
          E_FAULT(f));
    self->at = (self->at + 1) % self->anchor->addresses;
    if (self->at == 0)
        self->again_ms = clock_steady_ms() + SUBJECT_FETCH_AGAIN_MS;
}

/* The first year that is wanted and not there yet. */
static bool find_wanted(struct subject_fetch *self)
{
    char path[PATH_BYTES];
    struct span line;
    OWNED(bytes) wanted = NULL;
    text_format(path, sizeof path, "%s/directory/" SUBJECT_KEYS_FOLDER, self->audit_folder);
    if (failed(file_read(path, WANTED_BYTES_MAX, &wanted)))
        return false;
    struct cursor at = cursor_over(bytes_span(wanted));
    while (!failed(cursor_take_until(&at, '\n', &line))) {
        uint64_t year = 0;
        if (failed(text_number(line, SUBJECT_YEAR_LAST, &year)))
            return false;
        subject_key_name(self->server, (unsigned)year, self->name);
        path_of(self, path);
        if (access(path, F_OK) != 0)
            return true;
    }
    return false;
}

void subject_fetch_look(struct subject_fetch *self)
{
    char url[ANCHOR_URL_BYTES_MAX + 20 + SUBJECT_KEY_NAME_ROOM];
    if (self->running || clock_steady_ms() < self->again_ms || !find_wanted(self))
        return;
    text_format(url, sizeof url, "%s/directory/%s", self->anchor->address[self->at], self->name);
    struct fetch what = {.url = url,
                         .bytes_max = SUBJECT_BLOB_BYTES_MAX,
                         .wait_ms = FOLLOW_ASK_MS,
                         .done = on_answer,
                         .owner = self};
    fault f = fetcher_begin(self->fetcher, &what);
    self->running = !failed(f);
    if (failed(f))
        self->again_ms = clock_steady_ms() + SUBJECT_FETCH_AGAIN_MS;
}
