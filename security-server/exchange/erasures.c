// SPDX-License-Identifier: MIT
#include "security-server/exchange/erasures.h"

#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/base/text.h"
#include "security-server/exchange/audit_actor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PATH_BYTES 512
#define NUMBER_BYTES_MAX 32

/* A record whose act may not have been carried out. */
struct pending {
    uint64_t place;
    struct header_read *header;
};

struct erasures {
    struct node *node;
    char path[PATH_BYTES]; /* of keys/erased */
    uint64_t done_before;  /* a place */
    struct map recorded;   /* order id -> place + 1 of its record */
    size_t pendings;
    struct pending *pending;
    bool stuck; /* one could not be carried out: the next start shall see it */

    /* the act under way */
    bool busy;
    struct erasure_act act; /* its texts are ours */
    struct audit_erasing work;
    struct erasure_end end;
    struct audit_job job;
    char number[NUMBER_BYTES_MAX];
    erasure_done *done;
    void *owner;
};

// --- what is done already -----------------------------------------------------------------------

static fault read_place(struct span text, uint64_t *out)
{
    const uint8_t *slash = text.size == 0 ? NULL : memchr(text.at, '/', text.size);
    uint64_t epoch = 1, index = 0;
    if (slash != NULL) {
        size_t size = (size_t)(slash - text.at);
        TRY(text_number(span_of(text.at, size), LOG_EPOCHS_MAX, &epoch));
        text = span_of(slash + 1, text.size - size - 1);
    }
    TRY(text_number(text, UINT32_MAX * UINT64_C(0xffff), &index));
    if (epoch == 0)
        return RAISE(BAD_FRAME, "epochs are counted from 1");
    *out = audit_place((unsigned)epoch, index);
    return DONE;
}

static fault read_done(struct erasures *self)
{
    OWNED(bytes) text = NULL;
    fault f = file_read(self->path, NUMBER_BYTES_MAX, &text);
    if (f.code == NOT_FOUND)
        return DONE;
    TRY(f);
    struct span digits = bytes_span(text);
    while (digits.size > 0 && digits.at[digits.size - 1] == '\n')
        digits.size--;
    if (failed(read_place(digits, &self->done_before)))
        self->done_before = 0; /* then all are done once more, which harms nothing */
    return DONE;
}

static void write_place(struct erasures *self)
{
    unsigned epoch = audit_place_epoch(self->done_before);
    uint64_t index = audit_place_index(self->done_before);
    if (epoch == 1)
        snprintf(self->number, sizeof self->number, "%" PRIu64 "\n", index);
    else
        snprintf(self->number, sizeof self->number, "%u/%" PRIu64 "\n", epoch, index);
}

