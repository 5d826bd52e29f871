// SPDX-License-Identifier: MIT
/* Steps 3 and 12: sign what leaves. Steps 8 and 14: verify what comes. */
#include "security-server/exchange/exchange_steps.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/metaservice.h"
#include "lib/bus/pseudonym.h"
#include "security-server/exchange/directory_feed.h"
#include "security-server/exchange/epochs.h"
#include "security-server/exchange/node.h"
#include "security-server/exchange/own_certificate.h"
#include "security-server/exchange/peers.h"
#include "security-server/exchange/seen.h"

#include "audit.pb-c.h"

// --- signing ------------------------------------------------------------------------------------

/* What every header of ours says in the same way. */
static void fill_common(struct exchange *x, struct header *out)
{
    memcpy(out->exchange_id, x->id, EXCHANGE_ID_BYTES);
    out->sender_server = span_of_text(x->node->config->server);
    out->time_ms = clock_wall_ms();
    out->log_epoch = x->node->log_epoch;
    out->log_size = x->node->head.size;
    out->log_root = x->node->head.root;
    out->directory_epoch = directory_epoch(x->directory);
}

static void fill_payload(const struct record *record, struct header *out)
{
    out->payload_sha256 = letter_commitment(bytes_span(record->blob));
    out->payload_bytes = record->blob->size - SALT_BYTES;
}

static void signed_by_keys(void *owner, fault f, struct span signature,
                           const struct sign_place *place);

/* Does the peer take what is signed together with other headers for it? A refusal that goes to
 * nobody but our own caller waits for no company either. */
static bool in_batches(const struct exchange *x, const struct record *record)
{
    if (x->role == ROLE_PROVIDER)
        return x->batches;
    return record == &x->request && peers_take_batches(x->node->peers, x->peer->id);
}

/* Encodes the header into the record being made and asks for its signature. */
static enum step_end sign(struct exchange *x, struct record *record, const struct header *header)
{
    fault f =
        own_certificate_check(x->node); /* it may have been revoked since the exchange began */
    if (!failed(f))
        f = header_encode(header, &record->header);
    if (!failed(f))
        f = header_decode(bytes_span(record->header), &record->read);
    if (failed(f))
        return exchange_refuse(x, f);
    x->signing = (struct sign_job){.header = bytes_span(record->header),
                                   .time_ms = header->time_ms,
                                   .done = signed_by_keys,
                                   .owner = x};
    bool batches = in_batches(x, record);
    sign_desk_sign(x->node->signs, batches ? x->peer->id : "", batches, &x->signing);
    return STEP_WAIT;
}

static struct record *record_in_work(struct exchange *x)
{
    return x->request.header != NULL && x->request.leaf == NULL && x->answer.header == NULL
               ? &x->request
               : &x->answer;
}

static fault finish_record(struct exchange *x, struct record *record, struct span signature,
                           const struct sign_place *place)
{
    struct cades_signed what;
    if (signature.size > sizeof record->signature)
        return RAISE(INTERNAL, "a signature of %zu bytes", signature.size);
    memcpy(record->signature, signature.at, signature.size);
    record->signature_size = signature.size;
    if (place->place.size > 0)
        memcpy(record->place, place->place.at, place->place.size);
    record->place_size = place->place.size;
    memcpy(record->ski, x->node->template.ski, SKI_BYTES);
    TRY(cades_signed_under(bytes_span(record->header), place->place, place->head, &what));
    return cades_leaf_signed(&x->node->template, &what, header_of(record->read)->time_ms, signature,
                             &record->leaf);
}

static void signed_by_keys(void *owner, fault f, struct span signature,
                           const struct sign_place *place)
{
    struct exchange *x = owner;
    if (!failed(f))
        f = finish_record(x, record_in_work(x), signature, place);
    if (failed(f))
        exchange_fail(x, f);
    else
        exchange_resume(x);
}

enum step_end step_sign_request(struct exchange *x)
{
    struct header header = {.kind = HEADER_REQUEST};
    fill_common(x, &header);
    fill_payload(&x->request, &header);
    header.sender = span_of_text(x->client);
    header.service = span_of_text(x->service);
    header.receiver = bus_id_prefix(header.service, ID_SUBSYSTEM);
    header.receiver_server = span_of_text(x->peer->id);
    header.deadline_ms = x->deadline_ms;
    header.purpose = span_of_text(x->purpose);
    header.procedure = span_of_text(x->procedure);
    header.legal_basis = span_of_text(x->legal_basis);
    header.case_ref = span_of_text(x->case_ref);
    header.requirement = span_of_text(x->requirement);
    header.source = span_of_text(x->source);
    header.rule = span_of_text(x->rule);
    header.endpoint = span_of_text(x->endpoint);
    exchange_fill_subject(x, &header);
    return sign(x, &x->request, &header);
}

