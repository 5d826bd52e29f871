// SPDX-License-Identifier: MIT
#include "security-server/token/token_process.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/jail.h"
#include "lib/base/text.h"
#include "lib/bus/signing_object.h"
#include "security-server/token/pin_note.h"
#include "security-server/token/token_crew.h"
#include "security-server/token/token_renewal.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct process {
    const struct server_config *config;
    int line;
    struct token_uri uri; /* of the object that signs under sign.crt */
    struct token_desk desk;
    struct token_renewal *renewal; /* NULL: its key does not change */
    struct token_module *module;
    struct token *token, *next; /* the latter of the object under sign.next.crt; NULL: none */
    int64_t reload_from_ms;     /* steady: what lies in the keys folder is not read again before */
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

/* Which object signs under which certificate. Of a server that is to be enrolled there is none yet.
 */
static fault open_desk(struct process *self)
{
    if (self->desk.certificate != NULL)
        return DONE;
    TRY(token_uri_parse(self->config->sign_key, &self->uri));
    TRY(signing_object_take(self->config->keys_folder, &self->uri));
    TRY(token_desk_open(self->config->keys_folder, &self->desk));
    self->desk.renewal = self->renewal;
    return DONE;
}

static fault start_crew(struct process *self)
{
    char object[TOKEN_OBJECT_ROOM];
    if (self->desk.next_certificate != NULL && self->renewal != NULL) {
        TRY(token_renewal_object(self->renewal, object));
        self->next = token_alias(self->token, object);
    }
    if (self->renewal != NULL)
        token_renewal_use(self->renewal, self->token);
    const struct token_tools tools = {&self->desk, self->token, self->next, self->reload_from_ms};
    return token_crew_start(self->line, &tools, (size_t)self->config->token_sessions,
                            self->unanswered, &self->crew);
}

/* All its sessions are freed before. */
static void close_token(struct process *self)
{
    if (self->renewal != NULL)
        token_renewal_use(self->renewal, NULL);
    if (self->next != NULL)
        token_alias_free(&self->next);
    token_free(&self->token);
}

static fault open_token(struct process *self)
{
    char path[PATH_MAX] = "";
    bool refused = false;
    OWNED(secret) pin = NULL;
    TRY(open_desk(self));
    if (self->module == NULL)
        TRY(token_module_load(self->config->token_module, &self->module));
    TRY(read_pin(self, path, &pin));
    fault f = token_open(self->module, &self->uri, secret_span(pin), &refused, &self->token);
    if (refused)
        keep_refused(self, path);
    TRY(f);
    if (pin != NULL)
        pin_note_drop(self->config->keys_folder);
    return start_crew(self);
}

/* A module that does not return is ended with this process, by the alarm. */
static fault open_all(struct process *self)
{
    alarm(TOKEN_HANG_S);
    fault f = open_token(self);
    if (failed(f)) {
        char detail[TOKEN_DETAIL_BYTES_MAX];
        text_format(detail, sizeof detail, "%s", fault_detail());
        close_token(self);
        token_desk_close(&self->desk); /* it may have been read while names changed */
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

enum served { CLOSED, LOST, RELOAD };

/* LOST: with the fault noted. What was being signed is left. */
static enum served serve(struct process *self)
{
    char detail[TOKEN_DETAIL_BYTES_MAX];
    fault f = token_crew_wait(self->crew);
    text_format(detail, sizeof detail, "%s", fault_detail());
    alarm(TOKEN_HANG_S);
    token_crew_end(&self->crew, self->unanswered);
    close_token(self);
    alarm(0);
    if (!failed(f) || f.code == IO_FAILED)
        return CLOSED;
    if (f.code == KEY_UNKNOWN) {
        self->reload_from_ms = clock_steady_ms() + TOKEN_RELOAD_MS;
        token_desk_close(&self->desk);
        return RELOAD;
    }
    EVENT(WARN, "token.session_lost", E_TEXT("detail", detail));
    ignore(RAISE(TOKEN_AWAY, "%s", detail)); /* for tell() */
    return LOST;
}

/* An earlier process may have left with the word that all is well. */
static void tell_opening(struct process *self)
{
    OWNED(bytes) datagram = NULL;
    if (!failed(token_desk_state((fault){TOKEN_AWAY}, "the token is being opened", &datagram)))
        send_out(self, datagram);
}

static void clear_old(struct process *self)
{
    if (self->renewal == NULL)
        return;
    alarm(TOKEN_HANG_S);
    token_renewal_clear_old(self->renewal);
    alarm(0);
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
            clear_old(self);
            enum served how = serve(self);
            if (how == CLOSED)
                return;
            if (how == RELOAD)
                continue;
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

/* Before any module is there: the passphrase is gone when one is. */
static fault prepare(struct process *self, struct server_config *config)
{
    fault f = token_uri_parse(config->sign_key, &self->uri);
    if (!failed(f) && config->anchor != NULL)
        f = token_renewal_new(config, &self->renewal);
    secret_free(&config->passphrase);
    TRY(f);
    return jail_enter(JAIL_TOKEN);
}

int token_process_run(struct server_config *config, int line)
{
    struct process *self = owned_new(sizeof *self);
    self->config = config;
    self->line = line;
    self->state = (fault){INTERNAL}; /* nothing is told yet */
    fault f = prepare(self, config);
    if (failed(f)) {
        EVENT(ERROR, "token.failed", E_FAULT(f));
    } else {
        tell_opening(self);
        run(self);
    }
    token_desk_close(&self->desk);
    token_renewal_free(&self->renewal);
    token_module_free(&self->module);
    free(self);
    return failed(f) ? 1 : 0;
}
