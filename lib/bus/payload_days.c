// SPDX-License-Identifier: MIT
#include "lib/bus/payload_private.h"

#include "lib/bus/limits.h"

#include <dirent.h>
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
