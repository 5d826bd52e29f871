// SPDX-License-Identifier: MIT
#include "security-server/exchange/outside_heads.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/outside_files.h"

#include "outside.pb-c.h"

#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 512
#define LOOK_MS 50
#define WRITE_MS 300 /* for the scribe to see the question and to write the answer */
#define WAIT_MS_LEAST 100

struct outside_heads {
    struct node *node;
    struct outside_heads_asker asker;
    struct loop_timer timer;
    int64_t until_ms; /* steady */
};

static fault path_of(const struct node *node, const char *name, char out[PATH_BYTES])
{
    return text_format(out, PATH_BYTES, "%s/%s", node->config->audit_folder, name)
               ? DONE
               : RAISE(BAD_CONFIG, "the log folder's name is too long");
}

size_t outside_heads_count(const struct node *node)
{
    const struct directory_server *own = node_self(node);
    size_t count = 0;
    for (size_t i = 0; own != NULL && i < own->witnesses; i++)
        count += own->witness[i].server == NULL;
    return count;
}

static fault write_question(const struct node *node, unsigned first_epoch, unsigned last_epoch,
                            int64_t wait_ms)
{
    char path[PATH_BYTES];
    uint8_t packed[OUTSIDE_QUESTION_BYTES_MAX];
    Chaski__OutsideQuestion question = CHASKI__OUTSIDE_QUESTION__INIT;
    question.run = node->run;
    question.wait_ms =
        (uint32_t)(wait_ms - WRITE_MS > WAIT_MS_LEAST ? wait_ms - WRITE_MS : WAIT_MS_LEAST);
    question.first_epoch = first_epoch;
    question.last_epoch = last_epoch;
    assert(chaski__outside_question__get_packed_size(&question) <= sizeof packed);
    TRY(path_of(node, OUTSIDE_START_FOLDER, path));
    TRY(file_make_folders(path, 0700));
    TRY(path_of(node, OUTSIDE_QUESTION_FILE, path));
    return file_replace(path, span_of(packed, chaski__outside_question__pack(&question, packed)),
                        0600);
}

/* NULL: no answer to our question yet. */
static Chaski__OutsideHeard *read_heard(const struct node *node)
{
    char path[PATH_BYTES];
    OWNED(bytes) file = NULL;
    if (failed(path_of(node, OUTSIDE_HEARD_FILE, path)) ||
        failed(file_read(path, OUTSIDE_HEARD_BYTES_MAX, &file)))
        return NULL;
    Chaski__OutsideHeard *heard = chaski__outside_heard__unpack(NULL, file->size, file->data);
    if (heard == NULL || heard->run == node->run)
        return heard;
    chaski__outside_heard__free_unpacked(heard, NULL);
    return NULL;
}

static size_t take_heard(const struct outside_heads *self, const Chaski__OutsideHeard *heard)
{
    size_t count = outside_heads_count(self->node);
    for (size_t i = 0; i < heard->n_held; i++) {
        const Chaski__OutsideHeld *held = heard->held[i];
        if (strlen(held->witness) < NOTE_NAME_BYTES_MAX)
            self->asker.take(self->asker.owner, held->witness,
                             span_of(held->note.data, held->note.len));
    }
    return heard->answered < count ? heard->answered : count;
}

static void on_look(struct loop_timer *timer)
{
    struct outside_heads *self = timer->owner;
    size_t answered = 0;
    Chaski__OutsideHeard *heard = read_heard(self->node);
    if (heard == NULL && clock_steady_ms() < self->until_ms) {
        loop_set_timer(self->node->loop, &self->timer, LOOK_MS);
        return;
    }
    if (heard != NULL) {
        answered = take_heard(self, heard);
        chaski__outside_heard__free_unpacked(heard, NULL);
    }
    self->asker.done(self->asker.owner, answered);
}

struct outside_heads *outside_heads_new(struct node *node, unsigned first_epoch,
                                        unsigned last_epoch, int64_t wait_ms,
                                        const struct outside_heads_asker *asker)
{
    struct outside_heads *self = owned_new(sizeof *self);
    self->node = node;
    self->asker = *asker;
    self->until_ms = clock_steady_ms() + wait_ms;
    self->timer = (struct loop_timer){.fire = on_look, .owner = self};
    fault f = write_question(node, first_epoch, last_epoch, wait_ms);
    if (failed(f)) {
        EVENT(WARN, "start.outside_not_asked", E_FAULT(f));
        self->until_ms = 0;
    }
    loop_set_timer(node->loop, &self->timer, failed(f) ? 0 : LOOK_MS);
    return self;
}

void outside_heads_free(struct outside_heads **self)
{
    static const char *const files[] = {OUTSIDE_QUESTION_FILE, OUTSIDE_HEARD_FILE};
    char path[PATH_BYTES];
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (!failed(path_of((*self)->node, files[i], path)))
            unlink(path); /* one that stays is of an earlier run, and nobody's answer */
    free(*self);
    *self = NULL;
}
