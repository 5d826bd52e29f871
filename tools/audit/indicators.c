// SPDX-License-Identifier: MIT
/* chaski-audit indicators: how access goes, computed from evidence and the directory alone. One row
 * for each number: for people, as JSON, and as CSV for open data. */
#include "tools/audit/commands.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/access.h"
#include "lib/bus/bus_id.h"
#include "lib/evidence/printable.h"
#include "tools/audit/indicator_cells.h"
#include "tools/audit/indicator_sums.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#define ALL "(all)"
#define DAY_MS INT64_C(86400000)

enum form { FORM_TEXT, FORM_JSON, FORM_CSV };

struct printer {
    enum form form;
    json_t *rows;
};

/* Names come from signed headers, and so from strangers: a spreadsheet runs none of them. */
static void put_csv_word(const char *word)
{
    printf("\"%s", word[0] != '\0' && strchr("=+-@", word[0]) != NULL ? "'" : "");
    for (const char *at = word; *at != '\0'; at++) {
        if (*at == '"')
            putchar('"');
        putchar(*at);
    }
    fputs("\",", stdout);
}

static void put_text_word(const char *word, int width)
{
    OWNED(printable) text = printable_of(span_of_text(word));
    printf("%-*s ", width, text->text);
}

/* value NULL: it is suppressed. */
static void put(struct printer *self, const char *indicator, const char *entity, const char *group,
                const double *value, const char *unit)
{
    char number[40] = "";
    if (value != NULL)
        text_format(number, sizeof number, "%.10g", *value);
    if (self->form == FORM_JSON)
        json_array_append_new(self->rows, json_pack("{s:s,s:s,s:s,s:o,s:s}", "indicator", indicator,
                                                    "entity", entity, "group", group, "value",
                                                    value == NULL ? json_null() : json_real(*value),
                                                    "unit", unit));
    if (self->form == FORM_JSON)
        return;
    if (self->form == FORM_CSV) {
        printf("%s,", indicator);
        put_csv_word(entity);
        put_csv_word(group);
        printf("%s,%s\n", number, unit);
        return;
    }
    put_text_word(indicator, 16);
    put_text_word(entity, 26);
    put_text_word(group, 30);
    printf("%12s %s\n", value == NULL ? "*" : number, unit);
}

static void put_count(struct printer *self, const char *indicator, const char *entity,
                      const char *group, uint64_t count, bool hidden)
{
    double value = (double)count;
    put(self, indicator, entity, group, hidden ? NULL : &value, "exchanges");
}

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

struct all {
    const struct indicator_exchange *const *at;
    size_t count;
    struct names providers, callers, refusals;
};

static void gather_names(struct all *self)
{
    for (size_t i = 0; i < self->count; i++) {
        add_name(&self->providers, self->at[i]->provider);
        add_name(&self->callers, self->at[i]->caller);
        if (self->at[i]->refusal != NULL)
            add_name(&self->refusals, self->at[i]->refusal);
    }
    sort_names(&self->providers);
    sort_names(&self->callers);
    sort_names(&self->refusals);
}

static const char *const end_words[INDICATOR_ENDS] = {"automatic", "by-word", "refused", "failed",
                                                      "none"};

static void put_share(struct printer *out, const char *indicator, const char *entity, uint64_t part,
                      uint64_t whole, bool hidden)
{
    double share = whole == 0 ? 0 : (double)part / (double)whole;
    if (whole > 0)
        put(out, indicator, entity, "", hidden ? NULL : &share, "share");
}

