// SPDX-License-Identifier: MIT
#include "lib/evidence/printable.h"

#include "lib/base/cursor.h"
#include "lib/base/text.h"

#include <stdlib.h>

/* Code points that move, hide or reorder what stands around them. */
static bool is_harmful(uint32_t point)
{
    static const uint32_t ranges[][2] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},     {0x180e, 0x180e},
        {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
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

/* Takes one character, or one byte of what is none: false when it must not be shown. */
static bool take_character(struct cursor *at, struct span *out)
{
    struct cursor ahead = *at;
    size_t length = length_after(at->left.at[0]);
    if (!failed(cursor_take(&ahead, length, out)) && text_is_utf8(*out)) {
        *at = ahead;
        return !is_harmful(point_of(*out));
    }
    ignore(cursor_take(at, 1, out)); /* there is one: the caller looked */
    return false;
}

static void add(struct bytes *self, struct span more)
{
    if (failed(bytes_append(self, more)))
        abort(); /* out of memory, for a few words */
}

static void add_escaped(struct bytes *self, struct span character)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < character.size; i++) {
        const char text[4] = {'\\', 'x', digits[character.at[i] >> 4],
                              digits[character.at[i] & 0x0f]};
        add(self, span_of(text, sizeof text));
    }
}

struct printable *printable_of(struct span words)
{
    struct printable *self = owned_new(sizeof *self);
    OWNED(bytes) shown = bytes_empty(words.size + 1);
    struct cursor at = cursor_over(words);
    while (!cursor_at_end(&at)) {
        struct span character;
        if (!take_character(&at, &character))
            add_escaped(shown, character);
        else if (character.at[0] == '\\')
            add(shown, span_of_text("\\\\"));
        else
            add(shown, character);
    }
    add(shown, span_of("", 1));
    self->text = owned_text((const char *)shown->data);
    return self;
}

void printable_free(struct printable **self)
{
    if (*self == NULL)
        return;
    free((*self)->text);
    free(*self);
    *self = NULL;
}

void printable_put(FILE *out, struct span words)
{
    OWNED(printable) shown = printable_of(words);
    fputs(shown->text, out);
}

void printable_put_lines(FILE *out, const char *before, struct span words)
{
    struct cursor at = cursor_over(words);
    while (!cursor_at_end(&at)) {
        struct span line = at.left;
        if (failed(cursor_take_until(&at, '\n', &line)))
            ignore(cursor_take(&at, line.size, &line)); /* the last one, which nothing ends */
        fputs(before, out);
        printable_put(out, line);
        fputc('\n', out);
    }
}
