// SPDX-License-Identifier: MIT
/* Who cosigns whose log: one log at a time, or for all at once. */
#include "registry/commands.h"

#include "lib/base/text.h"
#include "lib/crypto/digest.h"

#include "directory.pb-c.h"

#include <stdlib.h>

#define PER_LOG_DEFAULT 5

static char *lend(const char *text)
{
    return (char *)(uintptr_t)text;
}

static fault put(struct store *store, Chaski__WitnessesSet *set)
{
    return store_act(store,
                     &(Chaski__Act){.base = PROTOBUF_C_MESSAGE_INIT(&chaski__act__descriptor),
                                    .context = lend(""),
                                    .act_case = CHASKI__ACT__ACT_WITNESSES_SET,
                                    .witnesses_set = set});
}

// --- by name ------------------------------------------------------------------------------------

/* VKEY=URL; a verifier key ends in base64, which may hold '=' itself: the URL begins at "=http". */
static fault split_outside(const char *given, char **vkey, char **url)
{
    const char *at = strstr(given, "=http");
    if (at == NULL)
        return RAISE(BAD_REQUEST, "--outside is VKEY=URL");
    *vkey = owned_text(given);
    (*vkey)[at - given] = '\0';
    *url = owned_text(at + 1);
    return DONE;
}

fault act_witness_set(struct store *store, const struct arguments *arguments, struct said *said)
{
    Chaski__WitnessesSet set = CHASKI__WITNESSES_SET__INIT;
    char *witness[ARGUMENT_VALUES_MAX], *vkey[ARGUMENT_VALUES_MAX] = {NULL},
                                        *url[ARGUMENT_VALUES_MAX] = {NULL};
    unsigned quorum = 0;
    fault f = arguments_number(arguments, ARGUMENT_QUORUM, 0, DIRECTORY_WITNESSES_MAX, 0, &quorum);
    set.server = lend(arguments->operand);
    set.quorum = quorum;
    for (size_t i = 0; i < arguments->count[ARGUMENT_WITNESS]; i++)
        witness[i] = lend(arguments->value[ARGUMENT_WITNESS][i]);
    set.n_witness = arguments->count[ARGUMENT_WITNESS];
    set.witness = witness;
    size_t outside = arguments->count[ARGUMENT_OUTSIDE];
    for (size_t i = 0; !failed(f) && i < outside; i++)
        f = split_outside(arguments->value[ARGUMENT_OUTSIDE][i], &vkey[i], &url[i]);
    set.n_outside_vkey = set.n_outside_url = outside;
    set.outside_vkey = vkey;
    set.outside_url = url;
    if (!failed(f))
        f = put(store, &set);
    for (size_t i = 0; i < outside; i++) {
        free(vkey[i]);
        free(url[i]);
    }
    TRY(f);
    said_add(said, "log of %s: %zu witnesses, quorum %u", set.server, set.n_witness + outside,
             quorum);
    return DONE;
}

// --- for all ------------------------------------------------------------------------------------

/* A witness's rank for a log: highest-random-weight, so that a new server takes over few logs and
 * a lost one leaves few to others. */
struct rank {
    struct sha256 weight;
    const struct directory_server *server;
};

static int by_weight(const void *a, const void *b)
{
    return memcmp(((const struct rank *)b)->weight.at, ((const struct rank *)a)->weight.at,
                  SHA256_BYTES);
}

static size_t rank_witnesses(const struct directory *directory,
                             const struct directory_server *server, struct rank **out)
{
    size_t count = 0, step = 0;
    struct rank *ranks = NULL;
    for (const struct directory_server *at;
         (at = directory_next_server(directory, &step)) != NULL;) {
        if (!at->is_witness || at->member == server->member)
            continue;
        ranks = owned_grow(ranks, count + 1, sizeof *ranks);
        ranks[count++] = (struct rank){
            SHA256_OF(span_of_text(server->log_key.name), span_of("", 1), span_of_text(at->id)),
            at};
    }
    if (count > 0)
        qsort(ranks, count, sizeof *ranks, by_weight);
    *out = ranks;
    return count;
}

