// SPDX-License-Identifier: MIT
/* Covers gateway/openapi*.c. What is taken can be written, and what is written is taken again with
 * the same operations and nothing left to replace. */
#include "gateway/openapi.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(openapi) first = NULL;
    OWNED(openapi) second = NULL;
    OWNED(bytes) masked = bytes_empty(1024);
    struct span document = span_of(data, size);
    if (failed(openapi_read(document, &first)))
        return 0;
    assert(!failed(openapi_write(first, document, masked)));
    assert(!failed(openapi_read(bytes_span(masked), &second)));
    assert(second->endpoints == first->endpoints && second->edits == 0);
    for (size_t i = 0; i < first->endpoints; i++)
        assert(strcmp(first->endpoint[i].path, second->endpoint[i].path) == 0);
    return 0;
}
