// SPDX-License-Identifier: MIT
#include "security-server/exchange/start_check.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/header.h"
#include "lib/bus/tile_log.h"
#include "lib/bus/wal.h"
#include "lib/bus/witness.h"
#include "security-server/exchange/epochs.h"
#include "security-server/exchange/known_heads.h"
#include "security-server/exchange/log_talk.h"
#include "security-server/exchange/outside_heads.h"

#include "logtalk.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>

#define PATH_BYTES 512
#define ASKED_AT_ONCE_MAX 32

struct start_check {
    struct node *node;
    struct outside_heads *outside; /* NULL: no such witness, or all was heard */
    size_t outstanding, answered, asked;
    size_t next_witness, next_peer; /* whose turn it is */
    int64_t until_ms;               /* steady */
    bool asking;                    /* still sending the questions: nobody ends it yet */
    fault found;                    /* the first contradiction */
    char detail[900];
    void (*done)(struct node *node, fault f);
};

// --- one claim ----------------------------------------------------------------------------------

static fault shrunk(const struct start_check *self, const char *peer, uint64_t size)
{
    const struct node *node = self->node;
    uint64_t own = node->head.size;
    char wal[PATH_BYTES], file[PATH_BYTES];
    audit_log_path(node->config->audit_folder, node->log_epoch, "wal", wal, sizeof wal);
    wal_segment_path(wal, node->log_segment, file, sizeof file);
    return RAISE(LOG_SHRUNK,
                 "%s holds our signature over a log of %" PRIu64 " entries, and here are %" PRIu64
                 ": entries %" PRIu64 " to %" PRIu64
                 " are missing. Put back %s (and later ones, with payload/ and keys/) with these "
                 "entries in it; or, if they are lost, close this epoch: " LOG_EPOCH_REMEDY
                 ". Nothing was changed",
                 peer, size, own, own, size - 1, file);
}

static fault epoch_missing(const struct start_check *self, const char *peer, unsigned epoch,
                           uint64_t size)
{
    return RAISE(LOG_SHRUNK,
                 "%s holds our signature over %" PRIu64 " entries of epoch %u of this log, and "
                 "%s/log/%u is not here. Put that folder back; or, if it is lost, close it: chaski "
                 "log new-epoch --closes %u. Nothing was changed",
                 peer, size, epoch, self->node->config->audit_folder, epoch, epoch);
}

/* Tiles are derived, and the scribe makes damaged ones anew: what they say counts only when it
 * leads to the head that we signed over them. */
static fault hash_of_tiles(const char *folder, const struct checkpoint *published, uint64_t size,
                           struct sha256 *out)
{
    struct sha256 proof[MERKLE_PROOF_MAX], root;
    size_t length = 0;
    OWNED(tile_reader) tiles = tile_reader_new(folder, published->size);
    TRY(tile_reader_hash(tiles, (struct merkle_range){0, size}, &root));
    TRY(tile_reader_consistency(tiles, size, proof, &length));
    TRY(merkle_consistency_check(size, &root, published->size, &published->root, proof, length));
    *out = root;
    return DONE;
}

/* The tree hash of our first `size` entries, as far as good tiles reach; a fault beyond. */
static fault own_root(const struct start_check *self, uint64_t size, struct sha256 *out)
{
    char path[PATH_BYTES];
    OWNED(bytes) note = NULL;
    struct checkpoint published;
    const struct node *node = self->node;
    if (size == node->head.size) {
        *out = node->head.root;
        return DONE;
    }
    audit_log_path(node->config->audit_folder, node->log_epoch, "checkpoint", path, sizeof path);
    TRY(file_read(path, NOTE_BYTES_MAX, &note));
    TRY(checkpoint_open(bytes_span(note), &node->log_key, &published));
    if (size > published.size || size == 0)
        return RAISE(NOT_FOUND, "no tiles for the first %" PRIu64 " entries", size);
    *strrchr(path, '/') = '\0';
    fault f = hash_of_tiles(path, &published, size, out);
    if (failed(f))
        EVENT(WARN, "start.tiles_damaged", E_FAULT(f));
    return f;
}

