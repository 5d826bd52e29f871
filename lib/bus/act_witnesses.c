// SPDX-License-Identifier: MIT
#include "lib/bus/directory_acts.h"

#include "directory.pb-c.h"

#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

static fault take_outside_witness(struct directory *self, struct directory_witness *out,
                                  const char *vkey, const char *url)
{
    struct note_key *key = directory_make(self, sizeof *key);
    out->key = key;
    if (failed(note_key_parse(span_of_text(vkey), key)) || key->type != NOTE_WITNESS)
        return BAD("the key of an outside witness is none");
    TRY(act_word("an outside witness's address", url));
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return BAD("an outside witness at %s, which is no http address", url);
    out->url = directory_keep_text(self, url);
    return DONE;
}

static fault take_witness(struct directory *self, const struct directory_server *server,
                          struct directory_witness *out, const char *id)
{
    const struct directory_server *witness = directory_find(&self->servers, id);
    if (witness == NULL || !witness->is_witness)
        return BAD("witness %s is not a server with a witness key", id);
    if (witness->member == server->member)
        return BAD("%s would be witnessed by its own member", server->id);
    out->server = directory_keep_text(self, id);
    return DONE;
}

static bool is_same_witness(const struct directory_witness *a, const struct directory_witness *b)
{
    if (a->server != NULL && b->server != NULL)
        return strcmp(a->server, b->server) == 0;
    return a->server == NULL && b->server == NULL &&
           memcmp(a->key->public_key, b->key->public_key, ED25519_PUBLIC_BYTES) == 0;
}

static bool names_one_twice(const struct directory_server *server)
{
    for (size_t i = 0; i < server->witnesses; i++)
        for (size_t j = 0; j < i; j++)
            if (is_same_witness(&server->witness[i], &server->witness[j]))
                return true;
    return false;
}

fault act_witnesses_apply(struct directory *self, const Chaski__WitnessesSet *act)
{
    struct directory_server *server = directory_find(&self->servers, act->server);
    if (server == NULL)
        return BAD("witnesses of %s, which is not registered", act->server);
    if (act->n_outside_vkey != act->n_outside_url ||
        act->n_witness + act->n_outside_vkey > DIRECTORY_WITNESSES_MAX)
        return BAD("the witnesses of %s are too many or incomplete", act->server);
    if (act->quorum > act->n_witness + act->n_outside_vkey ||
        (act->quorum == 0) != (act->n_witness + act->n_outside_vkey == 0))
        return BAD("a quorum of %u among the witnesses of %s", act->quorum, act->server);
    server->witnesses = 0;
    server->quorum = act->quorum;
    memset(server->witness, 0, sizeof server->witness);
    for (size_t i = 0; i < act->n_witness; i++)
        TRY(take_witness(self, server, &server->witness[server->witnesses++], act->witness[i]));
    for (size_t i = 0; i < act->n_outside_vkey; i++)
        TRY(take_outside_witness(self, &server->witness[server->witnesses++], act->outside_vkey[i],
                                 act->outside_url[i]));
    return names_one_twice(server) ? BAD("%s names a witness twice", act->server) : DONE;
}
