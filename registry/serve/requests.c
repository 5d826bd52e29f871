// SPDX-License-Identifier: MIT
#include "registry/serve/requests.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/shown.h"
#include "lib/base/text.h"
#include "registry/serve/request_acts.h"
#include "registry/serve/request_file.h"
#include "registry/serve/voucher_desk.h"
#include "registry/serve/vouching.h"
#include "registry/store.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#define FOLDER "requests"
#define WARNING_ROOM 2048

struct requests {
    char folder[STORE_PATH_BYTES];
    struct outlook *outlook;     /* lent */
    struct proposals *proposals; /* lent */
    struct keypair *intake;
    struct request **at;
    size_t count, room;
};

void requests_free(struct requests **owner)
{
    struct requests *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count; i++)
        request_free(&self->at[i]);
    free(self->at);
    keypair_free(&self->intake);
    free(self);
}

// --- files --------------------------------------------------------------------------------------

static fault path_of(const struct requests *self, const char *id, char out[STORE_PATH_BYTES])
{
    return text_format(out, STORE_PATH_BYTES, "%s/%s.json", self->folder, id)
               ? DONE
               : RAISE(BAD_CONFIG, "the store's name is too long");
}

fault requests_save(const struct requests *self, const struct request *request)
{
    char path[STORE_PATH_BYTES];
    TRY(path_of(self, request->id, path));
    return request_file_write(path, request);
}

static void keep(struct requests *self, struct request *request)
{
    if (self->count == self->room) {
        self->room = self->room == 0 ? 64 : 2 * self->room;
        self->at = owned_grow(self->at, self->room, sizeof(struct request *));
    }
    self->at[self->count++] = request;
}

static void read_name(struct requests *self, const char *name)
{
    char path[STORE_PATH_BYTES];
    struct request *request = NULL;
    if (strlen(name) != REQUEST_ID_DIGITS + 5 || strcmp(name + REQUEST_ID_DIGITS, ".json") != 0)
        return; /* a file that was being written when the machine stopped */
    if (!text_format(path, sizeof path, "%s/%s", self->folder, name) ||
        failed(request_file_read(path, &request)) ||
        strncmp(request->id, name, REQUEST_ID_DIGITS) != 0) {
        EVENT(ERROR, "request.unreadable", E_TEXT("file", name));
        request_free(&request);
        return;
    }
    keep(self, request);
}

static fault open_intake(struct requests *self, const char *store)
{
    char path[STORE_PATH_BYTES];
    if (!text_format(path, sizeof path, "%s/" INTAKE_KEY, store))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    if (access(path, F_OK) == 0)
        return keypair_load(path, KEY_X25519, &self->intake);
    TRY(keypair_make(KEY_X25519, &self->intake)); /* a store from before there was one */
    TRY(keypair_save(self->intake, path));
    return file_sync_folder(store);
}

static int by_arrival(const void *left, const void *right)
{
    const struct request *const *a = left, *const *b = right;
    return ((*a)->received_ms > (*b)->received_ms) - ((*a)->received_ms < (*b)->received_ms);
}

fault requests_open(const char *store, struct outlook *outlook, struct proposals *proposals,
                    struct requests **out)
{
    OWNED(requests) self = owned_new(sizeof *self);
    self->outlook = outlook;
    self->proposals = proposals;
    TRY(open_intake(self, store));
    if (!text_format(self->folder, sizeof self->folder, "%s/" FOLDER, store))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    TRY(file_make_folders(self->folder, 0700));
    DIR *folder = opendir(self->folder);
    if (folder == NULL)
        return RAISE(IO_FAILED, "%s: %m", self->folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        read_name(self, entry->d_name);
    closedir(folder);
    if (self->count > 1)
        qsort(self->at, self->count, sizeof(struct request *), by_arrival);
    *out = TAKE(self);
    return DONE;
}

// --- looking ------------------------------------------------------------------------------------

struct request *requests_find(const struct requests *self, const char *id)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->at[i]->id, id) == 0)
            return self->at[i];
    return NULL;
}

struct request *requests_at(const struct requests *self, size_t index)
{
    return index < self->count ? self->at[index] : NULL;
}

/* All acts carried out: the last of their epochs. One refused: so is the whole. */
static enum request_state state_of_acts(const struct requests *self, const struct request *request,
                                        uint64_t *epoch, const char **reason)
{
    size_t done = 0;
    for (size_t i = 0; i < request->proposals; i++) {
        const struct proposal *at = proposals_find(self->proposals, request->proposal[i]);
        uint64_t at_epoch = outlook_epoch_of(self->outlook, request->proposal[i]);
        if (at_epoch > *epoch)
            *epoch = at_epoch;
        done += at_epoch != 0;
        if (at_epoch == 0 && at != NULL && at->refused_by[0] != '\0') {
            *reason = at->reason;
            return REQUEST_REFUSED;
        }
    }
    return done == request->proposals ? REQUEST_APPROVED : REQUEST_PREPARED;
}

