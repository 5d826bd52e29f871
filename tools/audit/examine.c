// SPDX-License-Identifier: MIT
#include "tools/audit/examine.h"

#include "lib/base/map.h"
#include "lib/bus/letter.h"
#include "tools/audit/store_keys.h"

#include "audit.pb-c.h"

#include <stdlib.h>

struct examiner {
    struct examination about;
    struct store_keys *keys;
    struct payload_reader *payloads;
    struct map certificates; /* by subject key id: our own, as one belongs to one thread */
    struct verified_heads *heads;
};

fault examiner_new(const struct examination *about, struct examiner **out)
{
    OWNED(examiner) self = owned_new(sizeof *self);
    self->about = *about;
    TRY(store_keys_open(about->arguments, &self->keys));
    self->payloads = payload_reader_new(about->payloads, store_keys_ring(self->keys));
    self->heads = verified_heads_new();
    *out = TAKE(self);
    return DONE;
}

void examiner_free(struct examiner **owner)
{
    struct examiner *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    size_t step = 0;
    for (struct certificate *at; (at = map_next(&self->certificates, &step, NULL)) != NULL;)
        certificate_free(&at);
    map_clear(&self->certificates);
    payload_reader_free(&self->payloads);
    store_keys_free(&self->keys);
    verified_heads_free(&self->heads);
    free(self);
}

void examined_clear(struct examined *self)
{
    log_entry_clear(&self->entry);
    free(self->bad_signature);
    free(self->bad_payload);
    free(self->ground);
    free(self->reason);
    free(self->pruning);
    free(self->incident);
    *self = (struct examined){0};
}

// --- who signed ---------------------------------------------------------------------------------

static fault own_certificate(struct examiner *self, const struct directory_signer *signer,
                             struct certificate **out)
{
    struct span ski = span_of(certificate_ski(signer->certificate), SKI_BYTES);
    *out = map_get(&self->certificates, ski);
    if (*out != NULL)
        return DONE;
    TRY(certificate_parse(certificate_der(signer->certificate), out));
    map_set(&self->certificates, ski, *out);
    return DONE;
}

/* The leaf names its certificate by hash, so that verifying it anew would come out the same. */
static bool is_verified(const struct examiner *self, const struct log_entry *entry,
                        const struct directory_signer *signer)
{
    struct sha256 hash = certificate_hash(signer->certificate);
    return span_equal(entry->parts.certificate_sha256, sha256_span(&hash)) &&
           self->about.is_verified(self->about.owner, &entry->leaf_hash);
}

static fault check_signature(struct examiner *self, const struct log_entry *entry, bool *verified)
{
    struct certificate *certificate = NULL;
    const struct directory_signer *signer =
        directory_signer_ever(self->about.judge, entry->parts.ski.at);
    if (signer == NULL)
        return DONE;
    if (!is_verified(self, entry, signer)) {
        TRY(own_certificate(self, signer, &certificate));
        TRY(cades_verify_parts(certificate, &entry->parts, self->heads));
    }
    *verified = true;
    return DONE;
}

// --- what it commits to -------------------------------------------------------------------------

/* The words of an ERASED record are its payload. */
static char *ground_of(const struct header *header, struct span blob)
{
    if (header->kind != HEADER_ERASED || blob.size < SALT_BYTES)
        return NULL;
    struct span payload = letter_payload(blob);
    Chaski__ErasureText *text = chaski__erasure_text__unpack(NULL, payload.size, payload.at);
    if (text == NULL)
        return NULL;
    char *ground = owned_text(text->ground);
    chaski__erasure_text__free_unpacked(text, NULL);
    return ground;
}

/* Why an epoch was closed is payload of its INCIDENT. */
static char *reason_of(const struct header *header, struct span blob)
{
    if (header->closed == NULL || blob.size < SALT_BYTES)
        return NULL;
    struct span payload = letter_payload(blob);
    Chaski__EpochText *text = chaski__epoch_text__unpack(NULL, payload.size, payload.at);
    if (text == NULL)
        return NULL;
    char *reason = owned_text(text->reason);
    chaski__epoch_text__free_unpacked(text, NULL);
    return reason;
}

/* Why a log's beginning was removed is payload of the PRUNED record. */
static char *pruning_of(const struct header *header, struct span blob)
{
    if (header->pruned == NULL || blob.size < SALT_BYTES)
        return NULL;
    struct span payload = letter_payload(blob);
    Chaski__PruneText *text = chaski__prune_text__unpack(NULL, payload.size, payload.at);
    if (text == NULL)
        return NULL;
    char *ground = owned_text(text->ground);
    chaski__prune_text__free_unpacked(text, NULL);
    return ground;
}

/* What happened is payload of an INCIDENT; of the one that begins an epoch see above. */
static char *incident_of(const struct header *header, struct span blob)
{
    if (header->kind != HEADER_INCIDENT || header->closed != NULL || blob.size < SALT_BYTES)
        return NULL;
    struct span payload = letter_payload(blob);
    Chaski__FaultText *text = chaski__fault_text__unpack(NULL, payload.size, payload.at);
    if (text == NULL)
        return NULL;
    char *incident = owned_text(text->detail);
    chaski__fault_text__free_unpacked(text, NULL);
    return incident;
}

static fault look_at_payload(struct examiner *self, const struct log_entry *entry,
                             struct examined *out)
{
    OWNED(bytes) blob = NULL;
    TRY(payload_reader_read(self->payloads, entry->index, &entry->leaf_hash, &out->payload, &blob));
    if (out->payload != PAYLOAD_HELD)
        return DONE;
    struct sha256 commitment = letter_commitment(bytes_span(blob));
    out->committed = sha256_equal(&commitment, &entry->header->payload_sha256) &&
                     blob->size == entry->header->payload_bytes + SALT_BYTES;
    out->ground = ground_of(entry->header, bytes_span(blob));
    out->reason = reason_of(entry->header, bytes_span(blob));
    out->pruning = pruning_of(entry->header, bytes_span(blob));
    out->incident = incident_of(entry->header, bytes_span(blob));
    return DONE;
}

void examine(struct examiner *self, uint64_t index, struct span leaf, struct examined *out)
{
    *out = (struct examined){.payload = PAYLOAD_NONE};
    log_entry_read(index, leaf, &out->entry);
    if (out->entry.header == NULL)
        return;
    if (failed(check_signature(self, &out->entry, &out->verified)))
        out->bad_signature = owned_text(fault_detail());
    if (failed(look_at_payload(self, &out->entry, out)))
        out->bad_payload = owned_text(fault_detail());
}
