// SPDX-License-Identifier: MIT
/* Why exchanges were refused or failed; how long answers took. */
#include "tools/audit/picture.h"

#include <inttypes.h>
#include <stdlib.h>

#define LEFT 330.0
#define WIDE 570.0
#define ROW 38.0

// --- refusals -----------------------------------------------------------------------------------

static int by_count(const void *a, const void *b)
{
    const struct reason *const *x = a;
    const struct reason *const *y = b;
    if ((*x)->count != (*y)->count)
        return (*x)->count < (*y)->count ? 1 : -1;
    int order = strcmp((*x)->rule, (*y)->rule);
    return order != 0 ? order : strcmp((*x)->outcome, (*y)->outcome);
}

static const struct reason **sorted(const struct picture *self, size_t *count)
{
    const struct reason **list = owned_array(self->reasons.count + 1, sizeof *list);
    size_t step = 0;
    for (const struct reason *at; (at = map_next(&self->reasons, &step, NULL)) != NULL;)
        list[(*count)++] = at;
    if (*count > 0)
        qsort(list, *count, sizeof *list, by_count);
    return list;
}

static void put_bar(struct picture *self, const struct reason *reason, size_t row, uint64_t most)
{
    double y = 4 + (double)row * ROW, wide = WIDE * (double)reason->count / (double)most;
    bool ruled = reason->rule[0] != '\0';
    page_text(self->page, "<g><title>");
    page_plain(self->page, span_of_text(reason->outcome));
    page_text(self->page, ruled ? ", by rule " : "");
    page_plain(self->page, span_of_text(reason->rule));
    page_put(self->page, ": %s</title><text class=\"who end\" x=\"%.1f\" y=\"%.1f\">",
             figure_of(reason->count).text, LEFT - 10, y + 10);
    page_cut(self->page, span_of_text(ruled ? reason->rule : reason->outcome), 42);
    page_text(self->page, "</text>");
    if (ruled) {
        page_put(self->page, "<text class=\"lab end\" x=\"%.1f\" y=\"%.1f\">", LEFT - 10, y + 23);
        page_cut(self->page, span_of_text(reason->outcome), 42);
        page_text(self->page, "</text>");
    }
    page_put(self->page,
             "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"16\" rx=\"2\"/>"
             "<text class=\"lab start\" x=\"%.1f\" y=\"%.1f\">%s</text></g>\n",
             reason->group == OUTCOME_REFUSED ? "refused" : "failed", LEFT, y + 2,
             wide < 1.5 ? 1.5 : wide, LEFT + wide + 8, y + 14, figure_of(reason->count).text);
}

static void put_reason_row(struct picture *self, const struct reason *reason)
{
    page_text(self->page, "<tr><td>");
    page_words(self->page, span_of_text(reason->rule[0] == '\0' ? "\u2013" : reason->rule));
    page_text(self->page, "</td><td>");
    page_words(self->page, span_of_text(reason->outcome));
    page_put(self->page, "</td><td>%s</td><td class=\"n\">%s</td></tr>\n",
             reason->group == OUTCOME_REFUSED ? "refused" : "failed",
             figure_of(reason->count).text);
}

