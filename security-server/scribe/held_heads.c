// SPDX-License-Identifier: MIT
#include "security-server/scribe/held_heads.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/log_epoch.h"
#include "lib/bus/outside_files.h"
#include "lib/bus/witness.h"
#include "security-server/scribe/witness_list.h"

#include "outside.pb-c.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PATH_BYTES 512
#define CONNECT_WAIT_MS 3000
#define ASKS_MAX (DIRECTORY_WITNESSES_MAX * OUTSIDE_EPOCHS_MAX)

/* One witness about one epoch. */
struct ask {
    const struct listed_witness *witness;
    struct note_key log_key;
    CURL *curl;
    struct bytes *answer;
    CURLcode code;
    bool ended;
};

struct round {
    struct witness_list list;
    struct note_key registered;
    CURLM *multi;
    int64_t until_ms; /* steady */
    size_t count;
    struct ask ask[ASKS_MAX]; /* those of one witness stand together */
};

static void round_free(struct round **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < (*self)->count; i++) {
        struct ask *ask = &(*self)->ask[i];
        if (ask->curl != NULL) {
            curl_multi_remove_handle((*self)->multi, ask->curl);
            curl_easy_cleanup(ask->curl);
        }
        bytes_free(&ask->answer);
    }
    if ((*self)->multi != NULL)
        curl_multi_cleanup((*self)->multi);
    free(*self);
    *self = NULL;
}

// --- asking -------------------------------------------------------------------------------------

static size_t take_bytes(char *at, size_t size, size_t count, void *owner)
{
    struct bytes *into = owner;
    if (size * count > NOTE_BYTES_MAX - into->size ||
        failed(bytes_append(into, span_of(at, size * count))))
        return 0; /* ends the transfer */
    return size * count;
}

static void set_options(struct ask *ask, const char *url, int64_t wait_ms)
{
    CURL *curl = ask->curl;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_WAIT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)wait_ms);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, ask->answer);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, (char *)ask);
}

static fault start(struct round *self, struct ask *ask)
{
    char url[WITNESS_URL_BYTES + 2 * SHA256_BYTES + 32], hex[2 * SHA256_BYTES + 1];
    struct sha256 hash = SHA256_OF(span_of_text(ask->log_key.name));
    text_hex(sha256_span(&hash), hex, sizeof hex);
    text_format(url, sizeof url, "%s/%s/checkpoint", ask->witness->url, hex);
    ask->answer = bytes_empty(NOTE_BYTES_MAX);
    ask->curl = curl_easy_init();
    if (ask->curl == NULL)
        return RAISE(INTERNAL, "libcurl does not start");
    set_options(ask, url, self->until_ms - clock_steady_ms());
    return curl_multi_add_handle(self->multi, ask->curl) == CURLM_OK
               ? DONE
               : RAISE(INTERNAL, "libcurl takes no request");
}

/* The newest epoch first: where a whole one is missing, that is what is to be said. */
static fault start_all(struct round *self, unsigned first_epoch, unsigned last_epoch)
{
    for (size_t i = 0; i < self->list.count; i++)
        for (unsigned epoch = last_epoch; epoch >= first_epoch && epoch > 0; epoch--) {
            struct ask *ask = &self->ask[self->count];
            if (self->count == ASKS_MAX)
                return RAISE(BAD_FRAME, "a question about too many epochs");
            if (failed(log_epoch_key(&self->registered, epoch, &ask->log_key)))
                continue; /* there can be no such epoch */
            ask->witness = &self->list.one[i];
            self->count++;
            TRY(start(self, ask));
        }
    return DONE;
}

static void wait_for_all(struct round *self)
{
    int running = 1, left = 0;
    while (running > 0 && curl_multi_perform(self->multi, &running) == CURLM_OK) {
        for (CURLMsg *message; (message = curl_multi_info_read(self->multi, &left)) != NULL;) {
            struct ask *ask = NULL;
            if (message->msg != CURLMSG_DONE)
                continue;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&ask);
            ask->code = message->data.result;
            ask->ended = true;
        }
        int64_t left_ms = self->until_ms - clock_steady_ms();
        if (left_ms <= 0)
            return;
        if (running > 0)
            curl_multi_poll(self->multi, NULL, 0, left_ms < 100 ? (int)left_ms : 100, NULL);
    }
}

// --- what came ----------------------------------------------------------------------------------

/* DONE with *held false: it knows nothing of that log, and says so. */
static fault judge(const struct ask *ask, bool *held)
{
    long status = 0;
    struct checkpoint head;
    *held = false;
    if (!ask->ended)
        return RAISE(PEER_UNREACHABLE, "no whole answer in time");
    if (ask->code == CURLE_WRITE_ERROR)
        return RAISE(BAD_FRAME, "an answer of more than %d bytes", NOTE_BYTES_MAX);
    if (ask->code != CURLE_OK)
        return RAISE(PEER_UNREACHABLE, "%s", curl_easy_strerror(ask->code));
    curl_easy_getinfo(ask->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status == WITNESS_UNKNOWN_LOG)
        return DONE;
    if (status != WITNESS_COSIGN)
        return RAISE(REFUSED, "HTTP status %ld", status);
    TRY(checkpoint_open(bytes_span(ask->answer), &ask->log_key, &head));
    *held = true;
    return DONE;
}

