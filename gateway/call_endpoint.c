// SPDX-License-Identifier: MIT
#include "gateway/call_endpoint.h"

#include "gateway/rest_headers.h"
#include "lib/base/text.h"
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

static bool is_method_name(struct span word)
{
    char name[sizeof "_method"]; /* what does not fit is another name */
    const uint8_t *sign = memchr(word.at, '=', word.size);
    struct span raw = sign == NULL ? word : span_of(word.at, (size_t)(sign - word.at));
    return !failed(text_percent_decode(raw, name, sizeof name)) &&
           text_same_word(span_of_text(name), span_of_text("_method"));
}

fault call_endpoint_check_query(const struct front_call *call, struct span query)
{
    size_t start = 0;
    for (size_t i = 0; call->endpoints > 0 && i <= query.size; i++) {
        if (i < query.size && query.at[i] != '&')
            continue;
        if (i > start && is_method_name(span_of(query.at + start, i - start)))
            return RAISE(BAD_REQUEST, "a value _method in the query, by which a service may take "
                                      "another method than the request's: this service has "
                                      "endpoints");
        start = i + 1;
    }
    return DONE;
}
