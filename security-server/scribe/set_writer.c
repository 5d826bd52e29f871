// SPDX-License-Identifier: MIT
#include "security-server/scribe/set_writer.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/audit_log.h"
#include "lib/bus/header_glance.h"
#include "lib/bus/pruned.h"
#include "lib/crypto/cades.h"
#include "security-server/scribe/set_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 512
#define ENTRIES_A_STEP 20000

struct set_writer {
    char audit_folder[PATH_BYTES - 128];
    const char *server;
    unsigned newest;        /* epoch of the log that grows */
    struct set_place place; /* what is in the files; `next` may say less */
    uint64_t kept;          /* what `next` says */
    unsigned kept_epoch;
    int64_t kept_ms, keep_ms; /* steady */
    struct wal_reader *segments;
    uint64_t pending;        /* entries that are sorted when `parts` are written; 0: none wait */
    struct set_parts *parts; /* of this step */
};

// --- opening ------------------------------------------------------------------------------------

static void remove_all(const char *path)
{
    char name[PATH_BYTES];
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.' && text_format(name, sizeof name, "%s/%s", path, entry->d_name))
            unlink(name);
    if (dir != NULL)
        closedir(dir);
    if (rmdir(path) != 0)
        unlink(path); /* a file */
}

/* The place goes first: nobody is to take what is left of the sets for all of them. */
static fault begin_anew(struct set_writer *self)
{
    char sets[PATH_BYTES - 64], name[PATH_BYTES];
    text_format(sets, sizeof sets, "%s/sets", self->audit_folder);
    TRY(file_make_folders(sets, 0755));
    text_format(name, sizeof name, "%s/next", sets);
    if (unlink(name) != 0 && errno != ENOENT)
        return RAISE(IO_FAILED, "%s: %m", name);
    DIR *dir = opendir(sets);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.' &&
            text_format(name, sizeof name, "%s/%.40s", sets, entry->d_name))
            remove_all(name);
    if (dir != NULL)
        closedir(dir);
    wal_reader_free(&self->segments);
    set_parts_clear(self->parts);
    set_parts_forget(self->parts);
    self->pending = 0;
    self->place = (struct set_place){.epoch = 1};
    self->kept = 0;
    self->kept_epoch = 1;
    return set_place_write(self->audit_folder, &self->place);
}

fault set_writer_open(const char *audit_folder, unsigned epoch, const char *server, int64_t keep_ms,
                      struct set_writer **out)
{
    OWNED(set_writer) self = owned_new(sizeof *self);
    struct set_place place;
    self->parts = set_parts_new(audit_folder);
    self->server = server;
    self->keep_ms = keep_ms;
    if (!text_format(self->audit_folder, sizeof self->audit_folder, "%s", audit_folder))
        return RAISE(BAD_CONFIG, "the audit folder's name is too long");
    fault f = set_place_read(audit_folder, &place);
    self->newest = epoch;
    if (f.code == OK && place.epoch == epoch && !set_any_broken(audit_folder)) {
        self->place = (struct set_place){.epoch = epoch, .entries = place.entries};
        self->kept = place.entries;
        self->kept_epoch = epoch;
    } else { /* also when an epoch was closed: what is lost of it may be in the sets; and when an
              * hour could not be written: maybe now it can be */
        TRY(begin_anew(self));
    }
    *out = TAKE(self);
    return DONE;
}

void set_writer_free(struct set_writer **self)
{
    if (*self == NULL)
        return;
    set_parts_free(&(*self)->parts);
    wal_reader_free(&(*self)->segments);
    free(*self);
    *self = NULL;
}

// --- which leaf belongs where -------------------------------------------------------------------

/* The other server; empty for what is no exchange with one. */
static struct span other_server(const struct set_writer *self, const struct header_glance *header)
{
    bool sent = span_is_text(header->sender_server, self->server);
    bool got = span_is_text(header->receiver_server, self->server);
    if (sent == got || (header->kind >= HEADER_STARTED && !header->has_late))
        return (struct span){0};
    return sent ? header->receiver_server : header->sender_server;
}

static void fill_entry(const struct set_writer *self, const struct header_glance *header,
                       struct span leaf, struct set_entry *out)
{
    memcpy(out->exchange_id, header->exchange_id.at, EXCHANGE_ID_BYTES);
    out->epoch = self->place.epoch;
    out->late = header->has_late;
    if (header->has_late) {
        out->leaf_hash = header->late.leaf_hash;
        out->time_ms = header->late.time_ms;
        out->kind = header->late.kind;
        out->own = header->late.own;
        return;
    }
    out->leaf_hash = merkle_leaf_hash(leaf);
    out->time_ms = header->time_ms;
    out->kind = header->kind;
    out->own = span_is_text(header->sender_server, self->server);
}

static fault take_leaf(void *owner, uint64_t index, struct span leaf)
{
    struct set_writer *self = owner;
    struct span content;
    struct header_glance header;
    struct set_entry entry = {.index = index};
    if (failed(cades_content(leaf, &content)) || failed(header_glance(content, &header)))
        return RAISE(LOG_BROKEN, "entry %" PRIu64 " is no leaf", index);
    struct span peer = other_server(self, &header);
    if (peer.size == 0)
        return DONE;
    fill_entry(self, &header, leaf, &entry);
    return set_parts_add(self->parts, peer, &entry);
}

// --- following ----------------------------------------------------------------------------------

/* Somebody found damage and took `next` away. */
static fault look_for_next(struct set_writer *self)
{
    char path[PATH_BYTES];
    text_format(path, sizeof path, "%s/sets/next", self->audit_folder);
    if (access(path, F_OK) == 0)
        return DONE;
    EVENT(WARN, "scribe.sets_made_anew", E_TEXT("folder", self->audit_folder));
    return begin_anew(self);
}

