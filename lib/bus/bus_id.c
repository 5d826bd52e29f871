// SPDX-License-Identifier: MIT
#include "lib/bus/bus_id.h"

#include "lib/base/cursor.h"
#include "lib/base/text.h"

#include <assert.h>

static fault parse_part(struct span text, char out[ID_PART_BYTES_MAX + 1])
{
    if (text.size == 0)
        return RAISE(BAD_NAME, "an identifier with an empty part");
    if (failed(text_percent_decode(text, out, ID_PART_BYTES_MAX + 1)))
        return RAISE(BAD_NAME,
                     "a part of an identifier is not percent-encoded UTF-8 of at most %d bytes",
                     ID_PART_BYTES_MAX);
    if (!text_is_plain(span_of_text(out))) /* Java's isISOControl, as in X-Road */
        return RAISE(BAD_NAME, "an identifier with a control character");
    return DONE;
}

fault bus_id_parse(struct span text, unsigned least, unsigned most, struct bus_id *out)
{
    assert(least >= 1 && most <= 5);
    struct cursor at = cursor_over(text);
    unsigned parts = 0;
    for (bool more = true; more; parts++) {
        struct span part = at.left;
        if (parts == most)
            return RAISE(BAD_NAME, "an identifier of more than %u parts", most);
        more = part.size > 0 && memchr(part.at, '/', part.size) != NULL;
        if (more)
            TRY(cursor_take_until(&at, '/', &part));
        TRY(parse_part(part, out->part[parts]));
    }
    if (parts < least)
        return RAISE(BAD_NAME, "an identifier of %u parts where %u are needed", parts, least);
    out->parts = parts;
    return DONE;
}

fault bus_id_check_strict(const struct bus_id *self)
{
    for (unsigned i = 0; i < self->parts; i++) {
        const char *part = self->part[i];
        size_t size = strlen(part);
        if (strpbrk(part, ":;/\\%") != NULL)
            return RAISE(BAD_NAME, "a part with one of : ; / \\ %%");
        if (strstr(part, "\u200b") != NULL || strstr(part, "\ufeff") != NULL)
            return RAISE(BAD_NAME, "a part with a character that cannot be seen");
        if (strchr(" .", part[0]) != NULL || strchr(" .", part[size - 1]) != NULL)
            return RAISE(BAD_NAME, "a part that begins or ends with a blank or a dot");
    }
    return DONE;
}

/* RFC 3986 pchar without percent escapes. */
static bool stands_for_itself(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("-._~!$&'()*+,;=:@", c) != NULL);
}

static size_t encode_part(const char *part, char *out)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t size = 0;
    for (const uint8_t *c = (const uint8_t *)part; *c != 0; c++) {
        if (stands_for_itself(*c)) {
            out[size++] = (char)*c;
            continue;
        }
        out[size++] = '%';
        out[size++] = digits[*c >> 4];
        out[size++] = digits[*c & 15];
    }
    return size;
}

size_t bus_id_text(const struct bus_id *self, unsigned parts, char *out, size_t room)
{
    size_t size = 0;
    assert(parts <= self->parts);
    for (unsigned i = 0; i < parts; i++) {
        assert(size + 3 * strlen(self->part[i]) + 2 <= room);
        if (i > 0)
            out[size++] = '/';
        size += encode_part(self->part[i], out + size);
    }
    out[size] = '\0';
    return size;
}

bool bus_id_is_plain(struct span text, unsigned parts)
{
    unsigned found = 1;
    size_t size = 0; /* of the present part */
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.at[i];
        if (c == '/' && size > 0) {
            found++;
            size = 0;
        } else if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                   c == '-' || c == '_' || c == '.') {
            size++;
        } else {
            return false;
        }
        if (size > ID_PART_BYTES_MAX)
            return false;
    }
    return size > 0 && found == parts;
}

struct span bus_id_prefix(struct span text, unsigned parts)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.at[i] == '/' && --parts == 0)
            return span_of(text.at, i);
    return text;
}

unsigned bus_id_count(struct span text)
{
    unsigned count = text.size > 0;
    for (size_t i = 0; i < text.size; i++)
        count += text.at[i] == '/';
    return count;
}
