// SPDX-License-Identifier: MIT
/* What must hold in every register of procedures: registers made at random, the same at each run.
 */
#include "lib/bus/directory_snapshot.h"
#include "lib/bus/once_only_lint.h"
#include "lib/bus/plan.h"
#include "lib/bus/policy.h"

#include "tests/unit/bus/registers.h"

#define HISTORIES 8
#define ACTS 70
#define COUNT(of) (sizeof(of) / sizeof(of)[0])

static const char *const places[] = {"CO", "05", "05001", "05088", "54001"};
static const char *const facts[] = {"R-0", "R-1", "R-2"};
static const char *const types[] = {"E-0", "E-1", "E-2", "E-3"};
static const char *const services[] = {"uno", "dos", "abierto", "reservado"};
static const char *const procedures[] = {"T-0", "T-1", "T-2"};

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

#define ONE_OF(dice, list) (list)[throw_of((dice), COUNT(list))]

// --- acts ---------------------------------------------------------------------------------------

static void say_source(struct dice *dice, char *json, size_t room)
{
    unsigned id = (unsigned)throw_of(dice, 8);
    const char *type = ONE_OF(dice, types), *place = ONE_OF(dice, places);
    if (throw_of(dice, 3) == 0)
        snprintf(json, room,
                 "{\"sources\":[{\"id\":\"S-%u\",\"evidence_type\":\"%s\",\"territory\":\"%s\","
                 "\"none\":\"Sin ley\",\"until\":\"20%u-01-31\"}]}",
                 id, type, place, 26 + (unsigned)throw_of(dice, 3));
    else
        snprintf(
            json, room,
            "{\"sources\":[{\"id\":\"S-%u\",\"evidence_type\":\"%s\",\"territory\":\"%s\","
            "\"service\":\"" S "%s\"%s}]}",
            id, type, place, ONE_OF(dice, services),
            throw_of(dice, 4) == 0
                ? ",\"path\":\"/{year}\",\"selectors\":[{\"name\":\"year\",\"question\":\"?\"}]"
                : "");
}

static void say_proof(struct dice *dice, char *json, size_t room)
{
    unsigned fact = (unsigned)throw_of(dice, COUNT(facts)), place = (unsigned)throw_of(dice, 3);
    snprintf(json, room,
             "{\"satisfactions\":[{\"id\":\"Q-%u-%u\",\"requirement\":\"%s\",\"territory\":\"%s\","
             "\"any_of\":[[\"%s\"],[\"E-%u\",\"E-%u\"]]}]}",
             fact, place, facts[fact], places[place], ONE_OF(dice, types),
             (unsigned)throw_of(dice, 2), 2 + (unsigned)throw_of(dice, 2));
}

static void say_procedure(struct dice *dice, char *json, size_t room)
{
    const char *place = ONE_OF(dice, places);
    bool everywhere = throw_of(dice, 3) == 0, first = throw_of(dice, 2) == 0;
    snprintf(json, room,
             "{\"procedures\":[{\"id\":\"%s\",\"title\":\"t\",\"owner\":\"CO/MUN\","
             "\"territories\":[%s%s%s],\"requirements\":[\"R-0\",\"%s\"],\"ask_citizen\":[%s]}]}",
             ONE_OF(dice, procedures), everywhere ? "" : "\"", everywhere ? "" : place,
             everywhere ? "" : "\"", facts[1 + throw_of(dice, 2)],
             throw_of(dice, 2) == 0 ? ""
             : first                ? "\"R-0\""
                                    : "");
}

static fault say_removal(struct book *book, struct dice *dice)
{
    static const char *const ids[] = {"S-0", "S-1", "S-2", "S-3", "S-4", "S-5", "S-6", "S-7"};
    static const char *const proofs[] = {"Q-0-0", "Q-1-0", "Q-0-2", "Q-2-1"};
    switch (throw_of(dice, 4)) {
    case 0:
        registers_remove(book, CHASKI__REMOVED__WHAT_PROCEDURE, ONE_OF(dice, procedures));
        break;
    case 1:
        registers_remove(book, CHASKI__REMOVED__WHAT_SATISFACTION, ONE_OF(dice, proofs));
        break;
    default:
        registers_remove(book, CHASKI__REMOVED__WHAT_SOURCE, ONE_OF(dice, ids));
    }
    return DONE;
}

