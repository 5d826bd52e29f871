// SPDX-License-Identifier: MIT
#include "security-server/exchange/reconciler.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/leaf_set.h"
#include "lib/crypto/random.h"
#include "security-server/exchange/known_heads.h"
#include "security-server/exchange/order_files.h"
#include "security-server/exchange/pair.h"
#include "security-server/exchange/report_files.h"
#include "security-server/exchange/set_reader.h"

#include "audit.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 512
#define LOOK_MS 1000
#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define ORDER_BYTES_MAX 4096

struct reconciler {
    struct node *node;
    struct loop_timer look; /* for orders, and for the time of a run */
    int64_t next_ms;        /* wall time of the next run by itself */
    struct order_files files;
    bool ordered; /* the run under way is an operator's */
    /* the run under way */
    struct loop_timer timer;
    char **peer; /* NULL: none */
    size_t peers, at;
    int64_t first_hour, until_ms;
    struct pair *pair;
    uint32_t compared, failed;
    uint64_t found, sent, taken;
    /* a report on its way to its file */
    struct set_job job;
    struct bytes *report;
    int64_t report_began_ms;
    bool report_found;
};

int64_t reconciler_next_ms(int64_t now_ms, int64_t hour, int64_t every_ms, uint32_t chance)
{
    if (hour < 0) {
        int64_t jitter_ms = every_ms / 10;
        if (jitter_ms > RECONCILE_JITTER_MS)
            jitter_ms = RECONCILE_JITTER_MS;
        return now_ms + every_ms + jitter_ms * chance / UINT32_MAX;
    }
    int64_t at_ms = now_ms / DAY_MS * DAY_MS + hour * HOUR_MS +
                    (int64_t)RECONCILE_JITTER_MS * chance / UINT32_MAX;
    return at_ms > now_ms ? at_ms : at_ms + DAY_MS;
}

static void plan(struct reconciler *self)
{
    const struct server_config *config = self->node->config;
    uint32_t chance = 0;
    random_fill((uint8_t *)&chance, sizeof chance);
    self->next_ms = reconciler_next_ms(clock_wall_ms(), config->reconcile_hour,
                                       config->reconcile_every_ms, chance);
}

// --- a run --------------------------------------------------------------------------------------

static void peers_clear(struct reconciler *self)
{
    for (size_t i = 0; i < self->peers; i++)
        free(self->peer[i]);
    free(self->peer);
    self->peer = NULL;
    self->peers = self->at = 0;
}

static void answer_order(struct reconciler *self, fault f)
{
    char detail[400] = "";
    uint8_t packed[512];
    Chaski__ReconcileResult result = CHASKI__RECONCILE_RESULT__INIT;
    if (failed(f))
        text_format(detail, sizeof detail, "%s", fault_detail());
    result.fault = f.code;
    result.detail = detail;
    result.peers = self->compared;
    result.failed = self->failed;
    order_files_answer(&self->files,
                       span_of(packed, chaski__reconcile_result__pack(&result, packed)));
}

static void end_run(struct reconciler *self)
{
    enum event_level level = self->found > 0 || self->failed > 0 ? WARN : INFO;
    EVENT(level, "reconcile.finished", E_NUMBER("peers", self->compared),
          E_NUMBER("not_finished", self->failed), E_NUMBER("findings", self->found),
          E_NUMBER("sent", self->sent), E_NUMBER("taken_in", self->taken));
    peers_clear(self);
    if (self->ordered)
        answer_order(self, DONE);
    self->ordered = false;
}

static void go_on(struct reconciler *self)
{
    self->at++;
    loop_set_timer(self->node->loop, &self->timer, 0);
}

static void report_written(struct set_job *job)
{
    struct reconciler *self = job->owner;
    if (job->fault != OK)
        EVENT(WARN, "reconcile.report_not_kept", E_TEXT("peer", self->peer[self->at]),
              E_TEXT("detail", job->detail));
    bytes_free(&self->report);
    go_on(self);
}

/* On the thread of the sets. */
static fault write_report(void *owner)
{
    const struct reconciler *self = owner;
    return report_files_keep(self->node->config->audit_folder, self->peer[self->at],
                             bytes_span(self->report), self->report_began_ms, self->report_found);
}

static fault keep_report(struct reconciler *self, const struct pair_report *report)
{
    TRY(pair_report_pack(report, &self->report));
    self->report_began_ms = report->began_ms;
    self->report_found = pair_report_count(report) > 0;
    self->job = (struct set_job){
        .work = SET_CALL, .call = write_report, .done = report_written, .owner = self};
    return set_reader_ask(self->node->sets, &self->job);
}

static void compared(void *owner, struct pair_report *report)
{
    struct reconciler *self = owner;
    self->pair = NULL;
    self->compared++;
    self->failed += report->fault != OK;
    self->found += pair_report_count(report);
    self->sent += report->sent;
    self->taken += report->taken;
    pair_report_tell(report);
    fault f = keep_report(self, report);
    if (!failed(f))
        return;
    EVENT(WARN, "reconcile.report_not_kept", E_TEXT("peer", report->peer), E_FAULT(f));
    bytes_free(&self->report);
    go_on(self);
}

/* Not with everybody in the directory: only where a leaf of either side is known of. An order names
 * whom it wants. */
