// SPDX-License-Identifier: MIT
#include "security-server/scribe/outside.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/audit_log.h"
#include "lib/bus/limits.h"
#include "lib/bus/log_epoch.h"
#include "lib/bus/tile_log.h"
#include "lib/bus/witness.h"
#include "security-server/scribe/witness_list.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PATH_BYTES 512
#define CONNECT_WAIT_MS 3000

/* One witness; what we know of it outlives a round. */
struct asked {
    struct listed_witness witness;
    uint64_t old_size; /* what it has cosigned, as far as we know */
    bool signed_it;    /* the checkpoint that is being asked for */
    unsigned tries;    /* in this round */
    /* the request under way; NULL: none is */
    CURL *curl;
    struct curl_slist *fields;
    struct bytes *request, *answer;
};

struct outside {
    char audit_folder[PATH_BYTES - 64];
    unsigned epoch;
    struct note_key log_key;
    CURLM *multi;
    size_t count;
    struct asked asked[DIRECTORY_WITNESSES_MAX];
    struct timespec stamp;  /* of the checkpoint that was looked at last */
    struct checkpoint head; /* size 0: nothing is asked for */
    struct bytes *note;     /* of head, with what came so far */
    int64_t next_ms;        /* steady; those that did not sign are asked again then */
    int64_t until_ms;       /* steady; end of the round under way */
};

static void path_in(const struct outside *self, const char *name, char out[PATH_BYTES])
{
    audit_log_path(self->audit_folder, self->epoch, name, out, PATH_BYTES);
}

fault outside_new(const char *audit_folder, unsigned epoch, struct outside **out)
{
    OWNED(outside) self = owned_new(sizeof *self);
    struct note_key registered;
    self->epoch = epoch;
    if (!text_format(self->audit_folder, sizeof self->audit_folder, "%s", audit_folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    TRY(witness_list_own_key(audit_folder, &registered));
    TRY(log_epoch_key(&registered, epoch, &self->log_key));
    self->multi = curl_multi_init();
    if (self->multi == NULL)
        return RAISE(INTERNAL, "libcurl does not start");
    *out = TAKE(self);
    return DONE;
}

static void end_request(struct outside *self, struct asked *asked)
{
    if (asked->curl != NULL) {
        curl_multi_remove_handle(self->multi, asked->curl);
        curl_easy_cleanup(asked->curl);
        asked->curl = NULL;
    }
    curl_slist_free_all(asked->fields);
    asked->fields = NULL;
    bytes_free(&asked->request);
    bytes_free(&asked->answer);
}

void outside_free(struct outside **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < (*self)->count; i++)
        end_request(*self, &(*self)->asked[i]);
    if ((*self)->multi != NULL)
        curl_multi_cleanup((*self)->multi);
    bytes_free(&(*self)->note);
    free(*self);
    *self = NULL;
}

// --- whom to ask ---------------------------------------------------------------------------------

static void keep_what_is_known(const struct outside *self, struct asked *fresh)
{
    for (size_t i = 0; i < self->count; i++)
        if (memcmp(self->asked[i].witness.key.public_key, fresh->witness.key.public_key,
                   ED25519_PUBLIC_BYTES) == 0) {
            fresh->old_size = self->asked[i].old_size;
            fresh->signed_it = self->asked[i].signed_it;
        }
}

/* As the exchange process has it from the directory; it may have changed since the last round. */
static fault choose(struct outside *self)
{
    struct witness_list list;
    struct asked fresh[DIRECTORY_WITNESSES_MAX] = {0};
    TRY(witness_list_read(self->audit_folder, &list));
    for (size_t i = 0; i < list.count; i++) {
        fresh[i].witness = list.one[i];
        keep_what_is_known(self, &fresh[i]);
    }
    memcpy(self->asked, fresh, sizeof fresh);
    self->count = list.count;
    return DONE;
}

// --- asking one ----------------------------------------------------------------------------------

static size_t take_bytes(char *at, size_t size, size_t count, void *owner)
{
    struct bytes *into = owner;
    if (size * count > WITNESS_LINES_BYTES_MAX - into->size ||
        failed(bytes_append(into, span_of(at, size * count))))
        return 0; /* ends the transfer */
    return size * count;
}

static fault build_question(const struct outside *self, const struct asked *asked,
                            struct bytes **out)
{
    char folder[PATH_BYTES];
    struct sha256 proof[MERKLE_PROOF_MAX];
    size_t length = 0;
    text_format(folder, sizeof folder, "%s/log/%u", self->audit_folder, self->epoch);
    OWNED(tile_reader) tiles = tile_reader_new(folder, self->head.size);
    TRY(tile_reader_consistency(tiles, asked->old_size, proof, &length));
    return witness_request_write(asked->old_size, proof, length, bytes_span(self->note), out);
}

static void set_options(struct asked *asked, const char *url, int64_t wait_ms)
{
    CURL *curl = asked->curl;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_WAIT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)wait_ms);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, asked->fields);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)asked->request->data);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)asked->request->size);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, asked->answer);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, (char *)asked);
}

