// SPDX-License-Identifier: MIT
/* Where the evidence of a finding lies, and the commands to look at it. */
#include "tools/audit/picture.h"

#include "tools/audit/evidence.h"

#include <inttypes.h>

static void put_files(struct picture *self, const struct shown *finding, const struct log *log)
{
    struct evidence evidence;
    evidence_find(log, finding->rule, finding->entry, &evidence);
    page_text(self->page, "<dt>Evidence</dt><dd>");
    for (size_t i = 0; i < evidence.count; i++) {
        page_text(self->page, "<code>");
        page_plain(self->page, span_of_text(evidence.file[i]));
        page_text(self->page, "</code> ");
    }
    page_text(self->page, "<span class=\"dim\">in ");
    page_words(self->page, span_of_text(log == NULL ? finding->folder : log->view->folder));
    page_text(self->page, "</span></dd>");
}

// --- looking ------------------------------------------------------------------------------------

/* As a shell takes it: in quotes unless it is plain. */
static void put_argument(struct picture *self, const char *text)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";
    if (text[0] != '\0' && text[0] != '-' && strspn(text, plain) == strlen(text)) {
        page_plain(self->page, span_of_text(text));
        return;
    }
    page_text(self->page, "&#39;");
    for (const char *quote; (quote = strchr(text, '\'')) != NULL; text = quote + 1) {
        page_plain(self->page, span_of(text, (size_t)(quote - text)));
        page_text(self->page, "&#39;\\&#39;&#39;");
    }
    page_plain(self->page, span_of_text(text));
    page_text(self->page, "&#39;");
}

static void put_command(struct picture *self, const char *command, const struct log *log,
                        uint64_t entry)
{
    page_put(self->page, "<code>chaski-audit %s ", command);
    put_argument(self, log->view->folder);
    page_put(self->page, " %" PRIu64, entry);
    if (log->view->epoch > 1 || !log->view->newest)
        page_put(self->page, " --epoch %u", log->view->epoch);
}

void picture_put_evidence(struct picture *self, const struct shown *finding, const struct log *log)
{
    put_files(self, finding, log);
    if (finding->entry == REPORT_WHOLE || log == NULL)
        return;
    page_text(self->page, "<dt>To look</dt><dd>");
    put_command(self, "show", log, finding->entry);
    page_text(self->page, "</code><br>");
    put_command(self, "export", log, finding->entry);
    page_text(self->page, " --to record</code></dd>");
}
