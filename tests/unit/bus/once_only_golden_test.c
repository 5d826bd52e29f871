// SPDX-License-Identifier: MIT
/* tests/golden/once-only.md, which lawyers read, played act by act and question by question. */
#include "lib/bus/once_only_lint.h"
#include "lib/bus/plan.h"
#include "lib/bus/policy.h"

#include "tests/unit/bus/golden.h"
#include "tests/unit/bus/registers.h"

#define CASES "tests/golden/once-only.md"
#define JSON_BYTES 4096

enum column { WHEN, WHAT, ID, OF, WHERE, WORDS, UNTIL };

struct country {
    struct book *book;
    struct golden *proofs, *acts;
    size_t begun;                  /* acts of the book before the first that happened */
    size_t after[GOLDEN_ROWS_MAX]; /* ... and after each */
};

static void country_free(struct country *self)
{
    book_free(&self->book);
    golden_free(&self->proofs);
    golden_free(&self->acts);
}

/* The words of a list, each in quotes, with commas between; a star at an end is left out. */
static const char *quoted(const char *words, bool starred)
{
    static char out[2][JSON_BYTES];
    char copy[JSON_BYTES], *rest = NULL, *into = out[starred];
    snprintf(copy, sizeof copy, "%s", words);
    into[0] = '\0';
    for (char *word = strtok_r(copy, " +", &rest); word != NULL;
         word = strtok_r(NULL, " +", &rest)) {
        size_t size = strlen(word), used = strlen(into);
        bool star = word[size - 1] == '*';
        if (!starred || star)
            snprintf(into + used, JSON_BYTES - used, "%s\"%.*s\"", used == 0 ? "" : ",",
                     (int)(size - star), word);
    }
    return into;
}

// --- acts ---------------------------------------------------------------------------------------

static fault set_proof(struct book *book, char *const *cell)
{
    char json[4 * JSON_BYTES], lists[JSON_BYTES] = "", types[JSON_BYTES] = "", copy[512];
    char *rest = NULL;
    snprintf(copy, sizeof copy, "%s", strcmp(cell[3], "nothing") == 0 ? "" : cell[3]);
    for (char *list = strtok_r(copy, ";", &rest); list != NULL; list = strtok_r(NULL, ";", &rest)) {
        size_t used = strlen(lists);
        snprintf(lists + used, sizeof lists - used, "%s[%s]", used == 0 ? "" : ",",
                 quoted(list, false));
        char *words = NULL;
        for (char *type = strtok_r(list, " +", &words); type != NULL;
             type = strtok_r(NULL, " +", &words)) {
            used = strlen(types);
            snprintf(types + used, sizeof types - used,
                     "%s{\"id\":\"%s\",\"title\":\"%s\",\"sensitivity\":\"classified\"}",
                     used == 0 ? "" : ",", type, type);
        }
    }
    snprintf(json, sizeof json,
             "{\"requirements\":[{\"id\":\"%s\",\"name\":\"%s\"}],\"evidence_types\":[%s],"
             "\"satisfactions\":[{\"id\":\"%s\",\"requirement\":\"%s\",\"territory\":\"%s\","
             "\"any_of\":[%s]}]}",
             cell[1], cell[1], types, cell[0], cell[1], cell[2], lists);
    return registers_add(book, json);
}

static fault remove_thing(struct book *book, const char *named)
{
    bool source = strncmp(named, "source ", 7) == 0;
    registers_remove(book,
                     source ? CHASKI__REMOVED__WHAT_SOURCE : CHASKI__REMOVED__WHAT_SATISFACTION,
                     strchr(named, ' ') + 1);
    return DONE;
}

