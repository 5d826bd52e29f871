// SPDX-License-Identifier: MIT
/* The verdict in plain words: what was checked, and what was not proved. */
#include "tools/audit/picture.h"

#include <inttypes.h>

static uint64_t payloads(const struct picture *self, enum payload_found found)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < self->verify->logs; i++)
        sum += self->verify->log[i].payloads[found];
    return sum;
}

static void span_of_time(const struct picture *self, int64_t *from_ms, int64_t *until_ms)
{
    for (size_t i = 0; i < self->verify->logs; i++) {
        const struct lane *lane = &self->lane[i];
        if (lane->first_ms != 0 && (*from_ms == 0 || lane->first_ms < *from_ms))
            *from_ms = lane->first_ms;
        if (lane->last_ms > *until_ms)
            *until_ms = lane->last_ms;
    }
}

// --- the verdict --------------------------------------------------------------------------------

static void put_seal(struct page *page, bool clean)
{
    page_put(page,
             "<svg class=\"seal\" viewBox=\"0 0 64 64\" aria-hidden=\"true\"><circle class=\"%s\" "
             "cx=\"32\" cy=\"32\" r=\"30\"/>%s</svg>",
             clean ? "seal-ok" : "seal-bad",
             clean ? "<path class=\"stroke\" d=\"M19 33l9 9 18-20\"/>"
                   : "<path class=\"stroke\" d=\"M32 16v21M32 45v3\"/>");
}

static void put_verdict(struct picture *self)
{
    uint64_t findings = report_findings(self->report);
    int64_t from_ms = 0, until_ms = 0;
    span_of_time(self, &from_ms, &until_ms);
    page_text(self->page, "<header>");
    put_seal(self->page, findings == 0);
    page_text(self->page, "<div><p class=\"over\">Chaski \u00b7 audit of evidence logs</p>");
    if (findings == 0)
        page_text(self->page, "<h1>Clean: no findings</h1>");
    else
        page_put(self->page, "<h1>Not clean: %s finding%s</h1>", figure_of(findings).text,
                 findings == 1 ? "" : "s");
    page_put(self->page, "<p class=\"sub\">%zu log%s, %s entries", self->verify->logs,
             self->verify->logs == 1 ? "" : "s", figure_of(report_entries(self->report)).text);
    if (from_ms != 0)
        page_put(self->page, ", dated %s to %s", time_of_ms(from_ms).text,
                 time_of_ms(until_ms).text);
    page_put(self->page, ".<br>Checked on %s. All times are UTC.</p></div></header>\n",
             time_of_ms(self->made_ms).text);
}

static void put_tile(struct page *page, const char *name, const char *number, const char *more,
                     const char *class)
{
    page_put(page,
             "<li class=\"%s\"><span class=\"name\">%s</span><b>%s</b><span "
             "class=\"dim\">%s</span></li>",
             class, name, number, more);
}

static void put_tiles(struct picture *self)
{
    static const char *const names[OUTCOMES] = {"Answered", "Refused", "Failed", "No outcome"};
    static const char *const classes[OUTCOMES] = {"t-ok", "t-refused", "t-failed", "t-none"};
    uint64_t findings = report_findings(self->report);
    page_text(self->page, "<ul class=\"tiles\">");
    put_tile(self->page, "Findings", figure_of(findings).text,
             findings == 0 ? "clean" : "see below", findings == 0 ? "t-ok" : "t-failed");
    put_tile(self->page, "Exchanges", figure_of(self->tally.all).text, "counted once each", "");
    for (size_t i = 0; i < OUTCOMES; i++)
        put_tile(self->page, names[i], figure_of(self->tally.by[i]).text,
                 share_of(self->tally.by[i], self->tally.all).text, classes[i]);
    page_text(self->page, "</ul>\n");
}

