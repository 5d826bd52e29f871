// SPDX-License-Identifier: MIT
/* Who asks whom: bands from those who asked to those who were asked, as wide as there are exchanges
 * between them. The busiest at either side are named, the rest are one. */
#include "tools/audit/picture.h"

#include <inttypes.h>
#include <stdlib.h>

#define X_LEFT 290.0
#define X_RIGHT 710.0
#define BAR 10.0
#define GAP 14.0
#define LEAST 2.0       /* of a band that stands for something */
#define NAME_LEAST 22.0 /* a name needs that much */
#define PER_PARTY 46.0

struct party {
    const char *member; /* NULL: all others */
    struct tally tally;
    size_t others; /* how many they are */
    double y, high, used;
};

struct side {
    size_t count;
    struct party party[PICTURE_PARTIES + 1];
    struct map place; /* member -> index + 1 */
};

struct flow {
    size_t pairs;
    const struct pair **pair; /* the busiest first */
    struct side caller, provider;
    struct tally band[PICTURE_PARTIES + 1][PICTURE_PARTIES + 1];
    double high;
};

// --- who ----------------------------------------------------------------------------------------

static int by_count(const void *a, const void *b)
{
    const struct pair *const *x = a;
    const struct pair *const *y = b;
    if ((*x)->tally.all != (*y)->tally.all)
        return (*x)->tally.all < (*y)->tally.all ? 1 : -1;
    int order = strcmp((*x)->caller, (*y)->caller);
    return order != 0 ? order : strcmp((*x)->provider, (*y)->provider);
}

static int by_weight(const void *a, const void *b)
{
    const struct party *x = a, *y = b;
    if (x->tally.all != y->tally.all)
        return x->tally.all < y->tally.all ? 1 : -1;
    return strcmp(x->member, y->member);
}

static void add_tally(struct tally *to, const struct tally *more)
{
    to->all += more->all;
    for (size_t i = 0; i < OUTCOMES; i++)
        to->by[i] += more->by[i];
}

static const char *member_of(const struct pair *pair, bool caller)
{
    return caller ? pair->caller : pair->provider;
}

/* All parties of a side, then the busiest of them and the rest as one. */
static void fill_side(const struct flow *flow, bool caller, struct side *out)
{
    struct map seen = {0};
    struct party *all = owned_array(flow->pairs + 1, sizeof *all);
    size_t count = 0;
    for (size_t i = 0; i < flow->pairs; i++) {
        const char *member = member_of(flow->pair[i], caller);
        uintptr_t at = (uintptr_t)map_get(&seen, words_of(member));
        if (at == 0) {
            all[count++].member = member;
            at = count;
            map_set(&seen, words_of(member), (void *)at);
        }
        add_tally(&all[at - 1].tally, &flow->pair[i]->tally);
    }
    map_clear(&seen);
    if (count > 0)
        qsort(all, count, sizeof *all, by_weight);
    size_t named = count <= PICTURE_PARTIES + 1 ? count : PICTURE_PARTIES;
    for (size_t i = 0; i < count; i++) {
        struct party *to = &out->party[i < named ? i : named];
        if (i < named)
            *to = all[i];
        else
            add_tally(&to->tally, &all[i].tally), to->others++;
        map_set(&out->place, words_of(all[i].member),
                (void *)(uintptr_t)((i < named ? i : named) + 1));
    }
    out->count = named + (named < count);
    free(all);
}

static size_t place_of(const struct side *side, const char *member)
{
    return (size_t)(uintptr_t)map_get(&side->place, words_of(member)) - 1;
}

static void gather(const struct picture *self, struct flow *flow)
{
    size_t step = 0;
    flow->pair = owned_array(self->pairs.count + 1, sizeof *flow->pair);
    for (const struct pair *at; (at = map_next(&self->pairs, &step, NULL)) != NULL;)
        flow->pair[flow->pairs++] = at;
    if (flow->pairs > 0)
        qsort(flow->pair, flow->pairs, sizeof *flow->pair, by_count);
    fill_side(flow, true, &flow->caller);
    fill_side(flow, false, &flow->provider);
    for (size_t i = 0; i < flow->pairs; i++)
        add_tally(&flow->band[place_of(&flow->caller, flow->pair[i]->caller)]
                             [place_of(&flow->provider, flow->pair[i]->provider)],
                  &flow->pair[i]->tally);
}

