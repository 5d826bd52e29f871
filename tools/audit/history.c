// SPDX-License-Identifier: MIT
#include "tools/audit/history.h"

#include "lib/base/map.h"
#include "lib/bus/directory_partial.h"
#include "lib/bus/tiles.h"
#include "lib/crypto/merkle.h"

#include "directory.pb-c.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#define STILL INT64_MAX

/* One server of a subsystem, from one act to the next that says otherwise. */
struct stay {
    struct stay *before; /* the one of the same subsystem that was noted before */
    char *server;
    int64_t from_ms, until_ms;
};

/* Since when something of a server has been as it is. */
struct since {
    int64_t ms;
    char *vkey; /* of a witness; NULL else */
};

struct history {
    uint64_t size;
    struct sha256 *root; /* root[n]: of the first n acts */
    int64_t *act_ms;     /* of each */
    int64_t cosigned_ms; /* since when the directory's own witnesses are assigned; 0: none ever */
    struct map stays;    /* subsystem -> the last struct stay */
    struct map assigned; /* server -> struct since: who witnesses its log */
    struct map keyed;    /* server -> struct since: its key as a witness */
    struct map stampers; /* names of time stamp authorities -> self */
    int64_t stampers_ms; /* since when there has been one; 0: there is none */
    struct sealings sealings;
};

static void end_stays(struct history *self, const char *subsystem, int64_t at_ms)
{
    for (struct stay *at = map_get(&self->stays, span_of_text(subsystem)); at != NULL;
         at = at->before)
        if (at->until_ms == STILL)
            at->until_ms = at_ms;
}

static void begin_stays(struct history *self, const Chaski__SubsystemSet *act, int64_t at_ms)
{
    end_stays(self, act->id, at_ms);
    for (size_t i = 0; i < act->n_server; i++) {
        struct stay *stay = owned_new(sizeof *stay);
        *stay = (struct stay){
            .server = owned_text(act->server[i]), .from_ms = at_ms, .until_ms = STILL};
        stay->before = map_set(&self->stays, span_of_text(act->id), stay);
    }
}

static struct since *since_of(struct map *map, const char *server)
{
    struct since *since = map_get(map, span_of_text(server));
    if (since == NULL) {
        since = owned_new(sizeof *since);
        map_set(map, span_of_text(server), since);
    }
    return since;
}

static void take_witness_key(struct history *self, const Chaski__ServerSet *act, int64_t at_ms)
{
    struct since *since = since_of(&self->keyed, act->id);
    if (since->vkey != NULL && strcmp(since->vkey, act->witness_vkey) == 0)
        return;
    free(since->vkey);
    since->vkey = owned_text(act->witness_vkey);
    since->ms = at_ms;
}

static void take_stamper(struct history *self, const char *name, int64_t at_ms)
{
    if (self->stampers.count == 0)
        self->stampers_ms = at_ms;
    map_set(&self->stampers, span_of_text(name), self);
}

static void drop_stamper(struct history *self, const char *name)
{
    map_remove(&self->stampers, span_of_text(name));
    if (self->stampers.count == 0)
        self->stampers_ms = 0;
}

static void take_removal(struct history *self, const Chaski__Removed *act, int64_t at_ms)
{
    if (act->what_case == CHASKI__REMOVED__WHAT_SUBSYSTEM)
        end_stays(self, act->subsystem, at_ms);
    else if (act->what_case == CHASKI__REMOVED__WHAT_STAMP_AUTHORITY)
        drop_stamper(self, act->stamp_authority);
}

static void take_kind(struct history *self, const Chaski__Act *act)
{
    int64_t at_ms = (int64_t)act->time_ms;
    switch (act->act_case) {
    case CHASKI__ACT__ACT_SUBSYSTEM_SET:
        begin_stays(self, act->subsystem_set, at_ms);
        break;
    case CHASKI__ACT__ACT_REMOVED:
        take_removal(self, act->removed, at_ms);
        break;
    case CHASKI__ACT__ACT_SERVER_SET:
        take_witness_key(self, act->server_set, at_ms);
        break;
    case CHASKI__ACT__ACT_WITNESSES_SET:
        since_of(&self->assigned, act->witnesses_set->server)->ms = at_ms;
        break;
    case CHASKI__ACT__ACT_DIRECTORY_WITNESSES_SET:
        self->cosigned_ms = at_ms;
        break;
    case CHASKI__ACT__ACT_STAMP_AUTHORITY_SET:
        take_stamper(self, act->stamp_authority_set->name, at_ms);
        break;
    default:
        break;
    }
}

