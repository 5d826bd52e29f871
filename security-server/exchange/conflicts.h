// SPDX-License-Identifier: MIT
/*
 * conflicts - signed notes that contradict what their log had signed before, kept for auditors:
 * conflicts/<origin>-<note>.checkpoint, two hashes' first 16 hex digits; at most
 * CONFLICTS_A_LOG_MAX of one log, NOTE_BYTES_MAX each. Whoever repeats a note has it kept once.
 */
#ifndef EXCHANGE_CONFLICTS_H
#define EXCHANGE_CONFLICTS_H

#include "lib/base/bytes.h"

#define CONFLICT_NAME_BYTES 80

/* Durable when it returns; name: below the audit folder, also when it was there already, which
 * *fresh tells. spare: how many places are left free, for a note that proves less than others.
 * OVERLOADED: no place is left for this log. */
fault conflicts_keep(const char *audit_folder, const char *origin, struct span note, size_t spare,
                     char name[CONFLICT_NAME_BYTES], bool *fresh);

#endif
