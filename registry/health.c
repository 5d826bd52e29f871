// SPDX-License-Identifier: MIT
#include "registry/health.h"

#include "lib/base/clock.h"
#include "lib/bus/limits.h"
#include "registry/ahead.h"

#include <inttypes.h>

bool health_ends_soon(const struct certificate *authority, int64_t now_ms)
{
    return certificate_not_after_ms(authority) - now_ms < REGISTRY_AUTHORITY_ENDS_MS;
}

void health_say(struct said *said, uint64_t acts, const char *valid_until, const char *signs_until,
                const char *held)
{
    said_add(said, "acts: %" PRIu64, acts);
    said_add(said, "directory valid until: %s", valid_until);
    said_add(said, "certificate that signs acts (authority.pem) good until: %s", signs_until);
    if (held[0] == '\0')
        said_add(said, "acts held back: no");
    else
        said_add(said, "acts held back: %s", held);
}

fault health_of_store(const char *folder, struct said *said)
{
    OWNED(store) store = NULL;
    struct ahead ahead;
    char held[AHEAD_WORDS_ROOM], valid[32], signs[32];
    TRY(store_look(folder, &store));
    TRY(ahead_of_store(store, &ahead));
    ahead_words(&ahead, store_count(store), held);
    clock_text(directory_valid_until_ms(store_state(store)), valid, sizeof valid);
    clock_text(certificate_not_after_ms(store_signer(store)), signs, sizeof signs);
    health_say(said, store_count(store), valid, signs, held);
    return held[0] == '\0' ? DONE : RAISE(ACTS_HELD, "%s", held);
}
