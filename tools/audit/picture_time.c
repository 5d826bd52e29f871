// SPDX-License-Identifier: MIT
/* Exchanges over time, and under it how each log was confirmed. */
#include "tools/audit/picture.h"

#include <inttypes.h>
#include <stdio.h>

#define LEFT 64.0
#define WIDE 920.0
#define HIGH 220.0
#define TOP 16.0
#define TICKS 6
#define LANE_HIGH 30.0

static const char *const classes[OUTCOMES] = {"ok", "refused", "failed", "none"};
static const char *const outcome_words[OUTCOMES] = {"answered", "refused", "failed",
                                                    "without an outcome"};

// --- the axis -----------------------------------------------------------------------------------

static bool is_long(const struct axis *self)
{
    return self->width_ms * (int64_t)self->buckets > 4 * INT64_C(86400000);
}

/* Days, or times of day and below them the day when it begins. */
static void put_time_label(struct page *page, const struct axis *self, int64_t at_ms, double x,
                           double y, char day[16])
{
    struct figure time = time_of_ms(at_ms);
    page_put(page, "<text class=\"lab\" x=\"%.1f\" y=\"%.1f\">", x, y);
    if (is_long(self))
        page_put(page, "%.10s</text>", time.text);
    else
        page_put(page, "%.*s</text>", self->width_ms < 60000 ? 8 : 5, time.text + 11);
    if (is_long(self) || strncmp(day, time.text, 10) == 0)
        return;
    snprintf(day, 16, "%.10s", time.text);
    page_put(page, "<text class=\"lab\" x=\"%.1f\" y=\"%.1f\">%s</text>", x, y + 15, day);
}

void axis_put(struct page *page, const struct axis *self, double x, double step, double y)
{
    size_t every = (self->buckets + TICKS - 1) / TICKS;
    char day[16] = "";
    for (size_t i = 0; i < self->buckets; i += every) {
        double at = x + (double)i * step;
        page_put(page, "<line class=\"tick\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", at,
                 at, y, y + 5);
        put_time_label(page, self, self->from_ms + (int64_t)i * self->width_ms, at, y + 18, day);
    }
    page_text(page, "\n");
}

static double step_of(const struct axis *self)
{
    double step = WIDE / (double)(self->buckets == 0 ? 1 : self->buckets);
    return step > 92 ? 92 : step;
}

// --- exchanges ----------------------------------------------------------------------------------

static uint64_t most_in_a_bucket(const struct picture *self)
{
    uint64_t most = 0;
    for (size_t i = 0; i < self->axis.buckets; i++)
        if (self->bucket[i].all > most)
            most = self->bucket[i].all;
    return most;
}

/* 1, 2 or 5 with zeros, at least `most`. */
static uint64_t round_up(uint64_t most)
{
    uint64_t unit = 1;
    while (unit * 10 < most)
        unit *= 10;
    static const uint64_t steps[] = {1, 2, 4, 5, 10};
    for (size_t i = 0; i < 5; i++)
        if (unit * steps[i] >= most)
            return unit * steps[i];
    return most;
}

static void put_grid(struct page *page, uint64_t most)
{
    for (unsigned i = 0; i <= 4; i++) {
        double y = TOP + HIGH - HIGH * i / 4.0;
        page_put(page, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>",
                 LEFT, LEFT + WIDE, y, y);
        if (most * i % 4 == 0)
            page_put(page, "<text class=\"lab end\" x=\"%.1f\" y=\"%.1f\">%s</text>", LEFT - 8,
                     y + 4, figure_of(most * i / 4).text);
    }
    page_text(page, "\n");
}

static void put_column_title(struct picture *self, size_t i)
{
    const struct tally *tally = &self->bucket[i];
    page_put(self->page, "<title>from %s UTC: %s exchanges",
             time_of_ms(self->axis.from_ms + (int64_t)i * self->axis.width_ms).text,
             figure_of(tally->all).text);
    for (size_t k = 0; k < OUTCOMES; k++)
        if (tally->by[k] > 0)
            page_put(self->page, ", %s %s", figure_of(tally->by[k]).text, outcome_words[k]);
    page_text(self->page, "</title>");
}

