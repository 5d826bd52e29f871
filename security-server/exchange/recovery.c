// SPDX-License-Identifier: MIT
#include "security-server/exchange/recovery.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/map.h"
#include "lib/base/text.h"
#include "security-server/exchange/epochs.h"
#include "security-server/exchange/erasures.h"
#include "security-server/exchange/exchange.h"
#include "security-server/exchange/exchange_table.h"
#include "security-server/exchange/known_heads.h"
#include "security-server/exchange/notices.h"
#include "security-server/exchange/outages.h"
#include "security-server/exchange/permits.h"
#include "security-server/exchange/prunes.h"
#include "security-server/exchange/quota.h"
#include "security-server/exchange/seen.h"

#include <stdlib.h>

struct interrupted {
    struct record request;
};

struct recovery {
    struct node *node;
    unsigned epoch; /* whose entries are being read */
    int64_t log_ms; /* time of our last record so far: this machine's clock may be wrong by now */
    struct map interrupted; /* by leaf hash of the request */
};

struct recovery *recovery_new(struct node *node)
{
    struct recovery *self = owned_new(sizeof *self);
    self->node = node;
    self->epoch = 1;
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

static struct span key_of(const struct sha256 *leaf_hash)
{
    return span_of(leaf_hash->at, SHA256_BYTES);
}

static void forget(struct interrupted *one)
{
    if (one == NULL)
        return;
    record_clear(&one->request);
    free(one);
}

/* Ours to answer, or asked by us: in both cases the log must hold an outcome. */
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
        forget(one);
        return f;
    }
    one->request.leaf_hash = *leaf_hash;
    one->request.index = index;
    one->request.durable = true;
    forget(map_set(&self->interrupted, key_of(leaf_hash), one));
    const struct header *header = header_of(one->request.read);
    if (!span_is_text(header->receiver_server, self->node->config->server))
        return DONE;
    int64_t until_ms = seen_until_ms(header);
    if (until_ms > self->log_ms)
        return seen_begin(self->node->seen, header->exchange_id, header->sender_server, leaf_hash,
                          until_ms, self->log_ms, self->log_ms);
    seen_was_over(self->node->seen, until_ms);
    return DONE;
}

/* What our own request came to: for permits that lean on it. */
static void note_outcome(struct recovery *self, const struct interrupted *one,
                         const struct header *outcome, const struct outcome_place *place)
{
    const struct header *request = header_of(one->request.read);
    if (span_is_text(request->sender_server, self->node->config->server))
        outages_recall(self->node->outages, request, outcome, place);
}

static void take_outcome(struct recovery *self, uint64_t index, const struct header *header,
                         const struct sha256 *leaf_hash)
{
    struct interrupted *one = map_remove(&self->interrupted, key_of(&header->reply_to));
    if (one != NULL)
        note_outcome(self, one, header,
                     &(struct outcome_place){audit_place(self->epoch, index), *leaf_hash});
    if (one != NULL && span_is_text(header->sender_server, self->node->config->server))
        seen_answer(self->node->seen, header->exchange_id, header->receiver_server,
                    audit_place(self->epoch, index));
    forget(one);
}

void recovery_epoch(struct recovery *self, unsigned epoch)
{
    self->epoch = epoch;
}

fault recovery_visit(void *owner, uint64_t index, struct span leaf, const struct sha256 *leaf_hash)
{
    struct recovery *self = owner;
    struct cades_parts parts;
    OWNED(header_read) read = NULL;
    if (failed(cades_parse(leaf, &parts)))
        return RAISE(LOG_BROKEN, "entry %llu is no leaf", (unsigned long long)index);
    if (failed(header_decode(parts.content, &read)))
        return RAISE(LOG_BROKEN, "entry %llu holds no header", (unsigned long long)index);
    const struct header *header = header_of(read);
    if (span_is_text(header->sender_server, self->node->config->server))
        self->log_ms = header->time_ms;
    if (index == 0)
        self->node->log_begun_ms = header->time_ms;
    known_heads_note(self->node->heads, header, audit_place(self->epoch, index));
    if (header->closed != NULL && index == 0)
        epochs_begun(self->node->epochs, header->closed, header->time_ms);
    notices_note(self->node->notices, header);
    if (header->kind == HEADER_PRUNED)
        prunes_note(self->node->prunes, audit_place(self->epoch, index), header);
    if (header->kind == HEADER_ERASED)
        return erasures_note(self->node->erasures, audit_place(self->epoch, index), parts.content);
    if (header->kind == HEADER_REQUEST)
        return take_request(self, index, leaf, leaf_hash, parts.content);
    quota_note(self->node->quota, self->node->directory, header);
    if ((header->kind == HEADER_RESPONSE || header->kind == HEADER_FAULT) && header->has_reply_to)
        take_outcome(self, index, header, leaf_hash);
    if (header->kind == HEADER_PERMIT)
        permits_take(self->node->permits, header, audit_place(self->epoch, index), leaf_hash,
                     clock_wall_ms());
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
    bool asked = span_is_text(header->receiver_server, node->config->server);
    struct exchange *x =
        exchange_new(node, asked ? ROLE_PROVIDER : ROLE_CONSUMER, header->exchange_id);
    x->client = text_of(header->sender);
    x->service = text_of(header->service);
    x->purpose = text_of(header->purpose);
    x->endpoint = text_of(header->endpoint);
    x->deadline_ms = header->deadline_ms;
    x->request = one->request;
    x->problem.fault = OUTCOME_UNKNOWN;
    x->problem.at_provider = asked;
    text_format(x->problem.detail, sizeof x->problem.detail, "%s",
                asked ? "this server stopped after it took the request and before it had an answer"
                      : "this server stopped while it waited for the answer");
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
    seen_shift(self->node->seen, clock_steady_ms() - self->log_ms);
    for (struct interrupted *one; (one = map_next(&self->interrupted, &step, NULL)) != NULL;) {
        close_one(self->node, one);
        count++;
    }
    map_clear(&self->interrupted);
    self->interrupted = (struct map){0};
    return count;
}
