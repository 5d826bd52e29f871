// SPDX-License-Identifier: MIT
#include "tools/audit/index_file.h"

#include "lib/base/clock.h"
#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/digest.h"
#include "tools/audit/index_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* SQLite's file header, section 1.3 of its file format */
#define HEAD_BYTES 100
#define HEAD_MAGIC "SQLite format 3"
#define HEAD_PAGE_BYTES 16
#define HEAD_PAGES 28
#define HEAD_USER_VERSION 60
#define HEAD_APPLICATION 68
#define APPLICATION (0x43534900u + INDEX_FORMAT) /* "CSI" and the format */

#define LOCK_LOOK_MS 100

// --- the place ----------------------------------------------------------------------------------

static fault real_folder(const char *path, char out[INDEX_PATH_BYTES])
{
    char *real = realpath(path, NULL);
    if (real == NULL)
        return RAISE(errno == ENOENT ? NOT_FOUND : IO_FAILED, "%s: %m", path);
    bool fits = text_format(out, INDEX_PATH_BYTES, "%s", real);
    free(real);
    return fits ? DONE : RAISE(BAD_REQUEST, "the folder's name is too long");
}

static fault place_of_file(const char *file, struct index_place *out)
{
    char folder[INDEX_PATH_BYTES];
    const char *slash = strrchr(file, '/');
    const char *name = slash == NULL ? file : slash + 1;
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return RAISE(BAD_REQUEST, "--index names a file, and \"%s\" is none", file);
    bool fits = slash == NULL ? text_format(folder, sizeof folder, ".")
                : slash == file
                    ? text_format(folder, sizeof folder, "/")
                    : text_format(folder, sizeof folder, "%.*s", (int)(slash - file), file);
    if (!fits)
        return RAISE(BAD_REQUEST, "the name of the index is too long");
    TRY(real_folder(folder, out->folder));
    return text_format(out->file, sizeof out->file, "%s/%s", out->folder, name)
               ? DONE
               : RAISE(BAD_REQUEST, "the name of the index is too long");
}

fault index_place_find(const char *audit_folder, unsigned epoch, const char *file,
                       struct index_place *out)
{
    char real[INDEX_PATH_BYTES], name[32] = "search.db";
    struct stat st;
    if (file != NULL)
        return place_of_file(file, out);
    TRY(real_folder(audit_folder, real));
    if (epoch > 1)
        text_format(name, sizeof name, "search-%u.db", epoch);
    if (!text_format(out->folder, sizeof out->folder, "%s/index", real) ||
        !text_format(out->file, sizeof out->file, "%s/%s", out->folder, name))
        return RAISE(BAD_REQUEST, "the folder's name is too long");
    if (lstat(out->folder, &st) == 0 && !S_ISDIR(st.st_mode))
        return RAISE(REFUSED, "%s is not a folder but a link or a file; remove it, or give --index",
                     out->folder);
    return DONE;
}

/* Beside the index: what SQLite and we put there. */
static void beside(const struct index_place *place, const char *end,
                   char out[INDEX_PATH_BYTES + 32])
{
    text_format(out, INDEX_PATH_BYTES + 32, "%s%s", place->file, end);
}

static bool is_there(const struct index_place *place, const char *end)
{
    char path[INDEX_PATH_BYTES + 32];
    beside(place, end, path);
    return access(path, F_OK) == 0;
}

static void drop(const struct index_place *place, const char *end)
{
    char path[INDEX_PATH_BYTES + 32];
    beside(place, end, path);
    unlink(path);
}

// --- the mark -----------------------------------------------------------------------------------

/* Number and birth of a file: whoever copies it can choose neither. */
static fault mark_of(int fd, uint32_t *out)
{
    struct statx of;
    uint8_t bytes[20];
    if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &of) != 0)
        return RAISE(IO_FAILED, "looking at the index: %m");
    bool born = (of.stx_mask & STATX_BTIME) != 0;
    put_u64(bytes, of.stx_ino);
    put_u64(bytes + 8, born ? (uint64_t)of.stx_btime.tv_sec : 0);
    put_u32(bytes + 16, born ? of.stx_btime.tv_nsec : 0);
    struct sha256 hash =
        SHA256_OF(span_of_text("chaski search index"), span_of(bytes, sizeof bytes));
    *out = get_u32(hash.at) & 0x7fffffff; /* SQLite's user_version has a sign */
    return DONE;
}

