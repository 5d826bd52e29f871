// SPDX-License-Identifier: MIT
#include "security-server/exchange/leaf_lender.h"

#include "lib/bus/letter.h"
#include "lib/bus/set_talk.h"
#include "lib/crypto/merkle.h"

static void read_next(struct leaf_lender *self);

/* The leaf itself, or what a LATE record holds of it; nothing that is not what the set says. */
static struct span leaf_in(const struct audit_job *job, const struct set_entry *entry)
{
    struct span leaf = bytes_span(job->leaf), none = {0};
    if (job->fault != OK)
        return none;
    if (entry->late && (job->blob == NULL || job->blob->size < SALT_BYTES))
        return none;
    if (entry->late)
        leaf = letter_payload(bytes_span(job->blob));
    struct sha256 hash = merkle_leaf_hash(leaf);
    return sha256_equal(&hash, &entry->leaf_hash) ? leaf : none;
}

static void read_back(struct audit_job *job)
{
    struct leaf_lender *self = job->owner;
    bool fits = set_talk_put_leaf(leaf_in(job, &self->entry[self->at]), self->packed);
    bytes_free(&job->leaf);
    bytes_free(&job->blob);
    self->at += fits;
    if (fits && self->at < self->count) {
        read_next(self);
        return;
    }
    self->busy = false;
    self->done(self);
}

static void read_next(struct leaf_lender *self)
{
    self->job = (struct audit_job){.work = AUDIT_READ, .done = read_back, .owner = self};
    self->job.record.index = audit_place(self->entry[self->at].epoch, self->entry[self->at].index);
    fault f = audit_actor_ask(self->node->audit, &self->job);
    if (!failed(f))
        return;
    self->busy = false;
    self->done(self); /* the rest is asked for again */
}

void leaf_lender_begin(struct leaf_lender *self)
{
    self->at = 0;
    self->busy = true;
    self->packed = bytes_empty(4096);
    if (self->count > 0) {
        read_next(self);
        return;
    }
    self->busy = false;
    self->done(self);
}