/* One witness: true when each of its answers says something. */
static bool take_witness(struct round *self, size_t first, size_t *next,
                         Chaski__OutsideHeard *heard)
{
    const struct listed_witness *witness = self->ask[first].witness;
    bool answered = true, any = false;
    for (*next = first; *next < self->count && self->ask[*next].witness == witness; ++*next) {
        struct ask *ask = &self->ask[*next];
        bool held = false;
        fault f = judge(ask, &held);
        if (failed(f) && answered)
            EVENT(WARN, "outside.witness_not_heard", E_TEXT("witness", witness->key.name),
                  E_FAULT(f));
        answered &= !failed(f);
        any |= held;
        if (!held)
            continue;
        Chaski__OutsideHeld *one = heard->held[heard->n_held++];
        one->witness = (char *)(uintptr_t)witness->key.name;
        one->note = (ProtobufCBinaryData){ask->answer->size, ask->answer->data};
    }
    if (answered && !any)
        EVENT(WARN, "outside.witness_holds_nothing", E_TEXT("witness", witness->key.name),
              E_TEXT("detail", "it shows no checkpoint of this log: it has cosigned none yet, or "
                               "shows none under the address that the directory names"));
    return answered;
}

static fault write_heard(struct round *self, uint64_t run, const char *audit_folder)
{
    char path[PATH_BYTES];
    OWNED(bytes) packed = NULL;
    Chaski__OutsideHeard heard = CHASKI__OUTSIDE_HEARD__INIT;
    Chaski__OutsideHeld held[ASKS_MAX], *list[ASKS_MAX];
    for (size_t i = 0; i < ASKS_MAX; i++) {
        chaski__outside_held__init(&held[i]);
        list[i] = &held[i];
    }
    heard.run = run;
    heard.held = list;
    for (size_t i = 0; i < self->count;)
        heard.answered += take_witness(self, i, &i, &heard);
    TRY(bytes_new(chaski__outside_heard__get_packed_size(&heard), &packed));
    chaski__outside_heard__pack(&heard, packed->data);
    if (!text_format(path, sizeof path, "%s/" OUTSIDE_HEARD_FILE, audit_folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    return file_replace(path, bytes_span(packed), 0600);
}

// --- a round ------------------------------------------------------------------------------------

static fault ask_all(const Chaski__OutsideQuestion *question, int64_t wait_ms,
                     const char *audit_folder)
{
    OWNED(round) self = owned_new(sizeof *self);
    self->until_ms = clock_steady_ms() + wait_ms;
    TRY(witness_list_own_key(audit_folder, &self->registered));
    TRY(witness_list_read(audit_folder, &self->list));
    self->multi = curl_multi_init();
    if (self->multi == NULL)
        return RAISE(INTERNAL, "libcurl does not start");
    TRY(start_all(self, question->first_epoch, question->last_epoch));
    wait_for_all(self);
    return write_heard(self, question->run, audit_folder);
}

/* As long as somebody waits: a question may be of a process that is gone. */
static fault answer(const char *path, int64_t asked_ms, const char *audit_folder)
{
    OWNED(bytes) file = NULL;
    int64_t age_ms = clock_wall_ms() - asked_ms;
    TRY(file_read(path, OUTSIDE_QUESTION_BYTES_MAX, &file));
    Chaski__OutsideQuestion *question =
        chaski__outside_question__unpack(NULL, file->size, file->data);
    if (question == NULL)
        return RAISE(BAD_FRAME, "%s is no question", path);
    int64_t left_ms = question->wait_ms - (age_ms > 0 ? age_ms : 0);
    fault f = left_ms > 0 ? ask_all(question, left_ms, audit_folder) : DONE;
    chaski__outside_question__free_unpacked(question, NULL);
    return f;
}

void held_heads_look(struct held_heads *self, const char *audit_folder)
{
    char path[PATH_BYTES];
    struct stat st;
    if (!text_format(path, sizeof path, "%s/" OUTSIDE_QUESTION_FILE, audit_folder) ||
        stat(path, &st) != 0 ||
        (st.st_mtim.tv_sec == self->stamp.tv_sec && st.st_mtim.tv_nsec == self->stamp.tv_nsec))
        return;
    self->stamp = st.st_mtim;
    fault f = answer(path, st.st_mtim.tv_sec * 1000LL + st.st_mtim.tv_nsec / 1000000, audit_folder);
    if (failed(f))
        EVENT(WARN, "outside.witnesses_not_asked", E_FAULT(f));
}
