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

/* Whatever it says: it was told. */
static void on_answer(void *owner, fault f, struct span body)
{
    (void)owner;
    (void)body;
    ignore(f);
}

static fault tell(struct reminder *self, size_t at)
{
    char url[URL_BYTES];
    OWNED(bytes) note = NULL;
    TRY(followed_note(self->followed, &note));
    struct span post = bytes_span(note);
    text_format(url, sizeof url, "%s/directory/head", self->anchor->address[at]);
    EVENT(WARN, "follow.address_behind", E_TEXT("address", self->anchor->address[at]),
          E_NUMBER("size", (int64_t)followed_head(self->followed)->size));
    return fetcher_begin(self->fetcher, &(struct fetch){.url = url,
                                                        .post = &post,
                                                        .bytes_max = ANSWER_BYTES_MAX,
                                                        .wait_ms = FOLLOW_ASK_MS,
                                                        .done = on_answer,
                                                        .owner = self});
}

void reminder_tell(struct reminder *self, size_t at)
{
    int64_t now_ms = clock_steady_ms();
    if (self->told_ms[at] != 0 && now_ms - self->told_ms[at] < FOLLOW_REMIND_MS)
        return;
    self->told_ms[at] = now_ms;
    fault f = tell(self, at);
    if (failed(f))
        EVENT(WARN, "follow.address_not_told", E_FAULT(f));
}