static bool knows(const struct reconciler *self, const char *peer)
{
    char path[PATH_BYTES];
    struct checkpoint head;
    unsigned epoch = 0;
    uint64_t place = 0;
    if (self->ordered && self->peers == 1)
        return true;
    return known_heads_of(self->node->heads, peer, &head, &epoch, &place) ||
           (!failed(leaf_set_folder(self->node->config->audit_folder, peer, path, sizeof path)) &&
            access(path, F_OK) == 0);
}

static void on_timer(struct loop_timer *timer)
{
    struct reconciler *self = timer->owner;
    if (self->node->draining)
        return;
    if (self->at == self->peers)
        end_run(self);
    else if (knows(self, self->peer[self->at]))
        self->pair = pair_begin(self->node, self->peer[self->at], self->first_hour, self->until_ms,
                                compared, self);
    else
        go_on(self);
}

static void list_peers(struct reconciler *self, const char *only)
{
    size_t step = 0, room = 0;
    for (const struct directory_server *server;
         (server = directory_next_server(self->node->directory, &step)) != NULL;) {
        if (strcmp(server->id, self->node->config->server) == 0 ||
            (only[0] != '\0' && strcmp(only, server->id) != 0))
            continue;
        if (self->peers == room) {
            room = room == 0 ? 64 : 2 * room;
            self->peer = owned_grow(self->peer, room, sizeof *self->peer);
        }
        self->peer[self->peers++] = owned_text(server->id);
    }
}

static void begin_run(struct reconciler *self, const char *only, int64_t days)
{
    const struct server_config *config = self->node->config;
    self->until_ms = clock_wall_ms() - config->reconcile_grace_ms;
    self->first_hour = (self->until_ms - days * DAY_MS) / HOUR_MS;
    self->compared = self->failed = 0;
    self->found = self->sent = self->taken = 0;
    list_peers(self, only);
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    loop_set_timer(self->node->loop, &self->timer, 0);
}

// --- when ---------------------------------------------------------------------------------------

static fault take_order(struct reconciler *self)
{
    OWNED(bytes) file = NULL;
    fault f = DONE;
    TRY(order_files_read(&self->files, ORDER_BYTES_MAX, &file));
    Chaski__ReconcileOrder *order = chaski__reconcile_order__unpack(NULL, file->size, file->data);
    if (order == NULL)
        return RAISE(BAD_REQUEST, "the file is no order");
    if (!order_files_named(&self->files, span_of(order->id.data, order->id.len)))
        f = RAISE(BAD_REQUEST, "the order's name is not its number");
    else if (order->days > RECONCILE_DAYS_MAX)
        f = RAISE(BAD_REQUEST, "at most %d days", RECONCILE_DAYS_MAX);
    else if (order->peer[0] != '\0' &&
             directory_server(self->node->directory, span_of_text(order->peer)) == NULL)
        f = RAISE(NOT_FOUND, "no such server is in the directory");
    else if (strcmp(order->peer, self->node->config->server) == 0)
        f = RAISE(BAD_REQUEST, "that is this server itself");
    self->ordered = !failed(f);
    if (self->ordered)
        begin_run(self, order->peer,
                  order->days == 0 ? self->node->config->reconcile_days : order->days);
    chaski__reconcile_order__free_unpacked(order, NULL);
    return f;
}

static bool is_running(const struct reconciler *self)
{
    return self->peer != NULL || self->timer.slot != 0 || self->pair != NULL;
}

static void on_look(struct loop_timer *timer)
{
    struct reconciler *self = timer->owner;
    loop_set_timer(self->node->loop, &self->look, LOOK_MS);
    if (self->node->draining || is_running(self))
        return;
    if (order_files_find(&self->files)) {
        fault f = take_order(self);
        if (failed(f))
            answer_order(self, f);
    } else if (clock_wall_ms() >= self->next_ms) {
        plan(self);
        begin_run(self, "", self->node->config->reconcile_days);
    }
}

/* For trials. */
static void warn_of_grace(const struct node *node)
{
    if (node->config->reconcile_grace_ms < RECONCILE_GRACE_MS_DEFAULT)
        EVENT(WARN, "reconcile.grace_short", E_MS("grace_ms", node->config->reconcile_grace_ms),
              E_MS("message_age_ms", RECONCILE_GRACE_MS_DEFAULT));
}

fault reconciler_new(struct node *node, struct reconciler **out)
{
    char path[PATH_BYTES];
    OWNED(reconciler) self = owned_new(sizeof *self);
    self->node = node;
    TRY(order_files_begin(&self->files, node->config->audit_folder, ".reconcile"));
    if (!text_format(path, sizeof path, "%s/reconcile", node->config->audit_folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    TRY(file_make_folders(path, 0700));
    warn_of_grace(node);
    plan(self);
    self->look = (struct loop_timer){.fire = on_look, .owner = self};
    loop_set_timer(node->loop, &self->look, LOOK_MS);
    *out = TAKE(self);
    return DONE;
}

void reconciler_free(struct reconciler **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->look);
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    pair_free(&(*self)->pair);
    peers_clear(*self);
    bytes_free(&(*self)->report);
    free(*self);
    *self = NULL;
}
