// SPDX-License-Identifier: MIT
/* chaski once-only: plan, lint, counts; and source, by which a member says what its own services
 * are sources of. */
#include "tools/chaski/once_only.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/register_file.h"
#include "tools/chaski/commands.h"
#include "tools/chaski/member.h"

#include "directory.pb-c.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

// --- a member's own sources ---------------------------------------------------------------------

static fault read_words(int argc, char **argv, struct member_options *out, const char **file)
{
    static const struct option options[] = {{"config", required_argument, NULL, 0},
                                            {"folder", required_argument, NULL, 1},
                                            {"anchor", required_argument, NULL, 2},
                                            {"at", required_argument, NULL, 3},
                                            {"server", required_argument, NULL, 4},
                                            {"passphrase", required_argument, NULL, 5},
                                            {"token", required_argument, NULL, 6},
                                            {"module", required_argument, NULL, 7},
                                            {0}};
    const char **places[] = {&out->config,     &out->keys.folder, &out->anchor,
                             &out->at,         &out->server,      &out->keys.passphrase,
                             &out->keys.token, &out->keys.module};
    optind = 0;
    opterr = 0;
    for (int code; (code = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (code < 0 || (size_t)code >= sizeof places / sizeof places[0])
            return RAISE(BAD_REQUEST, "an option that is not known, or lacks its value");
        *places[code] = optarg;
    }
    if (optind + 1 != argc)
        return RAISE(BAD_REQUEST, "the file with the sources is missing, or a word too many");
    *file = argv[optind];
    return DONE;
}

static fault set_source(void *owner, Chaski__Act *act, const char *what)
{
    struct member *member = owner;
    uint64_t epoch = 0;
    if (act->act_case != CHASKI__ACT__ACT_SOURCE_SET)
        return RAISE(REFUSED,
                     "%s: a member says what its own services are sources of; all else is "
                     "the authority's: chaski-registry once-only add",
                     what);
    TRY(member_do(member, act, &epoch));
    printf("%s: stands in the directory, epoch %" PRIu64 "\n", what, epoch);
    return DONE;
}

fault once_only_source(int argc, char **argv)
{
    OWNED(member) member = NULL;
    OWNED(bytes) text = NULL;
    struct member_options options = {0};
    const char *file = NULL;
    TRY(read_words(argc, argv, &options, &file));
    TRY(file_read(file, REGISTER_FILE_BYTES_MAX, &text));
    TRY(member_options_fill(&options));
    TRY(member_open(&options, &member));
    return register_file_read(bytes_span(text), member->state, clock_wall_ms(), set_source, member);
}

// --- all of them --------------------------------------------------------------------------------

fault once_only_command(int argc, char **argv)
{
    static const struct {
        const char *word;
        fault (*run)(int argc, char **argv);
    } words[] = {{"plan", once_only_plan},
                 {"lint", once_only_lint},
                 {"counts", once_only_counts},
                 {"source", once_only_source}};
    for (size_t i = 0; argc > 1 && i < sizeof words / sizeof words[0]; i++)
        if (strcmp(argv[1], words[i].word) == 0)
            return words[i].run(argc - 1, argv + 1);
    return RAISE(BAD_REQUEST, "what about once only? chaski once-only --help");
}
