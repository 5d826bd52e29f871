// SPDX-License-Identifier: MIT
#include "security-server/exchange/anchor.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/tile_log.h"
#include "lib/bus/witness.h"
#include "security-server/exchange/audit_actor.h"
#include "security-server/exchange/growth_clock.h"
#include "security-server/exchange/log_talk.h"
#include "security-server/exchange/outside_lines.h"

#include "logtalk.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PATH_BYTES 512
#define LOOK_MS 500
#define ROUND_MS 20000 /* how long one round of asking may last */
#define ASK_MS 8000
#define RETRY_MS 10000
#define TRIES_MAX 3 /* a witness that names another size is asked again */

/* One witness in the round under way. */
struct asked {
    struct anchor *home;
    char server[ID_TEXT_BYTES_MAX + 1];
    struct note_key key;
    uint64_t old_size; /* what it has cosigned, as far as we know */
    unsigned tries;
    bool waiting, signed_it;
};

struct anchor {
    struct node *node;
    char folder[PATH_BYTES - 64]; /* of this epoch */
    char cosigned_path[PATH_BYTES];
    struct loop_timer timer;
    struct timespec stamp;  /* of the checkpoint that was looked at last */
    struct checkpoint head; /* being cosigned; size 0: no round */
    struct bytes *note;     /* of head, with what came so far */
    size_t count;
    struct asked asked[DIRECTORY_WITNESSES_MAX];
    struct outside_lines outside; /* of witnesses that the scribe asks */
    unsigned quorum, signatures;
    int64_t round_until_ms; /* steady */
    int64_t next_round_ms;  /* steady; not before */
    bool keeping;
    struct audit_job job;
    uint64_t confirmed_size;     /* newest quorum */
    struct growth_clock waiting; /* for one */
};

static fault read_checkpoint(const struct anchor *self, const char *name, struct bytes **note,
                             struct checkpoint *out)
{
    char path[PATH_BYTES];
    text_format(path, sizeof path, "%s/%s", self->folder, name);
    TRY(file_read(path, NOTE_BYTES_MAX, note));
    return checkpoint_open(bytes_span(*note), &self->node->log_key, out);
}

// --- one witness --------------------------------------------------------------------------------

static void end_round(struct anchor *self);
static void ask(struct asked *asked);

static bool is_anybody_asked(const struct anchor *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->asked[i].waiting)
            return true;
    return self->outside.waiting;
}

/* The lines that came are taken only when they are this witness's over this head. */
static fault take_cosignature(struct asked *asked, struct span lines)
{
    struct anchor *self = asked->home;
    OWNED(bytes) trial = NULL;
    struct checkpoint head;
    uint64_t time_s = 0;
    if (lines.size == 0 || lines.size > WITNESS_LINES_BYTES_MAX ||
        self->note->size + lines.size > NOTE_BYTES_MAX)
        return RAISE(BAD_FRAME, "cosignature lines of %zu bytes", lines.size);
    TRY(bytes_copy(bytes_span(self->note), &trial));
    TRY(bytes_append(trial, lines));
    TRY(cosignature_open(bytes_span(trial), &asked->key, &head, &time_s));
    TRY(checkpoint_open(bytes_span(trial), &self->node->log_key, &head));
    bytes_free(&self->note);
    self->note = TAKE(trial);
    asked->signed_it = true;
    asked->old_size = self->head.size;
    self->signatures++;
    return DONE;
}

/* It has another size of ours: a smaller one we prove from, a larger one means that we are not what
 * we were. */
static fault take_other_size(struct asked *asked, struct span body)
{
    uint64_t size = 0;
    if (body.size < 2 || body.at[body.size - 1] != '\n' ||
        failed(text_number(span_of(body.at, body.size - 1), UINT64_MAX, &size)))
        return RAISE(BAD_FRAME, "a size that is none");
    if (size > asked->home->head.size)
        return RAISE(INCONSISTENT,
                     "it has cosigned %" PRIu64 " entries of our log, and we ask for %" PRIu64,
                     size, asked->home->head.size);
    asked->old_size = size;
    return DONE;
}

