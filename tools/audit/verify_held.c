// SPDX-License-Identifier: MIT
/*
 * What the owners of the given folders keep of other logs beside their own: heads that they
 * cosigned as witnesses (witness/), and heads that contradicted what they knew (conflicts/). Each
 * is signed by the log that it is of, so whoever shows less than that, or something else, is
 * convicted by it.
 */
#include "tools/audit/verify.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/witness.h"
#include "tools/audit/json_text.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>

#define PATH_BYTES 800
#define SHOWN_MAX 20

// --- reading ------------------------------------------------------------------------------------

/* By the newest directory at hand; a log of no server of it stays without one. */
static fault open_head(struct verify *self, struct held *held, struct span note)
{
    char origin[NOTE_NAME_BYTES_MAX];
    struct note_key key;
    TRY(witness_origin(note, origin));
    text_format(held->head.origin, sizeof held->head.origin, "%s", origin);
    const struct directory_server *server =
        directory_server_of_log(self->judge, span_of_text(origin));
    if (server == NULL)
        return DONE;
    held->epoch = log_epoch_of(&server->log_key, span_of_text(origin));
    TRY(log_epoch_key(&server->log_key, held->epoch, &key));
    TRY(checkpoint_open(note, &key, &held->head));
    text_format(held->server, sizeof held->server, "%s", server->id);
    return DONE;
}

static void take(struct verify *self, const struct log *holder, const char *below, const char *name)
{
    struct held held = {.holder = holder};
    char path[PATH_BYTES];
    OWNED(bytes) note = NULL;
    if (!text_format(held.file, sizeof held.file, "%s/%s", below, name) ||
        !text_format(path, sizeof path, "%s/%s", holder->view->folder, held.file))
        return;
    fault f = file_read(path, NOTE_BYTES_MAX, &note);
    if (!failed(f))
        f = open_head(self, &held, bytes_span(note));
    if (failed(f)) {
        FIND(self, holder, REPORT_WHOLE, "checkpoint",
             "What this server keeps of another log was damaged or altered here: that log never "
             "signed it.",
             "%s: %s: %s", held.file, fault_sentence(f.code), fault_detail());
        return;
    }
    self->held = owned_grow(self->held, self->helds + 1, sizeof *self->held);
    self->held[self->helds++] = held;
}

static bool is_hash(const char *name)
{
    return strlen(name) == 2 * SHA256_BYTES && strspn(name, "0123456789abcdef") == 2 * SHA256_BYTES;
}

static bool is_note(const char *name)
{
    static const char ending[] = ".checkpoint";
    size_t size = strlen(name);
    return name[0] != '.' && size >= sizeof ending &&
           strcmp(name + size - (sizeof ending - 1), ending) == 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In the order of their names, so that two runs say the same. */
static void take_folder(struct verify *self, const struct log *holder, const char *below,
                        bool (*is_one)(const char *name))
{
    char path[PATH_BYTES];
    char **names = NULL;
    size_t count = 0;
    DIR *dir = NULL;
    if (text_format(path, sizeof path, "%s/%s", holder->view->folder, below))
        dir = opendir(path);
    if (dir == NULL)
        return;
    for (struct dirent *at; (at = readdir(dir)) != NULL && count < HELD_MAX;) {
        if (!is_one(at->d_name))
            continue;
        names = owned_grow(names, count + 1, sizeof *names);
        names[count++] = owned_text(at->d_name);
    }
    closedir(dir);
    if (count == HELD_MAX)
        REMARK(self, holder, "%s/ holds %d heads or more; only so many were read", below, HELD_MAX);
    if (count > 1)
        qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        take(self, holder, below, names[i]);
        free(names[i]);
    }
    free(names);
}

void verify_held_read(struct verify *self)
{
    for (size_t i = 0; i < self->logs; i++) {
        const struct log *holder = &self->log[i];
        if (holder->view == NULL || holder->before != NULL)
            continue;
        verify_choose_judge(self, holder);
        take_folder(self, holder, "witness", is_hash);
        take_folder(self, holder, "conflicts", is_note);
    }
}

// --- against the logs at hand -------------------------------------------------------------------

