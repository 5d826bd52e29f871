// SPDX-License-Identifier: MIT
/* What the sets hold: lists, counts, single leaves. */
#include "lib/bus/leaf_set_private.h"

#include "lib/base/file.h"
#include "lib/bus/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORDS_A_READ 1024

// --- reading ------------------------------------------------------------------------------------

static bool in_range(const struct set_range *range, const struct set_entry *entry)
{
    return entry->time_ms < range->until_ms &&
           (range->minute < 0 || entry->time_ms % SET_HOUR_MS / 60000 == range->minute) &&
           (range->prefix < 0 || entry->leaf_hash.at[0] == range->prefix);
}

static fault scan_records(const struct set_scan *scan, const uint8_t *at, size_t count,
                          const char *path)
{
    for (size_t i = 0; i < count; i++) {
        struct set_entry entry;
        if (failed(set_entry_decode(at + i * SET_RECORD_BYTES, scan->range->hour, &entry)))
            return RAISE(LOG_BROKEN, "%s: a damaged record; without the file %s", path,
                         "next beside its folder all sets are made anew");
        if (in_range(scan->range, &entry))
            scan->visit(scan->owner, &entry);
    }
    return DONE;
}

/* What is being written at the end, a part of a record, is not there yet. */
static fault scan_open(const struct set_scan *scan, int fd, const char *path)
{
    uint8_t buffer[RECORDS_A_READ * SET_RECORD_BYTES];
    struct stat st;
    if (fstat(fd, &st) != 0)
        return RAISE(IO_FAILED, "%s: %m", path);
    size_t records = (size_t)st.st_size / SET_RECORD_BYTES;
    for (size_t at = 0; at < records;) {
        size_t count = records - at < RECORDS_A_READ ? records - at : RECORDS_A_READ;
        TRY(file_read_at(fd, buffer, count * SET_RECORD_BYTES, (off_t)(at * SET_RECORD_BYTES)));
        TRY(scan_records(scan, buffer, count, path));
        at += count;
    }
    return DONE;
}

fault set_path_to_read(const char *audit_folder, const char *peer, int64_t hour,
                       char path[SET_PATH_BYTES])
{
    if (set_is_broken(audit_folder, peer, hour))
        return RAISE(IO_FAILED, "the set of that hour could not be written, see sets/broken");
    return leaf_set_path(audit_folder, peer, hour, path, SET_PATH_BYTES);
}

fault set_scan_file(const struct set_scan *scan, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? DONE : RAISE(IO_FAILED, "%s: %m", path);
    fault f = scan_open(scan, fd, path);
    close(fd);
    return f;
}

// --- counts -------------------------------------------------------------------------------------

struct counting {
    int64_t from_ms;
    uint64_t count;
};

static void count_from(void *owner, const struct set_entry *entry)
{
    struct counting *self = owner;
    self->count += entry->time_ms >= self->from_ms;
}

fault leaf_set_count(const char *audit_folder, const char *peer, int64_t from_ms, int64_t until_ms,
                     uint64_t *out)
{
    char path[SET_PATH_BYTES];
    struct counting counting = {.from_ms = from_ms};
    struct set_range range = {from_ms / SET_HOUR_MS, until_ms, -1, -1};
    struct set_scan scan = {&range, count_from, &counting};
    for (; range.hour * SET_HOUR_MS < until_ms; range.hour++) {
        if (set_is_broken(audit_folder, peer, range.hour))
            continue;
        TRY(leaf_set_path(audit_folder, peer, range.hour, path, sizeof path));
        TRY(set_scan_file(&scan, path));
    }
    *out = counting.count;
    return DONE;
}

// --- lists --------------------------------------------------------------------------------------

struct listing {
    const struct sha256 *after;
    size_t most; /* wanted; one more shows that there are others */
    struct set_entry *entry;
    size_t count, room;
};

static int by_hash(const void *a, const void *b)
{
    const struct set_entry *left = a, *right = b;
    int order = memcmp(left->leaf_hash.at, right->leaf_hash.at, SHA256_BYTES);
    /* the leaf itself before a record about it: it can be read by everybody */
    return order != 0 ? order : (int)left->late - (int)right->late;
}

