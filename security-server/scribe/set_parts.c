// SPDX-License-Identifier: MIT
#include "security-server/scribe/set_parts.h"

#include "lib/base/cursor.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PATH_BYTES 512
#define CHECKED_MAX 4096 /* files known to be whole; forgotten when they are more */
#define STEP_RECORDS 1024
#define CHECK_RECORDS 1000000 /* of a file's end: more than is written between two `next` */
#define FULL_BYTES (1u << 20) /* with less room a disk is full */

struct part {
    char *peer;
    int64_t hour;
    struct bytes *records;
};

struct set_parts {
    char *audit_folder;
    struct map parts;   /* of this step: hour and peer -> part */
    struct map checked; /* paths of files that were whole when this process first wrote there */
};

struct set_parts *set_parts_new(const char *audit_folder)
{
    struct set_parts *self = owned_new(sizeof *self);
    self->audit_folder = owned_text(audit_folder);
    return self;
}

void set_parts_clear(struct set_parts *self)
{
    size_t step = 0;
    for (struct part *part; (part = map_next(&self->parts, &step, NULL)) != NULL;) {
        bytes_free(&part->records);
        free(part->peer);
        free(part);
    }
    map_clear(&self->parts);
    self->parts = (struct map){0};
}

void set_parts_forget(struct set_parts *self)
{
    map_clear(&self->checked);
    self->checked = (struct map){0};
}

void set_parts_free(struct set_parts **self)
{
    if (*self == NULL)
        return;
    set_parts_clear(*self);
    set_parts_forget(*self);
    free((*self)->audit_folder);
    free(*self);
    *self = NULL;
}

static struct part *part_of(struct set_parts *self, struct span peer, int64_t hour)
{
    uint8_t key[8 + ID_TEXT_BYTES_MAX];
    size_t size = peer.size <= ID_TEXT_BYTES_MAX ? peer.size : ID_TEXT_BYTES_MAX;
    put_u64(key, (uint64_t)hour);
    memcpy(key + 8, peer.at, size);
    struct part *part = map_get(&self->parts, span_of(key, 8 + size));
    if (part != NULL)
        return part;
    part = owned_new(sizeof *part);
    part->hour = hour;
    part->peer = owned_array(size + 1, 1);
    memcpy(part->peer, peer.at, size);
    part->records = bytes_empty(16 * SET_RECORD_BYTES);
    map_set(&self->parts, span_of(key, 8 + size), part);
    return part;
}

fault set_parts_add(struct set_parts *self, struct span peer, const struct set_entry *entry)
{
    uint8_t record[SET_RECORD_BYTES];
    set_entry_encode(entry, record);
    return bytes_append(part_of(self, peer, entry->time_ms / SET_HOUR_MS)->records,
                        span_of(record, sizeof record));
}

// --- the end of a file --------------------------------------------------------------------------

struct file_end {
    uint64_t from, size; /* bytes: what is looked at, and the file's end */
    uint64_t good;       /* of them, whole records from the beginning on */
    bool hole;           /* a good one stands behind a bad one */
};

static fault look_at_end(int fd, int64_t hour, struct file_end *end)
{
    uint8_t room[STEP_RECORDS * SET_RECORD_BYTES];
    bool bad = false;
    uint64_t count = (end->size - end->from) / SET_RECORD_BYTES;
    for (uint64_t at = 0; at < count;) {
        size_t step = count - at < STEP_RECORDS ? (size_t)(count - at) : STEP_RECORDS;
        TRY(file_read_at(fd, room, step * SET_RECORD_BYTES,
                         (off_t)(end->from + at * SET_RECORD_BYTES)));
        for (size_t i = 0; i < step; i++) {
            struct set_entry entry;
            bool fits = !failed(set_entry_decode(room + i * SET_RECORD_BYTES, hour, &entry));
            end->hole = end->hole || (fits && bad);
            bad = bad || !fits;
            end->good += bad ? 0 : SET_RECORD_BYTES;
        }
        at += step;
    }
    return DONE;
}

/* All is made anew, from the log, with the next step. */
static fault drop_next(const struct set_parts *self, const char *damaged)
{
    char path[PATH_BYTES];
    text_format(path, sizeof path, "%s/sets/next", self->audit_folder);
    if (unlink(path) != 0 && errno != ENOENT)
        return RAISE(IO_FAILED, "%s: %m", path);
    return RAISE(INCONSISTENT, "%s is damaged: all sets are made anew", damaged);
}