/* The leaf hash that an answer names: only of a request that stands in our log. */
static void fill_reply_to(const struct exchange *x, struct header *out)
{
    if (!x->request.durable)
        return;
    out->has_reply_to = true;
    out->reply_to = x->request.leaf_hash;
}

static void fill_answer(struct exchange *x, struct header *out)
{
    const struct header *request = header_of(x->request.read);
    fill_common(x, out);
    fill_payload(&x->answer, out);
    fill_reply_to(x, out);
    out->receiver = request->sender;
    out->receiver_server = request->sender_server;
    out->service = request->service;
    out->deadline_ms = request->deadline_ms;
    out->purpose = request->purpose;
    out->endpoint = request->endpoint;
    out->subject = request->subject;
    out->subject_year = request->subject_year;
    out->sealed_until_ms = request->sealed_until_ms;
    out->sealing = request->sealing;
}

enum step_end step_sign_answer(struct exchange *x)
{
    struct header header = {.kind = HEADER_RESPONSE};
    fill_answer(x, &header);
    header.sender = header_of(x->request.read)->receiver;
    header.rule = span_of_text(x->rule);
    header.status = x->status;
    struct withheld withheld = {0};
    if (x->columns != NULL)
        policy_columns_withheld(x->columns, &withheld);
    header.withheld = withheld.count > 0 ? &withheld : NULL;
    return sign(x, &x->answer, &header);
}

/* The words of a refusal are payload: sealed, committed to, erasable. */
static fault problem_blob(const struct problem *problem, struct bytes **out)
{
    OWNED(bytes) packed = NULL;
    Chaski__FaultText text = CHASKI__FAULT_TEXT__INIT;
    text.fault = problem->fault;
    text.detail = (char *)(uintptr_t)problem->detail;
    text.rule = (char *)(uintptr_t)problem->rule;
    text.remedy = (char *)(uintptr_t)problem->remedy;
    text.retry_s = problem->retry_s;
    TRY(bytes_new(chaski__fault_text__get_packed_size(&text), &packed));
    chaski__fault_text__pack(&text, packed->data);
    return letter_blob(bytes_span(packed), out);
}

/* The node itself speaks a refusal: a client that is not ours cannot. */
static void fill_refusal_of_consumer(struct exchange *x, struct header *out)
{
    fill_common(x, out);
    fill_payload(&x->answer, out);
    fill_reply_to(x, out);
    out->receiver = span_of_text(x->client);
    out->service = span_of_text(x->service);
    out->deadline_ms = x->deadline_ms;
    out->purpose = span_of_text(x->purpose);
    out->endpoint = span_of_text(x->endpoint);
    exchange_fill_subject(x, out);
}

enum step_end step_sign_refusal(struct exchange *x)
{
    record_clear(&x->answer); /* a bad answer that was being checked, or a half-made one */
    fault f = problem_blob(&x->problem, &x->answer.blob);
    if (failed(f))
        return exchange_refuse(x, f);
    struct header header = {.kind = HEADER_FAULT};
    if (x->role == ROLE_PROVIDER)
        fill_answer(x, &header);
    else
        fill_refusal_of_consumer(x, &header);
    header.sender = span_of_text(x->node->config->server);
    header.fault = x->problem.fault;
    header.rule = span_of_text(x->problem.rule);
    return sign(x, &x->answer, &header);
}

// --- verifying ----------------------------------------------------------------------------------

static fault check_signer(const struct directory_signer *signer, const struct header *header,
                          int64_t now_ms)
{
    if (signer == NULL)
        return RAISE(CERTIFICATE_BAD, "no certificate with this key is in the directory");
    if (signer->revoked_since_ms != 0)
        return RAISE(REVOKED, "the certificate of %s is revoked", signer->server->id);
    if (!signer->trusted)
        return RAISE(CERTIFICATE_BAD, "the certificate of %s leads to no trusted authority",
                     signer->server->id);
    if (now_ms < certificate_not_before_ms(signer->certificate) ||
        now_ms > certificate_not_after_ms(signer->certificate))
        return RAISE(CERTIFICATE_BAD, "the certificate of %s is not valid now", signer->server->id);
    if (!span_is_text(header->sender_server, signer->server->id) ||
        !span_is_text(bus_id_prefix(header->sender, ID_MEMBER), signer->server->member->id))
        return RAISE(NOT_YOURS, "%s signed as somebody else", signer->server->id);
    return DONE;
}