enum sort { SOURCE, PROOF, PROCEDURE, REMOVAL };

static fault say(struct book *book, struct dice *dice, enum sort sort)
{
    char json[1024];
    static void (*const say_it[])(struct dice *, char *, size_t) = {say_source, say_proof,
                                                                    say_procedure};
    if (sort == REMOVAL)
        return say_removal(book, dice);
    say_it[sort](dice, json, sizeof json);
    return registers_add(book, json);
}

static struct book *country(void)
{
    struct book *book = book_new();
    book_country(book);
    REGISTERS_SERVICE(book, "uno");
    REGISTERS_SERVICE(book, "dos");
    MUST(registers_add(
        book, "{\"requirements\":[{\"id\":\"R-0\",\"name\":\"a\"},{\"id\":\"R-1\",\"name\":\"b\"},"
              "{\"id\":\"R-2\",\"name\":\"c\"}],\"evidence_types\":["
              "{\"id\":\"E-0\",\"title\":\"a\",\"sensitivity\":\"public\"},"
              "{\"id\":\"E-1\",\"title\":\"b\",\"sensitivity\":\"public\"},"
              "{\"id\":\"E-2\",\"title\":\"c\",\"sensitivity\":\"public\"},"
              "{\"id\":\"E-3\",\"title\":\"d\",\"sensitivity\":\"public\"}]}"));
    return book;
}

// --- what must hold -----------------------------------------------------------------------------

/* The state of each requirement of each procedure in each place; 0: none. */
struct plans {
    enum plan_state state[COUNT(procedures)][COUNT(facts)][COUNT(places)];
    bool said[COUNT(procedures)][COUNT(facts)][COUNT(places)]; /* that there is no source */
};

static bool is_said(const struct plan_requirement *requirement)
{
    for (size_t i = 0; i < requirement->ways; i++)
        for (size_t k = 0; k < requirement->way[i].leaves; k++)
            if (requirement->way[i].leaf[k].state == PLAN_NO_SOURCE &&
                requirement->way[i].leaf[k].source == NULL)
                return false;
    return true;
}

static void plan_all(const struct directory *state, int64_t at_ms, struct plans *out)
{
    *out = (struct plans){0};
    for (size_t p = 0; p < COUNT(procedures); p++)
        for (size_t r = 0; r < COUNT(facts); r++)
            for (size_t t = 0; t < COUNT(places); t++) {
                struct plan *plan = NULL;
                struct plan_question question = {.procedure = procedures[p],
                                                 .requirement = facts[r],
                                                 .territory = places[t],
                                                 .version = "",
                                                 .at_ms = at_ms};
                if (failed(plan_make(state, &question, &plan)))
                    continue;
                out->state[p][r][t] = plan->requirement[0].state;
                out->said[p][r][t] = is_said(&plan->requirement[0]);
                plan_free(&plan);
            }
}

/* A source that goes satisfies nothing; and what went stands said, in a reason. */
static void compare_plans(const struct plans *before, const struct plans *after, bool went,
                          size_t *lost)
{
    for (size_t p = 0; p < COUNT(procedures); p++)
        for (size_t r = 0; r < COUNT(facts); r++)
            for (size_t t = 0; t < COUNT(places); t++) {
                enum plan_state was = before->state[p][r][t], is = after->state[p][r][t];
                if (went && is == PLAN_READY)
                    CU_ASSERT(was == PLAN_READY || was == PLAN_NEED);
                if (was == PLAN_READY && is == PLAN_NO_SOURCE) {
                    CU_ASSERT(after->said[p][r][t] || !before->said[p][r][t]);
                    ++*lost;
                }
            }
}

/* Has one gone that delivered something? */
static bool has_gone(const struct directory *before, const struct directory *after)
{
    size_t step = 0;
    for (const struct directory_source *at; (at = directory_next_source(before, &step)) != NULL;)
        if (at->service[0] != '\0' && directory_source(after, span_of_text(at->id)) == NULL)
            return true;
    return false;
}

static void ask(const struct directory *state, const char *service, const char *procedure,
                const char *requirement, int64_t at_ms, struct policy_verdict *out)
{
    policy_decide(state,
                  &(struct policy_question){.client = span_of_text(MEDELLIN "/TRAMITES"),
                                            .service = span_of_text(service),
                                            .purpose = span_of_text("tramite-licencia"),
                                            .procedure = span_of_text(procedure),
                                            .requirement = span_of_text(requirement),
                                            .at_ms = at_ms},
                  out);
}

