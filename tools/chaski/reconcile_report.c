// SPDX-License-Identifier: MIT
#include "tools/chaski/reconcile_report.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/pair_type.h"

#include "audit.pb-c.h"

#include <dirent.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define REPORT_BYTES_MAX (1u << 20)
#define REPORTS_MAX 4096
#define TIME_BYTES 32

static const char *const state_words[] = {"open", "sent", "taken in", "refused"};

struct reports {
    Chaski__ReconcileReport *report[REPORTS_MAX];
    size_t count;
};

// --- reading ------------------------------------------------------------------------------------

static fault take_file(struct reports *self, const char *path, const char *peer)
{
    OWNED(bytes) file = NULL;
    TRY(file_read(path, REPORT_BYTES_MAX, &file));
    Chaski__ReconcileReport *report =
        chaski__reconcile_report__unpack(NULL, file->size, file->data);
    if (report == NULL)
        return RAISE(BAD_FRAME, "%s is no report", path);
    if (peer != NULL && strcmp(peer, report->peer) != 0)
        chaski__reconcile_report__free_unpacked(report, NULL);
    else
        self->report[self->count++] = report;
    return DONE;
}

static int by_peer(const void *a, const void *b)
{
    const Chaski__ReconcileReport *const *left = a, *const *right = b;
    int order = strcmp((*left)->peer, (*right)->peer);
    return order != 0 ? order
                      : ((*left)->began_ms > (*right)->began_ms) -
                            ((*left)->began_ms < (*right)->began_ms);
}

/* The last run of a peer is kept twice when it found something. */
static void drop_doubles(struct reports *self)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++) {
        if (kept > 0 && by_peer(&self->report[kept - 1], &self->report[i]) == 0)
            chaski__reconcile_report__free_unpacked(self->report[i], NULL);
        else
            self->report[kept++] = self->report[i];
    }
    self->count = kept;
}

static bool is_report(const char *name, bool all)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL && (strcmp(dot, ".report") == 0 || (all && strcmp(dot, ".found") == 0));
}

static fault read_all(struct reports *self, const char *audit_folder, const char *peer, bool all)
{
    char path[PATH_MAX];
    fault f = DONE;
    if (!text_format(path, sizeof path, "%s/reconcile", audit_folder))
        return RAISE(BAD_CONFIG, "the audit folder's name is too long");
    DIR *dir = opendir(path);
    if (dir == NULL)
        return RAISE(NOT_FOUND, "%s: %m; the node makes it at its start", path);
    for (struct dirent *entry; !failed(f) && (entry = readdir(dir)) != NULL;) {
        if (!is_report(entry->d_name, all))
            continue;
        if (self->count == REPORTS_MAX)
            f = RAISE(BAD_REQUEST, "more than %d reports: name a --peer", REPORTS_MAX);
        else if (text_format(path, sizeof path, "%s/reconcile/%s", audit_folder, entry->d_name))
            f = take_file(self, path, peer);
    }
    closedir(dir);
    TRY(f);
    qsort(self->report, self->count, sizeof(void *), by_peer);
    drop_doubles(self);
    return self->count > 0 ? DONE : RAISE(NOT_FOUND, "nothing was compared yet");
}

static uint64_t count_of(const Chaski__ReconcileReport *report, size_t type)
{
    return type <= report->n_count ? report->count[type - 1] : 0;
}

static const char *state_of(const Chaski__ReconcileFinding *finding)
{
    return finding->state < sizeof state_words / sizeof state_words[0] ? state_words[finding->state]
                                                                       : "unknown";
}

static void time_text(uint64_t time_ms, char out[TIME_BYTES])
{
    clock_text(time_ms < INT64_MAX ? (int64_t)time_ms : 0, out, TIME_BYTES);
}

/* "" for what is not there. */
static void hex_text(ProtobufCBinaryData data, char *out, size_t room)
{
    out[0] = '\0';
    if (data.len > 0 && 2 * data.len < room)
        text_hex(span_of(data.data, data.len), out, room);
}

