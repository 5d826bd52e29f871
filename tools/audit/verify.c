// SPDX-License-Identifier: MIT
/*
 * chaski-audit verify: every signature, certificate, commitment, embedded head and root of one log,
 * and of several logs against one another. A finding names the entry, the rule, and what it would
 * mean.
 */
#include "tools/audit/verify.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tools/audit/crew.h"
#include "tools/audit/evidence.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORDS_BYTES 400 /* of a fault */
#define VKEY_FILE_BYTES_MAX 1024

void verify_find(struct report *report, const struct log *log, uint64_t entry, const char *rule,
                 const char *meaning, const char *format, ...)
{
    struct evidence evidence;
    va_list words;
    evidence_find(log, rule, entry, &evidence);
    va_start(words, format);
    report_find_words(report,
                      &(struct report_finding){.folder = log->view->name,
                                               .entry = entry,
                                               .rule = rule,
                                               .meaning = meaning,
                                               .evidence = &evidence},
                      format, words);
    va_end(words);
}

// --- opening ------------------------------------------------------------------------------------

static fault read_log(struct verify *self, struct log *log, const char *folder, unsigned epoch)
{
    char path[600];
    const struct log_anchors *anchors = &self->arguments->anchors;
    log->roots = roots_new();
    TRY(log_view_open(folder, epoch, anchors, &log->view));
    TRY(log_view_trust_file(folder, anchors, path, sizeof path));
    TRY(anchors_read(path, &log->view->authority, &log->anchors));
    TRY(verify_pruned_read(log));
    if (!text_format(path, sizeof path, "%s/directory", folder))
        return RAISE(BAD_REQUEST, "the folder's name is too long");
    return history_read(path, log->view->directory, &log->history);
}

/* Whatever is wrong with a folder is a finding about it: one that is bad on purpose must not keep
 * the others from being checked. */
static void find_unread(struct verify *self, const char *folder, fault f)
{
    struct evidence evidence;
    bool contradicts = f.code == DIRECTORY_BAD || f.code == KEY_UNKNOWN;
    const char *rule = contradicts ? "directory" : "whole log";
    evidence_find(NULL, rule, REPORT_WHOLE, &evidence);
    report_find(self->report,
                &(struct report_finding){
                    .folder = folder,
                    .entry = REPORT_WHOLE,
                    .rule = rule,
                    .meaning = contradicts
                                   ? "Nothing of this log can be relied on: it is not the log of a "
                                     "server that the authority knows."
                                   : "Nothing of this log, or of later epochs of it, was checked: "
                                     "what that needs is missing or damaged, or was not copied.",
                    .evidence = &evidence},
                "%s: %s", fault_sentence(f.code), fault_detail());
}

static void open_epochs(struct verify *self, const char *folder)
{
    unsigned newest = 1;
    struct log *before = NULL;
    fault f = log_epoch_newest(folder, &newest);
    /* one that a running node began since they were counted is left out */
    for (unsigned epoch = 1; epoch <= newest && self->logs < self->room; epoch++) {
        struct log *log = &self->log[self->logs++];
        f = read_log(self, log, folder, epoch);
        if (failed(f)) {
            log_view_free(&log->view);
            break;
        }
        log->before = before;
        if (before != NULL)
            before->later = log;
        before = log;
    }
    if (failed(f))
        find_unread(self, folder, f);
}

/* How many logs there can be, all epochs counted. NOT_FOUND: a name is of no folder, which is the
 * auditor's own mistake. */
static fault count_epochs(const struct audit_arguments *arguments, size_t *out)
{
    *out = 0;
    for (size_t i = 0; i < arguments->count; i++) {
        unsigned newest = 1;
        struct stat facts;
        if (stat(arguments->positional[i], &facts) != 0)
            return RAISE(NOT_FOUND, "%s: %m", arguments->positional[i]);
        if (!S_ISDIR(facts.st_mode))
            return RAISE(NOT_FOUND, "%s is no folder", arguments->positional[i]);
        ignore(log_epoch_newest(arguments->positional[i], &newest)); /* told when it is opened */
        *out += newest;
    }
    return DONE;
}

