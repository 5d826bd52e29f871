// SPDX-License-Identifier: MIT
#include "registry/approving.h"

#include "lib/bus/act_approval.h"
#include "lib/crypto/keypair.h"
#include "lib/crypto/random.h"

#include "directory.pb-c.h"

#include <stdlib.h>

struct made {
    Chaski__Approval approval;
    uint8_t signature[P256_SIGNATURE_BYTES_MAX];
    char *operator;
};

struct approving {
    size_t keys;
    struct keypair *key[DIRECTORY_APPROVALS_MAX];
    /* of the act that was approved last */
    Chaski__Intent intent;
    uint8_t nonce[ACT_NONCE_BYTES];
    struct made made[DIRECTORY_APPROVALS_MAX];
    size_t made_count;
    Chaski__Approval *approval[DIRECTORY_APPROVALS_MAX];
};

struct approving *approving_new(void)
{
    return owned_new(sizeof(struct approving));
}

static void forget(struct approving *self)
{
    for (size_t i = 0; i < self->made_count; i++)
        free(self->made[i].operator);
    self->made_count = 0;
}

void approving_free(struct approving **self)
{
    if (*self == NULL)
        return;
    forget(*self);
    free(*self);
    *self = NULL;
}

fault approving_add_key(struct approving *self, struct keypair *key)
{
    if (self->keys == DIRECTORY_APPROVALS_MAX)
        return RAISE(REFUSED, "an act has at most %d approvals", DIRECTORY_APPROVALS_MAX);
    self->key[self->keys++] = key;
    return DONE;
}

size_t approving_keys(const struct approving *self)
{
    return self->keys;
}

const struct directory_operator *approving_person(const struct directory *state,
                                                  struct span public_key)
{
    const struct directory_operator *at = NULL;
    for (size_t step = 0; (at = directory_next_operator(state, &step)) != NULL;)
        if (span_equal(span_of(at->public_key, P256_POINT_BYTES), public_key))
            return at;
    return NULL;
}

static void give_intent(struct approving *self, int64_t now_ms, Chaski__Act *act)
{
    if (act->intent != NULL)
        return;
    random_fill(self->nonce, sizeof self->nonce);
    self->intent = (Chaski__Intent)CHASKI__INTENT__INIT;
    self->intent.proposed_ms = (uint64_t)now_ms;
    self->intent.nonce = (ProtobufCBinaryData){sizeof self->nonce, self->nonce};
    act->intent = &self->intent;
}

static bool has_approved(const Chaski__Act *act, const char *operator)
{
    for (size_t i = 0; i < act->n_approval; i++)
        if (act->approval[i]->who_case == CHASKI__APPROVAL__WHO_OPERATOR &&
            strcmp(act->approval[i]->operator_, operator) == 0)
            return true;
    return false;
}

static fault approve(struct approving *self, struct keypair *key, const struct directory *state,
                     const struct sha256 *digest, Chaski__Act *act)
{
    OWNED(bytes) public_key = NULL;
    size_t size = 0;
    TRY(keypair_public(key, &public_key));
    const struct directory_operator *person = approving_person(state, bytes_span(public_key));
    if (person == NULL)
        return RAISE(REFUSED, "a key given with --as is of no operator of this directory");
    if (has_approved(act, person->id))
        return DONE;
    if (act->n_approval == DIRECTORY_APPROVALS_MAX)
        return RAISE(REFUSED, "an act has at most %d approvals", DIRECTORY_APPROVALS_MAX);
    struct made *made = &self->made[self->made_count];
    TRY(keypair_sign_digest(key, digest->at, made->signature, &size));
    made->operator= owned_text(person->id);
    self->made_count++;
    made->approval = (Chaski__Approval)CHASKI__APPROVAL__INIT;
    made->approval.who_case = CHASKI__APPROVAL__WHO_OPERATOR;
    made->approval.operator_ = made->operator;
    made->approval.signature = (ProtobufCBinaryData){size, made->signature};
    act->approval[act->n_approval++] = &made->approval;
    return DONE;
}

fault approving_sign(struct approving *self, const struct directory *state, int64_t now_ms,
                     Chaski__Act *act)
{
    if (act->n_approval > DIRECTORY_APPROVALS_MAX)
        return RAISE(REFUSED, "an act has at most %d approvals", DIRECTORY_APPROVALS_MAX);
    forget(self);
    give_intent(self, now_ms, act);
    for (size_t i = 0; i < act->n_approval; i++)
        self->approval[i] = act->approval[i];
    act->approval = self->approval;
    struct sha256 digest = act_approval_digest(act, directory_instance(state));
    for (size_t i = 0; i < self->keys; i++)
        TRY(approve(self, self->key[i], state, &digest, act));
    return DONE;
}
