// SPDX-License-Identifier: MIT
#include "tools/audit/page.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/evidence/printable.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define PUT_BYTES 4096

struct page {
    struct bytes *bytes;
};

struct page *page_new(void)
{
    struct page *self = owned_new(sizeof *self);
    self->bytes = bytes_empty(1 << 16);
    return self;
}

void page_free(struct page **self)
{
    if (*self == NULL)
        return;
    bytes_free(&(*self)->bytes);
    free(*self);
    *self = NULL;
}

struct span page_span(const struct page *self)
{
    return bytes_span(self->bytes);
}

static void add(struct page *self, struct span more)
{
    if (failed(bytes_append(self->bytes, more)))
        abort(); /* out of memory; a page is bounded */
}

void page_put(struct page *self, const char *format, ...)
{
    char text[PUT_BYTES];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (size < 0 || (size_t)size >= sizeof text)
        abort(); /* our own mistake: long text goes through page_text */
    add(self, span_of(text, (size_t)size));
}

void page_text(struct page *self, const char *text)
{
    add(self, span_of_text(text));
}

// --- strangers' words ---------------------------------------------------------------------------

static const char *reference_of(char character)
{
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static void add_escaped(struct page *self, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const char *reference = reference_of(text[i]);
        add(self, reference != NULL ? span_of_text(reference) : span_of(text + i, 1));
    }
}

void page_plain(struct page *self, struct span words)
{
    OWNED(printable) shown = printable_of(words);
    add_escaped(self, shown->text, strlen(shown->text));
}

void page_words(struct page *self, struct span words)
{
    page_text(self, "<bdi>");
    page_plain(self, words);
    page_text(self, "</bdi>");
}

/* Bytes of the first `most` characters of UTF-8. */
static size_t size_of_first(const char *text, size_t most)
{
    size_t at = 0;
    for (size_t seen = 0; text[at] != '\0'; at++)
        if (((uint8_t)text[at] & 0xc0) != 0x80 && ++seen > most)
            break;
    return at;
}

void page_cut(struct page *self, struct span words, size_t most)
{
    OWNED(printable) shown = printable_of(words);
    size_t size = size_of_first(shown->text, most);
    bool whole = shown->text[size] == '\0';
    if (!whole)
        size = size_of_first(shown->text, most - 1);
    page_text(self, "<tspan class=\"iso\">");
    add_escaped(self, shown->text, size);
    page_text(self, whole ? "</tspan>" : "\u2026</tspan>");
}

// --- figures ------------------------------------------------------------------------------------

struct figure figure_of(uint64_t number)
{
    char digits[24];
    struct figure out = {""};
    int size = snprintf(digits, sizeof digits, "%" PRIu64, number);
    size_t at = 0;
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            out.text[at++] = ',';
        out.text[at++] = digits[i];
    }
    out.text[at] = '\0';
    return out;
}

struct figure share_of(uint64_t part, uint64_t whole)
{
    struct figure out = {"\u2013"};
    if (whole > 0)
        snprintf(out.text, sizeof out.text, "%.1f %%", 100.0 * (double)part / (double)whole);
    return out;
}

struct figure time_of_ms(int64_t time_ms)
{
    char text[32];
    struct figure out = {"\u2013"};
    if (time_ms <= 0)
        return out;
    clock_text(time_ms, text, sizeof text);
    snprintf(out.text, sizeof out.text, "%.10s %.8s", text, text + 11);
    return out;
}

struct figure span_of_ms(int64_t ms)
{
    struct figure out;
    int64_t minutes = ms / 60000;
    if (ms < 1000)
        snprintf(out.text, sizeof out.text, "%" PRId64 " ms", ms);
    else if (ms < 60000 && ms % 1000 == 0)
        snprintf(out.text, sizeof out.text, "%" PRId64 " s", ms / 1000);
    else if (ms < 60000)
        snprintf(out.text, sizeof out.text, "%.1f s", (double)ms / 1000);
    else if (minutes < 60)
        snprintf(out.text, sizeof out.text, "%" PRId64 " min", minutes);
    else if (minutes == 1440)
        snprintf(out.text, sizeof out.text, "a day");
    else if (minutes < 48 * 60 && minutes % 60 == 0)
        snprintf(out.text, sizeof out.text, "%" PRId64 " h", minutes / 60);
    else if (minutes < 48 * 60)
        snprintf(out.text, sizeof out.text, "%" PRId64 " h %" PRId64 " min", minutes / 60,
                 minutes % 60);
    else
        snprintf(out.text, sizeof out.text, "%" PRId64 " days", minutes / 1440);
    return out;
}
