// SPDX-License-Identifier: MIT
/*
 * program - runs another program of this installation: they stand in one folder.
 */
#ifndef TOOLS_CHASKI_PROGRAM_H
#define TOOLS_CHASKI_PROGRAM_H

#include "lib/base/bytes.h"

/* Runs it and waits for its end. argv[0] is its name; the last word is NULL. `output`: NULL, or
 * where what it writes to standard output is added. REFUSED: it ended otherwise than well (what it
 * had to say stands on standard error); IO_FAILED. */
fault program_run(char *const argv[], struct bytes *output);

#endif
