// SPDX-License-Identifier: MIT
/* What is told of each log besides its findings, for people and as JSON. */
#include "tools/audit/verify.h"

#include "lib/base/text.h"
#include "lib/evidence/printable.h"
#include "tools/audit/json_text.h"

#include <inttypes.h>
#include <stdlib.h>

#define HEADS_SHOWN_MAX 20

static const char *const payload_words[FOUND_KINDS] = {"none", "held",   "sealed",
                                                       "salt", "erased", "damaged"};

static int by_server(const void *a, const void *b)
{
    const struct peer_head *const *left = a;
    const struct peer_head *const *right = b;
    return strcmp((*left)->server, (*right)->server);
}

/* Sorted; free() the list. */
static const struct peer_head **heads_of(const struct log *log)
{
    const struct peer_head **list = owned_array(log->heads.count + 1, sizeof *list);
    size_t step = 0, count = 0;
    for (struct peer_head *head; (head = map_next(&log->heads, &step, NULL)) != NULL;)
        list[count++] = head;
    qsort(list, count, sizeof *list, by_server);
    return list;
}

static void tell_heads(struct verify *self, const struct log *log)
{
    const struct peer_head **list = heads_of(log);
    char root[2 * SHA256_BYTES + 1];
    for (size_t i = 0; i < log->heads.count && i < HEADS_SHOWN_MAX; i++) {
        text_hex(sha256_span(&list[i]->root), root, sizeof root);
        char epoch[24] = "";
        if (list[i]->epoch > 1)
            text_format(epoch, sizeof epoch, " of epoch %u", list[i]->epoch);
        report_line(self->report, "  %s %s: %" PRIu64 " entries%s, root %s (by entry %" PRIu64 ")",
                    i == 0 ? "peers' heads:" : "             ", list[i]->server, list[i]->size,
                    epoch, root, list[i]->index);
    }
    if (log->heads.count > HEADS_SHOWN_MAX)
        report_line(self->report, "               ... and %zu more; --json lists all",
                    log->heads.count - HEADS_SHOWN_MAX);
    free(list);
}

static void tell_erasures(struct verify *self, const struct log *log)
{
    for (size_t i = 0; i < log->acts; i++) {
        const struct erased_act *act = &log->act[i];
        OWNED(printable)
        ground = printable_of(span_of_text(act->ground == NULL ? "sealed" : act->ground));
        report_line(self->report,
                    "  erased by entry %" PRIu64 ": %" PRIu64 " payload%s; ground: %s", act->index,
                    act->payloads, act->payloads == 1 ? "" : "s", ground->text);
    }
}

static void tell_log(struct verify *self, const struct log *log)
{
    char root[2 * SHA256_BYTES + 1];
    if (report_is_quiet(self->report) || log->view == NULL)
        return;
    struct sha256 whole = roots_at(log->roots, log->count);
    text_hex(sha256_span(&whole), root, sizeof root);
    report_line(self->report, "%-44s %8" PRIu64 " entries  root %.16s…", log->view->log_key.name,
                log->count, root);
    report_line(self->report,
                "  payloads: %" PRIu64 " held, %" PRIu64 " sealed, %" PRIu64 " salt, %" PRIu64
                " erased, %" PRIu64 " none, %" PRIu64 " damaged; %" PRIu64
                " entries that no checkpoint covers",
                log->payloads[FOUND_HELD], log->payloads[FOUND_SEALED], log->payloads[FOUND_SALT],
                log->payloads[FOUND_ERASED], log->payloads[FOUND_NONE],
                log->payloads[FOUND_DAMAGED], log->uncovered);
    report_line(self->report,
                "  confirmed: %" PRIu64 " entries by a checkpoint, %" PRIu64
                " by a quorum of witnesses, %" PRIu64 " by a time stamp",
                log->count - log->uncovered, log->quorate, log->stamped);
    if (log->first > 0) {
        OWNED(printable)
        ground =
            printable_of(span_of_text(log->prune_ground == NULL ? "sealed" : log->prune_ground));
        report_line(self->report, "  %" PRIu64 " entries pruned by entry %" PRIu64 "; ground: %s",
                    log->first, log->view->pruned.act, ground->text);
    }
    tell_erasures(self, log);
    tell_heads(self, log);
    verify_held_tell(self, log);
}

