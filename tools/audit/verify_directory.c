// SPDX-License-Identifier: MIT
/*
 * How far others confirmed the directories that the verdict rests on. Who has the authority's keys
 * can make a directory for one auditor; what it cannot make is what members' nodes signed of the
 * one that everybody has.
 *
 * Whose cosignatures count the directory says itself, and a forged one names witnesses that its
 * maker invented: that holds against whoever took a folder's directory and not its witnesses. The
 * auditor's own policy holds against all but a quorum of the witnesses in it.
 *
 * A note confirms each directory of which it is the beginning or that is its beginning: those of
 * all folders, and the given one, are held against each.
 */
#include "tools/audit/verify.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/directory_prove.h"

#include <inttypes.h>
#include <stdlib.h>

#define PATH_BYTES 768
#define HEADS_OF_FOLDER 2

static const char unconfirmed[] =
    "Nobody but the authority vouches for this directory: it may have been made for this auditor "
    "alone, with other certificates, services or revocations than everybody else's, or what "
    "witnesses signed was taken away.";

/* A signed head of a directory that is at hand. */
struct head {
    const struct history *history; /* borrowed: of that directory */
    struct checkpoint checkpoint;
    struct bytes *note;
};

struct heads {
    struct head *head;
    size_t count;
};

static void heads_free(struct heads *self)
{
    for (size_t i = 0; i < self->count; i++)
        bytes_free(&self->head[i].note);
    free(self->head);
}

// --- which heads there are ----------------------------------------------------------------------

/* A directory in a folder. */
struct place {
    const char *folder;
    const struct log *log; /* whom findings are about */
    const struct directory *directory;
    const struct history *history;
};

static void keep_head(const struct place *at, struct head *head, struct heads *out)
{
    struct head *kept = &out->head[out->count++];
    *kept = *head;
    kept->history = at->history;
    head->note = NULL;
}

static void judge_head(struct verify *self, const struct place *at, const char *name,
                       struct head *head, struct heads *out)
{
    uint64_t epoch = directory_epoch(at->directory);
    struct sha256 root;
    if (head->checkpoint.size > epoch)
        REMARK(self, at->log,
               "directory/%s is of %" PRIu64 " acts, and the folder holds %" PRIu64
               ": the directory grew while it was copied, or its end was left out",
               name, head->checkpoint.size, epoch);
    else if (!history_root(at->history, head->checkpoint.size, &root) ||
             !sha256_equal(&root, &head->checkpoint.root))
        FIND(self, at->log, REPORT_WHOLE, "directories",
             "Of two histories at most one is the authority's: the directory was forked.",
             "directory/%s, of %" PRIu64 " acts, is not the beginning of the directory", name,
             head->checkpoint.size);
    else
        keep_head(at, head, out);
}

static void take_head(struct verify *self, const struct place *at, const char *name,
                      struct heads *out)
{
    char path[PATH_BYTES];
    struct head head = {.note = NULL};
    if (!text_format(path, sizeof path, "%s/%s", at->folder, name))
        return;
    fault f = file_read(path, NOTE_BYTES_MAX, &head.note);
    if (f.code == NOT_FOUND)
        return;
    if (!failed(f))
        f = directory_open_head(at->directory, &at->log->view->authority, bytes_span(head.note),
                                &head.checkpoint);
    if (failed(f))
        FIND(self, at->log, REPORT_WHOLE, "directory cosignature", unconfirmed,
             "directory/%s is not a note of the directory: %s", name, fault_detail());
    else
        judge_head(self, at, name, &head, out);
    bytes_free(&head.note);
}

static const char lied[] =
    "Who has the authority's keys of acts and log vouched for a state that no act leads to: nodes "
    "that began with it went by members, keys and rights that no operator approved, until they "
    "held all acts. Ask every party when its node was started first.";

static void judge_snapshot(struct verify *self, const struct place *at, fault f, uint64_t size)
{
    if (f.code == INCONSISTENT)
        FIND(self, at->log, REPORT_WHOLE, "directory snapshot", lied, "directory/snapshot: %s",
             fault_detail());
    else
        REMARK(self, at->log,
               "directory/snapshot: what is there of %" PRIu64
               " acts was not compared with them: %s",
               size, fault_detail());
}

