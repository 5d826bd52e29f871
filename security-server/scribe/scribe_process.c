// SPDX-License-Identifier: MIT
#include "security-server/scribe/scribe_process.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/jail.h"
#include "lib/base/loop.h"
#include "lib/base/text.h"
#include "lib/bus/audit_log.h"
#include "lib/bus/limits.h"
#include "lib/bus/log_epoch.h"
#include "security-server/scribe/held_heads.h"
#include "security-server/scribe/hurry.h"
#include "security-server/scribe/outside.h"
#include "security-server/scribe/publisher.h"
#include "security-server/scribe/set_writer.h"
#include "security-server/scribe/stamping.h"
#include "security-server/scribe/status_copy.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_MS 500
#define TRY_AGAIN_MS 5000
#define HELD_LOOK_MS 100
#define HOLD_LONGER_MS 2000 /* than a start waits for answers */
#define LAST_PUBLISH_MS 10000

struct scribe {
    const struct server_config *config;
    struct loop *loop;
    struct loop_timer timer;
    struct timespec promise;     /* as it was found */
    int64_t hold_until_ms;       /* steady; 0: no more */
    unsigned epoch;              /* of the log that is followed */
    struct publisher *publisher; /* NULL until the node has begun its log */
    struct stamping *stamping;
    struct outside *outside;
    struct bytes *unstamped; /* note of the newest head whose stamp failed; NULL: none */
    uint64_t unstamped_size;
    int64_t stamp_again_ms; /* steady */
    struct hurry hurry;
    struct held_heads held;
    struct set_writer *sets;
    struct status_copy statuses;
    int64_t published_ms; /* steady */
    bool moving;          /* on the way to a promise */
    bool sorting;         /* the sets are */
    enum fault_code said; /* a standing fault is said once */
    enum fault_code said_of_sets;
    fault ended;
};

/* A stamp that fails is tried again with the next checkpoint, or a little later: a log that is
 * refused exchanges for want of one has no next checkpoint. The exchange process raises the alarm.
 */
static void stamp(struct scribe *self, uint64_t size, struct span note)
{
    OWNED(bytes) again = NULL;
    bool stamped = !failed(stamping_stamp(self->stamping, size, note)); /* said already */
    if (!stamped && !failed(bytes_copy(note, &again)))
        self->stamp_again_ms = clock_steady_ms() + STAMP_RETRY_MS;
    bytes_free(&self->unstamped);
    self->unstamped = TAKE(again);
    self->unstamped_size = size;
}

static void stamp_again(struct scribe *self)
{
    if (self->unstamped == NULL || clock_steady_ms() < self->stamp_again_ms)
        return;
    OWNED(bytes) note = TAKE(self->unstamped);
    stamp(self, self->unstamped_size, bytes_span(note));
}

static bool is_time(const struct scribe *self)
{
    int64_t since_ms = clock_steady_ms() - self->published_ms;
    if (self->published_ms == 0)
        return true;
    return since_ms >= HEARTBEAT_MS || self->hurry.wanted > publisher_size(self->publisher) ||
           (publisher_has_news(self->publisher) && since_ms >= self->config->publish_every_ms);
}

static fault publish(struct scribe *self)
{
    uint64_t before = publisher_size(self->publisher);
    TRY(publisher_follow(self->publisher, &self->moving));
    if (self->moving || !is_time(self))
        return DONE;
    TRY(publisher_publish(self->publisher));
    if (publisher_size(self->publisher) == before)
        return DONE;
    self->published_ms = clock_steady_ms();
    EVENT(DEBUG, "scribe.published", E_NUMBER("size", publisher_size(self->publisher)));
    if (stamping_quorum(self->stamping) == 0)
        stamp(self, publisher_size(self->publisher), publisher_note(self->publisher));
    return DONE;
}

/* Is this epoch about to be closed? Then what is there of it may not be what was signed. */
static bool is_ending(const struct scribe *self)
{
    char path[512];
    return text_format(path, sizeof path, "%s/orders/new-epoch.order",
                       self->config->audit_folder) &&
           access(path, F_OK) == 0;
}

/* The node may have begun a later epoch since: the tiles of the one before are as they are. */
static fault open_all(struct scribe *self)
{
    unsigned epoch = 1;
    TRY(log_epoch_newest(self->config->audit_folder, &epoch));
    if (epoch != self->epoch) {
        publisher_free(&self->publisher);
        stamping_free(&self->stamping);
        outside_free(&self->outside);
        set_writer_free(&self->sets);
        self->hurry = (struct hurry){.wanted = 0};
        bytes_free(&self->unstamped);
        self->published_ms = 0;
        self->epoch = epoch;
    }
    if (self->publisher == NULL && is_ending(self))
        return RAISE(NOT_FOUND, "the next epoch has not begun yet");
    if (self->publisher == NULL)
        TRY(publisher_open(self->config->audit_folder, epoch, &self->publisher));
    if (self->stamping == NULL)
        TRY(stamping_new(self->config->audit_folder, epoch, &self->stamping));
    if (self->outside == NULL)
        TRY(outside_new(self->config->audit_folder, epoch, &self->outside));
    return DONE;
}

/* What is good enough to be stamped, but was not when its turn came. */
static fault stamp_in_a_hurry(struct scribe *self)
{
    OWNED(bytes) note = NULL;
    struct checkpoint head;
    if (self->hurry.wanted == 0)
        return DONE;
    fault f = publisher_read(self->publisher,
                             stamping_quorum(self->stamping) == 0 ? "checkpoint" : "cosigned",
                             &note, &head);
    if (f.code == NOT_FOUND)
        return DONE;
    TRY(f);
    if (head.size <= publisher_size(self->publisher) && hurry_is_due(&self->hurry, head.size))
        stamp(self, head.size, bytes_span(note));
    return DONE;
}

