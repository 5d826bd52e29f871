// SPDX-License-Identifier: MIT
#include "security-server/scribe/hurry.h"

#include "lib/base/clock.h"
#include "lib/base/cursor.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/audit_log.h"

#include <sys/stat.h>

#define PATH_BYTES 512
#define FILE_BYTES_MAX 512
#define AGAIN_MS 2000

/* The number that a file begins with; 0: none. */
static uint64_t read_number(const char *audit_folder, unsigned epoch, const char *name, char end)
{
    char path[PATH_BYTES];
    OWNED(bytes) text = NULL;
    struct span word;
    uint64_t number = 0;
    audit_log_path(audit_folder, epoch, name, path, sizeof path);
    if (failed(file_read(path, FILE_BYTES_MAX, &text)))
        return 0;
    struct cursor at = cursor_over(bytes_span(text));
    if (failed(cursor_take_until(&at, (uint8_t)end, &word)) ||
        failed(text_number(word, INT64_MAX, &number)))
        return 0;
    return number;
}

void hurry_look(struct hurry *self, const char *audit_folder, unsigned epoch)
{
    char path[PATH_BYTES];
    struct stat st;
    audit_log_path(audit_folder, epoch, "hurry", path, sizeof path);
    if (stat(path, &st) == 0 &&
        (st.st_mtim.tv_sec != self->stamp_s || st.st_mtim.tv_nsec != self->stamp_ns)) {
        self->stamp_s = st.st_mtim.tv_sec;
        self->stamp_ns = st.st_mtim.tv_nsec;
        self->wanted = read_number(audit_folder, epoch, "hurry", '\n');
    }
    if (self->wanted > 0 && read_number(audit_folder, epoch, "stamped", ' ') >= self->wanted)
        self->wanted = 0;
}

bool hurry_is_due(struct hurry *self, uint64_t size)
{
    if (self->wanted == 0 || size < self->wanted || clock_steady_ms() < self->next_ms)
        return false;
    self->next_ms = clock_steady_ms() + AGAIN_MS;
    return true;
}