static int compare_latencies(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

/* Of fewer than INDICATOR_LEAST answers one could be told. */
static void put_latency(struct printer *out, const struct all *all, const char *entity)
{
    int64_t *latency = owned_array(all->count + 1, sizeof *latency);
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        if (all->at[i]->latency_ms >= 0 && all->at[i]->end <= INDICATOR_BY_WORD &&
            (strcmp(entity, ALL) == 0 || strcmp(entity, all->at[i]->provider) == 0))
            latency[count++] = all->at[i]->latency_ms;
    if (count > 0)
        qsort(latency, count, sizeof *latency, compare_latencies);
    size_t middle = count == 0 ? 0 : (count - 1) / 2,
           late = count == 0 ? 0 : (count - 1) * 95 / 100;
    double half = (double)latency[middle], most = (double)latency[late];
    if (count > 0) {
        put(out, "latency", entity, "p50", count < INDICATOR_LEAST ? NULL : &half, "ms");
        put(out, "latency", entity, "p95", count < 4 * INDICATOR_LEAST ? NULL : &most, "ms");
    }
    free(latency);
}

static void put_exchanges(struct printer *out, const struct all *all)
{
    struct indicator_cells cells;
    indicator_cells_make(&cells, all->providers.count, INDICATOR_ENDS);
    for (size_t i = 0; i < all->count; i++)
        ++*indicator_cell(&cells, name_at(&all->providers, all->at[i]->provider), all->at[i]->end);
    indicator_cells_close(&cells);
    for (size_t row = 0; row < cells.rows; row++) {
        const char *entity = row + 1 == cells.rows ? ALL : all->providers.name[row];
        uint64_t *count = indicator_cell(&cells, row, 0);
        const bool *hidden = cells.hidden + row * cells.columns;
        for (size_t end = 0; end < INDICATOR_ENDS; end++)
            put_count(out, "exchanges", entity, end_words[end], count[end], hidden[end]);
        put_count(out, "exchanges", entity, ALL, count[INDICATOR_ENDS], hidden[INDICATOR_ENDS]);
        put_share(out, "auto-allowed", entity, count[INDICATOR_AUTOMATIC],
                  count[INDICATOR_AUTOMATIC] + count[INDICATOR_BY_WORD],
                  hidden[INDICATOR_AUTOMATIC] || hidden[INDICATOR_BY_WORD]);
        put_share(out, "availability", entity, count[INDICATOR_ENDS] - count[INDICATOR_FAILED],
                  count[INDICATOR_ENDS], hidden[INDICATOR_FAILED] || hidden[INDICATOR_ENDS]);
        put_latency(out, all, entity);
    }
    indicator_cells_clear(&cells);
}

static void put_refusals(struct printer *out, const struct all *all)
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
                put_count(out, "refusals", all->providers.name[row], all->refusals.name[column],
                          *indicator_cell(&cells, row, column),
                          indicator_hidden(&cells, row, column));
    indicator_cells_clear(&cells);
}

/* How many an authority keeps from view is public in full: it is about the authority. */
static void put_sealed(struct printer *out, const struct all *all, int64_t now_ms)
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
            put_count(out, "sealed", all->callers.name[row], "sealed", sealed, false);
            put_count(out, "sealed", all->callers.name[row], "opened", opened, false);
        }
    }
}

// --- once only ----------------------------------------------------------------------------------

/* Of the questions that a citizen would have been asked, how many a source answers. */
static void put_once_only(struct printer *out, const struct indicator_permits *permits,
                          size_t members)
{
    struct indicator_cells cells;
    indicator_cells_make(&cells, members, 2);
    for (size_t i = 0; i < members; i++) {
        *indicator_cell(&cells, i, 0) = permits[i].denied;
        *indicator_cell(&cells, i, 1) = permits[i].given;
    }
    indicator_cells_close(&cells);
    for (size_t row = 0; row < cells.rows && members > 0; row++) {
        const char *entity = row + 1 == cells.rows ? ALL : permits[row].member;
        const bool *hidden = cells.hidden + row * cells.columns;
        const uint64_t *count = indicator_cell(&cells, row, 0);
        put_count(out, "once-only", entity, "denied", count[0], hidden[0]);
        put_count(out, "once-only", entity, "permitted", count[1], hidden[1]);
        put_share(out, "once-only-rate", entity, count[0], count[2], hidden[0] || hidden[2]);
    }
    indicator_cells_clear(&cells);
}

// --- the directory: each of its entries is public
// -------------------------------------------------

static const char *const ages[] = {"under 3 months", "3 to 6 months", "6 months and more"};

