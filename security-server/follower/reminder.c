// SPDX-License-Identifier: MIT
#include "security-server/follower/reminder.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"

#include <stdlib.h>

#define URL_BYTES (ANCHOR_URL_BYTES_MAX + 200)
#define ANSWER_BYTES_MAX 4096

struct reminder {
    struct fetcher *fetcher;
    struct followed *followed;
    const struct anchor_file *anchor;
    int64_t told_ms[ANCHOR_ADDRESSES_MAX]; /* steady; 0: never */
    size_t at;                             /* who is told now */
    uint64_t shown;                        /* how many acts it has */
};

struct reminder *reminder_new(struct fetcher *fetcher, struct followed *followed,
                              const struct anchor_file *anchor)
{
    struct reminder *self = owned_new(sizeof *self);
    self->fetcher = fetcher;
    self->followed = followed;
    self->anchor = anchor;
    return self;
}

void reminder_free(struct reminder **self)
{
    if (*self == NULL)
        return;
    fetcher_drop((*self)->fetcher, *self);
    free(*self);
    *self = NULL;
}

static void say_not_told(fault f)
{
    if (failed(f))
        EVENT(WARN, "follow.address_not_told", E_FAULT(f));
}

static fault post(struct reminder *self, const char *name, struct span what, fetch_done *done)
{
    char url[URL_BYTES];
    text_format(url, sizeof url, "%s/directory/%s", self->anchor->address[self->at], name);
    return fetcher_begin(self->fetcher, &(struct fetch){.url = url,
                                                        .post = &what,
                                                        .bytes_max = ANSWER_BYTES_MAX,
                                                        .wait_ms = FOLLOW_ASK_MS,
                                                        .done = done,
                                                        .owner = self});
}

/* Whatever it says: it was told. */
static void on_told(void *owner, fault f, struct span body)
{
    (void)owner;
    (void)body;
    ignore(f);
}

static fault tell_act(struct reminder *self)
{
    OWNED(bytes) leaf = NULL;
    uint64_t newest = followed_head(self->followed)->size - 1;
    if (self->shown > newest || failed(followed_act(self->followed, self->shown, &leaf)))
        TRY(followed_act(self->followed, newest, &leaf));
    return post(self, "act", bytes_span(leaf), on_told);
}

/* A head tells, an act proves: of a head alone nobody knows whose it is. */
static void on_head_told(void *owner, fault f, struct span body)
{
    (void)body;
    ignore(f);
    say_not_told(tell_act(owner));
}

static fault tell(struct reminder *self, size_t at)
{
    OWNED(bytes) note = NULL;
    TRY(followed_note(self->followed, &note));
    fetcher_drop(self->fetcher, self); /* who was told a moment ago is told again in a minute */
    self->at = at;
    EVENT(WARN, "follow.address_behind", E_TEXT("address", self->anchor->address[at]),
          E_NUMBER("size", (int64_t)followed_head(self->followed)->size));
    return post(self, "head", bytes_span(note), on_head_told);
}

void reminder_tell(struct reminder *self, size_t at, uint64_t shown)
{
    int64_t now_ms = clock_steady_ms();
    if (self->told_ms[at] != 0 && now_ms - self->told_ms[at] < FOLLOW_REMIND_MS)
        return;
    self->told_ms[at] = now_ms;
    self->shown = shown;
    say_not_told(tell(self, at));
}
