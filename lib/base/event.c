// SPDX-License-Identifier: MIT
#include "lib/base/event.h"

#include "lib/base/clock.h"
#include "lib/base/shown.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_BYTES 4096
#define ENDING_BYTES 16 /* a closing quote, ,"cut":true, a brace, a newline */

/* One line under way. Everything before LINE_BYTES - ENDING_BYTES may be filled with content. */
struct line {
    size_t used;
    bool cut;
    char text[LINE_BYTES];
};

static const char *program_name = "?";
static enum event_level least_level = INFO;

void event_setup(const char *program, enum event_level least)
{
    program_name = program;
    least_level = least;
}

bool event_wanted(enum event_level level)
{
    return level >= least_level;
}

/* Whole or not at all. */
static bool put(struct line *line, const char *text, size_t size)
{
    if (line->cut || line->used + size > LINE_BYTES - ENDING_BYTES) {
        line->cut = true;
        return false;
    }
    memcpy(line->text + line->used, text, size);
    line->used += size;
    return true;
}

/* JSON has two of them for one character beyond the first plane. */
static void put_escaped(struct line *line, uint32_t point)
{
    char escape[16];
    int size = point > 0xffff ? snprintf(escape, sizeof escape, "\\u%04x\\u%04x",
                                         0xd7c0u + (point >> 10), 0xdc00u + (point & 0x3ff))
                              : snprintf(escape, sizeof escape, "\\u%04x", point);
    put(line, escape, (size_t)size);
}

/* The first character of the text as JSON; returns how many bytes of the text it was. */
static size_t put_character(struct line *line, struct span left)
{
    uint8_t first = left.at[0];
    if (first == '"' || first == '\\') {
        put(line, (const char[]){'\\', (char)first}, 2);
        return 1;
    }
    struct cursor at = cursor_over(left);
    struct span character;
    uint32_t point = 0;
    bool harmless = shown_take(&at, &character, &point);
    if (!harmless && shown_misleads(point))
        put_escaped(line, point);
    else if (!harmless)
        put(line, "\xef\xbf\xbd", 3); /* U+FFFD: one for each byte that belongs to nothing */
    else
        put(line, (const char *)character.at, character.size);
    return character.size;
}

static void put_quoted(struct line *line, const char *text)
{
    struct span left = span_of_text(text == NULL ? "" : text);
    if (!put(line, "\"", 1))
        return;
    while (left.size > 0 && !line->cut) {
        size_t taken = put_character(line, left);
        left = span_of(left.at + taken, left.size - taken);
    }
    line->text[line->used++] = '"'; /* there is always room: ENDING_BYTES */
}

/* The name and its colon stay only when a value can follow them. */
static bool put_name(struct line *line, const char *name)
{
    size_t before = line->used;
    bool whole = put(line, before == 0 ? "{\"" : ",\"", 2) && put(line, name, strlen(name)) &&
                 put(line, "\":", 2);
    if (whole && line->used < LINE_BYTES - ENDING_BYTES)
        return true;
    line->cut = true;
    line->used = before;
    return false;
}

static void put_text(struct line *line, const char *name, const char *text)
{
    if (put_name(line, name))
        put_quoted(line, text);
}

static void put_number(struct line *line, const char *name, int64_t number)
{
    char digits[24];
    int size = snprintf(digits, sizeof digits, "%lld", (long long)number);
    size_t before = line->used;
    if (put_name(line, name) && !put(line, digits, (size_t)size))
        line->used = before;
}

static void put_field(struct line *line, const struct event_field *field)
{
    if (field->kind == FIELD_NUMBER) {
        put_number(line, field->name, field->number);
    } else if (field->kind == FIELD_TEXT) {
        put_text(line, field->name, field->text);
    } else {
        enum fault_code code = (enum fault_code)field->number;
        put_text(line, field->name, fault_name(code));
        put_text(line, "reason", fault_sentence(code));
        put_text(line, "detail", fault_detail());
    }
}

/* One write, so that lines of several threads and processes do not mix. What cannot be written now
 * (a full pipe that does not block) is lost: events are not evidence. */
static void write_line(struct line *line)
{
    const char *ending = line->cut ? ",\"cut\":true}\n" : "}\n";
    size_t size = strlen(ending);
    assert(line->used + size <= LINE_BYTES);
    memcpy(line->text + line->used, ending, size);
    line->used += size;
    int before = errno;
    while (write(STDERR_FILENO, line->text, line->used) < 0 && errno == EINTR)
        ;
    errno = before;
}

void event_emit(enum event_level level, const char *name, const struct event_field *fields,
                size_t count)
{
    static const char *const words[] = {"debug", "info", "warn", "error"};
    struct line line;
    line.used = 0; /* not the whole 4 KiB: events are frequent */
    line.cut = false;
    char time[32];
    clock_text(clock_wall_ms(), time, sizeof time);
    put_text(&line, "time", time);
    put_text(&line, "level", words[level]);
    put_text(&line, "program", program_name);
    put_text(&line, "event", name);
    for (size_t i = 0; i < count; i++)
        put_field(&line, &fields[i]);
    write_line(&line);
}