static fault look(struct scribe *self)
{
    struct checkpoint cosigned;
    OWNED(bytes) note = NULL;
    fault f = open_all(self);
    if (!failed(f)) {
        hurry_look(&self->hurry, self->config->audit_folder, self->epoch);
        f = publish(self);
    }
    if (f.code == NOT_FOUND) /* the node has not begun its log, or promised nothing yet */
        return DONE;
    TRY(f);
    TRY(publisher_take_cosigned(self->publisher, &cosigned, &note));
    if (cosigned.size > 0)
        stamp(self, cosigned.size, bytes_span(note));
    hurry_look(&self->hurry, self->config->audit_folder, self->epoch);
    TRY(stamp_in_a_hurry(self));
    stamp_again(self);
    return outside_look(self->outside);
}

static fault follow_with_sets(struct scribe *self)
{
    int64_t promised_ms = 0;
    const struct server_config *config = self->config;
    self->sorting = false;
    if (self->publisher == NULL)
        return DONE;
    if (self->sets == NULL)
        TRY(set_writer_open(config->audit_folder, self->epoch, config->server,
                            config->checkpoint_every_ms, &self->sets));
    uint64_t promised = publisher_promised(self->publisher, &promised_ms);
    TRY(set_writer_follow(self->sets, promised, promised_ms, &self->sorting));
    return set_writer_keep(self->sets, false);
}

/* Without sets nothing is compared with peers; tiles and stamps do not wait for them. */
static void sort_leaves(struct scribe *self)
{
    fault f = follow_with_sets(self);
    if (failed(f) && f.code != self->said_of_sets)
        EVENT(ERROR, "scribe.cannot_sort", E_FAULT(f));
    self->said_of_sets = f.code;
}

static struct timespec promise_time(const struct scribe *self)
{
    char path[512];
    struct stat st;
    unsigned epoch = 1;
    if (failed(log_epoch_newest(self->config->audit_folder, &epoch)))
        return (struct timespec){0};
    audit_log_path(self->config->audit_folder, epoch, "promise", path, sizeof path);
    return stat(path, &st) == 0 ? st.st_mtim : (struct timespec){0};
}

/* A start that is refused leaves everything as it was: so nothing is done before the node has
 * promised something in this run, or could have ended since. */
static bool is_held(struct scribe *self)
{
    if (self->hold_until_ms == 0)
        return false;
    struct timespec now = promise_time(self);
    if (now.tv_sec == self->promise.tv_sec && now.tv_nsec == self->promise.tv_nsec &&
        clock_steady_ms() < self->hold_until_ms)
        return true;
    self->hold_until_ms = 0;
    return false;
}

static void on_timer(struct loop_timer *timer)
{
    struct scribe *self = timer->owner;
    held_heads_look(&self->held, self->config->audit_folder);
    if (is_held(self)) {
        loop_set_timer(self->loop, &self->timer, HELD_LOOK_MS);
        return;
    }
    fault f = look(self);
    if (f.code == LOG_BROKEN) {
        self->ended = f;
        EVENT(ERROR, "scribe.failed", E_FAULT(f));
        loop_stop(self->loop);
        return;
    }
    if (failed(f) && f.code != self->said)
        EVENT(ERROR, "scribe.cannot_publish", E_FAULT(f));
    self->said = f.code;
    sort_leaves(self);
    status_copy_look(&self->statuses, self->config->directory_folder, self->config->audit_folder);
    int64_t wait_ms = self->moving || self->sorting ? 0 : LOOK_MS;
    loop_set_timer(self->loop, &self->timer, failed(f) ? TRY_AGAIN_MS : wait_ms);
}

/* The node has stopped and signed its last head: the static form ends there too. */
static void publish_the_rest(struct scribe *self)
{
    int64_t until_ms = clock_steady_ms() + LAST_PUBLISH_MS;
    fault f;
    do {
        f = publisher_follow(self->publisher, &self->moving);
    } while (!failed(f) && self->moving && clock_steady_ms() < until_ms);
    if (!failed(f))
        f = publisher_publish(self->publisher);
    if (failed(f))
        EVENT(WARN, "scribe.cannot_publish", E_FAULT(f));
    sort_leaves(self);
    if (self->sets != NULL && failed(set_writer_keep(self->sets, true)))
        EVENT(WARN, "scribe.cannot_sort", E_TEXT("detail", fault_detail()));
}

static void on_stop(void *owner)
{
    struct scribe *self = owner;
    if (self->publisher != NULL)
        publish_the_rest(self);
    loop_stop(self->loop);
}

static fault start(struct scribe *self)
{
    TRY(loop_new(&self->loop));
    TRY(loop_on_signal(self->loop, SIGTERM, on_stop, self));
    TRY(loop_on_signal(self->loop, SIGINT, on_stop, self));
    TRY(jail_enter(JAIL_SCRIBE));
    self->promise = promise_time(self);
    self->hold_until_ms = clock_steady_ms() + self->config->start_check_ms + HOLD_LONGER_MS;
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    loop_set_timer(self->loop, &self->timer, 0);
    return loop_run(self->loop);
}

int scribe_process_run(const struct server_config *config)
{
    struct scribe *self = owned_new(sizeof *self);
    self->config = config;
    fault f = start(self);
    if (failed(f))
        EVENT(ERROR, "scribe.failed", E_FAULT(f));
    else
        f = self->ended;
    publisher_free(&self->publisher);
    stamping_free(&self->stamping);
    bytes_free(&self->unstamped);
    outside_free(&self->outside);
    set_writer_free(&self->sets);
    loop_free(&self->loop);
    free(self);
    return !failed(f) ? 0 : f.code == LOG_BROKEN ? 3 : 1;
}
