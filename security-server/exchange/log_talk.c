// SPDX-License-Identifier: MIT
#include "security-server/exchange/log_talk.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/map.h"
#include "lib/bus/limits.h"
#include "lib/crypto/random.h"
#include "security-server/exchange/directory_talk.h"
#include "security-server/exchange/head_prover.h"
#include "security-server/exchange/known_heads.h"
#include "security-server/exchange/minute_share.h"
#include "security-server/exchange/peers.h"
#include "security-server/exchange/seal_cards.h"
#include "security-server/exchange/set_desk.h"
#include "security-server/exchange/witness_desk.h"

#include "logtalk.pb-c.h"

#include <stdlib.h>

#define VERSION 1
#define OUTSTANDING_MAX 1024
#define FRAME_BYTES_MAX (256u << 10)
#define SEND_AGAIN_MS 10 /* while a connection is being made; then doubling */
#define SEND_AGAIN_MS_MAX 500

struct question {
    struct log_talk *home;
    uint64_t id;
    char *peer;
    struct bytes *frame;
    bool sent;
    int64_t again_ms;
    int64_t until_ms; /* steady */
    struct loop_timer timer;
    log_talk_done *done;
    void *owner;
};

/* A server that asks: only those of the directory can connect. */
struct talk_asker {
    struct minute_share checkpoints, heads, proofs, acts, cards;
    bool head_under_way, proof_under_way, acts_under_way;
};

struct log_talk {
    struct node *node;
    struct map askers;    /* by server */
    struct map questions; /* by id */
    uint64_t next_id;
};

struct log_talk *log_talk_new(struct node *node)
{
    struct log_talk *self = owned_new(sizeof *self);
    self->node = node;
    random_fill((uint8_t *)&self->next_id, sizeof self->next_id);
    return self;
}

static void question_free(struct question *question)
{
    loop_stop_timer(question->home->node->loop, &question->timer);
    bytes_free(&question->frame);
    free(question->peer);
    free(question);
}

void log_talk_free(struct log_talk **self)
{
    if (*self == NULL)
        return;
    size_t step = 0;
    for (struct question *one; (one = map_next(&(*self)->questions, &step, NULL)) != NULL;)
        question_free(one);
    step = 0;
    for (struct talk_asker *one; (one = map_next(&(*self)->askers, &step, NULL)) != NULL;)
        free(one);
    map_clear(&(*self)->questions);
    map_clear(&(*self)->askers);
    free(*self);
    *self = NULL;
}

static fault pack(const Chaski__LogTalk *message, struct bytes **out)
{
    TRY(bytes_new(chaski__log_talk__get_packed_size(message), out));
    chaski__log_talk__pack(message, (*out)->data);
    return DONE;
}

static Chaski__LogTalk *unpack(struct span frame)
{
    Chaski__LogTalk *message =
        frame.size > FRAME_BYTES_MAX ? NULL : chaski__log_talk__unpack(NULL, frame.size, frame.at);
    if (message != NULL && message->version == VERSION)
        return message;
    if (message != NULL)
        chaski__log_talk__free_unpacked(message, NULL);
    return NULL;
}

// --- asking -------------------------------------------------------------------------------------

static struct span key_of(const uint64_t *id)
{
    return span_of(id, sizeof *id);
}

static void end(struct question *question, fault f, const Chaski__LogTalk *answer)
{
    map_remove(&question->home->questions, key_of(&question->id));
    question->done(question->owner, question->peer, f, answer);
    question_free(question);
}