/* A closed epoch is what it is: what is known of it stands in the record that closed it. */
static fault hear_closed(const struct start_check *self, const char *peer, unsigned epoch,
                         const struct checkpoint *head)
{
    struct epochs *epochs = self->node->epochs;
    epochs_heard(epochs, peer, epoch, head);
    if (!epochs_closing(epochs) && head->size > epochs_size(epochs, epoch))
        EVENT(INFO, "start.head_beyond_closed_epoch", E_TEXT("peer", peer),
              E_NUMBER("epoch", epoch), E_NUMBER("size", head->size));
    return DONE;
}

static fault check_claim(const struct start_check *self, const char *peer, unsigned epoch,
                         const struct checkpoint *head)
{
    struct sha256 own;
    uint64_t size = head->size;
    const struct sha256 *root = &head->root;
    if (epoch < self->node->log_epoch)
        return hear_closed(self, peer, epoch, head);
    if (size > 0 && (epoch > self->node->log_epoch || epochs_closing(self->node->epochs)))
        return epoch_missing(self, peer, epoch, size);
    if (size > self->node->head.size)
        return shrunk(self, peer, size);
    fault f = own_root(self, size, &own);
    if (failed(f) || sha256_equal(&own, root))
        return DONE; /* tiles that are not there yet are no contradiction */
    return RAISE(LOG_SHRUNK,
                 "%s holds our signature over other entries than the first %" PRIu64
                 " that are here: the log was altered or restored from elsewhere. Put back the "
                 "original files of %s/wal; or, if they are lost, close this "
                 "epoch: " LOG_EPOCH_REMEDY ". Nothing was changed",
                 peer, size, self->node->log_folder);
}

static fault check_note(const struct start_check *self, const char *peer, struct span note)
{
    struct checkpoint head;
    struct note_key key;
    char origin[NOTE_NAME_BYTES_MAX];
    if (note.size == 0 || failed(witness_origin(note, origin)))
        return DONE;
    unsigned epoch = log_epoch_of(&self->node->registered, span_of_text(origin));
    if (epoch == 0 || failed(log_epoch_key(&self->node->registered, epoch, &key)) ||
        failed(checkpoint_open(note, &key, &head)))
        return DONE; /* not signed by us: anybody's word */
    return check_claim(self, peer, epoch, &head);
}

/* A leaf that we signed, with our head of that time in it. */
static fault check_leaf(const struct start_check *self, const char *peer, struct span leaf)
{
    struct cades_parts parts;
    OWNED(header_read) read = NULL;
    const struct directory_server *own = node_self(self->node);
    if (leaf.size == 0 || own == NULL || failed(cades_parse(leaf, &parts)))
        return DONE;
    struct directory_signer *signer = directory_signer_ever(self->node->directory, parts.ski.at);
    if (signer == NULL || strcmp(signer->server->id, own->id) != 0 ||
        failed(cades_verify_leaf(signer->certificate, leaf, &parts)) ||
        failed(header_decode(parts.content, &read)) ||
        !span_is_text(header_of(read)->sender_server, own->id))
        return DONE;
    struct checkpoint head = {.size = header_of(read)->log_size, .root = header_of(read)->log_root};
    return check_claim(self, peer, header_of(read)->log_epoch, &head);
}

// --- asking -------------------------------------------------------------------------------------

static void ask_in_turn(struct start_check *self);
static size_t count_left_out(struct start_check *self);

static void finish(struct start_check *self)
{
    struct node *node = self->node;
    void (*done)(struct node *, fault) = self->done;
    size_t left_out = count_left_out(self);
    if (left_out > 0)
        EVENT(WARN, "start.not_all_asked", E_NUMBER("asked", self->asked),
              E_NUMBER("left_out", left_out));
    if (self->answered == 0)
        EVENT(WARN, "start.nobody_asked_or_answering");
    else
        EVENT(INFO, "start.checked", E_NUMBER("answers", self->answered));
    fault f = self->found;
    if (failed(f))
        f = RAISE(f.code, "%s", self->detail);
    else
        f = epochs_asked(node->epochs, (uint32_t)self->asked, (uint32_t)self->answered);
    start_check_free(&node->check);
    done(node, f);
}

void start_check_free(struct start_check **self)
{
    if (*self == NULL)
        return;
    outside_heads_free(&(*self)->outside);
    free(*self);
    *self = NULL;
}

