// SPDX-License-Identifier: MIT
/*
 * subject_keys - the keys of years for pseudonyms, on their way from the published folder (or what
 * the follower fetched) to the keys process, and their end. In the clear they are never here.
 *
 *   <audit_folder>/subject-keys/<year>       as it came, sealed to this server; goes when an act
 *                                            says that the key is destroyed
 *   <audit_folder>/directory/subject-keys    years that are missing, for the follower, a line each
 */
#ifndef EXCHANGE_SUBJECT_KEYS_H
#define EXCHANGE_SUBJECT_KEYS_H

#include "security-server/exchange/node.h"

struct subject_keys;

/* Looks at once and then each SUBJECT_KEYS_LOOK_MS. */
struct subject_keys *subject_keys_new(struct node *node);
void subject_keys_free(struct subject_keys **self);

/* The year whose key makes pseudonyms now: this one, or in the first days of a year the one before
 * while the new key is not here. SUBJECT_KEY_MISSING. */
fault subject_keys_year(const struct subject_keys *self, int64_t now_ms, unsigned *out);
/* Does the keys process hold it? */
bool subject_keys_holds(const struct subject_keys *self, unsigned year);

#endif
