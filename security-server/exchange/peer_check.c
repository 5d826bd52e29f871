// SPDX-License-Identifier: MIT
#include "security-server/exchange/peer_check.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/map.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "lib/crypto/random.h"
#include "security-server/exchange/audit_actor.h"
#include "security-server/exchange/conflicts.h"
#include "security-server/exchange/dispute_rate.h"
#include "security-server/exchange/known_heads.h"
#include "security-server/exchange/own_record.h"

#include "logtalk.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>

#define PATH_BYTES 512
#define ASK_MS 10000

/* What a peer signed to us. */
struct claim {
    struct checkpoint head;
    unsigned epoch;
    uint64_t place; /* of the record in our log */
};

/* What became of the questions to one peer. */
struct examined {
    char *server;
    struct claim claim;       /* that it was asked about last */
    bool open;                /* not answered well: the same is asked again */
    int64_t again_ms;         /* steady */
    enum fault_code short_of; /* what its answers lack; OK: nothing */
    int64_t short_since_ms;   /* steady */
    enum fault_code told_of;  /* in our log; OK: nothing */
    unsigned unanswered;      /* rounds in a row */
    struct dispute_rate rate; /* of contradictions that are told of in our log */
};

struct peer_check {
    struct node *node;
    struct loop_timer timer;
    struct map examined;     /* by server */
    int64_t next_ms;         /* steady: when anybody is asked */
    struct examined *asking; /* NULL: nobody */
};

// --- checking -----------------------------------------------------------------------------------

static fault read_proof(const Chaski__ProveFromAnswer *said, struct sha256 proof[MERKLE_PROOF_MAX])
{
    if (said->n_proof > MERKLE_PROOF_MAX)
        return RAISE(BAD_FRAME, "a proof of %zu hashes", said->n_proof);
    for (size_t i = 0; i < said->n_proof; i++) {
        if (said->proof[i].len != SHA256_BYTES)
            return RAISE(BAD_FRAME, "a hash of %zu bytes", said->proof[i].len);
        memcpy(proof[i].at, said->proof[i].data, SHA256_BYTES);
    }
    return DONE;
}

/* As many witnesses as the directory demands of that log. */
static fault check_quorum(const struct node *node, const struct directory_server *peer,
                          struct span note)
{
    unsigned signatures = 0;
    struct checkpoint head;
    uint64_t time_s = 0;
    for (size_t i = 0; i < peer->witnesses; i++) {
        const struct note_key *key = directory_witness_key(node->directory, &peer->witness[i]);
        signatures += key != NULL && !failed(cosignature_open(note, key, &head, &time_s));
    }
    return signatures >= peer->quorum
               ? DONE
               : RAISE(UNWITNESSED, "its checkpoint has %u cosignatures of witnesses, of %u",
                       signatures, peer->quorum);
}

/* NOT_FOUND: it does not reach so far (yet). UNWITNESSED: it does, by its own word only. */
static fault check(const struct peer_check *self, const struct claim *claim,
                   const struct directory_server *peer, const Chaski__ProveFromAnswer *said)
{
    struct checkpoint head;
    struct note_key key;
    struct sha256 proof[MERKLE_PROOF_MAX];
    struct span note = span_of(said->note.data, said->note.len);
    TRY(log_epoch_key(&peer->log_key, claim->epoch, &key));
    if (note.size == 0)
        return RAISE(NOT_FOUND, "it has no checkpoint yet");
    TRY(checkpoint_open(note, &key, &head));
    if (head.size < claim->head.size)
        return RAISE(NOT_FOUND,
                     "its checkpoint of %" PRIu64 " entries does not reach the %" PRIu64
                     " that it signed before",
                     head.size, claim->head.size);
    TRY(read_proof(said, proof));
    TRY(merkle_consistency_check(claim->head.size, &claim->head.root, head.size, &head.root, proof,
                                 said->n_proof));
    return check_quorum(self->node, peer, note);
}

/* Two heads that the peer signed and that contradict one another: our log holds the one, a file the
 * other. Kept, and said in the log itself. */
static void keep_conflict(struct peer_check *self, struct examined *peer, const char *what,
                          const Chaski__ProveFromAnswer *said)
{
    char name[CONFLICT_NAME_BYTES] = "none", detail[700];
    const struct directory_server *server =
        directory_server(self->node->directory, span_of_text(peer->server));
    bool fresh = false;
    fault f = said->note.len == 0 || server == NULL
                  ? RAISE(NOT_FOUND, "it sent no note")
                  : conflicts_keep(self->node->config->audit_folder, server->log_key.name,
                                   span_of(said->note.data, said->note.len), 0, name, &fresh);
    if (failed(f))
        EVENT(ERROR, "peer.conflict_not_kept", E_FAULT(f));
    if (!dispute_rate_is_open(&peer->rate)) { /* its note is kept; told of with the others */
        dispute_rate_owe(&peer->rate);
        return;
    }
    dispute_rate_tell(&peer->rate);
    text_format(detail, sizeof detail,
                "the log of %s %s: its newest checkpoint, kept in %s, against the head of %llu "
                "entries that it signed in entry %llu of epoch %u of this log",
                peer->server, what, failed(f) ? "no file" : name,
                (unsigned long long)peer->claim.head.size,
                (unsigned long long)audit_place_index(peer->claim.place),
                audit_place_epoch(peer->claim.place));
    own_record_keep(self->node, HEADER_INCIDENT, detail, NULL);
}