/* Keeps the smallest, each once. */
static void shorten(struct listing *self)
{
    size_t kept = 0;
    qsort(self->entry, self->count, sizeof *self->entry, by_hash);
    for (size_t i = 0; i < self->count && kept <= self->most; i++)
        if (kept == 0 || !sha256_equal(&self->entry[kept - 1].leaf_hash, &self->entry[i].leaf_hash))
            self->entry[kept++] = self->entry[i];
    self->count = kept;
}

static void list_entry(void *owner, const struct set_entry *entry)
{
    struct listing *self = owner;
    if (self->after != NULL && memcmp(entry->leaf_hash.at, self->after->at, SHA256_BYTES) <= 0)
        return;
    if (self->count == self->room)
        shorten(self);
    self->entry[self->count++] = *entry;
}

fault leaf_set_list(const char *audit_folder, const char *peer, const struct set_range *range,
                    const struct sha256 *after, size_t most, struct set_entry *out, size_t *count,
                    bool *more)
{
    char path[SET_PATH_BYTES];
    struct listing listing = {.after = after, .most = most, .room = 2 * most + 2};
    struct set_scan scan = {range, list_entry, &listing};
    TRY(set_path_to_read(audit_folder, peer, range->hour, path));
    listing.entry = owned_array(listing.room, sizeof *listing.entry);
    fault f = set_scan_file(&scan, path);
    if (!failed(f)) {
        shorten(&listing);
        *more = listing.count > most;
        *count = *more ? most : listing.count;
        if (*count > 0)
            memcpy(out, listing.entry, *count * sizeof *out);
    }
    free(listing.entry);
    return f;
}

// --- looking up ---------------------------------------------------------------------------------

struct finding {
    struct set_query *query; /* sorted by their hashes */
    struct set_query **by_exchange;
    size_t count;
    uint64_t lates;
};

static int query_by_hash(const void *a, const void *b)
{
    const struct set_query *left = a, *right = b;
    return memcmp(left->leaf_hash.at, right->leaf_hash.at, SHA256_BYTES);
}

static int query_by_exchange(const void *a, const void *b)
{
    const struct set_query *const *left = a, *const *right = b;
    return memcmp((*left)->exchange_id, (*right)->exchange_id, EXCHANGE_ID_BYTES);
}

static void find_twins(struct finding *self, const struct set_entry *entry)
{
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (memcmp(self->by_exchange[middle]->exchange_id, entry->exchange_id, EXCHANGE_ID_BYTES) <
            0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < self->count &&
           memcmp(self->by_exchange[low]->exchange_id, entry->exchange_id, EXCHANGE_ID_BYTES) == 0;
         low++) {
        struct set_query *query = self->by_exchange[low];
        if (query->kind != entry->kind || query->own != entry->own ||
            sha256_equal(&query->leaf_hash, &entry->leaf_hash))
            continue;
        query->has_twin = true;
        query->twin = *entry;
    }
}

static void find_entry(void *owner, const struct set_entry *entry)
{
    struct finding *self = owner;
    self->lates += entry->late;
    struct set_query wanted = {.leaf_hash = entry->leaf_hash};
    struct set_query *query =
        bsearch(&wanted, self->query, self->count, sizeof *self->query, query_by_hash);
    if (query != NULL && (!query->found || query->entry.late)) {
        query->found = true;
        query->entry = *entry;
    }
    find_twins(self, entry);
}

fault leaf_set_find(const char *audit_folder, const char *peer, int64_t hour,
                    struct set_query *queries, size_t count, uint64_t *lates)
{
    char path[SET_PATH_BYTES];
    struct set_range range = {hour, INT64_MAX, -1, -1};
    struct finding finding = {queries, NULL, count, 0};
    struct set_scan scan = {&range, find_entry, &finding};
    TRY(set_path_to_read(audit_folder, peer, hour, path));
    finding.by_exchange = owned_array(count + 1, sizeof *finding.by_exchange);
    qsort(queries, count, sizeof *queries, query_by_hash);
    for (size_t i = 0; i < count; i++)
        finding.by_exchange[i] = &queries[i];
    qsort(finding.by_exchange, count, sizeof *finding.by_exchange, query_by_exchange);
    fault f = set_scan_file(&scan, path);
    if (!failed(f) && lates != NULL)
        *lates = finding.lates;
    free(finding.by_exchange);
    return f;
}
