// SPDX-License-Identifier: MIT
#include "tools/chaski/flows.h"

#include "lib/base/text.h"
#include "lib/bus/header.h"
#include "lib/bus/log_epoch.h"
#include "lib/bus/pruned.h"
#include "lib/bus/wal.h"
#include "lib/crypto/cades.h"

#include <limits.h>
#include <stdlib.h>

struct reading {
    struct flows *into;
    int64_t since_ms;
};

void flows_clear(struct flows *self)
{
    for (size_t i = 0; i < self->count; i++)
        free((void *)(uintptr_t)self->flow[i].client); /* one text with the others */
    free(self->flow);
    map_clear(&self->by_key);
    *self = (struct flows){0};
}

/* The texts in one piece of memory, each with its end: the key is all of it. */
static struct span join(const struct header *header, struct span client)
{
    size_t size = client.size + header->service.size + header->purpose.size +
                  header->endpoint.size + header->procedure.size + header->requirement.size + 7;
    char *text = owned_array(size, 1), *at = text;
    const struct span parts[] = {client,           header->service,   header->purpose,
                                 header->endpoint, header->procedure, header->requirement};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].size > 0)
            memcpy(at, parts[i].at, parts[i].size);
        at += parts[i].size;
        *at++ = '\0';
    }
    *at = header->subject.size == 0; /* another sort: some services take no such request */
    return span_of(text, size);
}

static fault add(struct flows *self, const struct header *header, struct span client)
{
    struct span key = join(header, client);
    char *text = (char *)(uintptr_t)key.at;
    size_t number = (size_t)(uintptr_t)map_get(&self->by_key, key);
    if (number > 0) {
        free(text);
    } else if (self->count == FLOWS_MAX) {
        free(text);
        return RAISE(OVERLOADED, "more than %d sorts of requests: ask about fewer days", FLOWS_MAX);
    } else {
        if (self->count == self->room)
            self->flow =
                owned_grow(self->flow, self->room = 2 * self->room + 16, sizeof *self->flow);
        struct flow *flow = &self->flow[self->count++];
        *flow = (struct flow){.client = text};
        flow->service = flow->client + client.size + 1;
        flow->purpose = flow->service + header->service.size + 1;
        flow->endpoint = flow->purpose + header->purpose.size + 1;
        flow->procedure = flow->endpoint + header->endpoint.size + 1;
        flow->requirement = flow->procedure + header->procedure.size + 1;
        flow->names_nobody = header->subject.size == 0;
        number = self->count;
        map_set(&self->by_key, key, (void *)(uintptr_t)number);
    }
    struct flow *flow = &self->flow[number - 1];
    flow->requests++;
    self->requests++;
    if (header->time_ms > flow->last_ms)
        flow->last_ms = header->time_ms;
    return DONE;
}

/* Who asked; empty when the record is no beginning of an exchange. What was refused here before it
 * was sent has no request: its fault stands alone, and is told to who asked. */
static struct span client_of(const struct header *header)
{
    if (header->kind == HEADER_REQUEST)
        return header->sender;
    if (header->kind == HEADER_FAULT && !header->has_reply_to)
        return header->receiver;
    return (struct span){NULL, 0};
}

static fault take(void *owner, uint64_t index, struct span leaf)
{
    struct reading *self = owner;
    OWNED(header_read) read = NULL;
    struct span content;
    (void)index;
    if (failed(cades_content(leaf, &content)) || failed(header_decode(content, &read))) {
        self->into->unread++;
        return DONE;
    }
    const struct header *header = header_of(read);
    struct span client = client_of(header);
    if (client.size == 0 || header->service.size == 0 || header->time_ms < self->since_ms)
        return DONE;
    return add(self->into, header, client);
}

static fault read_epoch(const char *folder, unsigned epoch, bool is_newest, struct reading *reading)
{
    char wal[PATH_MAX];
    struct wal_end end;
    struct pruned pruned = {0};
    if (!text_format(wal, sizeof wal, "%s/log/%u/wal", folder, epoch))
        return RAISE(BAD_CONFIG, "the audit folder's name is too long");
    TRY(pruned_read(folder, epoch, &pruned));
    fault f = wal_walk_from(wal, pruned.first, take, reading, &end);
    /* it was closed because its end is lost: what is left was shown */
    return !is_newest && f.code == LOG_BROKEN ? DONE : f;
}

fault flows_read(const char *folder, int64_t since_ms, struct flows *out)
{
    struct reading reading = {out, since_ms};
    unsigned newest = 1;
    *out = (struct flows){0};
    TRY(log_epoch_newest(folder, &newest));
    for (unsigned epoch = 1; epoch <= newest; epoch++)
        TRY(read_epoch(folder, epoch, epoch == newest, &reading));
    return DONE;
}
