// SPDX-License-Identifier: MIT
/* Parts of a service in the fold: its endpoints and columns, and rights that are about some of
 * them.
 */
#include "lib/bus/access.h"
#include "lib/bus/directory_acts.h"

#include "directory.pb-c.h"

#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

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

// --- columns ------------------------------------------------------------------------------------

static fault make_column(struct directory *self, const Chaski__ServiceSet *act, size_t at,
                         struct directory_column *out)
{
    const Chaski__Column *from = act->column[at];
    TRY(act_word("a column's name", from->name));
    if (strlen(from->name) > COLUMN_NAME_BYTES_MAX)
        return BAD("a column of service %s with a name of more than %d bytes", act->id,
                   COLUMN_NAME_BYTES_MAX);
    for (size_t i = 0; i < at; i++)
        if (strcmp(act->column[i]->name, from->name) == 0)
            return BAD("service %s has two columns %s", act->id, from->name);
    if (from->class_ != CHASKI__SERVICE_CLASS__OPEN &&
        from->class_ != CHASKI__SERVICE_CLASS__SHARED)
        return BAD("column %s of service %s is neither open nor shared; to close it takes a "
                   "restriction, with a ground and an end",
                   from->name, act->id);
    out->name = directory_keep_text(self, from->name);
    out->class = (enum service_class)from->class_;
    return DONE;
}

fault act_columns_make(struct directory *self, const Chaski__ServiceSet *act,
                       const struct directory_column **out)
{
    struct directory_column *list = NULL;
    if (act->n_column > DIRECTORY_COLUMNS_MAX)
        return BAD("service %s lists more than %d columns", act->id, DIRECTORY_COLUMNS_MAX);
    if (act->n_column > 0)
        list = directory_make(self, act->n_column * sizeof *list);
    for (size_t i = 0; i < act->n_column; i++)
        TRY(make_column(self, act, i, &list[i]));
    *out = list;
    return DONE;
}

// --- rights about some of them ------------------------------------------------------------------

static bool lists_column(const struct directory_service *service, const char *name)
{
    for (size_t i = 0; i < service->columns; i++)
        if (strcmp(service->column[i].name, name) == 0)
            return true;
    return false;
}

fault act_scope_check(const struct directory *self, const char *right, const char *service_id,
                      const struct act_scope *scope)
{
    const struct directory_service *service = directory_find(&self->services, service_id);
    if (scope->endpoints > DIRECTORY_ENDPOINTS_MAX || scope->columns > DIRECTORY_COLUMNS_MAX)
        return BAD("%s names more than %d endpoints or %d columns", right, DIRECTORY_ENDPOINTS_MAX,
                   DIRECTORY_COLUMNS_MAX);
    for (size_t i = 0; i < scope->endpoints; i++)
        if (directory_endpoint(service, span_of_text(scope->endpoint[i])) == NULL)
            return BAD("%s names endpoint %.100s, which %s has not", right, scope->endpoint[i],
                       service_id);
    for (size_t i = 0; i < scope->columns; i++)
        if (!lists_column(service, scope->column[i]))
            return BAD("%s names column %.100s, which %s does not list", right, scope->column[i],
                       service_id);
    return DONE;
}

static bool is_in(const char *const *list, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], id) == 0)
            return true;
    return false;
}

/* One that waits or opens: else an owner would undo the arbiter's word by another name. */
static bool is_asked_for(const struct directory *self, const char *service, const char *endpoint,
                         const char *column)
{
    size_t step = 0;
    struct standing standing;
    for (const struct directory_request *at; (at = directory_next_request(self, &step)) != NULL;) {
        if (strcmp(at->service, service) != 0 ||
            !(is_in(at->scope.endpoint, at->scope.endpoints, endpoint) ||
              is_in(at->scope.column, at->scope.columns, column)))
            continue;
        access_standing(self, at, self->last_ms, &standing);
        if (access_still_stands(standing.state))
            return true;
    }
    return false;
}

/* Whether a right on this service, or a request for it, names the endpoint, or the column. */
static bool is_named(const struct directory *self, const char *service, const char *endpoint,
                     const char *column)
{
    size_t step = 0;
    const struct directory_restriction *closes;
    const struct directory_grant *opens;
    while ((closes = directory_next_restriction(self, &step)) != NULL)
        if (strcmp(closes->service, service) == 0 &&
            (is_in(closes->endpoint, closes->endpoints, endpoint) ||
             is_in(closes->column, closes->columns, column)))
            return true;
    step = 0;
    while ((opens = directory_next_grant(self, &step)) != NULL)
        if (strcmp(opens->service, service) == 0 &&
            (is_in(opens->endpoint, opens->endpoints, endpoint) ||
             is_in(opens->column, opens->columns, column)))
            return true;
    return is_asked_for(self, service, endpoint, column);
}

static fault check_endpoints_kept(const struct directory *self, const struct directory_service *now,
                                  const Chaski__ServiceSet *act)
{
    for (size_t i = 0; i < now->endpoints; i++) {
        bool stays = false;
        for (size_t k = 0; k < act->n_endpoint && !stays; k++)
            stays = strcmp(act->endpoint[k]->id, now->endpoint[i].id) == 0;
        if (!stays && is_named(self, now->id, now->endpoint[i].id, ""))
            return BAD("endpoint %s of service %s is named by a restriction, grant or request, "
                       "which goes first",
                       now->endpoint[i].id, now->id);
    }
    return DONE;
}

/* What a right names stays: else what it closes would be open under another name. */
fault act_parts_kept(const struct directory *self, const struct directory_service *now,
                     const Chaski__ServiceSet *act)
{
    TRY(check_endpoints_kept(self, now, act));
    for (size_t i = 0; i < now->columns; i++) {
        bool stays = false;
        for (size_t k = 0; k < act->n_column && !stays; k++)
            stays = strcmp(act->column[k]->name, now->column[i].name) == 0;
        if (!stays && is_named(self, now->id, "", now->column[i].name))
            return BAD("column %s of service %s is named by a restriction, grant or request, "
                       "which goes first",
                       now->column[i].name, now->id);
    }
    return DONE;
}
