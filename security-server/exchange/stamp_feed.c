// SPDX-License-Identifier: MIT
#include "security-server/exchange/stamp_feed.h"

#include "lib/base/clock.h"
#include "lib/base/cursor.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/stamp.h"
#include "security-server/exchange/growth_clock.h"
#include "security-server/exchange/own_record.h"

#include "audit.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PATH_BYTES 512
#define LOOK_MS 500

struct stamp_feed {
    struct node *node;
    char folder[PATH_BYTES - 64];
    struct loop_timer timer;
    struct timespec stamp;       /* of the file that was looked at last */
    struct growth_clock waiting; /* for a stamp */
};

static fault pack(uint64_t size, struct span token, const char *name, struct bytes **out)
{
    Chaski__StampText text = CHASKI__STAMP_TEXT__INIT;
    text.size = size;
    text.token = (ProtobufCBinaryData){token.size, (uint8_t *)(uintptr_t)token.at};
    text.authority = (char *)(uintptr_t)name;
    TRY(bytes_new(chaski__stamp_text__get_packed_size(&text), out));
    chaski__stamp_text__pack(&text, (*out)->data);
    return DONE;
}

/* "<size> <time> <name>\n" */
static fault read_line(const struct stamp_feed *self, uint64_t *size, int64_t *time_ms,
                       char name[128])
{
    char path[PATH_BYTES];
    OWNED(bytes) text = NULL;
    struct span word;
    uint64_t time = 0;
    text_format(path, sizeof path, "%s/stamped", self->folder);
    TRY(file_read(path, 512, &text));
    struct cursor at = cursor_over(bytes_span(text));
    TRY(cursor_take_until(&at, ' ', &word));
    TRY(text_number(word, UINT64_MAX, size));
    TRY(cursor_take_until(&at, ' ', &word));
    TRY(text_number(word, INT64_MAX, &time));
    TRY(cursor_take_until(&at, '\n', &word));
    *time_ms = (int64_t)time;
    return text_format(name, 128, "%.*s", (int)word.size, (const char *)word.at)
               ? DONE
               : RAISE(BAD_FRAME, "the name of a time stamp authority is too long");
}

static fault take(struct stamp_feed *self)
{
    char path[PATH_BYTES], name[128];
    OWNED(bytes) token = NULL;
    OWNED(bytes) payload = NULL;
    uint64_t size = 0;
    int64_t time_ms = 0;
    TRY(read_line(self, &size, &time_ms, name));
    text_format(path, sizeof path, "%s/cp/%" PRIu64 ".tst", self->folder, size);
    TRY(file_read(path, STAMP_RESPONSE_BYTES_MAX, &token));
    TRY(pack(size, bytes_span(token), name, &payload));
    struct header_stamped stamped = {size, SHA256_OF(bytes_span(token))};
    own_record_stamp(self->node, &stamped, bytes_span(payload));
    growth_clock_confirm(&self->waiting, size);
    EVENT(DEBUG, "stamp.logged", E_NUMBER("size", size), E_TEXT("authority", name));
    return DONE;
}

static bool has_changed(struct stamp_feed *self)
{
    char path[PATH_BYTES];
    struct stat st;
    text_format(path, sizeof path, "%s/stamped", self->folder);
    if (stat(path, &st) != 0 ||
        (st.st_mtim.tv_sec == self->stamp.tv_sec && st.st_mtim.tv_nsec == self->stamp.tv_nsec))
        return false;
    self->stamp = st.st_mtim;
    return true;
}

static bool is_wanted(const struct stamp_feed *self)
{
    const struct directory_stamper *stamper = NULL;
    return directory_stampers(self->node->directory, &stamper) > 0;
}

/* An idle log, which grows by its own stamps only, needs one an hour. */
static void watch_growth(struct stamp_feed *self)
{
    const struct node *node = self->node;
    growth_clock_grew(&self->waiting, node->head.size, node->traffic_size, clock_steady_ms());
    if (!is_wanted(self))
        growth_clock_confirm(&self->waiting, node->head.size);
}

static void raise_alarm(struct stamp_feed *self)
{
    const struct server_config *config = self->node->config;
    int64_t now_ms = clock_steady_ms();
    if (growth_clock_alarms(&self->waiting, now_ms, config->witness_alarm_ms))
        EVENT(ERROR, "stamp.missing",
              E_MS("for_ms", growth_clock_waiting_ms(&self->waiting, now_ms)),
              E_NUMBER("stamped_size", self->waiting.confirmed),
              E_NUMBER("size", self->node->head.size),
              E_MS("stops_after_ms", config->witness_stop_ms));
}

fault stamp_feed_check(const struct stamp_feed *self)
{
    if (self == NULL)
        return DONE;
    int64_t waiting_ms = growth_clock_waiting_ms(&self->waiting, clock_steady_ms());
    if (waiting_ms <= self->node->config->witness_stop_ms)
        return DONE;
    return RAISE(UNWITNESSED, "no time stamp since entry %" PRIu64 ", for %lld ms",
                 self->waiting.confirmed, (long long)waiting_ms);
}

static void on_timer(struct loop_timer *timer)
{
    struct stamp_feed *self = timer->owner;
    if (!failed(node_begun(self->node)) && has_changed(self)) {
        fault f = take(self);
        if (failed(f))
            EVENT(WARN, "stamp.not_logged", E_FAULT(f));
    }
    watch_growth(self);
    raise_alarm(self);
    loop_set_timer(self->node->loop, &self->timer, LOOK_MS);
}

/* What the runs before had stamped, and when. A log that never was has waited since it was begun.
 */
static void read_stamped(struct stamp_feed *self)
{
    char name[128];
    uint64_t size = 0;
    int64_t now_ms = clock_steady_ms(), wall_ms = clock_wall_ms(), stamped_ms = 0;
    const struct node *node = self->node;
    int64_t since_ms = node->log_begun_ms == 0 ? wall_ms : node->log_begun_ms;
    /* logged by the run before, as a rule; a token twice does no harm */
    if (has_changed(self) && !failed(read_line(self, &size, &stamped_ms, name)))
        since_ms = stamped_ms;
    growth_clock_begin(&self->waiting, size, node->head.size, now_ms - (wall_ms - since_ms), now_ms,
                       node->config->witness_stop_ms);
}

fault stamp_feed_new(struct node *node, struct stamp_feed **out)
{
    OWNED(stamp_feed) self = owned_new(sizeof *self);
    self->node = node;
    text_format(self->folder, sizeof self->folder, "%s", node->log_folder);
    read_stamped(self);
    self->timer = (struct loop_timer){.fire = on_timer, .owner = self};
    loop_set_timer(node->loop, &self->timer, LOOK_MS);
    *out = TAKE(self);
    return DONE;
}

void stamp_feed_free(struct stamp_feed **self)
{
    if (*self == NULL)
        return;
    loop_stop_timer((*self)->node->loop, &(*self)->timer);
    free(*self);
    *self = NULL;
}
