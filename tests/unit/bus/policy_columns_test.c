// SPDX-License-Identifier: MIT
/* The golden table of columns: who asks, and which columns by which rule it does not get. */
#include "lib/bus/policy_columns.h"

#include "lib/bus/directory_snapshot.h"
#include "tests/unit/bus/book.h"

#define SERVICE DANE "/DIVIPOLA/personas"
#define TRAMITES MEDELLIN "/TRAMITES"
#define APP FIRM "/APP"
#define NOW_MS (BOOK_START_MS + 30 * BOOK_DAY_MS)

/* The last act is refused, and taken back. */
#define BAD(added)                                         \
    do {                                                   \
        OWNED(directory) none_ = NULL;                     \
        added;                                             \
        MUST_FAIL(DIRECTORY_BAD, book_fold(book, &none_)); \
        bytes_free(&book->act[--book->count]);             \
    } while (0)

struct listed {
    const char *name;
    int class;
};

static void set_service(struct book *book, int class, const struct listed *list, size_t count)
{
    Chaski__Column column[DIRECTORY_COLUMNS_MAX + 1], *pointer[DIRECTORY_COLUMNS_MAX + 1];
    for (size_t i = 0; i < count; i++) {
        chaski__column__init(&column[i]);
        column[i].name = book_text(list[i].name);
        column[i].class_ = (Chaski__ServiceClass)list[i].class;
        pointer[i] = &column[i];
    }
    BOOK_ACT(book, SERVICE_SET, service_set, CHASKI__SERVICE_SET__INIT, it->id = book_text(SERVICE),
             it->class_ = (Chaski__ServiceClass) class, it->n_column = count, it->column = pointer);
}

static void restrict_column(struct book *book, const char *id, const char *column)
{
    char *named = book_text(column);
    BOOK_ACT(book, RESTRICTION_SET, restriction_set, CHASKI__RESTRICTION_SET__INIT,
             it->id = book_text(id), it->service = book_text(SERVICE),
             it->ground = CHASKI__GROUND__PRIVACY, it->reason = book_text("Datos de personas"),
             it->approver = book_text("Oficina jurídica"), it->from_ms = (uint64_t)book->time_ms,
             it->until_ms = (uint64_t)(NOW_MS + BOOK_DAY_MS), it->n_column = 1,
             it->column = &named);
}

static void grant_column(struct book *book, const char *id, const char *consumer,
                         const char *column)
{
    char *named = book_text(column);
    BOOK_ACT(book, GRANT_SET, grant_set, CHASKI__GRANT_SET__INIT, it->id = book_text(id),
             it->service = book_text(SERVICE), it->consumer = book_text(consumer),
             it->legal_basis = book_text("Ley 1581 de 2012"),
             it->until_ms = (uint64_t)(NOW_MS + 9 * BOOK_DAY_MS), it->n_column = 1,
             it->column = &named);
}

static const struct listed columns[] = {
    {"nombre", SERVICE_OPEN}, {"sisben", SERVICE_SHARED}, {"salud", SERVICE_OPEN}};

static struct book *book_of_columns(int class)
{
    struct book *book = book_new();
    book_country(book);
    set_service(book, class, columns, 3);
    restrict_column(book, "R-salud", "salud");
    grant_column(book, "G-salud", MEDELLIN, "salud");
    return book;
}

/* "column:rule column:rule", of what is withheld. */
static const char *withheld_from(const struct directory *state, const char *client,
                                 const char *purpose, int64_t at_ms)
{
    static char text[2000];
    struct policy_question question = {.client = span_of_text(client),
                                       .service = span_of_text(SERVICE),
                                       .purpose = span_of_text(purpose),
                                       .at_ms = at_ms};
    struct policy_columns of;
    struct withheld withheld;
    size_t used = 0;
    policy_columns(state, &question, &of);
    CU_ASSERT_EQUAL(of.count, 3);
    policy_columns_withheld(&of, &withheld);
    text[0] = '\0';
    for (size_t i = 0; i < withheld.count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s:%s", i == 0 ? "" : " ",
                                 withheld.column[i].name, withheld.column[i].rule);
    return text;
}

