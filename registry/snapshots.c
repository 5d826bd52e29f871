// SPDX-License-Identifier: MIT
#include "registry/snapshots.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/directory_snapshot.h"

#include <dirent.h>
#include <inttypes.h>
#include <unistd.h>

static fault path_of(const char *folder, const char *name, char out[STORE_PATH_BYTES])
{
    return text_format(out, STORE_PATH_BYTES, "%s/snapshot%s%s", folder, name[0] == '\0' ? "" : "/",
                       name)
               ? DONE
               : RAISE(BAD_CONFIG, "the folder's name is too long");
}

/* Sizes of the greatest ones that are there, the greatest first. */
static size_t list(const char *path, uint64_t *size, size_t room)
{
    size_t count = 0;
    DIR *folder = opendir(path);
    for (struct dirent *at; folder != NULL && (at = readdir(folder)) != NULL;) {
        uint64_t found = 0;
        if (failed(text_number(span_of_text(at->d_name), UINT64_MAX, &found)) ||
            (count == room && size[room - 1] > found))
            continue;
        size_t place = count < room ? count++ : room - 1;
        for (; place > 0 && size[place - 1] < found; place--)
            size[place] = size[place - 1];
        size[place] = found;
    }
    if (folder != NULL)
        closedir(folder);
    return count;
}

fault snapshots_make(const struct store *store, const char *folder, struct bytes **out)
{
    char path[STORE_PATH_BYTES];
    uint64_t newest = 0, size = store_count(store);
    TRY(path_of(folder, "", path));
    list(path, &newest, 1);
    if (newest <= size && size - newest < store_snapshot_every(store))
        return DONE;
    return directory_snapshot(store_state(store), size, out);
}

/* A folder that another tool filled may hold more than this looks at; the rest goes next time. */
static void drop_old(const char *folder)
{
    uint64_t size[64];
    char path[STORE_PATH_BYTES], name[32];
    if (failed(path_of(folder, "", path)))
        return;
    size_t count = list(path, size, sizeof size / sizeof size[0]);
    for (size_t i = SNAPSHOTS_KEPT; i < count; i++) {
        text_format(name, sizeof name, "%" PRIu64, size[i]);
        if (!failed(path_of(folder, name, path)))
            unlink(path); /* a reader that has it open goes on */
    }
}

fault snapshots_write(const char *folder, uint64_t size, struct span snapshot)
{
    char path[STORE_PATH_BYTES], name[32];
    TRY(path_of(folder, "", path));
    TRY(file_make_folders(path, 0755));
    text_format(name, sizeof name, "%" PRIu64, size);
    TRY(path_of(folder, name, path));
    TRY(file_replace(path, snapshot, 0644));
    TRY(path_of(folder, "newest", path));
    TRY(file_replace(path, span_of_text(name), 0644));
    drop_old(folder);
    return DONE;
}
