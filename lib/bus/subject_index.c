// SPDX-License-Identifier: MIT
#include "lib/bus/subject_index.h"

#include "lib/base/crc32c.h"
#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/audit_log.h"
#include "lib/bus/header_glance.h"
#include "lib/bus/metaservice.h"
#include "lib/bus/pruned.h"
#include "lib/bus/pseudonym.h"
#include "lib/crypto/cades.h"
#include "lib/crypto/merkle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATH_BYTES 640
#define RECORD_BYTES 128
#define CRC_AT 124
#define READ_RECORDS 512
#define MONTH_DIGITS 6
#define FORMAT "v2" /* another one is made anew */

struct subject_index {
    char folder[PATH_BYTES - 160]; /* <audit_folder> */
    const char *server;
    unsigned newest, epoch; /* of the log that grows; that is being read */
    uint64_t entries;       /* of `epoch` that are in the files */
    unsigned kept_epoch;
    uint64_t kept;
    struct wal_reader *segments;
};

// --- records ------------------------------------------------------------------------------------

struct record {
    struct sha256 pseudonym;
    uint8_t exchange_id[EXCHANGE_ID_BYTES];
    unsigned year;
    int64_t sealed_until_ms;
    struct subject_half half;
};

static void pack(const struct record *from, uint8_t out[RECORD_BYTES])
{
    memset(out, 0, RECORD_BYTES);
    memcpy(out, from->pseudonym.at, 32);
    memcpy(out + 32, from->exchange_id, 16);
    memcpy(out + 48, from->half.leaf_hash.at, 32);
    put_u64(out + 80, (uint64_t)from->half.time_ms);
    put_u64(out + 88, (uint64_t)from->sealed_until_ms);
    put_u64(out + 96, from->half.index);
    put_u32(out + 104, from->half.epoch);
    put_u16(out + 108, (uint16_t)from->year);
    put_u16(out + 110, (uint16_t)from->half.status);
    put_u16(out + 112, (uint16_t)from->half.fault);
    out[114] = (uint8_t)from->half.kind;
    out[115] = from->half.own;
    put_u32(out + CRC_AT, crc32c(0, span_of(out, CRC_AT)));
}

static unsigned get_u16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* False: torn, or not written whole. */
static bool unpack(const uint8_t at[RECORD_BYTES], struct record *out)
{
    if (get_u32(at + CRC_AT) != crc32c(0, span_of(at, CRC_AT)))
        return false;
    memcpy(out->pseudonym.at, at, 32);
    memcpy(out->exchange_id, at + 32, 16);
    memcpy(out->half.leaf_hash.at, at + 48, 32);
    out->half.time_ms = (int64_t)get_u64(at + 80);
    out->sealed_until_ms = (int64_t)get_u64(at + 88);
    out->half.index = get_u64(at + 96);
    out->half.epoch = get_u32(at + 104);
    out->year = get_u16(at + 108);
    out->half.status = get_u16(at + 110);
    out->half.fault = get_u16(at + 112);
    out->half.kind = (enum header_kind)at[114];
    out->half.own = at[115] != 0;
    return true;
}

// --- files --------------------------------------------------------------------------------------

static void month_text(int64_t time_ms, char out[MONTH_DIGITS + 1])
{
    struct tm parts = {0};
    time_t seconds = (time_t)(time_ms / 1000);
    gmtime_r(&seconds, &parts);
    text_format(out, MONTH_DIGITS + 1, "%04u%02u", ((unsigned)parts.tm_year + 1900) % 10000,
                ((unsigned)parts.tm_mon + 1) % 100);
}

/* A torn record at the end is cut off: the log gives it again. */
static fault append(const char *path, const uint8_t record[RECORD_BYTES])
{
    struct stat st;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return RAISE(IO_FAILED, "%s: %s", path, strerror(errno));
    fault f = fstat(fd, &st) == 0 ? DONE : RAISE(IO_FAILED, "%s: %s", path, strerror(errno));
    if (!failed(f))
        f = file_write_at(fd, span_of(record, RECORD_BYTES),
                          st.st_size - st.st_size % RECORD_BYTES);
    close(fd);
    return f;
}

static fault add(const struct subject_index *self, const struct record *record)
{
    char path[PATH_BYTES], month[MONTH_DIGITS + 1];
    uint8_t packed[RECORD_BYTES];
    month_text(record->half.time_ms, month);
    text_format(path, sizeof path, "%s/subjects/%s", self->folder, month);
    TRY(file_make_folders(path, 0700));
    text_format(path, sizeof path, "%s/subjects/%s/%02x", self->folder, month,
                record->pseudonym.at[0]);
    pack(record, packed);
    return append(path, packed);
}

