// SPDX-License-Identifier: MIT
/* Types 5 and 6 of lib/bus/pair_type.h: two leaves for one act, in one log or in several. */
#include "tools/audit/verify.h"

#include "lib/base/text.h"

#include <inttypes.h>
#include <stdlib.h>

struct place {
    const struct log *log;
    const struct kept *kept;
};

/* A request that stands somewhere with another leaf. */
struct twin {
    struct place first, second;
};

struct twins {
    struct verify *verify;
    struct map acts; /* sender and exchange -> struct place of the first */
    struct map told; /* leaf hashes */
    size_t count, room;
    struct twin *twin;
};

// --- what they say ------------------------------------------------------------------------------

/* The content of an entry, by its hash; read again from the log, as no more than hashes is kept. */
struct content {
    uint64_t index;
    bool found;
    struct sha256 hash;
};

/* Of one log, by index, each once: one walk reads them all. */
struct contents {
    const struct log *log;
    size_t count, next;
    struct content *content;
};

static int by_index(const void *a, const void *b)
{
    uint64_t x = ((const struct content *)a)->index, y = ((const struct content *)b)->index;
    return x < y ? -1 : x > y;
}

static fault take_content(void *owner, const struct log_entry *entry)
{
    struct contents *self = owner;
    while (self->next < self->count && self->content[self->next].index < entry->index)
        self->next++;
    if (self->next == self->count)
        return RAISE(NOT_FOUND, "no more is wanted");
    struct content *content = &self->content[self->next];
    if (content->index == entry->index && entry->header != NULL) {
        content->hash = SHA256_OF(entry->parts.content);
        content->found = true;
    }
    return DONE;
}

static void want(struct contents *self, const struct place *place)
{
    if (place->log == self->log)
        self->content[self->count++] = (struct content){.index = place->kept->index};
}

static void drop_doubles(struct contents *self)
{
    size_t left = 0;
    if (self->count > 1)
        qsort(self->content, self->count, sizeof *self->content, by_index);
    for (size_t i = 0; i < self->count; i++)
        if (left == 0 || self->content[left - 1].index != self->content[i].index)
            self->content[left++] = self->content[i];
    self->count = left;
}

static void read_contents(const struct twins *twins, const struct log *log, struct contents *out)
{
    struct wal_end end;
    *out = (struct contents){.log = log,
                             .content = owned_array(2 * twins->count, sizeof *out->content)};
    for (size_t i = 0; i < twins->count; i++) {
        want(out, &twins->twin[i].first);
        want(out, &twins->twin[i].second);
    }
    drop_doubles(out);
    if (out->count > 0)
        ignore(log_view_walk(log->view, take_content, out, &end)); /* ends behind the last */
}

static const struct sha256 *content_of(const struct contents *list, const struct verify *verify,
                                       const struct place *place)
{
    const struct contents *self = &list[place->log - verify->log];
    const struct content wanted = {.index = place->kept->index};
    const struct content *found =
        bsearch(&wanted, self->content, self->count, sizeof *self->content, by_index);
    return found != NULL && found->found ? &found->hash : NULL;
}

static void tell(struct verify *self, const struct twin *twin, const struct sha256 *one,
                 const struct sha256 *other)
{
    const struct place *first = &twin->first, *second = &twin->second;
    enum pair_type type = sha256_equal(one, other) ? PAIR_TWO_SIGNATURES : PAIR_TWO_HEADERS;
    verify_count_type(self, second->log, type);
    FIND(self, second->log, second->kept->index, "one record for one act", pair_type_meaning(type),
         "%s of %s, another than entry %" PRIu64 " of %s, of the same exchange (type %d: %s)",
         header_kind_word(second->kept->kind), second->kept->sender_server, first->kept->index,
         first->log->view->folder, type, pair_type_word(type));
}

static void tell_all(struct twins *self)
{
    struct verify *verify = self->verify;
    struct contents *list = owned_array(verify->logs, sizeof *list);
    for (size_t i = 0; i < verify->logs; i++)
        if (verify->log[i].view != NULL)
            read_contents(self, &verify->log[i], &list[i]);
    for (size_t i = 0; i < self->count; i++) {
        const struct sha256 *one = content_of(list, verify, &self->twin[i].first);
        const struct sha256 *other = content_of(list, verify, &self->twin[i].second);
        if (one != NULL && other != NULL)
            tell(verify, &self->twin[i], one, other);
    }
    for (size_t i = 0; i < verify->logs; i++)
        free(list[i].content);
    free(list);
}

// --- which they are -----------------------------------------------------------------------------

/* Refusals of a request that could not be verified may be several; a second answer to one request
 * is found in verify_log.c. */
static bool may_be_once_only(const struct kept *kept)
{
    return kept->kind == HEADER_REQUEST;
}

static void add_twin(struct twins *self, const struct place *first, const struct place *second)
{
    if (self->count == self->room) {
        self->room = self->room == 0 ? 64 : 2 * self->room;
        self->twin = owned_grow(self->twin, self->room, sizeof *self->twin);
    }
    self->twin[self->count++] = (struct twin){*first, *second};
}

static void take(struct twins *self, struct place place)
{
    char key[ID_TEXT_BYTES_MAX + 2 * EXCHANGE_ID_BYTES + 4], id[2 * EXCHANGE_ID_BYTES + 1];
    text_hex(span_of(place.kept->exchange_id, EXCHANGE_ID_BYTES), id, sizeof id);
    if (!text_format(key, sizeof key, "%s %s", place.kept->sender_server, id))
        return;
    struct place *first = map_get(&self->acts, span_of_text(key));
    if (first == NULL) {
        first = owned_new(sizeof *first);
        *first = place;
        map_set(&self->acts, span_of_text(key), first);
    } else if (!sha256_equal(&first->kept->leaf_hash, &place.kept->leaf_hash) &&
               map_set(&self->told, sha256_span(&place.kept->leaf_hash), self) == NULL) {
        add_twin(self, first, &place);
    }
}

void verify_twins(struct verify *verify)
{
    struct twins self = {.verify = verify};
    for (size_t i = 0; i < verify->logs; i++)
        for (uint64_t k = 0; k < verify->log[i].count; k++)
            if (may_be_once_only(&verify->log[i].entry[k]))
                take(&self, (struct place){&verify->log[i], &verify->log[i].entry[k]});
    if (self.count > 0)
        tell_all(&self);
    size_t step = 0;
    for (struct place *at; (at = map_next(&self.acts, &step, NULL)) != NULL;)
        free(at);
    map_clear(&self.acts);
    map_clear(&self.told);
    free(self.twin);
}