static void put_reasons(struct picture *self, const struct reason **list, size_t count)
{
    size_t shown = count < PICTURE_RULES ? count : PICTURE_RULES;
    uint64_t rest = 0;
    page_put(
        self->page,
        "<div class=\"wide\"><svg id=\"chart-rules\" viewBox=\"0 0 1000 %.0f\" role=\"img\" "
        "aria-labelledby=\"rules-t\"><title id=\"rules-t\">Refusals and failures by the rule or "
        "fault that they name</title>\n",
        8 + (double)shown * ROW);
    for (size_t i = 0; i < shown; i++)
        put_bar(self, list[i], i, list[0]->count);
    page_text(self->page,
              "</svg></div>\n<details><summary>The same as a table</summary><table><thead>"
              "<tr><th>rule</th><th>fault or status</th><th>counts as</th>"
              "<th class=\"n\">how often</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < shown; i++)
        put_reason_row(self, list[i]);
    for (size_t i = shown; i < count; i++)
        rest += list[i]->count;
    if (count > shown)
        page_put(self->page,
                 "<tr><td>%zu others</td><td></td><td></td><td class=\"n\">%s</td></tr>",
                 count - shown, figure_of(rest).text);
    page_text(self->page, "</tbody></table></details>\n");
}

void picture_put_reasons(struct picture *self)
{
    size_t count = 0;
    const struct reason **list = sorted(self, &count);
    page_text(self->page, "<section id=\"rules\"><h2>Refusals by rule</h2>\n");
    if (count == 0) {
        page_text(self->page, "<p class=\"empty\">Nothing was refused, and nothing failed.</p>\n");
    } else {
        page_text(
            self->page,
            "<ul class=\"legend\"><li><span class=\"key refused\"></span>refused: by a rule, or "
            "for what was asked</li><li><span class=\"key failed\"></span>failed: at the "
            "provider, on the way, or by a deadline</li></ul>\n");
        put_reasons(self, list, count);
    }
    page_text(self->page, "</section>\n");
    free(list);
}

// --- latencies ----------------------------------------------------------------------------------

static const int64_t edges[PICTURE_DECADES] = {1,     2,     5,     10,     20,     50,
                                               100,   200,   500,   1000,   2000,   5000,
                                               10000, 20000, 60000, 120000, 300000, INT64_MAX};

#define L_LEFT 64.0
#define L_TOP 40.0
#define L_HIGH 180.0
#define L_STEP 50.0

static int64_t quantile(const struct picture *self, unsigned thousandths)
{
    size_t at = (self->latencies * thousandths + 999) / 1000;
    return self->latency[at == 0 ? 0 : at - 1];
}

static size_t column_of(int64_t ms)
{
    size_t i = 0;
    while (i + 1 < PICTURE_DECADES && ms >= edges[i])
        i++;
    return i;
}

/* Between the edges of its column, by the logarithm's stead: halves look even enough. */
static double place_of(int64_t ms)
{
    size_t i = column_of(ms);
    int64_t low = i == 0 ? 0 : edges[i - 1], high = i + 1 == PICTURE_DECADES ? 2 * low : edges[i];
    double part = (double)(ms - low) / (double)(high - low);
    return L_LEFT + ((double)i + (part > 1 ? 1 : part)) * L_STEP;
}

/* Words after all lines, so that no line runs through them. */
static void put_quantiles(struct picture *self)
{
    static const unsigned thousandths[] = {500, 950, 990};
    for (size_t i = 0; i < 3; i++) {
        double x = place_of(quantile(self, thousandths[i]));
        page_put(self->page,
                 "<line class=\"mark\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", x, x,
                 34 - 16.0 * (double)i, L_TOP + L_HIGH);
    }
    for (size_t i = 0; i < 3; i++) {
        int64_t ms = quantile(self, thousandths[i]);
        double x = place_of(ms);
        page_put(self->page, "<text class=\"halo%s\" x=\"%.1f\" y=\"%.1f\">p%u %s</text>\n",
                 x > 820 ? " end" : "", x > 820 ? x - 5 : x + 5, 42 - 16.0 * (double)i,
                 thousandths[i] / 10, span_of_ms(ms).text);
    }
}

static void put_latency_columns(struct picture *self, const uint64_t columns[PICTURE_DECADES])
{
    uint64_t most = 1;
    for (size_t i = 0; i < PICTURE_DECADES; i++)
        most = columns[i] > most ? columns[i] : most;
    for (size_t i = 0; i < PICTURE_DECADES; i++) {
        double high = L_HIGH * 0.85 * (double)columns[i] / (double)most;
        double x = L_LEFT + (double)i * L_STEP;
        if (columns[i] > 0)
            page_put(self->page,
                     "<rect class=\"flow\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\">"
                     "<title>%s%s: %s answers</title></rect>",
                     x + 1, L_TOP + L_HIGH - (high < 1.2 ? 1.2 : high), L_STEP - 2,
                     high < 1.2 ? 1.2 : high, i + 1 == PICTURE_DECADES ? "from " : "under ",
                     span_of_ms(edges[i + 1 == PICTURE_DECADES ? i - 1 : i]).text,
                     figure_of(columns[i]).text);
        if (i + 1 < PICTURE_DECADES)
            page_put(self->page, "<text class=\"lab\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
                     x + L_STEP, L_TOP + L_HIGH + 18, span_of_ms(edges[i]).text);
    }
}

static void put_latency_table(struct picture *self, const uint64_t columns[PICTURE_DECADES])
{
    page_text(self->page,
              "<details><summary>The same as a table</summary><table><thead><tr><th>took"
              "</th><th class=\"n\">answers</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < PICTURE_DECADES; i++)
        if (columns[i] > 0)
            page_put(self->page, "<tr><td>%s %s</td><td class=\"n\">%s</td></tr>\n",
                     i + 1 == PICTURE_DECADES ? "from" : "under",
                     span_of_ms(edges[i + 1 == PICTURE_DECADES ? i - 1 : i]).text,
                     figure_of(columns[i]).text);
    page_text(self->page, "</tbody></table></details>\n");
}

static void put_latencies(struct picture *self)
{
    uint64_t columns[PICTURE_DECADES] = {0};
    for (size_t i = 0; i < self->latencies; i++)
        columns[column_of(self->latency[i])]++;
    page_put(
        self->page,
        "<p>From the request's time to its answer's, in milliseconds, as both are signed; two "
        "servers' clocks. %s answers: half of them within <b>%s</b>, 95 of 100 within <b>%s</b>, "
        "99 of 100 within <b>%s</b>.</p>\n<div class=\"wide\"><svg id=\"chart-latency\" "
        "viewBox=\"0 0 1000 %.0f\" role=\"img\" aria-labelledby=\"lat-t\"><title id=\"lat-t\">How "
        "long answers took</title>\n",
        figure_of(self->latencies).text, span_of_ms(quantile(self, 500)).text,
        span_of_ms(quantile(self, 950)).text, span_of_ms(quantile(self, 990)).text,
        L_TOP + L_HIGH + 28);
    page_put(self->page, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>",
             L_LEFT, L_LEFT + PICTURE_DECADES * L_STEP, L_TOP + L_HIGH, L_TOP + L_HIGH);
    put_latency_columns(self, columns);
    put_quantiles(self);
    page_text(self->page, "</svg></div>\n");
    put_latency_table(self, columns);
}

void picture_put_latency(struct picture *self)
{
    page_text(self->page, "<section id=\"latency\"><h2>How long answers took</h2>\n");
    if (self->latencies == 0)
        page_text(self->page, "<p class=\"empty\">There are no answers to show.</p>\n");
    else
        put_latencies(self);
    if (self->backwards > 0)
        page_put(
            self->page,
            "<p class=\"more\">%s answers are dated before their request: the two servers' clocks "
            "differed by more than the answer took. They are left out here.</p>\n",
            figure_of(self->backwards).text);
    page_text(self->page, "</section>\n");
}