static fault note_place(const struct subject_index *self)
{
    char path[PATH_BYTES], text[64];
    text_format(path, sizeof path, "%s/subjects/next", self->folder);
    text_format(text, sizeof text, FORMAT " %u %" PRIu64 "\n", self->epoch, self->entries);
    return file_replace(path, span_of_text(text), 0600);
}

static bool read_place(struct subject_index *self)
{
    char path[PATH_BYTES];
    struct span format, epoch;
    uint64_t number = 0;
    OWNED(bytes) text = NULL;
    text_format(path, sizeof path, "%s/subjects/next", self->folder);
    if (failed(file_read(path, 64, &text)) || text->size == 0)
        return false;
    text->size--; /* the line's end */
    struct cursor at = cursor_over(bytes_span(text));
    if (failed(cursor_take_until(&at, ' ', &format)) || !span_is_text(format, FORMAT) ||
        failed(cursor_take_until(&at, ' ', &epoch)) ||
        failed(text_number(epoch, LOG_EPOCHS_MAX, &number)) ||
        failed(text_number(at.left, UINT64_MAX, &self->entries)))
        return false;
    self->epoch = (unsigned)number;
    return self->epoch >= 1 && self->epoch <= self->newest;
}

static void remove_month(const char *path)
{
    char name[PATH_BYTES];
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.' &&
            text_format(name, sizeof name, "%s/%.20s", path, entry->d_name))
            unlink(name);
    if (dir != NULL)
        closedir(dir);
    rmdir(path);
}

/* The place goes first: nobody is to take what is left for all of it. */
static fault begin_anew(struct subject_index *self)
{
    char path[PATH_BYTES - 64], name[PATH_BYTES];
    text_format(path, sizeof path, "%s/subjects", self->folder);
    TRY(file_make_folders(path, 0700));
    text_format(name, sizeof name, "%s/next", path);
    if (unlink(name) != 0 && errno != ENOENT)
        return RAISE(IO_FAILED, "%s: %s", name, strerror(errno));
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.' &&
            text_format(name, sizeof name, "%s/%.20s", path, entry->d_name))
            remove_month(name);
    if (dir != NULL)
        closedir(dir);
    wal_reader_free(&self->segments);
    self->epoch = 1;
    self->entries = 0;
    return note_place(self);
}

fault subject_index_open(const char *audit_folder, const char *server, unsigned epoch,
                         struct subject_index **out)
{
    OWNED(subject_index) self = owned_new(sizeof *self);
    self->server = server;
    self->newest = epoch;
    if (!text_format(self->folder, sizeof self->folder, "%s", audit_folder))
        return RAISE(BAD_CONFIG, "the audit folder's name is too long");
    if (!read_place(self))
        TRY(begin_anew(self));
    self->kept = self->entries;
    self->kept_epoch = self->epoch;
    *out = TAKE(self);
    return DONE;
}

void subject_index_free(struct subject_index **self)
{
    if (*self == NULL)
        return;
    wal_reader_free(&(*self)->segments);
    free(*self);
    *self = NULL;
}

// --- following ----------------------------------------------------------------------------------

/* A view that this server asked for, or what it said to one: whoever was asked has the question. */
static bool is_left_out(const struct subject_index *self, const struct header_glance *header)
{
    bool came = header->has_late ? header->late.kind == HEADER_REQUEST && !header->late.own
                                 : header->kind == HEADER_REQUEST &&
                                       span_is_text(header->receiver_server, self->server);
    return metaservice_of(header->service) == METASERVICE_SUBJECT && !came;
}

/* The leaf's own time and kind: it is the exchange that the view is of, and not the receipt. */
static void take_late(const struct late_receipt *late, struct subject_half *half)
{
    half->leaf_hash = late->leaf_hash;
    half->time_ms = late->time_ms;
    half->kind = late->kind;
    half->own = late->own;
}