/* Each that the folder holds, against the fold of its acts; they hold themselves, or there were no
 * state to judge by. */
static void check_snapshots(struct verify *self, const struct place *at)
{
    OWNED(directory_prover) prover = NULL;
    bool done = false;
    fault f = directory_prover_new(&(struct directory_prove){.folder = at->folder,
                                                             .size = directory_epoch(at->directory),
                                                             .trust = at->log->view->trust,
                                                             .set_aside = true},
                                   &prover);
    if (failed(f))
        judge_snapshot(self, at, f, 0);
    while (prover != NULL && !done) {
        f = directory_prover_step(prover, &done);
        if (failed(f))
            judge_snapshot(self, at, f, directory_prover_at(prover));
        if (failed(f) && f.code != INCONSISTENT && f.code != BAD_FRAME)
            break;
    }
}

static void take_place(struct verify *self, const struct place *at, struct heads *out)
{
    take_head(self, at, "checkpoint", out);
    take_head(self, at, "cosigned", out);
    check_snapshots(self, at);
}

/* One for each folder: later epochs of its log go by the same directory. */
static bool is_folder(const struct log *log)
{
    return log->view != NULL && log->before == NULL;
}

static void take_heads(struct verify *self, struct heads *out)
{
    const struct log *first = NULL;
    out->head = owned_array(HEADS_OF_FOLDER * (self->logs + 1), sizeof *out->head);
    for (size_t i = 0; i < self->logs; i++) {
        char folder[PATH_BYTES];
        const struct log *log = &self->log[i];
        if (!is_folder(log) ||
            !text_format(folder, sizeof folder, "%s/directory", log->view->folder))
            continue;
        first = first == NULL ? log : first;
        take_place(self, &(struct place){folder, log, log->view->directory, log->history}, out);
    }
    if (self->given != NULL && first != NULL)
        take_place(
            self,
            &(struct place){self->arguments->directory, first, self->given, self->given_history},
            out);
}

// --- what they confirm --------------------------------------------------------------------------

/* How many acts of this log's directory the head is over. */
static uint64_t covers(const struct head *head, const struct log *log)
{
    uint64_t epoch = directory_epoch(log->view->directory), size = head->checkpoint.size;
    struct sha256 root, own = directory_root(log->view->directory);
    if (size <= epoch)
        return history_root(log->history, size, &root) &&
                       sha256_equal(&root, &head->checkpoint.root)
                   ? size
                   : 0;
    return history_root(head->history, epoch, &root) && sha256_equal(&root, &own) ? epoch : 0;
}

static bool by_assigned(const struct verify *self, struct span note)
{
    const struct directory_server *witness[DIRECTORY_WITNESSES_MAX];
    unsigned quorum = 0, good = 0;
    size_t count = directory_witnesses(self->judge, witness, &quorum);
    for (size_t i = 0; i < count; i++) {
        struct checkpoint head;
        uint64_t time_s = 0;
        good += witness[i]->is_witness &&
                !failed(cosignature_open(note, &witness[i]->witness_key, &head, &time_s));
    }
    return quorum > 0 && good >= quorum;
}

static bool by_policy(const struct verify *self, struct span note)
{
    return tlog_policy_met(self->policy, note);
}

/* Who confirms, and since when they are asked to. */
struct cosigners {
    const char *who;
    bool (*met)(const struct verify *self, struct span note);
    int64_t since_ms; /* 0: the auditor asks, whenever it was */
};

static uint64_t confirmed(const struct verify *self, const struct heads *heads,
                          const struct log *log, const struct cosigners *by)
{
    uint64_t most = 0;
    for (size_t i = 0; i < heads->count; i++) {
        uint64_t size = covers(&heads->head[i], log);
        if (size > most && by->met(self, bytes_span(heads->head[i].note)))
            most = size;
    }
    return most;
}

