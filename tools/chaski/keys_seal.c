// SPDX-License-Identifier: MIT
/*
 * chaski keys seal, unseal, passphrase. The folder is made anew beside itself and the two change
 * places in one step (renameat2), so that a kill at any moment leaves all files as they were or all
 * as they are to be: keys under two passphrases would open with neither.
 */
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/key_file.h"
#include "lib/crypto/sealed_key.h"
#include "tools/chaski/keys.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define OTHER_BYTES_MAX (1u << 20) /* certificates and the like */

struct work {
    char folder[PATH_MAX]; /* as it really is */
    char beside[PATH_MAX]; /* the new one, and after the swap the old one */
    struct key_opener old;
    struct span new; /* passphrase; empty: unsealed */
    size_t keys;
};

static bool is_key(const char *name)
{
    size_t size = strlen(name);
    return size > 4 && strcmp(name + size - 4, ".key") == 0;
}

static fault path_in(const char *folder, const char *name, char out[PATH_MAX])
{
    return text_format(out, PATH_MAX, "%s/%s", folder, name)
               ? DONE
               : RAISE(BAD_REQUEST, "the folder's name is too long");
}

// --- each file of a folder ----------------------------------------------------------------------

static fault each_file(struct work *self, const char *folder,
                       fault (*visit)(struct work *self, const char *name))
{
    fault f = DONE;
    DIR *files = opendir(folder);
    if (files == NULL)
        return RAISE(IO_FAILED, "folder %s: %m", folder);
    for (struct dirent *entry; !failed(f) && (entry = readdir(files)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            f = visit(self, entry->d_name);
    closedir(files);
    return f;
}

// --- the new folder -----------------------------------------------------------------------------

/* Sealed, and opened again, before anybody relies on it. */
static fault new_content(struct work *self, struct span plain, struct secret **out)
{
    OWNED(bytes) sealed = NULL;
    OWNED(secret) again = NULL;
    if (self->new.size == 0) {
        *out = secret_copy(plain);
        return DONE;
    }
    TRY(sealed_key_make(plain, self->new, &sealed));
    TRY(sealed_key_open(bytes_span(sealed), self->new, &again));
    if (!span_equal(secret_span(again), plain))
        return RAISE(CRYPTO_FAILED, "a sealed key does not open as what it was");
    *out = secret_copy(bytes_span(sealed));
    return DONE;
}

static fault write_file(const char *path, struct span content, const struct stat *like)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return RAISE(IO_FAILED, "making %s: %m", path);
    fault f = file_write_at(fd, content, 0);
    if (!failed(f) && (fchown(fd, like->st_uid, like->st_gid) != 0 ||
                       fchmod(fd, like->st_mode & 07777) != 0 || fsync(fd) != 0))
        f = RAISE(IO_FAILED, "writing %s: %m", path);
    close(fd);
    return f;
}

static fault write_key(struct work *self, const char *from, const char *to, const struct stat *like)
{
    OWNED(secret) plain = NULL;
    OWNED(secret) content = NULL;
    TRY(key_file_read(from, &self->old, &plain));
    fault f = new_content(self, secret_span(plain), &content);
    if (failed(f))
        return RAISE(f.code, "%s: %s", from, fault_detail());
    self->keys++;
    return write_file(to, secret_span(content), like);
}

static fault copy_one(struct work *self, const char *name)
{
    char from[PATH_MAX], to[PATH_MAX];
    struct stat facts;
    OWNED(bytes) content = NULL;
    TRY(path_in(self->folder, name, from));
    TRY(path_in(self->beside, name, to));
    if (lstat(from, &facts) != 0)
        return RAISE(IO_FAILED, "%s: %m", from);
    if (!S_ISREG(facts.st_mode))
        return RAISE(REFUSED, "%s is not a regular file; a keys folder holds nothing else", from);
    if (is_key(name))
        return write_key(self, from, to, &facts);
    TRY(file_read(from, OTHER_BYTES_MAX, &content));
    return write_file(to, bytes_span(content), &facts);
}

// --- the folder that is left over ---------------------------------------------------------------

/* Overwritten first: best effort, a disk may keep copies. */
static fault drop_one(struct work *self, const char *name)
{
    static const uint8_t zeros[KEY_FILE_BYTES_MAX];
    char path[PATH_MAX];
    struct stat facts;
    TRY(path_in(self->beside, name, path));
    int fd = is_key(name) ? open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd >= 0 && fstat(fd, &facts) == 0 && (size_t)facts.st_size <= sizeof zeros) {
        ignore(file_write_at(fd, span_of(zeros, (size_t)facts.st_size), 0));
        fsync(fd);
    }
    if (fd >= 0)
        close(fd);
    return unlink(path) == 0 ? DONE : RAISE(IO_FAILED, "removing %s: %m", path);
}

