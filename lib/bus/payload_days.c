// SPDX-License-Identifier: MIT
#include "lib/bus/payload_private.h"

#include "lib/bus/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
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

void payload_find_day(const char *folder, uint64_t index, char out[DAY_TEXT_BYTES],
                      struct slab_head *head, char damaged[DAY_TEXT_BYTES], uint64_t *next)
{
    out[0] = damaged[0] = '\0';
    *next = UINT64_MAX;
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
        else if (!failed(f) && found.first_index > index && found.first_index < *next)
            *next = found.first_index;
        else if (!failed(f) && found.first_index <= index && take_newer(entry->d_name, out))
            *head = found;
    }
    closedir(dir);
}

void payload_day_of(const char *folder, uint64_t index, char out[DAY_TEXT_BYTES],
                    struct slab_head *head, char damaged[DAY_TEXT_BYTES])
{
    uint64_t next;
    payload_find_day(folder, index, out, head, damaged, &next);
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
