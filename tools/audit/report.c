// SPDX-License-Identifier: MIT
#include "tools/audit/report.h"

#include "lib/base/clock.h"
#include "tools/audit/json_text.h"
#include "lib/evidence/printable.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WORDS_BYTES 1200
#define PROGRESS_EVERY_MS 200
#define BAR_BYTES 24

struct report {
    const struct report_listener *listener; /* or NULL */
    bool json, quiet, terminal;
    uint64_t findings, remarks, entries, expected;
    json_t *finding_list, *remark_list;
    int64_t started_ms, shown_ms;
};

struct report *report_new(bool json, bool quiet)
{
    struct report *self = owned_new(sizeof *self);
    self->json = json;
    self->quiet = quiet;
    self->terminal = !json && !quiet && isatty(STDERR_FILENO);
    self->finding_list = json_array();
    self->remark_list = json_array();
    self->started_ms = clock_steady_ms();
    return self;
}

struct report *report_to(const struct report_listener *listener)
{
    struct report *self = report_new(false, false);
    self->listener = listener;
    return self;
}

void report_free(struct report **self)
{
    if (*self == NULL)
        return;
    json_decref((*self)->finding_list);
    json_decref((*self)->remark_list);
    free(*self);
    *self = NULL;
}

bool report_is_json(const struct report *self)
{
    return self->json;
}

bool report_is_quiet(const struct report *self)
{
    return self->quiet;
}

uint64_t report_findings(const struct report *self)
{
    return self->findings;
}

uint64_t report_remarks(const struct report *self)
{
    return self->remarks;
}

uint64_t report_entries(const struct report *self)
{
    return self->entries;
}

int64_t report_took_ms(const struct report *self)
{
    return clock_steady_ms() - self->started_ms;
}

// --- the terminal -------------------------------------------------------------------------------

static uint64_t a_second(uint64_t count, int64_t took_ms)
{
    return took_ms <= 0 ? count : count * 1000 / (uint64_t)took_ms;
}

static void clear_progress(const struct report *self)
{
    if (self->terminal && self->shown_ms != 0)
        fputs("\r\033[K", stderr);
}

void report_expect(struct report *self, uint64_t entries)
{
    self->expected = entries;
}

/* "[#######                 ]  29 %"; a log may have grown beyond what was expected. */
static void print_bar(const struct report *self)
{
    uint64_t done = self->entries < self->expected ? self->entries : self->expected;
    char bar[BAR_BYTES + 1];
    memset(bar, ' ', BAR_BYTES);
    memset(bar, '#', (size_t)(done * BAR_BYTES / self->expected));
    bar[BAR_BYTES] = '\0';
    fprintf(stderr, "\r  [%s] %3" PRIu64 " %%", bar, done * 100 / self->expected);
}

void report_entry(struct report *self)
{
    self->entries++;
    if (!self->terminal)
        return;
    int64_t now_ms = clock_steady_ms();
    if (now_ms - self->shown_ms < PROGRESS_EVERY_MS)
        return;
    self->shown_ms = now_ms;
    fputs("\r", stderr);
    if (self->expected > 0)
        print_bar(self);
    fprintf(stderr, "  %" PRIu64 " entries checked, %" PRIu64 " a second, %" PRIu64 " findings ",
            self->entries, a_second(self->entries, now_ms - self->started_ms), self->findings);
}

void report_clear_progress(const struct report *self)
{
    clear_progress(self);
}

void report_line(struct report *self, const char *format, ...)
{
    char words[WORDS_BYTES];
    va_list args;
    if (self->json || self->listener != NULL)
        return;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    clear_progress(self);
    printable_put(stdout, span_of_text(words));
    putchar('\n');
}

// --- findings and remarks -----------------------------------------------------------------------