/* A peer that is content and contradicts itself by turns must not fill our log. */
static void remind(struct peer_check *self)
{
    char detail[300];
    size_t step = 0;
    for (struct examined *peer; (peer = map_next(&self->examined, &step, NULL)) != NULL;) {
        uint64_t times = dispute_rate_take(&peer->rate);
        if (times == 0)
            continue;
        text_format(detail, sizeof detail,
                    "since the last record of this kind the log of %s contradicted what it was "
                    "%llu times more; as far as there is room its notes are kept in conflicts/",
                    peer->server, (unsigned long long)times);
        EVENT(ERROR, "peer.conflicts_since", E_TEXT("peer", peer->server),
              E_NUMBER("heads", (int64_t)times));
        own_record_keep(self->node, HEADER_INCIDENT, detail, NULL);
    }
}

static void ask_again(const struct peer_check *self, struct examined *peer)
{
    peer->open = true;
    peer->again_ms = clock_steady_ms() + self->node->config->witness_alarm_ms;
}

static void be_content(struct examined *peer)
{
    EVENT(DEBUG, "peer.consistent", E_TEXT("peer", peer->server),
          E_NUMBER("from", peer->claim.head.size));
    peer->open = false;
    peer->unanswered = 0;
    peer->short_of = peer->told_of = OK;
}

static void note_silence(struct peer_check *self, struct examined *peer, fault f)
{
    peer->unanswered++;
    bool often = peer->unanswered % PEER_SILENT_ROUNDS == 0;
    EVENT(often ? WARN : INFO, often ? "peer.silent" : "peer.not_checked",
          E_TEXT("peer", peer->server), E_NUMBER("rounds", peer->unanswered), E_FAULT(f));
    ask_again(self, peer);
}

/* A proof that is none is as bad as none: an honest log has one. */
static void note_contradiction(struct peer_check *self, struct examined *peer, fault f,
                               const Chaski__ProveFromAnswer *said)
{
    peer->unanswered = 0;
    EVENT(ERROR, "peer.inconsistent_log", E_TEXT("peer", peer->server), E_FAULT(f));
    if (f.code == INCONSISTENT && peer->told_of != f.code) {
        peer->told_of = f.code;
        keep_conflict(self, peer, "does not contain what it was, for its proof fails", said);
    }
    ask_again(self, peer);
}

/* An honest log may be a publication behind, or wait for its witnesses; when its own alarm must
 * have been raised by now it has no excuse. */
static void note_shortage(struct peer_check *self, struct examined *peer, fault f,
                          const Chaski__ProveFromAnswer *said)
{
    int64_t now_ms = clock_steady_ms();
    peer->unanswered = 0;
    if (peer->short_of != f.code) {
        peer->short_of = f.code;
        peer->short_since_ms = now_ms;
    }
    int64_t since_ms = now_ms - peer->short_since_ms;
    bool late = since_ms >= self->node->config->witness_alarm_ms, behind = f.code == NOT_FOUND;
    const char *name = behind ? "peer.smaller_log" : "peer.unconfirmed_log";
    if (late && behind)
        EVENT(ERROR, name, E_TEXT("peer", peer->server), E_MS("for_ms", since_ms), E_FAULT(f));
    else
        EVENT(late ? WARN : INFO, late ? name : "peer.not_checked", E_TEXT("peer", peer->server),
              E_MS("for_ms", since_ms), E_FAULT(f));
    if (late && behind && peer->told_of != f.code) {
        peer->told_of = f.code;
        keep_conflict(self, peer, "has not come back to what it was", said);
    }
    ask_again(self, peer);
}

static void on_answer(void *owner, const char *id, fault f, const Chaski__LogTalk *answer)
{
    struct peer_check *self = owner;
    struct examined *peer = self->asking;
    const struct directory_server *server =
        directory_server(self->node->directory, span_of_text(id));
    self->asking = NULL;
    if (failed(f) || server == NULL ||
        answer->body_case != CHASKI__LOG_TALK__BODY_PROVE_FROM_ANSWER) {
        note_silence(self, peer, failed(f) ? f : RAISE(BAD_FRAME, "an answer of another kind"));
        return;
    }
    f = check(self, &peer->claim, server, answer->prove_from_answer);
    if (!failed(f))
        be_content(peer);
    else if (f.code == NOT_FOUND || f.code == UNWITNESSED)
        note_shortage(self, peer, f, answer->prove_from_answer);
    else if (f.code == INCONSISTENT || f.code == BAD_FRAME)
        note_contradiction(self, peer, f, answer->prove_from_answer);
    else
        note_silence(self, peer, f); /* nothing that it signed */
}