static fault check_sender(const struct exchange *x, const struct directory_signer *signer,
                          const struct header *header)
{
    /* A server speaks for itself in a refusal, and otherwise for a subsystem registered on it. */
    if (header->kind == HEADER_FAULT && span_is_text(header->sender, signer->server->id))
        return DONE;
    const struct directory_subsystem *sender =
        directory_subsystem(x->node->directory, header->sender);
    if (sender == NULL || !directory_server_has(signer->server, sender))
        return RAISE(NOT_YOURS, "%.*s is not registered on %s", (int)header->sender.size,
                     (const char *)header->sender.at, signer->server->id);
    return DONE;
}

/* A request may come, and come again, until its deadline; an answer is tied to its request, and a
 * stored one is as old as that request may be. */
static fault check_time(const struct exchange *x, const struct header *header, int64_t now_ms)
{
    if (header->time_ms > now_ms + FRESH_FUTURE_MS)
        return RAISE(FROM_FUTURE, "dated %lld ms ahead of this server's clock",
                     (long long)(header->time_ms - now_ms));
    if (x->role == ROLE_PROVIDER && now_ms > seen_until_ms(header))
        return RAISE(STALE, "dated %lld ms ago, and its deadline has passed",
                     (long long)(now_ms - header->time_ms));
    if (x->role == ROLE_CONSUMER &&
        header->time_ms < header_of(x->request.read)->time_ms - FRESH_FUTURE_MS)
        return RAISE(STALE, "the answer is dated before the request");
    return DONE;
}

/* Certificate, identity, freshness, commitment, signature: in the order of cost. Builds the leaf.
 */
static fault verify(const struct exchange *x, struct record *record)
{
    const struct header *header = header_of(record->read);
    int64_t now_ms = clock_wall_ms();
    /* by the directory of now, not of when the exchange began: a key may have been revoked since */
    struct directory_signer *signer = directory_signer(x->node->directory, record->ski);
    TRY(check_signer(signer, header, now_ms));
    TRY(check_sender(x, signer, header));
    if (!span_is_text(header->receiver_server, x->node->config->server))
        return RAISE(WRONG_SERVER, "addressed to %.*s", (int)header->receiver_server.size,
                     (const char *)header->receiver_server.at);
    TRY(check_time(x, header, now_ms));
    struct sha256 commitment = letter_commitment(bytes_span(record->blob));
    if (!sha256_equal(&commitment, &header->payload_sha256) ||
        record->blob->size - SALT_BYTES != header->payload_bytes)
        return RAISE(COMMITMENT_BAD, "the payload's digest is not the one in the header");
    struct span signature = span_of(record->signature, record->signature_size);
    struct cades_signed what;
    TRY(cades_signed_make(bytes_span(record->header), span_of(record->place, record->place_size),
                          &what));
    TRY(cades_verify_signed(signer->certificate, &signer->template, &what, header->time_ms,
                            signature, x->node->verified));
    TRY(cades_leaf_signed(&signer->template, &what, header->time_ms, signature, &record->leaf));
    record->leaf_hash = merkle_leaf_hash(bytes_span(record->leaf));
    return DONE;
}

static fault check_request(const struct exchange *x)
{
    const struct header *header = header_of(x->request.read);
    if (header->kind != HEADER_REQUEST)
        return RAISE(BAD_FRAME, "a question that is not a request");
    if (header->service.size == 0 || header->receiver.size == 0)
        return RAISE(BAD_FRAME, "a request without a service");
    if (header->payload_bytes > node_payload_bytes_max(x->node))
        return RAISE(BODY_TOO_LARGE, "%s takes at most %lld bytes", x->node->config->server,
                     (long long)x->node->config->body_bytes_max);
    if (header->subject.size != 0 && header->subject_year == 0)
        return RAISE(BAD_FRAME, "a pseudonym that names no year");
    if (header->subject.size != 0 && metaservice_of(header->service) != METASERVICE_SUBJECT &&
        !pseudonym_year_fits(header->subject_year, header->time_ms))
        return RAISE(SUBJECT_BAD, "a pseudonym of %u: no view of this year would show the request",
                     header->subject_year);
    if (header->deadline_ms > header->time_ms + DEADLINE_MS_MAX)
        return RAISE(DEADLINE_BAD, "a deadline more than %d ms away", DEADLINE_MS_MAX);
    return DONE;
}