// --- for people ---------------------------------------------------------------------------------

static void print_finding(const Chaski__ReconcileFinding *finding)
{
    char time[TIME_BYTES], id[64], hash[80];
    time_text(finding->time_ms, time);
    hex_text(finding->exchange_id, id, sizeof id);
    hex_text(finding->leaf_hash, hash, sizeof hash);
    if (finding->kind == 0 && hash[0] == '\0')
        return;
    printf("      %.19s  %-8s  exchange %s  leaf %s  %s%s\n", time,
           finding->kind == 0 ? "" : header_kind_word((enum header_kind)finding->kind), id, hash,
           finding->missing_here ? "missing here: " : "missing there: ", state_of(finding));
    if (finding->fault != OK)
        printf("        %s\n", fault_sentence((enum fault_code)finding->fault));
}

static void print_type(const Chaski__ReconcileReport *report, size_t type)
{
    uint64_t count = count_of(report, type);
    if (count == 0)
        return;
    printf("  %zu. %s: %" PRIu64 "\n      %s\n      %s\n", type,
           pair_type_word((enum pair_type)type), count, pair_type_meaning((enum pair_type)type),
           pair_type_action((enum pair_type)type));
    for (size_t i = 0; i < report->n_finding; i++)
        if (report->finding[i]->type == type)
            print_finding(report->finding[i]);
}

static bool is_equal(const Chaski__ReconcileReport *report)
{
    for (size_t type = 1; type < PAIR_TYPES_END; type++)
        if (count_of(report, type) > 0)
            return false;
    return report->fault == OK;
}

static void print_report(const Chaski__ReconcileReport *report)
{
    char at[TIME_BYTES], from[TIME_BYTES], until[TIME_BYTES];
    time_text(report->ended_ms, at);
    time_text(report->from_ms, from);
    time_text(report->until_ms, until);
    printf("%s  at %.19s: %.19s to %.19s, %" PRIu64 " leaves here, %" PRIu64 " there: %s\n",
           report->peer, at, from, until, report->leaves, report->peer_leaves,
           is_equal(report) ? "equal" : "NOT EQUAL");
    if (report->fault != OK)
        printf("  not finished: %s: %s\n", fault_sentence((enum fault_code)report->fault),
               report->detail);
    if (report->hours_unequal > 0)
        printf("  %u hour%s not equal; %" PRIu64 " sent, %" PRIu64 " taken in, %" PRIu64
               " refused\n",
               report->hours_unequal, report->hours_unequal == 1 ? "" : "s", report->sent,
               report->taken, report->refused);
    if (report->hours_unknown > 0)
        printf("  %u hour%s not compared: one of the two has removed that part of its log, or "
               "could not "
               "write its set\n",
               report->hours_unknown, report->hours_unknown == 1 ? "" : "s");
    if (report->young > 0)
        printf("  %" PRIu64 " lea%s here dated later: too young to be compared, the next run has "
               "%s\n",
               report->young, report->young == 1 ? "f" : "ves", report->young == 1 ? "it" : "them");
    for (size_t type = 1; type < PAIR_TYPES_END; type++)
        print_type(report, type);
    if (report->more)
        puts("  there is more: the next run goes on");
}

// --- for programs -------------------------------------------------------------------------------

