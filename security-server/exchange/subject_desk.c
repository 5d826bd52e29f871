// SPDX-License-Identifier: MIT
#include "security-server/exchange/subject_desk.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/subject_index.h"
#include "security-server/exchange/exchange_steps.h"
#include "security-server/exchange/node.h"
#include "security-server/exchange/set_reader.h"
#include "security-server/exchange/subject_page.h"

#include "subject.pb-c.h"

#include <stdlib.h>

#define ASK_CONTEXT "chaski subject ask v1"

/* The index is touched by calls on the reader's thread alone, which come one after the other. */
struct follow {
    struct subject_index *index;
    uint64_t until;
    bool keep, more;
};

/* One exchange that is answered. */
struct view {
    struct subject_desk *desk;
    struct exchange *x;
    struct follow follow;
    struct subject_search search;
    struct subject_found found[SUBJECT_PAGE_MAX];
    struct set_job job;
    struct subject_page *page;
    size_t at; /* of `found`: whose record is read */
    struct audit_job read;
};

struct subject_desk {
    struct node *node;
    struct subject_index *index;
    struct loop_timer timer;
    struct set_job job; /* the timer's */
    struct follow follow;
    bool following;
    int64_t kept_ms; /* steady */
    enum fault_code said;
    struct view *view[SUBJECT_VIEWS_MAX];
};

// --- following ----------------------------------------------------------------------------------

static fault follow_once(void *owner)
{
    struct follow *self = &((struct subject_desk *)owner)->follow;
    TRY(subject_index_follow(self->index, self->until, &self->more));
    return self->keep && !self->more ? subject_index_keep(self->index) : DONE;
}

static void begin_follow(struct subject_desk *self);

static void followed(struct set_job *job)
{
    struct subject_desk *self = job->owner;
    self->following = false;
    if (job->fault != OK && job->fault != self->said)
        EVENT(ERROR, "subject_index.failed", E_TEXT("fault", fault_name(job->fault)),
              E_TEXT("detail", job->detail));
    self->said = job->fault;
    if (job->fault == OK && self->follow.keep && !self->follow.more)
        self->kept_ms = clock_steady_ms();
    if (job->fault == OK && self->follow.more)
        begin_follow(self);
}

static void begin_follow(struct subject_desk *self)
{
    int64_t now_ms = clock_steady_ms();
    self->follow = (struct follow){.index = self->index,
                                   .until = self->node->head.size,
                                   .keep = now_ms - self->kept_ms >= SUBJECT_INDEX_KEEP_MS};
    self->job =
        (struct set_job){.work = SET_CALL, .call = follow_once, .done = followed, .owner = self};
    self->following = !failed(set_reader_ask(self->node->sets, &self->job));
}

static void on_timer(struct loop_timer *timer)
{
    struct subject_desk *self = timer->owner;
    if (!self->following)
        begin_follow(self);
    loop_set_timer(self->node->loop, timer, SUBJECT_INDEX_EVERY_MS);
}

// --- one view -----------------------------------------------------------------------------------

static void view_free(struct view *view)
{
    struct subject_desk *desk = view->desk;
    for (size_t i = 0; i < SUBJECT_VIEWS_MAX; i++)
        if (desk->view[i] == view)
            desk->view[i] = NULL;
    subject_page_free(&view->page);
    bytes_free(&view->read.leaf);
    bytes_free(&view->read.blob);
    free(view);
}

static void fail(struct view *view, fault f)
{
    struct exchange *x = view->x;
    char detail[300];
    text_format(detail, sizeof detail, "%s", fault_detail());
    view_free(view);
    exchange_fail(x, RAISE(f.code, "%s", detail));
}

static void finish(struct view *view)
{
    struct exchange *x = view->x;
    OWNED(bytes) packed = NULL;
    fault f = subject_page_pack(view->page, view->search.next, &packed);
    if (!failed(f))
        f = letter_blob(bytes_span(packed), &x->answer.blob);
    if (failed(f)) {
        fail(view, f);
        return;
    }
    x->status = 200;
    view_free(view);
    exchange_resume(x);
}

static void read_next(struct view *view);

static void read_back(struct audit_job *job)
{
    struct view *view = job->owner;
    const struct subject_found *found = &view->found[view->at++];
    bool held = job->blob != NULL && job->blob->size >= SALT_BYTES;
    struct span payload = held ? letter_payload(bytes_span(job->blob)) : span_of("", 0);
    if (job->fault == OK)
        subject_page_add(view->page, view->desk->node->directory, found, bytes_span(job->leaf),
                         payload);
    else
        subject_page_miss(view->page); /* pruned, or of an epoch that lost its end */
    bytes_free(&job->leaf);
    bytes_free(&job->blob);
    read_next(view);
}

