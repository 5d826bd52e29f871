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

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next byte of a name in a query, as services read one; takes it from `rest`. */
static uint8_t next_of(struct span *rest)
{
    uint8_t c = rest->at[0];
    size_t size = 1;
    if (c == '%' && rest->size >= 3 && hex_value(rest->at[1]) >= 0 && hex_value(rest->at[2]) >= 0) {
        c = (uint8_t)(hex_value(rest->at[1]) << 4 | hex_value(rest->at[2]));
        size = 3;
    } else if (c == '+') {
        c = ' ';
    }
    *rest = span_of(rest->at + size, rest->size - size);
    return c;
}

/* PHP drops spaces before a name and all behind a NUL, and takes a space, a dot or a bracket in it
 * for an underscore. */
static bool is_method_name(struct span word)
{
    const uint8_t *sign = memchr(word.at, '=', word.size);
    struct span rest = sign == NULL ? word : span_of(word.at, (size_t)(sign - word.at));
    char name[sizeof "_method"]; /* one more is another name */
    size_t size = 0;
    while (rest.size > 0 && size < sizeof name) {
        uint8_t c = next_of(&rest);
        if (c == '\0')
            break;
        if (size > 0 || c != ' ')
            name[size++] = c == ' ' || c == '.' || c == '[' ? '_' : (char)c;
    }
    return text_same_word(span_of(name, size), span_of_text("_method"));
}

fault call_endpoint_check_query(const struct front_call *call, struct span query)
{
    size_t start = 0;
    for (size_t i = 0; call->endpoints > 0 && i <= query.size; i++) {
        if (i < query.size && query.at[i] != '&' && query.at[i] != ';') /* some part it by both */
            continue;
        if (i > start && is_method_name(span_of(query.at + start, i - start)))
            return RAISE(BAD_REQUEST, "a value _method in the query, by which a service may take "
                                      "another method than the request's: this service has "
                                      "endpoints");
        start = i + 1;
    }
    return DONE;
}