static fault mend_end(struct set_parts *self, const char *path, int fd, int64_t hour)
{
    struct stat st;
    struct file_end end = {0};
    if (fstat(fd, &st) != 0)
        return RAISE(IO_FAILED, "%s: %m", path);
    end.size = (uint64_t)st.st_size;
    uint64_t whole = end.size / SET_RECORD_BYTES;
    end.from = whole > CHECK_RECORDS ? (whole - CHECK_RECORDS) * SET_RECORD_BYTES : 0;
    TRY(look_at_end(fd, hour, &end));
    uint64_t keep = end.from + end.good;
    if (keep == end.size)
        return DONE;
    EVENT(WARN, "scribe.set_mended", E_NUMBER("records", keep / SET_RECORD_BYTES),
          E_NUMBER("bytes_dropped", end.size - keep));
    if (end.hole || (end.from > 0 && end.good == 0)) /* more than a crash leaves */
        return drop_next(self, path);
    return ftruncate(fd, (off_t)keep) == 0 ? DONE : RAISE(IO_FAILED, "%s: %m", path);
}

static fault drop_damaged(struct set_parts *self, const char *path, int64_t hour)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? DONE : RAISE(IO_FAILED, "%s: %m", path);
    fault f = mend_end(self, path, fd, hour);
    close(fd);
    return f;
}

// --- writing ------------------------------------------------------------------------------------

static fault make_peer_folder(const struct set_parts *self, const char *peer)
{
    char folder[PATH_BYTES - 16], path[PATH_BYTES];
    TRY(leaf_set_folder(self->audit_folder, peer, folder, sizeof folder));
    text_format(path, sizeof path, "%s/peer", folder);
    if (access(path, F_OK) == 0)
        return DONE;
    TRY(file_make_folders(folder, 0755));
    return file_replace(path, span_of_text(peer), 0644);
}

static fault begin_file(struct set_parts *self, const struct part *part, const char *path)
{
    if (map_get(&self->checked, span_of_text(path)) != NULL)
        return DONE;
    TRY(make_peer_folder(self, part->peer));
    TRY(drop_damaged(self, path, part->hour));
    if (self->checked.count >= CHECKED_MAX)
        set_parts_forget(self);
    map_set(&self->checked, span_of_text(path), self);
    return DONE;
}

static fault append(const char *path, struct span records)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    struct stat st;
    if (fd < 0)
        return RAISE(IO_FAILED, "%s: %m", path);
    fault f = fstat(fd, &st) == 0 ? DONE : RAISE(IO_FAILED, "%s: %m", path);
    if (!failed(f)) /* over a record that a full disk left unfinished */
        f = file_write_at(fd, records, st.st_size / SET_RECORD_BYTES * SET_RECORD_BYTES);
    close(fd);
    return f;
}

static fault write_part(struct set_parts *self, const struct part *part)
{
    char path[PATH_BYTES];
    TRY(leaf_set_path(self->audit_folder, part->peer, part->hour, path, sizeof path));
    TRY(begin_file(self, part, path));
    return append(path, bytes_span(part->records));
}

static bool is_disk_full(const struct set_parts *self)
{
    struct statvfs room;
    return statvfs(self->audit_folder, &room) != 0 ||
           (uint64_t)room.f_bavail * room.f_frsize < FULL_BYTES;
}

static fault write_or_mark(struct set_parts *self, const struct part *part)
{
    char hour[SET_HOUR_TEXT_BYTES];
    if (set_is_broken(self->audit_folder, part->peer, part->hour))
        return DONE;
    fault f = write_part(self, part);
    if (!failed(f) || f.code == INCONSISTENT || is_disk_full(self))
        return f;
    set_hour_text(part->hour, hour);
    EVENT(ERROR, "scribe.set_not_written", E_TEXT("peer", part->peer), E_TEXT("hour", hour),
          E_FAULT(f));
    return set_broken_add(self->audit_folder, part->peer, part->hour);
}

fault set_parts_write(struct set_parts *self)
{
    size_t step = 0;
    enum fault_code first = OK;
    char detail[300] = "";
    for (struct part *part; (part = map_next(&self->parts, &step, NULL)) != NULL;) {
        if (part->records->size == 0)
            continue;
        fault f = write_or_mark(self, part);
        if (!failed(f)) {
            part->records->size = 0; /* not again, whatever becomes of the others */
        } else if (first == OK) {
            first = f.code;
            text_format(detail, sizeof detail, "%s", fault_detail());
        }
    }
    return first == OK ? DONE : RAISE(first, "%s", detail);
}