static void read_next(struct view *view)
{
    while (view->at < view->search.count &&
           memcmp(view->found[view->at].exchange_id, view->x->id, EXCHANGE_ID_BYTES) == 0)
        view->at++; /* this very question */
    if (view->at == view->search.count) {
        finish(view);
        return;
    }
    const struct subject_found *found = &view->found[view->at];
    const struct subject_half *half = found->has_request ? &found->request : &found->outcome;
    view->read = (struct audit_job){.work = AUDIT_READ, .done = read_back, .owner = view};
    view->read.record.index = audit_place(half->epoch, half->index);
    fault f = audit_actor_ask(view->desk->node->audit, &view->read);
    if (failed(f))
        fail(view, f);
}

/* On the reader's thread. */
static fault find(void *owner)
{
    struct view *view = owner;
    do
        TRY(subject_index_follow(view->follow.index, view->follow.until, &view->follow.more));
    while (view->follow.more);
    return subject_index_find(view->desk->node->config->audit_folder, &view->search);
}

static void found(struct set_job *job)
{
    struct view *view = job->owner;
    if (job->fault != OK)
        fail(view, RAISE(job->fault, "%s", job->detail));
    else
        read_next(view);
}

// --- asking -------------------------------------------------------------------------------------

static fault read_ask(const struct exchange *x, struct subject_search *out)
{
    struct span payload = letter_payload(bytes_span(x->request.blob));
    const struct header *header = header_of(x->request.read);
    Chaski__SubjectAsk *ask = chaski__subject_ask__unpack(NULL, payload.size, payload.at);
    bool good = ask != NULL && strcmp(ask->context, ASK_CONTEXT) == 0;
    if (good) {
        out->after = ask->after;
        out->from_ms = ask->from_ms > INT64_MAX ? INT64_MAX : (int64_t)ask->from_ms;
        out->until_ms =
            ask->until_ms == 0 || ask->until_ms > INT64_MAX ? INT64_MAX : (int64_t)ask->until_ms;
        out->most = ask->most == 0 || ask->most > SUBJECT_PAGE_MAX ? SUBJECT_PAGE_MAX : ask->most;
    }
    if (ask != NULL)
        chaski__subject_ask__free_unpacked(ask, NULL);
    if (!good)
        return RAISE(BAD_REQUEST, "who looked at a person is asked for at a gateway's /subjects/");
    if (header->subject.size != PSEUDONYM_BYTES || header->subject_year == 0)
        return RAISE(SUBJECT_BAD, "the view of nobody");
    memcpy(out->pseudonym.at, header->subject.at, PSEUDONYM_BYTES);
    out->year = header->subject_year;
    out->now_ms = clock_wall_ms();
    return DONE;
}

static struct view **free_place(struct subject_desk *self)
{
    for (size_t i = 0; i < SUBJECT_VIEWS_MAX; i++)
        if (self->view[i] == NULL)
            return &self->view[i];
    return NULL;
}

static fault begin(struct subject_desk *self, struct exchange *x)
{
    struct subject_search search = {0};
    struct view **place = free_place(self);
    TRY(read_ask(x, &search));
    if (place == NULL)
        return RAISE(OVERLOADED, "%d views are being answered", SUBJECT_VIEWS_MAX);
    struct view *view = owned_new(sizeof *view);
    view->desk = self;
    view->x = x;
    view->search = search;
    view->search.found = view->found;
    view->follow = (struct follow){.index = self->index, .until = self->node->head.size};
    view->page = subject_page_new(self->node->config->server, self->node->log_key.name,
                                  self->node->head.size);
    view->job = (struct set_job){.work = SET_CALL, .call = find, .done = found, .owner = view};
    *place = view;
    fault f = set_reader_ask(self->node->sets, &view->job);
    if (failed(f))
        view_free(view);
    return f;
}

enum step_end subject_desk_answer(struct subject_desk *self, struct exchange *x)
{
    fault f = begin(self, x);
    return failed(f) ? exchange_refuse(x, f) : STEP_WAIT;
}

// --- life ---------------------------------------------------------------------------------------

fault subject_desk_new(struct node *node, struct subject_desk **out)
{
    OWNED(subject_desk) self = owned_new(sizeof *self);
    self->node = node;
    self->kept_ms = clock_steady_ms();
    TRY(subject_index_open(node->config->audit_folder, node->config->server, node->log_epoch,
                           &self->index));
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    on_timer(&self->timer);
    *out = TAKE(self);
    return DONE;
}

/* The reader has ended: nothing of it runs any more. */
void subject_desk_free(struct subject_desk **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    for (size_t i = 0; i < SUBJECT_VIEWS_MAX; i++)
        if ((*self)->view[i] != NULL)
            view_free((*self)->view[i]);
    if ((*self)->index != NULL) {
        fault f = subject_index_keep((*self)->index);
        if (failed(f))
            EVENT(WARN, "subject_index.not_kept", E_FAULT(f));
    }
    subject_index_free(&(*self)->index);
    free(*self);
    *self = NULL;
}
