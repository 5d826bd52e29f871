// SPDX-License-Identifier: MIT
#include "security-server/token/token_process.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/jail.h"
#include "lib/base/text.h"
#include "security-server/token/pin_note.h"
#include "security-server/token/token_crew.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct process {
    const struct server_config *config;
    int line;
    struct token_uri uri;
    struct token_desk desk;
    struct token_module *module;
    struct token *token;
    struct token_crew *crew;
    fault state; /* told last */
    char detail[TOKEN_DETAIL_BYTES_MAX];
    struct token_unanswered unanswered[TOKEN_SESSIONS_MAX];
};

// --- opening ------------------------------------------------------------------------------------

static fault read_pin(const struct process *self, char path[PATH_MAX], struct secret **out)
{
    if (self->uri.pin_source[0] == '\0')
        return DONE;
    fault f = secret_path(self->uri.pin_source, path, PATH_MAX);
    if (!failed(f))
        f = pin_note_check(self->config->keys_folder, path);
    if (!failed(f))
        f = secret_read(self->uri.pin_source, "PIN", out);
    return failed(f) ? RAISE(TOKEN_REFUSED, "%s", fault_detail()) : DONE;
}

/* The note is on disk before anybody can try again. */
static void keep_refused(const struct process *self, const char *path)
{
    char detail[TOKEN_DETAIL_BYTES_MAX];
    text_format(detail, sizeof detail, "%s", fault_detail());
    fault f = pin_note_keep(self->config->keys_folder, path);
    if (failed(f))
        EVENT(ERROR, "token.pin_note_failed", E_FAULT(f));
    ignore(RAISE(TOKEN_REFUSED, "%s", detail)); /* the note of this thread, as it was */
}

static fault open_token(struct process *self)
{
    char path[PATH_MAX] = "";
    bool refused = false;
    OWNED(secret) pin = NULL;
    if (self->desk.certificate == NULL) /* of a server that is to be enrolled: it comes later */
        TRY(token_desk_open(self->config->keys_folder, &self->desk));
    if (self->module == NULL)
        TRY(token_module_load(self->config->token_module, &self->module));
    TRY(read_pin(self, path, &pin));
    fault f = token_open(self->module, &self->uri, secret_span(pin), &refused, &self->token);
    if (refused)
        keep_refused(self, path);
    TRY(f);
    if (pin != NULL)
        pin_note_drop(self->config->keys_folder);
    return token_crew_start(self->line, &self->desk, self->token,
                            (size_t)self->config->token_sessions, self->unanswered, &self->crew);
}

/* A module that does not return is ended with this process, by the alarm. */
static fault open_all(struct process *self)
{
    alarm(TOKEN_HANG_S);
    fault f = open_token(self);
    if (failed(f)) {
        char detail[TOKEN_DETAIL_BYTES_MAX];
        text_format(detail, sizeof detail, "%s", fault_detail());
        token_free(&self->token);
        f = RAISE(f.code == TOKEN_AWAY ? TOKEN_AWAY : TOKEN_REFUSED, "%s", detail);
    }
    alarm(0);
    return f;
}

// --- telling ------------------------------------------------------------------------------------

static void send_out(const struct process *self, const struct bytes *datagram)
{
    struct span all = bytes_span(datagram);
    if (all.size > 0 && send(self->line, all.at, all.size, MSG_NOSIGNAL) < 0 && errno != EPIPE)
        EVENT(ERROR, "token.not_told", E_TEXT("error", strerror(errno)));
}

static void report(const struct process *self, fault f)
{
    if (!failed(f))
        EVENT(INFO, "token.ready", E_TEXT("token", self->uri.token),
              E_NUMBER("sessions", self->config->token_sessions));
    else
        EVENT(ERROR, f.code == TOKEN_AWAY ? "token.away" : "token.refused", E_FAULT(f),
              E_TEXT("remedy",
                     "the node verifies, serves its log and witnesses; it signs again when "
                     "the token can be used, without a restart"));
}

/* Says it once per change, to the exchange and to operators. */
static void tell(struct process *self, fault f)
{
    const char *detail = failed(f) ? fault_detail() : "";
    OWNED(bytes) datagram = NULL;
    bool changed = f.code != self->state.code || strcmp(detail, self->detail) != 0;
    if (!changed)
        return;
    report(self, f);
    self->state = f;
    text_format(self->detail, sizeof self->detail, "%s", detail);
    if (!failed(token_desk_state(f, self->detail, &datagram)))
        send_out(self, datagram);
}

