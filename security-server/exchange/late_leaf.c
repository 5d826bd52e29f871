// SPDX-License-Identifier: MIT
#include "security-server/exchange/late_leaf.h"

#include "lib/base/clock.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/signer_check.h"
#include "lib/bus/leaf_set.h"
#include "lib/crypto/merkle.h"

#include <stdlib.h>

#define DAY_MS INT64_C(86400000)

static fault check_parties(const struct node *node, const char *peer, const struct header *header)
{
    const char *own = node->config->server;
    bool sent =
        span_is_text(header->sender_server, own) && span_is_text(header->receiver_server, peer);
    bool got =
        span_is_text(header->sender_server, peer) && span_is_text(header->receiver_server, own);
    if (header->kind >= HEADER_STARTED)
        return RAISE(BAD_FRAME, "a %s is no part of an exchange", header_kind_word(header->kind));
    return sent != got ? DONE : RAISE(INCONSISTENT, "a leaf of other servers than %s", peer);
}

static fault check_times(const struct node *node, const struct header *header,
                         const struct cades_parts *parts)
{
    int64_t now_ms = clock_wall_ms();
    if (header->time_ms / 1000 * 1000 != parts->time_ms)
        return RAISE(SIGNATURE_BAD, "the header is dated otherwise than its signature");
    if (header->time_ms > now_ms + FRESH_FUTURE_MS)
        return RAISE(FROM_FUTURE, "dated %lld ms ahead of this server's clock",
                     (long long)(header->time_ms - now_ms));
    if (header->time_ms < set_floor_read(node->config->audit_folder) + SET_HOUR_MS)
        return RAISE(STALE, "of a time of which this server has removed its log");
    if (header->time_ms < now_ms - RECONCILE_DAYS_MAX * DAY_MS)
        return RAISE(STALE, "dated more than %d days ago", RECONCILE_DAYS_MAX);
    return DONE;
}

/* By what the directory in use knows of that time. */
static fault check_signer(const struct directory_signer *signer, const struct header *header)
{
    if (signer != NULL && signer->revoked_since_ms != 0 &&
        header->time_ms >= directory_signer_known_ms(signer))
        return RAISE(REVOKED, "signed after the certificate of %s was revoked", signer->server->id);
    return signer_check(signer, header);
}

static fault check(const struct node *node, const char *peer, struct span leaf,
                   const struct cades_parts *parts, const struct header *header)
{
    struct directory_signer *signer = directory_signer_ever(node->directory, parts->ski.at);
    struct cades_parts again;
    TRY(check_parties(node, peer, header));
    TRY(check_times(node, header, parts));
    TRY(check_signer(signer, header));
    return cades_verify_leaf(signer->certificate, leaf, &again);
}

static char *copy(struct span text)
{
    char *copy = owned_array(text.size + 1, 1);
    if (text.size > 0)
        memcpy(copy, text.at, text.size);
    return copy;
}

/* What the views of a person are made from. */
static void take_person(const struct header *header, struct late_leaf *out)
{
    out->fault = header->fault;
    out->status = header->status;
    if (header->subject.size != SHA256_BYTES || header->subject_year == 0)
        return;
    out->subject_year = header->subject_year;
    memcpy(out->pseudonym.at, header->subject.at, SHA256_BYTES);
    out->sealed_until_ms = header->sealed_until_ms;
    if (header->sealed_until_ms != 0)
        out->sealing = copy(header->sealing);
}

fault late_leaf_check(const struct node *node, const char *peer, struct span leaf,
                      struct late_leaf **out)
{
    struct cades_parts parts;
    OWNED(header_read) read = NULL;
    OWNED(late_leaf) self = owned_new(sizeof *self);
    TRY(cades_parse(leaf, &parts));
    TRY(header_decode(parts.content, &read));
    const struct header *header = header_of(read);
    TRY(check(node, peer, leaf, &parts, header));
    TRY(bytes_copy(leaf, &self->leaf));
    self->peer = owned_text(peer);
    self->receipt.leaf_hash = merkle_leaf_hash(leaf);
    self->receipt.time_ms = header->time_ms;
    self->receipt.kind = header->kind;
    self->receipt.own = span_is_text(header->sender_server, node->config->server);
    self->service = copy(header->service);
    take_person(header, self);
    self->content = SHA256_OF(parts.content);
    memcpy(self->exchange_id, header->exchange_id, EXCHANGE_ID_BYTES);
    *out = TAKE(self);
    return DONE;
}

void late_leaf_free(struct late_leaf **self)
{
    if (*self == NULL)
        return;
    bytes_free(&(*self)->leaf);
    free((*self)->peer);
    free((*self)->service);
    free((*self)->sealing);
    free(*self);
    *self = NULL;
}