/* A closed epoch, as far as anything is left of it: all at once, for that is rare. */
struct closed_walk {
    struct set_writer *self;
    uint64_t taken;
    int64_t first_ms;
};

static int64_t time_of(struct span leaf)
{
    struct span content;
    struct header_glance header;
    return failed(cades_content(leaf, &content)) || failed(header_glance(content, &header))
               ? 0
               : header.time_ms;
}

static fault take_closed(void *owner, uint64_t index, struct span leaf)
{
    struct closed_walk *walk = owner;
    if (walk->first_ms == 0)
        walk->first_ms = time_of(leaf);
    TRY(take_leaf(walk->self, index, leaf));
    if (++walk->taken % ENTRIES_A_STEP == 0) {
        TRY(set_parts_write(walk->self->parts));
        set_parts_clear(walk->self->parts);
    }
    return DONE;
}

/* What a prune removed is missing in sets that are made after it. */
static fault raise_floor(const struct set_writer *self, uint64_t first, int64_t time_ms)
{
    return first == 0 || time_ms <= set_floor_read(self->audit_folder)
               ? DONE
               : set_floor_write(self->audit_folder, time_ms);
}

static fault take_epoch(struct set_writer *self)
{
    char path[PATH_BYTES];
    struct wal_end end;
    struct pruned pruned;
    struct closed_walk walk = {.self = self};
    audit_log_path(self->audit_folder, self->place.epoch, "wal", path, sizeof path);
    TRY(pruned_read(self->audit_folder, self->place.epoch, &pruned));
    fault f = wal_walk_from(path, pruned.first, take_closed, &walk, &end);
    if (failed(f) && f.code != LOG_BROKEN && f.code != NOT_FOUND) /* its end may be anything */
        return f;
    TRY(set_parts_write(self->parts));
    TRY(raise_floor(self, pruned.first, walk.first_ms));
    self->place.epoch++;
    return DONE;
}

struct first_look {
    int64_t time_ms;
};

static fault take_first(void *owner, uint64_t index, struct span leaf)
{
    (void)index;
    ((struct first_look *)owner)->time_ms = time_of(leaf);
    return DONE;
}

/* The log's beginning was removed before the sets came so far. */
static fault skip_pruned(struct set_writer *self)
{
    char path[PATH_BYTES];
    struct pruned pruned;
    struct first_look look = {0};
    OWNED(wal_reader) reader = NULL;
    TRY(pruned_read(self->audit_folder, self->place.epoch, &pruned));
    if (self->place.entries >= pruned.first)
        return DONE;
    audit_log_path(self->audit_folder, self->place.epoch, "wal", path, sizeof path);
    TRY(wal_reader_open(path, pruned.first, &reader));
    TRY(wal_reader_show(reader, pruned.first + 1, take_first, &look));
    TRY(raise_floor(self, pruned.first, look.time_ms));
    self->place.entries = pruned.first;
    return DONE;
}

/* What a step could not write is all that is tried again: the rest of it is in its files. */
static fault finish_parts(struct set_writer *self)
{
    TRY(set_parts_write(self->parts));
    set_parts_clear(self->parts);
    self->place.entries = self->pending;
    self->pending = 0;
    return DONE;
}

static fault step(struct set_writer *self, uint64_t until)
{
    char path[PATH_BYTES];
    if (self->segments == NULL) {
        audit_log_path(self->audit_folder, self->place.epoch, "wal", path, sizeof path);
        TRY(wal_reader_open(path, self->place.entries, &self->segments));
    }
    TRY(wal_reader_show(self->segments, until, take_leaf, self));
    self->pending = until;
    return finish_parts(self);
}

fault set_writer_follow(struct set_writer *self, uint64_t until, int64_t time_ms, bool *more)
{
    *more = false;
    if (until == 0)
        return DONE;
    TRY(look_for_next(self));
    if (self->pending != 0)
        TRY(finish_parts(self));
    if (self->place.epoch == self->newest && self->place.entries > until)
        TRY(begin_anew(self)); /* the log was put back without its sets */
    if (self->place.epoch < self->newest) {
        fault f = take_epoch(self);
        set_parts_clear(self->parts);
        *more = !failed(f);
        if (failed(f)) /* what it wrote is there, and would be written again */
            TRY(begin_anew(self));
        return f;
    }
    TRY(skip_pruned(self));
    if (self->place.entries < until) {
        bool all = until - self->place.entries <= ENTRIES_A_STEP;
        fault f = step(self, all ? until : self->place.entries + ENTRIES_A_STEP);
        if (self->pending == 0)
            set_parts_clear(self->parts);
        if (failed(f)) /* the reader has gone on */
            wal_reader_free(&self->segments);
        TRY(f);
        *more = !all;
    }
    if (!*more && self->place.entries == until)
        self->place.time_ms = time_ms;
    return DONE;
}

fault set_writer_keep(struct set_writer *self, bool now)
{
    char path[PATH_BYTES];
    int64_t now_ms = clock_steady_ms();
    if ((self->place.entries == self->kept && self->place.epoch == self->kept_epoch) ||
        (!now && self->kept_ms != 0 && now_ms - self->kept_ms < self->keep_ms))
        return DONE;
    text_format(path, sizeof path, "%s/sets", self->audit_folder);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return RAISE(IO_FAILED, "%s: %m", path);
    fault f = syncfs(fd) == 0 ? DONE : RAISE(IO_FAILED, "%s: %m", path);
    close(fd);
    TRY(f);
    TRY(set_place_write(self->audit_folder, &self->place));
    self->kept = self->place.entries;
    self->kept_epoch = self->place.epoch;
    self->kept_ms = now_ms;
    return DONE;
}