static json_t *finding_json(const struct report_finding *finding)
{
    json_t *object = json_object(), *evidence = json_array();
    for (size_t i = 0; i < finding->evidence->count; i++)
        json_array_append_new(evidence, json_text(span_of_text(finding->evidence->file[i])));
    json_put_text(object, "log", span_of_text(finding->folder));
    json_object_set_new(object, "entry",
                        finding->entry == REPORT_WHOLE ? json_null()
                                                       : json_integer((json_int_t)finding->entry));
    json_put_text(object, "rule", span_of_text(finding->rule));
    json_put_text(object, "what", span_of_text(finding->what));
    json_put_text(object, "meaning", span_of_text(finding->meaning));
    json_object_set_new(object, "evidence", evidence);
    return object;
}

static void print_finding(struct report *self, const struct report_finding *finding)
{
    char place[32] = "", files[WORDS_BYTES] = "";
    size_t used = 0;
    if (finding->entry != REPORT_WHOLE)
        snprintf(place, sizeof place, " entry %" PRIu64, finding->entry);
    for (size_t i = 0; i < finding->evidence->count && used < sizeof files; i++)
        used +=
            (size_t)snprintf(files + used, sizeof files - used, " %s", finding->evidence->file[i]);
    report_line(self, "FINDING  %s%s  [%s]", finding->folder, place, finding->rule);
    report_line(self, "         %s", finding->what);
    report_line(self, "         %s", finding->meaning);
    if (finding->evidence->count > 0)
        report_line(self, "         evidence:%s", files);
}

void report_find_words(struct report *self, const struct report_finding *finding,
                       const char *format, va_list words)
{
    char what[WORDS_BYTES];
    struct report_finding found = *finding;
    vsnprintf(what, sizeof what, format, words);
    found.what = what;
    self->findings++;
    if (self->listener != NULL)
        self->listener->find(self->listener->owner, &found);
    else if (self->json)
        json_array_append_new(self->finding_list, finding_json(&found));
    else
        print_finding(self, &found);
}

void report_find(struct report *self, const struct report_finding *finding, const char *format, ...)
{
    va_list words;
    va_start(words, format);
    report_find_words(self, finding, format, words);
    va_end(words);
}

void report_remark(struct report *self, const char *folder, const char *format, ...)
{
    char words[WORDS_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    self->remarks++;
    if (self->listener != NULL) {
        self->listener->remark(self->listener->owner, folder, words);
    } else if (self->json) {
        json_t *object = json_object();
        json_object_set_new(object, "log",
                            folder == NULL ? json_null() : json_text(span_of_text(folder)));
        json_put_text(object, "what", span_of_text(words));
        json_array_append_new(self->remark_list, object);
    } else if (!self->quiet) {
        report_line(self, "REMARK   %s%s%s", folder == NULL ? "" : folder,
                    folder == NULL ? "" : ": ", words);
    }
}

// --- the end ------------------------------------------------------------------------------------

static void end_json(struct report *self, size_t logs, json_t *root, int64_t took_ms)
{
    json_object_set_new(root, "clean", json_boolean(self->findings == 0));
    json_put_number(root, "count", self->findings);
    json_put_number(root, "remark_count", self->remarks);
    json_put_number(root, "logs", logs);
    json_put_number(root, "entries", self->entries);
    json_put_number(root, "took_ms", (uint64_t)took_ms);
    json_put_number(root, "entries_a_second", a_second(self->entries, took_ms));
    json_object_set(root, "findings", self->finding_list);
    json_object_set(root, "remarks", self->remark_list);
    json_dumpf(root, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(root);
}

void report_end(struct report *self, size_t logs, json_t *root)
{
    int64_t took_ms = clock_steady_ms() - self->started_ms;
    if (self->json) {
        end_json(self, logs, root, took_ms);
        return;
    }
    char remarks[48] = "";
    if (self->remarks > 0)
        snprintf(remarks, sizeof remarks, ", %" PRIu64 " remark%s", self->remarks,
                 self->remarks == 1 ? "" : "s");
    report_line(self,
                "%s: %" PRIu64 " entries in %zu log%s, %" PRIu64 " finding%s%s, %" PRId64
                " ms, %" PRIu64 " entries a second",
                self->findings == 0 ? "clean" : "NOT CLEAN", self->entries, logs,
                logs == 1 ? "" : "s", self->findings, self->findings == 1 ? "" : "s", remarks,
                took_ms, a_second(self->entries, took_ms));
}
