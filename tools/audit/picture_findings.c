// SPDX-License-Identifier: MIT
/* Findings, each with where its evidence lies and how to look at it; remarks. */
#include "tools/audit/picture.h"

#include "lib/base/text.h"

#include <inttypes.h>

#define OPEN 3 /* of a rule; the others fold */

/* NULL: it could not be opened. */
static const struct log *log_of(const struct picture *self, const char *name)
{
    for (size_t i = 0; i < self->verify->logs; i++) {
        const struct log *log = &self->verify->log[i];
        if (log->view != NULL && strcmp(log->view->name, name) == 0)
            return log;
    }
    return NULL;
}

// --- one finding --------------------------------------------------------------------------------

static void put_entry(struct picture *self, const struct kept *kept)
{
    char hex[2 * SHA256_BYTES + 1];
    text_hex(sha256_span(&kept->leaf_hash), hex, sizeof hex);
    page_text(self->page, "<dt>Entry</dt><dd>");
    page_put(self->page, "<b>%" PRIu64 "</b>", kept->index);
    if (kept->kind != 0) {
        page_put(self->page, ", a %s dated %s UTC, from ", header_kind_word(kept->kind),
                 time_of_ms(kept->time_ms).text);
        page_words(self->page, words_of(kept->sender_server));
        if (kept->receiver_server[0] != '\0') {
            page_text(self->page, " to ");
            page_words(self->page, words_of(kept->receiver_server));
        }
        if (kept->service[0] != '\0') {
            page_text(self->page, ", about ");
            page_words(self->page, words_of(kept->service));
        }
    }
    page_put(self->page, "<br><span class=\"dim\">leaf hash <code>%s</code></span></dd>", hex);
}

static void put_finding(struct picture *self, const struct shown *finding)
{
    const struct log *log = log_of(self, finding->folder);
    page_text(self->page, "<article class=\"finding\"><p class=\"what\">");
    page_words(self->page, span_of_text(finding->what));
    page_text(self->page, "</p><dl><dt>Log</dt><dd>");
    if (log != NULL) {
        picture_put_whose(self, log);
        page_text(self->page, " ");
    }
    page_text(self->page, "<span class=\"dim\">");
    page_words(self->page, span_of_text(log == NULL ? finding->folder : log->view->folder));
    page_text(self->page, "</span></dd>");
    if (finding->entry != REPORT_WHOLE && log != NULL && finding->entry < log->count)
        put_entry(self, &log->entry[finding->entry]);
    page_text(self->page, "<dt>It would mean</dt><dd>");
    page_words(self->page, span_of_text(finding->meaning));
    page_text(self->page, "</dd>");
    picture_put_evidence(self, finding, log);
    page_text(self->page, "</dl></article>\n");
}

static void put_some(struct picture *self, const char *rule, size_t from, size_t until)
{
    size_t number = 0;
    for (size_t i = 0; i < self->shown; i++)
        if (strcmp(self->finding[i].rule, rule) == 0) {
            if (number >= from && number < until)
                put_finding(self, &self->finding[i]);
            number++;
        }
}

static void put_rule(struct picture *self, const struct rule_count *rule)
{
    size_t shown = rule->count < PICTURE_EACH ? (size_t)rule->count : PICTURE_EACH;
    page_text(self->page, "<h3><span class=\"mark-bad\">\u25a0</span> ");
    page_plain(self->page, span_of_text(rule->rule));
    page_put(self->page, " <span class=\"count\">%s</span></h3>\n", figure_of(rule->count).text);
    put_some(self, rule->rule, 0, OPEN);
    if (shown > OPEN) {
        page_put(self->page, "<details><summary>%zu more by this rule</summary>\n", shown - OPEN);
        put_some(self, rule->rule, OPEN, shown);
        page_text(self->page, "</details>\n");
    }
    if (shown < rule->count)
        page_put(
            self->page,
            "<p class=\"more\">… and %s more by this rule: <code>chaski-audit verify</code> lists "
            "all of them.</p>\n",
            figure_of(rule->count - shown).text);
}

/* What there is at all, before the details. */
static void put_overview(struct picture *self)
{
    page_text(self->page,
              "<table><thead><tr><th>rule</th><th class=\"n\">findings</th><th>the first one "
              "would mean</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < self->rules; i++) {
        const struct shown *first = NULL;
        for (size_t k = 0; k < self->shown && first == NULL; k++)
            if (strcmp(self->finding[k].rule, self->rule[i].rule) == 0)
                first = &self->finding[k];
        page_text(self->page, "<tr><td><b>");
        page_plain(self->page, span_of_text(self->rule[i].rule));
        page_put(self->page, "</b></td><td class=\"n\">%s</td><td>",
                 figure_of(self->rule[i].count).text);
        page_words(self->page, span_of_text(first == NULL ? "" : first->meaning));
        page_text(self->page, "</td></tr>\n");
    }
    page_text(self->page, "</tbody></table>\n");
}

static void put_remarks(struct picture *self)
{
    uint64_t all = report_remarks(self->report);
    if (all == 0)
        return;
    page_put(self->page,
             "<details%s><summary>%s remark%s: what may well be so, and these logs alone cannot "
             "settle</summary><ul class=\"remarks\">\n",
             all <= 8 ? " open" : "", figure_of(all).text, all == 1 ? "" : "s");
    for (size_t i = 0; i < self->remarks; i++) {
        page_text(self->page, "<li>");
        page_words(self->page, span_of_text(self->remark[i].what));
        if (self->remark[i].folder != NULL) {
            page_text(self->page, " <span class=\"dim\">");
            page_words(self->page, span_of_text(self->remark[i].folder));
            page_text(self->page, "</span>");
        }
        page_text(self->page, "</li>\n");
    }
    if (self->remarks < all)
        page_put(self->page, "<li>… and %s more</li>", figure_of(all - self->remarks).text);
    page_text(self->page, "</ul></details>\n");
}

void picture_put_findings(struct picture *self)
{
    uint64_t all = report_findings(self->report);
    page_put(self->page,
             "<section id=\"findings\"><h2>Findings <span class=\"count\">%s</span></h2>\n",
             figure_of(all).text);
    if (all == 0)
        page_text(self->page,
                  "<p class=\"empty\">None: nothing stands in these logs that an honest "
                  "server does not leave behind.</p>\n");
    else
        page_text(
            self->page,
            "<p>A finding is what an honest server does not leave behind. It says what is "
            "wrong, not who did it: a broken disk or copy and a forger can look alike.</p>\n");
    if (all > 0)
        put_overview(self);
    for (size_t i = 0; i < self->rules; i++)
        put_rule(self, &self->rule[i]);
    if (self->other_rules > 0)
        page_put(self->page, "<p class=\"more\">… and %s by other rules.</p>\n",
                 figure_of(self->other_rules).text);
    put_remarks(self);
    page_text(self->page, "</section>\n");
}