fault erasures_new(struct node *node, struct erasures **out)
{
    OWNED(erasures) self = owned_new(sizeof *self);
    self->node = node;
    if (!text_format(self->path, sizeof self->path, "%s/keys/erased", node->config->audit_folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    TRY(read_done(self));
    *out = TAKE(self);
    return DONE;
}

static void drop_pending(struct erasures *self)
{
    for (size_t i = 0; i < self->pendings; i++)
        header_read_free(&self->pending[i].header);
    free(self->pending);
    self->pending = NULL;
    self->pendings = 0;
}

static void drop_act(struct erasures *self)
{
    struct erasure_act *act = &self->act;
    free((char *)(uintptr_t)act->what.day);
    free((char *)(uintptr_t)act->what.of);
    free((char *)(uintptr_t)act->ground);
    free((char *)(uintptr_t)act->officer);
    for (size_t i = 0; i < act->what.excepts; i++)
        free((char *)(uintptr_t)act->what.except[i]);
    free((void *)(uintptr_t)act->what.except);
    self->act = (struct erasure_act){.ground = NULL};
}

void erasures_free(struct erasures **self)
{
    if (*self == NULL)
        return;
    drop_pending(*self);
    drop_act(*self);
    map_clear(&(*self)->recorded);
    free(*self);
    *self = NULL;
}

static void remember(struct erasures *self, const uint8_t id[EXCHANGE_ID_BYTES], uint64_t place)
{
    map_set(&self->recorded, span_of(id, EXCHANGE_ID_BYTES), (void *)(uintptr_t)(place + 1));
}

fault erasures_note(struct erasures *self, uint64_t place, struct span header)
{
    OWNED(header_read) read = NULL;
    TRY(header_decode(header, &read));
    if (!span_is_text(header_of(read)->sender_server, self->node->config->server))
        return DONE; /* another server's record erases nothing here */
    remember(self, header_of(read)->exchange_id, place);
    if (place < self->done_before)
        return DONE;
    self->pending = owned_grow(self->pending, self->pendings + 1, sizeof *self->pending);
    self->pending[self->pendings++] = (struct pending){place, TAKE(read)};
    return DONE;
}

static unsigned epoch_of(const struct erasure *what, uint64_t record_place)
{
    return what->epoch == 0 ? audit_place_epoch(record_place) : what->epoch;
}

static fault finish_one(struct audit_log *log, const struct pending *pending, uint64_t *erased)
{
    const struct erasure *what = header_of(pending->header)->erasure;
    struct audit_erasing work = {
        .what = what, .epoch = epoch_of(what, pending->place), .next = what->first};
    while (work.next <= what->last)
        TRY(audit_log_erase(log, &work));
    *erased += work.found;
    return DONE;
}

fault erasures_finish(struct erasures *self, struct audit_log *log)
{
    uint64_t erased = 0;
    if (self->pendings == 0)
        return DONE;
    for (size_t i = 0; i < self->pendings; i++)
        TRY(finish_one(log, &self->pending[i], &erased));
    EVENT(INFO, "audit.erasures_finished", E_NUMBER("acts", self->pendings),
          E_NUMBER("payloads", erased));
    self->done_before = self->pending[self->pendings - 1].place + 1;
    drop_pending(self);
    write_place(self);
    return file_replace(self->path, span_of_text(self->number), 0600);
}

// --- one act ------------------------------------------------------------------------------------

static void end_act(struct erasures *self, fault f)
{
    erasure_done *done = self->done;
    void *owner = self->owner;
    struct erasure_end end = self->end;
    if (failed(f))
        EVENT(f.code == NOT_FOUND ? INFO : ERROR, "audit.erasure_failed", E_FAULT(f));
    else
        EVENT(INFO, "audit.erased", E_NUMBER("record", end.record),
              E_NUMBER("payloads", end.erased));
    drop_act(self);
    self->busy = false;
    done(owner, f, &end);
}

static fault fault_of(const struct audit_job *job)
{
    return job->fault == OK ? DONE : RAISE(job->fault, "%s", job->detail);
}

static void noted(struct audit_job *job)
{
    end_act(job->owner, fault_of(job));
}

static void ask(struct erasures *self, struct audit_job job)
{
    self->job = job;
    self->job.owner = self;
    fault f = audit_actor_ask(self->node->audit, &self->job);
    if (!failed(f))
        return;
    self->stuck = true;
    end_act(self, f);
}

/* As long as none before it has failed: that one must be seen at the next start. */
static void note_done(struct erasures *self)
{
    if (self->stuck || self->end.place < self->done_before) {
        end_act(self, DONE);
        return;
    }
    self->done_before = self->end.place + 1;
    write_place(self);
    ask(self, (struct audit_job){.work = AUDIT_FILE,
                                 .path = self->path,
                                 .note = span_of_text(self->number),
                                 .done = noted});
}

static void record_and_erase(struct erasures *self);

static void stepped(struct audit_job *job)
{
    struct erasures *self = job->owner;
    fault f = fault_of(job);
    if (failed(f)) {
        self->stuck = self->stuck || !self->work.only_count;
        end_act(self, f);
    } else if (self->work.next <= self->work.what->last) {
        ask(self, (struct audit_job){.work = AUDIT_ERASE, .erasing = &self->work, .done = stepped});
    } else if (!self->work.only_count) {
        self->end.erased = self->work.found;
        note_done(self);
    } else {
        record_and_erase(self);
    }
}

static void walk(struct erasures *self, bool only_count)
{
    self->work = (struct audit_erasing){
        .what = &self->act.what,
        .epoch = epoch_of(&self->act.what, audit_place(self->node->log_epoch, 0)),
        .only_count = only_count,
        .next = self->act.what.first};
    ask(self, (struct audit_job){.work = AUDIT_ERASE, .erasing = &self->work, .done = stepped});
}

static void set_end(struct erasures *self, uint64_t place)
{
    self->end.place = place;
    self->end.record = audit_place_index(place);
}

static void recorded(void *owner, fault f, uint64_t index)
{
    struct erasures *self = owner;
    if (failed(f)) {
        end_act(self, f);
        return;
    }
    set_end(self, audit_place(self->node->log_epoch, index));
    remember(self, self->act.id, self->end.place);
    walk(self, false);
}

/* Nothing is recorded that would erase nothing. */
static void record_and_erase(struct erasures *self)
{
    if (self->work.found == 0)
        end_act(self, RAISE(NOT_FOUND, "no payload of that is held (any more)"));
    else
        own_record_erasure(self->node, &self->act, recorded, self);
}

static const char *copy_of(const char *text)
{
    return owned_text(text == NULL ? "" : text);
}

static void take_act(struct erasures *self, const struct erasure_act *act)
{
    const char **except = owned_array(act->what.excepts + 1, sizeof *except);
    for (size_t i = 0; i < act->what.excepts; i++)
        except[i] = copy_of(act->what.except[i]);
    self->act = *act;
    self->act.what.day = copy_of(act->what.day);
    self->act.what.of = copy_of(act->what.of);
    self->act.what.except = except;
    self->act.ground = copy_of(act->ground);
    self->act.officer = copy_of(act->officer);
}

bool erasures_busy(const struct erasures *self)
{
    return self->busy;
}

void erasures_do(struct erasures *self, const struct erasure_act *act, erasure_done *done,
                 void *owner)
{
    if (self->busy) {
        done(owner, RAISE(REFUSED, "another erasure is under way"), &(struct erasure_end){0});
        return;
    }
    self->busy = true;
    self->done = done;
    self->owner = owner;
    self->end = (struct erasure_end){0};
    take_act(self, act);
    uintptr_t before = (uintptr_t)map_get(&self->recorded, span_of(act->id, EXCHANGE_ID_BYTES));
    set_end(self, before == 0 ? 0 : before - 1);
    walk(self, before == 0);
}
