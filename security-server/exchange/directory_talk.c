// SPDX-License-Identifier: MIT
#include "security-server/exchange/directory_talk.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/base/text.h"
#include "lib/bus/tile_log.h"
#include "lib/crypto/random.h"
#include "security-server/exchange/directory_feed.h"
#include "security-server/exchange/directory_freshness.h"
#include "security-server/exchange/set_reader.h"

#include "logtalk.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>

#define PATH_BYTES 512
#define LOOK_MS 1000
#define PAGE_LEAVES_MAX 512
#define FRAMING_BYTES 8 /* of one leaf in a message, at most */

/* What one peer asked: one at a time, for log_talk says so. */
struct lending {
    struct directory_talk *home;
    struct log_talk_reply reply;
    struct set_job job;
    uint64_t size; /* that the peer has */
    struct note_key key;
    struct bytes *note; /* NULL: none that could be read */
    size_t leaves;
    struct bytes *leaf[PAGE_LEAVES_MAX];
};

/* What we ask: acts of one peer, page by page. */
struct borrowing {
    bool running;
    bool all; /* from the first act on: is it another history? */
    char server[ID_BYTES_MAX];
    uint64_t held; /* size of the state when it began; all: 0 */
    struct bytes *backing;
    size_t count, room;
    struct place {
        size_t at, size;
    } * leaf; /* in the backing */
};

struct directory_talk {
    struct node *node;
    struct map lendings; /* by server */
    struct borrowing borrowing;
    struct loop_timer timer;
    int64_t next_ms; /* steady: when another peer may be asked in turn */
    size_t turn;
    enum fault_code said;
    int64_t said_ms;
    int64_t all_ms; /* steady: when somebody was asked for all acts last; 0: never */
};

// --- on the thread of the sets ------------------------------------------------------------------

static fault lend(void *owner)
{
    struct lending *self = owner;
    const char *folder = directory_feed_copy(self->home->node->feed);
    struct checkpoint head;
    char path[PATH_BYTES];
    size_t bytes = 0;
    if (!text_format(path, sizeof path, "%s/checkpoint", folder))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    TRY(file_read(path, NOTE_BYTES_MAX, &self->note));
    TRY(checkpoint_open(bytes_span(self->note), &self->key, &head));
    OWNED(tile_reader) tiles = tile_reader_new(folder, head.size);
    for (uint64_t i = self->size; i < head.size && self->leaves < PAGE_LEAVES_MAX; i++) {
        struct bytes **leaf = &self->leaf[self->leaves];
        TRY(tile_reader_entry(tiles, i, leaf));
        self->leaves++;
        bytes += (*leaf)->size + FRAMING_BYTES;
        if (bytes > RECONCILE_LEAVES_BYTES_MAX - LEAF_BYTES_MAX)
            break;
    }
    return DONE;
}

// --- answering ----------------------------------------------------------------------------------

static void lending_clear(struct lending *self)
{
    for (size_t i = 0; i < self->leaves; i++)
        bytes_free(&self->leaf[i]);
    self->leaves = 0;
    bytes_free(&self->note);
}

/* A folder that is being written just now: the peer asks again. */
static void on_lent(struct set_job *job)
{
    struct lending *self = job->owner;
    struct node *node = self->home->node;
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__DirectoryFromAnswer said = CHASKI__DIRECTORY_FROM_ANSWER__INIT;
    ProtobufCBinaryData leaf[PAGE_LEAVES_MAX];
    struct span heartbeat = directory_freshness_note(node->freshness);
    if (job->fault != OK)
        lending_clear(self);
    for (size_t i = 0; i < self->leaves; i++)
        leaf[i] = (ProtobufCBinaryData){self->leaf[i]->size, self->leaf[i]->data};
    message.body_case = CHASKI__LOG_TALK__BODY_DIRECTORY_FROM_ANSWER;
    message.directory_from_answer = &said;
    said.n_leaf = self->leaves;
    said.leaf = leaf;
    said.heartbeat = (ProtobufCBinaryData){heartbeat.size, (uint8_t *)(uintptr_t)heartbeat.at};
    if (self->note != NULL)
        said.note = (ProtobufCBinaryData){self->note->size, self->note->data};
    log_talk_answer(node->talk, &self->reply, &message);
    lending_clear(self);
}

static struct lending *lending_of(struct directory_talk *self, const char *peer)
{
    struct lending *lending = map_get(&self->lendings, span_of_text(peer));
    if (lending != NULL)
        return lending;
    lending = owned_new(sizeof *lending);
    lending->home = self;
    map_set(&self->lendings, span_of_text(peer), lending);
    return lending;
}

