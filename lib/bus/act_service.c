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
    if (act->class_ != CHASKI__SERVICE_CLASS__OPEN && act->class_ != CHASKI__SERVICE_CLASS__SHARED)
        return BAD("service %s is neither open nor shared; to close it takes a restriction, with a "
                   "ground and an end",
                   act->id);
    TRY(check_code_is_free(act->id));
    TRY(act_text("the service's title", act->title));
    TRY(act_text("the service's notice", act->notice));
    if (act->rate > SERVICE_RATE_MAX || act->burst > SERVICE_BURST_MAX ||
        (act->burst > 0 && act->rate == 0))
        return BAD("service %s takes at most %d requests a second and %d at once, and none at once "
                   "without a rate",
                   act->id, SERVICE_RATE_MAX, SERVICE_BURST_MAX);
    const struct endpoint *endpoints = NULL;
    const struct directory_column *columns = NULL;
    struct directory_service *service = directory_find(&self->services, act->id);
    if (service != NULL)
        TRY(act_parts_kept(self, service, act));
    TRY(act_endpoints_make(self, act, &endpoints));
    TRY(act_columns_make(self, act, &columns));
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
    service->endpoints = act->n_endpoint;
    service->endpoint = endpoints;
    service->rate = act->rate;
    service->burst = act->burst;
    service->subject_required = act->subject_required;
    service->columns = act->n_column;
    service->column = columns;
    return DONE;
}