static bool is_whole(int fd, const uint8_t head[HEAD_BYTES])
{
    struct stat st;
    uint64_t page_bytes = (uint64_t)head[HEAD_PAGE_BYTES] << 8 | head[HEAD_PAGE_BYTES + 1];
    if (page_bytes == 1)
        page_bytes = 65536;
    return fstat(fd, &st) == 0 && (uint64_t)st.st_size == page_bytes * get_u32(head + HEAD_PAGES);
}

static enum index_condition look_into(const struct index_place *place, int fd)
{
    uint8_t head[HEAD_BYTES];
    uint32_t mark = 0;
    if (failed(file_read_at(fd, head, sizeof head, 0)) ||
        memcmp(head, HEAD_MAGIC, sizeof HEAD_MAGIC) != 0 || failed(mark_of(fd, &mark)))
        return INDEX_DAMAGED;
    uint32_t application = get_u32(head + HEAD_APPLICATION);
    if (application != APPLICATION)
        return application >> 8 == APPLICATION >> 8 ? INDEX_OLD : INDEX_DAMAGED;
    if (get_u32(head + HEAD_USER_VERSION) != mark)
        return INDEX_FOREIGN;
    /* a journal means that the last change is still to be undone */
    return is_there(place, "-journal") || is_whole(fd, head) ? INDEX_USABLE : INDEX_DAMAGED;
}

enum index_condition index_file_look(const struct index_place *place)
{
    int fd = open(place->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? INDEX_ABSENT : INDEX_DAMAGED;
    enum index_condition condition = look_into(place, fd);
    close(fd);
    return condition;
}

// --- one who writes -----------------------------------------------------------------------------

fault index_file_lock(const struct index_place *place, int *fd)
{
    char path[INDEX_PATH_BYTES + 32];
    int64_t until_ms = clock_steady_ms() + INDEX_WAIT_MS;
    if (mkdir(place->folder, 0700) != 0 && errno != EEXIST)
        return RAISE(IO_FAILED, "%s: %m", place->folder);
    beside(place, ".lock", path);
    for (;;) {
        fault f = file_lock(path, fd);
        if (f.code != REFUSED || clock_steady_ms() > until_ms)
            return f;
        usleep(LOCK_LOOK_MS * 1000);
    }
}

fault index_file_begin(const struct index_place *place, struct database **out)
{
    char path[INDEX_PATH_BYTES + 32];
    index_file_give_up(place); /* of one that was killed */
    beside(place, ".new", path);
    return database_make(path, out);
}

void index_file_give_up(const struct index_place *place)
{
    drop(place, ".new");
    drop(place, ".new-journal");
}

static fault write_mark(struct database *database, int fd)
{
    char sql[128];
    uint32_t mark = 0;
    TRY(mark_of(fd, &mark));
    text_format(sql, sizeof sql, "PRAGMA application_id = %u; PRAGMA user_version = %u;",
                APPLICATION, mark);
    return database_run(database, sql);
}

static fault close_durably(struct database **database, int fd)
{
    fault f = write_mark(*database, fd);
    database_free(database);
    TRY(f);
    return fsync(fd) == 0 ? DONE : RAISE(IO_FAILED, "fsync of the index: %m");
}

fault index_file_finish(const struct index_place *place, struct database **database)
{
    static const char *const old[] = {"", "-journal", "-wal", "-shm"};
    char path[INDEX_PATH_BYTES + 32];
    beside(place, ".new", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return RAISE(IO_FAILED, "%s: %m", path);
    fault f = close_durably(database, fd);
    close(fd);
    TRY(f);
    /* The old index goes before its journal, which would else be played into the new one. */
    for (size_t i = 0; i < sizeof old / sizeof old[0]; i++)
        drop(place, old[i]);
    if (rename(path, place->file) != 0)
        return RAISE(IO_FAILED, "%s: %m", place->file);
    return file_sync_folder(place->folder);
}