static void put_filters(struct picture *self)
{
    const struct audit_arguments *arguments = self->verify->arguments;
    if (arguments->from == NULL && arguments->until == NULL && arguments->member == NULL)
        return;
    page_text(self->page, "<p class=\"shown\"><b>Exchanges shown:</b> only those");
    if (arguments->from != NULL)
        page_put(self->page, " from %s on", time_of_ms(self->from_ms).text);
    if (arguments->until != NULL)
        page_put(self->page, " until %s", time_of_ms(self->until_ms).text);
    if (arguments->member != NULL) {
        page_text(self->page, " in which ");
        page_words(self->page, picture_name(self, self->member));
        page_text(self->page, " asked or was asked");
    }
    page_text(self->page, ". The verdict, the findings and the tables of each log are about all of "
                          "the logs.</p>\n");
}

// --- what was checked ---------------------------------------------------------------------------

static void put_checked(struct picture *self)
{
    uint64_t checkpoints = 0, stamps = 0, unreadable = 0;
    for (size_t i = 0; i < self->verify->logs; i++) {
        checkpoints += self->verify->log[i].confirmations;
        stamps += self->lane[i].stamps;
        unreadable += self->lane[i].unreadable;
    }
    page_put(
        self->page,
        "<div><h3>What was checked</h3><ul><li>Each of %s entries: its form, the signature and "
        "certificate of who wrote it, whether that server was entitled to speak for the sender at "
        "that time, and its place in the log.</li>",
        figure_of(report_entries(self->report)).text);
    page_put(self->page,
             "<li>%s contents were opened and compared with the fingerprint that was signed.</li>",
             figure_of(payloads(self, FOUND_HELD)).text);
    page_put(self->page,
             "<li>The logs' own heads, %s kept checkpoints with their cosignatures, and %s time "
             "stamps: that each log only grew, and when.</li>",
             figure_of(checkpoints).text, figure_of(stamps).text);
    if (self->verify->logs > 1)
        page_put(self->page,
                 "<li>%zu logs against one another: that both sides of an exchange hold the same "
                 "records.</li>",
                 self->verify->logs);
    if (unreadable > 0)
        page_put(self->page, "<li>%s entries could not be read at all: they are findings.</li>",
                 figure_of(unreadable).text);
    page_text(self->page, "</ul></div>\n");
}

// --- what was not -------------------------------------------------------------------------------

static void put_foreign_anchors(struct picture *self)
{
    const struct log_anchors *given = &self->verify->arguments->anchors;
    if (given->trust_file == NULL || given->authority_file == NULL)
        page_text(
            self->page,
            "<li><b>Whose country this is.</b> The authority's certificate or key came with the "
            "logs. Anybody can make up a country: compare the fingerprints at the end of this page "
            "with what the authority has made known, or give your own.</li>");
}

static void put_unopened(struct picture *self)
{
    uint64_t sealed = payloads(self, FOUND_SEALED), gone = payloads(self, FOUND_ERASED);
    uint64_t kept_not = payloads(self, FOUND_NONE) + payloads(self, FOUND_SALT);
    if (sealed > 0)
        page_put(self->page,
                 "<li><b>%s contents were not opened</b>: no key to them was given. That they are "
                 "unchanged, and what they say, is not known.</li>",
                 figure_of(sealed).text);
    if (gone + kept_not > 0)
        page_put(
            self->page,
            "<li><b>%s contents are not there</b>: %s are marked as erased, %s were never kept "
            "whole. Their fingerprints stand.</li>",
            figure_of(gone + kept_not).text, figure_of(gone).text, figure_of(kept_not).text);
}

/* Servers that claimed a head of a log which is not at hand. */
static bool is_at_hand(const struct verify *verify, const char *server)
{
    for (size_t i = 0; i < verify->logs; i++)
        if (verify->log[i].view != NULL && strcmp(verify->log[i].view->server, server) == 0)
            return true;
    return false;
}

