// SPDX-License-Identifier: MIT
/*
 * anchor - writes the file that nodes of this country begin with (lib/bus/anchor_file.h).
 */
#ifndef REGISTRY_ANCHOR_H
#define REGISTRY_ANCHOR_H

#include "registry/commands.h"

/* Reads the store, changes nothing in it and needs no key of it. REFUSED says what is wrong with an
 * address or a key. Says the fingerprint. */
fault anchor_write(const char *folder, const struct arguments *arguments, struct said *said);

#endif
