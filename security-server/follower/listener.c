// SPDX-License-Identifier: MIT
#include "security-server/follower/listener.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/bus/directory_push.h"

#include <stdlib.h>

struct listener {
    struct followed *followed;
    void (*behind)(void *owner);
    void *owner;
    size_t count;
    struct socket *socket[ANCHOR_PUSHES_MAX];
    enum fault_code said;
    int64_t said_ms; /* steady */
};

/* At a bounded rate: whoever has the key could send a bad one each millisecond. */
static void say(struct listener *self, fault f)
{
    int64_t now_ms = clock_steady_ms();
    if (f.code == self->said && now_ms - self->said_ms < FOLLOW_SAY_MS)
        return;
    EVENT(WARN, "follow.push_refused", E_FAULT(f));
    self->said = f.code;
    self->said_ms = now_ms;
}

/* Of the heartbeats each tells that there is no more than what is held, or that something was
 * missed. What contradicts, the next round finds and keeps. */
static fault take_word(struct listener *self, struct span note)
{
    struct heartbeat word;
    fault f = followed_take_heartbeat(self->followed, note, &word);
    if (!failed(f))
        return DONE;
    self->behind(self->owner);
    return f.code == NOT_FOUND ? DONE : f;
}

static fault take(struct listener *self, struct span note, struct span frame)
{
    struct checkpoint head;
    struct directory_push push;
    uint64_t held = followed_head(self->followed)->size;
    struct heartbeat word;
    if (!failed(heartbeat_open(note, followed_key(self->followed), &word)))
        return take_word(self, note);
    fault opened = followed_open_head(self->followed, note, &head);
    if (opened.code == SIGNATURE_BAD)
        self->behind(self->owner); /* maybe by a key that the next round learns of */
    TRY(opened);
    if (head.size <= held)
        return DONE; /* known already; what else it may be, the next round finds */
    TRY(directory_push_read(frame, &push));
    struct followed_news news = {
        .note = note, .from = push.from, .leaf = push.leaf, .leaves = push.count};
    fault f = push.from > held || push.count != head.size - push.from || held == 0
                  ? RAISE(INCONSISTENT, "it does not reach back to what is held")
                  : followed_take(self->followed, &news);
    directory_push_clear(&push);
    if (f.code == INCONSISTENT) {
        self->behind(self->owner);
        return DONE;
    }
    TRY(f);
    EVENT(INFO, "follow.taken", E_NUMBER("size", head.size), E_TEXT("from", "push"));
    return DONE;
}

static void on_message(void *owner, const struct message *message)
{
    struct listener *self = owner;
    fault f = message->count == 2 ? take(self, message->frame[0], message->frame[1])
                                  : RAISE(BAD_FRAME, "a push of %zu frames", message->count);
    if (failed(f))
        say(self, f);
}

static fault open_one(struct net *net, const struct anchor_push *push, struct listener *self)
{
    struct curve_keys own;
    curve_make(&own);
    struct socket_options options = {.kind = SOCKET_SUBSCRIBER,
                                     .queue_messages = PUSH_QUEUE_MESSAGES,
                                     .message_bytes_max = PUSH_BYTES_MAX,
                                     .own = &own,
                                     .server_key = push->key};
    struct socket **socket = &self->socket[self->count];
    fault f = socket_open(net, &options, on_message, self, socket);
    explicit_bzero(&own, sizeof own);
    TRY(f);
    self->count++;
    return socket_connect(*socket, push->address);
}

fault listener_new(struct net *net, struct followed *followed, const struct anchor_file *anchor,
                   void (*behind)(void *owner), void *owner, struct listener **out)
{
    OWNED(listener) self = owned_new(sizeof *self);
    self->followed = followed;
    self->behind = behind;
    self->owner = owner;
    for (size_t i = 0; i < anchor->pushes; i++)
        TRY(open_one(net, &anchor->push[i], self));
    *out = TAKE(self);
    return DONE;
}

void listener_free(struct listener **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < (*self)->count; i++)
        socket_close(&(*self)->socket[i]);
    free(*self);
    *self = NULL;
}