static void put_restrictions(struct printer *out, const struct directory *directory, int64_t now_ms)
{
    double count[GROUNDS_END][3] = {{0}};
    size_t step = 0;
    for (const struct directory_restriction *at;
         (at = directory_next_restriction(directory, &step)) != NULL;)
        if (at->from_ms <= now_ms && now_ms < at->until_ms) {
            int64_t days = (now_ms - at->from_ms) / DAY_MS;
            count[at->ground][days < 91 ? 0 : days < 182 ? 1 : 2]++;
        }
    for (enum directory_ground ground = 1; ground < GROUNDS_END; ground++)
        for (size_t age = 0; age < 3; age++)
            if (count[ground][age] > 0)
                put(out, "restrictions", directory_ground_word(ground), ages[age],
                    &count[ground][age], "restrictions");
}

static void put_requests(struct printer *out, const struct directory *directory, int64_t now_ms)
{
    double count[STANDINGS_END] = {0}, overdue = 0;
    size_t step = 0;
    for (const struct directory_request *at;
         (at = directory_next_request(directory, &step)) != NULL;) {
        struct standing standing;
        access_standing(directory, at, now_ms, &standing);
        count[standing.state]++;
        overdue += standing.overdue;
    }
    for (enum standing_state state = 1; state < STANDINGS_END; state++)
        put(out, "access-requests", ALL, access_state_word(state), &count[state], "requests");
    put(out, "access-requests", ALL, "overdue", &overdue, "requests");
}

// --- the command --------------------------------------------------------------------------------

static int64_t newest_ms(const struct all *all)
{
    int64_t newest = 0;
    for (size_t i = 0; i < all->count; i++)
        newest = all->at[i]->time_ms > newest ? all->at[i]->time_ms : newest;
    return newest;
}

static void begin(const struct printer *out, const struct all *all)
{
    char until[32];
    clock_text(newest_ms(all), until, sizeof until);
    if (out->form == FORM_CSV)
        puts("indicator,entity,group,value,unit");
    else if (out->form == FORM_TEXT)
        printf("Up to %.10s. *: fewer than %d, or what would tell such a count.\n"
               "The logs are taken at their word here: chaski-audit verify says whether they are "
               "true.\n\n",
               until, INDICATOR_LEAST);
}

static void end(const struct printer *out)
{
    if (out->form != FORM_JSON)
        return;
    json_t *root = json_pack("{s:i,s:O}", "least", INDICATOR_LEAST, "rows", out->rows);
    json_dumpf(root, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(root);
}

static void put_all(struct printer *out, struct all *all, const struct indicator_sums *sums,
                    const struct directory *directory)
{
    size_t members = 0;
    const struct indicator_permits *permits = indicator_sums_permits(sums, &members);
    int64_t now_ms = clock_wall_ms();
    gather_names(all);
    begin(out, all);
    put_exchanges(out, all);
    put_refusals(out, all);
    put_sealed(out, all, now_ms);
    put_once_only(out, permits, members);
    put_restrictions(out, directory, now_ms);
    put_requests(out, directory, now_ms);
    end(out);
}

fault indicators_command(const struct audit_arguments *arguments)
{
    struct all all = {0};
    struct printer out = {arguments->csv    ? FORM_CSV
                          : arguments->json ? FORM_JSON
                                            : FORM_TEXT,
                          NULL};
    OWNED(indicator_sums) sums = indicator_sums_new();
    OWNED(log_view) newest = NULL;
    if (arguments->csv && arguments->json)
        return RAISE(BAD_REQUEST, "one of --json and --csv");
    for (size_t i = 0; i < arguments->count; i++) {
        OWNED(log_view) view = NULL;
        TRY(indicator_sums_add(sums, arguments->positional[i], &arguments->anchors));
        TRY(log_view_open(arguments->positional[i], 0, &arguments->anchors, &view));
        if (newest == NULL ||
            directory_epoch(view->directory) > directory_epoch(newest->directory)) {
            log_view_free(&newest);
            newest = TAKE(view);
        }
    }
    all.at = indicator_sums_all(sums, &all.count);
    if (newest == NULL)
        return RAISE(BAD_REQUEST, "indicators DIR...");
    out.rows = json_array();
    put_all(&out, &all, sums, newest->directory);
    json_decref(out.rows);
    free(all.providers.name);
    free(all.callers.name);
    free(all.refusals.name);
    return DONE;
}