// --- where --------------------------------------------------------------------------------------

static double width_of(const struct flow *flow, const struct tally *tally, uint64_t all)
{
    double room = flow->high * 0.6;
    double width = room * (double)tally->all / (double)(all == 0 ? 1 : all);
    return tally->all > 0 && width < LEAST ? LEAST : width;
}

/* Down one side; a party is as high as its bands together. How far down it goes. */
static double lay_side(struct flow *flow, struct side *side, bool caller, uint64_t all)
{
    double y = 8;
    for (size_t i = 0; i < side->count; i++) {
        struct party *party = &side->party[i];
        size_t others = caller ? flow->provider.count : flow->caller.count;
        party->high = 0;
        for (size_t k = 0; k < others; k++)
            party->high += width_of(flow, caller ? &flow->band[i][k] : &flow->band[k][i], all);
        party->y = y;
        y += (party->high < NAME_LEAST ? NAME_LEAST : party->high) + GAP;
    }
    return y;
}

// --- the picture --------------------------------------------------------------------------------

static void put_party_name(struct picture *self, const struct party *party)
{
    if (party->member == NULL)
        page_put(self->page, "%zu others", party->others);
    else if (party->member[0] == '\0')
        page_text(self->page, "(nobody named)");
    else
        page_cut(self->page, picture_name(self, party->member), 34);
}

static void put_party_title(struct picture *self, const struct party *party)
{
    if (party->member == NULL)
        page_put(self->page, "%zu others", party->others);
    else
        page_plain(self->page, words_of(party->member));
}

static void put_parties(struct picture *self, const struct side *side, bool caller)
{
    for (size_t i = 0; i < side->count; i++) {
        const struct party *party = &side->party[i];
        page_put(self->page, "<g><title>");
        put_party_title(self, party);
        page_put(
            self->page,
            "</title><rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>"
            "<text class=\"who%s\" x=\"%.1f\" y=\"%.1f\">",
            caller ? X_LEFT - BAR : X_RIGHT, party->y, BAR, party->high < 2 ? 2 : party->high,
            caller ? " end" : "", caller ? X_LEFT - BAR - 8 : X_RIGHT + BAR + 8,
            party->y + (party->high < NAME_LEAST ? 9 : party->high / 2));
        put_party_name(self, party);
        page_put(self->page, "</text><text class=\"lab%s\" x=\"%.1f\" y=\"%.1f\">%s</text></g>\n",
                 caller ? " end" : " start", caller ? X_LEFT - BAR - 8 : X_RIGHT + BAR + 8,
                 party->y + (party->high < NAME_LEAST ? 9 : party->high / 2) + 14,
                 figure_of(party->tally.all).text);
    }
}

/* By what most of them came to. */
static const char *class_of(const struct tally *tally)
{
    if (tally->by[OUTCOME_OK] * 2 >= tally->all)
        return "band";
    return tally->by[OUTCOME_REFUSED] >= tally->by[OUTCOME_FAILED] ? "band refused" : "band failed";
}

static void put_band(struct picture *self, struct flow *flow, size_t i, size_t k)
{
    struct party *from = &flow->caller.party[i], *to = &flow->provider.party[k];
    const struct tally *tally = &flow->band[i][k];
    double wide = width_of(flow, tally, self->tally.all), middle = (X_LEFT + X_RIGHT) / 2;
    double a = from->y + from->used, b = to->y + to->used;
    if (tally->all == 0)
        return;
    from->used += wide;
    to->used += wide;
    page_put(
        self->page,
        "<path class=\"%s\" d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1fL%.1f %.1fC%.1f %.1f %.1f "
        "%.1f %.1f %.1fZ\"><title>",
        class_of(tally), X_LEFT, a, middle, a, middle, b, X_RIGHT, b, X_RIGHT, b + wide, middle,
        b + wide, middle, a + wide, X_LEFT, a + wide);
    put_party_title(self, from);
    page_text(self->page, " \u2192 ");
    put_party_title(self, to);
    page_put(self->page, ": %s exchanges, %s answered, %s refused, %s failed</title></path>\n",
             figure_of(tally->all).text, figure_of(tally->by[OUTCOME_OK]).text,
             figure_of(tally->by[OUTCOME_REFUSED]).text, figure_of(tally->by[OUTCOME_FAILED]).text);
}