static fault start(struct outside *self, struct asked *asked)
{
    char url[WITNESS_URL_BYTES + 32];
    int64_t left_ms = self->until_ms - clock_steady_ms();
    end_request(self, asked);
    if (left_ms <= 0)
        return RAISE(PEER_UNREACHABLE, "the round is over");
    TRY(build_question(self, asked, &asked->request));
    asked->tries++;
    asked->answer = bytes_empty(WITNESS_LINES_BYTES_MAX);
    asked->fields = curl_slist_append(NULL, "Content-Type: text/plain; charset=utf-8");
    asked->curl = curl_easy_init();
    text_format(url, sizeof url, "%s/add-checkpoint", asked->witness.url);
    if (asked->curl == NULL)
        return RAISE(INTERNAL, "libcurl does not start");
    set_options(asked, url, left_ms);
    return curl_multi_add_handle(self->multi, asked->curl) == CURLM_OK
               ? DONE
               : RAISE(INTERNAL, "libcurl takes no request");
}

// --- what came -----------------------------------------------------------------------------------

/* A smaller size we prove from; a larger one means that we are not what we were. */
static fault take_other_size(struct outside *self, struct asked *asked, const char *type)
{
    uint64_t size = 0;
    struct span body = bytes_span(asked->answer);
    if (type == NULL || strcmp(type, "text/x.tlog.size") != 0)
        return RAISE(BAD_FRAME, "status 409 without a size (text/x.tlog.size)");
    if (body.size < 2 || body.at[body.size - 1] != '\n' ||
        failed(text_number(span_of(body.at, body.size - 1), UINT64_MAX, &size)))
        return RAISE(BAD_FRAME, "a size that is none");
    if (size > self->head.size)
        return RAISE(INCONSISTENT,
                     "it has cosigned %" PRIu64 " entries of our log, and we ask for %" PRIu64,
                     size, self->head.size);
    if (size == asked->old_size)
        return RAISE(INCONSISTENT, "it refuses to go on from the size that it names, %" PRIu64,
                     size);
    if (asked->tries >= OUTSIDE_TRIES_MAX)
        return RAISE(REFUSED, "it names another size each time");
    asked->old_size = size;
    return start(self, asked);
}

static fault take_answer(struct outside *self, struct asked *asked, CURLcode code)
{
    long status = 0;
    char *type = NULL;
    if (code == CURLE_WRITE_ERROR)
        return RAISE(BAD_FRAME, "an answer of more than %d bytes", WITNESS_LINES_BYTES_MAX);
    if (code != CURLE_OK)
        return RAISE(PEER_UNREACHABLE, "%s", curl_easy_strerror(code));
    curl_easy_getinfo(asked->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(asked->curl, CURLINFO_CONTENT_TYPE, &type);
    if (status == WITNESS_OTHER_SIZE)
        return take_other_size(self, asked, type);
    if (status != WITNESS_COSIGN)
        return RAISE(status == WITNESS_INCONSISTENT ? INCONSISTENT : REFUSED, "HTTP status %ld",
                     status);
    TRY(witness_line_take(&self->note, bytes_span(asked->answer), &asked->witness.key));
    asked->signed_it = true;
    asked->old_size = self->head.size;
    return DONE;
}

static void say(const struct asked *asked, fault f)
{
    if (f.code == INCONSISTENT)
        EVENT(ERROR, "outside.witness_contradicts", E_TEXT("witness", asked->witness.key.name),
              E_FAULT(f));
    else if (failed(f))
        EVENT(WARN, "outside.witness_refused", E_TEXT("witness", asked->witness.key.name),
              E_FAULT(f));
    else if (asked->signed_it)
        EVENT(DEBUG, "outside.cosigned", E_TEXT("witness", asked->witness.key.name),
              E_NUMBER("size", asked->old_size));
}

static void finished(struct outside *self, const CURLMsg *message)
{
    struct asked *asked = NULL;
    CURLcode code = message->data.result;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&asked);
    unsigned tries = asked->tries;
    say(asked, take_answer(self, asked, code));
    if (asked->tries == tries) /* else it is being asked once more */
        end_request(self, asked);
}

