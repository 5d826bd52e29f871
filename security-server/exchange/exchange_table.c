// SPDX-License-Identifier: MIT
#include "security-server/exchange/exchange_table.h"

#include "lib/base/map.h"
#include "lib/crypto/random.h"

#include <stdlib.h>

struct exchange_table {
    size_t most;
    size_t count;
    uint64_t next_call;
    struct map asked;  /* consumer exchanges by id */
    struct map called; /* provider exchanges by call number */
    struct map all;    /* by address, for the end */
};

struct exchange_table *exchange_table_new(size_t most)
{
    struct exchange_table *self = owned_new(sizeof *self);
    self->most = most;
    random_fill((uint8_t *)&self->next_call, sizeof self->next_call);
    self->next_call |= 1; /* never 0 */
    return self;
}

static struct span address_key(struct exchange *const *x)
{
    return span_of(x, sizeof *x);
}

void exchange_table_free(struct exchange_table **self)
{
    if (*self == NULL)
        return;
    size_t step = 0;
    for (struct exchange *x; (x = map_next(&(*self)->all, &step, NULL)) != NULL;)
        exchange_free(&x);
    map_clear(&(*self)->asked);
    map_clear(&(*self)->called);
    map_clear(&(*self)->all);
    free(*self);
    *self = NULL;
}

fault exchange_table_add(struct exchange_table *self, struct exchange *x)
{
    if (self->count >= self->most)
        return RAISE(OVERLOADED, "%zu exchanges are in flight", self->count);
    if (x->role == ROLE_CONSUMER) {
        struct span id = span_of(x->id, EXCHANGE_ID_BYTES);
        if (map_get(&self->asked, id) != NULL)
            return RAISE(REPLAYED, "an exchange with this id is in flight");
        map_set(&self->asked, id, x);
    }
    map_set(&self->all, address_key(&x), x);
    self->count++;
    return DONE;
}

void exchange_table_remove(struct exchange_table *self, struct exchange *x)
{
    if (map_remove(&self->all, address_key(&x)) == NULL)
        return;
    if (x->role == ROLE_CONSUMER)
        map_remove(&self->asked, span_of(x->id, EXCHANGE_ID_BYTES));
    exchange_table_called_back(self, x);
    self->count--;
}

size_t exchange_table_count(const struct exchange_table *self)
{
    return self->count;
}

struct exchange *exchange_table_asked(struct exchange_table *self,
                                      const uint8_t id[EXCHANGE_ID_BYTES])
{
    return map_get(&self->asked, span_of(id, EXCHANGE_ID_BYTES));
}

void exchange_table_each_asked(struct exchange_table *self,
                               void (*visit)(struct exchange *x, void *owner), void *owner)
{
    size_t step = 0;
    for (struct exchange *x; (x = map_next(&self->asked, &step, NULL)) != NULL;)
        visit(x, owner);
}

void exchange_table_call(struct exchange_table *self, struct exchange *x)
{
    x->call = self->next_call;
    self->next_call += 2;
    map_set(&self->called, span_of(&x->call, sizeof x->call), x);
}

struct exchange *exchange_table_called(struct exchange_table *self, uint64_t call)
{
    return map_get(&self->called, span_of(&call, sizeof call));
}

void exchange_table_called_back(struct exchange_table *self, struct exchange *x)
{
    if (x->call == 0)
        return;
    map_remove(&self->called, span_of(&x->call, sizeof x->call));
    x->call = 0;
}