static enum step_end take_double(struct exchange *x, enum seen_state state, uint64_t answer_place)
{
    x->doubled = true;
    if (state == SEEN_RUNNING)
        return STEP_DONE; /* its answer will go out by itself */
    if (state == SEEN_LOST) {
        x->request.durable = true; /* the first time it came */
        return exchange_refuse(x, RAISE(OUTCOME_UNKNOWN, "the outcome could not be written down"));
    }
    x->answer.index = answer_place;
    x->step = provider_again;
    return STEP_CHANGED;
}

enum step_end step_verify_request(struct exchange *x)
{
    uint64_t answer_place = 0;
    fault f = node_ready(x->node);
    if (!failed(f))
        f = check_request(x);
    if (!failed(f))
        f = verify(x, &x->request);
    if (failed(f))
        return exchange_refuse(x, f);
    const struct header *header = header_of(x->request.read);
    directory_feed_heard(x->node->feed, header->sender_server, header->directory_epoch);
    enum seen_state state = seen_look(x->node->seen, x->id, header->sender_server,
                                      &x->request.leaf_hash, &answer_place);
    if (state == SEEN_RUNNING || state == SEEN_LOST || state == SEEN_ANSWERED)
        return take_double(x, state, answer_place);
    if (state == SEEN_DIFFERENT)
        f = RAISE(REPLAYED, "another request of this server had the same id");
    else
        f = epochs_check_request(x->node->epochs, header->time_ms);
    if (state == SEEN_NEVER && !failed(f))
        f = seen_begin(x->node->seen, x->id, header->sender_server, &x->request.leaf_hash,
                       seen_until_ms(header), clock_wall_ms(), clock_steady_ms());
    x->remembered = !failed(f);
    return failed(f) ? exchange_refuse(x, f) : STEP_NEXT;
}

static fault check_answer(const struct exchange *x)
{
    const struct header *header = header_of(x->answer.read);
    const struct header *request = header_of(x->request.read);
    if (header->kind != HEADER_RESPONSE && header->kind != HEADER_FAULT)
        return RAISE(BAD_FRAME, "an answer that is neither response nor fault");
    if (!span_is_text(header->sender_server, x->peer->id) ||
        !span_equal(header->receiver, request->sender) ||
        !span_equal(header->service, request->service))
        return RAISE(INCONSISTENT, "the answer names other parties than the request");
    if (header->kind == HEADER_RESPONSE && !span_equal(header->sender, request->receiver))
        return RAISE(INCONSISTENT, "the answer comes from another subsystem");
    /* A refusal of a request that could not be verified cannot name its leaf. */
    if (header->has_reply_to ? !sha256_equal(&header->reply_to, &x->request.leaf_hash)
                             : header->kind == HEADER_RESPONSE)
        return RAISE(INCONSISTENT, "the answer is to another request");
    return DONE;
}

/* The provider refused, and we can prove it. Its words are for the caller. */
static void take_refusal(struct exchange *x)
{
    const struct header *header = header_of(x->answer.read);
    struct span payload = letter_payload(bytes_span(x->answer.blob));
    x->problem.fault = fault_known(header->fault) && header->fault != OK
                           ? (enum fault_code)header->fault
                           : INTERNAL;
    x->problem.at_provider = true;
    text_format(x->problem.rule, sizeof x->problem.rule, "%.*s", (int)header->rule.size,
                (const char *)header->rule.at);
    Chaski__FaultText *text = chaski__fault_text__unpack(NULL, payload.size, payload.at);
    if (text == NULL)
        return;
    text_format(x->problem.detail, sizeof x->problem.detail, "%s", text->detail);
    text_format(x->problem.remedy, sizeof x->problem.remedy, "%s", text->remedy);
    x->problem.retry_s = text->retry_s;
    chaski__fault_text__free_unpacked(text, NULL);
}

enum step_end step_verify_answer(struct exchange *x)
{
    fault f = check_answer(x);
    if (!failed(f))
        f = verify(x, &x->answer);
    if (failed(f))
        return exchange_refuse(x, f);
    directory_feed_heard(x->node->feed, header_of(x->answer.read)->sender_server,
                         header_of(x->answer.read)->directory_epoch);
    if (header_of(x->answer.read)->kind == HEADER_FAULT)
        take_refusal(x);
    else
        step_count_answer(x);
    if (header_of(x->answer.read)->kind == HEADER_RESPONSE)
        text_format(x->rule, sizeof x->rule, "%.*s", (int)header_of(x->answer.read)->rule.size,
                    (const char *)header_of(x->answer.read)->rule.at);
    return STEP_NEXT;
}
