// SPDX-License-Identifier: MIT
#include "security-server/exchange/opened_keys.h"

#include "lib/base/map.h"
#include "security-server/exchange/keys_line.h"
#include "security-server/exchange/node.h"

#include <stdlib.h>

#define WAITING_MAX 4096

struct waiter {
    opened_done *done;
    void *owner;
    struct waiter *next;
};

struct opened {
    struct opened_keys *home;
    uint8_t name[SEAL_KEY_ID_BYTES + X25519_PUBLIC_BYTES];
    struct seal_key *key; /* NULL while it is asked for */
    bool passing;         /* forgotten meanwhile: not kept once it is there */
    struct waiter *waiters, **last;
};

struct opened_keys {
    struct node *node;
    struct map by_name;
    size_t waiting;
};

struct opened_keys *opened_keys_new(struct node *node)
{
    struct opened_keys *self = owned_new(sizeof *self);
    self->node = node;
    return self;
}

static void opened_free(struct opened *opened)
{
    seal_key_free(&opened->key);
    for (struct waiter *next; opened->waiters != NULL; opened->waiters = next) {
        next = opened->waiters->next;
        free(opened->waiters);
    }
    free(opened);
}

/* The map is built anew because it may not change under a walk. */
static void forget(struct opened_keys *self,
                   bool (*unwanted)(const struct opened *opened, const void *what),
                   const void *what)
{
    struct map kept = {0};
    size_t step = 0;
    for (struct opened *opened; (opened = map_next(&self->by_name, &step, NULL)) != NULL;) {
        if (unwanted(opened, what))
            opened_free(opened);
        else
            map_set(&kept, span_of(opened->name, sizeof opened->name), opened);
    }
    map_clear(&self->by_name);
    self->by_name = kept;
}

static bool is_any(const struct opened *opened, const void *what)
{
    (void)opened;
    (void)what;
    return true;
}

/* The bound is far above what honest peers use, and a key that is needed again costs one question
 * to the keys process. */
static bool is_idle(const struct opened *opened, const void *what)
{
    (void)what;
    return opened->key != NULL;
}

static bool is_named(const struct opened *opened, const void *seal_key_id)
{
    return memcmp(opened->name, seal_key_id, SEAL_KEY_ID_BYTES) == 0;
}

static bool is_named_and_there(const struct opened *opened, const void *seal_key_id)
{
    return opened->key != NULL && is_named(opened, seal_key_id);
}

void opened_keys_forget(struct opened_keys *self, const uint8_t seal_key_id[SEAL_KEY_ID_BYTES])
{
    size_t step = 0;
    forget(self, is_named_and_there, seal_key_id);
    for (struct opened *opened; (opened = map_next(&self->by_name, &step, NULL)) != NULL;)
        opened->passing = opened->passing || is_named(opened, seal_key_id);
}

void opened_keys_free(struct opened_keys **self)
{
    if (*self == NULL)
        return;
    forget(*self, is_any, NULL);
    map_clear(&(*self)->by_name);
    free(*self);
    *self = NULL;
}

static void derived(void *owner, fault f, struct span result)
{
    struct opened *opened = owner;
    struct opened_keys *self = opened->home;
    if (!failed(f) && result.size != SEAL_KEY_BYTES)
        f = RAISE(INTERNAL, "a sealing key of %zu bytes", result.size);
    if (!failed(f))
        f = seal_key_make(result.at, &opened->key);
    struct waiter *waiter = opened->waiters;
    opened->waiters = NULL;
    for (struct waiter *next; waiter != NULL; waiter = next) {
        next = waiter->next;
        self->waiting--;
        waiter->done(waiter->owner, f, opened->key);
        free(waiter);
    }
    if (failed(f) || opened->passing) {
        map_remove(&self->by_name, span_of(opened->name, sizeof opened->name));
        opened_free(opened);
    }
}

static struct opened *ask(struct opened_keys *self, const struct envelope *envelope)
{
    struct opened *opened = owned_new(sizeof *opened);
    opened->home = self;
    opened->last = &opened->waiters;
    memcpy(opened->name, envelope->seal_key_id, SEAL_KEY_ID_BYTES);
    memcpy(opened->name + SEAL_KEY_ID_BYTES, envelope->ephemeral, X25519_PUBLIC_BYTES);
    map_set(&self->by_name, span_of(opened->name, sizeof opened->name), opened);
    keys_line_derive_seal(self->node->keys, envelope->seal_key_id, envelope->ephemeral, derived,
                          opened);
    return opened;
}

fault opened_keys_get(struct opened_keys *self, const struct envelope *envelope, opened_done *done,
                      void *owner)
{
    uint8_t name[SEAL_KEY_ID_BYTES + X25519_PUBLIC_BYTES];
    memcpy(name, envelope->seal_key_id, SEAL_KEY_ID_BYTES);
    memcpy(name + SEAL_KEY_ID_BYTES, envelope->ephemeral, X25519_PUBLIC_BYTES);
    struct opened *opened = map_get(&self->by_name, span_of(name, sizeof name));
    if (opened != NULL && opened->key != NULL) {
        done(owner, DONE, opened->key);
        return DONE;
    }
    if (self->waiting >= WAITING_MAX)
        return RAISE(OVERLOADED, "%d messages wait for their sealing keys", WAITING_MAX);
    if (opened == NULL) {
        if (self->by_name.count >= SEAL_OPENED_CACHE)
            forget(self, is_idle, NULL);
        opened = ask(self, envelope);
    }
    struct waiter *waiter = owned_new(sizeof *waiter);
    *waiter = (struct waiter){done, owner, NULL};
    *opened->last = waiter;
    opened->last = &waiter->next;
    self->waiting++;
    return DONE;
}