/* What the auditor gives himself: when it cannot be read, nothing can be checked. */
static fault check_given(const struct audit_arguments *arguments)
{
    OWNED(bytes) vkey = NULL;
    struct note_key key;
    struct trust *trust = NULL;
    if (arguments->anchors.trust_file != NULL) {
        TRY(trust_load(arguments->anchors.trust_file, &trust));
        trust_free(&trust);
    }
    if (arguments->anchors.authority_file == NULL)
        return DONE;
    TRY(file_read(arguments->anchors.authority_file, VKEY_FILE_BYTES_MAX, &vkey));
    struct span line = bytes_span(vkey);
    while (line.size > 0 && line.at[line.size - 1] == '\n')
        line.size--;
    return note_key_parse(line, &key);
}

static fault open_logs(struct verify *self)
{
    TRY(check_given(self->arguments));
    TRY(count_epochs(self->arguments, &self->room));
    self->log = owned_array(self->room, sizeof *self->log);
    for (size_t i = 0; i < self->arguments->count; i++)
        open_epochs(self, self->arguments->positional[i]);
    return DONE;
}

static void log_clear(struct log *log)
{
    size_t step = 0;
    for (char *name; (name = map_next(&log->names, &step, NULL)) != NULL;)
        free(name);
    step = 0;
    for (struct peer_head *head; (head = map_next(&log->heads, &step, NULL)) != NULL;)
        free(head);
    map_clear(&log->names);
    map_clear(&log->heads);
    map_clear(&log->by_hash);
    for (size_t i = 0; i < log->acts; i++) {
        header_read_free(&log->act[i].header);
        free(log->act[i].ground);
    }
    free(log->act);
    for (size_t i = 0; i < INCIDENTS_TOLD_MAX; i++)
        free(log->incident[i].text);
    free(log->stamp);
    free(log->card);
    verify_late_clear(log);
    verify_permits_clear(log);
    header_read_free(&log->started);
    header_read_free(&log->closed);
    header_read_free(&log->pruned);
    free(log->segment);
    free(log->pruned_hash);
    bytes_free(&log->first_leaf);
    free(log->prune_ground);
    free(log->reason);
    history_free(&log->history);
    payload_reader_free(&log->reader);
    log_view_free(&log->view);
    free(log->confirmed);
    free(log->signed_head);
    roots_free(&log->roots);
    free(log->entry);
}

// --- one log ------------------------------------------------------------------------------------

static void read_promise(struct log *log)
{
    char path[600];
    OWNED(bytes) note = NULL;
    audit_log_path(log->view->folder, log->view->epoch, "promise", path, sizeof path);
    fault f = file_read(path, NOTE_BYTES_MAX, &note);
    if (f.code == NOT_FOUND)
        return;
    log->promise_bad =
        failed(f) || failed(checkpoint_open(bytes_span(note), &log->view->log_key, &log->promised));
    if (!log->promise_bad)
        verify_note_signed(log, "promise", &log->promised);
}

/* They say how much there is to do, too; what was pruned is not looked at. */
static void read_promises(struct verify *self)
{
    uint64_t expected = 0;
    for (size_t i = 0; i < self->logs; i++) {
        struct log *log = &self->log[i];
        if (log->view == NULL)
            continue;
        read_promise(log);
        if (log->promised.size > log->view->pruned.first)
            expected += log->promised.size - log->view->pruned.first;
    }
    report_expect(self->report, expected);
}

static void take(void *owner, const struct examined *examined)
{
    struct verify *self = owner;
    verify_entry(self, self->now, examined);
}

static fault give(void *owner, uint64_t index, struct span leaf)
{
    crew_give(owner, index, leaf);
    return DONE;
}

static size_t threads_of(const struct audit_arguments *arguments)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (arguments->threads > 0)
        return (size_t)arguments->threads;
    return cores < 1 ? 1 : cores > VERIFY_THREADS_MAX ? VERIFY_THREADS_MAX : (size_t)cores;
}

/* In a log that was walked before: those do not change any more. */
static bool was_verified(const void *owner, const struct sha256 *leaf_hash)
{
    const struct verify *self = owner;
    for (const struct log *log = self->log; log < self->now; log++) {
        uintptr_t at = (uintptr_t)map_get(&log->by_hash, sha256_span(leaf_hash));
        if (at != 0 && log->entry[at - 1].verified)
            return true;
    }
    return false;
}

