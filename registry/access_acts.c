// SPDX-License-Identifier: MIT
/* Commands about requests for access, the arbiter, emergencies and the calendar of their clocks:
 * words in, act out. What may be is decided by the fold. */
#include "registry/commands.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/facts_act.h"
#include "registry/colombian_holidays.h"
#include "lib/base/day.h"

#include "directory.pb-c.h"

#include <stdlib.h>

#define HOUR_MS INT64_C(3600000)
#define TEXT(which) arguments_text(arguments, ARGUMENT_##which)

/* protobuf-c wants writable text and only reads it. */
static char *lend(const char *text)
{
    return (char *)(uintptr_t)(text == NULL ? "" : text);
}

#define ACT(KIND, field, message)                                                              \
    store_act(store, &(Chaski__Act){.base = PROTOBUF_C_MESSAGE_INIT(&chaski__act__descriptor), \
                                    .context = lend(NULL),                                     \
                                    .act_case = CHASKI__ACT__ACT_##KIND,                       \
                                    .field = (message)})

static fault remove_it(struct store *store, Chaski__Removed__WhatCase what,
                       const struct arguments *arguments)
{
    Chaski__Removed removed = CHASKI__REMOVED__INIT;
    removed.what_case = what;
    removed.member = lend(arguments->operand); /* the others of the union are texts too */
    removed.reason = lend(TEXT(REASON));
    return ACT(REMOVED, removed, &removed);
}

// --- the calendar -------------------------------------------------------------------------------

struct holidays {
    size_t count;
    uint32_t date[CALENDAR_HOLIDAYS_MAX];
};

static fault read_years(const char *text, unsigned *first, unsigned *last)
{
    int used = 0;
    if (sscanf(text, "%4u-%4u%n", first, last, &used) == 2 && text[used] == '\0' &&
        *first >= 1984 && *last <= 2049 && *first <= *last && *last - *first < CALENDAR_YEARS_MAX)
        return DONE;
    return RAISE(REFUSED, "--years is FIRST-LAST, such as 2026-2030, at most %d years",
                 CALENDAR_YEARS_MAX);
}

