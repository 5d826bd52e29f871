// SPDX-License-Identifier: MIT
#include "lib/bus/access.h"
#include "lib/bus/directory_acts.h"

#include "directory.pb-c.h"

#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

/* Each answers with the id of something that still leans on the thing, or NULL. */

static const char *server_of(const struct directory *self, const void *member)
{
    size_t step = 0;
    for (struct directory_server *at; (at = map_next(&self->servers, &step, NULL)) != NULL;)
        if (at->member == member)
            return at->id;
    return NULL;
}

static const char *subsystem_of(const struct directory *self, const void *member)
{
    size_t step = 0;
    for (struct directory_subsystem *at; (at = map_next(&self->subsystems, &step, NULL)) != NULL;)
        if (at->member == member)
            return at->id;
    return NULL;
}

static const char *subsystem_on(const struct directory *self, const struct directory_server *server)
{
    size_t step = 0;
    for (struct directory_subsystem *at; (at = map_next(&self->subsystems, &step, NULL)) != NULL;)
        if (directory_server_has(server, at))
            return at->id;
    return NULL;
}

static const char *service_of(const struct directory *self, const void *subsystem)
{
    size_t step = 0;
    for (struct directory_service *at; (at = map_next(&self->services, &step, NULL)) != NULL;)
        if (at->subsystem == subsystem)
            return at->id;
    return NULL;
}

static bool is_among(const char *id, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], id) == 0)
            return true;
    return false;
}

static const char *grant_naming(const struct directory *self, const char *id)
{
    size_t step = 0;
    for (struct directory_grant *at; (at = map_next(&self->grants, &step, NULL)) != NULL;)
        if (strcmp(at->service, id) == 0 || strcmp(at->consumer, id) == 0 ||
            is_among(id, at->purpose, at->purposes))
            return at->id;
    return NULL;
}

static const char *restriction_naming(const struct directory *self, const char *id)
{
    size_t step = 0;
    for (struct directory_restriction *at;
         (at = map_next(&self->restrictions, &step, NULL)) != NULL;)
        if (strcmp(at->service, id) == 0 || strcmp(at->consumer, id) == 0)
            return at->id;
    return NULL;
}

static const char *competence_naming(const struct directory *self, const char *id)
{
    size_t step = 0;
    for (struct directory_competence *at; (at = map_next(&self->competences, &step, NULL)) != NULL;)
        if (strcmp(at->purpose, id) == 0 || strcmp(at->consumer, id) == 0)
            return at->id;
    return NULL;
}

static const char *sealing_naming(const struct directory *self, const char *id)
{
    size_t step = 0;
    for (struct directory_sealing *at; (at = map_next(&self->sealings, &step, NULL)) != NULL;)
        if (strcmp(at->purpose, id) == 0 || strcmp(at->consumer, id) == 0)
            return at->id;
    return NULL;
}

static const char *group_naming(const struct directory *self, const char *id)
{
    size_t step = 0;
    for (struct directory_group *at; (at = map_next(&self->groups, &step, NULL)) != NULL;)
        if (is_among(id, at->member, at->members))
            return at->id;
    return NULL;
}

static const char *request_naming(const struct directory *self, const char *id)
{
    size_t step = 0;
    for (const struct directory_request *at; (at = directory_next_request(self, &step)) != NULL;)
        if (strcmp(at->service, id) == 0 || strcmp(at->consumer, id) == 0 ||
            is_among(id, at->purpose, at->purposes))
            return at->id;
    return NULL;
}

static const char *glass_naming(const struct directory *self, const char *id)
{
    size_t step = 0;
    for (const struct directory_break_glass *at;
         (at = directory_next_break_glass(self, &step)) != NULL;)
        if (strcmp(at->service, id) == 0 || strcmp(at->consumer, id) == 0 ||
            strcmp(at->purpose, id) == 0)
            return at->id;
    return NULL;
}

/* The decision or the grant that answers this request. */
static const char *answer_to(const struct directory *self, const char *id)
{
    size_t step = 0;
    for (const struct directory_grant *at; (at = directory_next_grant(self, &step)) != NULL;)
        if (strcmp(at->request, id) == 0)
            return at->id;
    step = 0;
    for (const struct directory_decision *at; (at = directory_next_decision(self, &step)) != NULL;)
        if (strcmp(at->request, id) == 0)
            return at->id;
    return NULL;
}

/* By the word with which rules name it. */
static const char *rule_naming(const struct directory *self, const char *word)
{
    const char *user = grant_naming(self, word);
    if (user == NULL)
        user = restriction_naming(self, word);
    if (user == NULL)
        user = competence_naming(self, word);
    if (user == NULL)
        user = request_naming(self, word);
    if (user == NULL)
        user = glass_naming(self, word);
    if (user == NULL)
        user = sealing_naming(self, word);
    if (user == NULL)
        user = act_once_only_naming(self, word);
    return user == NULL ? group_naming(self, word) : user;
}

