// SPDX-License-Identifier: MIT
/* What must hold in every country: countries made at random, the same at each run. */
#include "lib/bus/access.h"
#include "lib/bus/directory_snapshot.h"
#include "lib/bus/policy.h"

#include "tests/unit/bus/approved.h"

#define COUNTRIES 5
#define ACTS 120
#define HOUR_MS INT64_C(3600000)
#define END_MS (BOOK_START_MS + 200 * BOOK_DAY_MS)

static const char *const subsystems[] = {"CO/MUN/1/A", "CO/MUN/2/A", "CO/GOV/3/A", "CO/GOV/4/A",
                                         "CO/COM/5/A"};
static const char *const services[] = {"CO/GOV/3/A/uno", "CO/GOV/3/A/dos", "CO/GOV/4/A/tres",
                                       "CO/GOV/4/A/cuatro"};
static const char *const purposes[] = {"p-0", "p-1", "p-2"};
static const char *const consumers[] = {"CO/MUN/1/A", "CO/MUN/2/A", "CO/GOV/3/A", "CO/GOV/4/A",
                                        "CO/COM/5/A", "CO/MUN/1",   "CO/GOV/3",   "CO/MUN",
                                        "CO/GOV",     "CO/COM",     "group:g"};

#define COUNT(of) (sizeof(of) / sizeof(of)[0])

struct dice {
    uint64_t state;
};

/* splitmix64: the same numbers everywhere. */
static uint64_t throw_of(struct dice *self, uint64_t sides)
{
    uint64_t z = self->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % sides;
}

static char *one_of(struct dice *self, const char *const *list, size_t count)
{
    return book_text(list[throw_of(self, count)]);
}

#define ONE_OF(dice, list) one_of((dice), (list), COUNT(list))

// --- a country ----------------------------------------------------------------------------------

static struct book *country(void)
{
    struct book *book = book_new();
    for (size_t i = 0; i < COUNT(subsystems); i++) {
        OWNED(keypair) key = NULL;
        char member[64], server[80];
        snprintf(member, sizeof member, "%s", subsystems[i]);
        *strrchr(member, '/') = '\0';
        snprintf(server, sizeof server, "%s/SS1", member);
        OWNED(certificate) certificate = book_issue(book, member, "SS1", &key);
        book_member(book, member, strncmp(member, "CO/COM", 6) != 0);
        book_server(book, server, "tcp://[::1]:5500", (uint8_t)(i + 1), certificate);
        book_subsystem(book, subsystems[i], server);
    }
    for (size_t i = 0; i < COUNT(services); i++)
        book_service(book, services[i], i % 2 == 0 ? SERVICE_SHARED : SERVICE_OPEN);
    for (size_t i = 0; i < COUNT(purposes); i++)
        book_purpose(book, purposes[i]);
    book_group(book, "g", (const char *const[]){"CO/COM/5", "CO/MUN/2/A"}, 2);
    return book;
}

/* One act and what it points to, so that it can be applied to several states. */
struct made {
    Chaski__Act act;
    char id[16], *purpose;
    const struct directory *state; /* into which it is to come */
    union {
        Chaski__GrantSet grant;
        Chaski__RestrictionSet restriction;
        Chaski__CompetenceSet competence;
        Chaski__AccessRequested request;
        Chaski__AccessObjected objection;
        Chaski__AccessDecided decision;
        Chaski__BreakGlassSet glass;
        Chaski__Removed removed;
    } of;
};

static char some_text[] = "Texto";

static void make_grant(struct made *self, struct dice *dice, int64_t at_ms)
{
    Chaski__GrantSet *set = &self->of.grant;
    chaski__grant_set__init(set);
    set->id = self->id;
    set->service = ONE_OF(dice, services);
    set->consumer = ONE_OF(dice, consumers);
    set->n_purpose = throw_of(dice, 2);
    set->purpose = &self->purpose;
    set->legal_basis = some_text;
    set->until_ms = (uint64_t)at_ms + (1 + throw_of(dice, 100)) * (uint64_t)BOOK_DAY_MS;
    self->act.act_case = CHASKI__ACT__ACT_GRANT_SET;
    self->act.grant_set = set;
}

