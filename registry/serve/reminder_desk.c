// SPDX-License-Identifier: MIT
#include "registry/serve/reminder_desk.h"

#include "lib/base/clock.h"
#include "lib/base/cursor.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/base/text.h"
#include "lib/bus/notice.h"

#include <inttypes.h>
#include <stdlib.h>

#define FILE_NAME "reminders"
#define PATH_BYTES 768
#define LINE_BYTES (NOTICE_NAME_ROOM + 24)

struct reminder_desk {
    struct loop *loop;
    const struct outlook *outlook;
    struct loop_timer timer;
    char path[PATH_BYTES];
    struct map said; /* by name: when, int64_t */
    bool changed;
};

// --- what was said ------------------------------------------------------------------------------

static void note(struct reminder_desk *self, struct span name, int64_t at_ms)
{
    int64_t *at = map_get(&self->said, name);
    if (at == NULL) {
        at = owned_new(sizeof *at);
        map_set(&self->said, name, at);
    }
    *at = at_ms;
}

/* "MS NAME", one a line. */
static fault read_line(struct reminder_desk *self, struct span line)
{
    struct cursor left = cursor_over(line);
    struct span number;
    uint64_t at_ms = 0;
    TRY(cursor_take_until(&left, ' ', &number));
    TRY(text_number(number, INT64_MAX, &at_ms));
    if (left.left.size == 0 || left.left.size >= NOTICE_NAME_ROOM)
        return RAISE(BAD_FRAME, "a reminder without a name");
    note(self, left.left, (int64_t)at_ms);
    return DONE;
}

static fault read_file(struct reminder_desk *self)
{
    OWNED(bytes) file = NULL;
    struct span line;
    fault f = file_read(self->path, NOTICES_BYTES_MAX, &file);
    if (f.code == NOT_FOUND)
        return DONE;
    TRY(f);
    struct cursor left = cursor_over(bytes_span(file));
    while (left.left.size > 0) {
        TRY(cursor_take_until(&left, '\n', &line));
        TRY(read_line(self, line));
    }
    return DONE;
}

static fault write_file(struct reminder_desk *self, int64_t now_ms)
{
    OWNED(bytes) file = bytes_empty(NOTICES_BYTES_MAX);
    char line[LINE_BYTES];
    size_t step = 0;
    struct span name;
    for (const int64_t *at; (at = map_next(&self->said, &step, &name)) != NULL;) {
        if (now_ms - *at > RIGHTS_REMINDED_MS)
            continue; /* its right has ended long since */
        text_format(line, sizeof line, "%" PRId64 " %.*s\n", *at, (int)name.size,
                    (const char *)name.at);
        TRY(bytes_append_text(file, line));
    }
    return file_replace(self->path, bytes_span(file), 0600);
}

// --- looking ------------------------------------------------------------------------------------

static void remind(struct reminder_desk *self, const struct notice *notice, const char *service,
                   int64_t now_ms)
{
    const int64_t *said = map_get(&self->said, span_of_text(notice->name));
    if (said != NULL && *said >= notice->since_ms)
        return;
    EVENT(notice_is_of_an_end(notice) ? INFO : WARN, "registry.reminded",
          E_TEXT("notice", notice->name), E_TEXT("service", service));
    note(self, span_of_text(notice->name), now_ms);
    self->changed = true;
}

static void look(struct reminder_desk *self, const struct directory *state, int64_t now_ms)
{
    struct notice notice;
    size_t step = 0;
    for (const struct directory_restriction *at;
         (at = directory_next_restriction(state, &step)) != NULL;)
        if (notice_of_restriction(at, now_ms, &notice))
            remind(self, &notice, at->service, now_ms);
    step = 0;
    for (const struct directory_request *at; (at = directory_next_request(state, &step)) != NULL;)
        if (notice_of_request(state, at, now_ms, &notice))
            remind(self, &notice, at->service, now_ms);
    step = 0;
    for (const struct directory_break_glass *at;
         (at = directory_next_break_glass(state, &step)) != NULL;)
        if (notice_of_break_glass(at, now_ms, &notice))
            remind(self, &notice, at->service, now_ms);
}

static void on_look(struct loop_timer *timer)
{
    struct reminder_desk *self = timer->owner;
    const struct directory *state = outlook_state(self->outlook);
    int64_t now_ms = clock_wall_ms();
    loop_set_timer(self->loop, &self->timer, REMINDERS_LOOK_MS);
    if (state != NULL)
        look(self, state, now_ms);
    if (!self->changed)
        return;
    fault f = write_file(self, now_ms);
    self->changed = failed(f);
    if (failed(f))
        EVENT(ERROR, "registry.reminders_not_kept", E_FAULT(f));
}

fault reminder_desk_open(struct loop *loop, const char *store, const struct outlook *outlook,
                         struct reminder_desk **out)
{
    OWNED(reminder_desk) self = owned_new(sizeof *self);
    self->loop = loop;
    self->outlook = outlook;
    self->timer = (struct loop_timer){.fire = on_look, .owner = self};
    if (!text_format(self->path, sizeof self->path, "%s/" FILE_NAME, store))
        return RAISE(BAD_CONFIG, "the store's name is too long");
    fault f = read_file(self);
    if (failed(f))
        EVENT(WARN, "registry.reminders_not_read", E_FAULT(f));
    loop_set_timer(loop, &self->timer, NOTICE_FIRST_MS);
    *out = TAKE(self);
    return DONE;
}

void reminder_desk_free(struct reminder_desk **owner)
{
    struct reminder_desk *self = *owner;
    size_t step = 0;
    *owner = NULL;
    if (self == NULL)
        return;
    loop_stop_timer(self->loop, &self->timer);
    for (int64_t *at; (at = map_next(&self->said, &step, NULL)) != NULL;)
        free(at);
    map_clear(&self->said);
    free(self);
}
