// SPDX-License-Identifier: MIT
#include "security-server/scribe/status_copy.h"

#include "lib/base/cursor.h"
#include "lib/base/event.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/limits.h"
#include "lib/crypto/status.h"

#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 768
#define HEX_DIGITS 64

/* `<sha256>/<seconds>.ocsp|.crl`, and nothing that could lead elsewhere. */
static bool is_name(struct span name)
{
    struct cursor at = cursor_over(name);
    struct span hex, seconds;
    uint8_t hash[HEX_DIGITS / 2];
    uint64_t number = 0;
    return !failed(cursor_take_until(&at, '/', &hex)) && hex.size == HEX_DIGITS &&
           !failed(text_unhex(hex, hash, sizeof hash)) &&
           !failed(cursor_take_until(&at, '.', &seconds)) && seconds.size == 10 &&
           !failed(text_number(seconds, 9999999999, &number)) &&
           (span_is_text(at.left, "ocsp") || span_is_text(at.left, "crl"));
}

static fault copy(const char *from_folder, const char *to_folder, struct span name, bool *copied)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    OWNED(bytes) answer = NULL;
    *copied = false;
    if (!is_name(name))
        return RAISE(BAD_FRAME, "its index names a file of another kind");
    if (!text_format(from, sizeof from, "%s/status/%.*s", from_folder, (int)name.size,
                     (const char *)name.at) ||
        !text_format(to, sizeof to, "%s/directory/status/%.*s", to_folder, (int)name.size,
                     (const char *)name.at))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    if (access(to, F_OK) == 0)
        return DONE;
    TRY(file_read(from, STATUS_CRL_BYTES_MAX, &answer));
    *strrchr(to, '/') = '\0';
    TRY(file_make_folders(to, 0755));
    to[strlen(to)] = '/';
    *copied = true;
    return file_replace(to, bytes_span(answer), 0644);
}

/* *whole: nothing is left to be copied. */
static fault work_off(const char *from_folder, const char *to_folder, struct span index,
                      bool *whole)
{
    struct cursor at = cursor_over(index);
    struct span name;
    unsigned copies = 0;
    *whole = false;
    while (!failed(cursor_take_until(&at, '\n', &name))) {
        bool copied = false;
        if (copies == STATUS_COPIES_A_TURN)
            return DONE;
        TRY(copy(from_folder, to_folder, name, &copied));
        copies += copied;
    }
    *whole = true;
    return DONE;
}

static fault look(const char *directory_folder, const char *audit_folder, bool *whole)
{
    char path[PATH_BYTES];
    OWNED(bytes) index = NULL;
    *whole = false;
    if (!text_format(path, sizeof path, "%s/status/index", directory_folder))
        return RAISE(BAD_CONFIG, "the folder's name is too long");
    TRY(file_read(path, STATUS_INDEX_BYTES_MAX, &index));
    return work_off(directory_folder, audit_folder, bytes_span(index), whole);
}

void status_copy_look(struct status_copy *self, const char *directory_folder,
                      const char *audit_folder)
{
    char path[PATH_BYTES];
    struct stat st;
    bool whole = false;
    if (!text_format(path, sizeof path, "%s/status/index", directory_folder) ||
        stat(path, &st) != 0 ||
        (st.st_mtim.tv_sec == self->stamp.tv_sec && st.st_mtim.tv_nsec == self->stamp.tv_nsec))
        return;
    fault f = look(directory_folder, audit_folder, &whole);
    if (failed(f) && !self->said)
        EVENT(WARN, "scribe.statuses_not_copied", E_TEXT("from", directory_folder), E_FAULT(f));
    self->said = failed(f);
    if (whole)
        self->stamp = st.st_mtim;
}
