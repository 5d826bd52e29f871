// SPDX-License-Identifier: MIT
#include "security-server/clerk/records.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/audit_log.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/store_key.h"
#include "lib/evidence/archive.h"
#include "lib/evidence/asic.h"
#include "security-server/clerk/lookup.h"
#include "security-server/clerk/verification.h"
#include "security-server/clerk/view_cache.h"

#include <inttypes.h>
#include <stdlib.h>

#define PATH_BYTES 512
#define LOOK_AGAIN_MS 250
#define VIEW_TRIES_MAX 8

struct job {
    struct job *next;
    struct clerk_reply reply;
    char *client, *message_id;
    bool request, response, unique, force;
    struct key_ring *keys; /* to payloads; dropped with the job */
    struct lookup *lookup; /* NULL: not begun */
    bool found;
    int64_t ready_ms; /* steady; to be gone on with */
    int64_t until_ms; /* steady; of a forced stamp */
    uint64_t awaited; /* a promise of so many entries is waited for; 0: not looked yet */
    uint64_t hurried; /* the scribe was asked to have so much stamped */
    unsigned tries;   /* to read the directory */
    unsigned epoch;   /* that is looked through: the newest first; 0: not begun */
};

struct records {
    struct clerk *clerk;
    struct key_wrap *store_key; /* NULL: records are not handed out */
    struct view_cache cache;
    struct verification verification;
    struct loop_timer timer;
    struct job *first;
    size_t jobs;
};

fault records_new(struct clerk *clerk, struct records **out)
{
    const struct server_config *config = clerk_config(clerk);
    char path[PATH_BYTES];
    struct key_opener opener = {.passphrase = secret_span(config->passphrase)};
    OWNED(records) self = owned_new(sizeof *self);
    self->clerk = clerk;
    if (!text_format(path, sizeof path, "%s/" STORE_KEY_FILE, config->keys_folder))
        return RAISE(BAD_CONFIG, "keys_folder is too long");
    if (config->evidence_records != 0)
        TRY(store_key_load(path, &opener, &self->store_key));
    self->verification.bytes_max = VERIFICATION_BYTES_MAX;
    *out = TAKE(self);
    return DONE;
}

static void job_free(struct job *job)
{
    lookup_free(&job->lookup);
    key_ring_free(&job->keys);
    free(job->client);
    free(job->message_id);
    free(job);
}

void records_free(struct records **self)
{
    if (*self == NULL)
        return;
    struct job *next;
    for (struct job *job = (*self)->first; job != NULL; job = next) {
        next = job->next;
        job_free(job);
    }
    if (clerk_loop((*self)->clerk) != NULL)
        loop_stop_timer(clerk_loop((*self)->clerk), &(*self)->timer);
    verification_clear(&(*self)->verification);
    view_cache_clear(&(*self)->cache);
    key_wrap_free(&(*self)->store_key);
    free(*self);
    *self = NULL;
}

/* What is not there of our own is our fault, and its name nobody's business. */
static fault ours(fault f)
{
    char detail[DETAIL_BYTES_MAX];
    if (f.code != NOT_FOUND)
        return f;
    text_format(detail, sizeof detail, "%s", fault_detail());
    return RAISE(IO_FAILED, "%s", detail);
}

// --- the log -------------------------------------------------------------------------------------

/* How far the log is promised: what is beyond may not be durable yet. */
static fault promised_size(const struct records *self, uint64_t *out)
{
    char path[PATH_BYTES];
    OWNED(bytes) note = NULL;
    struct checkpoint head;
    audit_log_path(self->cache.view->folder, self->cache.view->epoch, "promise", path, sizeof path);
    TRY(ours(file_read(path, NOTE_BYTES_MAX, &note)));
    TRY(checkpoint_open(bytes_span(note), &self->cache.view->log_key, &head));
    *out = head.size;
    return DONE;
}

/* Asks the scribe not to wait for the next round. */
static fault ask_to_hurry(const struct records *self, uint64_t size)
{
    char path[PATH_BYTES], line[32];
    audit_log_path(self->cache.view->folder, self->cache.view->epoch, "hurry", path, sizeof path);
    text_format(line, sizeof line, "%" PRIu64 "\n", size);
    return file_replace(path, span_of_text(line), 0644);
}

static fault check_client(const struct records *self, const char *client)
{
    const struct directory *directory = self->cache.view->directory;
    const char *own = clerk_config(self->clerk)->server;
    const struct directory_server *server = directory_server(directory, span_of_text(own));
    const struct directory_subsystem *subsystem =
        directory_subsystem(directory, span_of_text(client));
    if (server != NULL && subsystem != NULL && directory_server_has(server, subsystem))
        return DONE;
    return RAISE(NOT_AUTHENTICATED, "No such client is registered at this security server.");
}

