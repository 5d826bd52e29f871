// SPDX-License-Identifier: MIT
#include "security-server/exchange/known_heads.h"

#include "lib/base/event.h"
#include "lib/base/map.h"
#include "lib/bus/limits.h"
#include "security-server/exchange/audit_actor.h"
#include "security-server/exchange/peer_check.h"
#include "security-server/exchange/witness_desk.h"

#include "logtalk.pb-c.h"

#include <stdlib.h>

struct known_head {
    char *server;
    unsigned epoch; /* of its log */
    uint64_t size;  /* of that, as it signed it */
    struct sha256 root;
    uint64_t place;  /* of that record in ours */
    int64_t time_ms; /* of that record, by its clock */
    bool told;       /* that it signed less later */
};

struct known_heads {
    struct node *node;
    struct map heads; /* by server */
};

struct known_heads *known_heads_new(struct node *node)
{
    struct known_heads *self = owned_new(sizeof *self);
    self->node = node;
    return self;
}

void known_heads_free(struct known_heads **self)
{
    if (*self == NULL)
        return;
    size_t step = 0;
    for (struct known_head *head; (head = map_next(&(*self)->heads, &step, NULL)) != NULL;) {
        free(head->server);
        free(head);
    }
    map_clear(&(*self)->heads);
    free(*self);
    *self = NULL;
}

void known_heads_note(struct known_heads *self, const struct header *header, uint64_t place)
{
    if (span_is_text(header->sender_server, self->node->config->server))
        return;
    struct known_head *head = map_get(&self->heads, header->sender_server);
    if (head == NULL) {
        head = owned_new(sizeof *head);
        head->server = owned_array(header->sender_server.size + 1, 1);
        memcpy(head->server, header->sender_server.at, header->sender_server.size);
        map_set(&self->heads, header->sender_server, head);
    } else if (header->log_epoch < head->epoch ||
               (header->log_epoch == head->epoch && header->log_size <= head->size)) {
        return;
    }
    head->epoch = header->log_epoch;
    head->size = header->log_size;
    head->root = header->log_root;
    head->place = place;
    head->time_ms = header->time_ms;
    head->told = false;
}

/* An honest log's heads grow with its clock. Messages overtake one another, so a smaller head
 * counts only in one that was signed clearly later. */
static bool contradicts(const struct known_head *head, const struct header *header)
{
    bool same_epoch = header->log_epoch == head->epoch;
    if (same_epoch && header->log_size == head->size)
        return !sha256_equal(&header->log_root, &head->root);
    bool smaller = header->log_epoch < head->epoch || (same_epoch && header->log_size < head->size);
    return smaller && header->time_ms > head->time_ms + HEADS_OVERTAKE_MS;
}

bool known_heads_hear(struct known_heads *self, const struct header *header, uint64_t place)
{
    struct known_head *head = map_get(&self->heads, header->sender_server);
    bool bad = head != NULL && contradicts(head, header);
    if (bad && !head->told) { /* it may go on like that for long */
        head->told = true;
        EVENT(ERROR, "peer.smaller_head", E_TEXT("peer", head->server),
              E_NUMBER("log_epoch", header->log_epoch), E_NUMBER("size", header->log_size),
              E_NUMBER("size_before", head->size), E_NUMBER("entry", audit_place_index(place)),
              E_NUMBER("entry_before", audit_place_index(head->place)));
        peer_check_doubt(self->node->peer_check, head->server);
    }
    known_heads_note(self, header, place);
    return !bad;
}

bool known_heads_of(const struct known_heads *self, const char *server, struct checkpoint *out,
                    unsigned *epoch, uint64_t *place)
{
    const struct known_head *head = map_get(&self->heads, span_of_text(server));
    if (head == NULL || head->size == 0)
        return false;
    *out = (struct checkpoint){.size = head->size, .root = head->root};
    *epoch = head->epoch;
    *place = head->place;
    return true;
}

const char *known_heads_next(const struct known_heads *self, size_t *step)
{
    const struct known_head *head = map_next(&self->heads, step, NULL);
    return head == NULL ? NULL : head->server;
}

// --- answering ----------------------------------------------------------------------------------

struct looking {
    struct known_heads *home;
    char *peer;
    struct log_talk_reply reply;
    struct audit_job job;
};

static void answer(struct known_heads *self, const char *peer, const struct log_talk_reply *reply,
                   struct span leaf)
{
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__KnownHeadAnswer said = CHASKI__KNOWN_HEAD_ANSWER__INIT;
    const struct directory_server *server =
        directory_server(self->node->directory, span_of_text(peer));
    struct span note = {0};
    if (server != NULL)
        note = witness_desk_newest(self->node->witness, server);
    message.body_case = CHASKI__LOG_TALK__BODY_KNOWN_HEAD_ANSWER;
    message.known_head_answer = &said;
    said.note = (ProtobufCBinaryData){note.size, (uint8_t *)(uintptr_t)note.at};
    said.leaf = (ProtobufCBinaryData){leaf.size, (uint8_t *)(uintptr_t)leaf.at};
    log_talk_answer(self->node->talk, reply, &message);
}

static void read_back(struct audit_job *job)
{
    struct looking *looking = job->owner;
    answer(looking->home, looking->peer, &looking->reply,
           job->fault == OK ? bytes_span(job->leaf) : (struct span){0});
    bytes_free(&job->leaf);
    bytes_free(&job->blob);
    free(looking->peer);
    free(looking);
}

void known_heads_answer(struct known_heads *self, const char *peer,
                        const struct log_talk_reply *reply)
{
    const struct known_head *head = map_get(&self->heads, span_of_text(peer));
    if (head == NULL) {
        answer(self, peer, reply, (struct span){0});
        return;
    }
    struct looking *looking = owned_new(sizeof *looking);
    looking->home = self;
    looking->peer = owned_text(peer);
    looking->reply = *reply;
    looking->job = (struct audit_job){.work = AUDIT_READ, .done = read_back, .owner = looking};
    looking->job.record.index = head->place;
    fault f = audit_actor_ask(self->node->audit, &looking->job);
    if (!failed(f))
        return;
    if (event_rate_allows(&self->node->answers_not_sent))
        EVENT(WARN, "mesh.answer_not_sent", E_TEXT("peer", peer), E_FAULT(f));
    log_talk_answer(self->node->talk, reply, NULL);
    free(looking->peer);
    free(looking);
}
