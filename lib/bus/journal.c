// SPDX-License-Identifier: MIT
#include "lib/bus/journal.h"

#include "lib/base/crc32c.h"
#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/ahead_file.h"
#include "lib/bus/limits.h"
#include "lib/crypto/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 512
#define SECTOR 512
#define ID_BYTES 16
#define ID_AT 8 /* in the file's head */
#define HEAD_BYTES 40
#define HEAD_CRC_AT 36
#define PART_BYTES 32
#define AHEAD (1u << 20) /* zero-filled ahead, so that a flush changes no metadata */

static const uint8_t magic[ID_AT] = {'C', 'H', 'S', 'K', 'J', 'R', 'N', '1'};

struct journal {
    char path[PATH_BYTES];
    struct ahead_file file;
    uint8_t id[ID_BYTES];
    size_t end;           /* where the next record goes */
    size_t most;          /* how far records went since the last wipe */
    struct bytes *record; /* being put together */
};

// --- reading ------------------------------------------------------------------------------------

static bool is_head(const uint8_t *sector)
{
    return memcmp(sector, magic, sizeof magic) == 0 &&
           get_u32(sector + ID_AT + ID_BYTES) == crc32c(0, span_of(sector, ID_AT + ID_BYTES));
}

struct record {
    uint64_t entry;
    uint32_t entries;
    struct span parts;
};

static uint32_t record_crc(const uint8_t *head, struct span parts)
{
    return crc32c(crc32c(0, span_of(head, HEAD_CRC_AT)), parts);
}

/* A whole record of this journal at the beginning of `at`. */
static bool take_record(struct span at, const uint8_t id[ID_BYTES], struct record *out)
{
    if (at.size < HEAD_BYTES || memcmp(at.at, id, ID_BYTES) != 0)
        return false;
    size_t size = get_u32(at.at + 28);
    if (size > at.size - HEAD_BYTES)
        return false;
    *out = (struct record){get_u64(at.at + 16), get_u32(at.at + 24),
                           span_of(at.at + HEAD_BYTES, size)};
    return get_u32(at.at + HEAD_CRC_AT) == record_crc(at.at, out->parts);
}

static fault show_parts(struct span parts, journal_visit *visit, void *owner)
{
    struct cursor at = cursor_over(parts);
    while (!cursor_at_end(&at)) {
        struct journal_part part;
        uint32_t file = 0, size = 0;
        TRY(cursor_take_u32(&at, &file));
        TRY(cursor_take_u32(&at, &size));
        TRY(cursor_take_u64(&at, &part.name));
        TRY(cursor_take_u64(&at, &part.at));
        TRY(cursor_take_u64(&at, &part.key));
        TRY(cursor_take(&at, size, &part.bytes));
        part.file = file;
        TRY(visit(owner, &part));
    }
    return DONE;
}

static size_t sectors(size_t bytes)
{
    return (bytes + SECTOR - 1) / SECTOR * SECTOR;
}

/* What is no whole record is passed over sector by sector: torn, or damaged, or an earlier lap's.
 * If whole ones follow what was damaged, *size tells that entries are missing. */
static fault show_records(struct span records, const uint8_t id[ID_BYTES], journal_visit *visit,
                          void *owner, uint64_t *size)
{
    for (size_t at = 0; at < records.size;) {
        struct record record;
        if (!take_record(span_of(records.at + at, records.size - at), id, &record) ||
            record.entry < *size) {
            at += SECTOR;
            continue;
        }
        TRY(show_parts(record.parts, visit, owner));
        *size = record.entry + record.entries;
        at += sectors(HEAD_BYTES + record.parts.size);
    }
    return DONE;
}

fault journal_read(const char *path, journal_visit *visit, void *owner, uint64_t *size)
{
    OWNED(bytes) whole = NULL;
    *size = 0;
    fault f = file_read(path, JOURNAL_BYTES_MAX, &whole);
    if (f.code == NOT_FOUND)
        return DONE;
    TRY(f);
    if (span_used(bytes_span(whole)) == 0)
        return DONE;
    if (whole->size < SECTOR || !is_head(whole->data))
        return RAISE(LOG_BROKEN,
                     "%s does not begin as a journal: what was acknowledged last may stand nowhere "
                     "else. Put back the undamaged file; without one move this one away, and the "
                     "log tells what it misses",
                     path);
    return show_records(span_of(whole->data + SECTOR, whole->size - SECTOR), whole->data + ID_AT,
                        visit, owner, size);
}

// --- writing ------------------------------------------------------------------------------------

static fault put_zeros(struct journal *self, size_t from, size_t to)
{
    static const uint8_t zeros[1 << 16];
    for (size_t at = from; at < to; at += sizeof zeros) {
        size_t size = to - at < sizeof zeros ? to - at : sizeof zeros;
        TRY(ahead_file_put(&self->file, span_of(zeros, size), (off_t)at));
    }
    return DONE;
}

