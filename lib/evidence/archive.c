// SPDX-License-Identifier: MIT
#include "lib/evidence/archive.h"

#include "lib/base/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

struct archive {
    zip_source_t *source; /* where the bytes go; ours beside the zip's */
    zip_t *zip;           /* NULL once finished */
};

fault archive_new(struct archive **out)
{
    OWNED(archive) self = owned_new(sizeof *self);
    zip_error_t error;
    zip_error_init(&error);
    self->source = zip_source_buffer_create(NULL, 0, 0, &error);
    if (self->source != NULL)
        self->zip = zip_open_from_source(self->source, ZIP_TRUNCATE, &error);
    zip_error_fini(&error);
    if (self->zip == NULL)
        return RAISE(NO_MEMORY, "a container cannot be begun");
    zip_source_keep(self->source);
    *out = TAKE(self);
    return DONE;
}

void archive_free(struct archive **self)
{
    if (*self == NULL)
        return;
    if ((*self)->zip != NULL)
        zip_discard((*self)->zip);
    zip_source_free((*self)->source);
    free(*self);
    *self = NULL;
}

/* libzip reads the bytes when it closes the file: they are borrowed until then. */
static fault add(struct archive *self, const char *name, struct span bytes, bool stored, bool runs)
{
    zip_source_t *from = zip_source_buffer(self->zip, bytes.at, bytes.size, 0);
    zip_int64_t place = from == NULL ? -1 : zip_file_add(self->zip, name, from, ZIP_FL_ENC_GUESS);
    if (place < 0) {
        zip_source_free(from);
        return RAISE(NO_MEMORY, "%s cannot be added to a container", name);
    }
    zip_uint64_t at = (zip_uint64_t)place;
    zip_uint32_t mode = S_IFREG | (runs ? 0700 : 0600);
    bool set =
        zip_set_file_compression(self->zip, at, stored ? ZIP_CM_STORE : ZIP_CM_DEFLATE, 0) == 0 &&
        zip_file_set_dostime(self->zip, at, 0, 0x21, 0) == 0 &&
        zip_file_set_external_attributes(self->zip, at, 0, ZIP_OPSYS_UNIX, mode << 16) == 0;
    return set ? DONE : RAISE(INTERNAL, "%s cannot be added to a container", name);
}

fault archive_add(struct archive *self, const char *name, struct span bytes)
{
    return add(self, name, bytes, false, false);
}

fault archive_add_stored(struct archive *self, const char *name, struct span bytes)
{
    return add(self, name, bytes, true, false);
}

fault archive_add_program(struct archive *self, const char *name, struct span bytes)
{
    return add(self, name, bytes, false, true);
}

static fault read_all(zip_source_t *source, struct bytes **out)
{
    zip_stat_t stat;
    OWNED(bytes) all = NULL;
    zip_stat_init(&stat);
    if (zip_source_stat(source, &stat) != 0 || (stat.valid & ZIP_STAT_SIZE) == 0)
        return RAISE(INTERNAL, "a container has no size");
    TRY(bytes_new((size_t)stat.size, &all));
    if (zip_source_read(source, all->data, all->size) != (zip_int64_t)all->size)
        return RAISE(INTERNAL, "a container cannot be read back");
    *out = TAKE(all);
    return DONE;
}

fault archive_finish(struct archive *self, struct bytes **out)
{
    if (zip_close(self->zip) != 0)
        return RAISE(NO_MEMORY, "a container cannot be completed");
    self->zip = NULL;
    if (zip_source_open(self->source) != 0)
        return RAISE(INTERNAL, "a container cannot be read back");
    fault f = read_all(self->source, out);
    zip_source_close(self->source);
    return f;
}

fault archive_write(const char *path, struct span archive)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return RAISE(IO_FAILED, "%s: the container cannot be made: %m", path);
    fault f = file_write_at(fd, archive, 0);
    if (!failed(f) && fsync(fd) != 0)
        f = RAISE(IO_FAILED, "%s: %m", path);
    close(fd);
    if (failed(f))
        unlink(path);
    return f;
}
