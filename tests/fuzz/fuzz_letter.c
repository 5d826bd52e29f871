// SPDX-License-Identifier: MIT
#include "lib/bus/letter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* First as an envelope; then as what was sealed inside a letter, by sealing it with a known key, so
 * that the inner parser is reached. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t raw[SEAL_KEY_BYTES] = {1};
    struct envelope envelope;
    struct letter letter;
    OWNED(seal_key) key = NULL;
    OWNED(bytes) sealed = NULL;
    OWNED(bytes) memory = NULL;
    ignore(envelope_decode(span_of(data, size), &envelope));
    if (failed(seal_key_make(raw, &key)) || failed(bytes_new(size + SEAL_TAG_BYTES, &sealed)) ||
        failed(seal_encrypt(key, 0, (struct span){0}, span_of(data, size), sealed->data)))
        return 0;
    ignore(letter_open(bytes_span(sealed), key, 0, (struct span){0}, &memory, &letter));
    return 0;
}