// --- a round -------------------------------------------------------------------------------------

static void wait_for_all(struct outside *self)
{
    int running = 1, left = 0;
    while (running > 0 && curl_multi_perform(self->multi, &running) == CURLM_OK) {
        for (CURLMsg *message; (message = curl_multi_info_read(self->multi, &left)) != NULL;) {
            if (message->msg != CURLMSG_DONE)
                continue;
            finished(self, message);
            running++; /* maybe: the next perform tells */
        }
        int64_t left_ms = self->until_ms - clock_steady_ms();
        if (left_ms <= 0)
            return;
        if (running > 0)
            curl_multi_poll(self->multi, NULL, 0, left_ms < 100 ? (int)left_ms : 100, NULL);
    }
}

static bool is_one_missing(const struct outside *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (!self->asked[i].signed_it)
            return true;
    return false;
}

static fault ask_all(struct outside *self)
{
    char path[PATH_BYTES];
    self->until_ms = clock_steady_ms() + OUTSIDE_ROUND_MS;
    for (size_t i = 0; i < self->count; i++) {
        self->asked[i].tries = 0;
        if (self->asked[i].signed_it)
            continue;
        if (self->asked[i].old_size > self->head.size)
            self->asked[i].old_size = 0; /* it will say */
        fault f = start(self, &self->asked[i]);
        if (failed(f)) {
            say(&self->asked[i], f);
            end_request(self, &self->asked[i]);
        }
    }
    wait_for_all(self);
    for (size_t i = 0; i < self->count; i++)
        if (self->asked[i].curl != NULL) {
            say(&self->asked[i], RAISE(PEER_UNREACHABLE, "no whole answer in time"));
            end_request(self, &self->asked[i]);
        }
    path_in(self, "outside", path);
    return file_replace(path, bytes_span(self->note), 0644);
}

static fault read_note(const struct outside *self, const char *name, struct bytes **note,
                       struct checkpoint *out)
{
    char path[PATH_BYTES];
    path_in(self, name, path);
    TRY(file_read(path, NOTE_BYTES_MAX, note));
    return checkpoint_open(bytes_span(*note), &self->log_key, out);
}

static bool has_changed(struct outside *self)
{
    char path[PATH_BYTES];
    struct stat st;
    path_in(self, "checkpoint", path);
    if (stat(path, &st) != 0 ||
        (st.st_mtim.tv_sec == self->stamp.tv_sec && st.st_mtim.tv_nsec == self->stamp.tv_nsec))
        return false;
    self->stamp = st.st_mtim;
    return true;
}

/* A quorum is there already: what was cosigned is not asked for again. */
static bool is_cosigned(const struct outside *self)
{
    OWNED(bytes) note = NULL;
    struct checkpoint cosigned;
    return !failed(read_note(self, "cosigned", &note, &cosigned)) &&
           cosigned.size >= self->head.size;
}

static fault take_checkpoint(struct outside *self)
{
    OWNED(bytes) note = NULL;
    struct checkpoint head;
    TRY(read_note(self, "checkpoint", &note, &head));
    if (head.size == self->head.size)
        return DONE; /* the same one with cosignatures */
    self->head = head;
    bytes_free(&self->note);
    self->note = TAKE(note);
    self->next_ms = clock_steady_ms();
    for (size_t i = 0; i < self->count; i++)
        self->asked[i].signed_it = false;
    return DONE;
}

fault outside_look(struct outside *self)
{
    if (has_changed(self))
        TRY(take_checkpoint(self));
    if (self->head.size == 0 || clock_steady_ms() < self->next_ms)
        return DONE;
    self->next_ms = clock_steady_ms() + OUTSIDE_RETRY_MS;
    TRY(choose(self));
    if (self->count == 0 || !is_one_missing(self) || is_cosigned(self))
        return DONE;
    return ask_all(self);
}