static void put_column(struct picture *self, size_t i, double step, uint64_t most)
{
    const struct tally *tally = &self->bucket[i];
    double gap = step > 40 ? 16 : step > 8 ? 2 : step > 3 ? 1 : 0.2, y = TOP + HIGH;
    if (tally->all == 0)
        return;
    page_text(self->page, "<g>");
    put_column_title(self, i);
    for (size_t k = 0; k < OUTCOMES; k++) {
        double high = HIGH * (double)tally->by[k] / (double)most;
        if (tally->by[k] == 0)
            continue;
        if (high < 1.2)
            high = 1.2; /* what is there is seen */
        y -= high;
        page_put(self->page,
                 "<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>",
                 classes[k], LEFT + (double)i * step + gap / 2, y, step - gap, high);
    }
    page_text(self->page, "</g>\n");
}

static void put_legend(struct picture *self)
{
    page_text(self->page, "<ul class=\"legend\">");
    for (size_t k = 0; k < OUTCOMES; k++)
        page_put(
            self->page,
            "<li><span class=\"key %s\"></span>%s <b>%s</b> <span class=\"dim\">%s</span></li>",
            classes[k], outcome_words[k], figure_of(self->tally.by[k]).text,
            share_of(self->tally.by[k], self->tally.all).text);
    page_text(self->page, "</ul>\n");
}

static void put_table(struct picture *self)
{
    page_text(
        self->page,
        "<details><summary>The same as a table</summary><table><thead><tr><th>from "
        "(UTC)</th><th class=\"n\">exchanges</th><th class=\"n\">answered</th><th class=\"n\">"
        "refused</th><th class=\"n\">failed</th><th class=\"n\">without an outcome</th></tr>"
        "</thead><tbody>\n");
    for (size_t i = 0; i < self->axis.buckets; i++) {
        const struct tally *tally = &self->bucket[i];
        if (tally->all == 0)
            continue;
        page_put(self->page, "<tr><td>%s</td><td class=\"n\">%s</td>",
                 time_of_ms(self->axis.from_ms + (int64_t)i * self->axis.width_ms).text,
                 figure_of(tally->all).text);
        for (size_t k = 0; k < OUTCOMES; k++)
            page_put(self->page, "<td class=\"n\">%s</td>", figure_of(tally->by[k]).text);
        page_text(self->page, "</tr>\n");
    }
    page_text(self->page, "</tbody></table></details>\n");
}

static void put_columns(struct picture *self)
{
    double step = step_of(&self->axis);
    uint64_t most = round_up(most_in_a_bucket(self));
    page_put(self->page,
             "<div class=\"wide\"><svg id=\"chart-time\" viewBox=\"0 0 1000 %.0f\" role=\"img\" "
             "aria-labelledby=\"time-t\"><title id=\"time-t\">Exchanges over time, a column for "
             "each %s, by outcome</title>\n",
             TOP + HIGH + 42, span_of_ms(self->axis.width_ms).text);
    put_grid(self->page, most);
    for (size_t i = 0; i < self->axis.buckets; i++)
        put_column(self, i, step, most);
    axis_put(self->page, &self->axis, LEFT, step, TOP + HIGH);
    page_text(self->page, "</svg></div>\n");
}

void picture_put_time(struct picture *self)
{
    page_text(self->page, "<section id=\"time\"><h2>Exchanges over time</h2>\n");
    if (self->tally.all == 0) {
        page_text(self->page, "<p class=\"empty\">There are no exchanges to show.</p></section>\n");
        return;
    }
    page_put(self->page,
             "<p>%s requests, and %s outcomes that answer none of them (such as a refusal before "
             "anything was sent). Each column is %s wide; times are those in the signed headers, "
             "UTC. An "
             "exchange is counted once, in however many of these logs it stands.</p>\n",
             figure_of(self->requests).text, figure_of(self->lone).text,
             span_of_ms(self->axis.width_ms).text);
    put_legend(self);
    put_columns(self);
    if (self->axis.outside > 0)
        page_put(self->page,
                 "<p class=\"more\">%s exchanges are dated far outside of the time shown.</p>\n",
                 figure_of(self->axis.outside).text);
    put_table(self);
    page_text(self->page, "</section>\n");
}

// --- lanes --------------------------------------------------------------------------------------

static const char *const state_classes[] = {"", "st-ok", "st-wait", "st-late", "st-never"};
static const char *const state_words[] = {"", "stamped within 15 minutes",
                                          "not stamped yet when the copy was made", "stamped late",
                                          "never stamped"};

