// SPDX-License-Identifier: MIT
/*
 * event - what operators read: one JSON object a line on stderr.
 *
 *   EVENT(WARN, "mesh.message_refused", E_TEXT("peer", peer), E_FAULT(f));
 *
 * Names are dotted and in the past tense. There is no field that takes bytes: payloads, keys and
 * personal data cannot enter. Fields: time, level, program, event, then the given ones.
 */
#ifndef BASE_EVENT_H
#define BASE_EVENT_H

#include "lib/base/fault.h"

#include <stdbool.h>
#include <stdint.h>

enum event_level { DEBUG, INFO, WARN, ERROR };

struct event_field {
    const char *name;
    enum { FIELD_TEXT, FIELD_NUMBER, FIELD_FAULT } kind;
    const char *text;
    int64_t number;
};

#define E_TEXT(name, value) ((struct event_field){(name), FIELD_TEXT, (value), 0})
#define E_NUMBER(name, value) ((struct event_field){(name), FIELD_NUMBER, NULL, (int64_t)(value)})
#define E_MS(name, value) E_NUMBER(name, value)
/* Three fields: fault (name), reason (sentence) and detail as noted on this thread. */
#define E_FAULT(f) ((struct event_field){"fault", FIELD_FAULT, NULL, (int64_t)(f).code})

#define EVENT(level, name, ...)                                                    \
    do {                                                                           \
        if (event_wanted(level))                                                   \
            event_emit((level), (name), (const struct event_field[]){__VA_ARGS__}, \
                       sizeof((const struct event_field[]){__VA_ARGS__}) /         \
                           sizeof(struct event_field));                            \
    } while (0)

/* Before the first event: the program's name and the least level shown. */
void event_setup(const char *program, enum event_level least);
bool event_wanted(enum event_level level);
/* One write(2) per line; a line longer than 4 KiB is cut with "cut":true. Never waits for a lock.
 * Bytes that are not UTF-8 come out as U+FFFD; a NULL text as "". */
void event_emit(enum event_level level, const char *name, const struct event_field *fields,
                size_t count);

#endif