static fault take_answer(struct asked *asked, const Chaski__LogTalk *answer)
{
    if (answer->body_case != CHASKI__LOG_TALK__BODY_ADD_CHECKPOINT_ANSWER)
        return RAISE(BAD_FRAME, "an answer of another kind");
    const Chaski__AddCheckpointAnswer *said = answer->add_checkpoint_answer;
    struct span body = span_of(said->body.data, said->body.len);
    if (said->status == WITNESS_COSIGN)
        return take_cosignature(asked, body);
    if (said->status == WITNESS_OTHER_SIZE && asked->tries < TRIES_MAX) {
        TRY(take_other_size(asked, body));
        ask(asked);
        return DONE;
    }
    return RAISE(REFUSED, "status %u", said->status);
}

static void on_answer(void *owner, const char *peer, fault f, const Chaski__LogTalk *answer)
{
    struct asked *asked = owner;
    struct anchor *self = asked->home;
    asked->waiting = false;
    if (self->head.size == 0 || self->keeping)
        return; /* the round is over */
    if (!failed(f))
        f = take_answer(asked, answer);
    if (failed(f))
        EVENT(f.code == PEER_UNREACHABLE ? INFO : WARN, "anchor.witness_refused",
              E_TEXT("witness", peer), E_FAULT(f));
    if (!is_anybody_asked(self))
        end_round(self);
}

static fault build_question(struct asked *asked, struct bytes **body)
{
    struct anchor *self = asked->home;
    struct sha256 proof[MERKLE_PROOF_MAX];
    size_t length = 0;
    OWNED(tile_reader) tiles = tile_reader_new(self->folder, self->head.size);
    TRY(tile_reader_consistency(tiles, asked->old_size, proof, &length));
    return witness_request_write(asked->old_size, proof, length, bytes_span(self->note), body);
}

static void ask(struct asked *asked)
{
    struct anchor *self = asked->home;
    OWNED(bytes) body = NULL;
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__AddCheckpoint question = CHASKI__ADD_CHECKPOINT__INIT;
    const struct directory_server *peer =
        directory_server(self->node->directory, span_of_text(asked->server));
    fault f = peer == NULL ? RAISE(UNKNOWN_MEMBER, "it is no longer in the directory")
                           : build_question(asked, &body);
    if (!failed(f)) {
        message.body_case = CHASKI__LOG_TALK__BODY_ADD_CHECKPOINT;
        message.add_checkpoint = &question;
        question.body = (ProtobufCBinaryData){body->size, body->data};
        asked->tries++;
        f = log_talk_ask(self->node->talk, peer, &message, ASK_MS, on_answer, asked);
    }
    asked->waiting = !failed(f);
    if (failed(f))
        EVENT(WARN, "anchor.witness_not_asked", E_TEXT("witness", asked->server), E_FAULT(f));
}

// --- a round ------------------------------------------------------------------------------------

static void kept(struct audit_job *job)
{
    struct anchor *self = job->owner;
    self->keeping = false;
    if (job->fault != OK) {
        EVENT(ERROR, "anchor.not_kept", E_FAULT(RAISE(job->fault, "%s", job->detail)));
    } else {
        self->confirmed_size = self->head.size;
        growth_clock_confirm(&self->waiting, self->head.size);
        EVENT(DEBUG, "anchor.cosigned", E_NUMBER("size", self->head.size),
              E_NUMBER("witnesses", self->signatures));
    }
    self->head.size = 0;
    bytes_free(&self->note);
}