static void make_restriction(struct made *self, struct dice *dice, int64_t at_ms)
{
    Chaski__RestrictionSet *set = &self->of.restriction;
    chaski__restriction_set__init(set);
    set->id = self->id;
    set->service = ONE_OF(dice, services);
    set->consumer = throw_of(dice, 2) == 0 ? book_text("") : ONE_OF(dice, consumers);
    set->ground = CHASKI__GROUND__PRIVACY;
    set->by_law = throw_of(dice, 3) == 0;
    set->reason = set->approver = some_text;
    set->from_ms = (uint64_t)at_ms + throw_of(dice, 5) * (uint64_t)BOOK_DAY_MS;
    set->until_ms = set->from_ms + (1 + throw_of(dice, 120)) * (uint64_t)BOOK_DAY_MS;
    self->act.act_case = CHASKI__ACT__ACT_RESTRICTION_SET;
    self->act.restriction_set = set;
}

static void make_competence(struct made *self, struct dice *dice, int64_t at_ms)
{
    Chaski__CompetenceSet *set = &self->of.competence;
    chaski__competence_set__init(set);
    set->id = self->id;
    set->consumer = ONE_OF(dice, consumers);
    set->purpose = self->purpose;
    set->legal_basis = some_text;
    if (throw_of(dice, 2) == 0)
        set->until_ms = (uint64_t)at_ms + (1 + throw_of(dice, 90)) * (uint64_t)BOOK_DAY_MS;
    self->act.act_case = CHASKI__ACT__ACT_COMPETENCE_SET;
    self->act.competence_set = set;
}

static void make_request(struct made *self, struct dice *dice, int64_t at_ms)
{
    Chaski__AccessRequested *set = &self->of.request;
    (void)at_ms;
    chaski__access_requested__init(set);
    set->id = self->id;
    set->service = ONE_OF(dice, services);
    set->consumer = ONE_OF(dice, subsystems);
    set->n_purpose = 1;
    set->purpose = &self->purpose;
    set->legal_basis = set->reason = some_text;
    self->act.act_case = CHASKI__ACT__ACT_ACCESS_REQUESTED;
    self->act.access_requested = set;
}

/* One that is there, whatever order the map has; NULL: none is. */
static const struct directory_request *some_request(const struct made *self, struct dice *dice)
{
    size_t step = 0;
    char least[16];
    const struct directory_request *request = NULL;
    snprintf(least, sizeof least, "A-%u", (unsigned)throw_of(dice, ACTS));
    for (const struct directory_request *at;
         (at = directory_next_request(self->state, &step)) != NULL;)
        if (strcmp(at->id, least) >= 0 && (request == NULL || strcmp(at->id, request->id) < 0))
            request = at;
    return request;
}

static const char *some_id(const struct made *self, struct dice *dice)
{
    const struct directory_request *request = some_request(self, dice);
    return request == NULL ? "A-none" : request->id;
}

static void make_objection(struct made *self, struct dice *dice, int64_t at_ms)
{
    Chaski__AccessObjected *set = &self->of.objection;
    (void)at_ms;
    chaski__access_objected__init(set);
    set->request = book_text(some_id(self, dice));
    set->ground = CHASKI__GROUND__PRIVACY;
    set->reason = some_text;
    self->act.act_case = CHASKI__ACT__ACT_ACCESS_OBJECTED;
    self->act.access_objected = set;
}

static void make_decision(struct made *self, struct dice *dice, int64_t at_ms)
{
    Chaski__AccessDecided *set = &self->of.decision;
    chaski__access_decided__init(set);
    set->id = self->id;
    set->request = book_text(some_id(self, dice));
    set->allow = throw_of(dice, 2) == 0;
    set->reason = some_text;
    set->until_ms = (uint64_t)at_ms + (1 + throw_of(dice, 60)) * (uint64_t)BOOK_DAY_MS;
    self->act.act_case = CHASKI__ACT__ACT_ACCESS_DECIDED;
    self->act.access_decided = set;
}

static void make_glass(struct made *self, struct dice *dice, int64_t at_ms)
{
    Chaski__BreakGlassSet *set = &self->of.glass;
    chaski__break_glass_set__init(set);
    set->id = self->id;
    set->service = ONE_OF(dice, services);
    set->consumer = ONE_OF(dice, subsystems);
    set->purpose = self->purpose;
    set->reason = some_text;
    set->until_ms = (uint64_t)at_ms + (1 + throw_of(dice, 72)) * (uint64_t)HOUR_MS;
    self->act.act_case = CHASKI__ACT__ACT_BREAK_GLASS_SET;
    self->act.break_glass_set = set;
}