void directory_talk_answer(struct directory_talk *self, const char *peer, uint64_t size,
                           const struct log_talk_reply *reply)
{
    if (self == NULL) {
        *reply->under_way = false;
        return;
    }
    struct lending *lending = lending_of(self, peer);
    lending->reply = *reply;
    lending->size = size;
    lending->key = *directory_feed_key(self->node->feed);
    lending->job =
        (struct set_job){.work = SET_CALL, .call = lend, .done = on_lent, .owner = lending};
    fault f = set_reader_ask(self->node->sets, &lending->job);
    if (!failed(f))
        return;
    if (event_rate_allows(&self->node->answers_not_sent))
        EVENT(WARN, "mesh.answer_not_sent", E_TEXT("peer", peer), E_FAULT(f));
    log_talk_answer(self->node->talk, reply, NULL);
}

// --- asking -------------------------------------------------------------------------------------

static void borrowing_end(struct borrowing *self)
{
    bytes_free(&self->backing);
    free(self->leaf);
    *self = (struct borrowing){.running = false};
}

static void say(struct directory_talk *self, fault f)
{
    int64_t now_ms = clock_steady_ms();
    if (failed(f) && (f.code != self->said || now_ms - self->said_ms >= FOLLOW_SAY_MS)) {
        EVENT(WARN, "directory.peer_not_believed", E_TEXT("peer", self->borrowing.server),
              E_FAULT(f));
        self->said = f.code;
        self->said_ms = now_ms;
    }
}

static void give_up(struct directory_talk *self, fault f)
{
    say(self, f);
    borrowing_end(&self->borrowing);
}

static fault keep_leaves(struct borrowing *self, const Chaski__DirectoryFromAnswer *said)
{
    for (size_t i = 0; i < said->n_leaf; i++) {
        struct span leaf = span_of(said->leaf[i].data, said->leaf[i].len);
        if (leaf.size == 0 || leaf.size > LEAF_BYTES_MAX)
            return RAISE(BAD_FRAME, "an act of %zu bytes", leaf.size);
        if (leaf.size > DIRECTORY_HEARD_BYTES_MAX - self->backing->size)
            return RAISE(BAD_FRAME, "more than %u bytes of acts", DIRECTORY_HEARD_BYTES_MAX);
        if (self->count == self->room) {
            self->room = self->room == 0 ? 64 : 2 * self->room;
            self->leaf = owned_grow(self->leaf, self->room, sizeof *self->leaf);
        }
        self->leaf[self->count++] = (struct place){self->backing->size, leaf.size};
        TRY(bytes_append(self->backing, leaf));
    }
    return DONE;
}

static fault hand_over(struct directory_talk *self, struct span note)
{
    struct borrowing *one = &self->borrowing;
    struct span *leaves = owned_array(one->count, sizeof *leaves);
    for (size_t i = 0; i < one->count; i++)
        leaves[i] = span_of(one->backing->data + one->leaf[i].at, one->leaf[i].size);
    fault f = one->all ? directory_feed_compare(self->node->feed, note, leaves, one->count)
              : one->held == directory_epoch(self->node->directory)
                  ? directory_feed_take(self->node->feed, note, leaves, one->count, one->server)
                  : DONE; /* it came on another way meanwhile */
    free(leaves);
    return f;
}

static fault ask_page(struct directory_talk *self);

/* *more: there is another page. */
static fault take_page(struct directory_talk *self, const Chaski__DirectoryFromAnswer *said,
                       bool *more)
{
    struct borrowing *one = &self->borrowing;
    struct span note = span_of(said->note.data, said->note.len);
    struct checkpoint head;
    *more = false;
    if (note.size == 0)
        return DONE;
    TRY(directory_feed_open(self->node->feed, note, &head));
    uint64_t wanted = head.size > one->held + one->count ? head.size - one->held - one->count : 0;
    if (head.size > DIRECTORY_ENTRIES_MAX || said->n_leaf > wanted)
        return RAISE(BAD_FRAME, "%zu acts, of %" PRIu64 " that are missing", said->n_leaf, wanted);
    TRY(keep_leaves(one, said));
    if (wanted > said->n_leaf) {
        *more = said->n_leaf > 0;
        return *more ? ask_page(self) : DONE;
    }
    if (one->count > 0)
        TRY(hand_over(self, note));
    directory_freshness_hear(self->node->freshness,
                             span_of(said->heartbeat.data, said->heartbeat.len));
    return DONE;
}

static void begin(struct directory_talk *self, const char *server, bool all)
{
    struct borrowing *one = &self->borrowing;
    text_format(one->server, sizeof one->server, "%s", server);
    one->running = true;
    one->all = all;
    one->held = all ? 0 : directory_epoch(self->node->directory);
    one->backing = bytes_empty(4096);
    fault f = ask_page(self);
    if (failed(f))
        give_up(self, f);
}

