// SPDX-License-Identifier: MIT
/* Steps 4, 10, 13 and 14: keep the leaf, and go on only when it is durable. */
#include "security-server/exchange/exchange_steps.h"

#include "security-server/exchange/audit_actor.h"
#include "security-server/exchange/known_heads.h"
#include "security-server/exchange/kept_answers.h"
#include "security-server/exchange/node.h"
#include "security-server/exchange/retention.h"
#include "security-server/exchange/seen.h"

static struct record *record_of_job(struct exchange *x)
{
    return x->job.record.leaf.at == bytes_span(x->request.leaf).at ? &x->request : &x->answer;
}

static enum keep_mode mode_of(const struct exchange *x, const struct record *record)
{
    return keeping_mode(retention_keeping(x->node->retention), header_of(record->read)->service);
}

static void kept(struct audit_job *job)
{
    struct exchange *x = job->owner;
    x->node->head = job->head;
    node_note_traffic(x->node, job->record.index, job->fault);
    if (job->fault != OK) {
        exchange_fail(x, RAISE(job->fault, "%s", job->detail));
        return;
    }
    struct record *record = record_of_job(x);
    record->index = job->record.index;
    uint64_t place = audit_place(x->node->log_epoch, record->index);
    record->leaf_hash = job->record.leaf_hash;
    record->durable = true;
    (void)known_heads_hear(x->node->heads, header_of(record->read), place); /* it tells */
    if (x->role == ROLE_PROVIDER && record == &x->answer && x->request.durable)
        seen_answer(x->node->seen, x->id, header_of(x->request.read)->sender_server, place);
    if (x->role == ROLE_PROVIDER && record == &x->answer && x->request.durable &&
        mode_of(x, record) != KEEP_FULL)
        kept_answers_add(x->node->answers, place, seen_until_ms(header_of(x->request.read)),
                         bytes_span(record->blob));
    exchange_resume(x);
}

/* The leaf commits to the whole payload, however much of it is written down. */
static enum step_end keep(struct exchange *x, struct record *record)
{
    enum keep_mode mode = mode_of(x, record);
    x->job = (struct audit_job){.work = AUDIT_APPEND, .done = kept, .owner = x};
    x->job.record.leaf = bytes_span(record->leaf);
    if (mode != KEEP_OFF)
        x->job.record.blob = bytes_span(record->blob);
    x->job.record.salt_only = mode == KEEP_METADATA;
    if (x->job.record.salt_only)
        x->job.record.blob.size = SALT_BYTES;
    fault f = audit_actor_ask(x->node->audit, &x->job);
    return failed(f) ? exchange_refuse(x, f) : STEP_WAIT;
}

enum step_end step_keep_request(struct exchange *x)
{
    /* On a refusal walk: kept already, or never verified and so no evidence of anybody's act, or
     * the same request under an id that is taken, whose leaf would stand in the log as a second
     * one. */
    if (x->request.leaf == NULL || x->request.durable || x->problem.fault == REPLAYED)
        return STEP_NEXT;
    return keep(x, &x->request);
}

enum step_end step_keep_answer(struct exchange *x)
{
    return keep(x, &x->answer);
}

// --- the stored outcome of a double -------------------------------------------------------------

static fault read_back(struct record *record, const struct audit_job *job)
{
    struct cades_parts parts;
    if (job->blob == NULL)
        return RAISE(OUTCOME_UNKNOWN,
                     "the outcome stands in the log, but its payload is not there (any more)");
    TRY(cades_parse(bytes_span(job->leaf), &parts));
    TRY(bytes_copy(parts.content, &record->header));
    TRY(header_decode(bytes_span(record->header), &record->read));
    memcpy(record->ski, parts.ski.at, SKI_BYTES);
    memcpy(record->signature, parts.signature.at, parts.signature.size);
    record->signature_size = parts.signature.size;
    if (parts.place.size > 0)
        memcpy(record->place, parts.place.at, parts.place.size);
    record->place_size = parts.place.size;
    return DONE;
}

static void stored_read(struct audit_job *job)
{
    struct exchange *x = job->owner;
    fault f;
    if (job->blob == NULL)
        kept_answers_find(x->node->answers, job->record.index, &job->blob);
    if (job->fault != OK)
        f = RAISE(job->fault, "%s", job->detail);
    else
        f = read_back(&x->answer, job);
    x->answer.blob = TAKE(job->blob);
    bytes_free(&job->leaf);
    if (failed(f))
        exchange_fail(x, f);
    else
        exchange_resume(x);
}

enum step_end step_read_answer(struct exchange *x)
{
    x->job = (struct audit_job){.work = AUDIT_READ, .done = stored_read, .owner = x};
    x->job.record.index = x->answer.index; /* a place, which may be in a closed epoch */
    fault f = audit_actor_ask(x->node->audit, &x->job);
    return failed(f) ? exchange_refuse(x, f) : STEP_WAIT;
}
