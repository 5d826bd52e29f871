// SPDX-License-Identifier: MIT
/* Plans: alternatives and what belongs together, territories, versions, questions, and no source.
 */
#include "lib/bus/plan.h"

#include "tests/unit/bus/registers.h"

#include <stdio.h>

struct asked {
    struct book *book;
    struct directory *state;
    struct plan *plan;
    size_t answers;
    struct plan_answer answer[8];
    const char *territory, *version, *requirement;
};

static void asked_free(struct asked **self)
{
    plan_free(&(*self)->plan);
    directory_release(&(*self)->state);
    book_free(&(*self)->book);
    free(*self);
    *self = NULL;
}

static struct asked *asked_new(const char *territory)
{
    struct asked *self = owned_new(sizeof *self);
    self->book = book_new();
    self->territory = territory;
    self->version = self->requirement = "";
    registers_country(self->book);
    return self;
}

static fault look(struct asked *self)
{
    directory_release(&self->state);
    plan_free(&self->plan);
    MUST(book_fold(self->book, &self->state));
    struct plan_question question = {
        "T-1",          self->territory, self->version, self->requirement,
        SUBJECT_PERSON, self->answers,   self->answer,  self->book->time_ms};
    return plan_make(self->state, &question, &self->plan);
}

static void answer(struct asked *self, const char *name, const char *value)
{
    self->answer[self->answers++] = (struct plan_answer){name, value};
}

static void test_the_narrowest_source_makes_a_ready_request(void)
{
    OWNED(asked) asked = asked_new("05001");
    MUST(look(asked));
    const struct plan_requirement *residence = &asked->plan->requirement[0];
    CU_ASSERT_EQUAL(asked->plan->requirements, 3);
    CU_ASSERT_EQUAL(residence->state, PLAN_READY);
    CU_ASSERT_EQUAL(residence->ways, 2);
    CU_ASSERT_STRING_EQUAL(residence->way[0].leaf[0].source->id, "S-CERT");
    CU_ASSERT_STRING_EQUAL(residence->way[0].leaf[0].path, "/05001/{subject.number}");
    CU_ASSERT_STRING_EQUAL(residence->way[0].leaf[0].version, "1");
}

static void test_what_belongs_together_waits_for_all_of_it(void)
{
    OWNED(asked) asked = asked_new("05001");
    MUST(look(asked));
    const struct plan_way *way = &asked->plan->requirement[0].way[1];
    CU_ASSERT_EQUAL(way->leaves, 2);
    CU_ASSERT_EQUAL(way->state, PLAN_NEED);
    CU_ASSERT_EQUAL(way->leaf[0].state, PLAN_NEED);
    CU_ASSERT_STRING_EQUAL(way->leaf[0].need, "year");
    CU_ASSERT_STRING_EQUAL(way->leaf[0].question, "¿Año?");
    CU_ASSERT_STRING_EQUAL(way->leaf[0].codes, "AAAA");
    CU_ASSERT_EQUAL(way->leaf[1].state, PLAN_READY);
    answer(asked, "year", "2026/..&x=1");
    MUST(look(asked));
    way = &asked->plan->requirement[0].way[1];
    CU_ASSERT_EQUAL(way->state, PLAN_READY);
    CU_ASSERT_STRING_EQUAL(way->leaf[0].path, "/?year=2026%2F%2E%2E%26x%3D1");
}

static void test_the_places_of_the_subject_take_no_answer(void)
{
    OWNED(asked) asked = asked_new("05001");
    answer(asked, "subject.number", "777");
    MUST(look(asked));
    CU_ASSERT_STRING_EQUAL(asked->plan->requirement[0].way[0].leaf[0].path,
                           "/05001/{subject.number}");
}

static void test_another_way_is_there_when_the_first_has_no_source(void)
{
    OWNED(asked) asked = asked_new("05002");
    answer(asked, "year", "2026");
    MUST(look(asked));
    const struct plan_requirement *residence = &asked->plan->requirement[0];
    CU_ASSERT_EQUAL(residence->way[0].state, PLAN_NO_SOURCE);
    CU_ASSERT_EQUAL(residence->way[1].state, PLAN_READY);
    CU_ASSERT_EQUAL(residence->state, PLAN_READY);
    asked->territory = "54001"; /* no deeds there */
    MUST(look(asked));
    CU_ASSERT_EQUAL(asked->plan->requirement[0].state, PLAN_NO_SOURCE);
}

static void test_nothing_proves_it_and_nobody_delivers_it_are_told_apart(void)
{
    OWNED(asked) asked = asked_new("05001");
    MUST(look(asked));
    const struct plan_requirement *identity = &asked->plan->requirement[1];
    const struct plan_requirement *income = &asked->plan->requirement[2];
    CU_ASSERT_EQUAL(identity->state, PLAN_NO_MATCH);
    CU_ASSERT_PTR_NOT_NULL(identity->satisfaction);
    CU_ASSERT_EQUAL(identity->ways, 0);
    CU_ASSERT_EQUAL(income->state, PLAN_NO_SOURCE);
    CU_ASSERT_STRING_EQUAL(income->way[0].leaf[0].reason, "Sin ley");
    CU_ASSERT_EQUAL(income->way[0].leaf[0].until_ms, INT64_C(1896134400000)); /* 2030-02-01 */
    CU_ASSERT_TRUE(income->ask_citizen);
    asked->book->time_ms = INT64_C(1896134400000);
    MUST(look(asked));
    CU_ASSERT_STRING_EQUAL(asked->plan->requirement[2].way[0].leaf[0].reason,
                           "no source is registered");
}

