// SPDX-License-Identifier: MIT
#include "tools/audit/evidence.h"

#include "lib/base/text.h"
#include "lib/bus/payload_store.h"
#include "lib/bus/tiles.h"
#include "tools/audit/verify.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 700
#define BUNDLE 256

static void add(struct evidence *out, const char *name)
{
    if (out->count < EVIDENCE_FILES_MAX &&
        text_format(out->file[out->count], EVIDENCE_FILE_BYTES, "%s", name))
        out->count++;
}

/* Of the log's own epoch. */
static void add_of_log(struct evidence *out, const struct log *log, const char *name)
{
    char path[PATH_BYTES];
    text_format(path, sizeof path, "log/%u/%s", log->view->epoch, name);
    add(out, path);
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

void evidence_list_segments(struct log *log)
{
    char path[PATH_BYTES];
    uint64_t first = 0;
    audit_log_path(log->view->folder, log->view->epoch, "wal", path, sizeof path);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return;
    for (struct dirent *at; (at = readdir(dir)) != NULL;)
        if (strlen(at->d_name) == 24 && strcmp(at->d_name + 20, ".seg") == 0 &&
            !failed(text_number(span_of(at->d_name, 20), UINT64_MAX, &first))) {
            log->segment = owned_grow(log->segment, log->segments + 1, sizeof *log->segment);
            log->segment[log->segments++] = first;
        }
    closedir(dir);
    if (log->segments > 1)
        qsort(log->segment, log->segments, sizeof *log->segment, by_number);
}

/* The segment that begins at or before the entry. */
static void add_segment(struct evidence *out, const struct log *log, uint64_t entry)
{
    char name[64];
    size_t low = 0, high = log->segments;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (log->segment[middle] <= entry)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return;
    text_format(name, sizeof name, "wal/%020" PRIu64 ".seg", log->segment[low - 1]);
    add_of_log(out, log, name);
}

static void add_if_there(struct evidence *out, const struct log *log, const char *name)
{
    char path[PATH_BYTES];
    audit_log_path(log->view->folder, log->view->epoch, name, path, sizeof path);
    if (access(path, F_OK) == 0)
        add_of_log(out, log, name);
}

static void add_bundle(struct evidence *out, const struct log *log, uint64_t entry)
{
    char tile[160];
    tiles_path(-1, entry / BUNDLE, BUNDLE, tile, sizeof tile);
    add_if_there(out, log, tile);
}

static void add_payload(struct evidence *out, const struct log *log, uint64_t entry)
{
    char day[DAY_TEXT_BYTES], name[64], below[32] = "";
    if (log->reader == NULL || failed(payload_reader_day(log->reader, entry, day)))
        return;
    if (log->view->epoch > 1)
        text_format(below, sizeof below, "epoch/%u/", log->view->epoch);
    text_format(name, sizeof name, "%spayload/%.8s.seg", below, day);
    add(out, name);
    text_format(name, sizeof name, "%skeys/%.8s.slab", below, day);
    add(out, name);
}

static bool is_one_of(const char *rule, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(rule, *list) == 0)
            return true;
    return false;
}

static void add_entry_files(struct evidence *out, const struct log *log, const char *rule,
                            uint64_t entry)
{
    static const char *const payloads[] = {"payload", "commitment", NULL};
    add_segment(out, log, entry);
    add_bundle(out, log, entry);
    if (is_one_of(rule, payloads))
        add_payload(out, log, entry);
}

static void add_whole_files(struct evidence *out, const struct log *log, const char *rule)
{
    if (strcmp(rule, "whole log") == 0)
        add_of_log(out, log, "wal/");
    if (strcmp(rule, "tiles") == 0)
        add_of_log(out, log, "tile/");
    if (strcmp(rule, "epoch") == 0)
        add(out, "log/epoch");
}

void evidence_find(const struct log *log, const char *rule, uint64_t entry, struct evidence *out)
{
    static const char *const heads[] = {"checkpoint",  "cosignature", "time stamp",
                                        "append only", "one history", "lost tail",
                                        "epoch",       "older copy",  NULL};
    static const char *const signers[] = {
        "authorship",         "certificate", "revocation",  "directory",
        "directories",        "anchors",     "cosignature", "directory cosignature",
        "directory snapshot", NULL};
    out->count = 0;
    if (log != NULL && entry != REPORT_WHOLE)
        add_entry_files(out, log, rule, entry);
    else if (log != NULL)
        add_whole_files(out, log, rule);
    if (log != NULL && is_one_of(rule, heads)) {
        add_of_log(out, log, "promise");
        add_of_log(out, log, "checkpoint");
        add_of_log(out, log, "cp/");
        add_if_there(out, log, "cosigned");
        add_if_there(out, log, "outside");
    }
    if (log == NULL || is_one_of(rule, signers)) {
        add(out, "directory/");
        add(out, "anchor/");
    }
}