static json_t *finding_json(const Chaski__ReconcileFinding *finding)
{
    char time[TIME_BYTES], id[64], hash[80];
    json_t *object = json_object();
    time_text(finding->time_ms, time);
    hex_text(finding->exchange_id, id, sizeof id);
    hex_text(finding->leaf_hash, hash, sizeof hash);
    json_object_set_new(object, "type", json_integer(finding->type));
    json_object_set_new(object, "finding",
                        json_string(pair_type_word((enum pair_type)finding->type)));
    json_object_set_new(object, "kind",
                        finding->kind == 0
                            ? json_null()
                            : json_string(header_kind_word((enum header_kind)finding->kind)));
    json_object_set_new(object, "time", json_string(time));
    json_object_set_new(object, "exchange", json_string(id));
    json_object_set_new(object, "leaf_hash", json_string(hash));
    json_object_set_new(object, "missing", json_string(finding->missing_here ? "here" : "there"));
    json_object_set_new(object, "state", json_string(state_of(finding)));
    json_object_set_new(object, "fault",
                        finding->fault == OK
                            ? json_null()
                            : json_string(fault_name((enum fault_code)finding->fault)));
    return object;
}

static json_t *types_json(const Chaski__ReconcileReport *report)
{
    json_t *list = json_array();
    for (size_t type = 1; type < PAIR_TYPES_END; type++) {
        json_t *object = json_object();
        json_object_set_new(object, "type", json_integer((json_int_t)type));
        json_object_set_new(object, "finding", json_string(pair_type_word((enum pair_type)type)));
        json_object_set_new(object, "count", json_integer((json_int_t)count_of(report, type)));
        json_object_set_new(object, "meaning",
                            json_string(pair_type_meaning((enum pair_type)type)));
        json_object_set_new(object, "action", json_string(pair_type_action((enum pair_type)type)));
        json_array_append_new(list, object);
    }
    return list;
}

static void put_time(json_t *object, const char *name, uint64_t time_ms)
{
    char text[TIME_BYTES];
    time_text(time_ms, text);
    json_object_set_new(object, name, json_string(text));
}

static json_t *report_json(const Chaski__ReconcileReport *report)
{
    json_t *object = json_object(), *findings = json_array();
    json_object_set_new(object, "peer", json_string(report->peer));
    json_object_set_new(object, "equal", json_boolean(is_equal(report)));
    put_time(object, "began", report->began_ms);
    put_time(object, "ended", report->ended_ms);
    put_time(object, "from", report->from_ms);
    put_time(object, "until", report->until_ms);
    json_object_set_new(object, "fault",
                        report->fault == OK
                            ? json_null()
                            : json_string(fault_name((enum fault_code)report->fault)));
    json_object_set_new(object, "detail", json_string(report->detail));
    json_object_set_new(object, "leaves", json_integer((json_int_t)report->leaves));
    json_object_set_new(object, "peer_leaves", json_integer((json_int_t)report->peer_leaves));
    json_object_set_new(object, "hours_unequal", json_integer(report->hours_unequal));
    json_object_set_new(object, "hours_unknown", json_integer(report->hours_unknown));
    json_object_set_new(object, "left_out_young", json_integer((json_int_t)report->young));
    json_object_set_new(object, "sent", json_integer((json_int_t)report->sent));
    json_object_set_new(object, "taken_in", json_integer((json_int_t)report->taken));
    json_object_set_new(object, "refused", json_integer((json_int_t)report->refused));
    json_object_set_new(object, "more", json_boolean(report->more));
    json_object_set_new(object, "types", types_json(report));
    for (size_t i = 0; i < report->n_finding; i++)
        json_array_append_new(findings, finding_json(report->finding[i]));
    json_object_set_new(object, "findings", findings);
    return object;
}

static void print_json(const struct reports *self)
{
    json_t *list = json_array();
    for (size_t i = 0; i < self->count; i++)
        json_array_append_new(list, report_json(self->report[i]));
    json_dumpf(list, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(list);
}

fault reconcile_report_print(const char *audit_folder, const char *peer, bool all, bool json)
{
    struct reports *self = owned_new(sizeof *self);
    fault f = read_all(self, audit_folder, peer, all);
    if (!failed(f) && json)
        print_json(self);
    for (size_t i = 0; i < self->count; i++) {
        if (!failed(f) && !json)
            print_report(self->report[i]);
        chaski__reconcile_report__free_unpacked(self->report[i], NULL);
    }
    free(self);
    return f;
}
