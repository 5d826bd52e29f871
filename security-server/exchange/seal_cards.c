// SPDX-License-Identifier: MIT
#include "security-server/exchange/seal_cards.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/map.h"
#include "lib/bus/key_card.h"
#include "security-server/exchange/card_files.h"
#include "security-server/exchange/peers.h"
#include "security-server/exchange/seal_roll.h"
#include "security-server/exchange/step_mesh.h"

#include "logtalk.pb-c.h"

#include <stdlib.h>

/* What we know of one server. */
struct peer_card {
    struct seal_cards *home;
    char *server;
    struct bytes *leaf; /* NULL: no card */
    struct key_card card;
    bool dead;        /* its key is gone, and no later card has come */
    bool asking;      /* a question is on its way */
    bool unopened;    /* ... because an answer did not open */
    bool introduced;  /* it has been handed our card in this run */
    int64_t again_ms; /* steady: before, it is not asked again */
    bool waited;      /* for its answer, and none came, or no card: letters go without */
    int64_t heard_ms; /* steady: when it said last that a key of its is gone */
    int64_t told_ms;  /* steady: when it was told that a key is gone; 0: never */
};

struct seal_cards {
    struct node *node;
    struct card_files files;
    struct map by_server;
};

// --- keeping ------------------------------------------------------------------------------------

/* Later cards only: nobody who kept an older one brings its key back. */
static fault take(struct peer_card *self, struct span leaf, bool *changed)
{
    struct key_card card;
    OWNED(bytes) copy = NULL;
    *changed = false;
    if (self->leaf != NULL && span_equal(bytes_span(self->leaf), leaf))
        return DONE;
    TRY(key_card_read(self->home->node->directory, self->server, leaf, clock_wall_ms(), &card));
    if (self->leaf != NULL && card.made_ms <= self->card.made_ms)
        return RAISE(STALE, "a key card that is not later than the one that is known");
    TRY(bytes_copy(leaf, &copy));
    bytes_free(&self->leaf);
    self->leaf = TAKE(copy);
    self->card = card;
    self->dead = false;
    *changed = true;
    return DONE;
}

static void refuse(const struct peer_card *self, fault f)
{
    if (event_rate_allows(&self->home->node->refused_messages))
        EVENT(WARN, "seal.card_refused", E_TEXT("peer", self->server), E_FAULT(f));
}

/* What cannot be kept is asked for again after the next start. */
static void take_and_keep(struct peer_card *self, struct span leaf)
{
    bool changed = false;
    if (leaf.size == 0)
        return;
    fault f = take(self, leaf, &changed);
    if (failed(f)) {
        refuse(self, f);
        return;
    }
    if (!changed)
        return;
    EVENT(DEBUG, "seal.card_taken", E_TEXT("peer", self->server));
    f = card_files_write(&self->home->files, self->server, leaf);
    if (failed(f))
        EVENT(WARN, "seal.card_not_kept", E_FAULT(f));
}

/* What lies there was checked once, and is checked again: the directory may have changed. */
static void read_kept(struct peer_card *self)
{
    OWNED(bytes) leaf = NULL;
    bool changed = false;
    fault f = card_files_read(&self->home->files, self->server, &leaf);
    if (!failed(f))
        f = take(self, bytes_span(leaf), &changed);
    if (failed(f) && f.code != NOT_FOUND)
        EVENT(INFO, "seal.card_dropped", E_TEXT("peer", self->server), E_FAULT(f));
}

static struct peer_card *card_of(struct seal_cards *self, const char *server)
{
    struct peer_card *one = map_get(&self->by_server, span_of_text(server));
    if (one != NULL)
        return one;
    one = owned_new(sizeof *one);
    one->home = self;
    one->server = owned_text(server);
    map_set(&self->by_server, span_of_text(server), one);
    read_kept(one);
    return one;
}

// --- asking -------------------------------------------------------------------------------------

static bool has_card(const struct peer_card *self)
{
    return self->leaf != NULL && !self->dead;
}