static void put_flow(struct picture *self, struct flow *flow)
{
    size_t most =
        flow->caller.count > flow->provider.count ? flow->caller.count : flow->provider.count;
    flow->high = (double)most * PER_PARTY < 140 ? 140 : (double)most * PER_PARTY;
    double left = lay_side(flow, &flow->caller, true, self->tally.all);
    double right = lay_side(flow, &flow->provider, false, self->tally.all);
    page_put(self->page,
             "<div class=\"wide\"><svg id=\"chart-who\" viewBox=\"0 0 1000 %.0f\" role=\"img\" "
             "aria-labelledby=\"who-t\"><title id=\"who-t\">Who asks whom: from left to right, as "
             "wide as there are exchanges</title>\n",
             left > right ? left : right);
    for (size_t i = 0; i < flow->caller.count; i++)
        for (size_t k = 0; k < flow->provider.count; k++)
            put_band(self, flow, i, k);
    put_parties(self, &flow->caller, true);
    put_parties(self, &flow->provider, false);
    page_text(self->page, "</svg></div>\n");
}

static void put_member(struct picture *self, const char *member)
{
    struct span name = picture_name(self, member);
    page_text(self->page, "<td>");
    page_words(self->page, name);
    if (!span_equal(name, words_of(member))) {
        page_text(self->page, " <span class=\"dim\">");
        page_words(self->page, words_of(member));
        page_text(self->page, "</span>");
    }
    page_text(self->page, "</td>");
}

static void put_table(struct picture *self, const struct flow *flow)
{
    page_text(self->page,
              "<details><summary>The same as a table</summary><table><thead><tr><th>asks</th>"
              "<th>is asked</th><th class=\"n\">exchanges</th><th class=\"n\">answered</th>"
              "<th class=\"n\">refused</th><th class=\"n\">failed</th><th class=\"n\">without an "
              "outcome</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < flow->pairs && i < PICTURE_PAIRS; i++) {
        const struct tally *tally = &flow->pair[i]->tally;
        page_text(self->page, "<tr>");
        put_member(self, flow->pair[i]->caller);
        put_member(self, flow->pair[i]->provider);
        page_put(self->page, "<td class=\"n\">%s</td>", figure_of(tally->all).text);
        for (size_t k = 0; k < OUTCOMES; k++)
            page_put(self->page, "<td class=\"n\">%s</td>", figure_of(tally->by[k]).text);
        page_text(self->page, "</tr>\n");
    }
    page_text(self->page, "</tbody></table>");
    if (flow->pairs > PICTURE_PAIRS)
        page_put(self->page, "<p class=\"more\">… and %zu more pairs.</p>",
                 flow->pairs - PICTURE_PAIRS);
    page_text(self->page, "</details>\n");
}

void picture_put_who(struct picture *self)
{
    struct flow *flow = owned_new(sizeof *flow);
    if (self->tally.all > 0) {
        gather(self, flow);
        page_text(
            self->page,
            "<section id=\"who\"><h2>Who asks whom</h2>\n<p>Members that asked are on the left, "
            "those that were asked on the right. A band is as wide as there are exchanges; it "
            "takes the colour of refusals or failures when more than half of them ended so. "
            "Names are the directory's.</p>\n");
        put_flow(self, flow);
        put_table(self, flow);
        page_text(self->page, "</section>\n");
    }
    map_clear(&flow->caller.place);
    map_clear(&flow->provider.place);
    free(flow->pair);
    free(flow);
}
