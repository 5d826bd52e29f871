// SPDX-License-Identifier: MIT
#include "security-server/follower/older.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "lib/bus/tiles.h"

#include <stdlib.h>

#define URL_BYTES (ANCHOR_URL_BYTES_MAX + 200)

struct older {
    struct loop *loop;
    struct fetcher *fetcher;
    struct followed *followed;
    const struct anchor_file *anchor;
    struct loop_timer timer;
    size_t at;        /* the address that is asked */
    size_t tried;     /* without success, for the bundle that comes next */
    bool missing;     /* there was something to fill in */
    uint64_t begins;  /* where the copy began when the bundle under way was asked for */
    int64_t asked_ms; /* steady */
    int64_t said_ms;  /* steady: of the last fault that was told */
};

static void wait(struct older *self, int64_t ms)
{
    loop_set_timer(self->loop, &self->timer, ms);
}

static void say(struct older *self, fault f)
{
    int64_t now_ms = clock_steady_ms();
    if (self->said_ms != 0 && now_ms - self->said_ms < FOLLOW_SAY_MS)
        return;
    self->said_ms = now_ms;
    EVENT(WARN, "follow.older_not_had", E_TEXT("address", self->anchor->address[self->at]),
          E_NUMBER("before", (int64_t)self->begins), E_FAULT(f));
}

/* All addresses in turn, and then a rest. */
static void go_on_elsewhere(struct older *self, fault f)
{
    say(self, f);
    self->at = (self->at + 1) % self->anchor->addresses;
    self->tried++;
    wait(self,
         self->tried % self->anchor->addresses == 0 ? FOLLOW_BACKOFF_MS_MAX : FOLLOW_OLDER_MS);
}

static void on_bundle(void *owner, fault f, struct span body)
{
    struct older *self = owner;
    int64_t took_ms = clock_steady_ms() - self->asked_ms;
    if (followed_begins(self->followed) != self->begins) { /* all of it came meanwhile */
        wait(self, FOLLOW_OLDER_MS);
        return;
    }
    if (!failed(f))
        f = followed_fill(self->followed, body);
    if (failed(f)) {
        go_on_elsewhere(self, f);
        return;
    }
    self->tried = 0;
    wait(self, FOLLOW_OLDER_SHARE * took_ms > FOLLOW_OLDER_MS ? FOLLOW_OLDER_SHARE * took_ms
                                                              : FOLLOW_OLDER_MS);
}

static void ask(struct older *self)
{
    char tile[160], url[URL_BYTES];
    tiles_path(-1, self->begins / DIRECTORY_BUNDLE - 1, DIRECTORY_BUNDLE, tile, sizeof tile);
    text_format(url, sizeof url, "%s/directory/%s", self->anchor->address[self->at], tile);
    struct fetch what = {.url = url,
                         .bytes_max = DIRECTORY_BUNDLE * (2 + (size_t)LEAF_BYTES_MAX),
                         .wait_ms = FOLLOW_BUNDLE_MS,
                         .done = on_bundle,
                         .owner = self};
    self->asked_ms = clock_steady_ms();
    fault f = fetcher_begin(self->fetcher, &what);
    if (failed(f))
        go_on_elsewhere(self, f);
}

static void on_timer(struct loop_timer *timer)
{
    struct older *self = timer->owner;
    self->begins = followed_begins(self->followed);
    if (self->begins == 0 && self->missing)
        EVENT(INFO, "follow.older_had", E_NUMBER("size", followed_head(self->followed)->size));
    self->missing = self->begins > 0;
    if (self->missing)
        ask(self);
    else
        wait(self, FOLLOW_OLDER_MS);
}

struct older *older_new(struct loop *loop, struct fetcher *fetcher, struct followed *followed,
                        const struct anchor_file *anchor)
{
    struct older *self = owned_new(sizeof *self);
    self->loop = loop;
    self->fetcher = fetcher;
    self->followed = followed;
    self->anchor = anchor;
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    wait(self, FOLLOW_OLDER_MS);
    return self;
}

void older_free(struct older **self)
{
    if (*self == NULL)
        return;
    fetcher_drop((*self)->fetcher, *self);
    loop_stop_timer((*self)->loop, &(*self)->timer);
    free(*self);
    *self = NULL;
}
