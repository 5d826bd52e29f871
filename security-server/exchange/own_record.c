// SPDX-License-Identifier: MIT
#include "security-server/exchange/own_record.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/bus/letter.h"
#include "lib/crypto/random.h"
#include "security-server/exchange/audit_actor.h"
#include "security-server/exchange/keys_line.h"
#include "security-server/exchange/late_leaf.h"
#include "security-server/exchange/own_certificate.h"
#include "security-server/exchange/retention.h"

#include "audit.pb-c.h"

#include <stdlib.h>

struct own_record {
    struct node *node;
    struct bytes *header, *leaf, *blob;
    int64_t time_ms;
    enum header_kind kind;
    struct audit_job job;
    void (*done)(struct node *node, fault f);
    void (*index_done)(void *owner, fault f, uint64_t index);
    void (*leaf_done)(void *owner, fault f, uint64_t index, struct span leaf);
    void *owner;
};

static void own_record_free(struct own_record **self)
{
    bytes_free(&(*self)->header);
    bytes_free(&(*self)->leaf);
    bytes_free(&(*self)->blob);
    free(*self);
    *self = NULL;
}

static void finish(struct own_record *self, fault f)
{
    if (failed(f))
        EVENT(ERROR, "audit.own_record_failed", E_FAULT(f));
    if (self->done != NULL)
        self->done(self->node, f);
    if (self->index_done != NULL)
        self->index_done(self->owner, f, self->job.record.index);
    if (self->leaf_done != NULL)
        self->leaf_done(self->owner, f, self->job.record.index, bytes_span(self->leaf));
    own_record_free(&self);
}

static void kept(struct audit_job *job)
{
    struct own_record *self = job->owner;
    self->node->head = job->head;
    if (self->kind != HEADER_STAMPED)
        node_note_traffic(self->node, job->record.index, job->fault);
    finish(self, job->fault == OK ? DONE : RAISE(job->fault, "%s", job->detail));
}

static void signed_by_keys(void *owner, fault f, struct span signature)
{
    struct own_record *self = owner;
    if (!failed(f))
        f = cades_leaf(&self->node->template, bytes_span(self->header), self->time_ms, signature,
                       &self->leaf);
    self->job = (struct audit_job){.work = AUDIT_APPEND, .done = kept, .owner = self};
    if (!failed(f)) {
        self->job.record.leaf = bytes_span(self->leaf);
        self->job.record.blob = bytes_span(self->blob);
        f = audit_actor_ask(self->node->audit, &self->job);
    }
    if (failed(f))
        finish(self, f);
}

static fault text_blob(const char *detail, struct bytes **out)
{
    OWNED(bytes) packed = NULL;
    Chaski__FaultText text = CHASKI__FAULT_TEXT__INIT;
    text.detail = (char *)(uintptr_t)detail;
    TRY(bytes_new(chaski__fault_text__get_packed_size(&text), &packed));
    chaski__fault_text__pack(&text, packed->data);
    return letter_blob(bytes_span(packed), out);
}

static fault erasure_blob(const struct erasure_act *act, struct bytes **out)
{
    OWNED(bytes) packed = NULL;
    Chaski__ErasureText text = CHASKI__ERASURE_TEXT__INIT;
    Chaski__Erasure what = CHASKI__ERASURE__INIT;
    what.first = act->what.first;
    what.last = act->what.last;
    what.day = (char *)(uintptr_t)act->what.day;
    what.of = (char *)(uintptr_t)act->what.of;
    what.n_except = act->what.excepts;
    what.except = (char **)(uintptr_t)act->what.except;
    what.log_epoch = act->what.epoch;
    text.what = &what;
    text.ground = (char *)(uintptr_t)act->ground;
    text.officer = (char *)(uintptr_t)act->officer;
    TRY(bytes_new(chaski__erasure_text__get_packed_size(&text), &packed));
    chaski__erasure_text__pack(&text, packed->data);
    return letter_blob(bytes_span(packed), out);
}

static fault prune_blob(const char *ground, const char *officer, struct bytes **out)
{
    OWNED(bytes) packed = NULL;
    Chaski__PruneText text = CHASKI__PRUNE_TEXT__INIT;
    text.ground = (char *)(uintptr_t)ground;
    text.officer = (char *)(uintptr_t)officer;
    TRY(bytes_new(chaski__prune_text__get_packed_size(&text), &packed));
    chaski__prune_text__pack(&text, packed->data);
    return letter_blob(bytes_span(packed), out);
}