// --- the containers ------------------------------------------------------------------------------

static bool is_request(const struct record *record)
{
    return header_of(record->read)->kind == HEADER_REQUEST;
}

static bool is_asked_for(const struct job *job, const struct record *record)
{
    return is_request(record) ? job->request : job->response;
}

/* NULL in *out: all that are asked for are under a stamped checkpoint; else the first that is not.
 */
static fault find_unstamped(const struct job *job, const struct covers *covers, struct record **out,
                            size_t *asked_for)
{
    *out = NULL;
    *asked_for = 0;
    for (size_t i = 0; i < lookup_count(job->lookup); i++) {
        struct record *record = lookup_record(job->lookup, i);
        OWNED(cover) cover = NULL;
        if (!is_asked_for(job, record))
            continue;
        ++*asked_for;
        TRY(covers_first(covers, record->index, &cover));
        if (*out == NULL && (cover == NULL || cover->token == NULL))
            *out = record;
    }
    return DONE;
}

static fault make_container(struct record *record, const struct record_source *from,
                            struct bytes **out)
{
    OWNED(files) files = owned_new(sizeof *files);
    OWNED(bytes) signature = NULL;
    if (header_of(record->read)->payload_bytes > RECORD_PAYLOAD_BYTES_MAX)
        return RAISE(REFUSED, "A payload is too large to be handed out here; have it exported with "
                              "chaski-audit export.");
    TRY(record_export(record, from, files));
    TRY(record_detached(record, from, &signature));
    files_take(files, "message-signature.p7s", &signature);
    return asic_make_extended(files, NULL, out);
}

/* What stands in file names and header fields: everything else as %XX, and not too long. */
static void escape(const char *id, char *out, size_t room)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t at = 0;
    for (const char *c = id; *c != '\0' && at + 4 < room; c++) {
        bool plain = (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') ||
                     (*c >= 'a' && *c <= 'z') || *c == '-' || *c == '_' || (*c == '.' && at > 0);
        if (plain) {
            out[at++] = *c;
            continue;
        }
        out[at++] = '%';
        out[at++] = digits[(uint8_t)*c >> 4];
        out[at++] = digits[(uint8_t)*c & 15];
    }
    out[at] = '\0';
}

/* The containers of one answer, and the zip that holds them. */
struct parcel {
    struct archive *archive;
    size_t count;
    struct bytes *container[RECORDS_FOUND_MAX];
    char name[RECORDS_FOUND_MAX][200];
};

static void parcel_free(struct parcel **self)
{
    archive_free(&(*self)->archive);
    for (size_t i = 0; i < (*self)->count; i++)
        bytes_free(&(*self)->container[i]);
    free(*self);
    *self = NULL;
}

static fault fill(const struct job *job, const struct record_source *from, struct parcel *parcel)
{
    char id[128];
    size_t total = 0;
    escape(job->message_id, id, sizeof id);
    for (size_t i = 0; i < lookup_count(job->lookup); i++) {
        struct record *record = lookup_record(job->lookup, i);
        if (!is_asked_for(job, record))
            continue;
        TRY(make_container(record, from, &parcel->container[parcel->count]));
        total += parcel->container[parcel->count]->size;
        text_format(parcel->name[parcel->count], sizeof parcel->name[0], "%s-%s-%" PRIu64 ".asice",
                    id, is_request(record) ? "request" : "response", record->index);
        parcel->count++;
        if (total > EVIDENCE_BODY_BYTES_MAX - (1 << 20))
            return RAISE(REFUSED, "The records are too large to be handed out together.");
    }
    return DONE;
}

static fault give_zip(struct records *self, const struct job *job, struct parcel *parcel)
{
    char id[128], name[200];
    OWNED(bytes) zip = NULL;
    TRY(archive_new(&parcel->archive));
    for (size_t i = 0; i < parcel->count; i++)
        TRY(archive_add_stored(parcel->archive, parcel->name[i], bytes_span(parcel->container[i])));
    TRY(archive_finish(parcel->archive, &zip));
    escape(job->message_id, id, sizeof id);
    text_format(name, sizeof name, "%s%s.zip", id,
                job->request && job->response ? ""
                : job->request                ? "-request"
                                              : "-response");
    struct clerk_file file = {"application/zip", name, false, bytes_span(zip)};
    clerk_give(self->clerk, &job->reply, &file);
    return DONE;
}

