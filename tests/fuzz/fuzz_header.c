// SPDX-License-Identifier: MIT
#include "lib/bus/header.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What decodes must encode again, and decode to the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(header_read) first = NULL;
    OWNED(header_read) second = NULL;
    OWNED(bytes) bytes = NULL;
    if (failed(header_decode(span_of(data, size), &first)))
        return 0;
    if (failed(header_encode(header_of(first), &bytes)) ||
        failed(header_decode(bytes_span(bytes), &second)) ||
        header_of(first)->time_ms != header_of(second)->time_ms ||
        !span_equal(header_of(first)->service, header_of(second)->service))
        abort();
    return 0;
}
