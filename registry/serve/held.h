// SPDX-License-Identifier: MIT
/*
 * held - the face while acts are held back (registry/ahead.h): takes what followers show, gives
 * them time to show the acts of a larger head, and notices when nothing holds acts back any more.
 * The authority's process holds them back by itself.
 */
#ifndef REGISTRY_SERVE_HELD_H
#define REGISTRY_SERVE_HELD_H

#include "lib/base/loop.h"
#include "registry/ahead.h"
#include "registry/serve/outlook.h"

struct held;

struct held_options {
    struct loop *loop;
    const char *store;
    struct outlook *outlook; /* lent */
    unsigned wait_s;         /* so long the acts of a head may be shown */
    void (*released)(void *owner);
    void *owner;
};

/* What was held back before is held back again, and waited for anew. */
fault held_open(const struct held_options *options, struct held **out);
void held_free(struct held **self);

/* A note that is shown. *held: it holds acts back. SIGNATURE_BAD, BAD_FRAME, IO_FAILED. */
fault held_take_head(struct held *self, struct span note, bool *held);
/* An act that is shown. DIRECTORY_OLD: this store is an old copy, end. REFUSED: it is none. */
fault held_take_act(struct held *self, struct span leaf);
/* How it stands now; the last known when the store's folder cannot be read. */
struct ahead held_state(struct held *self);
/* Looks whether acts may go on; after news of the directory and from time to time. */
void held_look(struct held *self);
/* Rule, what happened and what to do; "" while acts go on. */
void held_words(struct held *self, char out[AHEAD_WORDS_ROOM]);

#endif
