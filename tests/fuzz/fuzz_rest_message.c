// SPDX-License-Identifier: MIT
/* Our reader of payload frames against the generated one: what both take, they read alike. */
#include "gateway/rest_headers.h"

#include "rest.pb-c.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rest_request request;
    static struct rest_response response;
    struct span frame = span_of(data, size);
    if (!failed(rest_response_read(frame, &response)))
        ignore(rest_headers_check(&response.header));
    if (failed(rest_request_read(frame, &request)))
        return 0;
    ignore(rest_headers_check(&request.header));
    Chaski__RestRequest *theirs = chaski__rest_request__unpack(NULL, size, data);
    if (theirs == NULL)
        return 0;
    assert(theirs->n_header == request.header.count);
    assert(span_equal(span_of(theirs->body.data, theirs->body.len), request.body));
    for (size_t i = 0; i < theirs->n_header; i++)
        assert(span_equal(span_of(theirs->header[i]->value.data, theirs->header[i]->value.len),
                          request.header.field[i].value));
    chaski__rest_request__free_unpacked(theirs, NULL);
    return 0;
}