static json_t *erasures_json(const struct log *log)
{
    json_t *array = json_array();
    for (size_t i = 0; i < log->acts; i++) {
        const struct erased_act *act = &log->act[i];
        const struct erasure *what = header_of(act->header)->erasure;
        json_t *object = json_object();
        json_put_number(object, "entry", act->index);
        json_put_number(object, "payloads", act->payloads);
        json_put_number(object, "first", what->first);
        json_put_number(object, "last", what->last);
        json_put_text(object, "day", span_of_text(what->day));
        json_put_text(object, "of", span_of_text(what->of));
        if (act->ground != NULL)
            json_put_text(object, "ground", span_of_text(act->ground));
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *heads_json(const struct log *log)
{
    const struct peer_head **list = heads_of(log);
    json_t *array = json_array();
    for (size_t i = 0; i < log->heads.count; i++) {
        json_t *object = json_object();
        json_put_text(object, "server", span_of_text(list[i]->server));
        json_put_number(object, "size", list[i]->size);
        json_put_hash(object, "root", sha256_span(&list[i]->root));
        json_put_number(object, "entry", list[i]->index);
        json_put_number(object, "epoch", list[i]->epoch);
        json_array_append_new(array, object);
    }
    free(list);
    return array;
}

static json_t *log_json(const struct verify *self, const struct log *log)
{
    json_t *object = json_object(), *payloads = json_object();
    for (size_t i = 0; i < FOUND_KINDS; i++)
        json_put_number(payloads, payload_words[i], log->payloads[i]);
    json_put_text(object, "log", span_of_text(log->view->name));
    json_put_number(object, "epoch", log->view->epoch);
    json_put_number(object, "lost", log->lost);
    json_put_number(object, "pruned", log->first);
    json_put_text(object, "server", span_of_text(log->view->server));
    json_put_text(object, "origin", span_of_text(log->view->log_key.name));
    json_put_number(object, "entries", log->count);
    struct sha256 root = roots_at(log->roots, log->count);
    json_put_hash(object, "root", sha256_span(&root));
    json_put_number(object, "checkpoint_size", log->promised.size);
    json_put_number(object, "uncovered", log->uncovered);
    json_put_number(object, "confirmed_by_quorum", log->quorate);
    json_put_number(object, "confirmed_by_stamp", log->stamped);
    json_object_set_new(object, "payloads", payloads);
    json_object_set_new(object, "erasures", erasures_json(log));
    json_put_number(object, "incidents", log->incidents);
    json_object_set_new(object, "peers_heads", heads_json(log));
    json_object_set_new(object, "heads_kept", verify_held_json(self, log));
    return object;
}

static json_t *whole_json(const struct verify *self)
{
    json_t *root = json_object(), *list = json_array(), *payloads = json_object();
    uint64_t sums[FOUND_KINDS] = {0};
    for (size_t i = 0; i < self->logs; i++) {
        for (size_t k = 0; k < FOUND_KINDS; k++)
            sums[k] += self->log[i].payloads[k];
        if (self->log[i].view != NULL)
            json_array_append_new(list, log_json(self, &self->log[i]));
    }
    for (size_t k = 0; k < FOUND_KINDS; k++)
        json_put_number(payloads, payload_words[k], sums[k]);
    json_object_set_new(root, "anchors", verify_anchors_json(self));
    json_object_set_new(root, "audited", list);
    json_object_set_new(root, "pairs", verify_pairs_json(self));
    json_object_set_new(root, "payloads", payloads);
    return root;
}

void verify_tell(struct verify *self)
{
    for (size_t i = 0; i < self->logs; i++)
        tell_log(self, &self->log[i]);
    report_end(self->report, self->logs, report_is_json(self->report) ? whole_json(self) : NULL);
}