static fault epoch_blob(const char *reason, const char *officer, struct bytes **out)
{
    OWNED(bytes) packed = NULL;
    Chaski__EpochText text = CHASKI__EPOCH_TEXT__INIT;
    text.reason = (char *)(uintptr_t)reason;
    text.officer = (char *)(uintptr_t)officer;
    TRY(bytes_new(chaski__epoch_text__get_packed_size(&text), &packed));
    chaski__epoch_text__pack(&text, packed->data);
    return letter_blob(bytes_span(packed), out);
}

/* What few records say beside. */
struct more {
    const struct erasure_act *act;
    const struct epoch_closed *closed; /* what became of the epoch before */
    const struct header_pruned *pruned;
    const struct header_stamped *stamped;
    const struct late_leaf *late;
    const struct header_card *card;
    const struct look_act *look;
    const struct header *said; /* of a permit */
    const uint8_t *id;         /* of an order, or of an exchange */
    const char *notice, *service;
};

static void fill_late(const struct late_leaf *leaf, struct header *out)
{
    out->receiver_server = span_of_text(leaf->peer);
    out->service = span_of_text(leaf->service);
    out->late = &leaf->receipt;
    out->fault = leaf->fault;
    out->status = leaf->status;
    if (leaf->subject_year == 0)
        return;
    out->subject = sha256_span(&leaf->pseudonym);
    out->subject_year = leaf->subject_year;
    out->sealed_until_ms = leaf->sealed_until_ms;
    out->sealing = span_of_text(leaf->sealing == NULL ? "" : leaf->sealing);
}

static void fill_permit(const struct header *said, struct header *out)
{
    out->receiver = said->receiver;
    out->service = said->service;
    out->procedure = said->procedure;
    out->legal_basis = said->legal_basis;
    out->case_ref = said->case_ref;
    out->requirement = said->requirement;
    out->territory = said->territory;
    out->rule = said->rule;
    out->permit = said->permit;
}

static fault make_header(struct own_record *self, enum header_kind kind, const struct more *more)
{
    struct node *node = self->node;
    self->kind = kind;
    struct header header = {.kind = kind, .time_ms = self->time_ms};
    if (node_self(node) == NULL)
        return RAISE(DIRECTORY_BAD, "the directory does not list this server");
    random_fill(header.exchange_id, sizeof header.exchange_id);
    if (more->id != NULL)
        memcpy(header.exchange_id, more->id, sizeof header.exchange_id);
    header.erasure = more->act == NULL ? NULL : &more->act->what;
    header.pruned = more->pruned;
    header.stamped = more->stamped;
    header.card = more->card;
    if (more->notice != NULL) {
        header.rule = span_of_text(more->notice);
        header.service = span_of_text(more->service);
    }
    if (more->look != NULL) {
        header.subject = sha256_span(&more->look->pseudonym);
        header.subject_year = more->look->year;
    }
    if (more->late != NULL)
        fill_late(more->late, &header);
    if (more->said != NULL)
        fill_permit(more->said, &header);
    if (kind == HEADER_STARTED)
        header.keeping = retention_said(node->retention);
    header.sender = span_of_text(node_self(node)->member->id);
    header.sender_server = span_of_text(node->config->server);
    header.payload_sha256 = letter_commitment(bytes_span(self->blob));
    header.payload_bytes = self->blob->size - SALT_BYTES;
    header.closed = more->closed;
    header.log_epoch = node->log_epoch;
    header.log_size = node->head.size;
    header.log_root = node->head.root;
    header.directory_epoch = directory_epoch(node->directory);
    return header_encode(&header, &self->header);
}

static void sign_and_keep(struct own_record *self, fault f)
{
    if (!failed(f))
        f = own_certificate_check(self->node);
    if (failed(f)) {
        finish(self, f);
        return;
    }
    struct sha256 content = SHA256_OF(bytes_span(self->header));
    keys_line_sign_header(self->node->keys, &content, self->time_ms, signed_by_keys, self);
}

static void keep(struct node *node, enum header_kind kind, const struct more *more, fault f,
                 struct bytes **blob, void (*done)(struct node *node, fault f))
{
    struct own_record *self = owned_new(sizeof *self);
    self->node = node;
    self->done = done;
    self->time_ms = clock_wall_ms();
    self->blob = TAKE(*blob);
    if (!failed(f))
        f = make_header(self, kind, more);
    sign_and_keep(self, f);
}

