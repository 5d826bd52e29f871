// SPDX-License-Identifier: MIT
#include "security-server/follower/bundles.h"

#include "lib/base/cursor.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "lib/bus/tiles.h"

#include <stdlib.h>

#define WIDTH 256
#define URL_BYTES (ANCHOR_URL_BYTES_MAX + 200)
#define BUNDLE_BYTES_MAX (WIDTH * (2 + (size_t)LEAF_BYTES_MAX))

struct bundle {
    struct bundles *home;
    uint64_t number;
    unsigned width; /* entries that are wanted of it */
    unsigned tries; /* that failed */
    bool full;      /* asked for as a full one: it was filled meanwhile */
    struct bytes *bytes;
};

struct bundles {
    struct fetcher *fetcher;
    char url[ANCHOR_URL_BYTES_MAX];
    uint64_t from, to;
    void (*done)(void *owner, fault f);
    void *owner;
    size_t count, begun, there; /* of bundles */
    size_t bytes;               /* of those that are there */
    struct bundle *bundle;
    struct span *leaf;
};

struct bundles *bundles_new(struct fetcher *fetcher, const char *url, uint64_t from, uint64_t to,
                            void (*done)(void *owner, fault f), void *owner)
{
    struct bundles *self = owned_new(sizeof *self);
    uint64_t first = from / WIDTH;
    self->fetcher = fetcher;
    text_format(self->url, sizeof self->url, "%s", url);
    self->from = first * WIDTH;
    self->to = to;
    self->done = done;
    self->owner = owner;
    self->count = (size_t)((to + WIDTH - 1) / WIDTH - first);
    self->bundle = owned_array(self->count, sizeof *self->bundle);
    for (size_t i = 0; i < self->count; i++) {
        uint64_t left = to - (first + i) * WIDTH;
        self->bundle[i] = (struct bundle){
            .home = self, .number = first + i, .width = left < WIDTH ? (unsigned)left : WIDTH};
    }
    return self;
}

static void drop_all(struct bundles *self)
{
    for (size_t i = 0; i < self->count; i++)
        fetcher_drop(self->fetcher, &self->bundle[i]);
}

void bundles_free(struct bundles **self)
{
    if (*self == NULL)
        return;
    drop_all(*self);
    for (size_t i = 0; i < (*self)->count; i++)
        bytes_free(&(*self)->bundle[i].bytes);
    free((*self)->bundle);
    free((*self)->leaf);
    free(*self);
    *self = NULL;
}

uint64_t bundles_from(const struct bundles *self)
{
    return self->from;
}

const struct span *bundles_leaves(const struct bundles *self, size_t *count)
{
    *count = self->leaf == NULL ? 0 : (size_t)(self->to - self->from);
    return self->leaf;
}

// --- taking -------------------------------------------------------------------------------------

static fault take_entries(const struct bundle *bundle, struct span *leaves)
{
    struct cursor at = cursor_over(bytes_span(bundle->bytes));
    for (unsigned i = 0; i < bundle->width; i++) {
        uint16_t size = 0;
        if (failed(cursor_take_u16(&at, &size)) || failed(cursor_take(&at, size, &leaves[i])))
            return RAISE(BAD_FRAME, "a bundle of entries that ends early");
    }
    if (bundle->width == WIDTH && !cursor_at_end(&at))
        return RAISE(BAD_FRAME, "%zu bytes behind the last entry of a bundle", at.left.size);
    return DONE;
}

static fault take_all(struct bundles *self)
{
    self->leaf = owned_array((size_t)(self->to - self->from), sizeof *self->leaf);
    for (size_t i = 0; i < self->count; i++)
        TRY(take_entries(&self->bundle[i], self->leaf + i * WIDTH));
    return DONE;
}

/* `done` may free us. */
static void end(struct bundles *self, fault f)
{
    drop_all(self);
    self->done(self->owner, f);
}

static fault ask(struct bundle *bundle);

static void on_bundle(void *owner, fault f, struct span body)
{
    struct bundle *bundle = owner;
    struct bundles *self = bundle->home;
    bool filled = f.code == NOT_FOUND && bundle->width < WIDTH && !bundle->full;
    bool lost = f.code == PEER_UNREACHABLE && bundle->tries < FOLLOW_BUNDLE_TRIES_MAX;
    if (filled || lost) { /* on a poor line the rest is not to be fetched again for one of them */
        bundle->full = bundle->full || filled;
        bundle->tries += lost;
        f = ask(bundle);
        if (failed(f))
            end(self, f);
        return;
    }
    if (!failed(f) && body.size > FOLLOW_BYTES_MAX - self->bytes)
        f = RAISE(BAD_FRAME, "a directory of more than %u bytes", FOLLOW_BYTES_MAX);
    if (!failed(f))
        f = bytes_copy(body, &bundle->bytes);
    self->bytes += body.size;
    self->there++;
    if (!failed(f) && self->begun < self->count)
        f = ask(&self->bundle[self->begun++]);
    if (!failed(f) && self->there < self->count)
        return;
    if (!failed(f))
        f = take_all(self);
    end(self, f);
}

static fault ask(struct bundle *bundle)
{
    char tile[160], url[URL_BYTES];
    tiles_path(-1, bundle->number, bundle->full ? WIDTH : bundle->width, tile, sizeof tile);
    text_format(url, sizeof url, "%s/directory/%s", bundle->home->url, tile);
    struct fetch what = {.url = url,
                         .bytes_max = BUNDLE_BYTES_MAX,
                         .wait_ms = FOLLOW_BUNDLE_MS,
                         .done = on_bundle,
                         .owner = bundle};
    return fetcher_begin(bundle->home->fetcher, &what);
}

void bundles_begin(struct bundles *self)
{
    while (self->begun < self->count && self->begun < FOLLOW_AT_ONCE) {
        fault f = ask(&self->bundle[self->begun++]);
        if (failed(f)) {
            end(self, f);
            return;
        }
    }
}
