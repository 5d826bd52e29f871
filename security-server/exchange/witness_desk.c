// SPDX-License-Identifier: MIT
#include "security-server/exchange/witness_desk.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/base/text.h"
#include "lib/bus/log_epoch.h"
#include "lib/bus/witness.h"
#include "security-server/exchange/audit_actor.h"
#include "security-server/exchange/conflicts.h"
#include "security-server/exchange/dispute_rate.h"
#include "security-server/exchange/front.h"
#include "security-server/exchange/keys_line.h"

#include "logtalk.pb-c.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 512

/* A request that came while another one about the same log was under way. */
struct waiter {
    struct bytes *body;               /* NULL: none waits */
    char peer[ID_TEXT_BYTES_MAX + 1]; /* "": over HTTP */
    struct log_talk_reply reply;
};

/* One log that we have been asked about. */
struct watched {
    struct witness_desk *home;
    struct note_key log_key;
    struct checkpoint kept; /* size 0: none yet */
    struct bytes *note;     /* of kept */
    bool shown;             /* our cosignature stands in it, on disk too */
    struct bytes *line;     /* that cosignature as it was answered; NULL: not by this process */
    bool busy;
    /* the request under way */
    struct checkpoint next;
    struct bytes *next_note;
    uint64_t time_s;
    char path[PATH_BYTES];
    bool over_http; /* the reply goes to a gateway */
    struct log_talk_reply reply;
    struct audit_job job;
    struct waiter waiter;        /* the next one */
    struct dispute_rate rate[2]; /* of heads of another history; [1]: that prove it by themselves */
};

struct witness_desk {
    struct node *node;
    char folder[PATH_BYTES - 80];
    bool has_key;
    struct note_key key;       /* our own, as the directory has it */
    struct map logs;           /* by origin */
    struct map epochs;         /* newest epoch cosigned, by the origin registered; as a number */
    struct note_key asked_key; /* of the request that is being judged */
    struct event_rate closed;  /* epochs that are asked for all the same */
};