enum request_state requests_state(const struct requests *self, const struct request *request,
                                  uint64_t *epoch, const char **reason)
{
    *epoch = 0;
    *reason = "";
    enum request_state state = request->prepared_by[0] == '\0'
                                   ? REQUEST_WAITING
                                   : state_of_acts(self, request, epoch, reason);
    if (request->refused_by[0] == '\0' || state == REQUEST_APPROVED)
        return state; /* what stands in the directory stands there */
    *reason = request->reason;
    return REQUEST_REFUSED;
}

const char *requests_state_word(enum request_state state)
{
    static const char *const words[] = {"waiting", "prepared", "approved", "refused"};
    return words[state];
}

static bool is_open(const struct requests *self, const struct request *request)
{
    uint64_t epoch = 0;
    const char *reason = NULL;
    enum request_state state = requests_state(self, request, &epoch, &reason);
    return state == REQUEST_WAITING || state == REQUEST_PREPARED;
}

size_t requests_waiting(const struct requests *self)
{
    size_t count = 0;
    for (size_t i = 0; i < self->count; i++)
        count += is_open(self, self->at[i]);
    return count;
}

json_t *requests_reach_json(const struct request *request)
{
    char called[32];
    if (request->called_ms == 0)
        return NULL;
    clock_text(request->called_ms, called, sizeof called);
    return json_pack("{s:s,s:s,s:s}", "called", called, "ipv4", request->reach.ipv4, "ipv6",
                     request->reach.ipv6);
}

// --- taking -------------------------------------------------------------------------------------

static fault check_room(const struct requests *self, const char *source)
{
    size_t all = 0, of_source = 0;
    for (size_t i = 0; i < self->count; i++)
        if (is_open(self, self->at[i])) {
            all++;
            of_source += strcmp(self->at[i]->source, source) == 0;
        }
    if (all >= REGISTRY_WAITING_MAX)
        return RAISE(OVERLOADED, "%d requests wait already", REGISTRY_WAITING_MAX);
    if (of_source >= REGISTRY_WAITING_A_SOURCE_MAX)
        return RAISE(RATE_LIMITED, "%d requests from this address wait already",
                     REGISTRY_WAITING_A_SOURCE_MAX);
    return DONE;
}

/* What operators should know: both who ask for one name are shown. free() it. */
static char *make_warning(const struct requests *self, const struct enrolment *enrolment,
                          const char *id, bool vouched)
{
    char out[WARNING_ROOM];
    enrolment_warn(enrolment, outlook_state(self->outlook), vouched, out, sizeof out);
    for (size_t i = 0; i < self->count; i++) {
        size_t used = strlen(out);
        const struct request *at = self->at[i];
        if (strcmp(at->id, id) != 0 && strcmp(at->server, enrolment->server) == 0 &&
            is_open(self, at))
            text_format(out + used, sizeof out - used,
                        "%sanother request for this server waits: %.16s", used == 0 ? "" : "; ",
                        at->id);
    }
    return owned_text(out);
}

static struct request *new_request(const struct requests *self, const struct enrolment *enrolment,
                                   const char *id, const char *source)
{
    struct request *request = owned_new(sizeof *request);
    text_format(request->id, sizeof request->id, "%s", id);
    text_format(request->source, sizeof request->source, "%s", source);
    request->received_ms = clock_wall_ms();
    request->server = owned_text(enrolment->server);
    request->organisation = owned_text(enrolment->organisation);
    request->warning = make_warning(self, enrolment, id, false);
    request->prepared_by = owned_text("");
    request->refused_by = owned_text("");
    request->reason = owned_text("");
    request->alone_by = owned_text("");
    request->alone_reason = owned_text("");
    return request;
}

fault requests_take(struct requests *self, struct span text, struct span source,
                    struct request **out, bool *fresh)
{
    OWNED(enrolment) enrolment = NULL;
    OWNED(request) request = NULL;
    char id[REQUEST_ID_DIGITS + 1], from[17];
    struct sha256 hash = SHA256_OF(source);
    text_hex(span_of(hash.at, 8), from, sizeof from);
    TRY(enrolment_read(text, self->intake, &enrolment));
    text_hex(sha256_span(&enrolment->id), id, sizeof id);
    *out = requests_find(self, id);
    *fresh = *out == NULL;
    if (!*fresh)
        return DONE;
    TRY(enrolment_check(enrolment, outlook_state(self->outlook), outlook_log(self->outlook)));
    TRY(check_room(self, from));
    request = new_request(self, enrolment, id, from);
    TRY(bytes_copy(text, &request->text));
    TRY(requests_save(self, request));
    *out = request;
    keep(self, TAKE(request));
    return DONE;
}

// --- what operators do --------------------------------------------------------------------------

const struct directory *requests_directory(const struct requests *self)
{
    return outlook_state(self->outlook);
}

