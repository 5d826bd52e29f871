// SPDX-License-Identifier: MIT
/*
 * approved - a state that is folded act by act, with approvals of operators once there are some.
 * Signatures are not looked at: the state takes what comes for what was verified before.
 */
#ifndef TESTS_BUS_APPROVED_H
#define TESTS_BUS_APPROVED_H

#include "tests/unit/bus/book.h"

struct approved {
    struct directory *state; /* directory_release() it */
    uint64_t number;
    uint32_t nonce;
    bool operators; /* ana and luis are named: acts are approved by them */
};

/* All acts of the book. */
static inline void approved_begin(struct approved *self, const struct book *book)
{
    *self = (struct approved){.state = directory_new(book->trust)};
    self->state->known = true;
    for (; self->number < book->count; self->number++)
        MUST(directory_apply(self->state, self->number, bytes_span(book->act[self->number])));
}

/* reviewer: who alone approves it, instead of ana and luis; or NULL. A fault leaves the state as
 * DIRECTORY_BAD leaves one. */
static inline fault approved_apply(struct approved *self, Chaski__Act *act, int64_t at_ms,
                                   const char *reviewer)
{
    char context[] = "chaski directory act v1";
    uint8_t nonce[16] = {0}, signature[1] = {0};
    Chaski__Intent intent = CHASKI__INTENT__INIT;
    Chaski__Approval one = CHASKI__APPROVAL__INIT, other = CHASKI__APPROVAL__INIT;
    Chaski__Approval *approvals[] = {&one, &other};
    OWNED(bytes) packed = NULL;
    self->nonce++;
    memcpy(nonce, &self->nonce, sizeof self->nonce);
    act->context = context;
    act->number = self->number;
    act->time_ms = (uint64_t)at_ms;
    intent.proposed_ms = (uint64_t)at_ms;
    intent.nonce = (ProtobufCBinaryData){sizeof nonce, nonce};
    one.who_case = other.who_case = CHASKI__APPROVAL__WHO_OPERATOR;
    one.operator_ = book_text(reviewer != NULL ? reviewer : "ana");
    other.operator_ = book_text("luis");
    one.signature = other.signature = (ProtobufCBinaryData){sizeof signature, signature};
    if (self->operators) {
        act->intent = &intent;
        act->n_approval = reviewer != NULL ? 1 : 2;
        act->approval = approvals;
    }
    MUST(bytes_new(chaski__act__get_packed_size(act), &packed));
    chaski__act__pack(act, packed->data);
    return directory_apply(self->state, self->number++, bytes_span(packed));
}

/* ana, luis and eva, who may do all that is needed. */
static inline void approved_name_operators(struct approved *self, int64_t at_ms)
{
    static const char *const names[] = {"ana", "luis", "eva"};
    Chaski__Role roles[] = {CHASKI__ROLE__ENROL, CHASKI__ROLE__APPROVE, CHASKI__ROLE__PUBLISH};
    for (size_t i = 0; i < 3; i++) {
        OWNED(keypair) key = NULL;
        OWNED(bytes) public = NULL;
        Chaski__Act act = CHASKI__ACT__INIT;
        Chaski__OperatorSet set = CHASKI__OPERATOR_SET__INIT;
        MUST(keypair_make(KEY_P256, &key));
        MUST(keypair_public(key, &public));
        set.id = book_text(names[i]);
        set.name = book_text("Nombre");
        set.public_key = (ProtobufCBinaryData){public->size, public->data};
        set.n_role = 3;
        set.role = roles;
        act.act_case = CHASKI__ACT__ACT_OPERATOR_SET;
        act.operator_set = &set;
        MUST(approved_apply(self, &act, at_ms, NULL));
        self->operators = i >= 1;
    }
}

#endif