// --- what was to be confirmed -------------------------------------------------------------------

/* For how long the folder's node ran after that time, in all epochs, by its own entries. */
static int64_t ran_ms(const struct log *log, int64_t after_ms, int64_t *end_ms)
{
    int64_t ran = 0, at_ms = after_ms;
    *end_ms = 0;
    for (; log != NULL && log->view != NULL; log = log->later)
        for (uint64_t i = log->first; i < log->count; i++) {
            const struct kept *kept = &log->entry[i];
            if (!kept_is_own(log, kept))
                continue;
            *end_ms = kept->time_ms > *end_ms ? kept->time_ms : *end_ms;
            if (kept->time_ms <= at_ms)
                continue;
            if (kept->kind != HEADER_STARTED)
                ran += kept->time_ms - at_ms;
            at_ms = kept->time_ms;
        }
    return ran;
}

/* Nothing at all is confirmed. By whom the auditor names, there must be something. */
static bool was_due(const struct cosigners *by, int64_t end_ms)
{
    return by->since_ms == 0 ||
           (by->since_ms <= end_ms && clock_wall_ms() - end_ms > WITNESS_ALARM_MS_DEFAULT);
}

static void check(struct verify *self, const struct log *log, uint64_t size,
                  const struct cosigners *by)
{
    uint64_t epoch = directory_epoch(log->view->directory);
    int64_t end_ms = 0;
    if (size >= epoch)
        return;
    int64_t act_ms = history_act_ms(log->history, size);
    int64_t from_ms = act_ms > by->since_ms ? act_ms : by->since_ms;
    int64_t ran = ran_ms(log, from_ms, &end_ms);
    if (ran > WITNESS_ALARM_MS_DEFAULT)
        FIND(self, log, REPORT_WHOLE, "directory cosignature", unconfirmed,
             "%s confirmed the first %" PRIu64 " of %" PRIu64
             " acts only; the node ran on for %" PRId64
             " minutes, which is longer than the %d in which the others are due",
             by->who, size, epoch, ran / 60000, WITNESS_ALARM_MS_DEFAULT / 60000);
    else if (size == 0 && was_due(by, end_ms))
        FIND(self, log, REPORT_WHOLE, "directory cosignature", unconfirmed,
             "no head of its directory is confirmed by %s", by->who);
    else
        REMARK(self, log,
               "the last %" PRIu64 " of %" PRIu64
               " acts of its directory are not confirmed by %s (due within %d minutes, and the log "
               "ends before that)",
               epoch - size, epoch, by->who, WITNESS_ALARM_MS_DEFAULT / 60000);
}

static void check_folder(struct verify *self, const struct heads *heads, struct log *log)
{
    verify_choose_judge(self, log);
    struct cosigners assigned = {"a quorum of the witnesses that it names", by_assigned,
                                 history_directory_witnessed_ms(self->history, self->judge)};
    struct cosigners given = {"the witnesses of --directory-policy", by_policy, 0};
    if (assigned.since_ms != 0) {
        log->directory_confirmed = confirmed(self, heads, log, &assigned);
        check(self, log, log->directory_confirmed, &assigned);
    } else if (self->policy == NULL) {
        REMARK(self, log,
               "the directory names no witnesses of its own: that everybody has the same is the "
               "authority's word");
    }
    if (self->policy == NULL)
        return;
    log->directory_confirmed = confirmed(self, heads, log, &given);
    check(self, log, log->directory_confirmed, &given);
}

void verify_directories(struct verify *self)
{
    struct heads heads = {.head = NULL};
    take_heads(self, &heads);
    for (size_t i = 0; i < self->logs; i++) {
        struct log *log = &self->log[i];
        if (!is_folder(log))
            continue;
        check_folder(self, &heads, log);
        report_line(
            self->report,
            "%s: directory of %" PRIu64 " acts, of which %" PRIu64 " are confirmed by witnesses",
            log->view->name, directory_epoch(log->view->directory), log->directory_confirmed);
    }
    heads_free(&heads);
}
