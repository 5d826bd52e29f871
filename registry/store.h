// SPDX-License-Identifier: MIT
/*
 * store - the authority's log of acts on its own disk, with its keys.
 *
 *   <store>/acts.log         frames: u32 length | u32 crc32c(body) | body (a CAdES leaf);
 * append-only <store>/keys/            ca.key ca.crt acts.key acts.crt directory.key (0600)
 *   <store>/anchor/          trust.pem directory.vkey: what nodes are given
 *   <store>/lock
 */
#ifndef REGISTRY_STORE_H
#define REGISTRY_STORE_H

#include "lib/bus/directory.h"

struct store {
    char folder[400];
    int lock_fd;
    struct keypair *ca_key, *acts_key, *directory_key;
    struct certificate *ca, *acts;
    struct cades_template template;
    struct note_key vkey;
    struct trust *trust;
    size_t count, room; /* acts, old and added */
    struct bytes **leaf;
    size_t durable;   /* how many of them are on disk */
    int64_t last_ms;  /* time of the last act */
    size_t cut_bytes; /* of a torn last frame that was cut when the store was opened */
};

/* Makes a new store; REFUSED when there is one. */
fault store_make(const char *folder, const char *instance, const char *name);
/* Opens and locks; REFUSED when another command has it, LOG_BROKEN when it is damaged. */
fault store_open(const char *folder, struct store **out);
void store_free(struct store **self);

/* Signs an act and adds it in memory; number and time are filled in. */
struct Chaski__Act;
fault store_add(struct store *self, struct Chaski__Act *act);
/* Folds everything, with what was added; then makes the added acts durable. On a fault nothing was
 * written. `state` may be NULL; directory_release() it. */
fault store_commit(struct store *self, struct directory **state);
/* The fold, as it stands. */
fault store_state(struct store *self, struct directory **out);

/* Adds Published, commits, signs the checkpoint and writes the static folder, checkpoint last. */
fault store_publish(struct store *self, const char *folder, int64_t valid_days,
                    struct checkpoint *out, int64_t *valid_until_ms);

#endif