static fault play_act(struct book *book, char *const *cell)
{
    char json[4 * JSON_BYTES];
    book->time_ms = golden_ms(cell[WHEN]);
    if (strcmp(cell[WHAT], "removal") == 0)
        return remove_thing(book, cell[ID]);
    if (strcmp(cell[WHAT], "source") == 0)
        snprintf(json, sizeof json,
                 "{\"sources\":[{\"id\":\"%s\",\"evidence_type\":\"%s\",\"territory\":\"%s\","
                 "\"service\":\"" S "%s\"}]}",
                 cell[ID], cell[OF], cell[WHERE], cell[WORDS]);
    else if (strcmp(cell[WHAT], "no source") == 0)
        snprintf(json, sizeof json,
                 "{\"sources\":[{\"id\":\"%s\",\"evidence_type\":\"%s\",\"territory\":\"%s\","
                 "\"none\":\"%s\",\"until\":\"%s\"}]}",
                 cell[ID], cell[OF], cell[WHERE], cell[WORDS], cell[UNTIL]);
    else if (strcmp(cell[WHAT], "procedure") == 0)
        snprintf(json, sizeof json,
                 "{\"procedures\":[{\"id\":\"%s\",\"title\":\"Trámite\",\"owner\":\"CO/MUN\","
                 "\"territories\":[%s],\"requirements\":[%s],\"ask_citizen\":[%s]}]}",
                 cell[ID],
                 strcmp(cell[WHERE], "everywhere") == 0
                     ? ""
                     : book_text(strdupa(quoted(cell[WHERE], false))),
                 strdupa(quoted(cell[OF], false)), quoted(cell[OF], true));
    else
        return RAISE(INTERNAL, "no such act: %s", cell[WHAT]);
    return registers_add(book, json);
}

static struct country country_new(void)
{
    static const char *const services[] = {"cert", "bill", "deed", "tax", "poor", "dead"};
    struct country self = {.book = book_new(),
                           .proofs = golden_read(CASES, "What proves it"),
                           .acts = golden_read(CASES, "What happened")};
    book_country(self.book);
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        char id[128];
        snprintf(id, sizeof id, S "%s", services[i]);
        book_service(self.book, id, SERVICE_OPEN);
    }
    for (size_t i = 0; i < self.proofs->rows; i++)
        MUST(set_proof(self.book, self.proofs->row[i].cell));
    self.begun = self.book->count;
    for (size_t i = 0; i < self.acts->rows; i++) {
        CU_ASSERT_EQUAL_FATAL(self.acts->row[i].cells, 7);
        MUST(play_act(self.book, self.acts->row[i].cell));
        self.after[i] = self.book->count;
    }
    return self;
}

/* Only what happened up to that moment stands in the book. */
static void go_to(struct country *self, const char *when)
{
    size_t count = self->begun;
    for (size_t i = 0; i < self->acts->rows; i++)
        if (golden_ms(self->acts->row[i].cell[WHEN]) <= golden_ms(when))
            count = self->after[i];
    self->book->count = count;
}

static struct directory *state_at(struct country *self, const char *when)
{
    struct directory *state = NULL;
    size_t all = self->book->count;
    go_to(self, when);
    MUST(book_fold(self->book, &state));
    self->book->count = all;
    return state;
}

static bool is_written(const char *what, const char *const *cell, bool as_written,
                       const char *found)
{
    if (!as_written)
        fprintf(stderr, "  %s %s: %s\n", what, cell[0], found);
    return as_written;
}

// --- questions ----------------------------------------------------------------------------------

/* "S-BILL + S-DEED", or what the first leaf lacks. */
static const char *how(const struct plan_requirement *requirement)
{
    static char text[512];
    text[0] = '\0';
    for (size_t i = 0; i < requirement->ways; i++) {
        const struct plan_way *way = &requirement->way[i];
        if (way->state != requirement->state)
            continue;
        for (size_t k = 0; k < way->leaves; k++) {
            const struct plan_leaf *leaf = &way->leaf[k];
            size_t used = strlen(text);
            if (requirement->state != PLAN_READY && leaf->state != requirement->state)
                continue;
            snprintf(text + used, sizeof text - used, "%s%s", used == 0 ? "" : " + ",
                     leaf->state == PLAN_READY ? leaf->source->id : leaf->reason);
        }
        break;
    }
    return text;
}

static void test_every_plan_is_as_it_is_written(void)
{
    struct country country = country_new();
    OWNED(golden) cases = golden_read(CASES, "Plans");
    for (size_t i = 0; i < cases->rows; i++) {
        char *const *cell = cases->row[i].cell;
        OWNED(directory) state = state_at(&country, cell[4]);
        struct plan *plan = NULL;
        struct plan_question question = {.procedure = cell[1],
                                         .requirement = cell[2],
                                         .territory = cell[3],
                                         .version = "",
                                         .at_ms = golden_ms(cell[4])};
        CU_ASSERT_EQUAL_FATAL(cases->row[i].cells, 8);
        MUST(plan_make(state, &question, &plan));
        const struct plan_requirement *requirement = &plan->requirement[0];
        CU_ASSERT(is_written("plan", (const char *const *)cell,
                             strcmp(plan_state_word(requirement->state), cell[5]) == 0 &&
                                 strcmp(how(requirement), cell[6]) == 0,
                             how(requirement)));
        plan_free(&plan);
    }
    country_free(&country);
}