static fault take_leaf(void *owner, uint64_t index, struct span leaf)
{
    struct subject_index *self = owner;
    struct span content;
    struct header_glance header;
    if (failed(cades_content(leaf, &content)) || failed(header_glance(content, &header)))
        return RAISE(LOG_BROKEN, "entry %" PRIu64 " is no leaf", index);
    if (header.subject.size != PSEUDONYM_BYTES || header.subject_year == 0 ||
        is_left_out(self, &header))
        return DONE;
    struct record record = {.year = header.subject_year,
                            .sealed_until_ms = header.sealed_until_ms,
                            .half = {.leaf_hash = merkle_leaf_hash(leaf),
                                     .time_ms = header.time_ms,
                                     .index = index,
                                     .epoch = self->epoch,
                                     .kind = header.kind,
                                     .status = header.status,
                                     .fault = header.fault,
                                     .own = span_is_text(header.sender_server, self->server)}};
    if (header.has_late)
        take_late(&header.late, &record.half);
    memcpy(record.pseudonym.at, header.subject.at, PSEUDONYM_BYTES);
    memcpy(record.exchange_id, header.exchange_id.at, EXCHANGE_ID_BYTES);
    return add(self, &record);
}

/* A closed epoch, as far as anything is left of it: all at once, for that is rare. */
static fault take_closed(struct subject_index *self)
{
    char path[PATH_BYTES];
    struct wal_end end;
    struct pruned pruned;
    audit_log_path(self->folder, self->epoch, "wal", path, sizeof path);
    TRY(pruned_read(self->folder, self->epoch, &pruned));
    fault f = wal_walk_from(path, pruned.first, take_leaf, self, &end);
    if (failed(f) && f.code != LOG_BROKEN && f.code != NOT_FOUND) /* its end may be anything */
        return f;
    wal_reader_free(&self->segments);
    self->epoch++;
    self->entries = 0;
    return DONE;
}

static fault open_segments(struct subject_index *self)
{
    char path[PATH_BYTES];
    struct pruned pruned;
    TRY(pruned_read(self->folder, self->epoch, &pruned));
    if (self->entries < pruned.first)
        self->entries = pruned.first; /* what was removed is in no view any more */
    audit_log_path(self->folder, self->epoch, "wal", path, sizeof path);
    return wal_reader_open(path, self->entries, &self->segments);
}

fault subject_index_follow(struct subject_index *self, uint64_t until, bool *more)
{
    *more = false;
    if (self->epoch == self->newest && self->entries > until)
        TRY(begin_anew(self)); /* the log was put back without its index */
    if (self->epoch < self->newest) {
        TRY(take_closed(self));
        *more = true;
        return DONE;
    }
    if (self->entries == until)
        return DONE;
    if (self->segments == NULL)
        TRY(open_segments(self));
    uint64_t to =
        until - self->entries > SUBJECT_INDEX_STEP ? self->entries + SUBJECT_INDEX_STEP : until;
    fault f = wal_reader_show(self->segments, to, take_leaf, self);
    if (failed(f)) { /* the reader has gone on; what is there twice counts once */
        wal_reader_free(&self->segments);
        return f;
    }
    self->entries = to;
    *more = to < until;
    return DONE;
}