// --- asking -------------------------------------------------------------------------------------

static const char *choose_peer(const struct peer_check *self)
{
    size_t count = 0, step = 0;
    uint32_t pick = 0;
    while (known_heads_next(self->node->heads, &step) != NULL)
        count++;
    if (count == 0)
        return NULL;
    random_fill((uint8_t *)&pick, sizeof pick);
    const char *peer = NULL;
    step = 0;
    for (size_t i = 0; i <= pick % count; i++)
        peer = known_heads_next(self->node->heads, &step);
    return peer;
}

/* As many as have spoken to us: see known_heads. */
static struct examined *examined_of(struct peer_check *self, const char *server)
{
    struct examined *peer = map_get(&self->examined, span_of_text(server));
    if (peer != NULL)
        return peer;
    peer = owned_new(sizeof *peer);
    peer->server = owned_text(server);
    map_set(&self->examined, span_of_text(peer->server), peer);
    return peer;
}

/* Whoever has waited longest. It is asked the same again: a newer head is always a publication
 * ahead.
 */
static struct examined *choose_open(const struct peer_check *self, int64_t now_ms)
{
    struct examined *first = NULL;
    size_t step = 0;
    for (struct examined *peer; (peer = map_next(&self->examined, &step, NULL)) != NULL;)
        if (peer->open && peer->again_ms <= now_ms &&
            (first == NULL || peer->again_ms < first->again_ms))
            first = peer;
    return first;
}

/* Anybody that is not open already. */
static struct examined *choose_any(struct peer_check *self)
{
    const char *id = choose_peer(self);
    struct examined *peer = id == NULL ? NULL : examined_of(self, id);
    if (peer == NULL || peer->open ||
        !known_heads_of(self->node->heads, id, &peer->claim.head, &peer->claim.epoch,
                        &peer->claim.place))
        return NULL;
    return peer;
}

/* Many peers that are away must not keep the others from their turn. */
static struct examined *choose(struct peer_check *self)
{
    int64_t now_ms = clock_steady_ms();
    struct examined *peer = NULL;
    if (now_ms >= self->next_ms) {
        self->next_ms = now_ms + self->node->config->peer_check_every_ms;
        peer = choose_any(self);
    }
    return peer != NULL ? peer : choose_open(self, now_ms);
}

static void ask(struct peer_check *self, struct examined *peer)
{
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__ProveFrom question = CHASKI__PROVE_FROM__INIT;
    const struct directory_server *server =
        directory_server(self->node->directory, span_of_text(peer->server));
    if (server == NULL) { /* it left the bus */
        peer->open = false;
        return;
    }
    message.body_case = CHASKI__LOG_TALK__BODY_PROVE_FROM;
    message.prove_from = &question;
    question.old_size = peer->claim.head.size;
    question.epoch = peer->claim.epoch <= 1 ? 0 : peer->claim.epoch;
    self->asking = peer;
    fault f = log_talk_ask(self->node->talk, server, &message, ASK_MS, on_answer, self);
    if (!failed(f))
        return;
    self->asking = NULL;
    EVENT(INFO, "peer.not_checked", E_TEXT("peer", peer->server), E_FAULT(f));
    ask_again(self, peer);
}

void peer_check_doubt(struct peer_check *self, const char *server)
{
    struct examined *peer = self == NULL ? NULL : examined_of(self, server);
    if (peer == NULL || peer->open ||
        !known_heads_of(self->node->heads, server, &peer->claim.head, &peer->claim.epoch,
                        &peer->claim.place))
        return;
    peer->open = true;
    peer->again_ms = clock_steady_ms();
}

static void on_timer(struct loop_timer *timer)
{
    struct peer_check *self = timer->owner;
    struct examined *peer = self->asking == NULL ? choose(self) : NULL;
    if (peer != NULL)
        ask(self, peer);
    remind(self);
    int64_t every_ms = self->node->config->peer_check_every_ms;
    loop_set_timer(self->node->loop, &self->timer,
                   every_ms < PEER_CHECK_LOOK_MS ? every_ms : PEER_CHECK_LOOK_MS);
}

struct peer_check *peer_check_new(struct node *node)
{
    struct peer_check *self = owned_new(sizeof *self);
    int64_t every_ms = node->config->peer_check_every_ms;
    self->node = node;
    self->next_ms = clock_steady_ms() + every_ms;
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    loop_set_timer(node->loop, &self->timer,
                   every_ms < PEER_CHECK_LOOK_MS ? every_ms : PEER_CHECK_LOOK_MS);
    return self;
}

void peer_check_free(struct peer_check **self)
{
    if (*self == NULL)
        return;
    size_t step = 0;
    for (struct examined *peer; (peer = map_next(&(*self)->examined, &step, NULL)) != NULL;) {
        free(peer->server);
        free(peer);
    }
    map_clear(&(*self)->examined);
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    free(*self);
    *self = NULL;
}
