// SPDX-License-Identifier: MIT
/* Keys of pseudonyms and sealings: what the fold takes, and who may seal what. */
#include "lib/bus/directory_snapshot.h"
#include "lib/bus/policy.h"
#include "lib/bus/pseudonym.h"
#include "lib/bus/sealing.h"
#include "tests/unit/bus/book.h"

#define TRAMITES MEDELLIN "/TRAMITES"
#define YEAR (pseudonym_year(BOOK_START_MS))

static void book_subject_key(struct book *self, unsigned year, size_t size)
{
    uint8_t commitment[SHA256_BYTES] = {1, (uint8_t)year};
    BOOK_ACT(self, SUBJECT_KEY_SET, subject_key_set, CHASKI__SUBJECT_KEY_SET__INIT, it->year = year,
             it->commitment = (ProtobufCBinaryData){size, commitment});
}

static void book_destroyed(struct book *self, unsigned year)
{
    BOOK_ACT(self, SUBJECT_KEY_DESTROYED, subject_key_destroyed,
             CHASKI__SUBJECT_KEY_DESTROYED__INIT, it->year = year,
             it->reason = book_text("La retención terminó"));
}

static void book_sealing(struct book *self, const char *id, const char *consumer,
                         const char *purpose, unsigned days, int64_t until_ms)
{
    BOOK_ACT(self, SEALING_SET, sealing_set, CHASKI__SEALING_SET__INIT, it->id = book_text(id),
             it->consumer = book_text(consumer), it->purpose = book_text(purpose),
             it->legal_basis = book_text("Ley 906 de 2004"), it->days_max = days,
             it->until_ms = (uint64_t)until_ms);
}

static struct book *country(void)
{
    struct book *book = book_new();
    book_country(book);
    return book;
}

static void is_refused(struct book **book)
{
    OWNED(directory) state = NULL;
    MUST_FAIL(DIRECTORY_BAD, book_fold(*book, &state));
    book_free(book);
}

static void test_a_year_has_one_key(void)
{
    struct book *book = country();
    OWNED(directory) state = NULL;
    book_subject_key(book, YEAR, SHA256_BYTES);
    MUST(book_fold(book, &state));
    CU_ASSERT_PTR_NOT_NULL_FATAL(directory_subject_key(state, YEAR));
    CU_ASSERT_EQUAL(directory_subject_key(state, YEAR)->commitment.at[0], 1);
    CU_ASSERT_PTR_NULL(directory_subject_key(state, YEAR + 1));
    book_subject_key(book, YEAR, SHA256_BYTES);
    is_refused(&book);
}

static void test_a_key_without_its_commitment_is_none(void)
{
    struct book *book = country();
    book_subject_key(book, YEAR, SHA256_BYTES - 1);
    is_refused(&book);
    book = country();
    book_subject_key(book, 1999, SHA256_BYTES);
    is_refused(&book);
}

static void test_only_the_key_of_a_year_that_is_over_is_destroyed(void)
{
    struct book *book = country();
    OWNED(directory) state = NULL;
    book_subject_key(book, YEAR - 2, SHA256_BYTES);
    book_destroyed(book, YEAR - 2);
    MUST(book_fold(book, &state));
    CU_ASSERT(directory_subject_key(state, YEAR - 2)->destroyed);
    book_destroyed(book, YEAR - 2);
    is_refused(&book);
    book = country();
    book_subject_key(book, YEAR, SHA256_BYTES);
    book_destroyed(book, YEAR);
    is_refused(&book);
    book = country();
    book_destroyed(book, YEAR - 1);
    is_refused(&book);
}

static void test_a_snapshot_keeps_them(void)
{
    struct book *book = country();
    OWNED(directory) state = NULL;
    OWNED(directory) again = NULL;
    OWNED(bytes) snapshot = NULL;
    book_subject_key(book, YEAR - 2, SHA256_BYTES);
    book_subject_key(book, YEAR, SHA256_BYTES);
    book_destroyed(book, YEAR - 2);
    book_sealing(book, "S-1", TRAMITES, "tramite-licencia", 30, book->time_ms + BOOK_DAY_MS);
    MUST(book_fold(book, &state));
    MUST(directory_snapshot(state, book->count, &snapshot));
    MUST(directory_restore(bytes_span(snapshot), book->trust, &again));
    CU_ASSERT(directory_subject_key(again, YEAR - 2)->destroyed);
    CU_ASSERT_FALSE(directory_subject_key(again, YEAR)->destroyed);
    CU_ASSERT_EQUAL(directory_sealing(again, span_of_text("S-1"))->days_max, 30);
    book_free(&book);
}

static void test_a_sealing_is_bounded(void)
{
    static const struct {
        const char *consumer, *purpose;
        unsigned days;
        int64_t until_ms;
    } bad[] = {{"CO/GOV/404", "tramite-licencia", 30, BOOK_DAY_MS},
               {TRAMITES, "nadie", 30, BOOK_DAY_MS},
               {TRAMITES, "tramite-licencia", 0, BOOK_DAY_MS},
               {TRAMITES, "tramite-licencia", SEALING_DAYS_MAX + 1, BOOK_DAY_MS},
               {TRAMITES, "tramite-licencia", 30, -1},
               {TRAMITES, "tramite-licencia", 30, 3 * BOOK_YEAR_MS}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct book *book = country();
        book_sealing(book, "S-1", bad[i].consumer, bad[i].purpose, bad[i].days,
                     book->time_ms + bad[i].until_ms);
        is_refused(&book);
    }
}

