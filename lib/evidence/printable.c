// SPDX-License-Identifier: MIT
#include "lib/evidence/printable.h"

#include "lib/base/shown.h"

#include <stdlib.h>

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
        uint32_t point = 0;
        if (!shown_take(&at, &character, &point))
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
