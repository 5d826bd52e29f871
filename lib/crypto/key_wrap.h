// SPDX-License-Identifier: MIT
/*
 * key_wrap - keys under a key: AES-256 key wrap (RFC 3394).
 *
 * Wrapping has no nonce: the same key may be wrapped again after a failed write, and nothing can be
 * used twice. What was altered, or wrapped under another key, is noticed.
 */
#ifndef CRYPTO_KEY_WRAP_H
#define CRYPTO_KEY_WRAP_H

#include "lib/base/bytes.h"

#define KEY_WRAP_BYTES 32    /* of a key, inside and outside */
#define KEY_WRAPPED_BYTES 40 /* of a wrapped key */

struct key_wrap; /* one outer key with its prepared contexts; wiped on free */

fault key_wrap_make(const uint8_t key[KEY_WRAP_BYTES], struct key_wrap **out);
void key_wrap_free(struct key_wrap **self);

fault key_wrap_wrap(struct key_wrap *self, const uint8_t key[KEY_WRAP_BYTES],
                    uint8_t out[KEY_WRAPPED_BYTES]);
/* SEAL_BROKEN: altered, or wrapped under another key; `out` is wiped then. */
fault key_wrap_unwrap(struct key_wrap *self, const uint8_t wrapped[KEY_WRAPPED_BYTES],
                      uint8_t out[KEY_WRAP_BYTES]);

#endif
