// SPDX-License-Identifier: MIT
#include "security-server/exchange/conflicts.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "lib/crypto/digest.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 512
#define ORIGIN_DIGITS 16
#define NOTE_DIGITS 16

static void short_hash(struct span of, char out[ORIGIN_DIGITS + 1])
{
    char hex[2 * SHA256_BYTES + 1];
    struct sha256 hash = SHA256_OF(of);
    text_hex(sha256_span(&hash), hex, sizeof hex);
    memcpy(out, hex, ORIGIN_DIGITS);
    out[ORIGIN_DIGITS] = '\0';
}

static fault count_of(const char *folder, const char *origin, size_t *out)
{
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return RAISE(IO_FAILED, "%s: %s", folder, strerror(errno));
    *out = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        *out += strncmp(entry->d_name, origin, ORIGIN_DIGITS) == 0;
    closedir(dir);
    return DONE;
}

fault conflicts_keep(const char *audit_folder, const char *origin, struct span note, size_t spare,
                     char name[CONFLICT_NAME_BYTES], bool *fresh)
{
    char folder[PATH_BYTES], path[PATH_BYTES], of[ORIGIN_DIGITS + 1], this[NOTE_DIGITS + 1];
    size_t count = 0;
    short_hash(span_of_text(origin), of);
    short_hash(note, this);
    text_format(name, CONFLICT_NAME_BYTES, "conflicts/%s-%s.checkpoint", of, this);
    if (!text_format(folder, sizeof folder, "%s/conflicts", audit_folder) ||
        !text_format(path, sizeof path, "%s/%s", audit_folder, name))
        return RAISE(BAD_CONFIG, "the log folder's name is too long");
    *fresh = access(path, F_OK) != 0;
    if (!*fresh)
        return DONE;
    TRY(file_make_folders(folder, 0700));
    TRY(count_of(folder, of, &count));
    if (count + spare >= CONFLICTS_A_LOG_MAX)
        return RAISE(OVERLOADED, "%zu contradicting notes of %s are kept already", count, origin);
    return file_replace(path, note, 0644);
}
