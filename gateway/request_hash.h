// SPDX-License-Identifier: MIT
/*
 * request_hash - X-Road's hash over a REST request (ref B.5), made by the provider's gateway and
 * made again by the caller's. In two parts, because the head is known before the body has arrived.
 *
 *   M = METHOD CRLF target CRLF (name ":" value CRLF)*
 *   without a body SHA512(M), with one SHA512(SHA512(M) || SHA512(body))
 */
#ifndef GATEWAY_REQUEST_HASH_H
#define GATEWAY_REQUEST_HASH_H

#include "gateway/rest_message.h"
#include "lib/crypto/digest.h"

#define REQUEST_HASH_BYTES SHA512_BYTES
#define REQUEST_HASH_TEXT_ROOM (4 * ((REQUEST_HASH_BYTES + 2) / 3) + 1)

void request_hash_head(struct span method, struct span target, const struct rest_fields *header,
                       uint8_t out[REQUEST_HASH_BYTES]);
void request_hash_whole(const uint8_t head_hash[REQUEST_HASH_BYTES], struct span body,
                        uint8_t out[REQUEST_HASH_BYTES]);

#endif
