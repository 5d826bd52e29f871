// SPDX-License-Identifier: MIT
/* People at the authority, and the servers that watch over the directory. */
#include "lib/bus/directory_acts.h"

#include "lib/base/text.h"

#include "directory.pb-c.h"

#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

static bool may_approve(const struct directory_operator *person)
{
    return person != NULL && (person->roles >> ROLE_APPROVE & 1) != 0;
}

static fault take_roles(const Chaski__OperatorSet *act, unsigned *out)
{
    enum directory_role before = 0;
    if (act->n_role == 0)
        return BAD("operator %s has no role", act->id);
    for (size_t i = 0; i < act->n_role; i++) {
        if ((int)act->role[i] <= (int)before || (int)act->role[i] >= ROLES_END)
            return BAD("the roles of operator %s: each is named once, in their order", act->id);
        before = (enum directory_role)act->role[i];
        *out |= 1u << before;
    }
    return DONE;
}

/* One key is one person: else one of them could approve twice. */
static fault check_key(const struct directory *self, const Chaski__OperatorSet *act)
{
    struct span key = span_of(act->public_key.data, act->public_key.len);
    if (failed(p256_check_point(key)))
        return BAD("the key of operator %s: %s", act->id, fault_detail());
    size_t step = 0;
    for (const struct directory_operator *at; (at = directory_next_operator(self, &step)) != NULL;)
        if (strcmp(at->id, act->id) != 0 &&
            span_equal(span_of(at->public_key, P256_POINT_BYTES), key))
            return BAD("one key of two operators: %s and %s", act->id, at->id);
    return DONE;
}

/* One alone could do nothing any more, and nobody could help it. */
static fault count_approvers(struct directory *self, const struct directory_operator *before,
                             const struct directory_operator *after)
{
    size_t approvers = self->approvers - may_approve(before) + may_approve(after);
    if (self->governed && approvers < 2)
        return BAD("fewer than two operators would be left who may approve");
    self->approvers = approvers;
    self->governed = approvers >= 2;
    return DONE;
}

fault act_operator_apply(struct directory *self, const Chaski__OperatorSet *act)
{
    unsigned roles = 0;
    TRY(act_code("an operator", act->id));
    TRY(act_word("the operator's name", act->name));
    TRY(take_roles(act, &roles));
    TRY(check_key(self, act));
    const struct directory_operator *before = directory_find(&self->operators, act->id);
    if (before == NULL && self->operators.count == DIRECTORY_OPERATORS_MAX)
        return BAD("more than %d operators", DIRECTORY_OPERATORS_MAX);
    struct directory_operator *person = directory_make(self, sizeof *person);
    person->id = directory_keep_text(self, act->id);
    person->name = directory_keep_text(self, act->name);
    person->roles = roles;
    memcpy(person->public_key, act->public_key.data, sizeof person->public_key);
    TRY(count_approvers(self, before, person));
    map_set(&self->operators, span_of_text(person->id), person);
    return DONE;
}

fault act_operator_remove(struct directory *self, const char *id)
{
    const struct directory_operator *person = directory_find(&self->operators, id);
    if (person == NULL)
        return BAD("operator %.200s is not there", id);
    TRY(count_approvers(self, person, NULL));
    map_remove(&self->operators, span_of_text(id));
    return DONE;
}

fault act_directory_witnesses_apply(struct directory *self,
                                    const Chaski__DirectoryWitnessesSet *act)
{
    if (act->n_server > DIRECTORY_WITNESSES_MAX || act->quorum > act->n_server ||
        (act->quorum == 0) != (act->n_server == 0))
        return BAD("a quorum of %u among %zu witnesses of the directory", act->quorum,
                   act->n_server);
    for (size_t i = 0; i < act->n_server; i++) {
        struct directory_server *server = directory_find(&self->servers, act->server[i]);
        if (server == NULL || !server->is_witness)
            return BAD("%.200s is not a server with a witness key", act->server[i]);
        for (size_t j = 0; j < i; j++)
            if (self->witness[j] == server)
                return BAD("the directory names the witness %s twice", server->id);
        self->witness[i] = server;
    }
    self->witnesses = act->n_server;
    self->quorum = act->quorum;
    return DONE;
}
