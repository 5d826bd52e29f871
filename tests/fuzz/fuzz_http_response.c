// SPDX-License-Identifier: MIT
/* What an agency's own service may answer. */
#include "gateway/http_body.h"
#include "gateway/rest_headers.h"
#include "gateway/write.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_head head;
    struct rest_fields fields;
    size_t seen = 0, head_size = 0;
    struct span in = span_of(data, size), piece;
    if (failed(http_head_measure(in, &seen, &head_size)) || head_size == 0 ||
        failed(http_head_parse(HTTP_IS_RESPONSE, span_of(data, head_size), &head)))
        return 0;
    rest_headers_of_response(head.field, head.fields, &fields);
    for (size_t i = 0; i < fields.count; i++)
        assert(!rest_headers_removed(fields.field[i].name));
    assert(!failed(rest_headers_check(&fields))); /* what we send on, the other side must take */
    struct http_body body = http_body_of_response(&head, false);
    in = span_of(data + head_size, size - head_size);
    size_t total = 0;
    while (in.size > 0 && !body.done) {
        if (failed(http_body_take(&body, &in, &piece)))
            break;
        total += piece.size;
    }
    assert(total <= size);
    return 0;
}