static void test_a_missing_territory_is_a_question(void)
{
    OWNED(asked) asked = asked_new("");
    MUST_FAIL(PLAN_NEEDS, look(asked));
    asked->territory = "CO"; /* certificates are a matter of municipalities */
    MUST(look(asked));
    const struct plan_leaf *leaf = &asked->plan->requirement[0].way[0].leaf[0];
    CU_ASSERT_EQUAL(leaf->state, PLAN_NEED);
    CU_ASSERT_STRING_EQUAL(leaf->need, "E-CERT.territory");
    CU_ASSERT_STRING_EQUAL(leaf->codes, "DIVIPOLA");
    answer(asked, "E-CERT.territory", "05001");
    MUST(look(asked));
    CU_ASSERT_STRING_EQUAL(asked->plan->requirement[0].way[0].leaf[0].path,
                           "/05001/{subject.number}");
    asked->territory = "5001"; /* a zero was lost */
    MUST_FAIL(BAD_QUESTION, look(asked));
}

static void test_several_sources_are_a_question(void)
{
    OWNED(asked) asked = asked_new("05001");
    MUST(registers_add(asked->book,
                       "{\"sources\":[{\"id\":\"S-CERT2\",\"evidence_type\":\"E-CERT\","
                       "\"territory\":\"05001\",\"service\":\"" S "bill\"}]}"));
    MUST(look(asked));
    const struct plan_leaf *leaf = &asked->plan->requirement[0].way[0].leaf[0];
    CU_ASSERT_EQUAL(leaf->state, PLAN_NEED);
    CU_ASSERT_STRING_EQUAL(leaf->need, "E-CERT.source");
    CU_ASSERT_STRING_EQUAL(leaf->codes, "S-CERT S-CERT2");
    answer(asked, "E-CERT.source", "S-CERT2");
    MUST(look(asked));
    CU_ASSERT_STRING_EQUAL(asked->plan->requirement[0].way[0].leaf[0].source->id, "S-CERT2");
    asked->answer[0].value = "S-NADA";
    MUST(look(asked));
    CU_ASSERT_EQUAL(asked->plan->requirement[0].way[0].leaf[0].state, PLAN_NEED);
}

static void test_a_version_that_nobody_delivers_is_said_so(void)
{
    OWNED(asked) asked = asked_new("05001");
    answer(asked, "E-CERT.version", "2");
    MUST(look(asked));
    const struct plan_leaf *leaf = &asked->plan->requirement[0].way[0].leaf[0];
    CU_ASSERT_EQUAL(leaf->state, PLAN_NO_VERSION);
    CU_ASSERT_STRING_EQUAL(leaf->reason, "no source delivers version 2; S-CERT delivers 1");
    MUST(registers_add(asked->book,
                       "{\"sources\":[{\"id\":\"S-WIDE\",\"evidence_type\":\"E-CERT\","
                       "\"territory\":\"CO\",\"service\":\"" S "bill\",\"versions\":[\"2\"]}]}"));
    MUST(look(asked));
    CU_ASSERT_STRING_EQUAL(asked->plan->requirement[0].way[0].leaf[0].source->id, "S-WIDE");
}

static void test_what_is_registered_narrowly_hides_the_wide(void)
{
    OWNED(asked) asked = asked_new("05001");
    MUST(registers_add(
        asked->book, "{\"satisfactions\":[{\"id\":\"Q-RES5\",\"requirement\":\"R-RES\","
                     "\"territory\":\"05\",\"any_of\":[[\"E-DEED\"]]}],"
                     "\"sources\":[{\"id\":\"S-NODEED\",\"evidence_type\":\"E-DEED\","
                     "\"territory\":\"05001\",\"none\":\"Traslado\",\"until\":\"2027-01-01\"}]}"));
    MUST(look(asked));
    CU_ASSERT_EQUAL(asked->plan->requirement[0].ways, 1);
    CU_ASSERT_EQUAL(asked->plan->requirement[0].state, PLAN_NO_SOURCE);
    asked->territory = "05002";
    MUST(look(asked));
    CU_ASSERT_EQUAL(asked->plan->requirement[0].state, PLAN_READY);
    asked->territory = "54001";
    MUST(look(asked));
    CU_ASSERT_EQUAL(asked->plan->requirement[0].ways, 2);
}

