// SPDX-License-Identifier: MIT
#include "registry/serve/published_file.h"

#include "lib/base/text.h"
#include "lib/bus/published_name.h"
#include "registry/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

static void describe(enum published_kind kind, const struct stat *facts, struct published_file *out)
{
    out->size = (uint64_t)facts->st_size;
    text_format(out->etag, sizeof out->etag, "\"%" PRIx64 "-%" PRIx64 "-%lx\"", out->size,
                (uint64_t)facts->st_mtim.tv_sec, (unsigned long)facts->st_mtim.tv_nsec);
    out->type = kind == PUBLISHED_HEAD || kind == PUBLISHED_NEWS ? "text/plain; charset=utf-8"
                : kind == PUBLISHED_AUTHORITY                    ? "application/x-pem-file"
                                                                 : "application/octet-stream";
    out->cache = kind == PUBLISHED_TILE || kind == PUBLISHED_SNAPSHOT
                     ? "public, max-age=31536000, immutable"
                     : "no-cache";
    out->packs = kind == PUBLISHED_TILE || kind == PUBLISHED_SNAPSHOT;
}

void published_file_is_packed(struct published_file *self)
{
    size_t size = strlen(self->etag);
    text_format(self->etag + size - 1, sizeof self->etag - size + 1, "-gzip\"");
}

/* O_NONBLOCK: a pipe at this place must not be waited for. */
fault published_file_open(const char *folder, const char *name, struct published_file *out)
{
    char path[STORE_PATH_BYTES];
    struct stat facts;
    enum published_kind kind = published_name_kind(span_of_text(name));
    if (kind == PUBLISHED_NOT || !text_format(path, sizeof path, "%s/%s", folder, name))
        return RAISE(NOT_FOUND, "no such file in a directory");
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
        return RAISE(NOT_FOUND, "%s is not there", name);
    if (fd < 0)
        return RAISE(IO_FAILED, "opening %s: %m", path);
    if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        close(fd);
        return RAISE(NOT_FOUND, "%s is no file", name);
    }
    describe(kind, &facts, out);
    out->fd = fd;
    return DONE;
}

/* A list of tags, each maybe weak; nothing here holds a comma or a quote inside. */
bool published_file_is_known(const struct published_file *self, const char *if_none_match)
{
    if (if_none_match == NULL)
        return false;
    return strcmp(if_none_match, "*") == 0 || strstr(if_none_match, self->etag) != NULL;
}
