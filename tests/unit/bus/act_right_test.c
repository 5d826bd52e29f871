// SPDX-License-Identifier: MIT
/* What no directory takes: rights without an end, a ground, a reason or somebody who answers. */
#include "lib/bus/directory.h"

#include "tests/unit/bus/book.h"

#define SERVICE DANE "/DIVIPOLA/abierto"

/* The last act is refused, and taken back. */
#define BAD(added)                                         \
    do {                                                   \
        OWNED(directory) none_ = NULL;                     \
        added;                                             \
        MUST_FAIL(DIRECTORY_BAD, book_fold(book, &none_)); \
        bytes_free(&book->act[--book->count]);             \
    } while (0)

struct rule {
    const char *id, *service, *consumer, *reason, *approver;
    int ground;
    int64_t from_ms, until_ms; /* from now */
};

static const struct rule good = {
    "R-9", SERVICE,          "", "Datos de personas", "Oficina jurídica", CHASKI__GROUND__PRIVACY,
    0,     365 * BOOK_DAY_MS};

static void restrict_by(struct book *book, const struct rule *rule)
{
    BOOK_ACT(book, RESTRICTION_SET, restriction_set, CHASKI__RESTRICTION_SET__INIT,
             it->id = book_text(rule->id), it->service = book_text(rule->service),
             it->consumer = book_text(rule->consumer), it->reason = book_text(rule->reason),
             it->approver = book_text(rule->approver), it->ground = (Chaski__Ground)rule->ground,
             it->from_ms = (uint64_t)(book->time_ms + rule->from_ms),
             it->until_ms = (uint64_t)(book->time_ms + rule->until_ms));
}

static void test_a_restriction_has_a_ground_a_reason_an_answerer_and_an_end(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) taken = NULL;
    book_country(book);
    const struct rule bad[] = {
        {"", SERVICE, "", "r", "a", 1, 0, BOOK_DAY_MS},
        {"R 9", SERVICE, "", "r", "a", 1, 0, BOOK_DAY_MS},
        {"R-9", DANE "/DIVIPOLA/nada", "", "r", "a", 1, 0, BOOK_DAY_MS},
        {"R-9", SERVICE, "CO/GOV/1", "r", "a", 1, 0, BOOK_DAY_MS},
        {"R-9", SERVICE, "group:nadie", "r", "a", 1, 0, BOOK_DAY_MS},
        {"R-9", SERVICE, "XX/GOV", "r", "a", 1, 0, BOOK_DAY_MS},
        {"R-9", SERVICE, "CO", "r", "a", 1, 0, BOOK_DAY_MS},
        {"R-9", SERVICE, "", "", "a", 1, 0, BOOK_DAY_MS},
        {"R-9", SERVICE, "", "r", "", 1, 0, BOOK_DAY_MS},
        {"R-9", SERVICE, "", "r", "a", 0, 0, BOOK_DAY_MS},
        {"R-9", SERVICE, "", "r", "a", GROUNDS_END, 0, BOOK_DAY_MS},
        {"R-9", SERVICE, "", "r", "a", CHASKI__GROUND__MISUSE, 0, BOOK_DAY_MS},
        {"R-9", SERVICE, "", "r", "a", 1, 0, 0},
        {"R-9", SERVICE, "", "r", "a", 1, BOOK_DAY_MS, BOOK_DAY_MS},
        {"R-9", SERVICE, "", "r", "a", 1, 0, DIRECTORY_RESTRICTION_MS_MAX + 1},
        {"R-9", SERVICE, "", "r", "a", 1, 91 * BOOK_DAY_MS, 100 * BOOK_DAY_MS},
        {"R-9", SERVICE, "", "r", "a", 1, DIRECTORY_RESTRICTION_MS_MAX + BOOK_DAY_MS,
         DIRECTORY_RESTRICTION_MS_MAX + 2 * BOOK_DAY_MS},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        BAD(restrict_by(book, &bad[i]));
    restrict_by(book, &good);
    MUST(book_fold(book, &taken));
    CU_ASSERT_STRING_EQUAL(directory_restriction(taken, span_of_text("R-9"))->approver,
                           "Oficina jurídica");
}

static void test_a_competence_is_of_somebody_for_something(void)
{
    OWNED(book) book = book_new();
    book_country(book);
    BAD(book_competence(book, "C 2", MEDELLIN, "tramite-licencia", 0));
    BAD(book_competence(book, "C-2", "CO/MUN/1", "tramite-licencia", 0));
    BAD(book_competence(book, "C-2", MEDELLIN, "curiosidad", 0));
    BAD(book_competence(book, "C-2", MEDELLIN, "tramite-licencia", book->time_ms));
    OWNED(directory) taken = NULL;
    book_competence(book, "C-2", "CO/ESE", "tramite-licencia", 0); /* nobody is in it yet */
    MUST(book_fold(book, &taken));
}

static void test_a_group_names_who_is_there_once(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) taken = NULL;
    book_country(book);
    BAD(book_group(book, "g", (const char *const[]){"CO/GOV/1"}, 1));
    BAD(book_group(book, "g", (const char *const[]){MEDELLIN, DANE}, 2)); /* not rising */
    BAD(book_group(book, "g", (const char *const[]){DANE, DANE}, 2));
    book_group(book, "g", (const char *const[]){DANE, MEDELLIN}, 2);
    book_group(book, "g", (const char *const[]){MEDELLIN}, 1); /* DANE left */
    book_competence(book, "C-2", "group:g", "tramite-licencia", 0);
    MUST(book_fold(book, &taken));
    CU_ASSERT_EQUAL(directory_group(taken, span_of_text("g"))->members, 1);
}

static void test_nobody_is_in_more_groups_than_a_decision_looks_at(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) taken = NULL;
    char id[16];
    book_country(book);
    for (int i = 0; i < DIRECTORY_GROUPS_OF_ONE_MAX; i++) {
        snprintf(id, sizeof id, "g-%d", i);
        book_group(book, id, (const char *const[]){DANE}, 1);
    }
    BAD(book_group(book, "one-more", (const char *const[]){DANE}, 1));
    book_group(book, "g-0", (const char *const[]){DANE}, 1); /* again */
    MUST(book_fold(book, &taken));
}

static void test_a_replaced_right_counts_no_longer(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) taken = NULL;
    book_country(book);
    struct rule shorter = good;
    shorter.until_ms = BOOK_DAY_MS;
    restrict_by(book, &good);
    restrict_by(book, &shorter);
    MUST(book_fold(book, &taken));
    CU_ASSERT(directory_restriction(taken, span_of_text("R-9"))->until_ms <
              book->time_ms + 2 * BOOK_DAY_MS);
}

SUITE(act_right, TEST(test_a_restriction_has_a_ground_a_reason_an_answerer_and_an_end),
      TEST(test_a_competence_is_of_somebody_for_something),
      TEST(test_a_group_names_who_is_there_once),
      TEST(test_nobody_is_in_more_groups_than_a_decision_looks_at),
      TEST(test_a_replaced_right_counts_no_longer))
