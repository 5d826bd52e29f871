// SPDX-License-Identifier: MIT
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

static const char *grant_naming(const struct directory *self, const char *id)
{
    size_t step = 0;
    for (struct directory_grant *at; (at = map_next(&self->grants, &step, NULL)) != NULL;)
        if (strcmp(at->service, id) == 0 || strcmp(at->consumer, id) == 0 ||
            strcmp(at->purpose, id) == 0)
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

/* What still leans on a thing is removed first: nothing may dangle. */
fault act_removal_apply(struct directory *self, const Chaski__Removed *act, int64_t at_ms)
{
    struct map *map = NULL;
    const char *id = "";
    const char *user = NULL;
    TRY(act_text("the reason of a removal", act->reason));
    switch (act->what_case) {
    case CHASKI__REMOVED__WHAT_MEMBER:
        id = act->member, map = &self->members;
        user = server_of(self, directory_find(map, id));
        if (user == NULL)
            user = subsystem_of(self, directory_find(map, id));
        break;
    case CHASKI__REMOVED__WHAT_SERVER:
        return remove_server(self, act->server);
    case CHASKI__REMOVED__WHAT_STAMP_AUTHORITY:
        return act_stamper_remove(self, act->stamp_authority);
    case CHASKI__REMOVED__WHAT_CERTIFICATE_AUTHORITY:
        return act_authority_remove(self, act->certificate_authority, at_ms);
    case CHASKI__REMOVED__WHAT_OPERATOR:
        return act_operator_remove(self, act->operator_);
    case CHASKI__REMOVED__WHAT_SUBSYSTEM:
        id = act->subsystem, map = &self->subsystems;
        user = service_of(self, directory_find(map, id));
        break;
    case CHASKI__REMOVED__WHAT_SERVICE:
        id = act->service, map = &self->services;
        break;
    case CHASKI__REMOVED__WHAT_PURPOSE:
        id = act->purpose, map = &self->purposes;
        break;
    case CHASKI__REMOVED__WHAT_GRANT:
        id = act->grant, map = &self->grants;
        break;
    default:
        return BAD("a removal of nothing");
    }
    if (directory_find(map, id) == NULL)
        return BAD("%.200s is not there", id);
    if (user == NULL && map != &self->grants)
        user = grant_naming(self, id);
    if (user != NULL)
        return BAD("%.150s is still used by %.150s", id, user);
    map_remove(map, span_of_text(id));
    self->grants_moved = self->grants_moved || map == &self->grants;
    return DONE;
}
