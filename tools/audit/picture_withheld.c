// SPDX-License-Identifier: MIT
/* Which columns of tables answers did not hold, and by which rule: what was given in part is no
 * refusal, and would be seen nowhere else. */
#include "tools/audit/picture.h"

#include <stdlib.h>

void picture_count_withheld(struct picture *self, const struct kept *answer, const char *service)
{
    if (answer->kind != HEADER_RESPONSE || answer->withheld == NULL)
        return;
    OWNED(bytes) key = bytes_empty(256);
    ignore(bytes_append(key, words_of(service)));
    ignore(bytes_append(key, span_of_text("\n")));
    ignore(bytes_append(key, span_of_text(answer->withheld)));
    struct held_back *at = map_get(&self->held_back, bytes_span(key));
    if (at == NULL) {
        at = owned_new(sizeof *at);
        at->service = service == NULL ? "" : service;
        at->columns = answer->withheld;
        map_set(&self->held_back, bytes_span(key), at);
    }
    at->count++;
}

static int by_count(const void *a, const void *b)
{
    const struct held_back *const *x = a;
    const struct held_back *const *y = b;
    if ((*x)->count != (*y)->count)
        return (*x)->count < (*y)->count ? 1 : -1;
    int order = strcmp((*x)->service, (*y)->service);
    return order != 0 ? order : strcmp((*x)->columns, (*y)->columns);
}

static void put_row(struct picture *self, const struct held_back *at)
{
    page_text(self->page, "<tr><td>");
    page_words(self->page, span_of_text(at->service));
    page_text(self->page, "</td><td>");
    page_words(self->page, span_of_text(at->columns));
    page_put(self->page, "</td><td class=\"n\">%s</td></tr>\n", figure_of(at->count).text);
}

static void put_table(struct picture *self, const struct held_back **list, size_t count)
{
    page_text(self->page, "<table><thead><tr><th>service</th><th>columns, each with its rule</th>"
                          "<th class=\"n\">answers</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < count && i < PICTURE_RULES; i++)
        put_row(self, list[i]);
    page_text(self->page, "</tbody></table>\n");
    if (count > PICTURE_RULES)
        page_put(self->page,
                 "<p class=\"more\">\u2026 and %zu more; chaski-audit search names "
                 "all.</p>\n",
                 count - PICTURE_RULES);
}

void picture_put_withheld(struct picture *self)
{
    size_t count = 0, step = 0;
    if (self->held_back.count == 0)
        return;
    const struct held_back **list = owned_array(self->held_back.count, sizeof *list);
    for (const struct held_back *at; (at = map_next(&self->held_back, &step, NULL)) != NULL;)
        list[count++] = at;
    qsort(list, count, sizeof *list, by_count);
    page_text(self->page, "<section id=\"withheld\"><h2>Withheld</h2>\n<p>Columns of tables that "
                          "answers did not hold, as their signed records say.</p>\n");
    put_table(self, list, count);
    page_text(self->page, "</section>\n");
    free(list);
}
