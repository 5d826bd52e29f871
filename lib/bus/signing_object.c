// SPDX-License-Identifier: MIT
#include "lib/bus/signing_object.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"

#define PATH_BYTES 512
#define HEX_ROOM (2 * TOKEN_ID_BYTES_MAX + 1)
#define FIRST_ROOM (HEX_ROOM + TOKEN_OBJECT_ROOM)
#define FILE_BYTES_MAX (FIRST_ROOM + TOKEN_OBJECT_ROOM)
#define BASE_BYTES_MAX (TOKEN_OBJECT_ROOM - 16)

static fault path_of(const char *folder, const char *file, char out[PATH_BYTES])
{
    return text_format(out, PATH_BYTES, "%s/%s", folder, file)
               ? DONE
               : RAISE(BAD_CONFIG, "keys_folder is too long");
}

static void first_line(const struct token_uri *settings, char out[FIRST_ROOM])
{
    char id[HEX_ROOM] = "-";
    if (settings->id_size > 0)
        text_hex(span_of(settings->id, settings->id_size), id, sizeof id);
    text_format(out, FIRST_ROOM, "%s %s", id, settings->object);
}

/* A line, without its end. False: there is none. */
static bool take_line(struct span *rest, struct span *line)
{
    const uint8_t *end = rest->size == 0 ? NULL : memchr(rest->at, '\n', rest->size);
    if (end == NULL)
        return false;
    *line = span_of(rest->at, (size_t)(end - rest->at));
    *rest = span_of(end + 1, rest->size - line->size - 1);
    return true;
}

fault signing_object_read(const char *keys_folder, const char *file,
                          const struct token_uri *settings, char out[TOKEN_OBJECT_ROOM])
{
    char path[PATH_BYTES], wanted[FIRST_ROOM];
    OWNED(bytes) content = NULL;
    struct span of, object;
    TRY(path_of(keys_folder, file, path));
    TRY(file_read(path, FILE_BYTES_MAX, &content));
    struct span rest = bytes_span(content);
    if (!take_line(&rest, &of) || !take_line(&rest, &object) || rest.size != 0 ||
        object.size == 0 || object.size >= TOKEN_OBJECT_ROOM || !text_is_plain(object))
        return RAISE(BAD_FRAME, "%s is not two lines that name objects of a token", path);
    first_line(settings, wanted);
    if (!span_is_text(of, wanted))
        return RAISE(NOT_FOUND, "%s is of other settings", path);
    text_format(out, TOKEN_OBJECT_ROOM, "%.*s", (int)object.size, (const char *)object.at);
    return DONE;
}

fault signing_object_write(const char *keys_folder, const char *file,
                           const struct token_uri *settings, const char *object)
{
    char path[PATH_BYTES], first[FIRST_ROOM], content[FILE_BYTES_MAX + 1];
    TRY(path_of(keys_folder, file, path));
    first_line(settings, first);
    if (object[0] == '\0' || !text_is_plain(span_of_text(first)) ||
        !text_is_plain(span_of_text(object)))
        return RAISE(BAD_CONFIG, "a label of a key in the token that is no plain text");
    text_format(content, sizeof content, "%s\n%s\n", first, object);
    return file_replace(path, span_of_text(content), 0644);
}

fault signing_object_take(const char *keys_folder, struct token_uri *uri)
{
    char object[TOKEN_OBJECT_ROOM];
    fault f = signing_object_read(keys_folder, SIGNING_OBJECT_FILE, uri, object);
    if (f.code == NOT_FOUND)
        return DONE;
    TRY(f);
    text_format(uri->object, sizeof uri->object, "%s", object);
    uri->id_size = 0;
    return DONE;
}

/* Of a label that is too long the beginning: whole characters. */
static int base_bytes(const char *label)
{
    size_t size = strlen(label);
    if (size <= BASE_BYTES_MAX)
        return (int)size;
    for (size = BASE_BYTES_MAX; size > 0 && ((uint8_t)label[size] & 0xc0) == 0x80;)
        size--;
    return (int)size;
}

void signing_object_name(const struct token_uri *settings, int64_t now_ms, unsigned attempt,
                         char out[TOKEN_OBJECT_ROOM])
{
    char day[32], number[16] = "";
    const char *base = settings->object[0] == '\0' ? "sign" : settings->object;
    clock_text(now_ms, day, sizeof day);
    if (attempt > 0)
        text_format(number, sizeof number, "-%u", attempt + 1);
    text_format(out, TOKEN_OBJECT_ROOM, "%.*s-%.4s%.2s%.2s%s", base_bytes(base), base, day, day + 5,
                day + 8, number);
}
