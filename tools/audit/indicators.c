// SPDX-License-Identifier: MIT
/* chaski-audit indicators: how access goes, computed from evidence and the directory alone. */
#include "tools/audit/commands.h"

#include "lib/base/clock.h"
#include "tools/audit/indicator_cells.h"
#include "tools/audit/indicator_months.h"
#include "tools/audit/indicator_register.h"
#include "tools/audit/indicator_sums.h"

#include <stdlib.h>

// --- names in order -----------------------------------------------------------------------------

struct names {
    size_t count, room;
    const char **name;
};

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void add_name(struct names *self, const char *name)
{
    if (self->count == self->room) {
        self->room = self->room == 0 ? 256 : 2 * self->room;
        self->name = owned_grow(self->name, self->room, sizeof *self->name);
    }
    self->name[self->count++] = name;
}

static void sort_names(struct names *self)
{
    size_t kept = 0;
    if (self->count > 0)
        qsort(self->name, self->count, sizeof *self->name, compare_names);
    for (size_t i = 0; i < self->count; i++)
        if (i == 0 || strcmp(self->name[i], self->name[kept - 1]) != 0)
            self->name[kept++] = self->name[i];
    self->count = kept;
}

static size_t name_at(const struct names *self, const char *name)
{
    const char **found = bsearch(&name, self->name, self->count, sizeof *self->name, compare_names);
    return (size_t)(found - self->name);
}

// --- exchanges ----------------------------------------------------------------------------------

/* Of one month, or of all times. */
struct all {
    int64_t from_ms, until_ms;
    const struct indicator_exchange **at;
    const struct indicator_permit *permit;
    size_t count, permits; /* permits of other times are passed over */
    struct names providers, callers, refusals, askers;
};

static bool is_in(const struct all *self, int64_t at_ms)
{
    return self->from_ms <= at_ms && at_ms < self->until_ms;
}

static void take(struct all *self, struct indicator_sums *sums)
{
    size_t count = 0;
    const struct indicator_exchange *const *each = indicator_sums_all(sums, &count);
    self->at = owned_array(count + 1, sizeof *self->at);
    for (size_t i = 0; i < count; i++)
        if (is_in(self, each[i]->time_ms))
            self->at[self->count++] = each[i];
    self->permit = indicator_sums_permits(sums, &self->permits);
}

static void all_clear(struct all *self)
{
    free(self->at);
    free(self->providers.name);
    free(self->callers.name);
    free(self->refusals.name);
    free(self->askers.name);
}

static void gather_names(struct all *self)
{
    for (size_t i = 0; i < self->count; i++) {
        add_name(&self->providers, self->at[i]->provider);
        add_name(&self->callers, self->at[i]->caller);
        if (self->at[i]->refusal != NULL)
            add_name(&self->refusals, self->at[i]->refusal);
    }
    for (size_t i = 0; i < self->permits; i++)
        if (is_in(self, self->permit[i].time_ms))
            add_name(&self->askers, self->permit[i].member);
    sort_names(&self->askers);
    sort_names(&self->providers);
    sort_names(&self->callers);
    sort_names(&self->refusals);
}

static const char *const end_words[INDICATOR_ENDS] = {"automatic", "by-word", "refused", "failed",
                                                      "none"};