fault requests_check_open(const struct requests *self, const struct request *request)
{
    uint64_t epoch = 0;
    const char *reason = NULL;
    enum request_state state = requests_state(self, request, &epoch, &reason);
    if (state == REQUEST_REFUSED)
        return RAISE(REFUSED, "the request was refused: %s", reason);
    if (state == REQUEST_APPROVED)
        return RAISE(REFUSED, "the request was approved, epoch %llu", (unsigned long long)epoch);
    return DONE;
}

/* Of a preparation that was cut short before it was written down, or had another ground: nobody
 * shall approve its acts beside those of the next one. */
static fault drop_unfinished(const struct requests *self, const char *id)
{
    struct proposal *at = NULL;
    for (uint64_t number = 0; (at = proposals_after(self->proposals, number)) != NULL;
         number = at->number)
        if (strcmp(at->label, id) == 0 && proposals_state(self->proposals, at) == PROPOSAL_WAITING)
            TRY(proposals_refuse(self->proposals, at, "registry", "the request is prepared anew"));
    return DONE;
}

void requests_look_again(const struct requests *self, struct request *request)
{
    OWNED(enrolment) enrolment = NULL;
    if (!is_open(self, request) || failed(enrolment_again(bytes_span(request->text), &enrolment)))
        return;
    free(request->warning);
    request->warning =
        make_warning(self, enrolment, request->id,
                     vouching_count(request, outlook_state(self->outlook), clock_wall_ms()) > 0);
}

/* Written before any act goes: a machine that stops in between prepares it anew with these words.
 */
static fault set_alone(const struct requests *self, struct request *request, const char *by,
                       const char *reason)
{
    struct request before = *request;
    request->alone_by = owned_text(by);
    request->alone_reason = owned_text(reason);
    request->prepared_by = owned_text("");
    request->proposals = 0;
    fault f = requests_save(self, request);
    struct request *gone = failed(f) ? request : &before;
    free(gone->alone_by);
    free(gone->alone_reason);
    free(gone->prepared_by);
    if (failed(f))
        *request = before;
    return f;
}

static bool is_overtaken(const struct requests *self, const struct request *request)
{
    for (size_t i = 0; i < request->proposals; i++) {
        const struct proposal *at = proposals_find(self->proposals, request->proposal[i]);
        if (at != NULL && proposals_state(self->proposals, at) == PROPOSAL_WAITING &&
            !request_acts_stand(outlook_state(self->outlook), request->server, bytes_span(at->act)))
            return true;
    }
    return false;
}

fault requests_prepare(struct requests *self, struct request *request, const char *by,
                       const char *alone, struct authority_line *line)
{
    OWNED(enrolment) enrolment = NULL;
    char ids[REQUEST_ACTS_MAX][ACT_ID_ROOM];
    size_t count = 0;
    TRY(requests_check_open(self, request));
    TRY(enrolment_again(bytes_span(request->text), &enrolment));
    TRY(voucher_desk_check(self, request, enrolment, alone));
    if (alone != NULL)
        TRY(set_alone(self, request, by, alone));
    if (request->prepared_by[0] != '\0' && !is_overtaken(self, request))
        return DONE;
    TRY(enrolment_check(enrolment, outlook_state(self->outlook), outlook_log(self->outlook)));
    TRY(drop_unfinished(self, request->id));
    TRY(request_acts_propose(enrolment, request->id, by, self->outlook, self->proposals, line, ids,
                             &count));
    memcpy(request->proposal, ids, sizeof ids);
    request->proposals = count;
    free(request->prepared_by);
    request->prepared_by = owned_text(by);
    return requests_save(self, request);
}

fault requests_refuse(struct requests *self, struct request *request, const char *by,
                      const char *reason)
{
    TRY(requests_check_open(self, request));
    if (reason[0] == '\0' || strlen(reason) > REGISTRY_REASON_BYTES_MAX ||
        !shown_as_is(span_of_text(reason)))
        return RAISE(REFUSED, "a refusal has a reason, plain text of at most %d bytes",
                     REGISTRY_REASON_BYTES_MAX);
    for (size_t i = 0; i < request->proposals; i++) {
        struct proposal *at = proposals_find(self->proposals, request->proposal[i]);
        if (at != NULL && proposals_state(self->proposals, at) == PROPOSAL_WAITING)
            TRY(proposals_refuse(self->proposals, at, by, reason));
    }
    free(request->refused_by);
    free(request->reason);
    request->refused_by = owned_text(by);
    request->reason = owned_text(reason);
    return requests_save(self, request);
}

void requests_forget(struct requests *self, int64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++) {
        char path[STORE_PATH_BYTES];
        struct request *at = self->at[i];
        if (now_ms - at->received_ms <= REGISTRY_WAITING_MS) {
            self->at[kept++] = at;
            continue;
        }
        if (!failed(path_of(self, at->id, path)))
            unlink(path);
        request_free(&at);
    }
    self->count = kept;
}
