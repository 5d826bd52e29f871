// SPDX-License-Identifier: MIT
#include "lib/evidence/files.h"

#include "lib/base/file.h"
#include "lib/base/text.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void files_free(struct files **owner)
{
    struct files *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count; i++)
        bytes_free(&self->one[i].bytes);
    free(self->one);
    free(self);
}

void files_go_below(struct files *self, const char *below)
{
    bool fits = text_format(self->below, sizeof self->below, "%s", below);
    assert(fits);
}

void files_take(struct files *self, const char *name, struct bytes **bytes)
{
    if (self->count == self->room) {
        self->room = self->room == 0 ? 32 : 2 * self->room;
        self->one = owned_grow(self->one, self->room, sizeof *self->one);
    }
    struct files_one *one = &self->one[self->count++];
    *one = (struct files_one){.bytes = TAKE(*bytes), .runs = strcmp(name, "verify.sh") == 0};
    bool fits = text_format(one->name, sizeof one->name, "%s%s", self->below, name);
    assert(fits);
}

fault files_copy(struct files *self, const char *name, struct span bytes)
{
    OWNED(bytes) copy = NULL;
    TRY(bytes_copy(bytes, &copy));
    files_take(self, name, &copy);
    return DONE;
}

// --- where to -----------------------------------------------------------------------------------

/* The place that a path leads to, of which the last parts need not be there yet. */
static fault real_place(const char *path, char out[PATH_MAX])
{
    char at[PATH_MAX];
    if (path[0] == '\0' || !text_format(at, sizeof at, "%s", path))
        return RAISE(BAD_REQUEST, "the name of the folder is empty or too long");
    while (realpath(at, out) == NULL) {
        char *slash = strrchr(at, '/');
        if (errno != ENOENT || strcmp(at, ".") == 0)
            return RAISE(IO_FAILED, "%s: %m", at);
        if (strcmp(slash == NULL ? at : slash + 1, "..") == 0)
            return RAISE(REFUSED, "%s goes up from a folder that is not there", path);
        /* nothing of it is there but where it begins */
        if (slash == NULL || slash == at)
            memcpy(at, slash == NULL ? "." : "/", 2);
        else
            *slash = '\0';
    }
    return DONE;
}

/* Evidence is read, never written to. */
static fault check_outside(const char *to, const char *source)
{
    char place[PATH_MAX], from[PATH_MAX];
    TRY(real_place(to, place));
    TRY(real_place(source, from));
    size_t length = strlen(from);
    if (strncmp(place, from, length) == 0 && (place[length] == '\0' || place[length] == '/'))
        return RAISE(REFUSED, "%s lies in the log's own folder, which is only read", to);
    return DONE;
}

static fault check_empty(const char *to)
{
    DIR *dir = opendir(to);
    bool empty = true;
    if (dir == NULL)
        return errno == ENOENT ? DONE : RAISE(REFUSED, "%s: %m", to);
    for (struct dirent *entry; empty && (entry = readdir(dir)) != NULL;)
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    closedir(dir);
    return empty ? DONE : RAISE(REFUSED, "the folder %s is not empty", to);
}

fault files_check_folder(const char *to, const char *source)
{
    TRY(check_outside(to, source));
    return check_empty(to);
}

fault files_check_file(const char *to, const char *source)
{
    struct stat facts;
    TRY(check_outside(to, source));
    if (lstat(to, &facts) == 0)
        return RAISE(REFUSED, "%s is there already", to);
    return DONE;
}

// --- writing ------------------------------------------------------------------------------------

static fault write_one(const struct files_one *one, const char *to)
{
    char path[PATH_MAX], parent[PATH_MAX];
    if (!text_format(path, sizeof path, "%s/%s", to, one->name))
        return RAISE(BAD_REQUEST, "the name of the folder is too long");
    text_format(parent, sizeof parent, "%.*s", (int)(strrchr(path, '/') - path), path);
    TRY(file_make_folders(parent, 0700));
    int fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, one->runs ? 0700 : 0600);
    if (fd < 0)
        return RAISE(IO_FAILED, "%s: %m", path);
    fault f = file_write_at(fd, bytes_span(one->bytes), 0);
    close(fd);
    return f;
}

fault files_write(const struct files *self, const char *to)
{
    TRY(file_make_folders(to, 0700));
    for (size_t i = 0; i < self->count; i++)
        TRY(write_one(&self->one[i], to));
    int fd = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return RAISE(IO_FAILED, "%s: %m", to);
    fault f = syncfs(fd) == 0 ? DONE : RAISE(IO_FAILED, "%s: %m", to);
    close(fd);
    return f;
}
