// SPDX-License-Identifier: MIT
/*
 * subject_keys - the country's keys of pseudonyms at the authority: made and kept in the store, and
 * published sealed to each server (lib/bus/subject_key.h). Nobody but the store has one in the
 * clear.
 *
 *   keys/subject-<year>.key    64 hex digits and a newline, mode 0600
 */
#ifndef REGISTRY_SUBJECT_KEYS_H
#define REGISTRY_SUBJECT_KEYS_H

#include "lib/bus/pseudonym.h"
#include "registry/store.h"

/* Of the year's key, which is made when there is none yet: durable before it returns. BAD_REQUEST:
 * no possible year. IO_FAILED, BAD_KEY. */
fault subject_keys_make(const char *store, unsigned year, struct sha256 *commitment);

/* Seals each key in force to each server that has none of it there yet, or has another sealing key
 * since; removes what is there of keys that were destroyed, and those keys in the store. A key that
 * the directory names and the store does not have is an event. */
fault subject_keys_publish(const struct store *store, const char *folder);

#endif