static void keep_first(struct start_check *self, fault f)
{
    if (!failed(f) || failed(self->found))
        return;
    self->found = f;
    text_format(self->detail, sizeof self->detail, "%s", fault_detail());
}

static void on_answer(void *owner, const char *peer, fault f, const Chaski__LogTalk *answer)
{
    struct start_check *self = owner;
    self->outstanding--;
    if (!failed(f) && answer->body_case == CHASKI__LOG_TALK__BODY_KNOWN_HEAD_ANSWER) {
        const Chaski__KnownHeadAnswer *said = answer->known_head_answer;
        self->answered++;
        f = check_note(self, peer, span_of(said->note.data, said->note.len));
        if (!failed(f))
            f = check_leaf(self, peer, span_of(said->leaf.data, said->leaf.len));
        keep_first(self, f);
    }
    if (self->asking)
        return;
    ask_in_turn(self);
    if (self->outstanding == 0)
        finish(self);
}

static void on_held(void *owner, const char *witness, struct span note)
{
    keep_first(owner, check_note(owner, witness, note));
}

static void on_heard(void *owner, size_t answered)
{
    struct start_check *self = owner;
    EVENT(INFO, "start.outside_checked", E_NUMBER("asked", outside_heads_count(self->node)),
          E_NUMBER("answered", answered));
    self->answered += answered;
    self->outstanding--;
    outside_heads_free(&self->outside);
    if (self->outstanding == 0)
        finish(self);
}

/* About the epoch that an order closes too, and about one that was begun and is not here. */
static void ask_outside(struct start_check *self)
{
    struct node *node = self->node;
    size_t count = outside_heads_count(node);
    unsigned first = node->log_epoch - (epochs_closing(node->epochs) ? 1 : 0);
    const struct outside_heads_asker asker = {on_held, on_heard, self};
    if (count == 0)
        return;
    self->outside =
        outside_heads_new(node, first, node->log_epoch + 1, node->config->start_check_ms, &asker);
    self->asked += count;
    self->outstanding++;
}

static void ask(struct start_check *self, const char *server)
{
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__KnownHead question = CHASKI__KNOWN_HEAD__INIT;
    const struct directory_server *peer =
        directory_server(self->node->directory, span_of_text(server));
    message.body_case = CHASKI__LOG_TALK__BODY_KNOWN_HEAD;
    message.known_head = &question;
    int64_t left_ms = self->until_ms - clock_steady_ms();
    if (peer == NULL || strcmp(server, self->node->config->server) == 0)
        return;
    if (!failed(log_talk_ask(self->node->talk, peer, &message, left_ms, on_answer, self)))
        self->outstanding++, self->asked++;
}

static bool is_witness_of(const struct directory_server *own, const char *server)
{
    for (size_t i = 0; i < own->witnesses; i++)
        if (own->witness[i].server != NULL && strcmp(own->witness[i].server, server) == 0)
            return true;
    return false;
}

/* Witnesses first; NULL at the end. */
static const char *next_server(struct start_check *self)
{
    const struct directory_server *own = node_self(self->node);
    while (own != NULL && self->next_witness < own->witnesses) {
        const char *server = own->witness[self->next_witness++].server;
        if (server != NULL)
            return server;
    }
    for (const char *peer;
         own != NULL && (peer = known_heads_next(self->node->heads, &self->next_peer)) != NULL;)
        if (!is_witness_of(own, peer))
            return peer;
    return NULL;
}

/* Each answer makes room for the next question, as long as the time lasts. */
static void ask_in_turn(struct start_check *self)
{
    const char *server = NULL;
    while (self->outstanding < ASKED_AT_ONCE_MAX && clock_steady_ms() < self->until_ms &&
           (server = next_server(self)) != NULL)
        ask(self, server);
}

static size_t count_left_out(struct start_check *self)
{
    size_t count = 0;
    while (next_server(self) != NULL)
        count++;
    return count;
}

void start_check_begin(struct node *node, void (*done)(struct node *node, fault f))
{
    struct start_check *self = node->check = owned_new(sizeof *self);
    self->node = node;
    self->done = done;
    self->until_ms = clock_steady_ms() + node->config->start_check_ms;
    self->asking = true;
    ask_outside(self);
    ask_in_turn(self);
    self->asking = false;
    if (self->outstanding == 0)
        finish(self);
}