/* Once more, a little later; at once when there is a newer checkpoint to be asked for. */
static void end_without_quorum(struct anchor *self)
{
    if (!self->outside.overtaken)
        EVENT(WARN, "anchor.no_quorum", E_NUMBER("size", self->head.size),
              E_NUMBER("witnesses", self->signatures), E_NUMBER("quorum", self->quorum));
    self->head.size = 0;
    self->stamp = (struct timespec){0};
    self->next_round_ms = clock_steady_ms() + (self->outside.overtaken ? 0 : RETRY_MS);
    bytes_free(&self->note);
}

static void end_round(struct anchor *self)
{
    self->outside.waiting = false;
    if (self->signatures < self->quorum) {
        end_without_quorum(self);
        return;
    }
    self->job = (struct audit_job){.work = AUDIT_FILE, .done = kept, .owner = self};
    self->job.path = self->cosigned_path;
    self->job.note = bytes_span(self->note);
    self->keeping = true;
    fault f = audit_actor_ask(self->node->audit, &self->job);
    if (failed(f)) {
        self->keeping = false;
        self->head.size = 0;
        bytes_free(&self->note);
        EVENT(ERROR, "anchor.not_kept", E_FAULT(f));
    }
}

/* What we know of a witness's state outlives the round. */
static uint64_t known_size(const struct anchor *self, const char *server)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->asked[i].server, server) == 0)
            return self->asked[i].old_size;
    return 0;
}

static void choose_witnesses(struct anchor *self, const struct directory_server *own)
{
    struct asked fresh[DIRECTORY_WITNESSES_MAX] = {0};
    size_t count = 0;
    for (size_t i = 0; i < own->witnesses; i++) {
        const struct note_key *key = directory_witness_key(self->node->directory, &own->witness[i]);
        if (own->witness[i].server == NULL || key == NULL)
            continue; /* outside ones are asked by the scribe, see outside_lines.c */
        struct asked *asked = &fresh[count++];
        asked->home = self;
        asked->key = *key;
        text_format(asked->server, sizeof asked->server, "%s", own->witness[i].server);
        asked->old_size = known_size(self, asked->server);
    }
    memcpy(self->asked, fresh, sizeof fresh);
    self->count = count;
    outside_lines_begin(&self->outside, own);
    self->quorum = own->quorum;
}

static void begin_round(struct anchor *self, const struct directory_server *own,
                        const struct checkpoint *head, struct bytes **note)
{
    choose_witnesses(self, own);
    self->head = *head;
    bytes_free(&self->note);
    self->note = TAKE(*note);
    self->signatures = 0;
    self->round_until_ms = clock_steady_ms() + ROUND_MS;
    for (size_t i = 0; i < self->count; i++) {
        if (self->asked[i].old_size > head->size)
            self->asked[i].old_size = 0; /* it will say */
        ask(&self->asked[i]);
    }
    if (!is_anybody_asked(self))
        end_round(self);
}

static bool has_changed(struct anchor *self)
{
    char path[PATH_BYTES];
    struct stat st;
    text_format(path, sizeof path, "%s/checkpoint", self->folder);
    if (stat(path, &st) != 0 ||
        (st.st_mtim.tv_sec == self->stamp.tv_sec && st.st_mtim.tv_nsec == self->stamp.tv_nsec))
        return false;
    self->stamp = st.st_mtim;
    return true;
}

static void look(struct anchor *self)
{
    OWNED(bytes) note = NULL;
    struct checkpoint head;
    const struct directory_server *own = node_self(self->node);
    if (own == NULL || own->quorum == 0 || self->head.size > 0 || is_anybody_asked(self) ||
        clock_steady_ms() < self->next_round_ms || !has_changed(self))
        return;
    fault f = read_checkpoint(self, "checkpoint", &note, &head);
    if (failed(f)) {
        EVENT(WARN, "anchor.bad_checkpoint", E_FAULT(f));
        return;
    }
    if (head.size > self->confirmed_size)
        begin_round(self, own, &head, &note);
}

// --- alarms -------------------------------------------------------------------------------------

