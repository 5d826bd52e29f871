// SPDX-License-Identifier: MIT
#include "security-server/exchange/peer_check.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/tile_log.h"
#include "lib/crypto/random.h"
#include "security-server/exchange/audit_actor.h"
#include "security-server/exchange/known_heads.h"
#include "security-server/exchange/own_record.h"

#include "logtalk.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>

#define PATH_BYTES 512
#define ASK_MS 10000

struct peer_check {
    struct node *node;
    struct loop_timer timer;
    /* the question under way */
    struct checkpoint known; /* what the peer signed to us */
    unsigned known_epoch;
    uint64_t known_place;
};

// --- proving ------------------------------------------------------------------------------------

static fault own_proof(const struct node *node, unsigned epoch, uint64_t old_size,
                       struct bytes **note, struct sha256 proof[MERKLE_PROOF_MAX], size_t *length)
{
    char path[PATH_BYTES];
    struct note_key key;
    struct checkpoint head;
    TRY(log_epoch_key(&node->registered, epoch, &key));
    if (epoch > node->log_epoch)
        return RAISE(NOT_FOUND, "this log has no epoch %u", epoch);
    audit_log_path(node->config->audit_folder, epoch, "checkpoint", path, sizeof path);
    TRY(file_read(path, NOTE_BYTES_MAX, note));
    TRY(checkpoint_open(bytes_span(*note), &key, &head));
    *strrchr(path, '/') = '\0';
    OWNED(tile_reader) tiles = tile_reader_new(path, head.size);
    return tile_reader_consistency(tiles, old_size, proof, length);
}

/* Without tiles that reach so far the note says how far they do, and the asker asks again later. */
void peer_check_answer(struct peer_check *self, unsigned epoch, uint64_t old_size,
                       const struct log_talk_reply *reply)
{
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__ProveFromAnswer said = CHASKI__PROVE_FROM_ANSWER__INIT;
    struct sha256 proof[MERKLE_PROOF_MAX];
    ProtobufCBinaryData lines[MERKLE_PROOF_MAX];
    size_t length = 0;
    OWNED(bytes) note = NULL;
    if (self == NULL)
        return;
    fault f = own_proof(self->node, epoch, old_size, &note, proof, &length);
    if (failed(f))
        length = 0;
    for (size_t i = 0; i < length; i++)
        lines[i] = (ProtobufCBinaryData){SHA256_BYTES, proof[i].at};
    message.body_case = CHASKI__LOG_TALK__BODY_PROVE_FROM_ANSWER;
    message.prove_from_answer = &said;
    said.n_proof = length;
    said.proof = lines;
    if (note != NULL)
        said.note = (ProtobufCBinaryData){note->size, note->data};
    log_talk_answer(self->node->talk, reply, &message);
}

// --- checking -----------------------------------------------------------------------------------

static fault check(const struct peer_check *self, const struct directory_server *peer,
                   const Chaski__ProveFromAnswer *said)
{
    struct checkpoint head;
    struct note_key key;
    struct sha256 proof[MERKLE_PROOF_MAX];
    TRY(log_epoch_key(&peer->log_key, self->known_epoch, &key));
    if (said->note.len == 0)
        return RAISE(NOT_FOUND, "it has no checkpoint yet");
    TRY(checkpoint_open(span_of(said->note.data, said->note.len), &key, &head));
    if (head.size < self->known.size)
        return RAISE(NOT_FOUND,
                     "its checkpoint of %" PRIu64 " entries does not reach %" PRIu64 " yet",
                     head.size, self->known.size);
    if (said->n_proof > MERKLE_PROOF_MAX)
        return RAISE(BAD_FRAME, "a proof of %zu hashes", said->n_proof);
    for (size_t i = 0; i < said->n_proof; i++) {
        if (said->proof[i].len != SHA256_BYTES)
            return RAISE(BAD_FRAME, "a hash of %zu bytes", said->proof[i].len);
        memcpy(proof[i].at, said->proof[i].data, SHA256_BYTES);
    }
    return merkle_consistency_check(self->known.size, &self->known.root, head.size, &head.root,
                                    proof, said->n_proof);
}

