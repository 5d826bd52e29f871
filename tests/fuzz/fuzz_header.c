// SPDX-License-Identifier: MIT
#include "lib/bus/header_glance.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A glance at anything ends well; at a header it sees what is there. */
static void check_glance(struct span bytes, const struct header *header)
{
    struct header_glance glance;
    if (failed(header_glance(bytes, &glance))) {
        if (header != NULL)
            abort();
        return;
    }
    if (header != NULL &&
        (glance.kind != header->kind || glance.time_ms != header->time_ms ||
         memcmp(glance.exchange_id.at, header->exchange_id, EXCHANGE_ID_BYTES) != 0 ||
         !span_equal(glance.sender_server, header->sender_server) ||
         !span_equal(glance.receiver_server, header->receiver_server) ||
         glance.has_late != (header->late != NULL) ||
         (glance.has_late &&
          (glance.late.time_ms != header->late->time_ms || glance.late.kind != header->late->kind ||
           glance.late.own != header->late->own ||
           !sha256_equal(&glance.late.leaf_hash, &header->late->leaf_hash)))))
        abort();
}

/* What decodes must encode again, and decode to the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(header_read) first = NULL;
    OWNED(header_read) second = NULL;
    OWNED(bytes) bytes = NULL;
    if (failed(header_decode(span_of(data, size), &first))) {
        check_glance(span_of(data, size), NULL);
        return 0;
    }
    check_glance(span_of(data, size), header_of(first));
    if (failed(header_encode(header_of(first), &bytes)) ||
        failed(header_decode(bytes_span(bytes), &second)) ||
        header_of(first)->time_ms != header_of(second)->time_ms ||
        !span_equal(header_of(first)->service, header_of(second)->service))
        abort();
    return 0;
}