static const char *purpose_with_basis(const struct directory *self, const char *id)
{
    size_t step = 0;
    for (struct directory_purpose *at; (at = map_next(&self->purposes, &step, NULL)) != NULL;)
        if (is_among(id, at->legal_basis_id, at->legal_bases))
            return at->id;
    return NULL;
}

static fault remove_server(struct directory *self, const char *id)
{
    struct directory_server *server = directory_find(&self->servers, id);
    if (server == NULL)
        return BAD("server %s is not there", id);
    const char *user = subsystem_on(self, server);
    if (user != NULL)
        return BAD("server %s is still used by %s", id, user);
    for (size_t i = 0; i < self->witnesses; i++)
        if (self->witness[i] == server)
            return BAD("server %s still witnesses the directory", id);
    act_server_retire(self, server);
    map_remove(&self->servers, span_of_text(id));
    return DONE;
}

static fault remove_group(struct directory *self, const char *id)
{
    const struct directory_group *group = directory_find(&self->groups, id);
    const char *user = group == NULL ? NULL : rule_naming(self, group->word);
    if (user != NULL)
        return BAD("%.150s is still used by %.150s", id, user);
    return act_group_drop(self, id) ? DONE : BAD("%.200s is not there", id);
}

static fault remove_rule(const char *id, bool was_there)
{
    return was_there ? DONE : BAD("%.200s is not there", id);
}

/* Things that others lean on, by id. */
static fault remove_thing(struct directory *self, struct map *map, const char *id, const char *user)
{
    if (directory_find(map, id) == NULL)
        return BAD("%.200s is not there", id);
    if (user == NULL)
        user = rule_naming(self, id);
    if (user != NULL)
        return BAD("%.150s is still used by %.150s", id, user);
    map_remove(map, span_of_text(id));
    return DONE;
}

static fault remove_request(struct directory *self, const char *id)
{
    const char *user = answer_to(self, id);
    if (user != NULL)
        return BAD("%.150s is still used by %.150s", id, user);
    return remove_rule(id, act_request_drop(self, id));
}

/* What still leans on a thing is removed first: nothing may dangle. */
fault act_removal_apply(struct directory *self, const Chaski__Removed *act, int64_t at_ms)
{
    const char *user = NULL;
    const void *member = NULL;
    TRY(act_text("the reason of a removal", act->reason));
    switch (act->what_case) {
    case CHASKI__REMOVED__WHAT_MEMBER:
        member = directory_find(&self->members, act->member);
        user = server_of(self, member);
        if (user == NULL)
            user = subsystem_of(self, member);
        return remove_thing(self, &self->members, act->member, user);
    case CHASKI__REMOVED__WHAT_SERVER:
        return remove_server(self, act->server);
    case CHASKI__REMOVED__WHAT_STAMP_AUTHORITY:
        return act_stamper_remove(self, act->stamp_authority);
    case CHASKI__REMOVED__WHAT_CERTIFICATE_AUTHORITY:
        return act_authority_remove(self, act->certificate_authority, at_ms);
    case CHASKI__REMOVED__WHAT_OPERATOR:
        return act_operator_remove(self, act->operator_);
    case CHASKI__REMOVED__WHAT_SUBSYSTEM:
        user = service_of(self, directory_find(&self->subsystems, act->subsystem));
        return remove_thing(self, &self->subsystems, act->subsystem, user);
    case CHASKI__REMOVED__WHAT_SERVICE:
        return remove_thing(self, &self->services, act->service, NULL);
    case CHASKI__REMOVED__WHAT_PURPOSE:
        return remove_thing(self, &self->purposes, act->purpose, NULL);
    case CHASKI__REMOVED__WHAT_LEGAL_BASIS:
        user = purpose_with_basis(self, act->legal_basis);
        if (user == NULL)
            user = act_once_only_naming(self, act->legal_basis);
        return remove_thing(self, &self->legal_bases, act->legal_basis, user);
    case CHASKI__REMOVED__WHAT_GROUP:
        return remove_group(self, act->group);
    case CHASKI__REMOVED__WHAT_SEALING:
        return remove_rule(act->sealing, act_sealing_drop(self, act->sealing));
    case CHASKI__REMOVED__WHAT_GRANT:
        return remove_rule(act->grant, act_grant_take_back(self, act->grant));
    case CHASKI__REMOVED__WHAT_COMPETENCE:
        return remove_rule(act->competence, act_competence_drop(self, act->competence));
    case CHASKI__REMOVED__WHAT_RESTRICTION:
        return remove_rule(act->restriction, act_restriction_drop(self, act->restriction));
    case CHASKI__REMOVED__WHAT_ACCESS_REQUEST:
        return remove_request(self, act->access_request);
    case CHASKI__REMOVED__WHAT_ACCESS_DECISION:
        return remove_rule(act->access_decision, act_decision_drop(self, act->access_decision));
    case CHASKI__REMOVED__WHAT_BREAK_GLASS:
        return act_break_glass_end(self, act->break_glass);
    default:
        return act_once_only_remove(self, act);
    }
}
