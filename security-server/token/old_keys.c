// SPDX-License-Identifier: MIT
#include "security-server/token/old_keys.h"

#include "lib/base/file.h"
#include "lib/base/text.h"

#include <inttypes.h>

#define PATH_BYTES 512
#define LINE_ROOM (TOKEN_OBJECT_ROOM + 24)
#define SECONDS_MAX UINT64_C(253402300799) /* 9999-12-31T23:59:59Z */

static fault path_of(const char *keys_folder, char out[PATH_BYTES])
{
    return text_format(out, PATH_BYTES, "%s/sign.old.objects", keys_folder)
               ? DONE
               : RAISE(BAD_CONFIG, "keys_folder is too long");
}

static bool take_line(struct span line, struct old_key *out)
{
    uint64_t ends_s = 0;
    const uint8_t *blank = line.size == 0 ? NULL : memchr(line.at, ' ', line.size);
    size_t digits = blank == NULL ? 0 : (size_t)(blank - line.at);
    if (digits == 0 || failed(text_number(span_of(line.at, digits), SECONDS_MAX, &ends_s)))
        return false;
    struct span object = span_of(blank + 1, line.size - digits - 1);
    if (object.size == 0 || object.size >= TOKEN_OBJECT_ROOM || !text_is_plain(object))
        return false;
    out->ends_s = (int64_t)ends_s;
    return text_format(out->object, sizeof out->object, "%.*s", (int)object.size,
                       (const char *)object.at);
}

fault old_keys_read(const char *keys_folder, struct old_keys *out)
{
    char path[PATH_BYTES];
    OWNED(bytes) file = NULL;
    struct old_keys all = {0};
    TRY(path_of(keys_folder, path));
    fault f = file_read(path, TOKEN_OLD_KEYS_MAX * LINE_ROOM, &file);
    if (f.code == NOT_FOUND) {
        *out = all;
        return DONE;
    }
    TRY(f);
    for (struct span rest = bytes_span(file); rest.size > 0;) {
        const uint8_t *end = memchr(rest.at, '\n', rest.size);
        size_t size = end == NULL ? 0 : (size_t)(end - rest.at);
        if (end == NULL || all.count == TOKEN_OLD_KEYS_MAX ||
            !take_line(span_of(rest.at, size), &all.key[all.count++]))
            return RAISE(BAD_FRAME, "%s is not a list of keys that gave way", path);
        rest = span_of(end + 1, rest.size - size - 1);
    }
    *out = all;
    return DONE;
}

fault old_keys_write(const char *keys_folder, const struct old_keys *all)
{
    char path[PATH_BYTES], line[LINE_ROOM];
    OWNED(bytes) file = bytes_empty(TOKEN_OLD_KEYS_MAX * LINE_ROOM);
    TRY(path_of(keys_folder, path));
    for (size_t i = 0; i < all->count; i++) {
        text_format(line, sizeof line, "%" PRId64 " %s\n", all->key[i].ends_s, all->key[i].object);
        TRY(bytes_append(file, span_of_text(line)));
    }
    return file_replace(path, bytes_span(file), 0644);
}

void old_keys_add(struct old_keys *self, const char *object, int64_t ends_s)
{
    size_t i = 0;
    while (i < self->count && strcmp(self->key[i].object, object) != 0)
        i++;
    if (i == TOKEN_OLD_KEYS_MAX) {
        memmove(&self->key[0], &self->key[1], (i - 1) * sizeof self->key[0]);
        i--;
    } else if (i == self->count) {
        self->count++;
    }
    self->key[i].ends_s = ends_s;
    text_format(self->key[i].object, sizeof self->key[i].object, "%s", object);
}