/* A signed head, and acts that do not go on from ours: all of them tell whether the log has two
 * histories or the peer made them up. Not often, for any peer may do that. */
static bool asks_for_all(struct directory_talk *self, fault f)
{
    char server[ID_BYTES_MAX];
    int64_t now_ms = clock_steady_ms();
    if (f.code != DIRECTORY_FORKED || self->borrowing.all ||
        (self->all_ms != 0 && now_ms - self->all_ms < FOLLOW_SAY_MS))
        return false;
    say(self, f);
    self->all_ms = now_ms;
    text_format(server, sizeof server, "%s", self->borrowing.server);
    borrowing_end(&self->borrowing);
    begin(self, server, true);
    return true;
}

static void on_answer(void *owner, const char *peer, fault f, const Chaski__LogTalk *answer)
{
    struct directory_talk *self = owner;
    bool more = false;
    (void)peer;
    if (failed(f)) {
        borrowing_end(&self->borrowing); /* nobody there: it was worth a try */
        return;
    }
    f = answer->body_case == CHASKI__LOG_TALK__BODY_DIRECTORY_FROM_ANSWER
            ? take_page(self, answer->directory_from_answer, &more)
            : RAISE(BAD_FRAME, "an answer of another kind");
    if ((failed(f) || !more) && !asks_for_all(self, f))
        give_up(self, f);
}

static fault ask_page(struct directory_talk *self)
{
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__DirectoryFrom question = CHASKI__DIRECTORY_FROM__INIT;
    const struct directory_server *server =
        directory_server(self->node->directory, span_of_text(self->borrowing.server));
    if (server == NULL)
        return RAISE(NOT_FOUND, "%s left the bus", self->borrowing.server);
    message.body_case = CHASKI__LOG_TALK__BODY_DIRECTORY_FROM;
    message.directory_from = &question;
    question.size = self->borrowing.held + self->borrowing.count;
    return log_talk_ask(self->node->talk, server, &message, DIRECTORY_ASK_MS, on_answer, self);
}

void directory_talk_ask(struct directory_talk *self, struct span server)
{
    char name[ID_BYTES_MAX];
    if (self != NULL && !self->borrowing.running &&
        text_format(name, sizeof name, "%.*s", (int)server.size, (const char *)server.at))
        begin(self, name, false);
}

// --- in turn ------------------------------------------------------------------------------------

static const struct directory_server *next_peer(struct directory_talk *self)
{
    const struct directory_server *server = NULL, *own = node_self(self->node);
    size_t step = 0, count = 0;
    while (directory_next_server(self->node->directory, &step) != NULL)
        count++;
    for (size_t tries = 0; tries < 2; tries++) {
        size_t wanted = count == 0 ? 0 : self->turn++ % count;
        step = 0;
        for (size_t i = 0; i <= wanted; i++)
            server = directory_next_server(self->node->directory, &step);
        if (server != own)
            return server;
    }
    return NULL;
}

/* The follower hears nothing any more: somebody else may have. */
static void on_timer(struct loop_timer *timer)
{
    struct directory_talk *self = timer->owner;
    int64_t now_ms = clock_steady_ms(), poll_ms = self->node->config->directory_poll_ms;
    if (directory_freshness_silent_ms(self->node->freshness) > DIRECTORY_PEER_ROUNDS * poll_ms &&
        now_ms >= self->next_ms && !self->borrowing.running) {
        const struct directory_server *peer = next_peer(self);
        self->next_ms = now_ms + poll_ms;
        if (peer != NULL)
            directory_talk_ask(self, span_of_text(peer->id));
    }
    loop_set_timer(self->node->loop, &self->timer, poll_ms < LOOK_MS ? poll_ms : LOOK_MS);
}

struct directory_talk *directory_talk_new(struct node *node)
{
    struct directory_talk *self = owned_new(sizeof *self);
    self->node = node;
    random_fill((uint8_t *)&self->turn, sizeof self->turn / 2);
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    if (node->config->anchor != NULL)
        loop_set_timer(node->loop, &self->timer, LOOK_MS);
    return self;
}

void directory_talk_free(struct directory_talk **self)
{
    if (*self == NULL)
        return;
    size_t step = 0;
    for (struct lending *lending; (lending = map_next(&(*self)->lendings, &step, NULL)) != NULL;) {
        lending_clear(lending);
        free(lending);
    }
    map_clear(&(*self)->lendings);
    borrowing_end(&(*self)->borrowing);
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    free(*self);
    *self = NULL;
}
