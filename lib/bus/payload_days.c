// SPDX-License-Identifier: MIT
#include "lib/bus/payload_private.h"

#include "lib/base/clock.h"
#include "lib/bus/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void payload_path(const char *folder, const char *day, const char *ending,
                  char out[PAYLOAD_PATH_BYTES])
{
    const char *kind = strcmp(ending, "seg") == 0 ? "payload" : "keys";
    snprintf(out, PAYLOAD_PATH_BYTES, "%.400s/%s/%.8s.%s", folder, kind, day, ending);
}

/* Keeps the day of this file when it is newer. */
static bool take_newer(const char *name, char day[DAY_TEXT_BYTES])
{
    if (strncmp(name, day, 8) <= 0)
        return false;
    memcpy(day, name, 8);
    day[8] = '\0';
    return true;
}

static bool is_slab(const char *name)
{
    return strlen(name) == 13 && strcmp(name + 8, ".slab") == 0;
}

static DIR *open_keys(const char *folder)
{
    char path[PAYLOAD_PATH_BYTES];
    snprintf(path, sizeof path, "%.400s/keys", folder);
    return opendir(path);
}

static fault head_of(DIR *dir, const char *name, struct slab_head *out)
{
    int fd = openat(dirfd(dir), name, PAYLOAD_READ_FLAGS);
    if (fd < 0)
        return RAISE(IO_FAILED, "%s: %m", name);
    fault f = slab_head_read(fd, out);
    close(fd);
    return f;
}

void payload_day_of(const char *folder, uint64_t index, char out[DAY_TEXT_BYTES],
                    struct slab_head *head, char damaged[DAY_TEXT_BYTES])
{
    out[0] = damaged[0] = '\0';
    DIR *dir = open_keys(folder);
    if (dir == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        struct slab_head found;
        if (!is_slab(entry->d_name))
            continue;
        fault f = head_of(dir, entry->d_name, &found);
        if (f.code == LOG_BROKEN)
            take_newer(entry->d_name, damaged);
        else if (!failed(f) && found.first_index <= index && take_newer(entry->d_name, out))
            *head = found;
    }
    closedir(dir);
}

fault payload_store_day(const char *folder, const char *day, uint64_t *first, uint64_t *next)
{
    DIR *dir = open_keys(folder);
    uint64_t begins = UINT64_MAX, ends = UINT64_MAX;
    if (dir == NULL)
        return RAISE(NOT_FOUND, "no payloads were ever kept");
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        struct slab_head found;
        if (!is_slab(entry->d_name) || failed(head_of(dir, entry->d_name, &found)))
            continue;
        int order = strncmp(entry->d_name, day, 8);
        if (order == 0)
            begins = found.first_index;
        else if (order > 0 && found.first_index < ends)
            ends = found.first_index;
    }
    closedir(dir);
    if (begins == UINT64_MAX)
        return RAISE(NOT_FOUND, "there is no day %.8s", day);
    *first = begins;
    *next = ends;
    return DONE;
}

fault payload_store_day_of(const char *folder, uint64_t index, char day[DAY_TEXT_BYTES])
{
    char damaged[DAY_TEXT_BYTES];
    struct slab_head head;
    payload_day_of(folder, index, day, &head, damaged);
    return day[0] != '\0' ? DONE : RAISE(NOT_FOUND, "no slab holds entry %" PRIu64, index);
}

fault payload_oldest_day(const char *folder, char out[DAY_TEXT_BYTES])
{
    DIR *dir = open_keys(folder);
    out[0] = '\0';
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        if (is_slab(entry->d_name) && (out[0] == '\0' || strncmp(entry->d_name, out, 8) < 0)) {
            memcpy(out, entry->d_name, 8);
            out[8] = '\0';
        }
    if (dir != NULL)
        closedir(dir);
    return out[0] != '\0' ? DONE : RAISE(NOT_FOUND, "no payloads were ever kept");
}

fault payload_store_from_day(const char *folder, const char *day, uint64_t *first)
{
    DIR *dir = open_keys(folder);
    uint64_t begins = UINT64_MAX;
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        struct slab_head found;
        if (is_slab(entry->d_name) && strncmp(entry->d_name, day, 8) >= 0 &&
            !failed(head_of(dir, entry->d_name, &found)) && found.first_index < begins)
            begins = found.first_index;
    }
    if (dir != NULL)
        closedir(dir);
    if (begins == UINT64_MAX)
        return RAISE(NOT_FOUND, "nothing was kept from %.8s on", day);
    *first = begins;
    return DONE;
}

// --- of many entries ----------------------------------------------------------------------------

/* File systems date changes by ticks, the coarsest ones by two seconds: what changed within one
 * after a look has the same date as before it. */
#define SETTLES_MS 2000

struct day_begin {
    struct slab_head head;
    char day[DAY_TEXT_BYTES];
    size_t newest; /* which of those up to this one has the newest day */
};

struct day_index {
    char folder[PAYLOAD_PATH_BYTES];
    bool looked;
    size_t count, room;
    struct day_begin *begin; /* by first entry */
    char damaged[DAY_TEXT_BYTES];
    char headless[DAY_TEXT_BYTES]; /* newest day whose head could not be read: damaged, or not
                                    * written yet; or "" */
    struct timespec changed;       /* keys/, before it was looked through */
    bool settled;                  /* ... and it had been so for a while */
};

