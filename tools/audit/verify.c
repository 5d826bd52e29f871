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
#include "tools/audit/json_text.h"
#include "lib/evidence/printable.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#define HEADS_SHOWN_MAX 20
#define WORDS_BYTES 400 /* of a fault */

static const char *const payload_words[FOUND_KINDS] = {"none", "held",   "sealed",
                                                       "salt", "erased", "damaged"};

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
    TRY(log_view_open(folder, epoch, anchors, &log->view));
    TRY(log_view_trust_file(folder, anchors, path, sizeof path));
    TRY(anchors_read(path, &log->view->authority, &log->anchors));
    if (!text_format(path, sizeof path, "%s/directory", folder))
        return RAISE(BAD_REQUEST, "the folder's name is too long");
    return history_read(path, log->view->directory, &log->history);
}

/* A folder that contradicts the anchors is a finding; one that cannot be read ends the run. */
static fault open_log(struct verify *self, struct log *log, const char *folder, unsigned epoch)
{
    fault f = read_log(self, log, folder, epoch);
    if (f.code != DIRECTORY_BAD && f.code != KEY_UNKNOWN)
        return f;
    struct evidence evidence;
    evidence_find(NULL, "directory", REPORT_WHOLE, &evidence);
    report_find(self->report,
                &(struct report_finding){
                    .folder = folder,
                    .entry = REPORT_WHOLE,
                    .rule = "directory",
                    .meaning = "Nothing of this log can be relied on: it is not the log of a "
                               "server that the authority knows.",
                    .evidence = &evidence},
                "%s: %s", fault_sentence(f.code), fault_detail());
    log_view_free(&log->view);
    return DONE;
}

