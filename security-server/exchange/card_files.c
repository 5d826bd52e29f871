// SPDX-License-Identifier: MIT
#include "security-server/exchange/card_files.h"

#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/base/text.h"
#include "lib/crypto/digest.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define PATH_BYTES 512
#define NAME_DIGITS 32
#define NAME_BYTES (NAME_DIGITS + sizeof ".card")

static void name_of(const char *server, char out[NAME_BYTES])
{
    struct sha256 hash = SHA256_OF(span_of_text(server));
    char digits[NAME_DIGITS + 1];
    text_hex(span_of(hash.at, NAME_DIGITS / 2), digits, sizeof digits);
    text_format(out, NAME_BYTES, "%s.card", digits);
}

fault card_files_open(struct card_files *self, const char *audit_folder)
{
    if (!text_format(self->folder, sizeof self->folder, "%s/cards", audit_folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    return file_make_folders(self->folder, 0700);
}

fault card_files_read(const struct card_files *self, const char *server, struct bytes **out)
{
    char path[PATH_BYTES], name[NAME_BYTES];
    name_of(server, name);
    text_format(path, sizeof path, "%s/%s", self->folder, name);
    return file_read(path, LEAF_BYTES_MAX, out);
}

fault card_files_write(const struct card_files *self, const char *server, struct span leaf)
{
    char path[PATH_BYTES], beside[PATH_BYTES], name[NAME_BYTES];
    name_of(server, name);
    text_format(path, sizeof path, "%s/%s", self->folder, name);
    text_format(beside, sizeof beside, "%s/%s.tmp", self->folder, name);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return RAISE(IO_FAILED, "%s: %m", beside);
    fault f = file_write_at(fd, leaf, 0);
    close(fd);
    if (!failed(f) && rename(beside, path) != 0)
        f = RAISE(IO_FAILED, "%s: %m", path);
    return f;
}

static void note_names(const struct directory *directory, struct map *out)
{
    static char there;
    size_t step = 0;
    for (const struct directory_server *server;
         (server = directory_next_server(directory, &step)) != NULL;) {
        char name[NAME_BYTES];
        name_of(server->id, name);
        map_set(out, span_of_text(name), &there);
    }
}

void card_files_tidy(const struct card_files *self, const struct directory *directory)
{
    struct map names = {0};
    DIR *dir = opendir(self->folder);
    note_names(directory, &names);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.' && map_get(&names, span_of_text(entry->d_name)) == NULL)
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir != NULL)
        closedir(dir);
    map_clear(&names);
}
