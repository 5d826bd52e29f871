// SPDX-License-Identifier: MIT
#include "registry/serve/push.h"

#include "lib/base/event.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "lib/net/socket.h"
#include "registry/store.h"

#include "directory.pb-c.h"

#include <stdlib.h>
#include <unistd.h>

struct push {
    struct net *net;
    struct socket *socket;
};

void push_free(struct push **owner)
{
    struct push *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    socket_close(&self->socket);
    net_free(&self->net);
    free(self);
}

static fault load_key(const char *store, struct curve_keys *out)
{
    char path[STORE_PATH_BYTES];
    if (!text_format(path, sizeof path, "%s/" PUSH_KEY, store))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    if (access(path, F_OK) != 0) { /* a store from before there was one */
        curve_make(out);
        return curve_save(out, path);
    }
    return curve_load(path, out);
}

static void take_nothing(void *owner, const struct message *message)
{
    (void)owner;
    (void)message;
}

fault push_open(struct loop *loop, const char *store, const char *address, struct push **out)
{
    OWNED(push) self = owned_new(sizeof *self);
    struct curve_keys keys;
    TRY(load_key(store, &keys));
    TRY(net_new(loop, &self->net));
    const struct socket_options options = {.kind = SOCKET_PUBLISHER,
                                           .queue_messages = REGISTRY_PUSH_QUEUE,
                                           .message_bytes_max = 1024, /* what comes in */
                                           .own = &keys};
    fault f = socket_open(self->net, &options, take_nothing, self, &self->socket);
    if (!failed(f))
        f = socket_bind(self->socket, address);
    TRY(f);
    *out = TAKE(self);
    return DONE;
}

const char *push_address(struct push *self)
{
    return socket_address(self->socket);
}

/* The newest leaves whose bytes fit. */
static size_t first_that_fits(const struct authority_news *news, size_t room)
{
    size_t first = news->leaves;
    while (first > 0 && news->leaf[first - 1].size + 8 <= room) {
        room -= news->leaf[first - 1].size + 8;
        first--;
    }
    return first;
}

static fault send_news(struct push *self, struct span note, const struct authority_news *news)
{
    Chaski__DirectoryPush message = CHASKI__DIRECTORY_PUSH__INIT;
    OWNED(bytes) packed = NULL;
    size_t first = first_that_fits(news, REGISTRY_PUSH_BYTES_MAX - 32); /* its own number too */
    ProtobufCBinaryData *leaf = owned_array(news->leaves + 1, sizeof *leaf);
    for (size_t i = first; i < news->leaves; i++)
        leaf[message.n_leaf++] =
            (ProtobufCBinaryData){news->leaf[i].size, (uint8_t *)(uintptr_t)news->leaf[i].at};
    message.leaf = leaf;
    message.from = news->from + first;
    fault f = bytes_new(chaski__directory_push__get_packed_size(&message), &packed);
    if (!failed(f)) {
        chaski__directory_push__pack(&message, packed->data);
        const struct span frames[] = {note, bytes_span(packed)};
        f = socket_send(self->socket, (struct span){NULL, 0}, frames, 2);
    }
    free(leaf);
    return f;
}

void push_news(struct push *self, const struct authority_news *news)
{
    static const struct authority_news no_acts = {0};
    fault f = DONE;
    if (news->note != NULL)
        f = send_news(self, bytes_span(news->note), news);
    if (!failed(f) && news->heartbeat != NULL)
        f = send_news(self, bytes_span(news->heartbeat), &no_acts);
    if (failed(f))
        EVENT(WARN, "push.failed", E_FAULT(f));
}
