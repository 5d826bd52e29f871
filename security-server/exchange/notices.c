// SPDX-License-Identifier: MIT
#include "security-server/exchange/notices.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/map.h"
#include "lib/base/text.h"
#include "lib/bus/consumer.h"
#include "lib/bus/notice.h"
#include "security-server/exchange/own_record.h"

#include <stdlib.h>

struct notices {
    struct node *node;
    struct loop_timer timer;
    struct map said;      /* by name: time of the last record, int64_t */
    struct notice saying; /* the record under way is of this one */
    uint64_t epoch;       /* of the directory at the last whole look */
    int64_t next_ms;      /* ... and when something new will be to be said by it */
};

static void on_look(struct loop_timer *timer);

struct notices *notices_new(struct node *node)
{
    struct notices *self = owned_new(sizeof *self);
    self->node = node;
    self->timer = (struct loop_timer){.fire = on_look, .owner = self};
    return self;
}

void notices_free(struct notices **owner)
{
    struct notices *self = *owner;
    size_t step = 0;
    *owner = NULL;
    if (self == NULL)
        return;
    loop_stop_timer(self->node->loop, &self->timer);
    for (int64_t *at; (at = map_next(&self->said, &step, NULL)) != NULL;)
        free(at);
    map_clear(&self->said);
    free(self);
}

static void note(struct notices *self, struct span name, int64_t at_ms)
{
    int64_t *at = map_get(&self->said, name);
    if (at == NULL) {
        at = owned_new(sizeof *at);
        map_set(&self->said, name, at);
    }
    if (*at < at_ms)
        *at = at_ms;
}

void notices_note(struct notices *self, const struct header *header)
{
    if (header->kind == HEADER_NOTICE &&
        span_is_text(header->sender_server, self->node->config->server))
        note(self, header->rule, header->time_ms);
}

// --- whom it concerns ---------------------------------------------------------------------------

static bool is_ours(const struct notices *self, const struct directory_restriction *restriction)
{
    const struct directory_service *service =
        directory_service(self->node->directory, span_of_text(restriction->service));
    return service != NULL && directory_server_has(node_self(self->node), service->subsystem);
}

static bool was_closed_to(const struct directory *directory,
                          const struct directory_restriction *restriction, const char *subsystem)
{
    struct consumer_names names;
    consumer_names_of(directory, span_of_text(subsystem), &names);
    for (size_t i = 0; i < names.count; i++)
        if (span_is_text(names.name[i], restriction->consumer))
            return true;
    return access_has_asked(directory, span_of_text(restriction->service), span_of_text(subsystem));
}

static bool closed_one_of_us(const struct notices *self,
                             const struct directory_restriction *restriction)
{
    const struct directory *directory = self->node->directory;
    size_t step = 0;
    for (const struct directory_subsystem *at;
         (at = directory_next_subsystem(directory, &step)) != NULL;)
        if (directory_server_has(node_self(self->node), at) &&
            was_closed_to(directory, restriction, at->id))
            return true;
    return false;
}

static bool is_to_be_said(const struct notices *self,
                          const struct directory_restriction *restriction, int64_t now_ms,
                          struct notice *out)
{
    if (!notice_of_restriction(restriction, now_ms, out))
        return false;
    const int64_t *said = map_get(&self->said, span_of_text(out->name));
    if (said != NULL && *said >= out->since_ms)
        return false;
    return is_ours(self, restriction) ||
           (notice_is_of_an_end(out) && closed_one_of_us(self, restriction));
}

// --- saying -------------------------------------------------------------------------------------

static void on_kept(void *owner, fault f, uint64_t index)
{
    struct notices *self = owner;
    (void)index;
    if (!failed(f))
        note(self, span_of_text(self->saying.name), clock_wall_ms());
    loop_set_timer(self->node->loop, &self->timer, failed(f) ? NOTICE_AGAIN_MS : 0);
}

static void keep(struct notices *self, const struct directory_restriction *restriction)
{
    char until[32], detail[256];
    clock_text(restriction->until_ms, until, sizeof until);
    bool ended = notice_is_of_an_end(&self->saying);
    text_format(detail, sizeof detail,
                ended ? "the restriction ended at %s, and access is what it was before it"
                      : "the restriction ends at %s by itself; to go on takes a new one, with a "
                        "ground and a reason",
                until);
    EVENT(ended ? INFO : WARN, ended ? "restriction.ended" : "restriction.ends_soon",
          E_TEXT("notice", self->saying.name), E_TEXT("service", restriction->service),
          E_TEXT("until", until));
    own_record_notice(self->node, self->saying.name, restriction->service, detail, on_kept, self);
}

/* One at a time: the next look follows when the record is kept. */
static void look(struct notices *self, int64_t now_ms)
{
    const struct directory *directory = self->node->directory;
    size_t step = 0;
    int64_t next_ms = INT64_MAX;
    for (const struct directory_restriction *at;
         (at = directory_next_restriction(directory, &step)) != NULL;) {
        if (is_to_be_said(self, at, now_ms, &self->saying)) {
            keep(self, at);
            return;
        }
        int64_t due_ms = notice_next_ms(at, now_ms);
        next_ms = due_ms < next_ms ? due_ms : next_ms;
    }
    self->epoch = directory_epoch(directory);
    self->next_ms = next_ms;
    loop_set_timer(self->node->loop, &self->timer, NOTICE_LOOK_MS);
}

static void on_look(struct loop_timer *timer)
{
    struct notices *self = timer->owner;
    int64_t now_ms = clock_wall_ms();
    bool nothing_new =
        failed(node_ready(self->node)) ||
        (directory_epoch(self->node->directory) == self->epoch && now_ms < self->next_ms);
    if (nothing_new)
        loop_set_timer(self->node->loop, &self->timer, NOTICE_LOOK_MS);
    else
        look(self, now_ms);
}

void notices_begin(struct notices *self)
{
    loop_set_timer(self->node->loop, &self->timer, NOTICE_FIRST_MS);
}