static fault give(struct records *self, const struct job *job, struct covers *covers)
{
    static const struct log_anchors own = {NULL, NULL};
    OWNED(parcel) parcel = owned_new(sizeof *parcel);
    struct record_source from = {.view = self->cache.view,
                                 .anchors = &own,
                                 .directory = self->cache.view->directory,
                                 .standing = self->cache.standing,
                                 .covers = covers,
                                 .keys = job->keys};
    TRY(fill(job, &from, parcel));
    if (job->unique && parcel->count > 1)
        return RAISE(REFUSED, "Several records have this id: ask without \"unique\".");
    EVENT(INFO, "clerk.records_given", E_TEXT("client", job->client),
          E_NUMBER("records", parcel->count),
          E_NUMBER("first_entry", lookup_record(job->lookup, 0)->index));
    if (!job->unique)
        return give_zip(self, job, parcel);
    struct clerk_file file = {ASIC_E_TYPE, parcel->name[0], false,
                              bytes_span(parcel->container[0])};
    clerk_give(self->clerk, &job->reply, &file);
    return DONE;
}

// --- one job -------------------------------------------------------------------------------------

static bool may_wait(const struct job *job)
{
    return job->force && clock_steady_ms() < job->until_ms;
}

/* What a job has come to: over, or to be gone on with after this. */
struct progress {
    bool over;
    int64_t again_ms;
};

static fault pass_over(void *owner, uint64_t index, struct span leaf)
{
    (void)owner, (void)index, (void)leaf;
    return DONE;
}

/* Is there an entry behind those that are promised? It may not be durable yet: it is not read. */
static bool has_more(const struct records *self, uint64_t size)
{
    char path[PATH_BYTES];
    OWNED(wal_reader) reader = NULL;
    audit_log_path(self->cache.view->folder, self->cache.view->epoch, "wal", path, sizeof path);
    return !failed(wal_reader_open(path, size, &reader)) &&
           !failed(wal_reader_show(reader, size + 1, pass_over, NULL));
}

/* Who forces a stamp wants what was said a moment ago: the next promise covers it. */
static bool waits_for_promise(const struct records *self, struct job *job, uint64_t size)
{
    if (!may_wait(job) || !self->cache.view->newest)
        return false;
    if (job->awaited == 0)
        job->awaited = has_more(self, size) ? size + 1 : size;
    return size < job->awaited;
}

static fault begin_lookup(struct records *self, struct job *job, struct progress *progress)
{
    uint64_t size = 0;
    struct key_holder holder = key_holder_of(self->store_key);
    TRY(check_client(self, job->client));
    TRY(promised_size(self, &size));
    if (waits_for_promise(self, job, size)) {
        progress->again_ms = LOOK_AGAIN_MS;
        return DONE;
    }
    if (job->keys == NULL)
        job->keys = key_ring_new(&holder);
    struct lookup_for what = {.view = self->cache.view,
                              .client = job->client,
                              .message_id = job->message_id,
                              .keys = job->keys};
    return lookup_new(&what, size, &job->lookup);
}

static fault wait_for_stamp(const struct records *self, struct job *job,
                            const struct record *unstamped, struct progress *progress)
{
    uint64_t size = unstamped->index + 1;
    if (!job->force)
        return RAISE(REFUSED, "Message signature has not been timestamped yet!");
    if (!may_wait(job))
        return RAISE(REFUSED, "Could not create missing timestamp!");
    progress->again_ms = LOOK_AGAIN_MS;
    if (job->hurried == size)
        return DONE;
    job->hurried = size;
    return ask_to_hurry(self, size);
}

static fault hand_out(struct records *self, struct job *job, struct progress *progress)
{
    struct record *unstamped = NULL;
    size_t asked_for = 0;
    OWNED(covers) covers = NULL;
    TRY(covers_read(self->cache.view, &covers));
    TRY(find_unstamped(job, covers, &unstamped, &asked_for));
    if (asked_for == 0 && job->epoch > 1) { /* it may stand in the epoch before */
        lookup_free(&job->lookup);
        job->epoch--;
        return DONE;
    }
    if (asked_for == 0)
        return RAISE(NOT_FOUND, "No signed documents found");
    job->found = true;
    if (unstamped != NULL)
        return wait_for_stamp(self, job, unstamped, progress);
    progress->over = true;
    return ours(give(self, job, covers));
}