/* Not sent while there is no connection: tried again until the time is over. */
static void on_timer(struct loop_timer *timer)
{
    struct question *question = timer->owner;
    struct node *node = question->home->node;
    int64_t left_ms = question->until_ms - clock_steady_ms();
    const struct directory_server *peer =
        directory_server(node->directory, span_of_text(question->peer));
    if (left_ms <= 0 || peer == NULL) {
        end(question, RAISE(PEER_UNREACHABLE, "%s did not answer", question->peer), NULL);
        return;
    }
    if (!question->sent)
        question->sent = !failed(peers_tell(node->peers, peer, bytes_span(question->frame)));
    int64_t wait_ms = question->again_ms == 0 ? SEND_AGAIN_MS : 2 * question->again_ms;
    question->again_ms = wait_ms < SEND_AGAIN_MS_MAX ? wait_ms : SEND_AGAIN_MS_MAX;
    loop_set_timer(node->loop, &question->timer,
                   question->sent || left_ms < question->again_ms ? left_ms : question->again_ms);
}

fault log_talk_ask(struct log_talk *self, const struct directory_server *peer,
                   Chaski__LogTalk *message, int64_t wait_ms, log_talk_done *done, void *owner)
{
    OWNED(bytes) frame = NULL;
    if (self->questions.count >= OUTSTANDING_MAX)
        return RAISE(OVERLOADED, "%d questions about logs are outstanding", OUTSTANDING_MAX);
    message->version = VERSION;
    message->id = self->next_id++;
    TRY(pack(message, &frame));
    struct question *question = owned_new(sizeof *question);
    question->home = self;
    question->id = message->id;
    question->peer = owned_text(peer->id);
    question->frame = TAKE(frame);
    question->until_ms = clock_steady_ms() + wait_ms;
    question->done = done;
    question->owner = owner;
    question->timer = (struct loop_timer){.fire = on_timer, .owner = question};
    map_set(&self->questions, key_of(&question->id), question);
    loop_set_timer(self->node->loop, &question->timer, 0);
    return DONE;
}

static void take_gone(struct node *node, const char *peer, const Chaski__SealGone *gone)
{
    seal_cards_gone(node->cards, peer, span_of(gone->seal_key_id.data, gone->seal_key_id.len),
                    span_of(gone->card.data, gone->card.len));
}

void log_talk_take_answer(struct node *node, const char *peer, struct span frame)
{
    Chaski__LogTalk *message = unpack(frame);
    if (message == NULL) {
        if (event_rate_allows(&node->refused_messages))
            EVENT(WARN, "mesh.message_refused", E_TEXT("peer", peer),
                  E_TEXT("detail", "not about a log"));
        return;
    }
    struct question *question = map_get(&node->talk->questions, key_of(&message->id));
    if (message->body_case == CHASKI__LOG_TALK__BODY_SEAL_GONE)
        take_gone(node, peer, message->seal_gone);
    else if (question != NULL && strcmp(question->peer, peer) == 0)
        end(question, DONE, message); /* else it comes too late, or to nobody */
    chaski__log_talk__free_unpacked(message, NULL);
}

// --- answering ----------------------------------------------------------------------------------

void log_talk_answer(struct log_talk *self, const struct log_talk_reply *to,
                     Chaski__LogTalk *answer)
{
    OWNED(bytes) frame = NULL;
    if (to->under_way != NULL)
        *to->under_way = false;
    if (answer == NULL)
        return;
    answer->version = VERSION;
    answer->id = to->id;
    fault f = pack(answer, &frame);
    struct span frames[] = {f.code == OK ? bytes_span(frame) : (struct span){0}};
    if (!failed(f))
        f = socket_send(self->node->mesh, span_of(to->route, to->route_size), frames, 1);
    if (failed(f) && event_rate_allows(&self->node->answers_not_sent)) /* the asker asks again */
        EVENT(DEBUG, "mesh.answer_not_sent", E_FAULT(f));
}

static struct talk_asker *asker_of(struct log_talk *self, const char *peer)
{
    struct talk_asker *asker = map_get(&self->askers, span_of_text(peer));
    if (asker != NULL)
        return asker;
    asker = owned_new(sizeof *asker);
    map_set(&self->askers, span_of_text(peer), asker);
    return asker;
}

/* One question of a kind is answered at a time. */
static bool is_first(bool *under_way, struct log_talk_reply *reply)
{
    if (*under_way)
        return false;
    *under_way = true;
    reply->under_way = under_way;
    return true;
}

