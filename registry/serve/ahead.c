// SPDX-License-Identifier: MIT
#include "registry/serve/ahead.h"

#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "registry/commands.h"

#include <unistd.h>

static fault path_of(const char *store, char out[STORE_PATH_BYTES])
{
    return text_format(out, STORE_PATH_BYTES, "%s/ahead", store)
               ? DONE
               : RAISE(BAD_CONFIG, "the store's name is too long");
}

fault ahead_take(const char *store, uint64_t own, const struct checkpoint *head, struct span note)
{
    char path[STORE_PATH_BYTES];
    if (head->size <= own)
        return DONE;
    TRY(path_of(store, path));
    fault f = file_replace(path, note, 0644);
    EVENT(ERROR, "registry.store_behind", E_NUMBER("held_elsewhere", (int64_t)head->size),
          E_NUMBER("held_here", (int64_t)own), E_FAULT(f),
          E_TEXT("detail",
                 "who follows holds acts that this store does not: it is an old copy, and "
                 "is served no more; put back the newest one"));
    return RAISE(DIRECTORY_OLD, "this store is an old copy");
}

fault ahead_check(const char *folder)
{
    char path[STORE_PATH_BYTES];
    OWNED(bytes) note = NULL;
    OWNED(store) store = NULL;
    TRY(path_of(folder, path));
    fault f = file_read(path, NOTE_BYTES_MAX, &note);
    if (f.code == NOT_FOUND)
        return DONE;
    TRY(f);
    TRY(store_look(folder, &store));
    TRY(publish_check_past(store, bytes_span(note), "what a node showed (STORE/ahead)"));
    unlink(path);
    return DONE;
}
