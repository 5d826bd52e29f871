// SPDX-License-Identifier: MIT
/* chaski-audit report: what verify finds and what the logs say, as one page. */
#include "tools/audit/picture.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/crypto/digest.h"
#include "lib/evidence/files.h"
#include "lib/evidence/printable.h"
#include "tools/audit/search_arguments.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

// --- what verify has to say ---------------------------------------------------------------------

static struct rule_count *rule_of(struct picture *self, const char *rule)
{
    for (size_t i = 0; i < self->rules; i++)
        if (strcmp(self->rule[i].rule, rule) == 0)
            return &self->rule[i];
    if (self->rules == PICTURE_RULES_MAX)
        return NULL;
    self->rule[self->rules] = (struct rule_count){.rule = rule};
    return &self->rule[self->rules++];
}

static void take_finding(void *owner, const struct report_finding *finding)
{
    struct picture *self = owner;
    struct rule_count *rule = rule_of(self, finding->rule);
    if (rule == NULL) {
        self->other_rules++;
        return;
    }
    if (rule->count++ >= PICTURE_EACH)
        return;
    self->finding[self->shown++] = (struct shown){.folder = owned_text(finding->folder),
                                                  .what = owned_text(finding->what),
                                                  .entry = finding->entry,
                                                  .rule = finding->rule,
                                                  .meaning = finding->meaning};
}

static void take_remark(void *owner, const char *folder, const char *what)
{
    struct picture *self = owner;
    if (self->remarks == PICTURE_REMARKS)
        return;
    self->remark[self->remarks].folder = folder == NULL ? NULL : owned_text(folder);
    self->remark[self->remarks++].what = owned_text(what);
}

static void picture_free(struct picture **owner)
{
    struct picture *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->shown; i++) {
        free(self->finding[i].folder);
        free(self->finding[i].what);
    }
    for (size_t i = 0; i < self->remarks; i++) {
        free(self->remark[i].folder);
        free(self->remark[i].what);
    }
    picture_sums_free(self);
    free(self->lane);
    page_free(&self->page);
    free(self);
}

// --- the page -----------------------------------------------------------------------------------

struct span picture_name(const struct picture *self, const char *member)
{
    struct span id = words_of(member);
    for (size_t i = 0; i < self->verify->logs; i++) {
        const struct log_view *view = self->verify->log[i].view;
        const struct directory_member *known =
            view == NULL ? NULL : directory_member(view->directory, id);
        if (known != NULL && known->name[0] != '\0')
            return span_of_text(known->name);
    }
    return id;
}

/* The browser is told to load nothing and run nothing, and to take the one style by its hash. */
static void put_head(struct page *page)
{
    struct sha256 hash = SHA256_OF(span_of_text(picture_style));
    char base64[48];
    text_base64(sha256_span(&hash), base64, sizeof base64);
    page_put(page,
             "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
             "style-src 'sha256-%s'; base-uri 'none'; form-action 'none'\">\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
             "<meta name=\"color-scheme\" content=\"light dark\">\n"
             "<meta name=\"referrer\" content=\"no-referrer\">\n"
             "<title>Audit of evidence logs</title>\n<style>",
             base64);
    page_text(page, picture_style);
    page_text(page, "</style>\n</head>\n<body>\n<main>\n");
}

static void put_contents(struct page *page)
{
    page_text(page, "<nav aria-label=\"Contents\"><a href=\"#summary\">Summary</a> <a "
                    "href=\"#findings\">Findings</a> <a href=\"#time\">Over time</a> <a "
                    "href=\"#who\">Who asks whom</a> <a href=\"#rules\">Refusals</a> <a "
                    "href=\"#latency\">How long</a> <a href=\"#gaps\">Gaps</a> <a "
                    "href=\"#logs\">Logs</a> <a href=\"#rests\">Rests on</a></nav>\n");
}

static void draw(struct picture *self)
{
    self->page = page_new();
    put_head(self->page);
    picture_put_top(self);
    put_contents(self->page);
    picture_put_findings(self);
    picture_put_time(self);
    picture_put_who(self);
    picture_put_reasons(self);
    picture_put_withheld(self);
    picture_put_latency(self);
    picture_put_lanes(self);
    picture_put_gaps(self);
    picture_put_logs(self);
    picture_put_foundations(self);
    page_put(
        self->page,
        "<footer>Made by <code>chaski-audit report</code> on %s UTC. One file; it loads nothing "
        "and runs nothing.</footer>\n</main>\n</body>\n</html>\n",
        time_of_ms(self->made_ms).text);
}

// --- the command --------------------------------------------------------------------------------

static fault read_filters(struct picture *self, const struct audit_arguments *arguments)
{
    int64_t other_end = 0;
    self->until_ms = INT64_MAX;
    if (arguments->from != NULL)
        TRY(search_time_read(arguments->from, &self->from_ms, &other_end));
    if (arguments->until != NULL)
        TRY(search_time_read(arguments->until, &other_end, &self->until_ms));
    if (self->from_ms > self->until_ms)
        return RAISE(BAD_REQUEST, "--from is after --until: no time lies between them");
    return arguments->member == NULL ? DONE : search_member_read(arguments->member, self->member);
}

static fault check_place(const struct audit_arguments *arguments)
{
    if (arguments->html == NULL)
        return RAISE(BAD_REQUEST, "report DIR... --html FILE");
    for (size_t i = 0; i < arguments->count; i++)
        TRY(files_check_file(arguments->html, arguments->positional[i]));
    return DONE;
}

static fault write_page(const struct picture *self, const char *path)
{
    OWNED(files) files = owned_new(sizeof *files);
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    size_t length = slash == path ? 1 : slash == NULL ? 0 : (size_t)(slash - path);
    if (name[0] == '\0' || strlen(name) >= FILES_NAME_BYTES ||
        !text_format(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)length,
                     slash == NULL ? "." : path))
        return RAISE(BAD_REQUEST, "--html: no name of a file, or too long");
    TRY(files_copy(files, name, page_span(self->page)));
    return files_write(files, folder);
}

static void tell(const struct picture *self, const char *path)
{
    uint64_t findings = report_findings(self->report);
    OWNED(printable) shown = printable_of(span_of_text(path));
    report_clear_progress(self->report);
    printf("%s: %" PRIu64 " entries in %zu log%s, %" PRIu64 " finding%s, %" PRIu64
           " remark%s; the picture is in %s\n",
           findings == 0 ? "clean" : "NOT CLEAN", report_entries(self->report), self->verify->logs,
           self->verify->logs == 1 ? "" : "s", findings, findings == 1 ? "" : "s",
           report_remarks(self->report), report_remarks(self->report) == 1 ? "" : "s", shown->text);
}

fault picture_command(const struct audit_arguments *arguments, uint64_t *findings)
{
    OWNED(picture) self = owned_new(sizeof *self);
    const struct report_listener listener = {take_finding, take_remark, self};
    OWNED(report) report = report_to(&listener);
    OWNED(verify) verify = NULL;
    TRY(check_place(arguments));
    TRY(read_filters(self, arguments));
    TRY(verify_run(arguments, report, &verify));
    self->verify = verify;
    self->report = report;
    self->made_ms = clock_wall_ms();
    picture_sum(self);
    picture_look_for_gaps(self);
    draw(self);
    TRY(write_page(self, arguments->html));
    tell(self, arguments->html);
    *findings = report_findings(report);
    return DONE;
}
