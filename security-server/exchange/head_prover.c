// SPDX-License-Identifier: MIT
#include "security-server/exchange/head_prover.h"

#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/bus/tile_log.h"
#include "security-server/exchange/audit_actor.h"
#include "security-server/exchange/set_reader.h"

#include "logtalk.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>

#define PATH_BYTES 512

/* What one peer asked: one at a time, for log_talk says so. */
struct proving {
    struct head_prover *home;
    struct log_talk_reply reply;
    struct set_job job;
    unsigned epoch;
    uint64_t old_size;
    struct note_key key;
    struct bytes *note; /* NULL: none that could be read */
    struct sha256 proof[MERKLE_PROOF_MAX];
    size_t length;
};

struct head_prover {
    struct node *node;
    struct map provings; /* by server */
};

// --- on the thread of the sets ------------------------------------------------------------------

static fault open_note(const struct proving *self, const char *name, struct bytes **note,
                       struct checkpoint *head)
{
    char path[PATH_BYTES];
    audit_log_path(self->home->node->config->audit_folder, self->epoch, name, path, sizeof path);
    TRY(file_read(path, NOTE_BYTES_MAX, note));
    return checkpoint_open(bytes_span(*note), &self->key, head);
}

/* The newest head that a quorum cosigned, when it reaches so far; else the newest. */
static fault choose_head(struct proving *self, struct checkpoint *published,
                         struct checkpoint *chosen)
{
    OWNED(bytes) cosigned = NULL;
    struct checkpoint head;
    TRY(open_note(self, "checkpoint", &self->note, published));
    *chosen = *published;
    if (failed(open_note(self, "cosigned", &cosigned, &head)) || head.size < self->old_size ||
        head.size > published->size)
        return DONE;
    *chosen = head;
    bytes_free(&self->note);
    self->note = TAKE(cosigned);
    return DONE;
}

static fault make_proof(void *owner)
{
    struct proving *self = owner;
    char folder[PATH_BYTES];
    struct merkle_range ranges[MERKLE_PROOF_MAX];
    struct checkpoint published, head;
    TRY(choose_head(self, &published, &head));
    if (self->old_size > head.size)
        return RAISE(NOT_FOUND, "the tiles do not reach %" PRIu64 " entries", self->old_size);
    audit_log_path(self->home->node->config->audit_folder, self->epoch, "", folder, sizeof folder);
    OWNED(tile_reader) tiles = tile_reader_new(folder, published.size);
    size_t count = merkle_consistency_ranges(self->old_size, head.size, ranges);
    for (size_t i = 0; i < count; i++)
        TRY(tile_reader_hash(tiles, ranges[i], &self->proof[i]));
    self->length = count;
    return DONE;
}

// --- on the loop --------------------------------------------------------------------------------

/* Without tiles that reach so far the note says how far they do, and the asker asks again later. */
static void answer(struct proving *self)
{
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__ProveFromAnswer said = CHASKI__PROVE_FROM_ANSWER__INIT;
    ProtobufCBinaryData lines[MERKLE_PROOF_MAX];
    for (size_t i = 0; i < self->length; i++)
        lines[i] = (ProtobufCBinaryData){SHA256_BYTES, self->proof[i].at};
    message.body_case = CHASKI__LOG_TALK__BODY_PROVE_FROM_ANSWER;
    message.prove_from_answer = &said;
    said.n_proof = self->length;
    said.proof = lines;
    if (self->note != NULL)
        said.note = (ProtobufCBinaryData){self->note->size, self->note->data};
    log_talk_answer(self->home->node->talk, &self->reply, &message);
    bytes_free(&self->note);
}

static void on_proof(struct set_job *job)
{
    struct proving *self = job->owner;
    if (job->fault != OK)
        self->length = 0;
    answer(self);
}

static struct proving *proving_of(struct head_prover *self, const char *peer)
{
    struct proving *proving = map_get(&self->provings, span_of_text(peer));
    if (proving != NULL)
        return proving;
    proving = owned_new(sizeof *proving);
    proving->home = self;
    map_set(&self->provings, span_of_text(peer), proving);
    return proving;
}

void head_prover_answer(struct head_prover *self, const char *peer, unsigned epoch,
                        uint64_t old_size, const struct log_talk_reply *reply)
{
    if (self == NULL) {
        *reply->under_way = false;
        return;
    }
    struct proving *proving = proving_of(self, peer);
    proving->reply = *reply;
    proving->epoch = epoch;
    proving->old_size = old_size;
    proving->length = 0;
    fault f = log_epoch_key(&self->node->registered, epoch, &proving->key);
    if (!failed(f) && epoch > self->node->log_epoch)
        f = RAISE(NOT_FOUND, "this log has no epoch %u", epoch);
    if (failed(f)) {
        answer(proving);
        return;
    }
    proving->job =
        (struct set_job){.work = SET_CALL, .call = make_proof, .done = on_proof, .owner = proving};
    f = set_reader_ask(self->node->sets, &proving->job);
    if (!failed(f))
        return;
    if (event_rate_allows(&self->node->answers_not_sent))
        EVENT(WARN, "mesh.answer_not_sent", E_TEXT("peer", peer), E_FAULT(f));
    log_talk_answer(self->node->talk, reply, NULL);
}

struct head_prover *head_prover_new(struct node *node)
{
    struct head_prover *self = owned_new(sizeof *self);
    self->node = node;
    return self;
}

void head_prover_free(struct head_prover **self)
{
    if (*self == NULL)
        return;
    size_t step = 0;
    for (struct proving *proving; (proving = map_next(&(*self)->provings, &step, NULL)) != NULL;) {
        bytes_free(&proving->note);
        free(proving);
    }
    map_clear(&(*self)->provings);
    free(*self);
    *self = NULL;
}
