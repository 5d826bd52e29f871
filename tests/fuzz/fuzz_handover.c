// SPDX-License-Identifier: MIT
#include "lib/bus/handover.h"
#include "lib/bus/limits.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What an address shows as `handovers`: whoever follows it has one key more for each act, or none.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t public_key[ED25519_PUBLIC_BYTES] = {1};
    struct note_key base;
    struct handover one;
    struct handovers all;
    if (failed(note_key_make("chaski/CO/directory", NOTE_LOG, public_key, &base)))
        return 0;
    ignore(handover_of_leaf(span_of(data, size), &one));
    if (failed(handovers_follow(span_of(data, size), &base, (struct span){0}, &all)))
        return 0;
    assert(all.former <= HANDOVERS_MAX);
    assert(strcmp(all.key.name, base.name) == 0);
    return 0;
}