static fault open_epochs(struct verify *self, const char *folder)
{
    unsigned newest = 1;
    struct log *before = NULL;
    TRY(log_epoch_newest(folder, &newest));
    for (unsigned epoch = 1; epoch <= newest; epoch++) {
        if (self->logs == LOGS_MAX)
            return RAISE(BAD_REQUEST, "more than %d logs, all epochs counted", LOGS_MAX);
        struct log *log = &self->log[self->logs++];
        TRY(open_log(self, log, folder, epoch));
        if (log->view == NULL)
            return DONE;
        log->before = before;
        if (before != NULL)
            before->later = log;
        before = log;
    }
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
    verify_late_clear(log);
    header_read_free(&log->started);
    header_read_free(&log->closed);
    header_read_free(&log->pruned);
    free(log->prune_ground);
    free(log->reason);
    history_free(&log->history);
    log_view_free(&log->view);
    free(log->confirmed);
    free(log->root);
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
    fault f = log_view_walk_leaves(log->view, give, crew, end);
    if (!failed(f) || f.code == LOG_BROKEN || f.code == NOT_FOUND) {
        char detail[WORDS_BYTES];
        text_format(detail, sizeof detail, "%s", fault_detail());
        crew_finish(crew);
        if (f.code == LOG_BROKEN)
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
    TRY(verify_pruned(self, log));
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
    verify_confirm(self, log);
}

/* All epochs of a folder are walked before one is checked: an answer may stand in a later one. */
static fault check_logs(struct verify *self)
{
    verify_held_read(self);
    read_promises(self);
    for (size_t i = 0; i < self->logs; i++)
        TRY(walk_log(self, &self->log[i]));
    for (size_t i = 0; i < self->logs; i++)
        check_log(self, &self->log[i]);
    for (size_t i = 0; i < self->logs; i++)
        verify_epoch(self, &self->log[i]);
    verify_held(self);
    return DONE;
}

// --- what is told of each log -------------------------------------------------------------------

static int by_server(const void *a, const void *b)
{
    const struct peer_head *const *left = a;
    const struct peer_head *const *right = b;
    return strcmp((*left)->server, (*right)->server);
}

/* Sorted; free() the list. */
static const struct peer_head **heads_of(const struct log *log)
{
    const struct peer_head **list = owned_array(log->heads.count + 1, sizeof *list);
    size_t step = 0, count = 0;
    for (struct peer_head *head; (head = map_next(&log->heads, &step, NULL)) != NULL;)
        list[count++] = head;
    qsort(list, count, sizeof *list, by_server);
    return list;
}

static void tell_heads(struct verify *self, const struct log *log)
{
    const struct peer_head **list = heads_of(log);
    char root[2 * SHA256_BYTES + 1];
    for (size_t i = 0; i < log->heads.count && i < HEADS_SHOWN_MAX; i++) {
        text_hex(sha256_span(&list[i]->root), root, sizeof root);
        char epoch[24] = "";
        if (list[i]->epoch > 1)
            text_format(epoch, sizeof epoch, " of epoch %u", list[i]->epoch);
        report_line(self->report, "  %s %s: %" PRIu64 " entries%s, root %s (by entry %" PRIu64 ")",
                    i == 0 ? "peers' heads:" : "             ", list[i]->server, list[i]->size,
                    epoch, root, list[i]->index);
    }
    if (log->heads.count > HEADS_SHOWN_MAX)
        report_line(self->report, "               ... and %zu more; --json lists all",
                    log->heads.count - HEADS_SHOWN_MAX);
    free(list);
}

static void tell_erasures(struct verify *self, const struct log *log)
{
    for (size_t i = 0; i < log->acts; i++) {
        const struct erased_act *act = &log->act[i];
        OWNED(printable)
        ground = printable_of(span_of_text(act->ground == NULL ? "sealed" : act->ground));
        report_line(self->report,
                    "  erased by entry %" PRIu64 ": %" PRIu64 " payload%s; ground: %s", act->index,
                    act->payloads, act->payloads == 1 ? "" : "s", ground->text);
    }
}

static void tell_log(struct verify *self, const struct log *log)
{
    char root[2 * SHA256_BYTES + 1];
    if (report_is_quiet(self->report) || log->view == NULL)
        return;
    text_hex(sha256_span(&log->root[log->count]), root, sizeof root);
    report_line(self->report, "%-44s %8" PRIu64 " entries  root %.16s…", log->view->log_key.name,
                log->count, root);
    report_line(self->report,
                "  payloads: %" PRIu64 " held, %" PRIu64 " sealed, %" PRIu64 " salt, %" PRIu64
                " erased, %" PRIu64 " none, %" PRIu64 " damaged; %" PRIu64
                " entries that no checkpoint covers",
                log->payloads[FOUND_HELD], log->payloads[FOUND_SEALED], log->payloads[FOUND_SALT],
                log->payloads[FOUND_ERASED], log->payloads[FOUND_NONE],
                log->payloads[FOUND_DAMAGED], log->uncovered);
    report_line(self->report,
                "  confirmed: %" PRIu64 " entries by a checkpoint, %" PRIu64
                " by a quorum of witnesses, %" PRIu64 " by a time stamp",
                log->count - log->uncovered, log->quorate, log->stamped);
    if (log->first > 0) {
        OWNED(printable)
        ground =
            printable_of(span_of_text(log->prune_ground == NULL ? "sealed" : log->prune_ground));
        report_line(self->report, "  %" PRIu64 " entries pruned by entry %" PRIu64 "; ground: %s",
                    log->first, log->view->pruned.act, ground->text);
    }
    tell_erasures(self, log);
    tell_heads(self, log);
    verify_held_tell(self, log);
}

static json_t *erasures_json(const struct log *log)
{
    json_t *array = json_array();
    for (size_t i = 0; i < log->acts; i++) {
        const struct erased_act *act = &log->act[i];
        const struct erasure *what = header_of(act->header)->erasure;
        json_t *object = json_object();
        json_put_number(object, "entry", act->index);
        json_put_number(object, "payloads", act->payloads);
        json_put_number(object, "first", what->first);
        json_put_number(object, "last", what->last);
        json_put_text(object, "day", span_of_text(what->day));
        json_put_text(object, "of", span_of_text(what->of));
        if (act->ground != NULL)
            json_put_text(object, "ground", span_of_text(act->ground));
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *heads_json(const struct log *log)
{
    const struct peer_head **list = heads_of(log);
    json_t *array = json_array();
    for (size_t i = 0; i < log->heads.count; i++) {
        json_t *object = json_object();
        json_put_text(object, "server", span_of_text(list[i]->server));
        json_put_number(object, "size", list[i]->size);
        json_put_hash(object, "root", sha256_span(&list[i]->root));
        json_put_number(object, "entry", list[i]->index);
        json_put_number(object, "epoch", list[i]->epoch);
        json_array_append_new(array, object);
    }
    free(list);
    return array;
}

static json_t *log_json(const struct verify *self, const struct log *log)
{
    json_t *object = json_object(), *payloads = json_object();
    for (size_t i = 0; i < FOUND_KINDS; i++)
        json_put_number(payloads, payload_words[i], log->payloads[i]);
    json_put_text(object, "log", span_of_text(log->view->name));
    json_put_number(object, "epoch", log->view->epoch);
    json_put_number(object, "lost", log->lost);
    json_put_number(object, "pruned", log->first);
    json_put_text(object, "server", span_of_text(log->view->server));
    json_put_text(object, "origin", span_of_text(log->view->log_key.name));
    json_put_number(object, "entries", log->count);
    json_put_hash(object, "root", sha256_span(&log->root[log->count]));
    json_put_number(object, "checkpoint_size", log->promised.size);
    json_put_number(object, "uncovered", log->uncovered);
    json_put_number(object, "confirmed_by_quorum", log->quorate);
    json_put_number(object, "confirmed_by_stamp", log->stamped);
    json_object_set_new(object, "payloads", payloads);
    json_object_set_new(object, "erasures", erasures_json(log));
    json_put_number(object, "incidents", log->incidents);
    json_object_set_new(object, "peers_heads", heads_json(log));
    json_object_set_new(object, "heads_kept", verify_held_json(self, log));
    return object;
}

static json_t *whole_json(const struct verify *self)
{
    json_t *root = json_object(), *list = json_array(), *payloads = json_object();
    uint64_t sums[FOUND_KINDS] = {0};
    for (size_t i = 0; i < self->logs; i++) {
        for (size_t k = 0; k < FOUND_KINDS; k++)
            sums[k] += self->log[i].payloads[k];
        if (self->log[i].view != NULL)
            json_array_append_new(list, log_json(self, &self->log[i]));
    }
    for (size_t k = 0; k < FOUND_KINDS; k++)
        json_put_number(payloads, payload_words[k], sums[k]);
    json_object_set_new(root, "anchors", verify_anchors_json(self));
    json_object_set_new(root, "audited", list);
    json_object_set_new(root, "pairs", verify_pairs_json(self));
    json_object_set_new(root, "payloads", payloads);
    return root;
}

static void tell(struct verify *self)
{
    for (size_t i = 0; i < self->logs; i++)
        tell_log(self, &self->log[i]);
    report_end(self->report, self->logs, report_is_json(self->report) ? whole_json(self) : NULL);
}

// --- the command --------------------------------------------------------------------------------

static fault verify_all(struct verify *self)
{
    TRY(store_keys_open(self->arguments, &self->keys));
    for (size_t i = 0; i < self->arguments->count; i++)
        TRY(open_epochs(self, self->arguments->positional[i]));
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
    directory_release(&self->given);
    store_keys_free(&self->keys);
    free(self->held);
    free(self->tally);
    history_free(&self->given_history);
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
    tell(self);
    *findings = report_findings(report);
    return DONE;
}
