// SPDX-License-Identifier: MIT
#include "gateway/write.h"

#include "lib/base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void write_span(struct bytes *out, struct span text)
{
    if (failed(bytes_append(out, text)))
        abort();
}

void write_text(struct bytes *out, const char *text)
{
    write_span(out, span_of_text(text));
}

void write_number(struct bytes *out, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    write_span(out, span_of(digits + at, sizeof digits - at));
}

void write_format(struct bytes *out, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    assert(length >= 0 && (size_t)length < sizeof line);
    write_span(out, span_of(line, (size_t)length));
}

/* How many bytes at `at` form one character; 0 when they do not. */
static size_t character_at(struct span text, size_t at)
{
    uint8_t first = text.at[at];
    size_t size = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (size > text.size - at || !text_is_utf8(span_of(text.at + at, size)))
        return 0;
    return size;
}

#define REPLACEMENT "\xef\xbf\xbd"

static void write_json_special(struct bytes *out, uint8_t c)
{
    switch (c) {
    case '"':
        write_text(out, "\\\"");
        break;
    case '\\':
        write_text(out, "\\\\");
        break;
    case '\n':
        write_text(out, "\\n");
        break;
    case '\r':
        write_text(out, "\\r");
        break;
    case '\t':
        write_text(out, "\\t");
        break;
    default:
        write_format(out, "\\u%04x", c);
    }
}

void write_json(struct bytes *out, struct span text)
{
    write_text(out, "\"");
    size_t plain = 0; /* start of what has not been written yet */
    for (size_t i = 0; i < text.size;) {
        uint8_t c = text.at[i];
        size_t size = c < 0x80 ? 1 : character_at(text, i);
        if (size == 0 || c < 0x20 || c == '"' || c == '\\') {
            write_span(out, span_of(text.at + plain, i - plain));
            if (size == 0)
                write_text(out, REPLACEMENT);
            else
                write_json_special(out, c);
            plain = i + 1;
        }
        i += size == 0 ? 1 : size;
    }
    if (text.size > plain)
        write_span(out, span_of(text.at + plain, text.size - plain));
    write_text(out, "\"");
}

static const char *xml_special(uint8_t c)
{
    switch (c) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '\r':
        return "&#13;";
    default:
        return c < 0x20 && c != '\t' && c != '\n' ? REPLACEMENT : NULL;
    }
}

/* U+FFFE and U+FFFF: in UTF-8, and in no XML document (XML 1.0, 2.2). */
static bool is_no_character(struct span character)
{
    return span_is_text(character, "\xef\xbf\xbe") || span_is_text(character, "\xef\xbf\xbf");
}

void write_xml(struct bytes *out, struct span text)
{
    for (size_t i = 0; i < text.size;) {
        size_t size = character_at(text, i);
        bool none = size == 0 || is_no_character(span_of(text.at + i, size));
        const char *special = none ? REPLACEMENT : xml_special(text.at[i]);
        if (special != NULL)
            write_text(out, special);
        else
            write_span(out, span_of(text.at + i, size));
        i += size == 0 ? 1 : size;
    }
}
