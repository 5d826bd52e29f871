// SPDX-License-Identifier: MIT
#include "tools/audit/indicator_sums.h"

#include "lib/base/map.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/metaservice.h"

#include <stdlib.h>

/* The first member is what is lent. */
struct exchange {
    struct indicator_exchange told;
    uint8_t key[EXCHANGE_ID_BYTES + SHA256_BYTES]; /* its id, and who asked */
    int64_t answer_ms;
    bool asked, left_out;
};

struct indicator_sums {
    struct map by_key;
    struct exchange **exchange;
    const struct indicator_exchange **told;
    size_t count, room;
    struct indicator_permit *permit;
    size_t permits, permits_room;
};

struct indicator_sums *indicator_sums_new(void)
{
    return owned_new(sizeof(struct indicator_sums));
}

void indicator_sums_free(struct indicator_sums **owner)
{
    struct indicator_sums *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count; i++) {
        free(self->exchange[i]->told.provider);
        free(self->exchange[i]->told.caller);
        free(self->exchange[i]->told.refusal);
        free(self->exchange[i]);
    }
    for (size_t i = 0; i < self->permits; i++)
        free(self->permit[i].member);
    free(self->permit);
    map_clear(&self->by_key);
    free(self->exchange);
    free(self->told);
    free(self);
}

static char *text_of(struct span from)
{
    char *text = owned_new(from.size + 1);
    if (from.size > 0)
        memcpy(text, from.at, from.size);
    return text;
}

/* The server that asked: it made the exchange's id. */
static struct span asking_server(const struct header *header)
{
    bool own_fault = header->kind == HEADER_FAULT && header->receiver_server.size == 0;
    return header->kind == HEADER_REQUEST || own_fault ? header->sender_server
                                                       : header->receiver_server;
}

static fault find(struct indicator_sums *self, const struct header *header, struct exchange **out)
{
    uint8_t key[EXCHANGE_ID_BYTES + SHA256_BYTES];
    struct sha256 server = SHA256_OF(asking_server(header));
    memcpy(key, header->exchange_id, EXCHANGE_ID_BYTES);
    memcpy(key + EXCHANGE_ID_BYTES, server.at, SHA256_BYTES);
    *out = map_get(&self->by_key, span_of(key, sizeof key));
    if (*out != NULL)
        return DONE;
    if (self->count == INDICATOR_EXCHANGES_MAX)
        return RAISE(OVERLOADED, "more than %d exchanges", INDICATOR_EXCHANGES_MAX);
    if (self->count == self->room) {
        self->room = self->room == 0 ? 1024 : 2 * self->room;
        self->exchange = owned_grow(self->exchange, self->room, sizeof(void *));
    }
    struct exchange *made = owned_new(sizeof *made);
    made->told.end = INDICATOR_NONE;
    made->told.latency_ms = -1;
    made->told.provider = text_of(bus_id_prefix(header->service, ID_MEMBER));
    made->told.caller = text_of(bus_id_prefix(
        header->kind == HEADER_REQUEST ? header->sender : header->receiver, ID_MEMBER));
    made->left_out = metaservice_of(header->service) != METASERVICE_NONE;
    memcpy(made->key, key, sizeof key);
    self->exchange[self->count++] = made;
    map_set(&self->by_key, span_of(made->key, sizeof made->key), made);
    *out = made;
    return DONE;
}

// --- outcomes -----------------------------------------------------------------------------------

static bool begins(struct span text, const char *start)
{
    size_t size = strlen(start);
    return text.size >= size && memcmp(text.at, start, size) == 0;
}

/* A grant, a decision and an emergency are somebody's word on this very access. */
static enum indicator_end answered_by(struct span rule)
{
    return begins(rule, "restricted/grant") || begins(rule, "shared/grant") ||
                   begins(rule, "restricted/decision") || begins(rule, "break-glass/")
               ? INDICATOR_BY_WORD
               : INDICATOR_AUTOMATIC;
}