fault witness_desk_new(struct node *node, struct witness_desk **out)
{
    OWNED(witness_desk) self = owned_new(sizeof *self);
    self->node = node;
    if (!text_format(self->folder, sizeof self->folder, "%s/witness", node->config->audit_folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    TRY(file_make_folders(self->folder, 0700));
    event_rate_begin(&self->closed, node->loop, "witness.closed_epoch");
    *out = TAKE(self);
    return DONE;
}

void witness_desk_free(struct witness_desk **self)
{
    if (*self == NULL)
        return;
    size_t step = 0;
    for (struct watched *log; (log = map_next(&(*self)->logs, &step, NULL)) != NULL;) {
        bytes_free(&log->note);
        bytes_free(&log->line);
        bytes_free(&log->next_note);
        bytes_free(&log->waiter.body);
        free(log);
    }
    map_clear(&(*self)->logs);
    map_clear(&(*self)->epochs);
    if ((*self)->node != NULL)
        event_rate_end(&(*self)->closed);
    free(*self);
    *self = NULL;
}

// --- what was cosigned --------------------------------------------------------------------------

static void path_of(const struct witness_desk *self, const char *origin, char out[PATH_BYTES])
{
    char hex[2 * SHA256_BYTES + 1];
    struct sha256 hash = SHA256_OF(span_of_text(origin));
    text_hex(sha256_span(&hash), hex, sizeof hex);
    snprintf(out, PATH_BYTES, "%s/%s", self->folder, hex);
}

static bool bears_our_line(const struct witness_desk *self, const struct bytes *note)
{
    struct checkpoint head;
    uint64_t time_s = 0;
    return note != NULL && !failed(cosignature_open(bytes_span(note), &self->key, &head, &time_s));
}

/* From memory, or from disk the first time. A file that is there and cannot be read stops us from
 * witnessing this log: it may say more than we would say again. */
static fault find(struct witness_desk *self, const struct note_key *log_key, struct watched **out)
{
    struct watched *log = map_get(&self->logs, span_of_text(log_key->name));
    if (log == NULL) {
        OWNED(bytes) note = NULL;
        struct checkpoint kept = {.size = 0};
        char path[PATH_BYTES];
        path_of(self, log_key->name, path);
        fault f = file_read(path, NOTE_BYTES_MAX, &note);
        if (!failed(f))
            f = checkpoint_open(bytes_span(note), log_key, &kept);
        if (failed(f) && f.code != NOT_FOUND)
            return f;
        log = owned_new(sizeof *log);
        log->home = self;
        log->kept = kept;
        log->note = TAKE(note);
        log->shown = bears_our_line(self, log->note);
        map_set(&self->logs, span_of_text(log_key->name), log);
    }
    log->log_key = *log_key;
    *out = log;
    return DONE;
}

/* From memory, or from the files the first time; 0: none was ever cosigned. */
static unsigned newest_epoch(struct witness_desk *self, const struct note_key *registered)
{
    struct note_key key;
    char path[PATH_BYTES];
    uintptr_t known = (uintptr_t)map_get(&self->epochs, span_of_text(registered->name));
    unsigned epoch = known == 0 ? LOG_EPOCHS_MAX : (unsigned)known - 1;
    for (; known == 0 && epoch > 0; epoch--) {
        if (failed(log_epoch_key(registered, epoch, &key)))
            continue;
        path_of(self, key.name, path);
        if (access(path, F_OK) == 0)
            break;
    }
    map_set(&self->epochs, span_of_text(registered->name), (void *)(uintptr_t)(epoch + 1));
    return epoch;
}

struct span witness_desk_newest(struct witness_desk *self, const struct directory_server *server)
{
    struct watched *log = NULL;
    struct note_key key;
    unsigned epoch = newest_epoch(self, &server->log_key);
    if (epoch == 0 || failed(log_epoch_key(&server->log_key, epoch, &key)) ||
        failed(find(self, &key, &log)) || log->kept.size == 0)
        return (struct span){0};
    return bytes_span(log->note);
}

// --- answering ----------------------------------------------------------------------------------

static void answer(struct witness_desk *self, bool over_http, const struct log_talk_reply *to,
                   unsigned status, struct span body)
{
    if (over_http) {
        front_answer_witness(self->node->front, span_of(to->route, to->route_size), to->id, status,
                             body);
        return;
    }
    Chaski__LogTalk message = CHASKI__LOG_TALK__INIT;
    Chaski__AddCheckpointAnswer said = CHASKI__ADD_CHECKPOINT_ANSWER__INIT;
    message.body_case = CHASKI__LOG_TALK__BODY_ADD_CHECKPOINT_ANSWER;
    message.add_checkpoint_answer = &said;
    said.status = status;
    said.body = (ProtobufCBinaryData){body.size, (uint8_t *)(uintptr_t)body.at};
    log_talk_answer(self->node->talk, to, &message);
}

/* Of all who come meanwhile one waits: the log itself, over the mesh, goes before strangers, who
 * can repeat whatever it has published and would else keep it away. */
static void let_wait(struct watched *log, const char *peer, struct span body,
                     const struct log_talk_reply *reply)
{
    struct waiter *waiter = &log->waiter;
    struct witness_desk *self = log->home;
    OWNED(bytes) copy = NULL;
    bool goes_before = waiter->body == NULL || (peer != NULL && waiter->peer[0] == '\0');
    if (!goes_before || failed(bytes_copy(body, &copy))) {
        answer(self, peer == NULL, reply, 503, (struct span){0});
        return;
    }
    if (waiter->body != NULL)
        answer(self, true, &waiter->reply, 503, (struct span){0});
    bytes_free(&waiter->body);
    waiter->body = TAKE(copy);
    waiter->reply = *reply;
    text_format(waiter->peer, sizeof waiter->peer, "%s", peer == NULL ? "" : peer);
}

/* The request under way is answered. */
static void go_on(struct watched *log)
{
    OWNED(bytes) body = TAKE(log->waiter.body);
    struct waiter waiter = log->waiter;
    log->busy = false;
    if (body != NULL)
        witness_desk_take(log->home, waiter.peer[0] == '\0' ? NULL : waiter.peer, bytes_span(body),
                          &waiter.reply);
}

static void refuse(struct watched *log, fault f)
{
    EVENT(WARN, "witness.not_cosigned", E_TEXT("log", log->log_key.name), E_FAULT(f));
    answer(log->home, log->over_http, &log->reply, 503, (struct span){0});
    bytes_free(&log->next_note);
    go_on(log);
}

static void kept_with_cosignature(struct audit_job *job)
{
    struct watched *log = job->owner;
    log->shown = job->fault == OK;
    if (job->fault != OK) /* the head itself is kept; monitors see it without our line */
        EVENT(WARN, "witness.cosignature_not_kept", E_TEXT("log", log->log_key.name),
              E_FAULT(RAISE(job->fault, "%s", job->detail)));
    go_on(log);
}

/* For monitors, who are to see what we signed. */
static void keep_cosignature(struct watched *log, struct span line)
{
    fault f = log->note->size + line.size > NOTE_BYTES_MAX
                  ? RAISE(BAD_FRAME, "no room for one more line in the note")
                  : bytes_append(log->note, line);
    log->job = (struct audit_job){
        .work = AUDIT_FILE, .done = kept_with_cosignature, .owner = log, .path = log->path};
    log->job.note = bytes_span(log->note);
    if (!failed(f))
        f = audit_actor_ask(log->home->node->audit, &log->job);
    if (!failed(f))
        return;
    EVENT(WARN, "witness.cosignature_not_kept", E_TEXT("log", log->log_key.name), E_FAULT(f));
    go_on(log);
}

static void signed_by_keys(void *owner, fault f, struct span signature)
{
    struct watched *log = owner;
    OWNED(bytes) lines = bytes_empty(NOTE_BYTES_MAX);
    if (!failed(f) && signature.size != ED25519_SIGNATURE_BYTES)
        f = RAISE(INTERNAL, "a cosignature of %zu bytes", signature.size);
    if (!failed(f))
        f = cosignature_append(lines, &log->home->key, log->time_s, signature.at);
    if (failed(f)) {
        refuse(log, f);
        return;
    }
    EVENT(DEBUG, "witness.cosigned", E_TEXT("log", log->log_key.name),
          E_NUMBER("size", log->kept.size));
    answer(log->home, log->over_http, &log->reply, WITNESS_COSIGN, bytes_span(lines));
    bytes_free(&log->line);
    if (failed(bytes_copy(bytes_span(lines), &log->line)))
        log->line = NULL; /* it is signed anew when it is asked for again */
    if (log->shown)
        go_on(log);
    else
        keep_cosignature(log, bytes_span(lines));
}

static void sign(struct watched *log)
{
    log->time_s = (uint64_t)(clock_wall_ms() / 1000);
    keys_line_sign_cosignature(log->home->node->keys, &log->kept, log->time_s, signed_by_keys, log);
}

/* The first head of a later epoch: what came before is over. */
static void note_epoch(struct watched *log)
{
    struct witness_desk *self = log->home;
    const struct directory_server *server =
        directory_server_of_log(self->node->directory, span_of_text(log->log_key.name));
    if (server == NULL)
        return;
    unsigned epoch = log_epoch_of(&server->log_key, span_of_text(log->log_key.name));
    unsigned before = newest_epoch(self, &server->log_key);
    if (epoch <= before)
        return;
    if (epoch > 1)
        EVENT(WARN, "witness.new_epoch", E_TEXT("log", log->log_key.name),
              E_NUMBER("before", before), E_NUMBER("size", log->kept.size));
    map_set(&self->epochs, span_of_text(server->log_key.name), (void *)(uintptr_t)(epoch + 1));
}

/* The head is ours to stand by from here on, even if the cosignature never arrives. */
static void kept_on_disk(struct audit_job *job)
{
    struct watched *log = job->owner;
    if (job->fault != OK) {
        refuse(log, RAISE(job->fault, "%s", job->detail));
        return;
    }
    bytes_free(&log->note);
    bytes_free(&log->line);
    log->note = TAKE(log->next_note);
    log->kept = log->next;
    note_epoch(log);
    log->shown = false;
    sign(log);
}

/* The same head again is on disk already: whoever repeats a request, and anybody may who saw one,
 * shall not make the disk busy that exchanges wait for. */
static void cosign(struct watched *log, const struct checkpoint *head, struct span note)
{
    if (log->note != NULL && head->size == log->kept.size) {
        path_of(log->home, log->log_key.name, log->path);
        sign(log);
        return;
    }
    log->next = *head;
    fault f = bytes_copy(note, &log->next_note);
    log->job = (struct audit_job){.work = AUDIT_FILE, .done = kept_on_disk, .owner = log};
    path_of(log->home, log->log_key.name, log->path);
    log->job.path = log->path;
    if (!failed(f)) {
        log->job.note = bytes_span(log->next_note);
        f = audit_actor_ask(log->home->node->audit, &log->job);
    }
    if (failed(f))
        refuse(log, f);
}

/* By name, or, for a witness that is reached over HTTP, by its key. */
static bool is_assigned(const struct witness_desk *self, const struct directory_server *server)
{
    for (size_t i = 0; i < server->witnesses; i++) {
        const struct directory_witness *one = &server->witness[i];
        if (one->server != NULL
                ? strcmp(one->server, self->node->config->server) == 0
                : memcmp(one->key->public_key, self->key.public_key, ED25519_PUBLIC_BYTES) == 0)
            return true;
    }
    return false;
}

/* Logs that are in no directory of ours, such as an audit office's own. */
static const struct note_key *key_of_settings(struct witness_desk *self, const char *origin)
{
    const struct config_list *logs = &self->node->config->witness_logs;
    for (size_t i = 0; i < logs->count; i++)
        if (!failed(note_key_parse(span_of_text(logs->item[i]), &self->asked_key)) &&
            strcmp(self->asked_key.name, origin) == 0)
            return &self->asked_key;
    return NULL;
}

/* Told when the log itself has signed it: a stranger may write any origin. */
static void say_closed(struct witness_desk *self, const struct directory_server *server,
                       unsigned epoch, unsigned newest, struct span note)
{
    struct note_key key;
    struct checkpoint head;
    if (!failed(log_epoch_key(&server->log_key, epoch, &key)) &&
        !failed(checkpoint_open(note, &key, &head)) && event_rate_allows(&self->closed))
        EVENT(WARN, "witness.closed_epoch", E_TEXT("log", key.name), E_NUMBER("newest", newest));
}

/* The log's key when it is this peer's log, ours to witness, and no epoch that is over; NULL else.
 */
static const struct note_key *key_to_check(struct witness_desk *self, const char *peer,
                                           struct span note)
{
    char origin[NOTE_NAME_BYTES_MAX];
    const struct directory_server *own = node_self(self->node);
    if (own == NULL || !own->is_witness || failed(witness_origin(note, origin)))
        return NULL;
    self->key = own->witness_key;
    const struct directory_server *server =
        directory_server_of_log(self->node->directory, span_of_text(origin));
    if (server == NULL && peer == NULL)
        return key_of_settings(self, origin);
    if (server == NULL || (peer != NULL && strcmp(server->id, peer) != 0) ||
        !is_assigned(self, server))
        return NULL;
    unsigned epoch = log_epoch_of(&server->log_key, span_of_text(origin));
    unsigned newest = newest_epoch(self, &server->log_key);
    if (epoch > 0 && epoch < newest)
        say_closed(self, server, epoch, newest, note);
    if (epoch == 0 || epoch < newest ||
        failed(log_epoch_key(&server->log_key, epoch, &self->asked_key)))
        return NULL;
    return &self->asked_key;
}

/* A fork is the proof of a crime, and two notes are the whole of it. Of one size they prove it by
 * themselves; of two sizes the log may have asked with a bad proof only, and over HTTP anybody can
 * do that to it with its own note: such notes leave room for the others. */
static void keep_both(const struct watched *log, const struct checkpoint *head, struct span note,
                      bool tell)
{
    const char *folder = log->home->node->config->audit_folder;
    size_t spare = head->size == log->kept.size ? 0 : CONFLICTS_A_LOG_MAX / 2;
    char first[CONFLICT_NAME_BYTES], second[CONFLICT_NAME_BYTES];
    bool fresh = false;
    fault f =
        conflicts_keep(folder, log->log_key.name, bytes_span(log->note), spare, first, &fresh);
    if (!failed(f))
        f = conflicts_keep(folder, log->log_key.name, note, spare, second, &fresh);
    if (failed(f) && tell)
        EVENT(ERROR, "witness.conflict_not_kept", E_TEXT("log", log->log_key.name), E_FAULT(f));
    else if (!failed(f) && fresh && tell)
        EVENT(ERROR, "witness.conflict_kept", E_TEXT("log", log->log_key.name),
              E_TEXT("cosigned", first), E_TEXT("refused", second));
}

/* Over HTTP anybody can show such a head, as often as it likes: the first is told of, and further
 * ones in an hour by their number. Their notes are kept as far as there is room. */
static void say_inconsistent(struct watched *log, const struct checkpoint *head, struct span note)
{
    struct dispute_rate *rate = &log->rate[head->size == log->kept.size];
    uint64_t since = dispute_rate_take(rate);
    bool tell = dispute_rate_is_open(rate);
    if (since > 0)
        EVENT(ERROR, "witness.conflicts_since", E_TEXT("log", log->log_key.name),
              E_NUMBER("heads", (int64_t)since));
    if (tell)
        dispute_rate_tell(rate);
    else
        dispute_rate_owe(rate);
    if (log->note != NULL)
        keep_both(log, head, note, tell);
    if (!tell)
        return;
    EVENT(ERROR, "witness.inconsistent_log", E_TEXT("log", log->log_key.name),
          E_NUMBER("kept_size", log->kept.size), E_NUMBER("asked_size", head->size));
}

/* Anybody can repeat a head that is public. It hears what the log heard, and neither the keys
 * process nor the log's own next request waits for that. */
static bool is_answered_already(const struct watched *log, const struct checkpoint *head)
{
    return log != NULL && log->line != NULL && head->size == log->kept.size;
}

void witness_desk_take(struct witness_desk *self, const char *peer, struct span body,
                       const struct log_talk_reply *reply)
{
    struct witness_request request;
    struct checkpoint head = {.size = 0}, none = {.size = 0};
    struct watched *log = NULL;
    char size[32];
    if (failed(witness_request_read(body, &request))) {
        answer(self, peer == NULL, reply, WITNESS_MALFORMED, (struct span){0});
        return;
    }
    const struct note_key *key = key_to_check(self, peer, request.note);
    if (key != NULL && failed(find(self, key, &log))) {
        answer(self, peer == NULL, reply, 503, (struct span){0});
        return;
    }
    enum witness_status status =
        witness_judge(&request, log == NULL ? &none : &log->kept, key, &head);
    if (status == WITNESS_COSIGN && is_answered_already(log, &head)) {
        answer(self, peer == NULL, reply, WITNESS_COSIGN, bytes_span(log->line));
        return;
    }
    if (log != NULL && log->busy && (status == WITNESS_COSIGN || status == WITNESS_OTHER_SIZE)) {
        let_wait(log, peer, body, reply); /* what it hears depends on what is under way */
        return;
    }
    if (status == WITNESS_COSIGN && log != NULL) {
        log->busy = true;
        log->over_http = peer == NULL;
        log->reply = *reply;
        cosign(log, &head, request.note);
        return;
    }
    if (status == WITNESS_INCONSISTENT && log != NULL)
        say_inconsistent(log, &head, request.note);
    text_format(size, sizeof size, "%" PRIu64 "\n", log == NULL ? 0 : log->kept.size);
    answer(self, peer == NULL, reply, status,
           status == WITNESS_OTHER_SIZE ? span_of_text(size) : (struct span){0});
}