static fault take_act(struct history *self, uint64_t number, struct span leaf)
{
    struct cades_parts parts;
    TRY(cades_parse(leaf, &parts));
    Chaski__Act *act = chaski__act__unpack(NULL, parts.content.size, parts.content.at);
    if (act == NULL)
        return RAISE(DIRECTORY_BAD, "entry %" PRIu64 " holds no act", number);
    self->act_ms[number] = (int64_t)act->time_ms;
    take_kind(self, act);
    sealings_take(&self->sealings, number, act);
    chaski__act__free_unpacked(act, NULL);
    return DONE;
}

static fault take_acts(struct history *self, const struct span *leaves)
{
    struct merkle tree = {0};
    self->root = owned_array(self->size + 1, sizeof *self->root);
    self->act_ms = owned_array(self->size, sizeof *self->act_ms);
    self->root[0] = merkle_root(&tree);
    for (uint64_t i = 0; i < self->size; i++) {
        struct sha256 hash = merkle_leaf_hash(leaves[i]);
        merkle_append(&tree, &hash);
        self->root[i + 1] = merkle_root(&tree);
        TRY(take_act(self, i, leaves[i]));
    }
    return DONE;
}

fault history_read(const char *folder, const struct directory *directory, struct history **out)
{
    OWNED(history) self = owned_new(sizeof *self);
    OWNED(bytes) backing = NULL;
    struct span *leaves = NULL;
    self->size = directory_epoch(directory);
    TRY(directory_partial_refuse(folder, self->size));
    TRY(tiles_read_entries(folder, self->size, &backing, &leaves));
    fault f = take_acts(self, leaves);
    free(leaves);
    TRY(f);
    struct sha256 verified = directory_root(directory);
    if (!sha256_equal(&self->root[self->size], &verified))
        return RAISE(DIRECTORY_BAD, "%s changed while it was read", folder);
    *out = TAKE(self);
    return DONE;
}

static void since_clear(struct map *map)
{
    size_t step = 0;
    for (struct since *at; (at = map_next(map, &step, NULL)) != NULL;) {
        free(at->vkey);
        free(at);
    }
    map_clear(map);
}

void history_free(struct history **owner)
{
    struct history *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    size_t step = 0;
    for (struct stay *last; (last = map_next(&self->stays, &step, NULL)) != NULL;)
        while (last != NULL) {
            struct stay *before = last->before;
            free(last->server);
            free(last);
            last = before;
        }
    map_clear(&self->stays);
    since_clear(&self->assigned);
    since_clear(&self->keyed);
    map_clear(&self->stampers);
    sealings_clear(&self->sealings);
    free(self->root);
    free(self->act_ms);
    free(self);
}

bool history_root(const struct history *self, uint64_t size, struct sha256 *out)
{
    if (size > self->size)
        return false;
    *out = self->root[size];
    return true;
}

bool history_stood(const struct history *self, struct span subsystem, const char *server,
                   int64_t time_ms)
{
    for (const struct stay *at = map_get(&self->stays, subsystem); at != NULL; at = at->before)
        if (strcmp(at->server, server) == 0 && time_ms >= at->from_ms - DEADLINE_MS_MAX &&
            (at->until_ms == STILL || time_ms <= at->until_ms + DEADLINE_MS_MAX))
            return true;
    return false;
}

int64_t history_witnessed_ms(const struct history *self, const struct directory_server *server)
{
    const struct since *assigned = map_get(&self->assigned, span_of_text(server->id));
    if (server->quorum == 0 || assigned == NULL)
        return 0;
    int64_t since_ms = assigned->ms;
    for (size_t i = 0; i < server->witnesses; i++) {
        const char *witness = server->witness[i].server;
        const struct since *keyed =
            witness == NULL ? NULL : map_get(&self->keyed, span_of_text(witness));
        if (keyed != NULL && keyed->ms > since_ms)
            since_ms = keyed->ms;
    }
    return since_ms;
}

int64_t history_directory_witnessed_ms(const struct history *self,
                                       const struct directory *directory)
{
    const struct directory_server *witness[DIRECTORY_WITNESSES_MAX];
    unsigned quorum = 0;
    size_t count = directory_witnesses(directory, witness, &quorum);
    int64_t since_ms = self->cosigned_ms;
    if (quorum == 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        const struct since *keyed = map_get(&self->keyed, span_of_text(witness[i]->id));
        if (keyed != NULL && keyed->ms > since_ms)
            since_ms = keyed->ms;
    }
    return since_ms;
}

int64_t history_act_ms(const struct history *self, uint64_t number)
{
    assert(number < self->size);
    return self->act_ms[number];
}

int64_t history_stampers_ms(const struct history *self)
{
    return self->stampers_ms;
}

bool history_sealing(const struct history *self, struct span id, uint64_t size,
                     const struct sealing_stood **out)
{
    if (size > self->size)
        return false;
    *out = sealings_at(&self->sealings, id, size);
    return true;
}
