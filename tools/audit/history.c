// SPDX-License-Identifier: MIT
#include "tools/audit/history.h"

#include "lib/base/map.h"
#include "lib/bus/tiles.h"
#include "lib/crypto/merkle.h"

#include "directory.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>

#define STILL INT64_MAX

/* One server of a subsystem, from one act to the next that says otherwise. */
struct stay {
    struct stay *before; /* the one of the same subsystem that was noted before */
    char *server;
    int64_t from_ms, until_ms;
};

struct history {
    uint64_t size;
    struct sha256 *root; /* root[n]: of the first n acts */
    struct map stays;    /* subsystem -> the last struct stay */
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

static fault take_act(struct history *self, uint64_t number, struct span leaf)
{
    struct cades_parts parts;
    TRY(cades_parse(leaf, &parts));
    Chaski__Act *act = chaski__act__unpack(NULL, parts.content.size, parts.content.at);
    if (act == NULL)
        return RAISE(DIRECTORY_BAD, "entry %" PRIu64 " holds no act", number);
    if (act->act_case == CHASKI__ACT__ACT_SUBSYSTEM_SET)
        begin_stays(self, act->subsystem_set, (int64_t)act->time_ms);
    else if (act->act_case == CHASKI__ACT__ACT_REMOVED &&
             act->removed->what_case == CHASKI__REMOVED__WHAT_SUBSYSTEM)
        end_stays(self, act->removed->subsystem, (int64_t)act->time_ms);
    chaski__act__free_unpacked(act, NULL);
    return DONE;
}

static fault take_acts(struct history *self, const struct span *leaves)
{
    struct merkle tree = {0};
    self->root = owned_array(self->size + 1, sizeof *self->root);
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
    free(self->root);
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
