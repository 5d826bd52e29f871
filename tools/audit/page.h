// SPDX-License-Identifier: MIT
/*
 * page - an HTML page on its way to a file.
 *
 * Two doors. Through page_put go our own markup, numbers and fixed words, and nothing else. Through
 * page_words and page_cut go words that stand in a log, which strangers chose: what drives, hides
 * or reorders (control characters, changes of writing direction) is shown as \xNN, what could be
 * markup is written as a reference, and the words stay to themselves (bdi, or isolated in a
 * picture).
 */
#ifndef TOOLS_AUDIT_PAGE_H
#define TOOLS_AUDIT_PAGE_H

#include "lib/base/bytes.h"

struct page;

struct page *page_new(void);
void page_free(struct page **self);
struct span page_span(const struct page *self);

/* printf style; ours only. */
void page_put(struct page *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Of any length, ours only. */
void page_text(struct page *self, const char *text);

/* A log's words, in HTML. */
void page_words(struct page *self, struct span words);
/* The same inside of a text element of an SVG picture, at most `most` characters of it. */
void page_cut(struct page *self, struct span words, size_t most);
/* The same where no element may stand: title elements. */
void page_plain(struct page *self, struct span words);

/* "1,234,567" */
struct figure {
    char text[32];
};
struct figure figure_of(uint64_t number);
/* "12.3 %", of nothing "-" */
struct figure share_of(uint64_t part, uint64_t whole);
/* "2026-11-21 04:05:06", UTC; "-" for 0 */
struct figure time_of_ms(int64_t time_ms);
/* "350 ms", "12.5 s", "3 min", "2 h 5 min", "4 days" */
struct figure span_of_ms(int64_t ms);

#endif
