// SPDX-License-Identifier: MIT
/*
 * directory_damage - is it the disk that spoilt a copy of the directory, and not the authority that
 * signed what cannot be? Only what the signed head covers can accuse who signed it.
 * docs/decisions/0041.
 */
#ifndef EXCHANGE_DIRECTORY_DAMAGE_H
#define EXCHANGE_DIRECTORY_DAMAGE_H

#include "lib/crypto/note.h"

/* folder: of a copy that was whole when it was written; head: its checkpoint, opened. Reads and
 * hashes all of it (a second in a country): for when it cannot be used. DIRECTORY_DAMAGED: its
 * entries, snapshot or authority.pem are not what was written. DONE: nothing of the kind is found.
 */
fault directory_damage_check(const char *folder, const struct checkpoint *head);

#endif
