// SPDX-License-Identifier: MIT
#include "security-server/exchange/report_files.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "lib/crypto/digest.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 512
#define NAME_BYTES 64

static bool is_of(const char *name, const char *hex)
{
    const char *dot = strrchr(name, '.');
    return strncmp(name, hex, SHA256_BYTES) == 0 && name[SHA256_BYTES] == '.' && dot != NULL &&
           strcmp(dot, ".found") == 0 && strlen(name) < NAME_BYTES;
}

/* How many there are of this peer, and the oldest: names of one length are in the order of time. */
static fault find_oldest(const char *folder, const char *hex, size_t *count,
                         char oldest[NAME_BYTES])
{
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return RAISE(IO_FAILED, "%s: %m", folder);
    *count = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (!is_of(entry->d_name, hex))
            continue;
        if (*count == 0 || strcmp(entry->d_name, oldest) < 0)
            text_format(oldest, NAME_BYTES, "%.*s", NAME_BYTES - 1, entry->d_name);
        ++*count;
    }
    closedir(dir);
    return DONE;
}

static fault drop_oldest(const char *folder, const char *hex)
{
    char path[PATH_BYTES], oldest[NAME_BYTES] = "";
    size_t count = 0;
    for (;;) {
        TRY(find_oldest(folder, hex, &count, oldest));
        if (count <= RECONCILE_REPORTS_KEPT)
            return DONE;
        text_format(path, sizeof path, "%s/%s", folder, oldest);
        if (unlink(path) != 0)
            return RAISE(IO_FAILED, "%s: %m", path);
    }
}

fault report_files_keep(const char *audit_folder, const char *peer, struct span report,
                        int64_t began_ms, bool found)
{
    struct sha256 hash = SHA256_OF(span_of_text(peer));
    char hex[SHA256_BYTES + 1], folder[PATH_BYTES - NAME_BYTES - 1], path[PATH_BYTES];
    text_hex(span_of(hash.at, SHA256_BYTES / 2), hex, sizeof hex);
    if (!text_format(folder, sizeof folder, "%s/reconcile", audit_folder))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    text_format(path, sizeof path, "%s/%s.report", folder, hex);
    TRY(file_replace(path, report, 0644));
    if (!found)
        return DONE;
    text_format(path, sizeof path, "%s/%s.%013" PRId64 ".found", folder, hex, began_ms);
    TRY(file_replace(path, report, 0644));
    return drop_oldest(folder, hex);
}
