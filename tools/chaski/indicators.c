// SPDX-License-Identifier: MIT
/* chaski indicators: how access goes, from evidence alone. The auditor's program reads evidence;
 * this is its command under the operator's program. */
#include "tools/chaski/commands.h"

#include "lib/base/owned.h"
#include "tools/chaski/program.h"

#include <stdlib.h>

fault indicators_command(int argc, char **argv)
{
    static char program[] = "chaski-audit";
    char **words = owned_array((size_t)argc + 2, sizeof *words);
    words[0] = program;
    for (int i = 0; i < argc; i++)
        words[i + 1] = argv[i];
    fault f = program_run(words, NULL);
    free(words);
    return f;
}