fault subject_index_keep(struct subject_index *self)
{
    char path[PATH_BYTES];
    if (self->kept == self->entries && self->kept_epoch == self->epoch)
        return DONE;
    text_format(path, sizeof path, "%s/subjects", self->folder);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fault f = fd >= 0 && syncfs(fd) == 0 ? DONE : RAISE(IO_FAILED, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    TRY(f);
    TRY(note_place(self));
    self->kept = self->entries;
    self->kept_epoch = self->epoch;
    return DONE;
}

// --- finding ------------------------------------------------------------------------------------

struct gathering {
    const struct subject_search *search;
    struct record *record;
    size_t count, room;
};

/* Of a request that is dated so, the outcome is to be there too, and the other way round. */
static bool is_near(const struct record *record, const struct subject_search *search)
{
    int64_t time_ms = record->half.time_ms;
    return (time_ms >= search->from_ms || search->from_ms - time_ms <= SUBJECT_NEAR_MS) &&
           (time_ms < search->until_ms || time_ms - search->until_ms <= SUBJECT_NEAR_MS);
}

static fault gather(struct gathering *self, const struct record *record)
{
    if (!is_near(record, self->search))
        return DONE;
    if (!sha256_equal(&record->pseudonym, &self->search->pseudonym) ||
        record->year != self->search->year || record->sealed_until_ms > self->search->now_ms)
        return DONE;
    if (self->count == SUBJECT_RECORDS_MAX)
        return RAISE(OVERLOADED,
                     "more than %d entries are about that person here: ask for a shorter time",
                     SUBJECT_RECORDS_MAX);
    if (self->count == self->room) {
        self->room = self->room == 0 ? 64 : 2 * self->room;
        self->record = owned_grow(self->record, self->room, sizeof *self->record);
    }
    self->record[self->count++] = *record;
    return DONE;
}

static fault read_bucket(struct gathering *self, const char *path)
{
    uint8_t block[READ_RECORDS * RECORD_BYTES];
    fault f = DONE;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? DONE : RAISE(IO_FAILED, "%s: %s", path, strerror(errno));
    for (ssize_t got; !failed(f) && (got = read(fd, block, sizeof block)) != 0;) {
        struct record record = {0};
        if (got < 0)
            f = errno == EINTR ? DONE : RAISE(IO_FAILED, "%s: %s", path, strerror(errno));
        for (ssize_t at = 0; !failed(f) && at + RECORD_BYTES <= got; at += RECORD_BYTES)
            if (unpack(block + at, &record))
                f = gather(self, &record);
    }
    close(fd);
    return f;
}

static int compare(const void *left, const void *right)
{
    const struct record *a = left;
    const struct record *b = right;
    int by_id = memcmp(a->exchange_id, b->exchange_id, EXCHANGE_ID_BYTES);
    if (by_id != 0)
        return by_id;
    if (a->half.epoch != b->half.epoch)
        return a->half.epoch < b->half.epoch ? -1 : 1;
    return a->half.index < b->half.index ? -1 : a->half.index > b->half.index;
}

static bool is_outcome(enum header_kind kind)
{
    return kind == HEADER_RESPONSE || kind == HEADER_FAULT;
}

static uint64_t place_of(const struct subject_found *found)
{
    const struct subject_half *first = found->has_request ? &found->request : &found->outcome;
    return audit_place(first->epoch, first->index);
}

/* The first of each: a server that exchanges with itself has both halves twice. */
static size_t join(const struct record *record, size_t count, struct subject_found *out)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        bool next = i == 0 || memcmp(record[i].exchange_id, record[i - 1].exchange_id,
                                     EXCHANGE_ID_BYTES) != 0;
        struct subject_found *at = &out[next ? found++ : found - 1];
        if (next) {
            *at = (struct subject_found){.sealed_until_ms = record[i].sealed_until_ms};
            memcpy(at->exchange_id, record[i].exchange_id, EXCHANGE_ID_BYTES);
        }
        if (is_outcome(record[i].half.kind) && !at->has_outcome) {
            at->outcome = record[i].half;
            at->has_outcome = true;
        } else if (!is_outcome(record[i].half.kind) && !at->has_request) {
            at->request = record[i].half;
            at->has_request = true;
        }
    }
    return found;
}

static int compare_places(const void *left, const void *right)
{
    uint64_t a = place_of(left), b = place_of(right);
    return a < b ? -1 : a > b;
}

static bool is_dated(const struct subject_found *found, const struct subject_search *search)
{
    int64_t time_ms = found->has_request ? found->request.time_ms : found->outcome.time_ms;
    return search->from_ms <= time_ms && time_ms < search->until_ms;
}

static void page(struct gathering *gathered, struct subject_search *out)
{
    struct subject_found *all = owned_array(gathered->count + 1, sizeof *all);
    qsort(gathered->record, gathered->count, sizeof *gathered->record, compare);
    size_t count = join(gathered->record, gathered->count, all);
    qsort(all, count, sizeof *all, compare_places);
    out->count = 0;
    out->next = 0;
    for (size_t i = 0; i < count; i++) {
        if (place_of(&all[i]) < out->after || !is_dated(&all[i], out))
            continue;
        if (out->count == out->most) {
            out->next = place_of(&out->found[out->count - 1]) + 1;
            break;
        }
        out->found[out->count++] = all[i];
    }
    free(all);
}

static fault read_months(struct gathering *self, const char *audit_folder)
{
    char path[PATH_BYTES];
    fault f = DONE;
    text_format(path, sizeof path, "%s/subjects", audit_folder);
    DIR *dir = opendir(path);
    for (struct dirent *entry; !failed(f) && dir != NULL && (entry = readdir(dir)) != NULL;)
        if (strlen(entry->d_name) == MONTH_DIGITS && entry->d_name[0] != '.' &&
            text_format(path, sizeof path, "%s/subjects/%.6s/%02x", audit_folder, entry->d_name,
                        self->search->pseudonym.at[0]))
            f = read_bucket(self, path);
    if (dir != NULL)
        closedir(dir);
    return f;
}

fault subject_index_find(const char *audit_folder, struct subject_search *search)
{
    struct gathering gathered = {.search = search};
    fault f = read_months(&gathered, audit_folder);
    if (!failed(f) && gathered.count > 0) {
        page(&gathered, search);
    } else {
        search->count = 0;
        search->next = 0;
    }
    free(gathered.record);
    return f;
}
