// SPDX-License-Identifier: MIT
#include "tools/audit/indicator_register.h"

#include "lib/bus/access.h"
#include "lib/bus/once_only_lint.h"

#include <string.h>

#define DAY_MS INT64_C(86400000)

static const char *const ages[] = {"under 3 months", "3 to 6 months", "6 months and more"};

static size_t age_of(int64_t since_ms, int64_t now_ms)
{
    int64_t days = (now_ms - since_ms) / DAY_MS;
    return days < 91 ? 0 : days < 182 ? 1 : 2;
}

static void put_restrictions(struct indicator_printer *out, const struct directory *directory,
                             int64_t now_ms)
{
    double count[GROUNDS_END][3] = {{0}};
    size_t step = 0;
    for (const struct directory_restriction *at;
         (at = directory_next_restriction(directory, &step)) != NULL;)
        if (at->from_ms <= now_ms && now_ms < at->until_ms)
            count[at->ground][age_of(at->from_ms, now_ms)]++;
    for (enum directory_ground ground = 1; ground < GROUNDS_END; ground++)
        for (size_t age = 0; age < 3; age++)
            if (count[ground][age] > 0)
                indicator_put(out, "restrictions", directory_ground_word(ground), ages[age],
                              &count[ground][age], "restrictions");
}

static void put_requests(struct indicator_printer *out, const struct directory *directory,
                         int64_t now_ms)
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
        indicator_put(out, "access-requests", INDICATOR_ALL, access_state_word(state),
                      &count[state], "requests");
    indicator_put(out, "access-requests", INDICATOR_ALL, "overdue", &overdue, "requests");
}

// --- once only ----------------------------------------------------------------------------------

/* Of one owner of procedures, whose first one this is: its debts by age, and that it has none. */
static void put_owner(struct indicator_printer *out, const struct lint *lint, const char *owner,
                      int64_t now_ms)
{
    double count[3] = {0}, unknown = 0, sum = 0;
    for (size_t i = 0; i < lint->count; i++) {
        const struct lint_finding *at = &lint->finding[i];
        if (at->kind != LINT_DEBT || strcmp(at->owner, owner) != 0)
            continue;
        sum++;
        if (at->since_ms == 0)
            unknown++;
        else
            count[age_of(at->since_ms, now_ms)]++;
    }
    for (size_t age = 0; age < 3; age++)
        if (count[age] > 0)
            indicator_put(out, "once-only-debt", owner, ages[age], &count[age], "debts");
    if (unknown > 0)
        indicator_put(out, "once-only-debt", owner, "of unknown age", &unknown, "debts");
    indicator_put(out, "once-only-debt", owner, INDICATOR_ALL, &sum, "debts");
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static fault put_debts(struct indicator_printer *out, const struct directory *directory,
                       int64_t now_ms)
{
    struct lint lint;
    size_t step = 0, count = 0;
    fault f = lint_look(directory, NULL, now_ms, &lint);
    const char **owner = owned_array(lint.procedures + 1, sizeof *owner);
    for (const struct directory_procedure *at;
         (at = directory_next_procedure(directory, &step)) != NULL && count < lint.procedures;)
        owner[count++] = at->owner;
    if (count > 0)
        qsort(owner, count, sizeof *owner, compare_names);
    for (size_t i = 0; i < count && !failed(f); i++)
        if (i == 0 || strcmp(owner[i], owner[i - 1]) != 0)
            put_owner(out, &lint, owner[i], now_ms);
    free(owner);
    lint_clear(&lint);
    return f;
}

fault indicator_put_register(struct indicator_printer *out, const struct directory *directory,
                             int64_t now_ms)
{
    put_restrictions(out, directory, now_ms);
    put_requests(out, directory, now_ms);
    return put_debts(out, directory, now_ms);
}
