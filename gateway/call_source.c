// SPDX-License-Identifier: MIT
#include "gateway/call_source.h"

#include "gateway/rest_headers.h"
#include "lib/base/text.h"
#include "lib/bus/plan.h"
#include "lib/bus/source_query.h"

fault call_source_check(const struct front_call *call, struct span method,
                        const struct rest_target *target, const struct rest_fields *header)
{
    char whole[PLAN_PATH_BYTES_MAX];
    if (call->source[0] == '\0')
        return DONE;
    if (rest_headers_override(header))
        return RAISE(BAD_REQUEST, "a header field by which a service may take another method or "
                                  "path than the request's: it names a source");
    bool fits = text_format(whole, sizeof whole, "%.*s%s%.*s", (int)target->path.size,
                            (const char *)target->path.at, target->has_query ? "?" : "",
                            (int)target->query.size, (const char *)target->query.at);
    return fits && span_is_text(method, PLAN_METHOD) &&
                   source_query_fits(call->source_path, span_of_text(whole))
               ? DONE
               : RAISE(WRONG_ENDPOINT,
                       "it names source %.100s, and is another query than the "
                       "register has of it",
                       call->source);
}