/* Findings come in the order of the log: what is wrong with its segments after its entries. */
static fault walk(struct verify *self, struct log *log, struct wal_end *end)
{
    OWNED(crew) crew = NULL;
    struct examination about = {.arguments = self->arguments,
                                .payloads = log->view->payloads,
                                .judge = self->judge,
                                .is_verified = was_verified,
                                .owner = self};
    TRY(crew_start(threads_of(self->arguments), &about, take, self, &crew));
    if (log->first_leaf != NULL)
        crew_give(crew, 0, bytes_span(log->first_leaf));
    fault f = log_view_walk_leaves(log->view, give, crew, end);
    if (!failed(f) || f.code == LOG_BROKEN || f.code == IO_FAILED || f.code == NOT_FOUND) {
        char detail[WORDS_BYTES];
        text_format(detail, sizeof detail, "%s", fault_detail());
        crew_finish(crew);
        if (f.code == LOG_BROKEN || f.code == IO_FAILED)
            FIND(self, log, REPORT_WHOLE, "whole log",
                 "Records in the middle are missing or damaged; only those before were checked.",
                 "%s", detail);
        return DONE; /* no segments at all: an empty log, which is found later */
    }
    return f;
}

static fault walk_log(struct verify *self, struct log *log)
{
    struct wal_end end;
    if (log->view == NULL)
        return DONE;
    self->now = log;
    verify_choose_judge(self, log);
    log->walked_ms = clock_wall_ms();
    log->reader = payload_reader_new(log->view->payloads, store_keys_ring(self->keys));
    evidence_list_segments(log);
    verify_pruned(self, log);
    return walk(self, log, &end);
}

static void check_log(struct verify *self, struct log *log)
{
    if (log->view == NULL)
        return;
    self->now = log;
    verify_choose_judge(self, log);
    verify_prune_act(self, log);
    verify_log(self, log);
    verify_late(self, log);
    verify_permits(self, log);
    verify_cards(self, log);
    verify_confirm(self, log);
}

/* All epochs of a folder are walked before one is checked: an answer may stand in a later one. */
static fault check_logs(struct verify *self)
{
    verify_held_read(self);
    read_promises(self);
    for (size_t i = 0; i < self->logs; i++)
        TRY(walk_log(self, &self->log[i]));
    verify_directories(self);
    for (size_t i = 0; i < self->logs; i++)
        check_log(self, &self->log[i]);
    for (size_t i = 0; i < self->logs; i++)
        verify_epoch(self, &self->log[i]);
    verify_held(self);
    return DONE;
}

// --- the command --------------------------------------------------------------------------------

static fault verify_all(struct verify *self)
{
    TRY(store_keys_open(self->arguments, &self->keys));
    TRY(verify_as_of(self));
    TRY(open_logs(self));
    if (self->arguments->directory_policy != NULL)
        TRY(tlog_policy_read(self->arguments->directory_policy, &self->policy));
    TRY(verify_rest(self));
    TRY(check_logs(self));
    verify_logs(self);
    return DONE;
}

void verify_free(struct verify **owner)
{
    struct verify *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->logs; i++)
        log_clear(&self->log[i]);
    free(self->log);
    directory_release(&self->given);
    store_keys_free(&self->keys);
    free(self->held);
    free(self->tally);
    history_free(&self->given_history);
    tlog_policy_free(&self->policy);
    free(self);
}

fault verify_run(const struct audit_arguments *arguments, struct report *report,
                 struct verify **out)
{
    OWNED(verify) self = owned_new(sizeof *self);
    self->arguments = arguments;
    self->report = report;
    TRY(verify_all(self));
    *out = TAKE(self);
    return DONE;
}

fault verify_command(const struct audit_arguments *arguments, uint64_t *findings)
{
    OWNED(report) report = report_new(arguments->json, arguments->quiet);
    OWNED(verify) self = NULL;
    TRY(verify_run(arguments, report, &self));
    verify_tell(self);
    *findings = report_findings(report);
    return DONE;
}