void own_record_erasure(struct node *node, const struct erasure_act *act,
                        void (*done)(void *owner, fault f, uint64_t index), void *owner)
{
    struct own_record *self = owned_new(sizeof *self);
    self->node = node;
    self->index_done = done;
    self->owner = owner;
    self->time_ms = clock_wall_ms();
    fault f = erasure_blob(act, &self->blob);
    if (!failed(f))
        f = make_header(self, HEADER_ERASED, &(struct more){.act = act, .id = act->id});
    sign_and_keep(self, f);
}

static fault look_blob(const struct look_act *act, struct bytes **out)
{
    OWNED(bytes) packed = NULL;
    Chaski__LookedText text = CHASKI__LOOKED_TEXT__INIT;
    text.ground = (char *)(uintptr_t)act->ground;
    text.officer = (char *)(uintptr_t)act->officer;
    TRY(bytes_new(chaski__looked_text__get_packed_size(&text), &packed));
    chaski__looked_text__pack(&text, packed->data);
    return letter_blob(bytes_span(packed), out);
}

void own_record_look(struct node *node, const struct look_act *act,
                     void (*done)(void *owner, fault f, uint64_t index), void *owner)
{
    struct own_record *self = owned_new(sizeof *self);
    self->node = node;
    self->index_done = done;
    self->owner = owner;
    self->time_ms = clock_wall_ms();
    fault f = look_blob(act, &self->blob);
    if (!failed(f))
        f = make_header(self, HEADER_LOOKED, &(struct more){.look = act});
    sign_and_keep(self, f);
}

void own_record_late(struct node *node, const struct late_leaf *leaf,
                     void (*done)(void *owner, fault f, uint64_t index), void *owner)
{
    struct own_record *self = owned_new(sizeof *self);
    self->node = node;
    self->index_done = done;
    self->owner = owner;
    self->time_ms = clock_wall_ms();
    fault f = letter_blob(bytes_span(leaf->leaf), &self->blob);
    if (!failed(f))
        f = make_header(self, HEADER_LATE, &(struct more){.late = leaf, .id = leaf->exchange_id});
    sign_and_keep(self, f);
}

void own_record_prune(struct node *node, const uint8_t id[EXCHANGE_ID_BYTES],
                      const struct header_pruned *what, const char *ground, const char *officer,
                      void (*done)(void *owner, fault f, uint64_t index), void *owner)
{
    struct own_record *self = owned_new(sizeof *self);
    self->node = node;
    self->index_done = done;
    self->owner = owner;
    self->time_ms = clock_wall_ms();
    fault f = prune_blob(ground, officer, &self->blob);
    if (!failed(f))
        f = make_header(self, HEADER_PRUNED, &(struct more){.pruned = what, .id = id});
    sign_and_keep(self, f);
}

void own_record_card(struct node *node, struct own_card *card, const char *reason,
                     void (*done)(void *owner, fault f, uint64_t index, struct span leaf),
                     void *owner)
{
    struct own_record *self = owned_new(sizeof *self);
    self->node = node;
    self->leaf_done = done;
    self->owner = owner;
    self->time_ms = clock_wall_ms();
    card->made.renew_ms = self->time_ms + card->renew_after_ms;
    card->made.until_ms = card->made.renew_ms + card->overlap_ms;
    fault f = text_blob(reason, &self->blob);
    if (!failed(f))
        f = make_header(self, HEADER_KEY_CARD, &(struct more){.card = &card->made});
    sign_and_keep(self, f);
}

void own_record_notice(struct node *node, const char *name, const char *service, const char *detail,
                       void (*done)(void *owner, fault f, uint64_t index), void *owner)
{
    struct own_record *self = owned_new(sizeof *self);
    self->node = node;
    self->index_done = done;
    self->owner = owner;
    self->time_ms = clock_wall_ms();
    fault f = text_blob(detail, &self->blob);
    if (!failed(f))
        f = make_header(self, HEADER_NOTICE, &(struct more){.notice = name, .service = service});
    sign_and_keep(self, f);
}

void own_record_permit(struct node *node, const struct own_permit *permit, int64_t permit_ms,
                       void (*done)(void *owner, fault f, uint64_t index, struct span leaf),
                       void *owner)
{
    struct own_record *self = owned_new(sizeof *self);
    struct header said = permit->header;
    struct header_permit ends = {0};
    self->node = node;
    self->leaf_done = done;
    self->owner = owner;
    self->time_ms = clock_wall_ms();
    if (!permit->denied) {
        ends = *said.permit;
        ends.until_ms = self->time_ms + permit_ms;
        said.permit = &ends;
    }
    fault f = text_blob(permit->detail, &self->blob);
    if (!failed(f))
        f = make_header(self, permit->denied ? HEADER_PERMIT_DENIED : HEADER_PERMIT,
                        &(struct more){.said = &said});
    sign_and_keep(self, f);
}