static char *refusal_of(const struct header *header)
{
    size_t size = 0;
    while (size < header->rule.size && header->rule.at[size] != ' ')
        size++;
    if (size > 0)
        return text_of(span_of(header->rule.at, size));
    return owned_text(fault_known(header->fault) ? fault_name((enum fault_code)header->fault)
                                                 : "UNKNOWN");
}

static void take_outcome(struct exchange *self, const struct header *header)
{
    if (self->told.end != INDICATOR_NONE)
        return; /* the other log's, which is the same leaf */
    self->answer_ms = header->time_ms;
    if (header->kind == HEADER_RESPONSE) {
        self->told.end = header->status >= 500 ? INDICATOR_FAILED : answered_by(header->rule);
        return;
    }
    bool callers =
        fault_known(header->fault) && fault_blame((enum fault_code)header->fault) == BLAME_CALLER;
    self->told.end = callers ? INDICATOR_REFUSED : INDICATOR_FAILED;
    if (callers)
        self->told.refusal = refusal_of(header);
}

static fault take_permit(struct indicator_sums *self, const struct header *header)
{
    if (self->permits == INDICATOR_EXCHANGES_MAX)
        return RAISE(OVERLOADED, "more than %d permits", INDICATOR_EXCHANGES_MAX);
    if (self->permits == self->permits_room) {
        self->permits_room = self->permits_room == 0 ? 64 : 2 * self->permits_room;
        self->permit = owned_grow(self->permit, self->permits_room, sizeof *self->permit);
    }
    self->permit[self->permits++] =
        (struct indicator_permit){.member = text_of(bus_id_prefix(header->sender, ID_MEMBER)),
                                  .time_ms = header->time_ms,
                                  .denied = header->kind == HEADER_PERMIT_DENIED};
    return DONE;
}

static fault visit(void *owner, const struct log_entry *entry)
{
    const struct header *header = entry->header;
    struct exchange *exchange = NULL;
    if (header != NULL && (header->kind == HEADER_PERMIT || header->kind == HEADER_PERMIT_DENIED))
        return take_permit(owner, header);
    if (header == NULL || header->kind > HEADER_FAULT || header->service.size == 0)
        return DONE;
    TRY(find(owner, header, &exchange));
    if (header->kind == HEADER_REQUEST) {
        exchange->told.time_ms = header->time_ms;
        exchange->asked = true;
    } else {
        take_outcome(exchange, header);
    }
    if (header->sealed_until_ms != 0)
        exchange->told.sealed_until_ms = header->sealed_until_ms;
    return DONE;
}

fault indicator_sums_add(struct indicator_sums *self, const char *folder,
                         const struct log_anchors *anchors)
{
    OWNED(log_view) newest = NULL;
    TRY(log_view_open(folder, 0, anchors, &newest));
    for (unsigned epoch = 1; epoch <= newest->epoch; epoch++) {
        struct wal_end end;
        OWNED(log_view) view = NULL;
        TRY(log_view_open(folder, epoch, anchors, &view));
        TRY(log_view_walk(view, visit, self, &end));
    }
    return DONE;
}

const struct indicator_exchange *const *indicator_sums_all(struct indicator_sums *self,
                                                           size_t *count)
{
    self->told = owned_grow(self->told, self->count + 1, sizeof(void *));
    *count = 0;
    for (size_t i = 0; i < self->count; i++) {
        struct exchange *at = self->exchange[i];
        if (at->left_out)
            continue;
        if (!at->asked)
            at->told.time_ms = at->answer_ms;
        else if (at->told.end != INDICATOR_NONE)
            at->told.latency_ms = at->answer_ms - at->told.time_ms;
        self->told[(*count)++] = &at->told;
    }
    return self->told;
}

const struct indicator_permit *indicator_sums_permits(const struct indicator_sums *self,
                                                      size_t *count)
{
    *count = self->permits;
    return self->permit;
}
