// SPDX-License-Identifier: MIT
#include "security-server/follower/fetcher.h"

#include "lib/bus/limits.h"

#include <curl/curl.h>
#include <stdlib.h>

#define CONNECTIONS_MAX 16L
#define FIRST_ROOM 4096

/* One request. */
struct asked {
    struct fetcher *home;
    struct fetch what;
    CURL *curl;
    struct curl_slist *fields;
    struct bytes *post, *answer;
    struct asked *next, **link;
};

/* A descriptor that libcurl wants to be woken for. */
struct woken {
    struct loop_watch watch;
};

struct fetcher {
    struct loop *loop;
    CURLM *multi;
    struct loop_timer timer;
    struct asked *asked;
};

// --- libcurl in the loop ------------------------------------------------------------------------

static void take_messages(struct fetcher *self);

static void act(struct fetcher *self, curl_socket_t fd, int bits)
{
    int running = 0;
    curl_multi_socket_action(self->multi, fd, bits, &running);
    take_messages(self);
}

/* libcurl may take the watch away in here: it is not looked at afterwards. */
static void on_socket(struct loop_watch *watch, uint32_t bits)
{
    int what = 0;
    if ((bits & (EPOLLIN | EPOLLHUP)) != 0)
        what |= CURL_CSELECT_IN;
    if ((bits & EPOLLOUT) != 0)
        what |= CURL_CSELECT_OUT;
    if ((bits & EPOLLERR) != 0)
        what |= CURL_CSELECT_ERR;
    act(watch->owner, watch->fd, what);
}

static void forget_socket(struct fetcher *self, curl_socket_t fd, struct woken *woken)
{
    if (woken == NULL)
        return;
    loop_unwatch(self->loop, &woken->watch);
    curl_multi_assign(self->multi, fd, NULL);
    free(woken);
}

static int want_socket(CURL *curl, curl_socket_t fd, int what, void *owner, void *known)
{
    struct fetcher *self = owner;
    struct woken *woken = known;
    (void)curl;
    if (what == CURL_POLL_REMOVE) {
        forget_socket(self, fd, woken);
        return 0;
    }
    uint32_t bits = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    if (woken != NULL) {
        woken->watch.bits = bits;
        return failed(loop_rewatch(self->loop, &woken->watch)) ? -1 : 0;
    }
    woken = owned_new(sizeof *woken);
    woken->watch = (struct loop_watch){.fd = fd, .bits = bits, .ready = on_socket, .owner = self};
    if (failed(loop_watch(self->loop, &woken->watch))) {
        free(woken);
        return -1;
    }
    curl_multi_assign(self->multi, fd, woken);
    return 0;
}

static int want_timer(CURLM *multi, long wait_ms, void *owner)
{
    struct fetcher *self = owner;
    (void)multi;
    if (wait_ms < 0)
        loop_stop_timer(self->loop, &self->timer);
    else
        loop_set_timer(self->loop, &self->timer, wait_ms);
    return 0;
}

static void on_timer(struct loop_timer *timer)
{
    act(timer->owner, CURL_SOCKET_TIMEOUT, 0);
}

