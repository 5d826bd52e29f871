// SPDX-License-Identifier: MIT
#include "security-server/exchange/endpoints.h"

#include "front.pb-c.h"

#include <stdlib.h>

struct endpoint_rules {
    Chaski__EndpointRule rule[DIRECTORY_ENDPOINTS_MAX];
    Chaski__EndpointRule *pointer[DIRECTORY_ENDPOINTS_MAX];
};

fault endpoints_wanted(const struct directory *directory, const Chaski__Want *want,
                       const char **out)
{
    const struct directory_service *service =
        directory_service(directory, span_of_text(want->service));
    size_t found = 0;
    *out = "";
    if (service == NULL || service->endpoints == 0 || want->method[0] == '\0')
        return DONE;
    TRY(endpoint_find(service->endpoint, service->endpoints, span_of_text(want->method),
                      span_of(want->path.data, want->path.len), &found));
    if (found < service->endpoints)
        *out = service->endpoint[found].id;
    return DONE;
}

/* protobuf-c wants writable text and only reads it. */
static char *lend(const char *text)
{
    return (char *)(uintptr_t)text;
}

fault endpoints_tell(const struct directory *directory, struct span service, const char *named,
                     Chaski__Call *call, struct endpoint_rules **out)
{
    const struct directory_service *found = directory_service(directory, service);
    OWNED(endpoint_rules) self = owned_new(sizeof *self);
    bool last = false;
    call->endpoint_id = lend(named);
    call->endpoint = self->pointer;
    for (size_t i = 0; found != NULL && i < found->endpoints && !last; i++) {
        chaski__endpoint_rule__init(&self->rule[i]);
        self->rule[i].method = lend(found->endpoint[i].method);
        self->rule[i].path = lend(found->endpoint[i].path);
        self->pointer[i] = &self->rule[i];
        call->n_endpoint++;
        last = strcmp(found->endpoint[i].id, named) == 0;
    }
    if (named[0] != '\0' && !last)
        return RAISE(UNKNOWN_ENDPOINT, "%s is no longer in the directory", named);
    *out = TAKE(self);
    return DONE;
}

void endpoint_rules_free(struct endpoint_rules **self)
{
    free(*self);
    *self = NULL;
}
