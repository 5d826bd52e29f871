// SPDX-License-Identifier: MIT
/*
 * directory_act - acts of the authority that no command makes: the directory's own witnesses
 * without asking anybody, and a restriction that ends in so many milliseconds. For tests.
 *
 *   directory_act witnesses STORE QUORUM SERVER...
 *   directory_act restrict STORE ID SERVICE CONSUMER MS
 */
#include "registry/store.h"

#include "directory.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

static fault set_witnesses(const char *folder, unsigned quorum, char **servers, size_t count)
{
    OWNED(store) store = NULL;
    Chaski__DirectoryWitnessesSet set = CHASKI__DIRECTORY_WITNESSES_SET__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    TRY(store_open(folder, &store));
    set.server = servers;
    set.n_server = count;
    set.quorum = quorum;
    act.act_case = CHASKI__ACT__ACT_DIRECTORY_WITNESSES_SET;
    act.directory_witnesses_set = &set;
    TRY(store_act(store, &act));
    return store_commit(store);
}

static fault restrict_for(const char *folder, char *const *words)
{
    OWNED(store) store = NULL;
    Chaski__RestrictionSet set = CHASKI__RESTRICTION_SET__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    char text[] = "Prueba";
    TRY(store_open(folder, &store));
    set.id = words[0];
    set.service = words[1];
    set.consumer = words[2];
    set.ground = CHASKI__GROUND__PRIVACY;
    set.reason = set.approver = text;
    set.from_ms = (uint64_t)store_time(store);
    set.until_ms = set.from_ms + strtoull(words[3], NULL, 10);
    act.act_case = CHASKI__ACT__ACT_RESTRICTION_SET;
    act.restriction_set = &set;
    TRY(store_act(store, &act));
    return store_commit(store);
}

int main(int argc, char **argv)
{
    fault f = RAISE(BAD_REQUEST, "see the head of this tool's source");
    if (argc >= 4 && strcmp(argv[1], "witnesses") == 0)
        f = set_witnesses(argv[2], (unsigned)strtoul(argv[3], NULL, 10), argv + 4,
                          (size_t)(argc - 4));
    else if (argc == 7 && strcmp(argv[1], "restrict") == 0)
        f = restrict_for(argv[2], argv + 3);
    if (failed(f))
        fprintf(stderr, "directory_act: %s\n", fault_detail());
    return failed(f);
}
