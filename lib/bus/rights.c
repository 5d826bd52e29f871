// SPDX-License-Identifier: MIT
#include "lib/bus/rights.h"

#include "lib/bus/bus_id.h"

#include <assert.h>
#include <stdlib.h>

/* A name holds no line feed: identifiers and codes are visible ASCII or percent-encoded. */
#define KEY_BYTES (2 * ID_TEXT_BYTES_MAX + 1)

struct key {
    uint8_t at[KEY_BYTES];
    size_t size;
};

/* false: longer than any name that is registered. */
static bool key_of(struct span first, struct span second, struct key *out)
{
    if (first.size > ID_TEXT_BYTES_MAX || second.size > ID_TEXT_BYTES_MAX)
        return false;
    memcpy(out->at, first.at, first.size);
    out->at[first.size] = '\n';
    if (second.size > 0)
        memcpy(out->at + first.size + 1, second.at, second.size);
    out->size = first.size + 1 + second.size;
    return true;
}

static struct right_list *list_of(const struct rights *self, struct span first, struct span second)
{
    struct key key;
    return key_of(first, second, &key) ? map_get(&self->by_names, span_of(key.at, key.size)) : NULL;
}

void rights_clear(struct rights *self)
{
    size_t step = 0;
    for (struct right_list *at; (at = map_next(&self->by_names, &step, NULL)) != NULL;) {
        free(at->right);
        free(at);
    }
    map_clear(&self->by_names);
}

bool right_comes_before(const struct right *left, const struct right *right)
{
    if (left->until_ms != right->until_ms)
        return left->until_ms > right->until_ms;
    return strcmp(left->id, right->id) < 0;
}

void rights_put(struct rights *self, struct span first, struct span second, struct right right)
{
    struct key key;
    bool fits = key_of(first, second, &key);
    assert(fits);
    struct right_list *list = map_get(&self->by_names, span_of(key.at, key.size));
    if (list == NULL) {
        list = owned_new(sizeof *list);
        map_set(&self->by_names, span_of(key.at, key.size), list);
    }
    if (list->count == list->room) {
        list->room = list->room == 0 ? 1 : 2 * list->room;
        list->right = owned_grow(list->right, list->room, sizeof *list->right);
    }
    size_t at = list->count++;
    for (; at > 0 && right_comes_before(&right, &list->right[at - 1]); at--)
        list->right[at] = list->right[at - 1];
    list->right[at] = right;
}

void rights_take(struct rights *self, struct span first, struct span second, const char *id)
{
    struct right_list *list = list_of(self, first, second);
    for (size_t i = 0; list != NULL && i < list->count; i++)
        if (strcmp(list->right[i].id, id) == 0) {
            memmove(&list->right[i], &list->right[i + 1],
                    (--list->count - i) * sizeof list->right[0]);
            return;
        }
}

const struct right_list *rights_of(const struct rights *self, struct span first, struct span second)
{
    static const struct right_list none = {0};
    const struct right_list *list = list_of(self, first, second);
    return list == NULL ? &none : list;
}