static void on_swapped(void *owner, const char *peer, fault f, const Chaski__LogTalk *answer)
{
    struct peer_card *self = owner;
    struct node *node = self->home->node;
    int64_t now_ms = clock_steady_ms();
    bool unopened = self->unopened;
    self->asking = self->unopened = false;
    self->again_ms = now_ms + CARD_AGAIN_MS;
    if (!failed(f) && answer->body_case == CHASKI__LOG_TALK__BODY_SWAP_CARDS_ANSWER) {
        self->introduced = true;
        take_and_keep(self, span_of(answer->swap_cards_answer->card.data,
                                    answer->swap_cards_answer->card.len));
    }
    if (!has_card(self) || !self->introduced) {
        self->waited = true;
        self->again_ms = now_ms + CARD_WITHOUT_MS;
    }
    mesh_send_again(node, peer, NULL);
    if (unopened && !failed(f))
        mesh_send_again(node, peer, &(struct send_again){.all = true});
}

static void ask(struct peer_card *self)
{
    struct node *node = self->home->node;
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__SwapCards question = CHASKI__SWAP_CARDS__INIT;
    struct span own = seal_roll_card(node->seal_roll);
    const struct directory_server *server =
        directory_server(node->directory, span_of_text(self->server));
    if (self->asking || server == NULL || node->talk == NULL)
        return;
    message.body_case = CHASKI__LOG_TALK__BODY_SWAP_CARDS;
    message.swap_cards = &question;
    question.card = (ProtobufCBinaryData){own.size, (uint8_t *)(uintptr_t)own.at};
    fault f = log_talk_ask(node->talk, server, &message, CARD_ASK_MS, on_swapped, self);
    self->asking = !failed(f);
    if (!failed(f))
        return;
    self->waited = true; /* too much is being asked already: without, and again later */
    self->again_ms = clock_steady_ms() + CARD_AGAIN_MS;
}

static bool is_off(const struct seal_cards *self)
{
    return self == NULL || self->node->config->seal_roll_s == 0;
}

fault seal_cards_key(struct seal_cards *self, const struct directory_server *server,
                     uint8_t out[X25519_PUBLIC_BYTES])
{
    const struct peer_card *one = is_off(self) ? NULL : card_of(self, server->id);
    if (one != NULL && has_card(one)) {
        memcpy(out, one->card.card.key, X25519_PUBLIC_BYTES);
        return DONE;
    }
    if (server->seal_keys == 0)
        return RAISE(KEY_UNKNOWN, "the directory has no sealing key of %s", server->id);
    memcpy(out, server->seal_key[0], X25519_PUBLIC_BYTES);
    return DONE;
}

bool seal_cards_ready(struct seal_cards *self, const struct directory_server *server)
{
    if (is_off(self))
        return true;
    struct peer_card *one = card_of(self, server->id);
    int64_t now_ms = clock_steady_ms();
    bool known = has_card(one) && one->introduced;
    bool due = !known || clock_wall_ms() >= one->card.card.renew_ms;
    if (due && now_ms >= one->again_ms)
        ask(one);
    return known || one->waited;
}

static void tell_one(void *owner, const struct directory_server *server)
{
    ask(card_of(owner, server->id));
}

void seal_cards_announce(struct seal_cards *self)
{
    peers_each_connected(self->node->peers, tell_one, self);
}

/* Whoever signed it may not be who he said any more. */
void seal_cards_refresh(struct seal_cards *self)
{
    size_t step = 0;
    for (struct peer_card *one;
         self != NULL && (one = map_next(&self->by_server, &step, NULL)) != NULL;) {
        const struct directory_signer *signer =
            one->leaf == NULL ? NULL : directory_signer_ever(self->node->directory, one->card.ski);
        if (one->leaf != NULL && (signer == NULL || signer->revoked_since_ms != 0)) {
            EVENT(INFO, "seal.card_dropped", E_TEXT("peer", one->server),
                  E_TEXT("detail", "its signer's certificate is revoked"));
            bytes_free(&one->leaf);
        }
    }
}

// --- being asked --------------------------------------------------------------------------------

void seal_cards_answer(struct seal_cards *self, const char *peer, struct span card,
                       const struct log_talk_reply *reply)
{
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__SwapCardsAnswer said = CHASKI__SWAP_CARDS_ANSWER__INIT;
    struct node *node = self->node;
    struct span own = seal_roll_card(node->seal_roll);
    if (!is_off(self))
        take_and_keep(card_of(self, peer), card);
    message.body_case = CHASKI__LOG_TALK__BODY_SWAP_CARDS_ANSWER;
    message.swap_cards_answer = &said;
    said.card = (ProtobufCBinaryData){own.size, (uint8_t *)(uintptr_t)own.at};
    log_talk_answer(node->talk, reply, &message);
}

