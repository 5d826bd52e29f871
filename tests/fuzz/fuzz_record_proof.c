// SPDX-License-Identifier: MIT
#include "lib/bus/record_proof.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is accepted is written again to the very same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t public_key[ED25519_PUBLIC_BYTES] = {1};
    static const struct sha256 leaf;
    struct record_proof proof;
    struct checkpoint head;
    struct note_key key;
    OWNED(bytes) again = NULL;
    if (failed(record_proof_decode(span_of(data, size), &proof)))
        return 0;
    assert(!failed(record_proof_encode(&proof, &again)));
    assert(span_equal(bytes_span(again), span_of(data, size)));
    if (!failed(note_key_make("log.example/a", NOTE_LOG, public_key, &key)))
        assert(failed(record_proof_check(&proof, &leaf, &key, &head)));
    return 0;
}
