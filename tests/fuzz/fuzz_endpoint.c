// SPDX-License-Identifier: MIT
/* A method, a pattern and a path, one a line: a path that falls to the pattern's endpoint does so
 * in each way to read it, and an endpoint for all paths takes whatever is not refused. */
#include "lib/bus/endpoint.h"

#include "lib/base/cursor.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *text_of(struct span from)
{
    char *text = owned_new(from.size + 1);
    if (from.size > 0)
        memcpy(text, from.at, from.size);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor in = cursor_over(span_of(data, size));
    struct span method, pattern;
    struct endpoint all, list[2];
    size_t found, alone;
    if (failed(cursor_take_until(&in, '\n', &method)) ||
        failed(cursor_take_until(&in, '\n', &pattern)))
        return 0;
    assert(!failed(endpoint_compile("*", "**", &all)));
    if (!failed(endpoint_find(&all, 1, method, in.left, &found)))
        assert(found == 0);
    char *method_text = text_of(method), *pattern_text = text_of(pattern);
    if (!failed(endpoint_compile(method_text, pattern_text, &list[0]))) {
        list[1] = all;
        fault f = endpoint_find(list, 2, method, in.left, &found);
        fault g = endpoint_find(list, 1, method, in.left, &alone);
        assert(f.code == g.code); /* two ways are two ways, whatever comes behind */
        assert(failed(f) || found == alone);
    }
    free(method_text);
    free(pattern_text);
    return 0;
}
