// SPDX-License-Identifier: MIT
/*
 * log_keys - the keys of the directory's log that a store holds: keys/log.key, the first, and those
 * that are to follow it, keys/log-ID.key (ID: the 8 hex digits of the verifier key). Which one
 * signs says the directory (AuthorityKeysSet, docs/decisions/0034).
 *
 *   handover-ID.json    JSON: what is proposed to the directory about the key ID: "before" and
 * "after" (verifier keys), "signature_before", "signature" (hex)
 */
#ifndef REGISTRY_LOG_KEYS_H
#define REGISTRY_LOG_KEYS_H

#include "lib/bus/handover.h"

#define LOG_KEYS_MAX 8

struct log_keys {
    size_t count;
    struct keypair *key[LOG_KEYS_MAX];
    struct note_key public[LOG_KEYS_MAX];
};

/* All that are there. name: the log's. BAD_KEY, REFUSED (too many). */
fault log_keys_load(const char *folder, const char *name, struct log_keys *out);
void log_keys_clear(struct log_keys *self);
/* NULL: it is not there. Lent. */
struct keypair *log_keys_find(const struct log_keys *self, const struct note_key *key);

/* Makes one to follow `now`, and its handover; path: of that file. Waits for the disk. */
fault log_keys_make(const char *folder, const struct note_key *now, struct keypair *signer,
                    char *path, size_t room);
/* BAD_REQUEST: it is no such file. */
fault log_keys_read_handover(const char *path, struct handover *out);

#endif
