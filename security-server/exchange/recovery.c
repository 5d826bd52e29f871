// SPDX-License-Identifier: MIT
#include "security-server/exchange/recovery.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/map.h"
#include "lib/base/text.h"
#include "security-server/exchange/exchange.h"
#include "security-server/exchange/exchange_table.h"
#include "security-server/exchange/seen.h"

#include <stdlib.h>

struct interrupted {
    struct record request;
};

struct recovery {
    struct node *node;
    int64_t now_ms;
    struct map interrupted; /* by exchange id and asking server */
};

struct recovery *recovery_new(struct node *node)
{
    struct recovery *self = owned_new(sizeof *self);
    self->node = node;
    self->now_ms = clock_wall_ms();
    return self;
}

void recovery_free(struct recovery **self)
{
    if (*self == NULL)
        return;
    size_t step = 0;
    for (struct interrupted *one; (one = map_next(&(*self)->interrupted, &step, NULL)) != NULL;) {
        record_clear(&one->request);
        free(one);
    }
    map_clear(&(*self)->interrupted);
    free(*self);
    *self = NULL;
}

static struct span key_of(const struct header *header, struct span server, uint8_t *room,
                          size_t room_size)
{
    size_t size =
        server.size < room_size - EXCHANGE_ID_BYTES ? server.size : room_size - EXCHANGE_ID_BYTES;
    memcpy(room, header->exchange_id, EXCHANGE_ID_BYTES);
    memcpy(room + EXCHANGE_ID_BYTES, server.at, size);
    return span_of(room, EXCHANGE_ID_BYTES + size);
}

static fault take_request(struct recovery *self, uint64_t index, struct span leaf,
                          const struct sha256 *leaf_hash, struct span content)
{
    struct interrupted *one = owned_new(sizeof *one);
    fault f = bytes_copy(content, &one->request.header);
    if (!failed(f))
        f = header_decode(bytes_span(one->request.header), &one->request.read);
    if (!failed(f))
        f = bytes_copy(leaf, &one->request.leaf);
    if (failed(f)) {
        record_clear(&one->request);
        free(one);
        return f;
    }
    one->request.leaf_hash = *leaf_hash;
    one->request.index = index;
    one->request.durable = true;
    const struct header *header = header_of(one->request.read);
    uint8_t room[EXCHANGE_ID_BYTES + ID_TEXT_BYTES_MAX];
    struct span key = key_of(header, header->sender_server, room, sizeof room);
    struct interrupted *before = map_set(&self->interrupted, key, one);
    if (before != NULL) {
        record_clear(&before->request);
        free(before);
    }
    return seen_begin(self->node->seen, header->exchange_id, header->sender_server, leaf_hash,
                      header->time_ms + FRESH_PAST_MS, self->now_ms);
}

static void take_outcome(struct recovery *self, uint64_t index, const struct header *header)
{
    uint8_t room[EXCHANGE_ID_BYTES + ID_TEXT_BYTES_MAX];
    struct span key = key_of(header, header->receiver_server, room, sizeof room);
    struct interrupted *one = map_remove(&self->interrupted, key);
    if (one == NULL)
        return;
    seen_answer(self->node->seen, header->exchange_id, header->receiver_server, index);
    record_clear(&one->request);
    free(one);
}

fault recovery_visit(void *owner, uint64_t index, struct span leaf, const struct sha256 *leaf_hash)
{
    struct recovery *self = owner;
    struct cades_parts parts;
    OWNED(header_read) read = NULL;
    if (failed(cades_parse(leaf, &parts)))
        return RAISE(LOG_BROKEN, "entry %llu is no leaf", (unsigned long long)index);
    if (parts.time_ms < self->now_ms - FRESH_PAST_MS - FRESH_FUTURE_MS)
        return DONE; /* too old to come again; most of a log */
    if (failed(header_decode(parts.content, &read)))
        return RAISE(LOG_BROKEN, "entry %llu holds no header", (unsigned long long)index);
    const struct header *header = header_of(read);
    const char *own = self->node->config->server;
    if (header->kind == HEADER_REQUEST && span_is_text(header->receiver_server, own))
        return take_request(self, index, leaf, leaf_hash, parts.content);
    if ((header->kind == HEADER_RESPONSE || header->kind == HEADER_FAULT) &&
        span_is_text(header->sender_server, own) && header->has_reply_to &&
        header->fault != REPLAYED)
        take_outcome(self, index, header);
    return DONE;
}

static char *text_of(struct span span)
{
    char *text = owned_array(span.size + 1, 1);
    if (span.size > 0)
        memcpy(text, span.at, span.size);
    return text;
}

static void close_one(struct node *node, struct interrupted *one)
{
    const struct header *header = header_of(one->request.read);
    struct exchange *x = exchange_new(node, ROLE_PROVIDER, header->exchange_id);
    x->client = text_of(header->sender);
    x->service = text_of(header->service);
    x->purpose = text_of(header->purpose);
    x->deadline_ms = header->deadline_ms;
    x->request = one->request;
    x->problem.fault = OUTCOME_UNKNOWN;
    x->problem.at_provider = true;
    text_format(x->problem.detail, sizeof x->problem.detail,
                "this server stopped after it took the request and before it had an answer");
    free(one);
    fault f = exchange_table_add(node->table, x);
    if (failed(f)) {
        EVENT(WARN, "recovery.not_closed", E_FAULT(f));
        exchange_free(&x);
        return;
    }
    exchange_start_refused(x);
}

size_t recovery_close_interrupted(struct recovery *self)
{
    size_t step = 0, count = 0;
    for (struct interrupted *one; (one = map_next(&self->interrupted, &step, NULL)) != NULL;) {
        close_one(self->node, one);
        count++;
    }
    map_clear(&self->interrupted);
    self->interrupted = (struct map){0};
    return count;
}