static uint32_t busiest(const struct picture *self, const struct lane *lane)
{
    uint32_t most = 1;
    for (size_t i = 0; i < self->axis.buckets; i++)
        if (lane->entries[i] > most)
            most = lane->entries[i];
    return most;
}

static void put_cell(struct picture *self, const struct lane *lane, size_t i, double y, double step,
                     uint32_t most)
{
    double high = 2 + 14.0 * lane->entries[i] / most, x = LEFT + (double)i * step;
    double gap = step > 4 ? 1 : 0.1;
    if (lane->entries[i] == 0)
        return;
    page_put(
        self->page,
        "<g><title>from %s UTC: %s entries; %s</title><rect class=\"flow\" x=\"%.2f\" y=\"%.2f\" "
        "width=\"%.2f\" height=\"%.2f\"/>",
        time_of_ms(self->axis.from_ms + (int64_t)i * self->axis.width_ms).text,
        figure_of(lane->entries[i]).text,
        lane->state[i] == LANE_EMPTY ? "none of its own" : state_words[lane->state[i]], x,
        y + 18 - high, step - gap, high);
    if (lane->state[i] != LANE_EMPTY)
        page_put(self->page,
                 "<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.1f\"/>",
                 state_classes[lane->state[i]], x, y + 20, step - gap,
                 lane->state[i] >= LANE_LATE ? 8.0 : 4.0);
    page_text(self->page, "</g>");
}

static void put_lane(struct picture *self, size_t number, size_t row)
{
    const struct log *log = &self->verify->log[number];
    const struct lane *lane = &self->lane[number];
    double y = 22 + (double)row * (LANE_HIGH + 26), step = step_of(&self->axis);
    uint32_t most = busiest(self, lane);
    page_put(self->page, "<text class=\"lane\" x=\"%.1f\" y=\"%.1f\">", LEFT, y - 6);
    page_cut(self->page, span_of_text(log->view->server), 70);
    if (log->view->epoch > 1)
        page_put(self->page, ", epoch %u", log->view->epoch);
    page_put(self->page,
             "</text><line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n",
             LEFT, LEFT + WIDE, y + 18.5, y + 18.5);
    for (size_t i = 0; i < self->axis.buckets; i++)
        put_cell(self, lane, i, y, step, most);
    page_text(self->page, "\n");
}

static size_t lanes_of(const struct picture *self)
{
    size_t lanes = 0;
    for (size_t i = 0; i < self->verify->logs; i++)
        lanes += self->verify->log[i].view != NULL && self->verify->log[i].count > 0;
    return lanes;
}

static void put_lanes(struct picture *self, size_t lanes)
{
    double high = 22 + (double)lanes * (LANE_HIGH + 26);
    size_t row = 0;
    page_put(self->page,
             "<div class=\"wide\"><svg id=\"chart-lanes\" viewBox=\"0 0 1000 %.0f\" role=\"img\" "
             "aria-labelledby=\"lanes-t\"><title id=\"lanes-t\">Entries of each log over time, and "
             "whether a time stamp covers them</title>\n",
             high + 32);
    for (size_t i = 0; i < self->verify->logs && row < lanes; i++)
        if (self->verify->log[i].view != NULL && self->verify->log[i].count > 0)
            put_lane(self, i, row++);
    axis_put(self->page, &self->axis, LEFT, step_of(&self->axis), high - 8);
    page_text(self->page, "</svg></div>\n");
}

void picture_put_lanes(struct picture *self)
{
    size_t lanes = lanes_of(self), shown = lanes > PICTURE_LOGS ? PICTURE_LOGS : lanes;
    if (lanes == 0)
        return;
    page_text(self->page,
              "<section id=\"lanes\"><h2>Each log over time</h2>\n<p>The upper band is how "
              "much was written, the line below it whether a time-stamping authority "
              "has confirmed it. Taller marks are worth a look.</p>\n"
              "<ul class=\"legend\">");
    for (size_t i = LANE_STAMPED; i <= LANE_NEVER; i++)
        page_put(self->page, "<li><span class=\"key %s\"></span>%s</li>", state_classes[i],
                 state_words[i]);
    page_text(self->page, "</ul>\n");
    put_lanes(self, shown);
    if (shown < lanes)
        page_put(self->page, "<p class=\"more\">… and %zu more logs, in the tables below.</p>\n",
                 lanes - shown);
    page_text(self->page, "</section>\n");
}