static void test_every_request_in_a_procedures_name_is_decided_as_it_is_written(void)
{
    struct country country = country_new();
    OWNED(golden) cases = golden_read(CASES, "In a procedure's name");
    for (size_t i = 0; i < cases->rows; i++) {
        char *const *cell = cases->row[i].cell;
        char service[128];
        OWNED(directory) state = state_at(&country, cell[4]);
        struct policy_verdict verdict;
        snprintf(service, sizeof service, S "%s", cell[1]);
        CU_ASSERT_EQUAL_FATAL(cases->row[i].cells, 8);
        policy_decide(state,
                      &(struct policy_question){.client = span_of_text(MEDELLIN "/TRAMITES"),
                                                .service = span_of_text(service),
                                                .procedure = span_of_text(cell[2]),
                                                .requirement = span_of_text(cell[3]),
                                                .at_ms = golden_ms(cell[4])},
                      &verdict);
        CU_ASSERT(is_written("request", (const char *const *)cell,
                             strcmp(verdict.fault == OK ? "allowed" : "refused", cell[5]) == 0 &&
                                 strcmp(verdict.rule, cell[6]) == 0,
                             verdict.rule));
    }
    country_free(&country);
}

static const struct lint_finding *finding(const struct lint *lint, const char *procedure,
                                          const char *requirement)
{
    for (size_t i = 0; i < lint->count; i++)
        if (lint->finding[i].kind == LINT_DEBT && strcmp(lint->finding[i].id, procedure) == 0 &&
            strcmp(lint->finding[i].requirement, requirement) == 0)
            return &lint->finding[i];
    return NULL;
}

static void test_every_debt_is_found_as_it_is_written(void)
{
    struct country country = country_new();
    OWNED(golden) cases = golden_read(CASES, "Debts");
    for (size_t i = 0; i < cases->rows; i++) {
        char *const *cell = cases->row[i].cell;
        OWNED(directory) state = state_at(&country, cell[1]);
        struct lint lint;
        CU_ASSERT_EQUAL_FATAL(cases->row[i].cells, 7);
        MUST(lint_look(state, NULL, golden_ms(cell[1]), &lint));
        const struct lint_finding *found = finding(&lint, cell[2], cell[3]);
        bool as_written = found == NULL ? cell[4][0] == '\0'
                                        : cell[4][0] != '\0' && cell[5][0] != '\0' &&
                                              strcmp(found->source, cell[4]) == 0 &&
                                              found->since_ms >= golden_ms(cell[5]) &&
                                              found->since_ms < golden_ms(cell[5]) + BOOK_DAY_MS;
        CU_ASSERT(is_written("debt", (const char *const *)cell, as_written,
                             found == NULL ? "none" : found->source));
        lint_clear(&lint);
    }
    country_free(&country);
}

static void test_what_is_refused_is_refused_for_the_reason_that_is_written(void)
{
    struct country country = country_new();
    OWNED(golden) cases = golden_read(CASES, "What the directory does not take");
    struct book *book = country.book;
    size_t all = book->count;
    for (size_t i = 0; i < cases->rows; i++) {
        char *const *cell = cases->row[i].cell;
        struct bytes *kept[8] = {0};
        OWNED(directory) none = NULL;
        CU_ASSERT_EQUAL_FATAL(cases->row[i].cells, 10);
        go_to(&country, cell[1]);
        size_t before = book->count;
        for (size_t k = 0; k < 8 && before + k < all; k++) {
            kept[k] = book->act[before + k];
            book->act[before + k] = NULL;
        }
        fault f = play_act(book, cell + 1);
        if (!failed(f))
            f = book_fold(book, &none);
        CU_ASSERT(is_written("act", (const char *const *)cell,
                             f.code == DIRECTORY_BAD && strstr(fault_detail(), cell[8]) != NULL,
                             failed(f) ? fault_detail() : "taken"));
        while (book->count > before)
            bytes_free(&book->act[--book->count]);
        for (size_t k = 0; k < 8 && before + k < all; k++)
            book->act[before + k] = kept[k];
        book->count = all;
    }
    country_free(&country);
}

SUITE(once_only_golden, TEST(test_every_plan_is_as_it_is_written),
      TEST(test_every_request_in_a_procedures_name_is_decided_as_it_is_written),
      TEST(test_every_debt_is_found_as_it_is_written),
      TEST(test_what_is_refused_is_refused_for_the_reason_that_is_written))