/* What is refused is met with silence: an empty answer would say that we know of no head. */
static bool may_ask(struct log_talk *self, const char *peer, const Chaski__LogTalk *message,
                    struct log_talk_reply *reply)
{
    static const char event[] = "mesh.asked_too_often";
    struct talk_asker *asker = asker_of(self, peer);
    bool head = message->body_case == CHASKI__LOG_TALK__BODY_KNOWN_HEAD;
    if (message->body_case == CHASKI__LOG_TALK__BODY_DIRECTORY_FROM)
        return minute_share_allows(&asker->acts, DIRECTORY_ASKS_A_MINUTE, event, peer,
                                   "DirectoryFrom") &&
               is_first(&asker->acts_under_way, reply);
    if (message->body_case == CHASKI__LOG_TALK__BODY_SWAP_CARDS)
        return minute_share_allows(&asker->cards, CARD_SWAPS_A_MINUTE, event, peer, "SwapCards");
    if (message->body_case == CHASKI__LOG_TALK__BODY_ADD_CHECKPOINT)
        return minute_share_allows(&asker->checkpoints, LOG_TALK_CHECKPOINTS_A_MINUTE, event, peer,
                                   "AddCheckpoint");
    if (!head && message->body_case != CHASKI__LOG_TALK__BODY_PROVE_FROM)
        return true; /* about sets, whose desk has shares of its own */
    bool *under_way = head ? &asker->head_under_way : &asker->proof_under_way;
    bool allowed =
        head ? minute_share_allows(&asker->heads, LOG_TALK_HEADS_A_MINUTE, event, peer, "KnownHead")
             : minute_share_allows(&asker->proofs, LOG_TALK_PROOFS_A_MINUTE, event, peer,
                                   "ProveFrom");
    if (!allowed)
        return false;
    return is_first(under_way, reply);
}

static void take_question(struct log_talk *self, const char *peer, const Chaski__LogTalk *message,
                          const struct log_talk_reply *reply)
{
    struct node *node = self->node;
    if (message->body_case == CHASKI__LOG_TALK__BODY_ADD_CHECKPOINT)
        witness_desk_take(
            node->witness, peer,
            span_of(message->add_checkpoint->body.data, message->add_checkpoint->body.len), reply);
    else if (message->body_case == CHASKI__LOG_TALK__BODY_KNOWN_HEAD)
        known_heads_answer(node->heads, peer, reply);
    else if (message->body_case == CHASKI__LOG_TALK__BODY_PROVE_FROM)
        head_prover_answer(node->prover, peer,
                           message->prove_from->epoch == 0 ? 1 : message->prove_from->epoch,
                           message->prove_from->old_size, reply);
    else if (message->body_case == CHASKI__LOG_TALK__BODY_SWAP_CARDS)
        seal_cards_answer(node->cards, peer,
                          span_of(message->swap_cards->card.data, message->swap_cards->card.len),
                          reply);
    else if (message->body_case == CHASKI__LOG_TALK__BODY_DIRECTORY_FROM)
        directory_talk_answer(node->directory_talk, peer, message->directory_from->size, reply);
    else
        set_desk_take(node->set_desk, peer, message, reply);
}

void log_talk_take_question(struct log_talk *self, const char *peer, struct span route,
                            struct span frame)
{
    struct log_talk_reply reply = {.route_size = route.size};
    Chaski__LogTalk *message = unpack(frame);
    if (message == NULL || route.size > sizeof reply.route) {
        if (event_rate_allows(&self->node->refused_messages))
            EVENT(WARN, "mesh.message_refused", E_TEXT("peer", peer),
                  E_TEXT("detail", "not about a log"));
        if (message != NULL)
            chaski__log_talk__free_unpacked(message, NULL);
        return;
    }
    reply.id = message->id;
    memcpy(reply.route, route.at, route.size);
    if (may_ask(self, peer, message, &reply))
        take_question(self, peer, message, &reply);
    chaski__log_talk__free_unpacked(message, NULL);
}
