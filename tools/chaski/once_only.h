// SPDX-License-Identifier: MIT
/*
 * once_only - the words behind `chaski once-only`, a room each. argv[0] is the word.
 */
#ifndef TOOLS_CHASKI_ONCE_ONLY_H
#define TOOLS_CHASKI_ONCE_ONLY_H

#include "lib/base/fault.h"

/* Faults as in commands.h. */
fault once_only_lint(int argc, char **argv);
fault once_only_counts(int argc, char **argv);
fault once_only_plan(int argc, char **argv);
fault once_only_source(int argc, char **argv);

#endif