static void test_what_a_sealing_leans_on_stays(void)
{
    struct book *book = country();
    book_purpose(book, "captura");
    book_sealing(book, "S-1", TRAMITES, "captura", 30, book->time_ms + BOOK_DAY_MS);
    BOOK_ACT(book, REMOVED, removed, CHASKI__REMOVED__INIT,
             it->what_case = CHASKI__REMOVED__WHAT_PURPOSE, it->purpose = book_text("captura"));
    is_refused(&book);
}

/* --- who may seal --- */

struct seal_case {
    const char *client, *purpose, *sealing;
    int64_t days, at_days;
    enum fault_code expected;
};

static void test_who_may_seal_what(void)
{
    static const struct seal_case cases[] = {
        {TRAMITES, "captura", "S-1", 30, 0, OK},
        {TRAMITES, "captura", "S-1", 31, 0, SEALING_REFUSED},         /* longer than it allows */
        {TRAMITES, "captura", "S-1", 0, 0, SEALING_REFUSED},          /* until now */
        {TRAMITES, "tramite-licencia", "S-1", 1, 0, SEALING_REFUSED}, /* another purpose */
        {DANE "/DIVIPOLA", "captura", "S-1", 1, 0, SEALING_REFUSED},  /* another caller */
        {DANE "/DIVIPOLA", "captura", "S-2", 1, 0, OK},               /* by its class */
        {TRAMITES, "captura", "S-9", 1, 0, SEALING_REFUSED},          /* nobody's */
        {TRAMITES, "captura", "S-1", 1, 60, SEALING_REFUSED},         /* its time is over */
        {TRAMITES, "captura", "", 1, 0, SEALING_REFUSED},
    };
    struct book *book = country();
    OWNED(directory) state = NULL;
    book_purpose(book, "captura");
    int64_t now_ms = book->time_ms;
    book_sealing(book, "S-1", MEDELLIN, "captura", 30, now_ms + 50 * BOOK_DAY_MS);
    book_sealing(book, "S-2", "CO/GOV", "captura", 30, now_ms + 50 * BOOK_DAY_MS);
    MUST(book_fold(book, &state));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t at_ms = now_ms + cases[i].at_days * BOOK_DAY_MS;
        struct sealing_question question = {
            span_of_text(cases[i].client), span_of_text(cases[i].purpose),
            span_of_text(cases[i].sealing), at_ms + cases[i].days * BOOK_DAY_MS, at_ms};
        MUST_FAIL(cases[i].expected, sealing_check(state, &question));
    }
    book_free(&book);
}

static void test_a_view_takes_its_own_purpose_and_a_competence(void)
{
    static const struct {
        const char *client, *purpose, *rule;
        enum fault_code fault;
    } cases[] = {
        {DANE "/DIVIPOLA", POLICY_VIEW_PURPOSE, "citizen-view/competence C-view", OK},
        {DANE "/DIVIPOLA", "tramite-licencia", "citizen-view/not-competent", ACCESS_DENIED},
        {DANE "/DIVIPOLA", "", "citizen-view/not-competent", ACCESS_DENIED},
        {TRAMITES, POLICY_VIEW_PURPOSE, "citizen-view/not-competent", ACCESS_DENIED},
        {TRAMITES, "tramite-licencia", "citizen-view/not-competent", ACCESS_DENIED},
        {FIRM "/NADIE", POLICY_VIEW_PURPOSE, "directory/unknown-client", UNKNOWN_CLIENT},
    };
    struct book *book = country();
    OWNED(directory) state = NULL;
    book_purpose(book, POLICY_VIEW_PURPOSE);
    book_competence(book, "C-view", DANE "/DIVIPOLA", POLICY_VIEW_PURPOSE, 0);
    MUST(book_fold(book, &state));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct policy_verdict verdict;
        struct policy_question question = {.client = span_of_text(cases[i].client),
                                           .service =
                                               span_of_text(MEDELLIN "/TRAMITES/subjectAccesses"),
                                           .purpose = span_of_text(cases[i].purpose),
                                           .at_ms = book->time_ms};
        policy_decide(state, &question, &verdict);
        CU_ASSERT_EQUAL(verdict.fault, cases[i].fault);
        CU_ASSERT_STRING_EQUAL(verdict.rule, cases[i].rule);
    }
    book_free(&book);
}

SUITE(act_subject, TEST(test_a_year_has_one_key), TEST(test_a_key_without_its_commitment_is_none),
      TEST(test_only_the_key_of_a_year_that_is_over_is_destroyed), TEST(test_a_snapshot_keeps_them),
      TEST(test_a_sealing_is_bounded), TEST(test_what_a_sealing_leans_on_stays),
      TEST(test_who_may_seal_what), TEST(test_a_view_takes_its_own_purpose_and_a_competence))