// --- keys that are gone -------------------------------------------------------------------------

/* One word speaks for all that this peer has on its way to us. */
void seal_cards_refuse(struct seal_cards *self, const char *peer, struct span route,
                       const uint8_t seal_key_id[SEAL_KEY_ID_BYTES])
{
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__SealGone gone = CHASKI__SEAL_GONE__INIT;
    struct log_talk_reply reply = {.route_size = route.size};
    struct span own = seal_roll_card(self->node->seal_roll); /* empty when keys do not change */
    int64_t now_ms = clock_steady_ms();
    if (route.size > sizeof reply.route)
        return;
    struct peer_card *one = card_of(self, peer);
    if (one->told_ms != 0 && now_ms - one->told_ms < CARD_GONE_MS)
        return;
    one->told_ms = now_ms;
    memcpy(reply.route, route.at, route.size);
    message.body_case = CHASKI__LOG_TALK__BODY_SEAL_GONE;
    message.seal_gone = &gone;
    gone.seal_key_id = (ProtobufCBinaryData){SEAL_KEY_ID_BYTES, (uint8_t *)(uintptr_t)seal_key_id};
    gone.card = (ProtobufCBinaryData){own.size, (uint8_t *)(uintptr_t)own.at};
    log_talk_answer(self->node->talk, &reply, &message);
}

/* Its clock was set back: what it has now is no later card. The directory's key, which it always
 * has, is better than no letter. */
static void drop_dead(struct peer_card *self, struct span seal_key_id_gone)
{
    uint8_t id[SEAL_KEY_ID_BYTES];
    if (!has_card(self))
        return;
    seal_key_id(self->card.card.key, id);
    if (!span_equal(span_of(id, sizeof id), seal_key_id_gone))
        return;
    EVENT(WARN, "seal.card_dead", E_TEXT("peer", self->server),
          E_TEXT("detail", "its key is gone and its new card is not later: a clock was set back"));
    self->dead = self->waited = true;
}

/* It harms itself alone who says so without need: nothing is sealed again to the same key. */
void seal_cards_gone(struct seal_cards *self, const char *peer, struct span seal_key_id,
                     struct span card)
{
    struct send_again what = {.all = false};
    if (is_off(self) || seal_key_id.size != SEAL_KEY_ID_BYTES)
        return;
    struct peer_card *one = card_of(self, peer);
    int64_t now_ms = clock_steady_ms();
    if (one->heard_ms != 0 && now_ms - one->heard_ms < CARD_GONE_MS / 2)
        return; /* it says so for all of them at once */
    one->heard_ms = now_ms;
    take_and_keep(one, card);
    drop_dead(one, seal_key_id);
    memcpy(what.seal_key_id, seal_key_id.at, SEAL_KEY_ID_BYTES);
    mesh_send_again(self->node, peer, &what);
}

void seal_cards_unopened(struct seal_cards *self, const char *peer)
{
    if (is_off(self))
        return;
    struct peer_card *one = card_of(self, peer);
    if (one->asking || clock_steady_ms() < one->again_ms)
        return; /* the question is asked again in time anyway */
    ask(one);
    one->unopened = one->asking;
}

// --- life ---------------------------------------------------------------------------------------

fault seal_cards_new(struct node *node, struct seal_cards **out)
{
    OWNED(seal_cards) self = owned_new(sizeof *self);
    self->node = node;
    TRY(card_files_open(&self->files, node->config->audit_folder));
    card_files_tidy(&self->files, node->directory);
    *out = TAKE(self);
    return DONE;
}

void seal_cards_free(struct seal_cards **self)
{
    if (*self == NULL)
        return;
    size_t step = 0;
    for (struct peer_card *one; (one = map_next(&(*self)->by_server, &step, NULL)) != NULL;) {
        bytes_free(&one->leaf);
        free(one->server);
        free(one);
    }
    map_clear(&(*self)->by_server);
    free(*self);
    *self = NULL;
}