static int compare_latencies(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

/* Of fewer than INDICATOR_LEAST answers one could be told. */
static void put_latency(struct indicator_printer *out, const struct all *all, const char *entity)
{
    int64_t *latency = owned_array(all->count + 1, sizeof *latency);
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        if (all->at[i]->latency_ms >= 0 && all->at[i]->end <= INDICATOR_BY_WORD &&
            (strcmp(entity, INDICATOR_ALL) == 0 || strcmp(entity, all->at[i]->provider) == 0))
            latency[count++] = all->at[i]->latency_ms;
    if (count > 0)
        qsort(latency, count, sizeof *latency, compare_latencies);
    size_t middle = count == 0 ? 0 : (count - 1) / 2,
           late = count == 0 ? 0 : (count - 1) * 95 / 100;
    double half = (double)latency[middle], most = (double)latency[late];
    if (count > 0) {
        indicator_put(out, "latency", entity, "p50", count < INDICATOR_LEAST ? NULL : &half, "ms");
        indicator_put(out, "latency", entity, "p95", count < 4 * INDICATOR_LEAST ? NULL : &most,
                      "ms");
    }
    free(latency);
}

static void put_exchanges(struct indicator_printer *out, const struct all *all)
{
    struct indicator_cells cells;
    indicator_cells_make(&cells, all->providers.count, INDICATOR_ENDS);
    for (size_t i = 0; i < all->count; i++)
        ++*indicator_cell(&cells, name_at(&all->providers, all->at[i]->provider), all->at[i]->end);
    indicator_cells_close(&cells);
    for (size_t row = 0; row < cells.rows; row++) {
        const char *entity = row + 1 == cells.rows ? INDICATOR_ALL : all->providers.name[row];
        uint64_t *count = indicator_cell(&cells, row, 0);
        const bool *hidden = cells.hidden + row * cells.columns;
        for (size_t end = 0; end < INDICATOR_ENDS; end++)
            indicator_put_count(out, "exchanges", entity, end_words[end], count[end], hidden[end]);
        indicator_put_count(out, "exchanges", entity, INDICATOR_ALL, count[INDICATOR_ENDS],
                            hidden[INDICATOR_ENDS]);
        indicator_put_share(out, "auto-allowed", entity, count[INDICATOR_AUTOMATIC],
                            count[INDICATOR_AUTOMATIC] + count[INDICATOR_BY_WORD],
                            hidden[INDICATOR_AUTOMATIC] || hidden[INDICATOR_BY_WORD]);
        indicator_put_share(out, "availability", entity,
                            count[INDICATOR_ENDS] - count[INDICATOR_FAILED], count[INDICATOR_ENDS],
                            hidden[INDICATOR_FAILED] || hidden[INDICATOR_ENDS]);
        put_latency(out, all, entity);
    }
    indicator_cells_clear(&cells);
}

static void put_refusals(struct indicator_printer *out, const struct all *all)
{
    struct indicator_cells cells;
    indicator_cells_make(&cells, all->providers.count, all->refusals.count);
    for (size_t i = 0; i < all->count; i++)
        if (all->at[i]->refusal != NULL)
            ++*indicator_cell(&cells, name_at(&all->providers, all->at[i]->provider),
                              name_at(&all->refusals, all->at[i]->refusal));
    indicator_cells_close(&cells);
    /* sums are told with the exchanges, where others may have to be hidden */
    for (size_t row = 0; row + 1 < cells.rows; row++)
        for (size_t column = 0; column + 1 < cells.columns; column++)
            if (*indicator_cell(&cells, row, column) > 0)
                indicator_put_count(
                    out, "refusals", all->providers.name[row], all->refusals.name[column],
                    *indicator_cell(&cells, row, column), indicator_hidden(&cells, row, column));
    indicator_cells_clear(&cells);
}

/* How many an authority keeps from view is public in full: it is about the authority. */
static void put_sealed(struct indicator_printer *out, const struct all *all, int64_t now_ms)
{
    for (size_t row = 0; row < all->callers.count; row++) {
        uint64_t sealed = 0, opened = 0;
        for (size_t i = 0; i < all->count; i++)
            if (all->at[i]->sealed_until_ms != 0 &&
                strcmp(all->at[i]->caller, all->callers.name[row]) == 0) {
                sealed += all->at[i]->sealed_until_ms > now_ms;
                opened += all->at[i]->sealed_until_ms <= now_ms;
            }
        if (sealed + opened > 0) {
            indicator_put_count(out, "sealed", all->callers.name[row], "sealed", sealed, false);
            indicator_put_count(out, "sealed", all->callers.name[row], "opened", opened, false);
        }
    }
}

// --- once only ----------------------------------------------------------------------------------

/* Of the questions that a citizen would have been asked, how many a source answers. */
static void put_once_only(struct indicator_printer *out, const struct all *all)
{
    struct indicator_cells cells;
    indicator_cells_make(&cells, all->askers.count, 2);
    for (size_t i = 0; i < all->permits; i++)
        if (is_in(all, all->permit[i].time_ms))
            ++*indicator_cell(&cells, name_at(&all->askers, all->permit[i].member),
                              all->permit[i].denied ? 0 : 1);
    indicator_cells_close(&cells);
    for (size_t row = 0; row < cells.rows && all->askers.count > 0; row++) {
        const char *entity = row + 1 == cells.rows ? INDICATOR_ALL : all->askers.name[row];
        const bool *hidden = cells.hidden + row * cells.columns;
        const uint64_t *count = indicator_cell(&cells, row, 0);
        indicator_put_count(out, "once-only", entity, "denied", count[0], hidden[0]);
        indicator_put_count(out, "once-only", entity, "permitted", count[1], hidden[1]);
        indicator_put_share(out, "once-only-rate", entity, count[0], count[2],
                            hidden[0] || hidden[2]);
    }
    indicator_cells_clear(&cells);
}

// --- the command --------------------------------------------------------------------------------

static int64_t newest_ms(struct indicator_sums *sums)
{
    size_t count = 0;
    int64_t newest = 0;
    const struct indicator_exchange *const *each = indicator_sums_all(sums, &count);
    for (size_t i = 0; i < count; i++)
        newest = each[i]->time_ms > newest ? each[i]->time_ms : newest;
    return newest;
}

static void begin(const struct indicator_printer *out, struct indicator_sums *sums)
{
    char until[32];
    clock_text(newest_ms(sums), until, sizeof until);
    if (out->form == INDICATOR_CSV)
        printf("%sindicator,entity,group,value,unit\n", out->month == NULL ? "" : "month,");
    else if (out->form == INDICATOR_TEXT)
        printf("Up to %.10s. *: fewer than %d, or what would tell such a count.\n"
               "The logs are taken at their word here: chaski-audit verify says whether they are "
               "true.\n\n",
               until, INDICATOR_LEAST);
}

static void end(const struct indicator_printer *out)
{
    if (out->form != INDICATOR_JSON)
        return;
    json_t *root = json_pack("{s:i,s:O}", "least", INDICATOR_LEAST, "rows", out->rows);
    json_dumpf(root, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(root);
}

static void put_times(struct indicator_printer *out, struct indicator_sums *sums, int64_t from_ms,
                      int64_t until_ms, int64_t now_ms)
{
    struct all all = {.from_ms = from_ms, .until_ms = until_ms};
    take(&all, sums);
    gather_names(&all);
    put_exchanges(out, &all);
    put_refusals(out, &all);
    put_sealed(out, &all, now_ms);
    put_once_only(out, &all);
    all_clear(&all);
}

static fault put_all(struct indicator_printer *out, struct indicator_sums *sums,
                     const struct indicator_months *months, const struct directory *directory)
{
    int64_t now_ms = clock_wall_ms();
    out->month = months->count == 0 ? NULL : "";
    begin(out, sums);
    for (size_t i = 0; i < months->count; i++) {
        out->month = months->month[i].name;
        put_times(out, sums, months->month[i].from_ms, months->month[i].until_ms, now_ms);
    }
    if (months->count == 0)
        put_times(out, sums, INT64_MIN, INT64_MAX, now_ms);
    out->month = months->count == 0 ? NULL : "";
    TRY(indicator_put_register(out, directory, now_ms));
    end(out);
    return DONE;
}

static fault read_logs(const struct audit_arguments *arguments, struct indicator_sums *sums,
                       struct log_view **newest)
{
    for (size_t i = 0; i < arguments->count; i++) {
        OWNED(log_view) view = NULL;
        TRY(indicator_sums_add(sums, arguments->positional[i], &arguments->anchors));
        TRY(log_view_open(arguments->positional[i], 0, &arguments->anchors, &view));
        if (*newest == NULL ||
            directory_epoch(view->directory) > directory_epoch((*newest)->directory)) {
            log_view_free(newest);
            *newest = TAKE(view);
        }
    }
    return *newest == NULL ? RAISE(BAD_REQUEST, "indicators DIR...") : DONE;
}

fault indicators_command(const struct audit_arguments *arguments)
{
    struct indicator_printer out = {.form = arguments->csv    ? INDICATOR_CSV
                                            : arguments->json ? INDICATOR_JSON
                                                              : INDICATOR_TEXT};
    struct indicator_months months = {0};
    OWNED(indicator_sums) sums = indicator_sums_new();
    OWNED(log_view) newest = NULL;
    if (arguments->csv && arguments->json)
        return RAISE(BAD_REQUEST, "one of --json and --csv");
    if (arguments->from != NULL || arguments->until != NULL)
        TRY(indicator_months_read(arguments->from, arguments->until, clock_wall_ms(), &months));
    TRY(read_logs(arguments, sums, &newest));
    out.rows = json_array();
    fault f = put_all(&out, sums, &months, newest->directory);
    json_decref(out.rows);
    return f;
}
