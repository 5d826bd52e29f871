// SPDX-License-Identifier: MIT
/* What the verdict rests on: whose anchors, and which directory. */
#include "tools/audit/verify.h"

#include "tools/audit/json_text.h"

#include "lib/base/text.h"

#include <inttypes.h>
#include <stdlib.h>

static const char invented[] =
    "Of two histories at most one is the authority's: a country was made up, or the directory was "
    "forked.";

// --- saying it ----------------------------------------------------------------------------------

static bool from_folder(const struct verify *self)
{
    return self->arguments->anchors.trust_file == NULL ||
           self->arguments->anchors.authority_file == NULL;
}

static void say_anchors(struct verify *self, const struct log *log)
{
    const struct log_anchors *given = &self->arguments->anchors;
    const struct anchors *anchors = &log->anchors;
    char hex[2 * SHA256_BYTES + 1];
    if (from_folder(self))
        report_line(self->report, "anchors taken from the audited folder: %s", log->view->folder);
    else
        report_line(self->report, "anchors given by the auditor:");
    for (size_t i = 0; i < anchors->certificates; i++) {
        text_hex(sha256_span(&anchors->certificate[i]), hex, sizeof hex);
        report_line(self->report, "  trust certificate  SHA-256 %s%s", hex,
                    given->trust_file != NULL ? "  (given)" : "");
    }
    if (anchors->unread) {
        text_hex(sha256_span(&anchors->file), hex, sizeof hex);
        report_line(self->report, "  trust file with other blocks  SHA-256 %s", hex);
    }
    report_line(self->report, "  directory key      %s%s", anchors->vkey,
                given->authority_file != NULL ? "  (given)" : "");
    if (from_folder(self))
        report_line(self->report, "  Anybody can make up a country. Compare these with what the "
                                  "authority has made known, or give your own: --trust FILE "
                                  "--directory-vkey FILE");
}

static bool was_said(const struct verify *self, const struct log *log)
{
    for (const struct log *before = self->log; before < log; before++)
        if (before->view != NULL && anchors_equal(&before->anchors, &log->anchors))
            return true;
    return false;
}

static json_t *anchors_json(const struct verify *self, const struct log *log)
{
    const struct log_anchors *given = &self->arguments->anchors;
    json_t *object = json_object(), *list = json_array();
    char hex[2 * SHA256_BYTES + 1];
    for (size_t i = 0; i < log->anchors.certificates; i++) {
        text_hex(sha256_span(&log->anchors.certificate[i]), hex, sizeof hex);
        json_array_append_new(list, json_string(hex));
    }
    json_put_text(object, "log", span_of_text(log->view->folder));
    json_put_text(object, "trust_from",
                  span_of_text(given->trust_file != NULL ? "the auditor" : "the audited folder"));
    json_put_text(
        object, "directory_vkey_from",
        span_of_text(given->authority_file != NULL ? "the auditor" : "the audited folder"));
    json_object_set_new(object, "trust_certificates_sha256", list);
    json_put_hash(object, "trust_file_sha256", sha256_span(&log->anchors.file));
    json_put_text(object, "directory_vkey", span_of_text(log->anchors.vkey));
    json_object_set_new(object, "directory_epoch",
                        json_integer((json_int_t)directory_epoch(log->view->directory)));
    json_object_set_new(object, "directory_confirmed",
                        json_integer((json_int_t)log->directory_confirmed));
    return object;
}

json_t *verify_anchors_json(const struct verify *self)
{
    json_t *list = json_array();
    for (size_t i = 0; i < self->logs; i++)
        if (self->log[i].view != NULL)
            json_array_append_new(list, anchors_json(self, &self->log[i]));
    return list;
}

// --- comparing ----------------------------------------------------------------------------------

/* Is `own` the beginning of what `history` tells? */
static bool contains(const struct history *history, const struct directory *own)
{
    struct sha256 expected, root = directory_root(own);
    return history_root(history, directory_epoch(own), &expected) && sha256_equal(&expected, &root);
}

/* Of one authority, before and after it changed the key of its log. */
static bool is_one_chain(const struct directory *directory, const struct log *a,
                         const struct log *b)
{
    struct anchors other = b->anchors;
    memcpy(other.vkey, a->anchors.vkey, sizeof other.vkey);
    return directory_log_key(directory) != NULL && anchors_equal(&a->anchors, &other) &&
           !failed(directory_check_keys(directory, &a->view->authority)) &&
           !failed(directory_check_keys(directory, &b->view->authority));
}

static bool same_anchors(const struct log *a, const struct log *b)
{
    return anchors_equal(&a->anchors, &b->anchors) || is_one_chain(a->view->directory, a, b) ||
           is_one_chain(b->view->directory, a, b);
}

static void compare(struct verify *self, const struct log *a, const struct log *b)
{
    if (!same_anchors(a, b))
        FIND(self, b, REPORT_WHOLE, "anchors", invented,
             "its anchors are other ones than those of %s", a->view->folder);
    else if (!contains(a->history, b->view->directory) && !contains(b->history, a->view->directory))
        FIND(self, b, REPORT_WHOLE, "directories", invented,
             "its directory (epoch %" PRIu64 ") contradicts the one of %s (epoch %" PRIu64 ")",
             directory_epoch(b->view->directory), a->view->folder,
             directory_epoch(a->view->directory));
}

static void compare_with_given(struct verify *self, const struct log *log)
{
    if (self->given != NULL && !contains(self->given_history, log->view->directory) &&
        !contains(log->history, self->given))
        FIND(self, log, REPORT_WHOLE, "directories", invented,
             "its directory (epoch %" PRIu64 ") contradicts the given one (epoch %" PRIu64 ")",
             directory_epoch(log->view->directory), directory_epoch(self->given));
}

static fault load_given(struct verify *self, const struct log *log)
{
    if (self->arguments->directory == NULL || self->given != NULL)
        return DONE;
    TRY(directory_load(self->arguments->directory, log->view->trust, &log->view->authority, NULL,
                       NULL, 0, &self->given));
    return history_read(self->arguments->directory, self->given, &self->given_history);
}

fault verify_rest(struct verify *self)
{
    for (size_t i = 0; i < self->logs; i++) {
        const struct log *log = &self->log[i];
        if (log->view == NULL)
            continue;
        TRY(load_given(self, log));
        if (!was_said(self, log))
            say_anchors(self, log);
        for (size_t k = 0; k < i; k++)
            if (self->log[k].view != NULL)
                compare(self, &self->log[k], log);
        compare_with_given(self, log);
    }
    return DONE;
}

static void take_if_newer(struct verify *self, const struct directory *own,
                          const struct directory *other, const struct history *history)
{
    if (directory_epoch(other) <= directory_epoch(self->judge) || !contains(history, own))
        return;
    self->judge = other;
    self->history = history;
}

void verify_choose_judge(struct verify *self, const struct log *log)
{
    const struct directory *own = log->view->directory;
    self->judge = own;
    self->history = log->history;
    if (self->given != NULL)
        take_if_newer(self, own, self->given, self->given_history);
    for (size_t i = 0; i < self->logs; i++)
        if (self->log[i].view != NULL && anchors_equal(&self->log[i].anchors, &log->anchors))
            take_if_newer(self, own, self->log[i].view->directory, self->log[i].history);
}
