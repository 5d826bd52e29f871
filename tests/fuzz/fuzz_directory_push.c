// SPDX-License-Identifier: MIT
#include "lib/bus/directory_push.h"
#include "lib/bus/heartbeat.h"
#include "lib/bus/limits.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Both frames of a push are strangers' bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t public_key[ED25519_PUBLIC_BYTES] = {1};
    struct note_key key;
    struct heartbeat word;
    struct directory_push push;
    if (!failed(note_key_make("log.example/a", NOTE_LOG, public_key, &key)))
        ignore(heartbeat_open(span_of(data, size), &key, &word));
    if (failed(directory_push_read(span_of(data, size), &push)))
        return 0;
    size_t bytes = 0;
    assert(push.count <= PUSH_LEAVES_MAX);
    for (size_t i = 0; i < push.count; i++)
        bytes += push.leaf[i].size;
    assert(bytes <= size);
    directory_push_clear(&push);
    return 0;
}