int64_t own_record_epoch(struct node *node, const struct epoch_closed *closed, const char *reason,
                         const char *officer, void (*done)(struct node *node, fault f))
{
    struct own_record *self = owned_new(sizeof *self);
    int64_t time_ms = self->time_ms = clock_wall_ms();
    self->node = node;
    self->done = done;
    fault f = epoch_blob(reason, officer, &self->blob);
    if (!failed(f))
        f = make_header(self, HEADER_INCIDENT, &(struct more){.closed = closed});
    sign_and_keep(self, f);
    return time_ms;
}

void own_record_keep(struct node *node, enum header_kind kind, const char *detail,
                     void (*done)(struct node *node, fault f))
{
    struct bytes *blob = NULL;
    fault f = text_blob(detail, &blob);
    keep(node, kind, &(struct more){.act = NULL}, f, &blob, done);
}

void own_record_stamp(struct node *node, const struct header_stamped *stamped, struct span payload)
{
    struct bytes *blob = NULL;
    fault f = letter_blob(payload, &blob);
    keep(node, HEADER_STAMPED, &(struct more){.stamped = stamped}, f, &blob, NULL);
}

// --- checkpoints --------------------------------------------------------------------------------

struct checkpointer {
    struct node *node;
    struct loop_timer timer;
    struct checkpoint checkpoint; /* being signed */
    struct bytes *note;
    struct audit_job job;
    uint64_t signed_size;
    bool busy;
    void (*done)(struct node *node, fault f);
};

static void checkpoint_end(struct checkpointer *self, fault f)
{
    void (*done)(struct node *, fault) = self->done;
    bytes_free(&self->note);
    self->busy = false;
    self->done = NULL;
    if (failed(f))
        EVENT(ERROR, "audit.checkpoint_failed", E_FAULT(f));
    else
        self->signed_size = self->checkpoint.size;
    if (done != NULL)
        done(self->node, f);
}

static void checkpoint_kept(struct audit_job *job)
{
    checkpoint_end(job->owner, job->fault == OK ? DONE : RAISE(job->fault, "%s", job->detail));
}

static void checkpoint_signed(void *owner, fault f, struct span signature)
{
    struct checkpointer *self = owner;
    if (!failed(f) && signature.size != ED25519_SIGNATURE_BYTES)
        f = RAISE(INTERNAL, "a log signature of %zu bytes", signature.size);
    if (!failed(f))
        f = checkpoint_note(&self->checkpoint, &self->node->log_key, signature.at, &self->note);
    if (!failed(f)) {
        self->job =
            (struct audit_job){.work = AUDIT_CHECKPOINT, .done = checkpoint_kept, .owner = self};
        self->job.note = bytes_span(self->note);
        f = audit_actor_ask(self->node->audit, &self->job);
    }
    if (failed(f))
        checkpoint_end(self, f);
}

void checkpointer_sign(struct checkpointer *self, void (*done)(struct node *node, fault f))
{
    if (self->busy || self->node->head.size == self->signed_size) {
        if (done != NULL)
            done(self->node, DONE);
        return;
    }
    self->busy = true;
    self->done = done;
    self->checkpoint.size = self->node->head.size;
    self->checkpoint.root = self->node->head.root;
    memcpy(self->checkpoint.origin, self->node->log_key.name, sizeof self->checkpoint.origin);
    keys_line_sign_checkpoint(self->node->keys, &self->checkpoint, checkpoint_signed, self);
}

static void on_timer(struct loop_timer *timer)
{
    struct checkpointer *self = timer->owner;
    checkpointer_sign(self, NULL);
    loop_set_timer(self->node->loop, &self->timer, self->node->config->checkpoint_every_ms);
}

struct checkpointer *checkpointer_new(struct node *node)
{
    struct checkpointer *self = owned_new(sizeof *self);
    self->node = node;
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    loop_set_timer(node->loop, &self->timer, node->config->checkpoint_every_ms);
    return self;
}

void checkpointer_free(struct checkpointer **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    bytes_free(&(*self)->note);
    free(*self);
    *self = NULL;
}