/* Two heads that the peer signed and that no proof joins: our log holds the one, this file the
 * other. Kept, and said in the log itself. */
static void keep_conflict(struct peer_check *self, const char *peer,
                          const Chaski__ProveFromAnswer *said)
{
    char folder[PATH_BYTES], path[PATH_BYTES], detail[700];
    int64_t now_ms = clock_wall_ms();
    text_format(folder, sizeof folder, "%s/conflicts", self->node->config->audit_folder);
    text_format(path, sizeof path, "%s/%lld.checkpoint", folder, (long long)now_ms);
    fault f = file_make_folders(folder, 0700);
    if (!failed(f))
        f = file_replace(path, span_of(said->note.data, said->note.len), 0644);
    if (failed(f))
        EVENT(ERROR, "peer.conflict_not_kept", E_FAULT(f));
    text_format(detail, sizeof detail,
                "the log of %s does not contain what it was: its newest checkpoint, kept in "
                "conflicts/%lld.checkpoint, is not joined by its proof to the head of %llu entries "
                "that it signed in entry %llu of epoch %u of this log",
                peer, (long long)now_ms, (unsigned long long)self->known.size,
                (unsigned long long)audit_place_index(self->known_place),
                audit_place_epoch(self->known_place));
    own_record_keep(self->node, HEADER_INCIDENT, detail, NULL);
}

static void on_answer(void *owner, const char *peer, fault f, const Chaski__LogTalk *answer)
{
    struct peer_check *self = owner;
    const struct directory_server *server =
        directory_server(self->node->directory, span_of_text(peer));
    if (!failed(f) &&
        (server == NULL || answer->body_case != CHASKI__LOG_TALK__BODY_PROVE_FROM_ANSWER))
        f = RAISE(BAD_FRAME, "an answer of another kind");
    if (!failed(f))
        f = check(self, server, answer->prove_from_answer);
    if (!failed(f)) {
        EVENT(DEBUG, "peer.consistent", E_TEXT("peer", peer), E_NUMBER("from", self->known.size));
        return;
    }
    /* A proof that is none is as bad as none: an honest log has one. */
    bool contradicts = f.code == INCONSISTENT || f.code == BAD_FRAME;
    EVENT(contradicts ? ERROR : INFO, contradicts ? "peer.inconsistent_log" : "peer.not_checked",
          E_TEXT("peer", peer), E_FAULT(f));
    if (f.code == INCONSISTENT)
        keep_conflict(self, peer, answer->prove_from_answer);
}

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

static void ask(struct peer_check *self)
{
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__ProveFrom question = CHASKI__PROVE_FROM__INIT;
    const char *id = choose_peer(self);
    const struct directory_server *peer =
        id == NULL ? NULL : directory_server(self->node->directory, span_of_text(id));
    if (peer == NULL || !known_heads_of(self->node->heads, id, &self->known, &self->known_epoch,
                                        &self->known_place))
        return;
    message.body_case = CHASKI__LOG_TALK__BODY_PROVE_FROM;
    message.prove_from = &question;
    question.old_size = self->known.size;
    question.epoch = self->known_epoch <= 1 ? 0 : self->known_epoch;
    fault f = log_talk_ask(self->node->talk, peer, &message, ASK_MS, on_answer, self);
    if (failed(f))
        EVENT(INFO, "peer.not_checked", E_TEXT("peer", id), E_FAULT(f));
}

static void on_timer(struct loop_timer *timer)
{
    struct peer_check *self = timer->owner;
    ask(self);
    int64_t every_ms = self->node->config->peer_check_every_ms;
    loop_set_timer(self->node->loop, &self->timer, every_ms < 2 * ASK_MS ? 2 * ASK_MS : every_ms);
}

struct peer_check *peer_check_new(struct node *node)
{
    struct peer_check *self = owned_new(sizeof *self);
    int64_t every_ms = node->config->peer_check_every_ms;
    self->node = node;
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    loop_set_timer(node->loop, &self->timer, every_ms);
    return self;
}

void peer_check_free(struct peer_check **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    free(*self);
    *self = NULL;
}