/* To name a procedure opens nothing; and both sides, one of which began with a snapshot, agree. */
static void compare_decisions(const struct directory *state, const struct directory *other,
                              int64_t at_ms, size_t *allowed, size_t *refused)
{
    struct policy_verdict without, with, there;
    for (size_t s = 0; s < COUNT(services); s++)
        for (size_t p = 0; p < COUNT(procedures); p++)
            for (size_t r = 0; r <= COUNT(facts); r++) {
                char service[128];
                const char *requirement = r == COUNT(facts) ? "" : facts[r];
                snprintf(service, sizeof service, S "%s", services[s]);
                ask(state, service, "", "", at_ms, &without);
                ask(state, service, procedures[p], requirement, at_ms, &with);
                ask(other, service, procedures[p], requirement, at_ms, &there);
                if (with.fault == OK)
                    CU_ASSERT(without.fault == OK && strcmp(with.rule, without.rule) == 0);
                CU_ASSERT(with.fault == there.fault && strcmp(with.rule, there.rule) == 0);
                *allowed += with.fault == OK;
                *refused += with.fault != OK && without.fault == OK;
            }
}

/* Whoever newly asks has no debt by it. */
static void look_for_new_debts(const struct directory *before, const struct directory *after,
                               int64_t at_ms)
{
    struct lint lint;
    MUST(lint_look(after, NULL, at_ms, &lint));
    for (size_t i = 0; i < lint.count; i++) {
        const struct lint_finding *found = &lint.finding[i];
        if (found->kind != LINT_DEBT)
            continue;
        const struct directory_procedure *was =
            directory_procedure(before, span_of_text(found->id));
        bool asked = false;
        for (size_t k = 0; was != NULL && k < was->needs; k++)
            asked |= was->need[k].ask_citizen &&
                     strcmp(was->need[k].requirement->id, found->requirement) == 0;
        CU_ASSERT(asked);
        CU_ASSERT(found->since_ms > 0 && found->since_ms <= at_ms);
    }
    lint_clear(&lint);
}

static struct directory *other_side(const struct directory *state, const struct book *book)
{
    OWNED(bytes) snapshot = NULL;
    OWNED(bytes) again = NULL;
    struct directory *other = NULL;
    MUST(directory_snapshot(state, book->count, &snapshot));
    MUST(directory_restore(bytes_span(snapshot), book->trust, &other));
    MUST(directory_snapshot(other, book->count, &again));
    CU_ASSERT_TRUE(span_equal(bytes_span(snapshot), bytes_span(again)));
    return other;
}

static void test_it_holds_in_every_history(void)
{
    size_t allowed = 0, refused = 0, lost = 0, taken[REMOVAL + 1] = {0}, bad = 0;
    for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
        struct dice dice = {seed};
        OWNED(book) book = country();
        struct directory *state = NULL;
        MUST(book_fold(book, &state));
        for (int act = 0; act < ACTS; act++) {
            enum sort sort = (enum sort)throw_of(&dice, REMOVAL + 1);
            struct directory *next = NULL;
            struct plans before, after;
            size_t count = book->count;
            if (failed(say(book, &dice, sort)) || failed(book_fold(book, &next))) {
                while (book->count > count)
                    bytes_free(&book->act[--book->count]);
                bad++;
                continue;
            }
            int64_t at_ms = next->last_ms;
            OWNED(directory) other = other_side(next, book);
            plan_all(state, at_ms, &before);
            plan_all(next, at_ms, &after);
            if (sort == SOURCE || sort == REMOVAL)
                compare_plans(&before, &after, has_gone(state, next), &lost);
            compare_decisions(next, other, at_ms, &allowed, &refused);
            if (sort == PROCEDURE)
                look_for_new_debts(state, next, at_ms);
            taken[sort]++;
            directory_release(&state);
            state = next;
        }
        directory_release(&state);
    }
    /* it was worth the trouble */
    CU_ASSERT(allowed > 100 && refused > 100 && lost > 0 && bad > 10);
    for (enum sort sort = SOURCE; sort <= REMOVAL; sort++)
        CU_ASSERT(taken[sort] > 3);
}

SUITE(once_only_property, TEST(test_it_holds_in_every_history))
