// SPDX-License-Identifier: MIT
/* Where the evidence of a finding lies, and the commands to look at it. */
#include "tools/audit/picture.h"

#include "lib/base/text.h"
#include "lib/bus/payload_store.h"
#include "lib/bus/tiles.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define PATH_BYTES 700
#define BUNDLE 256

static void put_file(struct picture *self, const char *name)
{
    page_text(self->page, "<code>");
    page_plain(self->page, span_of_text(name));
    page_text(self->page, "</code> ");
}

/* Of the log's own epoch. */
static void put_log_file(struct picture *self, const struct log *log, const char *name)
{
    char path[PATH_BYTES];
    text_format(path, sizeof path, "log/%u/%s", log->view->epoch, name);
    put_file(self, path);
}

/* The segment that begins at or before the entry. */
static void put_segment(struct picture *self, const struct log *log, uint64_t entry)
{
    char path[PATH_BYTES], name[64];
    uint64_t first = 0, best = 0;
    bool found = false;
    audit_log_path(log->view->folder, log->view->epoch, "wal", path, sizeof path);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return;
    for (struct dirent *at; (at = readdir(dir)) != NULL;)
        if (strlen(at->d_name) == 24 && strcmp(at->d_name + 20, ".seg") == 0 &&
            !failed(text_number(span_of(at->d_name, 20), UINT64_MAX, &first)) && first <= entry &&
            (!found || first > best))
            best = first, found = true;
    closedir(dir);
    if (!found)
        return;
    snprintf(name, sizeof name, "wal/%020" PRIu64 ".seg", best);
    put_log_file(self, log, name);
}

static void put_bundle(struct picture *self, const struct log *log, uint64_t entry)
{
    char tile[160], path[PATH_BYTES];
    tiles_path(-1, entry / BUNDLE, BUNDLE, tile, sizeof tile);
    audit_log_path(log->view->folder, log->view->epoch, tile, path, sizeof path);
    if (access(path, F_OK) == 0)
        put_log_file(self, log, tile);
}

static void put_payload(struct picture *self, const struct log *log, uint64_t entry)
{
    char day[DAY_TEXT_BYTES], name[64], below[32] = "";
    if (failed(payload_store_day_of(log->view->payloads, entry, day)))
        return;
    if (log->view->epoch > 1)
        snprintf(below, sizeof below, "epoch/%u/", log->view->epoch);
    snprintf(name, sizeof name, "%spayload/%.8s.seg", below, day);
    put_file(self, name);
    snprintf(name, sizeof name, "%skeys/%.8s.slab", below, day);
    put_file(self, name);
}

static bool is_one_of(const char *rule, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(rule, *list) == 0)
            return true;
    return false;
}

static void put_entry_files(struct picture *self, const struct shown *finding,
                            const struct log *log)
{
    static const char *const payloads[] = {"payload", "commitment", NULL};
    put_segment(self, log, finding->entry);
    put_bundle(self, log, finding->entry);
    if (is_one_of(finding->rule, payloads))
        put_payload(self, log, finding->entry);
}

static void put_whole_files(struct picture *self, const struct shown *finding,
                            const struct log *log)
{
    if (strcmp(finding->rule, "whole log") == 0)
        put_log_file(self, log, "wal/");
    if (strcmp(finding->rule, "tiles") == 0)
        put_log_file(self, log, "tile/");
}

static void put_files(struct picture *self, const struct shown *finding, const struct log *log)
{
    static const char *const heads[] = {"checkpoint",  "cosignature", "time stamp", "append only",
                                        "one history", "lost tail",   "epoch",      NULL};
    static const char *const signers[] = {"authorship",  "certificate", "revocation",  "directory",
                                          "directories", "anchors",     "cosignature", NULL};
    page_text(self->page, "<dt>Evidence</dt><dd>");
    if (log != NULL && finding->entry != REPORT_WHOLE)
        put_entry_files(self, finding, log);
    else if (log != NULL)
        put_whole_files(self, finding, log);
    if (log != NULL && is_one_of(finding->rule, heads)) {
        put_log_file(self, log, "promise");
        put_log_file(self, log, "checkpoint");
        put_log_file(self, log, "cp/");
    }
    if (log == NULL || is_one_of(finding->rule, signers)) {
        put_file(self, "directory/");
        put_file(self, "anchor/");
    }
    page_text(self->page, "<span class=\"dim\">in ");
    page_words(self->page, span_of_text(log == NULL ? finding->folder : log->view->folder));
    page_text(self->page, "</span></dd>");
}

// --- looking ------------------------------------------------------------------------------------

/* As a shell takes it: in quotes unless it is plain. */
static void put_argument(struct picture *self, const char *text)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";
    if (text[0] != '\0' && text[0] != '-' && strspn(text, plain) == strlen(text)) {
        page_plain(self->page, span_of_text(text));
        return;
    }
    page_text(self->page, "&#39;");
    for (const char *quote; (quote = strchr(text, '\'')) != NULL; text = quote + 1) {
        page_plain(self->page, span_of(text, (size_t)(quote - text)));
        page_text(self->page, "&#39;\\&#39;&#39;");
    }
    page_plain(self->page, span_of_text(text));
    page_text(self->page, "&#39;");
}

static void put_command(struct picture *self, const char *command, const struct log *log,
                        uint64_t entry)
{
    page_put(self->page, "<code>chaski-audit %s ", command);
    put_argument(self, log->view->folder);
    page_put(self->page, " %" PRIu64, entry);
    if (log->view->epoch > 1 || !log->view->newest)
        page_put(self->page, " --epoch %u", log->view->epoch);
}

void picture_put_evidence(struct picture *self, const struct shown *finding, const struct log *log)
{
    put_files(self, finding, log);
    if (finding->entry == REPORT_WHOLE || log == NULL)
        return;
    page_text(self->page, "<dt>To look</dt><dd>");
    put_command(self, "show", log, finding->entry);
    page_text(self->page, "</code><br>");
    put_command(self, "export", log, finding->entry);
    page_text(self->page, " --to record</code></dd>");
}
