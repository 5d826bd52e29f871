// SPDX-License-Identifier: MIT
#include "registry/backup.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "registry/ahead.h"
#include "registry/stamping.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERIALS_LEFT_OUT UINT64_C(1000000000) /* a year of 33 stamps a second */
#define PIECE_BYTES 65536
#define STATUSES "statuses" /* status_book.h */

struct copying {
    const char *from, *to;
    size_t files;
};

static fault path_of(const char *folder, const char *name, char out[STORE_PATH_BYTES])
{
    return text_format(out, STORE_PATH_BYTES, "%s/%s", folder, name)
               ? DONE
               : RAISE(BAD_CONFIG, "the folder's name is too long");
}

static fault pump(int from, int to)
{
    uint8_t piece[PIECE_BYTES];
    for (off_t at = 0;;) {
        ssize_t got = read(from, piece, sizeof piece);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return RAISE(IO_FAILED, "reading: %m");
        if (got == 0)
            return fsync(to) == 0 ? DONE : RAISE(IO_FAILED, "fsync: %m");
        TRY(file_write_at(to, span_of(piece, (size_t)got), at));
        at += got;
    }
}

static fault copy_file(struct copying *self, const char *name)
{
    char from[STORE_PATH_BYTES], to[STORE_PATH_BYTES];
    struct stat facts;
    TRY(path_of(self->from, name, from));
    TRY(path_of(self->to, name, to));
    int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (in < 0 && errno == ENOENT)
        return DONE; /* a proposal that was forgotten meanwhile */
    int out = in < 0 || fstat(in, &facts) != 0
                  ? -1
                  : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, facts.st_mode & 0777);
    fault f = out < 0 ? RAISE(IO_FAILED, "copying %s: %m", from) : pump(in, out);
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    self->files++;
    return f;
}

/* What a store is made of. A file that is being written when it is copied has another end to its
 * name until it is whole. */
static bool is_wanted(const char *name)
{
    static const char *const ends[] = {".key", ".pem",  ".vkey", ".json",
                                       ".log", ".head", ".ocsp", ".crl"};
    const char *end = strrchr(name, '.');
    if (strcmp(name, STAMPING_SERIAL) == 0 || ahead_is_file(name))
        return true;
    for (size_t i = 0; end != NULL && i < sizeof ends / sizeof ends[0]; i++)
        if (strcmp(end, ends[i]) == 0)
            return true;
    return false;
}

static fault copy_folder(struct copying *self, const char *folder, bool first_done)
{
    char path[STORE_PATH_BYTES], name[STORE_PATH_BYTES];
    fault f = DONE;
    TRY(path_of(self->from, folder, path));
    DIR *open_folder = opendir(path);
    if (open_folder == NULL && errno == ENOENT)
        return DONE; /* of what was never used */
    if (open_folder == NULL)
        return RAISE(IO_FAILED, "%s: %m", path);
    for (struct dirent *entry; !failed(f) && (entry = readdir(open_folder)) != NULL;) {
        struct stat facts;
        if (!is_wanted(entry->d_name) || (first_done && strcmp(entry->d_name, "acts.head") == 0))
            continue;
        if (!text_format(name, sizeof name, "%s%s%s", folder, folder[0] == '\0' ? "" : "/",
                         entry->d_name) ||
            fstatat(dirfd(open_folder), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (S_ISREG(facts.st_mode))
            f = copy_file(self, name);
    }
    closedir(open_folder);
    return f;
}

/* What outside authorities said, a folder for each certificate. */
static fault copy_statuses(struct copying *self)
{
    char path[STORE_PATH_BYTES], name[STORE_PATH_BYTES];
    fault f = DONE;
    TRY(path_of(self->from, STATUSES, path));
    DIR *folder = opendir(path);
    if (folder == NULL && errno == ENOENT)
        return DONE;
    if (folder == NULL)
        return RAISE(IO_FAILED, "%s: %m", path);
    for (struct dirent *entry; !failed(f) && (entry = readdir(folder)) != NULL;) {
        struct stat facts;
        if (entry->d_name[0] == '.' ||
            fstatat(dirfd(folder), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISDIR(facts.st_mode))
            continue; /* files of its own are copied with the others, but its lock */
        if (!text_format(name, sizeof name, STATUSES "/%s", entry->d_name))
            continue;
        f = path_of(self->to, name, path);
        if (!failed(f))
            f = file_make_folders(path, 0700);
        if (!failed(f))
            f = copy_folder(self, name, false);
        if (!failed(f))
            f = file_sync_folder(path);
    }
    closedir(folder);
    return f;
}

static fault move_serial(const char *to)
{
    char path[STORE_PATH_BYTES], text[32];
    OWNED(bytes) old = NULL;
    uint64_t serial = 0;
    TRY(path_of(to, STAMPING_FOLDER "/" STAMPING_SERIAL, path));
    fault f = file_read(path, sizeof text, &old);
    if (f.code == NOT_FOUND)
        return DONE; /* time stamps stand elsewhere */
    TRY(f);
    struct span digits = bytes_span(old);
    if (digits.size > 0 && digits.at[digits.size - 1] == '\n')
        digits.size--;
    if (failed(text_number(digits, UINT64_MAX / 2 - SERIALS_LEFT_OUT, &serial)))
        return RAISE(LOG_BROKEN, "%s does not hold a number", path);
    text_format(text, sizeof text, "%" PRIu64 "\n", serial + SERIALS_LEFT_OUT);
    return file_replace(path, span_of_text(text), 0644);
}

/* The head first: the acts that it counts are in acts.log for ever. */
static fault fill(struct copying *self)
{
    static const struct {
        const char *name;
        mode_t mode;
    } folders[] = {{"keys", 0700},      {"anchor", 0755},   {STAMPING_FOLDER, 0700},
                   {"proposals", 0700}, {"requests", 0700}, {STATUSES, 0700}};
    char path[STORE_PATH_BYTES];
    OWNED(store) copy = NULL;
    if (mkdir(self->to, 0700) != 0)
        return RAISE(IO_FAILED, "making %s: %m", self->to);
    TRY(copy_file(self, "acts.head"));
    TRY(copy_folder(self, "", true));
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        TRY(path_of(self->to, folders[i].name, path));
        TRY(file_make_folders(path, folders[i].mode));
        TRY(copy_folder(self, folders[i].name, false));
        TRY(file_sync_folder(path));
    }
    TRY(copy_statuses(self));
    TRY(move_serial(self->to));
    TRY(file_sync_folder(self->to));
    return store_look(self->to, &copy);
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *walk)
{
    (void)facts;
    (void)kind;
    (void)walk;
    return remove(path);
}

fault backup_store(const char *store, const char *to, struct said *said)
{
    char beside[STORE_PATH_BYTES];
    OWNED(store) look = NULL;
    struct copying self = {.from = store, .to = beside};
    TRY(store_look(store, &look)); /* that it is one, and sound */
    if (access(to, F_OK) == 0)
        return RAISE(REFUSED, "%s is there already", to);
    if (!text_format(beside, sizeof beside, "%s.new-%d", to, (int)getpid()))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    fault f = fill(&self);
    if (!failed(f) && rename(beside, to) != 0)
        f = RAISE(IO_FAILED, "naming %s: %m", to);
    if (failed(f)) {
        char detail[400];
        text_format(detail, sizeof detail, "%s", fault_detail());
        nftw(beside, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        return RAISE(f.code, "%s", detail);
    }
    said_add(said, "%s: %zu files, at least %zu acts", to, self.files, store_count(look));
    return DONE;
}
