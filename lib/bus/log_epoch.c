// SPDX-License-Identifier: MIT
#include "lib/bus/log_epoch.h"

#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define PATH_BYTES 600

// --- names --------------------------------------------------------------------------------------

/* The number behind the last slash, 0 when there is none; *base ends before that slash. */
static uint64_t number_of(struct span origin, struct span *base)
{
    size_t at = origin.size;
    uint64_t number = 0;
    *base = origin;
    while (at > 0 && origin.at[at - 1] >= '0' && origin.at[at - 1] <= '9')
        at--;
    if (at == 0 || at == origin.size || origin.at[at - 1] != '/' || origin.at[at] == '0' ||
        failed(text_number(span_of(origin.at + at, origin.size - at), UINT32_MAX, &number)))
        return 0;
    *base = span_of(origin.at, at - 1);
    return number;
}

struct span log_epoch_base(struct span origin)
{
    struct span base;
    number_of(origin, &base);
    return base;
}

fault log_epoch_key(const struct note_key *registered, unsigned epoch, struct note_key *out)
{
    struct span base;
    char name[NOTE_NAME_BYTES_MAX];
    if (epoch == 1) {
        *out = *registered;
        return DONE;
    }
    if (number_of(span_of_text(registered->name), &base) != 1)
        return RAISE(REFUSED, "the origin %s does not end in /1, so it has no later epochs",
                     registered->name);
    if (epoch == 0 || epoch > LOG_EPOCHS_MAX)
        return RAISE(REFUSED, "a log has at most %d epochs", LOG_EPOCHS_MAX);
    if (!text_format(name, sizeof name, "%.*s/%u", (int)base.size, (const char *)base.at, epoch))
        return RAISE(REFUSED, "the origin %s is too long", registered->name);
    return note_key_make(name, registered->type, registered->public_key, out);
}

unsigned log_epoch_of(const struct note_key *registered, struct span origin)
{
    struct span base, own;
    if (span_is_text(origin, registered->name))
        return 1;
    uint64_t number = number_of(origin, &base);
    if (number_of(span_of_text(registered->name), &own) != 1 || number < 2 ||
        number > LOG_EPOCHS_MAX || !span_equal(base, own))
        return 0;
    return (unsigned)number;
}

// --- folders ------------------------------------------------------------------------------------

void log_epoch_payloads(const char *folder, unsigned epoch, char *out, size_t room)
{
    bool fits = epoch == 1 ? text_format(out, room, "%s", folder)
                           : text_format(out, room, "%s/epoch/%u", folder, epoch);
    assert(fits);
}

static bool begins_with_entry(int folder, const char *name)
{
    uint8_t length[4] = {0};
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool is = !failed(file_read_at(fd, length, sizeof length, 0)) && get_u32(length) != 0;
    close(fd);
    return is;
}

static bool has_entries(const char *folder, unsigned epoch)
{
    char path[PATH_BYTES];
    bool found = false;
    text_format(path, sizeof path, "%s/log/%u/wal", folder, epoch);
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir != NULL && !found && (entry = readdir(dir)) != NULL;)
        found = strlen(entry->d_name) == 24 && strcmp(entry->d_name + 20, ".seg") == 0 &&
                begins_with_entry(dirfd(dir), entry->d_name);
    if (dir != NULL)
        closedir(dir);
    return found;
}

static bool is_there(const char *folder, unsigned epoch)
{
    char path[PATH_BYTES];
    text_format(path, sizeof path, "%s/log/%u/promise", folder, epoch);
    return access(path, F_OK) == 0 || has_entries(folder, epoch);
}

fault log_epoch_newest(const char *folder, unsigned *out)
{
    char path[PATH_BYTES];
    uint64_t number = 0;
    unsigned newest = 1;
    if (!text_format(path, sizeof path, "%s/log", folder) || strlen(path) > PATH_BYTES - 32)
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    DIR *dir = opendir(path);
    if (dir == NULL && errno != ENOENT)
        return RAISE(IO_FAILED, "%s: %m", path);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '0' &&
            !failed(text_number(span_of_text(entry->d_name), LOG_EPOCHS_MAX, &number)) &&
            number > newest && is_there(folder, (unsigned)number))
            newest = (unsigned)number;
    if (dir != NULL)
        closedir(dir);
    *out = newest;
    return DONE;
}

fault log_epoch_marked(const char *folder, unsigned *out)
{
    char path[PATH_BYTES];
    OWNED(bytes) text = NULL;
    uint64_t number = 0;
    if (!text_format(path, sizeof path, "%s/log/epoch", folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    fault f = file_read(path, 16, &text);
    if (f.code == NOT_FOUND) {
        *out = 1;
        return DONE;
    }
    TRY(f);
    if (text->size < 2 || text->data[text->size - 1] != '\n' ||
        failed(text_number(span_of(text->data, text->size - 1), LOG_EPOCHS_MAX, &number)) ||
        number == 0)
        return RAISE(LOG_BROKEN, "%s holds no number of an epoch", path);
    *out = (unsigned)number;
    return DONE;
}

fault log_epoch_mark(const char *folder, unsigned epoch)
{
    char path[PATH_BYTES], text[16];
    if (!text_format(path, sizeof path, "%s/log/epoch", folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    snprintf(text, sizeof text, "%u\n", epoch);
    return file_replace(path, span_of_text(text), 0644);
}
