// SPDX-License-Identifier: MIT
#include "lib/crypto/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t public_key[ED25519_PUBLIC_BYTES] = {1};
    struct note_key key;
    struct checkpoint checkpoint;
    ignore(note_key_parse(span_of(data, size), &key));
    if (!failed(note_key_make("log.example/a", NOTE_LOG, public_key, &key)))
        ignore(checkpoint_open(span_of(data, size), &key, &checkpoint));
    return 0;
}