static bool stands_already(const struct directory_server *server, const struct rank *ranks,
                           size_t count, unsigned quorum)
{
    if (server->quorum != quorum || server->witnesses != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (server->witness[i].server == NULL ||
            strcmp(server->witness[i].server, ranks[i].server->id) != 0)
            return false;
    return true;
}

static fault assign_one(struct store *store, const char *id, unsigned per_log, unsigned quorum,
                        unsigned *changed)
{
    const struct directory *directory = store_state(store);
    const struct directory_server *server = directory_server(directory, span_of_text(id));
    Chaski__WitnessesSet set = CHASKI__WITNESSES_SET__INIT;
    char *witness[DIRECTORY_WITNESSES_MAX];
    struct rank *ranks = NULL;
    size_t count = rank_witnesses(directory, server, &ranks);
    if (count > per_log)
        count = per_log;
    set.server = lend(id);
    set.quorum = quorum == 0 ? (unsigned)(count / 2 + (count > 0)) : quorum;
    if (set.quorum > count)
        set.quorum = (unsigned)count;
    set.n_witness = count;
    set.witness = witness;
    for (size_t i = 0; i < count; i++)
        witness[i] = lend(ranks[i].server->id);
    bool same = stands_already(server, ranks, count, set.quorum);
    free(ranks);
    if (same)
        return DONE;
    (*changed)++;
    return put(store, &set);
}

static char **server_ids(const struct directory *directory, size_t *count)
{
    char **ids = NULL;
    size_t step = 0;
    *count = 0;
    for (const struct directory_server *at;
         (at = directory_next_server(directory, &step)) != NULL;) {
        ids = owned_grow(ids, *count + 1, sizeof *ids);
        ids[(*count)++] = owned_text(at->id);
    }
    return ids;
}

/* Logs that have outside witnesses were set by hand, and are left as they are. */
static bool is_set_by_hand(const struct directory *directory, const char *id)
{
    const struct directory_server *server = directory_server(directory, span_of_text(id));
    for (size_t i = 0; i < server->witnesses; i++)
        if (server->witness[i].server == NULL)
            return true;
    return false;
}

fault act_witness_assign(struct store *store, const struct arguments *arguments, struct said *said)
{
    unsigned per_log = 0, quorum = 0, changed = 0;
    size_t count = 0;
    TRY(arguments_number(arguments, ARGUMENT_PER_LOG, 1, DIRECTORY_WITNESSES_MAX, PER_LOG_DEFAULT,
                         &per_log));
    TRY(arguments_number(arguments, ARGUMENT_QUORUM, 1, DIRECTORY_WITNESSES_MAX, 0, &quorum));
    char **ids = server_ids(store_state(store), &count);
    fault f = DONE;
    for (size_t i = 0; i < count; i++) {
        if (!failed(f) && !is_set_by_hand(store_state(store), ids[i]))
            f = assign_one(store, ids[i], per_log, quorum, &changed);
        free(ids[i]);
    }
    free(ids);
    TRY(f);
    said_add(said, "witnesses: %u of %zu logs changed", changed, count);
    return DONE;
}

static bool has_possible_witness(const struct directory *directory,
                                 const struct directory_server *server)
{
    size_t step = 0;
    for (const struct directory_server *at; (at = directory_next_server(directory, &step)) != NULL;)
        if (at->is_witness && at->member != server->member)
            return true;
    return false;
}

/* Those that could have some. */
void witnesses_warn(const struct store *store, struct said *said)
{
    const struct directory *directory = store_state(store);
    size_t bare = 0, count = 0, step = 0;
    for (const struct directory_server *at; (at = directory_next_server(directory, &step)) != NULL;
         count++)
        bare += at->quorum == 0 && has_possible_witness(directory, at);
    if (bare > 0)
        said_add(said,
                 "warning: %zu of %zu logs have no witnesses: nobody else vouches that nothing is "
                 "cut off from them: chaski-registry witness assign STORE",
                 bare, count);
}
