// SPDX-License-Identifier: MIT
/* Parts of a service in the fold: its endpoints, and rights that are about some of them. */
#include "lib/bus/directory_acts.h"

#include "directory.pb-c.h"

#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

static bool names(char *const *list, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], id) == 0)
            return true;
    return false;
}

static fault check_id(const Chaski__ServiceSet *act, size_t at)
{
    const char *id = act->endpoint[at]->id;
    TRY(act_code("an endpoint", id));
    if (strlen(id) > ENDPOINT_ID_BYTES_MAX || strchr(id, ':') != NULL)
        return BAD("endpoint %.100s of service %s: at most %d bytes, and no colon", id, act->id,
                   ENDPOINT_ID_BYTES_MAX);
    for (size_t i = 0; i < at; i++)
        if (strcmp(act->endpoint[i]->id, id) == 0)
            return BAD("service %s has two endpoints %s", act->id, id);
    return DONE;
}

static fault make(struct directory *self, const Chaski__ServiceSet *act, size_t at,
                  struct endpoint *out)
{
    const Chaski__Endpoint *from = act->endpoint[at];
    TRY(check_id(act, at));
    if (from->class_ != CHASKI__SERVICE_CLASS__OPEN &&
        from->class_ != CHASKI__SERVICE_CLASS__SHARED)
        return BAD("endpoint %s of service %s is neither open nor shared; to close it takes a "
                   "restriction, with a ground and an end",
                   from->id, act->id);
    if (failed(endpoint_compile(from->method, from->path, out)))
        return BAD("endpoint %s of service %s: %s", from->id, act->id, fault_detail());
    out->id = directory_keep_text(self, from->id);
    out->method = directory_keep_text(self, from->method);
    out->path = directory_keep_text(self, from->path);
    out->class = (enum service_class)from->class_;
    return DONE;
}

fault act_endpoints_make(struct directory *self, const Chaski__ServiceSet *act,
                         const struct endpoint **out)
{
    struct endpoint *list = NULL;
    if (act->n_endpoint > DIRECTORY_ENDPOINTS_MAX)
        return BAD("service %s has more than %d endpoints", act->id, DIRECTORY_ENDPOINTS_MAX);
    if (act->n_endpoint > 0)
        list = directory_make(self, act->n_endpoint * sizeof *list);
    for (size_t i = 0; i < act->n_endpoint; i++)
        TRY(make(self, act, i, &list[i]));
    *out = list;
    return DONE;
}

// --- rights about some of them ------------------------------------------------------------------

fault act_scope_check(const struct directory *self, const char *right, const char *service_id,
                      char *const *endpoint, size_t count)
{
    const struct directory_service *service = directory_find(&self->services, service_id);
    if (count > DIRECTORY_ENDPOINTS_MAX)
        return BAD("%s names more than %d endpoints", right, DIRECTORY_ENDPOINTS_MAX);
    for (size_t i = 0; i < count; i++)
        if (directory_endpoint(service, span_of_text(endpoint[i])) == NULL)
            return BAD("%s names endpoint %.100s, which %s has not", right, endpoint[i],
                       service_id);
    return DONE;
}

static bool is_named(const struct directory *self, const char *service, const char *id)
{
    size_t step = 0;
    const struct directory_restriction *restriction;
    const struct directory_grant *grant;
    while ((restriction = directory_next_restriction(self, &step)) != NULL)
        if (strcmp(restriction->service, service) == 0 &&
            names((char *const *)(uintptr_t)restriction->endpoint, restriction->endpoints, id))
            return true;
    step = 0;
    while ((grant = directory_next_grant(self, &step)) != NULL)
        if (strcmp(grant->service, service) == 0 &&
            names((char *const *)(uintptr_t)grant->endpoint, grant->endpoints, id))
            return true;
    return false;
}

/* What a right names stays: else what it closes would be open under another name. */
fault act_endpoints_kept(const struct directory *self, const struct directory_service *now,
                         const Chaski__ServiceSet *act)
{
    for (size_t i = 0; i < now->endpoints; i++) {
        bool stays = false;
        for (size_t k = 0; k < act->n_endpoint && !stays; k++)
            stays = strcmp(act->endpoint[k]->id, now->endpoint[i].id) == 0;
        if (!stays && is_named(self, now->id, now->endpoint[i].id))
            return BAD("endpoint %s of service %s is named by a restriction or grant, which goes "
                       "first",
                       now->endpoint[i].id, now->id);
    }
    return DONE;
}
