// SPDX-License-Identifier: MIT
/*
 * report - what verify has to say: findings, remarks, progress; as text or as one JSON object.
 *
 * A finding is what an honest node does not leave behind; it decides the exit status. A remark is
 * what may well be so and what this log alone cannot settle. Text goes out at once, JSON at the
 * end. All words are escaped here: callers pass them as they found them. Or both are handed on to
 * a listener, as they were found, and nothing is printed but progress.
 */
#ifndef TOOLS_AUDIT_REPORT_H
#define TOOLS_AUDIT_REPORT_H

#include "lib/base/bytes.h"
#include "tools/audit/evidence.h"

#include <jansson.h>
#include <stdarg.h>

#define REPORT_WHOLE UINT64_MAX /* about the log, not about one entry */

struct report;

struct report *report_new(bool json, bool quiet);
void report_free(struct report **self);

/* Borrowed for the time of the call. */
struct report_finding {
    const char *folder;
    uint64_t entry;
    const char *rule;                /* what was broken; ours, and it stays */
    const char *meaning;             /* what it would mean; ours, and it stays */
    const char *what;                /* what was found; filled in by report_find */
    const struct evidence *evidence; /* where */
};

struct report_listener {
    void (*find)(void *owner, const struct report_finding *finding);
    void (*remark)(void *owner, const char *folder, const char *what);
    void *owner;
};
/* The listener is borrowed until report_free. */
struct report *report_to(const struct report_listener *listener);

/* With what was found (printf style). */
void report_find(struct report *self, const struct report_finding *finding, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void report_find_words(struct report *self, const struct report_finding *finding,
                       const char *format, va_list words) __attribute__((format(printf, 3, 0)));
/* folder NULL: about all of them. */
void report_remark(struct report *self, const char *folder, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* How many entries there will be, as far as is known; 0: it is not. */
void report_expect(struct report *self, uint64_t entries);
/* One more entry was checked; a bar on a terminal says so now and then. */
void report_entry(struct report *self);

/* Before something else is printed. */
void report_clear_progress(const struct report *self);

bool report_is_json(const struct report *self);
bool report_is_quiet(const struct report *self);
uint64_t report_findings(const struct report *self);
uint64_t report_remarks(const struct report *self);
uint64_t report_entries(const struct report *self);
int64_t report_took_ms(const struct report *self);
/* A line of text, escaped; nothing with JSON. */
void report_line(struct report *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The last line, or the whole object: `root` (only with JSON; taken) with clean, count, entries,
 * speed, findings and remarks added. */
void report_end(struct report *self, size_t logs, json_t *root);

#endif
