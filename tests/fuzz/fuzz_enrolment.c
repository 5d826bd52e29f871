// SPDX-License-Identifier: MIT
/* What an agency sends to be enrolled. The corpus is proven for the intake key of 32 bytes 7, so
 * that what is changed in it comes as far as the proofs; and what would have passed them is held
 * against a directory all the same. */
#include "lib/bus/directory_acts.h"
#include "registry/serve/enrolment.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct world {
    struct keypair *intake;
    struct directory *state;
    struct note_key log;
} world;

static void must(fault f)
{
    if (failed(f)) {
        fprintf(stderr, "%s\n", fault_detail());
        abort();
    }
}

static void begin(void)
{
    uint8_t raw[KEY_SEED_BYTES];
    memset(raw, 7, sizeof raw);
    must(keypair_from_raw(KEY_X25519, raw, &world.intake));
    must(note_key_make("chaski/CO/directory", NOTE_LOG, raw, &world.log));
    world.state = directory_new(NULL);
    world.state->instance = owned_text("CO"); /* for the life of the process */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(enrolment) proven = NULL;
    OWNED(enrolment) again = NULL;
    char words[512];
    if (world.intake == NULL)
        begin();
    fault f = enrolment_read(span_of(data, size), world.intake, &proven);
    assert(f.code == OK || f.code == REFUSED);
    fault second = enrolment_again(span_of(data, size), &again);
    assert(second.code == OK || (second.code == REFUSED && failed(f)));
    if (failed(second))
        return 0;
    assert(failed(f) || sha256_equal(&proven->id, &again->id));
    f = enrolment_check(again, world.state, &world.log);
    assert(f.code == OK || f.code == REFUSED);
    enrolment_warn(again, world.state, size % 2 == 0, words, sizeof words);
    return 0;
}