static fault step(struct records *self, struct job *job, struct progress *progress)
{
    bool done = false;
    fault f = view_cache_refresh(&self->cache, clerk_config(self->clerk)->audit_folder, job->epoch);
    if (f.code == DIRECTORY_BAD && ++job->tries < VIEW_TRIES_MAX) {
        progress->again_ms = LOOK_AGAIN_MS; /* its copy is being written */
        return DONE;
    }
    TRY(ours(f));
    job->epoch = self->cache.view->epoch;
    if (job->lookup == NULL)
        TRY(begin_lookup(self, job, progress));
    if (job->lookup == NULL)
        return DONE;
    if (!job->found)
        TRY(ours(lookup_step(job->lookup, &done)));
    return done || job->found ? hand_out(self, job, progress) : DONE;
}

/* As X-Road's clients know it: 400, 401, 404, and 500 for everything else. */
static void refuse(struct records *self, const struct clerk_reply *to, fault f)
{
    bool plain = f.code == BAD_REQUEST || f.code == NOT_AUTHENTICATED || f.code == NOT_FOUND;
    bool for_caller = plain || f.code == REFUSED || f.code == OVERLOADED;
    if (!for_caller)
        EVENT(WARN, "clerk.records_not_given", E_FAULT(f));
    clerk_refuse(self->clerk, to, plain ? (unsigned)fault_status(f.code) : 500,
                 for_caller ? fault_detail()
                            : "The record cannot be made; the server's events say why.");
}

// --- all jobs ------------------------------------------------------------------------------------

static void end_job(struct records *self, struct job *job)
{
    struct job **at = &self->first;
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    self->jobs--;
    job_free(job);
}

/* Who waits for a stamp does not hold up the others. */
static struct job *next_job(const struct records *self)
{
    struct job *soonest = self->first;
    for (struct job *job = self->first; job != NULL; job = job->next)
        if (job->ready_ms < soonest->ready_ms)
            soonest = job;
    return soonest;
}

static void set_timer(struct records *self)
{
    const struct job *job = next_job(self);
    int64_t wait_ms = job == NULL ? 0 : job->ready_ms - clock_steady_ms();
    if (job != NULL)
        loop_set_timer(clerk_loop(self->clerk), &self->timer, wait_ms > 0 ? wait_ms : 0);
}

static void on_timer(struct loop_timer *timer)
{
    struct records *self = timer->owner;
    struct job *job = next_job(self);
    struct progress progress = {.over = false};
    if (job == NULL)
        return;
    fault f = step(self, job, &progress);
    job->ready_ms = clock_steady_ms() + progress.again_ms;
    if (failed(f))
        refuse(self, &job->reply, f);
    if (failed(f) || progress.over)
        end_job(self, job);
    set_timer(self);
}

static fault check_ask(const struct records *self, const struct record_ask *ask)
{
    struct bus_id id;
    if (self->store_key == NULL)
        return RAISE(NOT_FOUND, "This server hands out no records (evidence_records).");
    if (self->jobs >= RECORDS_QUEUE_MAX)
        return RAISE(OVERLOADED, "Too many ask for records; ask again later.");
    if (failed(bus_id_parse(span_of_text(ask->client), ID_MEMBER, ID_SUBSYSTEM, &id)) ||
        strlen(ask->message_id) > MESSAGE_ID_BYTES_MAX || (!ask->request && !ask->response))
        return RAISE(BAD_REQUEST, "This is no ask for records.");
    return DONE;
}

void records_take(struct records *self, const struct clerk_reply *reply,
                  const struct record_ask *ask)
{
    fault f = check_ask(self, ask);
    if (failed(f)) {
        refuse(self, reply, f);
        return;
    }
    struct job *job = owned_new(sizeof *job);
    job->reply = *reply;
    job->client = owned_text(ask->client);
    job->message_id = owned_text(ask->message_id);
    job->request = ask->request;
    job->response = ask->response;
    job->unique = ask->unique;
    job->force = ask->force;
    job->ready_ms = clock_steady_ms();
    job->until_ms = job->ready_ms + RECORD_FORCE_MS;
    job->next = self->first;
    self->first = job;
    self->jobs++;
    self->timer.fire = on_timer;
    self->timer.owner = self;
    set_timer(self);
}

void records_take_verification(struct records *self, const struct clerk_reply *reply)
{
    struct span zip = {0};
    if (self->store_key == NULL) {
        refuse(self, reply,
               RAISE(NOT_FOUND, "This server hands out no records "
                                "(evidence_records), and nothing to check them with."));
        return;
    }
    fault f = view_cache_refresh(&self->cache, clerk_config(self->clerk)->audit_folder, 0);
    if (!failed(f))
        f = verification_get(&self->verification, &self->cache, &zip);
    if (failed(f)) {
        refuse(self, reply, ours(f));
        return;
    }
    struct clerk_file file = {"application/zip", "verificationconf.zip", false, zip};
    clerk_give(self->clerk, reply, &file);
}
