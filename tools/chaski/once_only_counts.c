// SPDX-License-Identifier: MIT
/* chaski once-only counts: how often procedures fetched, asked, and were told not to, from this
 * node's own log. */
#include "tools/chaski/once_only.h"

#include "lib/base/clock.h"
#include "lib/base/map.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/header.h"
#include "lib/bus/log_epoch.h"
#include "lib/bus/pruned.h"
#include "lib/bus/wal.h"
#include "lib/crypto/cades.h"
#include "tools/chaski/gateway_settings.h"

#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNTS_MAX 100000 /* procedures and entities */
#define DAY_MS INT64_C(86400000)

struct asked {
    const char *config, *audit;
    uint64_t days; /* 0: all */
    bool json;
};

/* Of one entity and one procedure. */
struct count {
    char *entity, *procedure;
    uint64_t fetched; /* requests that got an answer */
    uint64_t failed;
    uint64_t denied;
    uint64_t permit[PERMIT_REASONS_END];
};

struct counting {
    int64_t since_ms;
    struct map by_key;
    size_t count, room;
    struct count **counts;
    struct map requests; /* by leaf hash: the count it belongs to, until its outcome */
    uint64_t unread;
};

static fault read_words(int argc, char **argv, struct asked *out)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"audit", required_argument, NULL, 'a'},
                                            {"days", required_argument, NULL, 'd'},
                                            {"json", no_argument, NULL, 'j'},
                                            {NULL, 0, NULL, 0}};
    opterr = 0;
    optind = 0;
    for (int code; (code = getopt_long(argc, argv, ":", options, NULL)) != -1;)
        if (code == 'c')
            out->config = optarg;
        else if (code == 'a')
            out->audit = optarg;
        else if (code == 'j')
            out->json = true;
        else if (code != 'd' || failed(text_number(span_of_text(optarg), 36500, &out->days)))
            return RAISE(BAD_REQUEST,
                         "%s is no option of chaski once-only counts, or its value is "
                         "missing or wrong",
                         argv[optind - 1]);
    if (optind < argc)
        return RAISE(BAD_REQUEST, "'%s' is one word too many", argv[optind]);
    return (out->config == NULL) != (out->audit == NULL)
               ? DONE
               : RAISE(BAD_REQUEST, "--config SERVER_CONF or --audit FOLDER");
}

// --- counting -----------------------------------------------------------------------------------

static char *text_of(struct span from)
{
    char *text = owned_array(from.size + 1, 1);
    if (from.size > 0)
        memcpy(text, from.at, from.size);
    return text;
}

static fault count_of(struct counting *self, struct span entity, struct span procedure,
                      struct count **out)
{
    char key[ID_TEXT_BYTES_MAX + WORD_BYTES_MAX + 3];
    text_format(key, sizeof key, "%.*s %.*s", (int)entity.size, (const char *)entity.at,
                (int)procedure.size, (const char *)procedure.at);
    *out = map_get(&self->by_key, span_of_text(key));
    if (*out != NULL)
        return DONE;
    if (self->count == COUNTS_MAX)
        return RAISE(OVERLOADED, "more than %d procedures: ask about fewer days", COUNTS_MAX);
    if (self->count == self->room)
        self->counts =
            owned_grow(self->counts, self->room = 2 * self->room + 16, sizeof *self->counts);
    *out = owned_new(sizeof **out);
    (*out)->entity = text_of(entity);
    (*out)->procedure = text_of(procedure);
    self->counts[self->count++] = *out;
    map_set(&self->by_key, span_of_text(key), *out);
    return DONE;
}

static fault take_record(struct counting *self, const struct header *header, struct span leaf)
{
    struct count *count = NULL;
    struct sha256 hash = merkle_leaf_hash(leaf);
    bool is_permit = header->kind == HEADER_PERMIT;
    struct span entity = bus_id_prefix(header->sender, ID_MEMBER);
    if (header->kind == HEADER_RESPONSE || header->kind == HEADER_FAULT) {
        count = map_remove(&self->requests, sha256_span(&header->reply_to));
        if (count != NULL && header->kind == HEADER_RESPONSE && header->status >= 200 &&
            header->status < 300)
            count->fetched++;
        else if (count != NULL)
            count->failed++;
        return DONE;
    }
    if (header->procedure.size == 0 || header->time_ms < self->since_ms ||
        (header->kind != HEADER_REQUEST && !is_permit && header->kind != HEADER_PERMIT_DENIED))
        return DONE;
    TRY(count_of(self, entity, header->procedure, &count));
    if (header->kind == HEADER_REQUEST)
        map_set(&self->requests, sha256_span(&hash), count);
    else if (is_permit)
        count->permit[header->permit->reason]++;
    else
        count->denied++;
    return DONE;
}

static fault take(void *owner, uint64_t index, struct span leaf)
{
    struct counting *self = owner;
    OWNED(header_read) read = NULL;
    struct span content;
    (void)index;
    if (failed(cades_content(leaf, &content)) || failed(header_decode(content, &read))) {
        self->unread++;
        return DONE;
    }
    return take_record(self, header_of(read), leaf);
}

