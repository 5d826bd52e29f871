// SPDX-License-Identifier: MIT
#include "security-server/renewal_files.h"

#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/signing_object.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 512

static fault rename_in(const char *folder, const char *from, const char *to)
{
    char old[PATH_BYTES], new[PATH_BYTES];
    if (!text_format(old, sizeof old, "%s/%s", folder, from) ||
        !text_format(new, sizeof new, "%s/%s", folder, to))
        return RAISE(BAD_CONFIG, "keys_folder is too long");
    if (rename(old, new) != 0 && errno != ENOENT)
        return RAISE(IO_FAILED, "%s: %s", old, strerror(errno));
    return file_sync_folder(folder);
}

fault renewal_files_take(const char *keys_folder, bool token)
{
    char path[PATH_BYTES];
    if (!text_format(path, sizeof path, "%s/sign.next.crt", keys_folder))
        return RAISE(BAD_CONFIG, "keys_folder is too long");
    if (access(path, F_OK) != 0)
        return DONE;
    if (token)
        TRY(rename_in(keys_folder, SIGNING_NEXT_OBJECT_FILE, SIGNING_OBJECT_FILE));
    else
        TRY(rename_in(keys_folder, "sign.next.key", "sign.key"));
    TRY(rename_in(keys_folder, "sign.next.crt", "sign.crt"));
    EVENT(INFO, "keys.renewed", E_TEXT("folder", keys_folder));
    return DONE;
}