static void check(struct verify *self, struct log *log, const struct held *held)
{
    const struct checkpoint *head = &held->head;
    const char *holder = held->holder->view->folder;
    if (head->size > log->count && log->later != NULL) {
        if (head->size > log->count + log->lost)
            FIND(self, log, REPORT_WHOLE, "lost tail",
                 "More was lost with the end of this epoch than the record that closed it says.",
                 "%s of %s holds a head of %" PRIu64 " entries that this log signed, and %" PRIu64
                 " are here",
                 held->file, holder, head->size, log->count);
    } else if (head->size > log->count && verify_reaches(self, log))
        log->beyond_end.later++;
    else if (head->size > log->count)
        FIND(self, log, REPORT_WHOLE, "append only",
             "The log was cut, or is an older copy: its end is missing.",
             "%s of %s holds a head of %" PRIu64 " entries that this log signed, and %" PRIu64
             " are here",
             held->file, holder, head->size, log->count);
    else if (!verify_root_is(log, head->size, &head->root))
        FIND(self, log, REPORT_WHOLE, "append only",
             "An entry was removed, exchanged or moved after the log had signed for it.",
             "%s of %s holds a head of %" PRIu64 " entries that this log signed, with another root",
             held->file, holder, head->size);
}

bool verify_held_is_here(const struct verify *self, const struct held *held)
{
    for (size_t i = 0; i < self->logs; i++)
        if (self->log[i].view != NULL &&
            strcmp(self->log[i].view->log_key.name, held->head.origin) == 0)
            return true;
    return false;
}

/* Of an epoch that no folder of its server holds: each of them ends too early. */
static void check_missing(struct verify *self, struct log *log, const struct held *held)
{
    if (log->view == NULL || log->later != NULL || held->epoch <= log->view->epoch ||
        strcmp(log->view->server, held->server) != 0)
        return;
    if (verify_reaches(self, log))
        log->beyond_end.later++;
    else
        FIND(self, log, REPORT_WHOLE, "append only",
             "A whole later epoch of the log was removed, or this is a copy of before it began.",
             "%s of %s holds a head of %" PRIu64
             " entries of epoch %u that this log signed, and the newest epoch here is %u",
             held->file, held->holder->view->folder, held->head.size, held->epoch,
             log->view->epoch);
}

static void check_against(struct verify *self, const struct held *held)
{
    bool here = verify_held_is_here(self, held);
    for (size_t i = 0; i < self->logs; i++)
        if (!here)
            check_missing(self, &self->log[i], held);
        else if (self->log[i].view != NULL &&
                 strcmp(self->log[i].view->log_key.name, held->head.origin) == 0)
            check(self, &self->log[i], held);
}

void verify_held(struct verify *self)
{
    for (size_t i = 0; i < self->helds; i++)
        if (self->held[i].server[0] != '\0')
            check_against(self, &self->held[i]);
}

// --- of those that are not ----------------------------------------------------------------------

void verify_held_tell(const struct verify *self, const struct log *log)
{
    char root[2 * SHA256_BYTES + 1];
    size_t shown = 0;
    for (size_t i = 0; i < self->helds; i++) {
        const struct held *held = &self->held[i];
        if (held->holder != log || verify_held_is_here(self, held))
            continue;
        if (shown++ >= SHOWN_MAX)
            continue;
        text_hex(sha256_span(&held->head.root), root, sizeof root);
        if (held->server[0] == '\0')
            report_line(self->report, "  %s %s: no log of this directory; not checked (%s)",
                        shown == 1 ? "heads kept:  " : "             ", held->head.origin,
                        held->file);
        else
            report_line(self->report, "  %s %s: %" PRIu64 " entries, root %s (%s)",
                        shown == 1 ? "heads kept:  " : "             ", held->head.origin,
                        held->head.size, root, held->file);
    }
    if (shown > SHOWN_MAX)
        report_line(self->report, "               ... and %zu more; --json lists all",
                    shown - SHOWN_MAX);
}

json_t *verify_held_json(const struct verify *self, const struct log *log)
{
    json_t *array = json_array();
    for (size_t i = 0; i < self->helds; i++) {
        const struct held *held = &self->held[i];
        if (held->holder != log)
            continue;
        json_t *object = json_object();
        json_put_text(object, "file", span_of_text(held->file));
        json_put_text(object, "origin", span_of_text(held->head.origin));
        json_object_set_new(object, "at_hand", json_boolean(verify_held_is_here(self, held)));
        json_object_set_new(object, "signed", json_boolean(held->server[0] != '\0'));
        if (held->server[0] != '\0') {
            json_put_number(object, "size", held->head.size);
            json_put_hash(object, "root", sha256_span(&held->head.root));
        }
        json_array_append_new(array, object);
    }
    return array;
}