// --- without a token ----------------------------------------------------------------------------

static void refuse(const struct process *self, struct span datagram)
{
    OWNED(bytes) out = NULL;
    fault f = token_desk_refuse(self->state, self->detail, datagram, &out);
    if (failed(f))
        EVENT(ERROR, "token.message_refused", E_FAULT(f));
    else
        send_out(self, out);
}

static void refuse_unanswered(struct process *self)
{
    for (size_t i = 0; i < TOKEN_SESSIONS_MAX; i++) {
        if (self->unanswered[i].size > 0)
            refuse(self, span_of(self->unanswered[i].data, self->unanswered[i].size));
        self->unanswered[i] = (struct token_unanswered){.size = 0};
    }
}

/* Answers each job with the state, until it is time to try again. False: the line has closed. */
static bool wait_away(struct process *self)
{
    uint8_t datagram[TOKEN_DATAGRAM_BYTES_MAX];
    int64_t until_ms = clock_steady_ms() + TOKEN_RETRY_MS;
    refuse_unanswered(self);
    for (int64_t left = TOKEN_RETRY_MS; left > 0; left = until_ms - clock_steady_ms()) {
        struct pollfd wait = {.fd = self->line, .events = POLLIN};
        if (poll(&wait, 1, (int)left) <= 0)
            continue;
        ssize_t got = recv(self->line, datagram, sizeof datagram, MSG_DONTWAIT);
        if (got == 0)
            return false;
        if (got > 0)
            refuse(self, span_of(datagram, (size_t)got));
    }
    return true;
}

// --- with a token -------------------------------------------------------------------------------

static bool any_failed_twice(const struct process *self)
{
    for (size_t i = 0; i < TOKEN_SESSIONS_MAX; i++)
        if (self->unanswered[i].tries > 1)
            return true;
    return false;
}

/* True: closed. Else the token is lost, and the fault noted; what was being signed is left. */
static bool serve(struct process *self)
{
    char detail[TOKEN_DETAIL_BYTES_MAX];
    fault f = token_crew_wait(self->crew);
    text_format(detail, sizeof detail, "%s", fault_detail());
    alarm(TOKEN_HANG_S);
    token_crew_end(&self->crew, self->unanswered);
    token_free(&self->token);
    alarm(0);
    if (!failed(f) || f.code == IO_FAILED)
        return true;
    EVENT(WARN, "token.session_lost", E_TEXT("detail", detail));
    ignore(RAISE(TOKEN_AWAY, "%s", detail)); /* for tell() */
    return false;
}

/* An earlier process may have left with the word that all is well. */
static void tell_opening(struct process *self)
{
    OWNED(bytes) datagram = NULL;
    if (!failed(token_desk_state((fault){TOKEN_AWAY}, "the token is being opened", &datagram)))
        send_out(self, datagram);
}

/* A session that is lost is opened anew at once, and nobody need hear of it; but not in a circle.
 */
static void run(struct process *self)
{
    for (bool at_once = true;;) {
        int64_t opened_ms = clock_steady_ms();
        fault f = open_all(self);
        tell(self, f);
        if (!failed(f)) {
            if (serve(self))
                return;
            at_once = clock_steady_ms() - opened_ms > TOKEN_RETRY_MS || at_once;
            if (at_once && !any_failed_twice(self)) {
                at_once = false;
                continue;
            }
            tell(self, (fault){TOKEN_AWAY});
        }
        if (!wait_away(self))
            return;
        at_once = true;
    }
}

int token_process_run(const struct server_config *config, int line)
{
    struct process *self = owned_new(sizeof *self);
    self->config = config;
    self->line = line;
    self->state = (fault){INTERNAL}; /* nothing is told yet */
    fault f = token_uri_parse(config->sign_key, &self->uri);
    if (!failed(f))
        f = jail_enter(JAIL_TOKEN);
    if (failed(f)) {
        EVENT(ERROR, "token.failed", E_FAULT(f));
    } else {
        tell_opening(self);
        run(self);
    }
    token_desk_close(&self->desk);
    token_module_free(&self->module);
    free(self);
    return failed(f) ? 1 : 0;
}