static fault flush(const struct journal *self)
{
    return fdatasync(self->file.fd) == 0 ? DONE : RAISE(LOG_FAILED, "%s: %m", self->path);
}

/* Only where there is anything else: a journal that was closed in peace is blank. */
static fault put_zeros_where_needed(struct journal *self)
{
    uint8_t chunk[1 << 14];
    size_t size = (size_t)self->file.size;
    for (size_t at = 0; at < size; at += sizeof chunk) {
        size_t some = size - at < sizeof chunk ? size - at : sizeof chunk;
        TRY(file_read_at(self->file.fd, chunk, some, (off_t)at));
        if (span_used(span_of(chunk, some)) > 0)
            TRY(put_zeros(self, at, at + some));
    }
    return flush(self);
}

/* Zeros before the new head: the old records are not of its id, but shall not stay either. */
static fault begin(struct journal *self)
{
    uint8_t head[SECTOR] = {0};
    TRY(put_zeros_where_needed(self));
    random_fill(self->id, sizeof self->id);
    memcpy(head, magic, sizeof magic);
    memcpy(head + ID_AT, self->id, ID_BYTES);
    put_u32(head + ID_AT + ID_BYTES, crc32c(0, span_of(head, ID_AT + ID_BYTES)));
    TRY(ahead_file_put(&self->file, span_of(head, sizeof head), 0));
    TRY(flush(self));
    self->file.touched = false;
    self->end = self->most = SECTOR;
    return DONE;
}

static fault sync_folder_of(const char *path)
{
    char folder[PATH_BYTES];
    if (!text_format(folder, sizeof folder, "%s", path))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    *strrchr(folder, '/') = '\0';
    return file_sync_folder(folder);
}

fault journal_open(const char *path, struct journal **out)
{
    OWNED(journal) self = owned_new(sizeof *self);
    self->file.fd = -1;
    if (!text_format(self->path, sizeof self->path, "%s", path))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    self->record = bytes_empty(0);
    TRY(ahead_file_open(path, AHEAD, &self->file));
    TRY(begin(self));
    TRY(sync_folder_of(path));
    *out = TAKE(self);
    return DONE;
}

void journal_free(struct journal **self)
{
    if (*self == NULL)
        return;
    ahead_file_close(&(*self)->file);
    bytes_free(&(*self)->record);
    free(*self);
    *self = NULL;
}

static fault add_part(struct bytes *record, const struct journal_part *part)
{
    uint8_t head[PART_BYTES];
    put_u32(head, part->file);
    put_u32(head + 4, (uint32_t)part->bytes.size);
    put_u64(head + 8, part->name);
    put_u64(head + 16, part->at);
    put_u64(head + 24, part->key);
    TRY(bytes_append(record, span_of(head, sizeof head)));
    return bytes_append(record, part->bytes);
}

static fault put_together(struct journal *self, uint64_t entry, uint32_t entries,
                          const struct journal_part *parts, size_t count)
{
    static const uint8_t zeros[SECTOR];
    struct bytes *record = self->record;
    record->size = 0;
    TRY(bytes_append(record, span_of(zeros, HEAD_BYTES)));
    for (size_t i = 0; i < count; i++)
        TRY(add_part(record, &parts[i]));
    size_t size = record->size - HEAD_BYTES;
    memcpy(record->data, self->id, ID_BYTES);
    put_u64(record->data + 16, entry);
    put_u32(record->data + 24, entries);
    put_u32(record->data + 28, (uint32_t)size);
    put_u32(record->data + HEAD_CRC_AT,
            record_crc(record->data, span_of(record->data + HEAD_BYTES, size)));
    return bytes_append(record, span_of(zeros, sectors(record->size) - record->size));
}

fault journal_write(struct journal *self, uint64_t entry, uint32_t entries,
                    const struct journal_part *parts, size_t count)
{
    TRY(put_together(self, entry, entries, parts, count));
    if (self->end + self->record->size > JOURNAL_BYTES_MAX)
        return RAISE(LOG_FAILED, "a group of %zu bytes for a journal of %u", self->record->size,
                     JOURNAL_BYTES_MAX);
    size_t end = self->end + self->record->size;
    self->most = end > self->most ? end : self->most; /* even of what fails half is there */
    TRY(ahead_file_put(&self->file, bytes_span(self->record), (off_t)self->end));
    ahead_file_sync(&self->file, self->path);
    self->end = end;
    return DONE;
}

size_t journal_used(const struct journal *self)
{
    return self->end - SECTOR;
}

void journal_rewind(struct journal *self)
{
    self->end = SECTOR;
}

fault journal_wipe(struct journal *self)
{
    if (self->most == SECTOR)
        return DONE;
    TRY(put_zeros(self, SECTOR, self->most));
    TRY(flush(self));
    self->file.touched = false;
    self->end = self->most = SECTOR;
    return DONE;
}