static fault read_epoch(const char *folder, unsigned epoch, bool is_newest, struct counting *self)
{
    char wal[PATH_MAX];
    struct wal_end end;
    struct pruned pruned = {0};
    if (!text_format(wal, sizeof wal, "%s/log/%u/wal", folder, epoch))
        return RAISE(BAD_CONFIG, "the audit folder's name is too long");
    TRY(pruned_read(folder, epoch, &pruned));
    fault f = wal_walk_from(wal, pruned.first, take, self, &end);
    /* it was closed because its end is lost: what is left was counted */
    return !is_newest && f.code == LOG_BROKEN ? DONE : f;
}

static fault read_log(const char *folder, struct counting *self)
{
    unsigned newest = 1;
    TRY(log_epoch_newest(folder, &newest));
    for (unsigned epoch = 1; epoch <= newest; epoch++)
        TRY(read_epoch(folder, epoch, epoch == newest, self));
    return DONE;
}

static void counting_clear(struct counting *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free(self->counts[i]->entity);
        free(self->counts[i]->procedure);
        free(self->counts[i]);
    }
    free(self->counts);
    map_clear(&self->by_key);
    map_clear(&self->requests);
}

// --- telling ------------------------------------------------------------------------------------

static uint64_t permits(const struct count *count)
{
    uint64_t sum = 0;
    for (enum permit_reason reason = 1; reason < PERMIT_REASONS_END; reason++)
        sum += count->permit[reason];
    return sum;
}

static int compare(const void *left, const void *right)
{
    const struct count *const *a = left;
    const struct count *const *b = right;
    int order = strcmp((*a)->entity, (*b)->entity);
    return order != 0 ? order : strcmp((*a)->procedure, (*b)->procedure);
}

static void print_text(const struct counting *self)
{
    printf("%-28s %-20s %9s %9s %9s %9s\n", "entity", "procedure", "fetched", "failed", "permits",
           "denied");
    for (size_t i = 0; i < self->count; i++) {
        const struct count *count = self->counts[i];
        printf("%-28s %-20s %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64, count->entity,
               count->procedure, count->fetched, count->failed, permits(count), count->denied);
        for (enum permit_reason reason = 1; reason < PERMIT_REASONS_END; reason++)
            if (count->permit[reason] > 0)
                printf("  %s %" PRIu64, permit_reason_word(reason), count->permit[reason]);
        putchar('\n');
    }
    if (self->unread > 0)
        printf("%" PRIu64 " entries could not be read: see chaski-audit verify\n", self->unread);
}

static json_t *count_json(const struct count *count)
{
    json_t *reasons = json_object();
    for (enum permit_reason reason = 1; reason < PERMIT_REASONS_END; reason++)
        if (count->permit[reason] > 0)
            json_object_set_new(reasons, permit_reason_word(reason),
                                json_integer((json_int_t)count->permit[reason]));
    return json_pack("{s:s,s:s,s:I,s:I,s:o,s:I}", "entity", count->entity, "procedure",
                     count->procedure, "fetched", (json_int_t)count->fetched, "failed",
                     (json_int_t)count->failed, "permits", reasons, "denied",
                     (json_int_t)count->denied);
}

static void print_json(const struct counting *self)
{
    json_t *list = json_array();
    for (size_t i = 0; i < self->count; i++)
        json_array_append_new(list, count_json(self->counts[i]));
    json_t *root = json_pack("{s:o,s:I}", "counts", list, "unread", (json_int_t)self->unread);
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    puts(text == NULL ? "{}" : text);
    free(text);
    json_decref(root);
}

static fault find_folder(const struct asked *asked, char out[PATH_MAX])
{
    struct gateway_settings settings;
    if (asked->audit != NULL)
        return text_format(out, PATH_MAX, "%s", asked->audit)
                   ? DONE
                   : RAISE(BAD_REQUEST, "the audit folder's name is too long");
    TRY(gateway_settings_read_server(asked->config, &settings));
    fault f = gateway_settings_text(&settings, "audit_folder", out, PATH_MAX);
    gateway_settings_clear(&settings);
    return f;
}

fault once_only_counts(int argc, char **argv)
{
    struct asked asked = {0};
    struct counting counting = {0};
    char folder[PATH_MAX];
    TRY(read_words(argc, argv, &asked));
    TRY(find_folder(&asked, folder));
    if (asked.days > 0)
        counting.since_ms = clock_wall_ms() - (int64_t)asked.days * DAY_MS;
    fault f = read_log(folder, &counting);
    if (!failed(f) && counting.count > 1)
        qsort(counting.counts, counting.count, sizeof *counting.counts, compare);
    if (!failed(f) && asked.json)
        print_json(&counting);
    else if (!failed(f))
        print_text(&counting);
    counting_clear(&counting);
    return f;
}
