// SPDX-License-Identifier: MIT
/* Each log in figures; what the verdict rests on; how to check it without this page. */
#include "tools/audit/picture.h"

#include "lib/base/text.h"

#include <inttypes.h>

void picture_put_whose(struct picture *self, const struct log *log)
{
    page_words(self->page, span_of_text(log->view->server));
    if (log->view->epoch > 1)
        page_put(self->page, ", epoch %u", log->view->epoch);
}

static void put_server(struct picture *self, const struct log *log)
{
    struct span member = bus_id_prefix(span_of_text(log->view->server), ID_MEMBER);
    char id[ID_TEXT_BYTES_MAX + 1];
    text_format(id, sizeof id, "%.*s", (int)member.size, (const char *)member.at);
    page_text(self->page, "<td>");
    page_words(self->page, picture_name(self, id));
    page_text(self->page, "<br><span class=\"dim\">");
    picture_put_whose(self, log);
    page_text(self->page, "<br>");
    page_words(self->page, span_of_text(log->view->folder));
    page_text(self->page, "</span></td>");
}

static void put_log(struct picture *self, const struct log *log, const struct lane *lane)
{
    char root[2 * SHA256_BYTES + 1];
    struct sha256 whole = roots_at(log->roots, log->count);
    text_hex(sha256_span(&whole), root, sizeof root);
    page_text(self->page, "<tr>");
    put_server(self, log);
    page_put(self->page,
             "<td class=\"n\">%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td><td "
             "class=\"n\">%s</td>"
             "<td>%s<br>%s</td><td class=\"hash\"><code>%s</code></td></tr>\n",
             figure_of(log->count - log->first).text, figure_of(lane->kinds[HEADER_REQUEST]).text,
             figure_of(lane->kinds[HEADER_RESPONSE]).text,
             figure_of(lane->kinds[HEADER_FAULT]).text, time_of_ms(lane->first_ms).text,
             time_of_ms(lane->last_ms).text, root);
}

static void put_contents(struct picture *self, const struct log *log, const struct lane *lane)
{
    static const enum payload_found order[] = {FOUND_HELD,   FOUND_SEALED, FOUND_SALT,
                                               FOUND_ERASED, FOUND_NONE,   FOUND_DAMAGED};
    page_text(self->page, "<tr><td>");
    picture_put_whose(self, log);
    page_text(self->page, "</td>");
    for (size_t i = 0; i < FOUND_KINDS; i++)
        page_put(self->page, "<td class=\"n\">%s</td>", figure_of(log->payloads[order[i]]).text);
    page_put(
        self->page, "<td class=\"n\">%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td></tr>\n",
        figure_of(lane->kinds[HEADER_STARTED]).text, figure_of(lane->kinds[HEADER_STOPPED]).text,
        figure_of(lane->kinds[HEADER_INCIDENT]).text);
}

void picture_put_logs(struct picture *self)
{
    page_text(
        self->page,
        "<section id=\"logs\"><h2>The logs</h2>\n<div class=\"wide\"><table><caption>What stands "
        "in "
        "them, as <code>chaski-audit show</code> counts it</caption><thead><tr><th>whose</th>"
        "<th class=\"n\">entries</th><th class=\"n\">requests</th><th class=\"n\">responses</th>"
        "<th class=\"n\">faults</th><th>first and last (UTC)</th><th>fingerprint of all of it</th>"
        "</tr></thead><tbody>\n");
    for (size_t i = 0; i < self->verify->logs; i++)
        if (self->verify->log[i].view != NULL)
            put_log(self, &self->verify->log[i], &self->lane[i]);
    page_text(self->page,
              "</tbody></table></div>\n<div class=\"wide\"><table><caption>Contents of the "
              "entries, and what "
              "the servers said of themselves</caption><thead><tr><th>log of</th><th "
              "class=\"n\">opened</th>"
              "<th class=\"n\">sealed</th><th class=\"n\">salt only</th><th class=\"n\">erased</th>"
              "<th class=\"n\">none</th><th class=\"n\">damaged</th><th class=\"n\">starts</th>"
              "<th class=\"n\">stops</th><th class=\"n\">incidents</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < self->verify->logs; i++)
        if (self->verify->log[i].view != NULL)
            put_contents(self, &self->verify->log[i], &self->lane[i]);
    page_text(self->page, "</tbody></table></div></section>\n");
}

// --- what it rests on ---------------------------------------------------------------------------

static bool was_shown(const struct picture *self, const struct log *log)
{
    for (const struct log *before = self->verify->log; before < log; before++)
        if (before->view != NULL && anchors_equal(&before->anchors, &log->anchors))
            return true;
    return false;
}

static void put_anchors(struct picture *self, const struct log *log)
{
    const struct log_anchors *given = &self->verify->arguments->anchors;
    char hex[2 * SHA256_BYTES + 1];
    for (size_t i = 0; i < log->anchors.certificates; i++) {
        text_hex(sha256_span(&log->anchors.certificate[i]), hex, sizeof hex);
        page_put(
            self->page,
            "<dt>Certificate of the authority, SHA-256</dt><dd><code>%s</code> <span class=\"dim\">"
            "%s</span></dd>",
            hex, given->trust_file != NULL ? "given by the auditor" : "from the audited folder");
    }
    page_text(self->page, "<dt>Key that signs the directory</dt><dd><code>");
    page_plain(self->page, span_of_text(log->anchors.vkey));
    page_put(self->page, "</code> <span class=\"dim\">%s</span></dd>",
             given->authority_file != NULL ? "given by the auditor" : "from the audited folder");
    page_put(self->page, "<dt>Directory</dt><dd>state after %" PRIu64 " acts</dd>\n",
             directory_epoch(log->view->directory));
}

void picture_put_foundations(struct picture *self)
{
    page_text(
        self->page,
        "<section id=\"rests\"><h2>What all of this rests on</h2>\n<p>Compare these with what the "
        "authority has made known in another way.</p><dl class=\"anchors\">");
    for (size_t i = 0; i < self->verify->logs; i++)
        if (self->verify->log[i].view != NULL && !was_shown(self, &self->verify->log[i]))
            put_anchors(self, &self->verify->log[i]);
    page_text(
        self->page,
        "</dl><p>This page is a picture, no proof: it was written by <code>chaski-audit "
        "report</code> "
        "from copies of the logs. Whoever has those can make it again, list every finding with "
        "<code>chaski-audit verify</code>, and take out any record with <code>chaski-audit "
        "export</code>, to be checked with <code>openssl</code> and <code>sha256sum</code> "
        "alone.</p>"
        "</section>\n");
}