struct day_index *day_index_new(const char *folder)
{
    struct day_index *self = owned_new(sizeof *self);
    snprintf(self->folder, sizeof self->folder, "%s", folder);
    return self;
}

void day_index_free(struct day_index **self)
{
    if (*self == NULL)
        return;
    free((*self)->begin);
    free(*self);
    *self = NULL;
}

static struct timespec changed_at(const char *folder)
{
    char path[PAYLOAD_PATH_BYTES];
    struct stat facts;
    snprintf(path, sizeof path, "%.400s/keys", folder);
    return stat(path, &facts) == 0 ? facts.st_mtim : (struct timespec){0};
}

static bool has_head(const char *folder, const char *day)
{
    char path[PAYLOAD_PATH_BYTES];
    struct slab_head head;
    payload_path(folder, day, "slab", path);
    int fd = open(path, PAYLOAD_READ_FLAGS);
    if (fd < 0)
        return false;
    fault f = slab_head_read(fd, &head);
    close(fd);
    return !failed(f);
}

/* A node begins no slab but its newest, and the head of that one is written after the file is
 * there.
 */
bool day_index_is_stale(const struct day_index *self)
{
    struct timespec now = changed_at(self->folder);
    return !self->looked || !self->settled || now.tv_sec != self->changed.tv_sec ||
           now.tv_nsec != self->changed.tv_nsec ||
           (self->headless[0] != '\0' && has_head(self->folder, self->headless));
}

static void add_begin(struct day_index *self, const char *name, const struct slab_head *head)
{
    if (self->count == self->room) {
        self->room = self->room == 0 ? 64 : 2 * self->room;
        self->begin = owned_grow(self->begin, self->room, sizeof *self->begin);
    }
    struct day_begin *begin = &self->begin[self->count++];
    *begin = (struct day_begin){.head = *head};
    memcpy(begin->day, name, sizeof begin->day - 1);
}

static void take_slab(struct day_index *self, DIR *dir, const char *name)
{
    struct slab_head head;
    fault f = head_of(dir, name, &head);
    if (!failed(f))
        add_begin(self, name, &head);
    else
        take_newer(name, self->headless);
    if (f.code == LOG_BROKEN)
        take_newer(name, self->damaged);
}

static int by_first_entry(const void *a, const void *b)
{
    uint64_t one = ((const struct day_begin *)a)->head.first_index;
    uint64_t other = ((const struct day_begin *)b)->head.first_index;
    return (one > other) - (one < other);
}

static void sort_begins(struct day_index *self)
{
    struct day_begin *begin = self->begin;
    if (self->count > 0)
        qsort(begin, self->count, sizeof *begin, by_first_entry);
    for (size_t i = 1; i < self->count; i++) {
        size_t newest = begin[i - 1].newest;
        begin[i].newest = strcmp(begin[i].day, begin[newest].day) > 0 ? i : newest;
    }
}

void day_index_look(struct day_index *self)
{
    if (!day_index_is_stale(self))
        return;
    self->changed = changed_at(self->folder); /* before the look, so that no change is missed */
    int64_t age_ms =
        clock_wall_ms() - self->changed.tv_sec * INT64_C(1000) - self->changed.tv_nsec / 1000000;
    self->settled = age_ms < 0 || age_ms > SETTLES_MS; /* a date to come says nothing of now */
    self->looked = true;
    self->count = 0;
    self->damaged[0] = self->headless[0] = '\0';
    DIR *dir = open_keys(self->folder);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        if (is_slab(entry->d_name))
            take_slab(self, dir, entry->d_name);
    if (dir != NULL)
        closedir(dir);
    sort_begins(self);
}

void day_index_find(const struct day_index *self, uint64_t index, char out[DAY_TEXT_BYTES],
                    struct slab_head *head, char damaged[DAY_TEXT_BYTES], uint64_t *next)
{
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (self->begin[middle].head.first_index <= index)
            low = middle + 1;
        else
            high = middle;
    }
    out[0] = '\0';
    memcpy(damaged, self->damaged, DAY_TEXT_BYTES);
    *next = low < self->count ? self->begin[low].head.first_index : UINT64_MAX;
    if (low == 0)
        return;
    const struct day_begin *found = &self->begin[self->begin[low - 1].newest];
    memcpy(out, found->day, DAY_TEXT_BYTES);
    *head = found->head;
}

// --- the files of a part ------------------------------------------------------------------------

static fault open_to_write(const char *path, int *fd_out)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? RAISE(NOT_FOUND, "%s is not there", path)
                               : RAISE(LOG_FAILED, "%s: %m", path);
    *fd_out = fd;
    return DONE;
}

/* A slab that changed its key since has all slots under the new one, and durably so. */
fault payload_store_reopen(const char *folder, const struct payload_part *part, int *fd_out)
{
    char path[PAYLOAD_PATH_BYTES], day[24];
    struct slab_head head = {0};
    int fd = -1;
    snprintf(day, sizeof day, "%08" PRIu64, part->day % 100000000);
    payload_path(folder, day, "slab", path);
    TRY(open_to_write(path, &fd));
    fault f = slab_head_read(fd, &head);
    if (!failed(f) && part->slots && head.key_id == part->key) {
        *fd_out = fd;
        return DONE;
    }
    close(fd);
    if (failed(f) && f.code != NOT_FOUND)
        return f;
    if (head.key_id != part->key)
        return RAISE(NOT_FOUND, "%s is under another key", path);
    payload_path(folder, day, "seg", path);
    return open_to_write(path, fd_out);
}
