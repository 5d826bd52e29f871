// SPDX-License-Identifier: MIT
/*
 * drafting - a command whose acts are written down for others to look at, and not carried out.
 */
#ifndef REGISTRY_DRAFTING_H
#define REGISTRY_DRAFTING_H

#include "registry/commands.h"

/* On a store of this machine, which is not changed. REFUSED: an act that could not stand. */
fault drafting_run(const struct command *command, const char *folder,
                   const struct arguments *arguments, struct said *said);
/* What a store has drafted, as --draft asks. IO_FAILED; faults of draft_make. */
fault drafting_write(const struct store *store, const struct arguments *arguments,
                     struct said *said);

#endif