static int compare_dates(const void *left, const void *right)
{
    const uint32_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* Those of the law, and days that were decreed besides. */
static fault collect(const struct arguments *arguments, unsigned first, unsigned last,
                     struct holidays *out)
{
    size_t kept = 0;
    for (unsigned year = first; year <= last; year++)
        out->count += colombian_holidays(year, out->date + out->count);
    for (size_t i = 0; i < arguments->count[ARGUMENT_HOLIDAY]; i++) {
        int year = 0, month = 0, day = 0;
        TRY(day_read(arguments->value[ARGUMENT_HOLIDAY][i], &year, &month, &day));
        out->date[out->count++] = (uint32_t)(year * 10000 + month * 100 + day);
    }
    qsort(out->date, out->count, sizeof out->date[0], compare_dates);
    for (size_t i = 0; i < out->count; i++)
        if (i == 0 || out->date[i] != out->date[i - 1])
            out->date[kept++] = out->date[i];
    out->count = kept;
    return DONE;
}

fault act_calendar_set(struct store *store, const struct arguments *arguments, struct said *said)
{
    Chaski__CalendarSet calendar = CHASKI__CALENDAR_SET__INIT;
    struct holidays holidays = {0};
    uint32_t weekend[] = {0, 6};
    unsigned first = 0, last = 0;
    TRY(read_years(TEXT(YEARS), &first, &last));
    TRY(collect(arguments, first, last, &holidays));
    TRY(arguments_number(arguments, ARGUMENT_ANSWER_DAYS, 1, ACCESS_DAYS_MAX,
                         ACCESS_ANSWER_DAYS_DEFAULT, &calendar.answer_days));
    TRY(arguments_number(arguments, ARGUMENT_DECIDE_DAYS, 1, ACCESS_DAYS_MAX,
                         ACCESS_DECIDE_DAYS_DEFAULT, &calendar.decide_days));
    calendar.utc_offset_minutes = COLOMBIA_OFFSET_MINUTES;
    calendar.first_year = first;
    calendar.last_year = last;
    calendar.n_weekend = 2;
    calendar.weekend = weekend;
    calendar.n_holiday = holidays.count;
    calendar.holiday = holidays.date;
    TRY(ACT(CALENDAR_SET, calendar_set, &calendar));
    said_add(said,
             "calendar %u-%u: %zu holidays; a provider has %u working days to answer, the arbiter "
             "%u",
             first, last, holidays.count, calendar.answer_days, calendar.decide_days);
    return DONE;
}

// --- requests -----------------------------------------------------------------------------------

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Rising, into room for ARGUMENT_VALUES_MAX. */
static size_t all_of(const struct arguments *arguments, enum argument which, char **out)
{
    size_t count = 0;
    for (; count < arguments->count[which]; count++)
        out[count] = lend(arguments->value[which][count]);
    if (count > 1)
        qsort(out, count, sizeof *out, compare_texts);
    return count;
}

fault act_access_request(struct store *store, const struct arguments *arguments, struct said *said)
{
    Chaski__AccessRequested request = CHASKI__ACCESS_REQUESTED__INIT;
    char *purposes[ARGUMENT_VALUES_MAX] = {NULL}, *endpoints[ARGUMENT_VALUES_MAX] = {NULL};
    char *columns[ARGUMENT_VALUES_MAX] = {NULL};
    request.n_purpose = all_of(arguments, ARGUMENT_PURPOSE, purposes);
    request.n_endpoint = all_of(arguments, ARGUMENT_ENDPOINT, endpoints);
    request.n_column = all_of(arguments, ARGUMENT_COLUMN, columns);
    request.endpoint = endpoints;
    request.column = columns;
    request.id = lend(arguments->operand);
    request.service = lend(TEXT(SERVICE));
    request.consumer = lend(TEXT(CONSUMER));
    request.purpose = purposes;
    request.legal_basis = lend(TEXT(LEGAL_BASIS));
    request.reason = lend(TEXT(REASON));
    TRY(ACT(ACCESS_REQUESTED, access_requested, &request));
    said_add(said, "request %s: %s asks for %s", request.id, request.consumer, request.service);
    return DONE;
}

fault act_access_object(struct store *store, const struct arguments *arguments, struct said *said)
{
    Chaski__AccessObjected objection = CHASKI__ACCESS_OBJECTED__INIT;
    objection.request = lend(arguments->operand);
    objection.ground = (Chaski__Ground)directory_ground_of(TEXT(GROUND));
    objection.reason = lend(TEXT(REASON));
    TRY(ACT(ACCESS_OBJECTED, access_objected, &objection));
    said_add(said, "request %s: objected (%s); the arbiter decides", objection.request,
             TEXT(GROUND));
    return DONE;
}

/* The end of that day, UTC. */
static fault end_of(const char *text, int64_t *out_ms)
{
    int year = 0, month = 0, day = 0;
    TRY(day_read(text, &year, &month, &day));
    *out_ms = day_midnight_ms(year, month, day) + STORE_DAY_MS;
    return DONE;
}

/* With what it rests on, so that whoever approves it reads that. What is no request is refused by
 * the fold. */
static fault send_decision(struct store *store, const Chaski__AccessDecided *bare)
{
    Chaski__AccessDecided decision = *bare;
    struct arena memory = {0};
    Chaski__AccessFacts words;
    struct access_facts facts;
    const struct directory *state = store_state(store);
    const struct directory_request *request =
        directory_request(state, span_of_text(decision.request));
    if (request != NULL) {
        access_facts_of(state, request, store_time(store), &facts);
        facts_act_of(&memory, &facts, request->purpose, request->purposes, request->legal_basis,
                     &words);
        decision.facts = &words;
    }
    fault f = ACT(ACCESS_DECIDED, access_decided, &decision);
    arena_clear(&memory);
    return f;
}

fault act_access_decide(struct store *store, const struct arguments *arguments, struct said *said)
{
    Chaski__AccessDecided decision = CHASKI__ACCESS_DECIDED__INIT;
    const char *outcome = TEXT(OUTCOME);
    int64_t until_ms = 0;
    if (strcmp(outcome, "allow") != 0 && strcmp(outcome, "deny") != 0)
        return RAISE(REFUSED, "--outcome is allow or deny");
    TRY(end_of(TEXT(UNTIL), &until_ms));
    decision.id = lend(arguments->operand);
    decision.request = lend(TEXT(REQUEST));
    decision.allow = strcmp(outcome, "allow") == 0;
    decision.reason = lend(TEXT(REASON));
    decision.until_ms = (uint64_t)until_ms;
    TRY(send_decision(store, &decision));
    said_add(said, "decision %s: request %s is %s until %s, and so are equal ones", decision.id,
             decision.request, decision.allow ? "allowed" : "denied", TEXT(UNTIL));
    return DONE;
}

fault act_access_withdraw(struct store *store, const struct arguments *arguments, struct said *said)
{
    TRY(remove_it(store, CHASKI__REMOVED__WHAT_ACCESS_REQUEST, arguments));
    said_add(said, "request %s: withdrawn", arguments->operand);
    return DONE;
}

fault act_access_revoke(struct store *store, const struct arguments *arguments, struct said *said)
{
    TRY(remove_it(store, CHASKI__REMOVED__WHAT_ACCESS_DECISION, arguments));
    said_add(said, "decision %s: taken back", arguments->operand);
    return DONE;
}

// --- emergencies --------------------------------------------------------------------------------

fault act_break_glass_open(struct store *store, const struct arguments *arguments,
                           struct said *said)
{
    Chaski__BreakGlassSet glass = CHASKI__BREAK_GLASS_SET__INIT;
    unsigned hours = 0;
    char until[32];
    TRY(arguments_number(arguments, ARGUMENT_HOURS, 1, (unsigned)(BREAK_GLASS_MS_MAX / HOUR_MS), 0,
                         &hours));
    int64_t until_ms = store_time(store) + hours * HOUR_MS;
    glass.id = lend(arguments->operand);
    glass.service = lend(TEXT(SERVICE));
    glass.consumer = lend(TEXT(CONSUMER));
    glass.purpose = lend(TEXT(PURPOSE));
    glass.reason = lend(TEXT(REASON));
    glass.until_ms = (uint64_t)until_ms;
    TRY(ACT(BREAK_GLASS_SET, break_glass_set, &glass));
    clock_text(until_ms, until, sizeof until);
    said_add(said, "emergency %s: %s may use %s until %s; a third person reviews it then", glass.id,
             glass.consumer, glass.service, until);
    return DONE;
}

fault act_break_glass_reviewed(struct store *store, const struct arguments *arguments,
                               struct said *said)
{
    Chaski__BreakGlassReviewed review = CHASKI__BREAK_GLASS_REVIEWED__INIT;
    review.id = lend(arguments->operand);
    review.words = lend(TEXT(REASON));
    TRY(ACT(BREAK_GLASS_REVIEWED, break_glass_reviewed, &review));
    said_add(said, "emergency %s: reviewed", review.id);
    return DONE;
}

fault act_break_glass_remove(struct store *store, const struct arguments *arguments,
                             struct said *said)
{
    TRY(remove_it(store, CHASKI__REMOVED__WHAT_BREAK_GLASS, arguments));
    said_add(said, "emergency %s: ended", arguments->operand);
    return DONE;
}