static void test_each_column_is_given_by_its_own_class_and_restrictions(void)
{
    OWNED(book) book = book_of_columns(SERVICE_OPEN);
    OWNED(directory) state = NULL;
    MUST(book_fold(book, &state));
    CU_ASSERT_STRING_EQUAL(withheld_from(state, APP, "", NOW_MS),
                           "sisben:shared/not-a-public-agency salud:restricted/no-grant R-salud");
    CU_ASSERT_STRING_EQUAL(withheld_from(state, TRAMITES, "", NOW_MS), "sisben:shared/no-purpose");
    CU_ASSERT_STRING_EQUAL(withheld_from(state, TRAMITES, "tramite-licencia", NOW_MS), "");
    /* the restriction's end opens it again, to whom its class opens it */
    CU_ASSERT_STRING_EQUAL(withheld_from(state, APP, "", NOW_MS + BOOK_DAY_MS),
                           "sisben:shared/not-a-public-agency");
    CU_ASSERT_EQUAL(policy_class_of(state, span_of_text(SERVICE), NOW_MS), POLICY_RESTRICTED);
}

/* A restriction of some columns closes nothing else; a grant of some gives these. */
static void test_a_right_about_columns_is_about_them_alone(void)
{
    OWNED(book) book = book_of_columns(SERVICE_OPEN);
    OWNED(directory) open = NULL;
    OWNED(directory) closed = NULL;
    struct policy_verdict verdict;
    struct policy_question ask = {
        .client = span_of_text(APP), .service = span_of_text(SERVICE), .at_ms = NOW_MS};
    MUST(book_fold(book, &open));
    policy_decide(open, &ask, &verdict);
    CU_ASSERT_STRING_EQUAL(verdict.rule, "open/any-member");
    book_restriction(book, "R-all", SERVICE, "", book->time_ms, NOW_MS + 2 * BOOK_DAY_MS);
    MUST(book_fold(book, &closed));
    policy_decide(closed, &ask, &verdict);
    CU_ASSERT_STRING_EQUAL(verdict.rule, "restricted/no-grant R-all");
    ask.client = span_of_text(TRAMITES);
    policy_decide(closed, &ask, &verdict);
    CU_ASSERT_STRING_EQUAL(verdict.rule, "restricted/grant G-salud");
    CU_ASSERT_STRING_EQUAL(withheld_from(closed, TRAMITES, "tramite-licencia", NOW_MS),
                           "nombre:restricted/no-grant R-all sisben:restricted/no-grant R-all");
}

static void test_columns_come_back_from_a_snapshot(void)
{
    OWNED(book) book = book_of_columns(SERVICE_OPEN);
    OWNED(directory) state = NULL;
    OWNED(directory) again = NULL;
    OWNED(bytes) snapshot = NULL;
    MUST(book_fold(book, &state));
    MUST(directory_snapshot(state, book->count, &snapshot));
    MUST(directory_restore(bytes_span(snapshot), book->trust, &again));
    CU_ASSERT_STRING_EQUAL(withheld_from(again, APP, "", NOW_MS),
                           "sisben:shared/not-a-public-agency salud:restricted/no-grant R-salud");
}

static void test_what_is_no_column_is_not_taken(void)
{
    OWNED(book) book = book_of_columns(SERVICE_OPEN);
    OWNED(directory) state = NULL;
    struct listed many[DIRECTORY_COLUMNS_MAX + 1];
    char name[DIRECTORY_COLUMNS_MAX + 1][8];
    BAD(set_service(book, 1, (struct listed[]){{"salud", 1}, {"", 1}}, 2));
    BAD(set_service(book, 1, (struct listed[]){{"salud", 1}, {"salud", 1}}, 2));
    BAD(set_service(book, 1, (struct listed[]){{"salud", 3}}, 1));
    BAD(set_service(
        book, 1,
        (struct listed[]){{"salud", 1},
                          {"una columna con un nombre que es mas largo de lo que se permite", 1}},
        2));
    BAD(restrict_column(book, "R-9", "nada"));
    BAD(grant_column(book, "G-9", MEDELLIN, "nada"));
    BAD(set_service(book, 1, columns,
                    2)); /* salud is named by R-salud: unlisted it would be gone */
    BAD(set_service(book, 1, NULL, 0));
    for (size_t i = 0; i <= DIRECTORY_COLUMNS_MAX; i++) {
        snprintf(name[i], sizeof name[i], "c-%zu", i);
        many[i] = (struct listed){i == 0 ? "salud" : name[i], 1};
    }
    BAD(set_service(book, 1, many, DIRECTORY_COLUMNS_MAX + 1));
    set_service(book, 1, many, DIRECTORY_COLUMNS_MAX);
    MUST(book_fold(book, &state));
}

SUITE(policy_columns, TEST(test_each_column_is_given_by_its_own_class_and_restrictions),
      TEST(test_a_right_about_columns_is_about_them_alone),
      TEST(test_columns_come_back_from_a_snapshot), TEST(test_what_is_no_column_is_not_taken))
