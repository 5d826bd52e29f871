// SPDX-License-Identifier: MIT
/*
 * directory_act - an act of the authority about the directory's own witnesses. For tests.
 *
 *   directory_act witnesses STORE QUORUM SERVER...
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

int main(int argc, char **argv)
{
    fault f = argc < 4 || strcmp(argv[1], "witnesses") != 0
                  ? RAISE(BAD_REQUEST, "see the head of this tool's source")
                  : set_witnesses(argv[2], (unsigned)strtoul(argv[3], NULL, 10), argv + 4,
                                  (size_t)(argc - 4));
    if (failed(f))
        fprintf(stderr, "directory_act: %s\n", fault_detail());
    return failed(f);
}