static size_t absent_peers(const struct picture *self)
{
    struct map seen = {0};
    for (size_t i = 0; i < self->verify->logs; i++) {
        size_t step = 0;
        const struct map *heads = &self->verify->log[i].heads;
        for (const struct peer_head *at; (at = map_next(heads, &step, NULL)) != NULL;)
            if (!is_at_hand(self->verify, at->server))
                map_set(&seen, span_of_text(at->server), (void *)(uintptr_t)1);
    }
    size_t count = seen.count;
    map_clear(&seen);
    return count;
}

static void put_uncovered(struct picture *self)
{
    uint64_t uncovered = 0, unquorate = 0, unstamped = 0, pruned = 0;
    size_t absent = absent_peers(self);
    for (size_t i = 0; i < self->verify->logs; i++) {
        pruned += self->verify->log[i].first;
        uncovered += self->verify->log[i].uncovered;
        unquorate += self->verify->log[i].count - self->verify->log[i].quorate;
        unstamped += self->lane[i].unstamped;
    }
    if (absent == 1)
        page_text(
            self->page,
            "<li><b>What one other server holds.</b> It took part in these exchanges, and its "
            "log is not at hand: what was cut off at the end of a log here, only that one "
            "would tell.</li>");
    if (absent > 1)
        page_put(
            self->page,
            "<li><b>What %zu other servers hold.</b> They took part in these exchanges, and "
            "their logs are not at hand: what was cut off at the end of a log here, only those "
            "would tell.</li>",
            absent);
    if (pruned > 0)
        page_put(
            self->page,
            "<li><b>What %s entries said</b> that were pruned by recorded acts: their fingerprints "
            "are checked, what they said is gone, and they are in no chart.</li>",
            figure_of(pruned).text);
    if (uncovered > 0)
        page_put(self->page,
                 "<li><b>%s entries at the end</b> are covered by no checkpoint yet.</li>",
                 figure_of(uncovered).text);
    if (unquorate > 0)
        page_put(self->page,
                 "<li><b>That %s entries are the same for everybody</b> is their servers' word: no "
                 "quorum of witnesses confirmed them.</li>",
                 figure_of(unquorate).text);
    if (unstamped > 0)
        page_put(
            self->page,
            "<li><b>When %s entries were written</b> is their signers' word alone: no time stamp "
            "covers them.</li>",
            figure_of(unstamped).text);
}

static void put_not_proved(struct picture *self)
{
    page_text(self->page, "<div><h3>What is not proved by this</h3><ul>");
    put_foreign_anchors(self);
    put_unopened(self);
    put_uncovered(self);
    page_text(
        self->page,
        "<li><b>What both parties never wrote down</b>, if they agree to keep it out of their "
        "logs.</li><li><b>That a content is true</b>: a signature says who stands for it.</li>"
        "<li><b>Which person acted</b>: servers sign for organisations.</li>"
        "<li><b>Who used a stolen key</b> before it was revoked.</li></ul></div>\n");
}

void picture_put_top(struct picture *self)
{
    put_verdict(self);
    put_tiles(self);
    put_filters(self);
    page_text(self->page, "<section id=\"summary\"><h2>In plain words</h2>\n<p>");
    if (report_findings(self->report) == 0)
        page_text(
            self->page,
            "These logs hold together. Every entry is signed by who it names, nothing was altered, "
            "removed, moved or put in as far as these logs can tell, and what others confirmed of "
            "them fits.");
    else
        page_text(
            self->page,
            "Something in these logs is not as an honest server leaves it. Each finding below "
            "names the entry, the rule that is broken, what it would mean, and where the evidence "
            "lies. The rest of this page shows what the logs say, findings or not.");
    if (report_remarks(self->report) > 0)
        page_put(self->page, " %s remark%s say%s what may well be so and these logs cannot settle.",
                 figure_of(report_remarks(self->report)).text,
                 report_remarks(self->report) == 1 ? "" : "s",
                 report_remarks(self->report) == 1 ? "s" : "");
    page_text(self->page, "</p>\n<div class=\"two\">");
    put_checked(self);
    put_not_proved(self);
    page_text(self->page, "</div></section>\n");
}