fault fetcher_new(struct loop *loop, struct fetcher **out)
{
    OWNED(fetcher) self = owned_new(sizeof *self);
    self->loop = loop;
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    self->multi = curl_multi_init();
    if (self->multi == NULL)
        return RAISE(INTERNAL, "libcurl does not start");
    curl_multi_setopt(self->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    curl_multi_setopt(self->multi, CURLMOPT_SOCKETDATA, self);
    curl_multi_setopt(self->multi, CURLMOPT_TIMERFUNCTION, want_timer);
    curl_multi_setopt(self->multi, CURLMOPT_TIMERDATA, self);
    curl_multi_setopt(self->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, CONNECTIONS_MAX);
    *out = TAKE(self);
    return DONE;
}

static void asked_free(struct asked *asked)
{
    if (asked->curl != NULL) {
        curl_multi_remove_handle(asked->home->multi, asked->curl);
        curl_easy_cleanup(asked->curl);
    }
    curl_slist_free_all(asked->fields);
    bytes_free(&asked->post);
    bytes_free(&asked->answer);
    if (asked->link != NULL) {
        *asked->link = asked->next;
        if (asked->next != NULL)
            asked->next->link = asked->link;
    }
    free(asked);
}

void fetcher_free(struct fetcher **self)
{
    if (*self == NULL)
        return;
    while ((*self)->asked != NULL)
        asked_free((*self)->asked);
    if ((*self)->multi != NULL)
        curl_multi_cleanup((*self)->multi);
    loop_stop_timer((*self)->loop, &(*self)->timer);
    free(*self);
    *self = NULL;
}

// --- asking -------------------------------------------------------------------------------------

static size_t take_bytes(char *at, size_t size, size_t count, void *owner)
{
    struct asked *asked = owner;
    if (size * count > asked->what.bytes_max - asked->answer->size ||
        failed(bytes_append(asked->answer, span_of(at, size * count))))
        return 0; /* ends the transfer */
    return size * count;
}

static void set_options(struct asked *asked)
{
    CURL *curl = asked->curl;
    curl_easy_setopt(curl, CURLOPT_URL, asked->what.url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)FOLLOW_CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)asked->what.wait_ms);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, FOLLOW_STILL_MS / 1000L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "chaski");
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "gzip"); /* bytes_max counts what comes out */
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, asked);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, (char *)asked);
    if (asked->post == NULL)
        return;
    asked->fields = curl_slist_append(NULL, "Content-Type: text/plain; charset=utf-8");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, asked->fields);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)asked->post->data);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)asked->post->size);
}

fault fetcher_begin(struct fetcher *self, const struct fetch *what)
{
    struct asked *asked = owned_new(sizeof *asked);
    asked->home = self;
    asked->what = *what;
    asked->answer = bytes_empty(what->bytes_max < FIRST_ROOM ? what->bytes_max : FIRST_ROOM);
    asked->curl = curl_easy_init();
    fault f = asked->curl == NULL ? RAISE(INTERNAL, "libcurl does not start") : DONE;
    if (!failed(f) && what->post != NULL)
        f = bytes_copy(*what->post, &asked->post);
    if (!failed(f)) {
        set_options(asked); /* copies the address */
        asked->what.url = NULL;
        asked->what.post = NULL;
        if (curl_multi_add_handle(self->multi, asked->curl) != CURLM_OK)
            f = RAISE(INTERNAL, "libcurl takes no request");
    }
    if (failed(f)) {
        asked_free(asked);
        return f;
    }
    asked->next = self->asked;
    asked->link = &self->asked;
    if (asked->next != NULL)
        asked->next->link = &asked->next;
    self->asked = asked;
    return DONE;
}

void fetcher_drop(struct fetcher *self, const void *owner)
{
    for (struct asked *at = self->asked, *next; at != NULL; at = next) {
        next = at->next;
        if (at->what.owner == owner)
            asked_free(at);
    }
}

// --- what came ----------------------------------------------------------------------------------

static fault judge(const struct asked *asked, CURLcode code)
{
    long status = 0;
    if (code == CURLE_WRITE_ERROR)
        return RAISE(BAD_FRAME, "an answer of more than %zu bytes", asked->what.bytes_max);
    if (code != CURLE_OK)
        return RAISE(PEER_UNREACHABLE, "%s", curl_easy_strerror(code));
    curl_easy_getinfo(asked->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status == 404 || status == 410)
        return RAISE(NOT_FOUND, "HTTP status %ld", status);
    if (status < 200 || status > 299 || (asked->post == NULL && status != 200))
        return RAISE(REFUSED, "HTTP status %ld", status);
    return DONE;
}

/* What is done with an answer may begin and drop others. */
static void take_messages(struct fetcher *self)
{
    int left = 0;
    for (CURLMsg *message; (message = curl_multi_info_read(self->multi, &left)) != NULL;) {
        struct asked *asked = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&asked);
        struct fetch what = asked->what;
        fault f = judge(asked, code);
        OWNED(bytes) answer = TAKE(asked->answer);
        asked_free(asked);
        what.done(what.owner, f, bytes_span(answer));
    }
}
