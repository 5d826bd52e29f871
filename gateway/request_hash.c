// SPDX-License-Identifier: MIT
#include "gateway/request_hash.h"

#include "gateway/write.h"

void request_hash_head(struct span method, struct span target, const struct rest_fields *header,
                       uint8_t out[REQUEST_HASH_BYTES])
{
    OWNED(bytes) m = bytes_empty(1024);
    write_span(m, method);
    write_text(m, "\r\n");
    write_span(m, target);
    write_text(m, "\r\n");
    for (size_t i = 0; i < header->count; i++) {
        write_span(m, header->field[i].name);
        write_text(m, ":");
        write_span(m, header->field[i].value);
        write_text(m, "\r\n");
    }
    const struct span whole = bytes_span(m);
    digest_sha512(&whole, 1, out);
}

void request_hash_whole(const uint8_t head_hash[REQUEST_HASH_BYTES], struct span body,
                        uint8_t out[REQUEST_HASH_BYTES])
{
    if (body.size == 0) {
        memmove(out, head_hash, REQUEST_HASH_BYTES);
        return;
    }
    uint8_t body_hash[REQUEST_HASH_BYTES];
    digest_sha512(&body, 1, body_hash);
    const struct span both[] = {span_of(head_hash, REQUEST_HASH_BYTES),
                                span_of(body_hash, REQUEST_HASH_BYTES)};
    digest_sha512(both, 2, out);
}