/* The log's own growth is what starts the clock: a scribe that publishes nothing is noticed too. */
static void watch_growth(struct anchor *self)
{
    const struct node *node = self->node;
    const struct directory_server *own = node_self(node);
    growth_clock_grew(&self->waiting, node->head.size, node->traffic_size, clock_steady_ms());
    if (own == NULL || own->quorum == 0)
        growth_clock_confirm(&self->waiting, node->head.size); /* nobody is asked to */
}

static void raise_alarm(struct anchor *self)
{
    const struct server_config *config = self->node->config;
    int64_t now_ms = clock_steady_ms();
    if (growth_clock_alarms(&self->waiting, now_ms, config->witness_alarm_ms))
        EVENT(ERROR, "anchor.unconfirmed",
              E_MS("for_ms", growth_clock_waiting_ms(&self->waiting, now_ms)),
              E_NUMBER("confirmed_size", self->confirmed_size),
              E_NUMBER("size", self->node->head.size),
              E_MS("stops_after_ms", config->witness_stop_ms));
}

uint64_t anchor_confirmed_size(const struct anchor *self)
{
    return self == NULL ? 0 : self->confirmed_size;
}

fault anchor_check(const struct anchor *self)
{
    if (self == NULL)
        return DONE;
    int64_t waiting_ms = growth_clock_waiting_ms(&self->waiting, clock_steady_ms());
    if (waiting_ms <= self->node->config->witness_stop_ms)
        return DONE;
    return RAISE(UNWITNESSED, "no quorum of witnesses since entry %" PRIu64 ", for %lld ms",
                 self->confirmed_size, (long long)waiting_ms);
}

static void look_outside(struct anchor *self)
{
    if (self->head.size == 0 || self->keeping || !self->outside.waiting)
        return;
    self->signatures += outside_lines_take(&self->outside, self->folder, &self->node->log_key,
                                           &self->head, &self->note);
    if (!is_anybody_asked(self))
        end_round(self);
}

static void on_timer(struct loop_timer *timer)
{
    struct anchor *self = timer->owner;
    look_outside(self);
    if (self->head.size > 0 && !self->keeping && clock_steady_ms() > self->round_until_ms)
        end_round(self);
    look(self);
    watch_growth(self);
    raise_alarm(self);
    loop_set_timer(self->node->loop, &self->timer, LOOK_MS);
}

/* What was confirmed before this start, and when: a restart does not set the clock back. A log that
 * never was has waited since it was begun. */
static void read_confirmed(struct anchor *self)
{
    OWNED(bytes) note = NULL;
    struct checkpoint head;
    struct stat st;
    const struct node *node = self->node;
    int64_t now_ms = clock_steady_ms(), wall_ms = clock_wall_ms();
    int64_t since_ms = node->log_begun_ms == 0 ? wall_ms : node->log_begun_ms;
    if (!failed(read_checkpoint(self, "cosigned", &note, &head)) &&
        stat(self->cosigned_path, &st) == 0) {
        self->confirmed_size = head.size;
        since_ms = (int64_t)st.st_mtim.tv_sec * 1000;
    }
    growth_clock_begin(&self->waiting, self->confirmed_size, node->head.size,
                       now_ms - (wall_ms - since_ms), now_ms, node->config->witness_stop_ms);
}

fault anchor_new(struct node *node, struct anchor **out)
{
    OWNED(anchor) self = owned_new(sizeof *self);
    self->node = node;
    text_format(self->folder, sizeof self->folder, "%s", node->log_folder);
    text_format(self->cosigned_path, sizeof self->cosigned_path, "%s/cosigned", self->folder);
    read_confirmed(self);
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    loop_set_timer(node->loop, &self->timer, LOOK_MS);
    *out = TAKE(self);
    return DONE;
}

void anchor_free(struct anchor **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    bytes_free(&(*self)->note);
    free(*self);
    *self = NULL;
}