static fault drop_beside(struct work *self)
{
    if (access(self->beside, F_OK) != 0)
        return DONE;
    TRY(each_file(self, self->beside, drop_one));
    return rmdir(self->beside) == 0 ? DONE : RAISE(IO_FAILED, "removing %s: %m", self->beside);
}

// --- all of it ----------------------------------------------------------------------------------

static fault make_beside(struct work *self)
{
    struct stat facts;
    if (stat(self->folder, &facts) != 0 || mkdir(self->beside, 0700) != 0)
        return RAISE(IO_FAILED, "making folder %s: %m", self->beside);
    TRY(each_file(self, self->folder, copy_one));
    if (chown(self->beside, facts.st_uid, facts.st_gid) != 0 ||
        chmod(self->beside, facts.st_mode & 07777) != 0)
        return RAISE(IO_FAILED, "folder %s: %m", self->beside);
    if (self->keys == 0)
        return RAISE(NOT_FOUND, "%s holds no key", self->folder);
    return file_sync_folder(self->beside);
}

static fault swap(struct work *self)
{
    char parent[PATH_MAX];
    TRY(path_in(self->folder, "..", parent));
    if (renameat2(AT_FDCWD, self->beside, AT_FDCWD, self->folder, RENAME_EXCHANGE) != 0)
        return RAISE(IO_FAILED, "%s and %s could not change places, and nothing is changed: %m",
                     self->folder, self->beside);
    return file_sync_folder(parent);
}

static fault find_folder(struct work *self, const char *folder)
{
    if (realpath(folder, self->folder) == NULL)
        return RAISE(BAD_REQUEST, "folder %s: %m", folder);
    return text_format(self->beside, sizeof self->beside, "%s.resealed", self->folder)
               ? DONE
               : RAISE(BAD_REQUEST, "the folder's name is too long");
}

/* One at a time: two would make one folder beside. */
static fault reseal(const char *folder, struct span old, struct span new, size_t *keys)
{
    struct work self = {.old = {.passphrase = old}, .new = new};
    TRY(find_folder(&self, folder));
    int lock = open(self.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0) {
        fault f = RAISE(REFUSED, "%s: another one changes these keys, or it cannot be read: %m",
                        self.folder);
        if (lock >= 0)
            close(lock);
        return f;
    }
    fault f = drop_beside(&self); /* of a change that was interrupted */
    if (!failed(f))
        f = make_beside(&self);
    if (!failed(f))
        f = swap(&self);
    char detail[400];
    text_format(detail, sizeof detail, "%s", fault_detail());
    fault dropped = drop_beside(&self);
    close(lock);
    *keys = self.keys;
    if (failed(f))
        return RAISE(f.code, "%s", detail);
    return dropped;
}

static fault read_it(const char *source, bool is_new, const char *what, struct secret **out)
{
    const char *from = source == NULL ? "terminal" : source;
    return is_new ? secret_read_new(from, what, out) : secret_read(from, what, out);
}

static const char restart[] =
    "a server that runs keeps its keys; it needs the passphrase when it starts again: "
    "keys_passphrase\n";

fault keys_seal(const struct keys_options *options)
{
    OWNED(secret) passphrase = NULL;
    size_t keys = 0;
    TRY(read_it(options->passphrase, true, "passphrase of the keys", &passphrase));
    TRY(reseal(options->folder, secret_span(passphrase), secret_span(passphrase), &keys));
    printf("%zu keys in %s are sealed; without the passphrase they are lost\n%s", keys,
           options->folder, restart);
    return DONE;
}

fault keys_unseal(const struct keys_options *options)
{
    OWNED(secret) passphrase = NULL;
    size_t keys = 0;
    TRY(read_it(options->passphrase, false, "passphrase of the keys", &passphrase));
    TRY(reseal(options->folder, secret_span(passphrase), (struct span){0}, &keys));
    printf("%zu keys in %s are not sealed: whoever copies the disk has them\n", keys,
           options->folder);
    return DONE;
}

fault keys_change_passphrase(const struct keys_options *options)
{
    OWNED(secret) old = NULL;
    OWNED(secret) new = NULL;
    size_t keys = 0;
    TRY(read_it(options->passphrase, false, "present passphrase of the keys", &old));
    TRY(read_it(options->new_passphrase, true, "new passphrase of the keys", &new));
    TRY(reseal(options->folder, secret_span(old), secret_span(new), &keys));
    printf("%zu keys in %s are sealed under the new passphrase\n%s", keys, options->folder,
           restart);
    return DONE;
}
