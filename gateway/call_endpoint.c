// SPDX-License-Identifier: MIT
#include "gateway/call_endpoint.h"

#include "gateway/rest_headers.h"
#include "lib/bus/endpoint.h"

#include <stdlib.h>

static fault find(const struct front_call *call, struct endpoint *list, struct span method,
                  struct span path, size_t *out)
{
    for (size_t i = 0; i < call->endpoints; i++)
        if (failed(endpoint_compile(call->endpoint[i].method, call->endpoint[i].path, &list[i])))
            return RAISE(INTERNAL, "a rule of an endpoint that is none");
    return endpoint_find(list, call->endpoints, method, path, out);
}

fault call_endpoint_check(const struct front_call *call, struct span method, struct span path,
                          const struct rest_fields *header)
{
    if (call->endpoints == 0)
        return DONE;
    if (rest_headers_override(header))
        return RAISE(BAD_REQUEST, "a header field by which a service may take another method or "
                                  "path than the request's: this service has endpoints");
    bool named = call->endpoint_id[0] != '\0';
    size_t found = 0, expected = named ? call->endpoints - 1 : call->endpoints;
    struct endpoint *list = owned_array(call->endpoints, sizeof *list);
    fault f = find(call, list, method, path, &found);
    free(list);
    TRY(f);
    if (found == expected)
        return DONE;
    return named ? RAISE(WRONG_ENDPOINT, "it names endpoint %s, and is of another one or of none",
                         call->endpoint_id)
                 : RAISE(WRONG_ENDPOINT, "it names none, and is of one");
}
