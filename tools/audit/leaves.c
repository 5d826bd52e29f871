// SPDX-License-Identifier: MIT
/* chaski-audit leaves: which leaves of exchanges with another server a log holds, as the two
 * servers compare them; for sort, sha256sum and comm. Read from the log itself, not from what the
 * node sorts. */
#include "tools/audit/commands.h"

#include "lib/base/text.h"
#include "lib/bus/leaf_set.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct listed {
    int64_t hour;
    struct sha256 hash;
};

struct leaves {
    const struct log_view *view;
    struct span peer;
    bool one_hour;
    int64_t hour;
    struct listed *list;
    size_t count, room;
};

static void add(struct leaves *self, int64_t time_ms, const struct sha256 *hash)
{
    int64_t hour = time_ms / SET_HOUR_MS;
    if (self->one_hour && hour != self->hour)
        return;
    if (self->count == self->room) {
        self->room = self->room == 0 ? 1024 : 2 * self->room;
        self->list = owned_grow(self->list, self->room, sizeof *self->list);
    }
    self->list[self->count++] = (struct listed){hour, *hash};
}

static fault visit(void *owner, const struct log_entry *entry)
{
    struct leaves *self = owner;
    const struct header *header = entry->header;
    if (header == NULL)
        return DONE;
    bool sent = span_is_text(header->sender_server, self->view->server) &&
                span_equal(header->receiver_server, self->peer);
    bool got = span_equal(header->sender_server, self->peer) &&
               span_is_text(header->receiver_server, self->view->server);
    if (sent && header->late != NULL)
        add(self, header->late->time_ms, &header->late->leaf_hash);
    else if (sent != got && header->kind < HEADER_STARTED)
        add(self, header->time_ms, &entry->leaf_hash);
    return DONE;
}

static int by_hour_and_hash(const void *a, const void *b)
{
    const struct listed *left = a, *right = b;
    if (left->hour != right->hour)
        return left->hour < right->hour ? -1 : 1;
    return memcmp(left->hash.at, right->hash.at, SHA256_BYTES);
}

/* A leaf may stand in the log and in a late receipt too: it counts once. */
static void sort(struct leaves *self)
{
    size_t kept = 0;
    if (self->count > 0)
        qsort(self->list, self->count, sizeof *self->list, by_hour_and_hash);
    for (size_t i = 0; i < self->count; i++)
        if (i == 0 || by_hour_and_hash(&self->list[i - 1], &self->list[i]) != 0)
            self->list[kept++] = self->list[i];
    self->count = kept;
}

static void print_hashes(const struct leaves *self)
{
    char hex[2 * SHA256_BYTES + 1];
    for (size_t i = 0; i < self->count; i++) {
        text_hex(sha256_span(&self->list[i].hash), hex, sizeof hex);
        puts(hex);
    }
}

static void print_hours(const struct leaves *self)
{
    struct sha256_stream *stream = sha256_stream_new();
    for (size_t i = 0, count = 1; i < self->count; i++, count++) {
        char text[SET_HOUR_TEXT_BYTES], hex[2 * SHA256_BYTES + 1];
        sha256_stream_add(stream, sha256_span(&self->list[i].hash));
        if (i + 1 < self->count && self->list[i + 1].hour == self->list[i].hour)
            continue;
        struct sha256 digest = sha256_stream_end(stream);
        set_hour_text(self->list[i].hour, text);
        text_hex(sha256_span(&digest), hex, sizeof hex);
        printf("%s %zu %s\n", text, count, hex);
        count = 0;
    }
    sha256_stream_free(&stream);
}

/* Of all epochs of the log: what was lost at the end of one may have come late in the next. */
static fault walk(struct leaves *self, const struct audit_arguments *arguments)
{
    OWNED(log_view) newest = NULL;
    const char *folder = arguments->positional[0];
    TRY(log_view_open(folder, 0, &arguments->anchors, &newest));
    for (unsigned epoch = 1; epoch <= newest->epoch; epoch++) {
        struct wal_end end;
        OWNED(log_view) view = NULL;
        TRY(log_view_open(folder, epoch, &arguments->anchors, &view));
        self->view = view;
        TRY(log_view_walk(view, visit, self, &end));
    }
    return DONE;
}

fault leaves_command(const struct audit_arguments *arguments)
{
    struct leaves self = {0};
    if (arguments->count != 1 || arguments->peer == NULL)
        return RAISE(BAD_REQUEST, "leaves DIR --peer I/C/M/SERVERCODE [--hour YYYYMMDDHH]");
    self.peer = span_of_text(arguments->peer);
    self.one_hour = arguments->hour != NULL;
    if (self.one_hour)
        TRY(set_hour_parse(span_of_text(arguments->hour), &self.hour));
    fault f = walk(&self, arguments);
    if (!failed(f)) {
        sort(&self);
        if (self.one_hour)
            print_hashes(&self);
        else
            print_hours(&self);
    }
    free(self.list);
    return f;
}