static void make_answer(struct made *self, struct dice *dice, int64_t at_ms)
{
    const struct directory_request *request = some_request(self, dice);
    make_grant(self, dice, at_ms);
    if (request == NULL)
        return;
    self->of.grant.service = book_text(request->service);
    self->of.grant.consumer = book_text(request->consumer);
    self->of.grant.request = book_text(request->id);
}

static void make_removal(struct made *self, struct dice *dice, int64_t at_ms)
{
    static const Chaski__Removed__WhatCase things[] = {
        CHASKI__REMOVED__WHAT_GRANT,           CHASKI__REMOVED__WHAT_RESTRICTION,
        CHASKI__REMOVED__WHAT_COMPETENCE,      CHASKI__REMOVED__WHAT_ACCESS_REQUEST,
        CHASKI__REMOVED__WHAT_ACCESS_DECISION, CHASKI__REMOVED__WHAT_BREAK_GLASS,
        CHASKI__REMOVED__WHAT_ACCESS_REQUEST,  CHASKI__REMOVED__WHAT_ACCESS_REQUEST};
    Chaski__Removed *removed = &self->of.removed;
    (void)at_ms;
    chaski__removed__init(removed);
    snprintf(self->id, sizeof self->id, "A-%u", (unsigned)throw_of(dice, ACTS));
    removed->what_case = things[throw_of(dice, COUNT(things))];
    removed->member = self->id; /* all texts of one union */
    self->act.act_case = CHASKI__ACT__ACT_REMOVED;
    self->act.removed = removed;
}

enum sort {
    GRANT,
    RESTRICTION,
    COMPETENCE,
    ASKING,
    OBJECTION,
    DECISION,
    GLASS,
    ANSWER,
    REMOVAL,
    SORTS
};

static void make(struct made *self, enum sort sort, unsigned number, struct dice *dice,
                 const struct approved *into, int64_t at_ms)
{
    static void (*const makers[SORTS])(struct made *, struct dice *, int64_t) = {
        make_grant,    make_restriction, make_competence, make_request, make_objection,
        make_decision, make_glass,       make_answer,     make_removal};
    chaski__act__init(&self->act);
    snprintf(self->id, sizeof self->id, "A-%u", number);
    self->purpose = ONE_OF(dice, purposes);
    self->state = into->state;
    makers[sort](self, dice, at_ms);
}

static fault set_calendar(struct approved *self, int64_t at_ms)
{
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__CalendarSet set = CHASKI__CALENDAR_SET__INIT;
    uint32_t weekend[] = {0, 6}, holidays[] = {20261012, 20261102, 20261225};
    set.utc_offset_minutes = -300;
    set.n_weekend = 2;
    set.weekend = weekend;
    set.first_year = 2026;
    set.last_year = 2030;
    set.n_holiday = COUNT(holidays);
    set.holiday = holidays;
    set.answer_days = 5;
    set.decide_days = 5;
    act.act_case = CHASKI__ACT__ACT_CALENDAR_SET;
    act.calendar_set = &set;
    return approved_apply(self, &act, at_ms, NULL);
}

static struct directory *copy_of(const struct approved *self, const struct book *book)
{
    OWNED(bytes) snapshot = NULL;
    struct directory *copy = NULL;
    MUST(directory_snapshot(self->state, self->number, &snapshot));
    MUST(directory_restore(bytes_span(snapshot), book->trust, &copy));
    copy->known = true;
    return copy;
}

/* What the fold refuses leaves a state of no use, so it is first tried on a copy. */
static bool may_be(const struct approved *self, const struct book *book, struct made *made,
                   int64_t at_ms)
{
    struct approved trial = *self;
    Chaski__Act act = made->act;
    trial.state = copy_of(self, book);
    fault f = approved_apply(&trial, &act, at_ms, NULL);
    directory_release(&trial.state);
    return !failed(f);
}

