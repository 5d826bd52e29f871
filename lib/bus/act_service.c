// SPDX-License-Identifier: MIT
#include "lib/bus/directory_acts.h"

#include "lib/bus/bus_id.h"
#include "lib/bus/metaservice.h"

#include "directory.pb-c.h"

#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

fault act_subsystem_apply(struct directory *self, const Chaski__SubsystemSet *act)
{
    TRY(act_id(self, act->id, ID_SUBSYSTEM));
    TRY(act_word("the subsystem's name", act->name));
    struct directory_member *member =
        map_get(&self->members, bus_id_prefix(span_of_text(act->id), ID_MEMBER));
    if (member == NULL)
        return BAD("subsystem %s of a member that is not registered", act->id);
    if (act->n_server == 0)
        return BAD("subsystem %s without a server", act->id);
    struct directory_subsystem *subsystem = directory_find(&self->subsystems, act->id);
    if (subsystem == NULL) {
        subsystem = directory_make(self, sizeof *subsystem);
        subsystem->id = directory_keep_text(self, act->id);
        map_set(&self->subsystems, span_of_text(subsystem->id), subsystem);
    }
    subsystem->name = directory_keep_text(self, act->name);
    subsystem->member = member;
    subsystem->servers = act->n_server;
    subsystem->server = directory_make(self, act->n_server * sizeof *subsystem->server);
    for (size_t i = 0; i < act->n_server; i++) {
        struct directory_server *server = directory_find(&self->servers, act->server[i]);
        if (server == NULL || server->member != member)
            return BAD("subsystem %s names server %s, which is not its member's", act->id,
                       act->server[i]);
        subsystem->server[i] = server;
    }
    return DONE;
}

/* A service of such a name could never be called: the name means something else everywhere. */
static fault check_code_is_free(const char *id)
{
    const char *code = strrchr(id, '/') + 1;
    if (metaservice_is_reserved(span_of_text(code)))
        return BAD("service %s: X-Road keeps the code %s for itself", id, code);
    return DONE;
}

fault act_service_apply(struct directory *self, const Chaski__ServiceSet *act)
{
    TRY(act_id(self, act->id, ID_SERVICE));
    struct directory_subsystem *subsystem =
        map_get(&self->subsystems, bus_id_prefix(span_of_text(act->id), ID_SUBSYSTEM));
    if (subsystem == NULL)
        return BAD("service %s of a subsystem that is not registered", act->id);
    if (act->class_ != CHASKI__SERVICE_CLASS__OPEN &&
        act->class_ != CHASKI__SERVICE_CLASS__SHARED &&
        act->class_ != CHASKI__SERVICE_CLASS__RESTRICTED)
        return BAD("service %s has no class", act->id);
    TRY(check_code_is_free(act->id));
    TRY(act_text("the service's title", act->title));
    TRY(act_text("the service's notice", act->notice));
    struct directory_service *service = directory_find(&self->services, act->id);
    if (service == NULL) {
        service = directory_make(self, sizeof *service);
        service->id = directory_keep_text(self, act->id);
        map_set(&self->services, span_of_text(service->id), service);
    }
    service->title = directory_keep_text(self, act->title);
    service->class = (enum service_class)act->class_;
    service->disabled = act->disabled;
    service->notice = directory_keep_text(self, act->notice);
    service->subsystem = subsystem;
    return DONE;
}

// --- who may, and what for ----------------------------------------------------------------------

fault act_purpose_apply(struct directory *self, const Chaski__PurposeSet *act)
{
    TRY(act_code("a purpose", act->id));
    TRY(act_text("the purpose's title", act->title));
    TRY(act_text("the purpose's legal basis", act->legal_basis));
    struct directory_purpose *purpose = directory_make(self, sizeof *purpose);
    purpose->id = directory_keep_text(self, act->id);
    purpose->title = directory_keep_text(self, act->title);
    purpose->legal_basis = directory_keep_text(self, act->legal_basis);
    map_set(&self->purposes, span_of_text(purpose->id), purpose);
    return DONE;
}

fault act_grant_apply(struct directory *self, const Chaski__GrantSet *act)
{
    TRY(act_code("a grant", act->id));
    TRY(act_word("the grant's legal basis", act->legal_basis));
    TRY(act_time("the grant's end", act->until_ms));
    if (directory_find(&self->services, act->service) == NULL)
        return BAD("grant %s for a service that is not registered", act->id);
    if (directory_find(&self->members, act->consumer) == NULL &&
        directory_find(&self->subsystems, act->consumer) == NULL)
        return BAD("grant %s to a consumer that is not registered", act->id);
    if (act->purpose[0] != '\0' && directory_find(&self->purposes, act->purpose) == NULL)
        return BAD("grant %s for a purpose that is not registered", act->id);
    if ((int64_t)act->until_ms <= self->last_ms ||
        (int64_t)act->until_ms - self->last_ms > DIRECTORY_GRANT_MS_MAX)
        return BAD("grant %s must end after now and within 24 months", act->id);
    struct directory_grant *grant = directory_make(self, sizeof *grant);
    grant->id = directory_keep_text(self, act->id);
    grant->service = directory_keep_text(self, act->service);
    grant->consumer = directory_keep_text(self, act->consumer);
    grant->purpose = directory_keep_text(self, act->purpose);
    grant->legal_basis = directory_keep_text(self, act->legal_basis);
    grant->until_ms = (int64_t)act->until_ms;
    map_set(&self->grants, span_of_text(grant->id), grant);
    self->grants_moved = true;
    return DONE;
}
