// SPDX-License-Identifier: MIT
#include "security-server/token/pin_note.h"

#include "lib/base/file.h"
#include "lib/base/text.h"

#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 512
#define MARKS_BYTES 160

static fault note_path(const char *keys_folder, char out[PATH_BYTES])
{
    return text_format(out, PATH_BYTES, "%s/pin.refused", keys_folder)
               ? DONE
               : RAISE(BAD_CONFIG, "keys_folder is too long");
}

static fault marks_of(const char *path, char out[MARKS_BYTES])
{
    struct stat facts;
    if (stat(path, &facts) != 0)
        return RAISE(BAD_PASSPHRASE, "the PIN, %s: %m", path);
    text_format(out, MARKS_BYTES, "%llu %llu %lld %lld.%09ld\n", (unsigned long long)facts.st_dev,
                (unsigned long long)facts.st_ino, (long long)facts.st_size,
                (long long)facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec);
    return DONE;
}

fault pin_note_check(const char *keys_folder, const char *path)
{
    char note[PATH_BYTES], marks[MARKS_BYTES];
    OWNED(bytes) kept = NULL;
    TRY(note_path(keys_folder, note));
    TRY(marks_of(path, marks));
    fault f = file_read(note, MARKS_BYTES, &kept);
    if (f.code == NOT_FOUND)
        return DONE;
    TRY(f);
    if (!span_is_text(bytes_span(kept), marks))
        return DONE;
    return RAISE(TOKEN_REFUSED,
                 "the token did not take the PIN in %s, and it is not tried again, for a token "
                 "locks itself: write the right one into that file",
                 path);
}

fault pin_note_keep(const char *keys_folder, const char *path)
{
    char note[PATH_BYTES], marks[MARKS_BYTES];
    TRY(note_path(keys_folder, note));
    TRY(marks_of(path, marks));
    return file_replace(note, span_of_text(marks), 0600);
}

void pin_note_drop(const char *keys_folder)
{
    char note[PATH_BYTES];
    if (!failed(note_path(keys_folder, note)))
        unlink(note); /* there was none, mostly */
}