static bool always_may(const struct made *self)
{
    if (self->act.act_case == CHASKI__ACT__ACT_GRANT_SET)
        return self->of.grant.request[0] == '\0';
    return self->act.act_case != CHASKI__ACT__ACT_REMOVED &&
           self->act.act_case != CHASKI__ACT__ACT_BREAK_GLASS_SET &&
           self->act.act_case != CHASKI__ACT__ACT_ACCESS_REQUESTED &&
           self->act.act_case != CHASKI__ACT__ACT_ACCESS_OBJECTED &&
           self->act.act_case != CHASKI__ACT__ACT_ACCESS_DECIDED;
}

/* false: the fold would refuse it, and nothing has changed. */
static bool try_act(struct approved *self, const struct book *book, struct made *made,
                    int64_t at_ms)
{
    if (!always_may(made) && !may_be(self, book, made, at_ms))
        return false;
    MUST(approved_apply(self, &made->act, at_ms, NULL));
    return true;
}

/* A country with a history; *sorts counts what was taken. */
static void live(struct approved *self, const struct book *book, struct dice *dice, int64_t *at_ms,
                 unsigned sorts[SORTS])
{
    approved_begin(self, book);
    *at_ms = book->time_ms;
    approved_name_operators(self, *at_ms);
    MUST(set_calendar(self, *at_ms));
    for (unsigned i = 0; i < ACTS; i++) {
        struct made made;
        enum sort sort = (enum sort)throw_of(dice, SORTS);
        *at_ms += (int64_t)throw_of(dice, 20) * HOUR_MS;
        make(&made, sort, i, dice, self, *at_ms);
        sorts[sort] += try_act(self, book, &made, *at_ms);
    }
}

// --- questions ----------------------------------------------------------------------------------

static void ask(const struct directory *state, size_t client, size_t service, size_t purpose,
                int64_t at_ms, struct policy_verdict *out)
{
    const struct policy_question question = {.client = span_of_text(subsystems[client]),
                                             .service = span_of_text(services[service]),
                                             .purpose = span_of_text(purposes[purpose]),
                                             .at_ms = at_ms};
    policy_decide(state, &question, out);
}

#define EACH_QUESTION(c, s, p)                       \
    for (size_t c = 0; c < COUNT(subsystems); c++)   \
        for (size_t s = 0; s < COUNT(services); s++) \
            for (size_t p = 0; p < COUNT(purposes); p++)

/* Of whom, and what, a right is. */
struct meant {
    const char *client, *service;
};

static void check_same(const struct directory *one, const struct directory *other, int64_t at_ms,
                       const struct meant *except)
{
    struct policy_verdict left, right;
    EACH_QUESTION(c, s, p)
    {
        if (except != NULL && strcmp(subsystems[c], except->client) == 0 &&
            strcmp(services[s], except->service) == 0)
            continue;
        ask(one, c, s, p, at_ms, &left);
        ask(other, c, s, p, at_ms, &right);
        CU_ASSERT_EQUAL(left.fault, right.fault);
        CU_ASSERT_STRING_EQUAL(left.rule, right.rule);
    }
}

// --- properties ---------------------------------------------------------------------------------

/* By all acts, or by a snapshot at any moment and what came after: the same bytes and decisions. */
static void test_two_ways_lead_to_one_state(void)
{
    struct dice dice = {1};
    unsigned sorts[SORTS] = {0};
    OWNED(book) book = country();
    for (size_t i = 0; i < COUNTRIES; i++) {
        struct approved whole, second;
        OWNED(bytes) one = NULL;
        OWNED(bytes) other = NULL;
        int64_t at_ms = 0;
        live(&whole, book, &dice, &at_ms, sorts);
        second = whole;
        second.state = copy_of(&whole, book);
        for (unsigned k = 0; k < 40; k++) {
            struct made made;
            at_ms += HOUR_MS;
            make(&made, (enum sort)throw_of(&dice, SORTS), ACTS + k, &dice, &whole, at_ms);
            if (try_act(&whole, book, &made, at_ms))
                MUST(approved_apply(&second, &made.act, at_ms, NULL));
        }
        MUST(directory_snapshot(whole.state, whole.number, &one));
        MUST(directory_snapshot(second.state, second.number, &other));
        CU_ASSERT(span_equal(bytes_span(one), bytes_span(other)));
        for (int64_t t = at_ms; t < END_MS; t += 17 * BOOK_DAY_MS)
            check_same(whole.state, second.state, t, NULL);
        directory_release(&whole.state);
        directory_release(&second.state);
    }
    for (size_t i = 0; i < SORTS; i++)
        CU_ASSERT(sorts[i] > 0); /* else nothing was tried */
}