static void test_only_what_was_asked_is_planned(void)
{
    OWNED(asked) asked = asked_new("05001");
    asked->requirement = "R-INC";
    MUST(look(asked));
    CU_ASSERT_EQUAL(asked->plan->requirements, 1);
    asked->requirement = "R-NADA";
    MUST_FAIL(REQUIREMENT_UNKNOWN, look(asked));
    struct plan_question question = {.procedure = "T-9", .territory = "", .version = ""};
    MUST_FAIL(PROCEDURE_UNKNOWN, plan_make(asked->state, &question, &asked->plan));
    question = (struct plan_question){
        .procedure = "T-1", .territory = "05001", .version = "", .subject = SUBJECT_FIRM};
    MUST_FAIL(BAD_QUESTION, plan_make(asked->state, &question, &asked->plan));
}

static void test_the_plan_knows_what_belongs_to_it(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    registers_country(book);
    MUST(book_fold(book, &state));
    const struct directory_procedure *procedure = directory_procedure(state, span_of_text("T-1"));
    struct span none = span_of_text("");
    CU_ASSERT_TRUE(once_only_in_plan(state, procedure, span_of_text(S "deed"), none));
    CU_ASSERT_TRUE(
        once_only_in_plan(state, procedure, span_of_text(S "deed"), span_of_text("R-RES")));
    CU_ASSERT_FALSE(
        once_only_in_plan(state, procedure, span_of_text(S "deed"), span_of_text("R-INC")));
    CU_ASSERT_FALSE(once_only_in_plan(state, procedure, span_of_text(S "municipios"), none));
}

/* Three requirements of 256 sorts each: none of them is left out in silence. */
static void test_a_plan_that_is_too_large_is_a_question(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    OWNED(plan) plan = NULL;
    char json[512];
    OWNED(bytes) lists = bytes_empty(8192);
    registers_country(book);
    for (int i = 0; i < SATISFACTION_TYPES_MAX; i++) {
        snprintf(json, sizeof json,
                 "{\"evidence_types\":[{\"id\":\"E-%d\",\"title\":\"t\","
                 "\"sensitivity\":\"public\"}]}",
                 i);
        MUST(registers_add(book, json));
        snprintf(json, sizeof json, "%s\"E-%d\"", i == 0 ? "[" : ",", i);
        MUST(bytes_append(lists, span_of_text(json)));
    }
    MUST(bytes_append(lists, span_of_text("]")));
    OWNED(bytes) all = bytes_empty(65536);
    MUST(bytes_append(all, span_of_text("{\"requirements\":[{\"id\":\"L-1\",\"name\":\"1\"},"
                                        "{\"id\":\"L-2\",\"name\":\"2\"},{\"id\":\"L-3\","
                                        "\"name\":\"3\"}],\"satisfactions\":[")));
    for (int r = 1; r <= 3; r++) {
        snprintf(json, sizeof json,
                 "%s{\"id\":\"QL-%d\",\"requirement\":\"L-%d\","
                 "\"territory\":\"CO\",\"any_of\":[",
                 r == 1 ? "" : ",", r, r);
        MUST(bytes_append(all, span_of_text(json)));
        for (int i = 0; i < SATISFACTION_LISTS_MAX; i++) {
            MUST(bytes_append(all, span_of_text(i == 0 ? "" : ",")));
            MUST(bytes_append(all, bytes_span(lists)));
        }
        MUST(bytes_append(all, span_of_text("]}")));
    }
    MUST(bytes_append(all, span_of_text("],\"procedures\":[{\"id\":\"T-L\",\"title\":\"l\","
                                        "\"owner\":\"CO/MUN\",\"requirements\":[\"L-1\",\"L-2\","
                                        "\"L-3\"]},{\"id\":\"T-M\",\"title\":\"m\",\"owner\":"
                                        "\"CO/MUN\",\"requirements\":[\"L-1\",\"L-2\"]}]}")));
    MUST(bytes_append(all, span_of("", 1)));
    MUST(registers_add(book, (const char *)all->data));
    MUST(book_fold(book, &state));
    struct plan_question question = {.procedure = "T-L", .territory = "05001", .version = ""};
    MUST_FAIL(PLAN_NEEDS, plan_make(state, &question, &plan));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "requirement"));
    question.requirement = "L-3";
    MUST(plan_make(state, &question, &plan));
    CU_ASSERT_EQUAL(plan->leaves, SATISFACTION_LISTS_MAX * SATISFACTION_TYPES_MAX);
    plan_free(&plan);
    question.procedure = "T-M"; /* as many as fit */
    question.requirement = "";
    MUST(plan_make(state, &question, &plan));
    CU_ASSERT_EQUAL(plan->leaves, PLAN_LEAVES_MAX);
}

SUITE(plan, TEST(test_a_plan_that_is_too_large_is_a_question),
      TEST(test_the_narrowest_source_makes_a_ready_request),
      TEST(test_the_places_of_the_subject_take_no_answer),
      TEST(test_what_belongs_together_waits_for_all_of_it),
      TEST(test_another_way_is_there_when_the_first_has_no_source),
      TEST(test_nothing_proves_it_and_nobody_delivers_it_are_told_apart),
      TEST(test_a_missing_territory_is_a_question), TEST(test_several_sources_are_a_question),
      TEST(test_a_version_that_nobody_delivers_is_said_so),
      TEST(test_what_is_registered_narrowly_hides_the_wide),
      TEST(test_only_what_was_asked_is_planned), TEST(test_the_plan_knows_what_belongs_to_it))
