// SPDX-License-Identifier: MIT
#include "lib/base/shown.h"

#include "lib/base/text.h"

#define NO_CHARACTER 0xfffdu /* U+FFFD, as decoders have it */

bool shown_misleads(uint32_t point)
{
    static const uint32_t ranges[][2] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x34f, 0x34f},     {0x61c, 0x61c},
        {0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180b, 0x180e}, {0x200b, 0x200f},   {0x2028, 0x202e},
        {0x2060, 0x206f}, {0x3164, 0x3164}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
        {0xfff0, 0xfffb}, {0xd800, 0xdfff}, {0xe000, 0xf8ff}, {0xe0000, 0x10ffff}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (point >= ranges[i][0] && point <= ranges[i][1])
            return true;
    return false;
}

static size_t length_after(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xe0)
        return 2;
    return lead < 0xf0 ? 3 : 4;
}

static uint32_t point_of(struct span character)
{
    static const uint8_t lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t point = character.at[0] & lead_bits[character.size];
    for (size_t i = 1; i < character.size; i++)
        point = point << 6 | (character.at[i] & 0x3f);
    return point;
}

bool shown_take(struct cursor *at, struct span *out, uint32_t *point)
{
    struct cursor ahead = *at;
    size_t length = length_after(at->left.at[0]);
    if (!failed(cursor_take(&ahead, length, out)) && text_is_utf8(*out)) {
        *at = ahead;
        *point = point_of(*out);
        return !shown_misleads(*point);
    }
    ignore(cursor_take(at, 1, out)); /* there is one: the caller looked */
    *point = NO_CHARACTER;
    return false;
}

bool shown_as_is(struct span text)
{
    struct cursor at = cursor_over(text);
    while (!cursor_at_end(&at)) {
        struct span character;
        uint32_t point = 0;
        if (!shown_take(&at, &character, &point))
            return false;
    }
    return true;
}

static void put_escaped(FILE *out, uint32_t point)
{
    if (point > 0xffff)
        fprintf(out, "\\u%04x\\u%04x", 0xd7c0u + (point >> 10), 0xdc00u + (point & 0x3ff));
    else
        fprintf(out, "\\u%04x", point);
}

void shown_page(FILE *out, struct span text)
{
    struct cursor at = cursor_over(text);
    while (!cursor_at_end(&at)) {
        struct span character;
        uint32_t point = 0;
        if (shown_take(&at, &character, &point) || point == '\n')
            fwrite(character.at, 1, character.size, out);
        else
            put_escaped(out, point);
    }
}

void shown_plainly(char *text)
{
    struct cursor at = cursor_over(span_of_text(text));
    size_t used = 0;
    while (!cursor_at_end(&at)) {
        struct span character;
        uint32_t point = 0;
        if (shown_take(&at, &character, &point)) {
            memmove(text + used, character.at, character.size);
            used += character.size;
        } else {
            text[used++] = '?';
        }
    }
    text[used] = '\0';
}
