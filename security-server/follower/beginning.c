// SPDX-License-Identifier: MIT
#include "security-server/follower/beginning.h"

#include "lib/base/text.h"
#include "lib/bus/anchor_file.h"
#include "lib/bus/tiles.h"
#include "security-server/follower/bundles.h"

#include <inttypes.h>
#include <stdlib.h>

#define URL_BYTES (ANCHOR_URL_BYTES_MAX + 200)

struct beginning {
    struct fetcher *fetcher;
    char url[ANCHOR_URL_BYTES_MAX];
    uint64_t snapshot, head;
    void (*done)(void *owner, fault f);
    void *owner;
    struct bytes *state;
    uint64_t count, there; /* hashes of bundles before */
    struct sha256 *hash;
    bool full; /* the tile under way is asked for as a full one: it was filled meanwhile */
    struct bundles *bundles;
};

bool beginning_fits(uint64_t snapshot, uint64_t head)
{
    return snapshot < head && directory_partial_first(snapshot) > 0;
}

struct beginning *beginning_new(struct fetcher *fetcher, const char *url, uint64_t snapshot,
                                uint64_t head, void (*done)(void *owner, fault f), void *owner)
{
    struct beginning *self = owned_new(sizeof *self);
    self->fetcher = fetcher;
    text_format(self->url, sizeof self->url, "%s", url);
    self->snapshot = snapshot;
    self->head = head;
    self->done = done;
    self->owner = owner;
    self->count = directory_partial_first(snapshot) / DIRECTORY_BUNDLE;
    self->hash = owned_array(self->count + 1, sizeof *self->hash);
    return self;
}

void beginning_free(struct beginning **self)
{
    if (*self == NULL)
        return;
    fetcher_drop((*self)->fetcher, *self);
    bundles_free(&(*self)->bundles);
    bytes_free(&(*self)->state);
    free((*self)->hash);
    free(*self);
    *self = NULL;
}

struct directory_partial beginning_partial(const struct beginning *self)
{
    size_t count = 0;
    return (struct directory_partial){.snapshot = self->snapshot,
                                      .state = bytes_span(self->state),
                                      .bundle = self->hash,
                                      .leaf = bundles_leaves(self->bundles, &count)};
}

/* `done` may free us. */
static void end(struct beginning *self, fault f)
{
    self->done(self->owner, f);
}

static fault ask(struct beginning *self, const char *name, size_t bytes_max, fetch_done *done)
{
    char url[URL_BYTES];
    text_format(url, sizeof url, "%s/directory/%s", self->url, name);
    struct fetch what = {.url = url,
                         .bytes_max = bytes_max,
                         .wait_ms = FOLLOW_BUNDLE_MS,
                         .done = done,
                         .owner = self};
    return fetcher_begin(self->fetcher, &what);
}

static void on_bundles(void *owner, fault f)
{
    end(owner, f);
}

// --- tiles of level 1 ---------------------------------------------------------------------------

static fault ask_tile(struct beginning *self);

/* How many hashes of the tile under way stand before the first entry. */
static size_t wanted(const struct beginning *self)
{
    uint64_t left = self->count - self->there;
    return left < DIRECTORY_BUNDLE ? (size_t)left : DIRECTORY_BUNDLE;
}

static fault take_tile(struct beginning *self, struct span body)
{
    size_t count = wanted(self);
    if (body.size < count * sizeof *self->hash)
        return RAISE(BAD_FRAME, "a tile of %zu bytes, for %zu hashes", body.size, count);
    memcpy(self->hash + self->there, body.at, count * sizeof *self->hash);
    self->there += count;
    return DONE;
}

static void on_tile(void *owner, fault f, struct span body)
{
    struct beginning *self = owner;
    if (f.code == NOT_FOUND && !self->full) {
        self->full = true;
        f = ask_tile(self);
    } else if (!failed(f)) {
        self->full = false;
        f = take_tile(self, body);
        if (!failed(f) && self->there < self->count)
            f = ask_tile(self);
        else if (!failed(f)) {
            self->bundles =
                bundles_new(self->fetcher, self->url, self->snapshot, self->head, on_bundles, self);
            bundles_begin(self->bundles);
            return;
        }
    }
    if (failed(f))
        end(self, f);
}

static fault ask_tile(struct beginning *self)
{
    char tile[160];
    uint64_t number = self->there / DIRECTORY_BUNDLE;
    uint64_t left = self->head / DIRECTORY_BUNDLE - number * DIRECTORY_BUNDLE;
    unsigned width = self->full || left > DIRECTORY_BUNDLE ? DIRECTORY_BUNDLE : (unsigned)left;
    tiles_path(1, number, width, tile, sizeof tile);
    return ask(self, tile, DIRECTORY_BUNDLE * sizeof *self->hash, on_tile);
}

static void on_snapshot(void *owner, fault f, struct span body)
{
    struct beginning *self = owner;
    if (!failed(f))
        f = bytes_copy(body, &self->state);
    if (!failed(f))
        f = ask_tile(self);
    if (failed(f))
        end(self, f);
}

void beginning_begin(struct beginning *self)
{
    char name[64];
    text_format(name, sizeof name, "snapshot/%" PRIu64, self->snapshot);
    fault f = ask(self, name, DIRECTORY_SNAPSHOT_BYTES_MAX, on_snapshot);
    if (failed(f))
        end(self, f);
}