static void test_an_ended_restriction_allows_what_was_allowed_without_it(void)
{
    struct dice dice = {2};
    unsigned sorts[SORTS] = {0};
    OWNED(book) book = country();
    size_t closed = 0;
    for (size_t i = 0; i < COUNTRIES; i++) {
        struct approved before, after;
        struct made made;
        int64_t at_ms = 0;
        live(&before, book, &dice, &at_ms, sorts);
        after = before;
        after.state = copy_of(&before, book);
        make(&made, RESTRICTION, ACTS, &dice, &before, at_ms);
        MUST(approved_apply(&after, &made.act, at_ms, NULL));
        int64_t until_ms = (int64_t)made.of.restriction.until_ms;
        check_same(before.state, after.state, until_ms, NULL);
        check_same(before.state, after.state, until_ms + 30 * BOOK_DAY_MS, NULL);
        EACH_QUESTION(c, s, p)
        { /* and meanwhile it opens nothing but to who has a right in restricted data */
            struct policy_verdict without, with;
            ask(before.state, c, s, p, until_ms - 1, &without);
            ask(after.state, c, s, p, until_ms - 1, &with);
            CU_ASSERT(with.fault != OK || without.fault == OK ||
                      strncmp(with.rule, "restricted/", strlen("restricted/")) == 0);
            closed += with.fault != OK && without.fault == OK;
        }
        directory_release(&before.state);
        directory_release(&after.state);
    }
    CU_ASSERT(closed > 0);
}

static struct meant meant_by(const struct made *made, enum sort sort, const struct directory *state)
{
    if (sort == GRANT)
        return (struct meant){made->of.grant.consumer, made->of.grant.service};
    if (sort == ASKING)
        return (struct meant){made->of.request.consumer, made->of.request.service};
    if (sort == GLASS)
        return (struct meant){made->of.glass.consumer, made->of.glass.service};
    const struct directory_request *request =
        directory_request(state, span_of_text(made->of.decision.request));
    return (struct meant){request->consumer, request->service};
}

/* Whom a right of one subsystem means is that subsystem, at every time after. */
static void check_narrow(enum sort sort, uint64_t seed)
{
    struct dice dice = {seed};
    unsigned sorts[SORTS] = {0}, taken = 0;
    OWNED(book) book = country();
    for (size_t i = 0; i < COUNTRIES; i++) {
        struct approved before, after;
        struct made made;
        int64_t at_ms = 0;
        live(&before, book, &dice, &at_ms, sorts);
        after = before;
        after.state = copy_of(&before, book);
        bool done = false;
        for (unsigned k = 0; k < 60 && !done; k++) {
            make(&made, sort, sort == DECISION ? ACTS + k : ACTS, &dice, &after, at_ms);
            if (sort == GRANT)
                made.of.grant.consumer = ONE_OF(&dice, subsystems);
            done = try_act(&after, book, &made, at_ms);
        }
        struct meant meant = done ? meant_by(&made, sort, after.state) : (struct meant){0};
        for (int64_t t = at_ms; done && t < END_MS; t += 9 * BOOK_DAY_MS + HOUR_MS)
            check_same(before.state, after.state, t, &meant);
        taken += done;
        directory_release(&before.state);
        directory_release(&after.state);
    }
    CU_ASSERT(taken > 0);
}

static void test_a_grant_widens_nobody_elses_right(void)
{
    check_narrow(GRANT, 3);
}

static void test_a_request_widens_nobody_elses_right(void)
{
    check_narrow(ASKING, 4);
}

static void test_a_decision_widens_nobody_elses_right(void)
{
    check_narrow(DECISION, 5);
}

static void test_an_emergency_widens_nobody_elses_right(void)
{
    check_narrow(GLASS, 6);
}

SUITE(policy_property, TEST(test_two_ways_lead_to_one_state),
      TEST(test_an_ended_restriction_allows_what_was_allowed_without_it),
      TEST(test_a_grant_widens_nobody_elses_right), TEST(test_a_request_widens_nobody_elses_right),
      TEST(test_a_decision_widens_nobody_elses_right),
      TEST(test_an_emergency_widens_nobody_elses_right))
