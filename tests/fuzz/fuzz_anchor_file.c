// SPDX-License-Identifier: MIT
#include "lib/bus/anchor_file.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a hand copied: what is taken can be written again, and means the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(anchor_file) anchor = NULL;
    OWNED(anchor_file) again = NULL;
    OWNED(bytes) json = NULL;
    OWNED(bytes) pem = NULL;
    char one[ANCHOR_FINGERPRINT_ROOM], other[ANCHOR_FINGERPRINT_ROOM];
    if (failed(anchor_file_parse(span_of(data, size), &anchor)))
        return 0;
    ignore(anchor_file_check_time(anchor, 0));
    if (failed(anchor_file_fingerprint(anchor, one)))
        return 0; /* too long in its other form */
    if (failed(anchor_file_write(anchor, true, &json)))
        return 0;
    assert(!failed(anchor_file_parse(bytes_span(json), &again)));
    assert(!failed(anchor_file_fingerprint(again, other)));
    assert(strcmp(one, other) == 0);
    assert(!failed(anchor_file_pem(anchor, &pem)));
    return 0;
}
