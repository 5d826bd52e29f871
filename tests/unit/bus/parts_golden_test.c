// SPDX-License-Identifier: MIT
/* tests/golden/parts.md, which lawyers read: endpoints, columns, and which grant is used. */
#include "lib/bus/policy_columns.h"

#include "tests/unit/bus/book.h"
#include "tests/unit/bus/golden.h"

#define CASES "tests/golden/parts.md"
#define ENDPOINTS DANE "/DIVIPOLA/personas"
#define TABLE DANE "/DIVIPOLA/padron"
#define COUNTED DANE "/DIVIPOLA/reservado" /* restricted by the country's R-1 */
#define NOW_MS (BOOK_START_MS + 30 * BOOK_DAY_MS)

static const char *client_of(const char *who)
{
    return strcmp(who, "Medellín") == 0 ? MEDELLIN "/TRAMITES"
           : strcmp(who, "firm") == 0   ? FIRM "/APP"
                                        : who;
}

static Chaski__ServiceClass class_of(const char *word)
{
    return strcmp(word, "open") == 0 ? CHASKI__SERVICE_CLASS__OPEN : CHASKI__SERVICE_CLASS__SHARED;
}

static void set_endpoints(struct book *book, const struct golden *rows)
{
    Chaski__Endpoint endpoint[GOLDEN_ROWS_MAX], *pointer[GOLDEN_ROWS_MAX];
    for (size_t i = 0; i < rows->rows; i++) {
        char *const *cell = rows->row[i].cell;
        CU_ASSERT_EQUAL_FATAL(rows->row[i].cells, 4);
        chaski__endpoint__init(&endpoint[i]);
        endpoint[i].id = cell[0];
        endpoint[i].method = cell[1];
        endpoint[i].path = cell[2];
        endpoint[i].class_ = class_of(cell[3]);
        pointer[i] = &endpoint[i];
    }
    BOOK_ACT(book, SERVICE_SET, service_set, CHASKI__SERVICE_SET__INIT,
             it->id = book_text(ENDPOINTS), it->class_ = CHASKI__SERVICE_CLASS__SHARED,
             it->n_endpoint = rows->rows, it->endpoint = pointer);
}

static void set_columns(struct book *book, const struct golden *rows)
{
    Chaski__Column column[GOLDEN_ROWS_MAX], *pointer[GOLDEN_ROWS_MAX];
    for (size_t i = 0; i < rows->rows; i++) {
        CU_ASSERT_EQUAL_FATAL(rows->row[i].cells, 2);
        chaski__column__init(&column[i]);
        column[i].name = rows->row[i].cell[0];
        column[i].class_ = class_of(rows->row[i].cell[1]);
        pointer[i] = &column[i];
    }
    BOOK_ACT(book, SERVICE_SET, service_set, CHASKI__SERVICE_SET__INIT, it->id = book_text(TABLE),
             it->class_ = CHASKI__SERVICE_CLASS__OPEN, it->n_column = rows->rows,
             it->column = pointer);
}

/* what, id, of, part, who, a day */
static void set_right(struct book *book, char *const *cell)
{
    bool endpoint = strcmp(cell[2], "endpoint") == 0, column = strcmp(cell[2], "column") == 0;
    const char *service = endpoint ? ENDPOINTS : column ? TABLE : COUNTED;
    char *part = cell[3];
    if (strcmp(cell[0], "restriction") == 0)
        BOOK_ACT(book, RESTRICTION_SET, restriction_set, CHASKI__RESTRICTION_SET__INIT,
                 it->id = cell[1], it->service = book_text(service),
                 it->ground = CHASKI__GROUND__PRIVACY, it->reason = book_text("Datos de personas"),
                 it->approver = book_text("Jurídica"), it->from_ms = (uint64_t)book->time_ms,
                 it->until_ms = (uint64_t)(NOW_MS + BOOK_DAY_MS), it->n_endpoint = endpoint,
                 it->endpoint = &part, it->n_column = column, it->column = &part);
    else
        BOOK_ACT(book, GRANT_SET, grant_set, CHASKI__GRANT_SET__INIT, it->id = cell[1],
                 it->service = book_text(service), it->consumer = book_text(client_of(cell[4])),
                 it->legal_basis = book_text("Ley"),
                 it->until_ms = (uint64_t)(NOW_MS + 9 * BOOK_DAY_MS), it->n_endpoint = endpoint,
                 it->endpoint = &part, it->n_column = column, it->column = &part,
                 it->volume_a_day = strtoull(cell[5], NULL, 10));
}

struct country {
    struct book *book;
    struct golden *endpoints, *columns, *rights;
    struct directory *state;
};

static void country_free(struct country *self)
{
    directory_release(&self->state);
    book_free(&self->book);
    golden_free(&self->endpoints);
    golden_free(&self->columns);
    golden_free(&self->rights);
}

static struct country country_new(void)
{
    struct country self = {.book = book_new(),
                           .endpoints = golden_read(CASES, "Endpoints"),
                           .columns = golden_read(CASES, "Columns"),
                           .rights = golden_read(CASES, "Restrictions and grants")};
    book_country(self.book);
    set_endpoints(self.book, self.endpoints);
    set_columns(self.book, self.columns);
    for (size_t i = 0; i < self.rights->rows; i++) {
        CU_ASSERT_EQUAL_FATAL(self.rights->row[i].cells, 6);
        set_right(self.book, self.rights->row[i].cell);
    }
    MUST(book_fold(self.book, &self.state));
    return self;
}

static bool is_written(char *const *cell, bool as_written, const char *found)
{
    if (!as_written)
        fprintf(stderr, "  case %s: %s\n", cell[0], found);
    return as_written;
}

static const char *decide(const struct country *self, const struct policy_question *question,
                          struct policy_verdict *verdict)
{
    policy_decide(self->state, question, verdict);
    return verdict->fault == OK ? "allowed" : "refused";
}

/* As a gateway does it: which endpoint it is, by method and path, and then the rules. */
static void test_every_request_for_an_endpoint_is_decided_as_it_is_written(void)
{
    struct country country = country_new();
    OWNED(golden) cases = golden_read(CASES, "Requests for endpoints");
    const struct directory_service *service =
        directory_service(country.state, span_of_text(ENDPOINTS));
    for (size_t i = 0; i < cases->rows; i++) {
        char *const *cell = cases->row[i].cell;
        struct policy_verdict verdict = {.rule = ""};
        const char *decision = "not taken";
        size_t at = 0;
        CU_ASSERT_EQUAL_FATAL(cases->row[i].cells, 8);
        fault f = endpoint_find(service->endpoint, service->endpoints, span_of_text(cell[2]),
                                span_of_text(cell[3]), &at);
        if (!failed(f))
            decision = decide(
                &country,
                &(struct policy_question){.client = span_of_text(client_of(cell[1])),
                                          .service = span_of_text(ENDPOINTS),
                                          .purpose = span_of_text(cell[4]),
                                          .endpoint = at == service->endpoints
                                                          ? span_of("", 0)
                                                          : span_of_text(service->endpoint[at].id),
                                          .at_ms = NOW_MS},
                &verdict);
        CU_ASSERT(is_written(cell,
                             strcmp(decision, cell[5]) == 0 && strcmp(verdict.rule, cell[6]) == 0,
                             failed(f) ? fault_detail() : verdict.rule));
    }
    country_free(&country);
}

static void test_every_column_is_withheld_as_it_is_written(void)
{
    struct country country = country_new();
    OWNED(golden) cases = golden_read(CASES, "Columns that are withheld");
    for (size_t i = 0; i < cases->rows; i++) {
        char *const *cell = cases->row[i].cell;
        char text[1024] = "";
        struct policy_columns columns;
        CU_ASSERT_EQUAL_FATAL(cases->row[i].cells, 5);
        policy_columns(country.state,
                       &(struct policy_question){.client = span_of_text(client_of(cell[1])),
                                                 .service = span_of_text(TABLE),
                                                 .purpose = span_of_text(cell[2]),
                                                 .at_ms = NOW_MS},
                       &columns);
        for (size_t k = 0; k < columns.count; k++)
            if (columns.column[k].rule[0] != '\0') {
                size_t used = strlen(text);
                snprintf(text + used, sizeof text - used, "%s%s: %s", used == 0 ? "" : ", ",
                         columns.column[k].name, columns.column[k].rule);
            }
        CU_ASSERT_EQUAL(columns.count, country.columns->rows);
        CU_ASSERT(is_written(cell, strcmp(text[0] == '\0' ? "nothing" : text, cell[3]) == 0, text));
    }
    country_free(&country);
}

static void test_the_grant_that_is_written_is_used(void)
{
    struct country country = country_new();
    OWNED(golden) cases = golden_read(CASES, "Which grant is used");
    for (size_t i = 0; i < cases->rows; i++) {
        char *const *cell = cases->row[i].cell;
        struct policy_verdict verdict;
        CU_ASSERT_EQUAL_FATAL(cases->row[i].cells, 4);
        decide(&country,
               &(struct policy_question){.client = span_of_text(client_of(cell[1])),
                                         .service = span_of_text(COUNTED),
                                         .at_ms = NOW_MS},
               &verdict);
        CU_ASSERT(is_written(cell, strcmp(verdict.rule, cell[2]) == 0, verdict.rule));
    }
    country_free(&country);
}

SUITE(parts_golden, TEST(test_every_request_for_an_endpoint_is_decided_as_it_is_written),
      TEST(test_every_column_is_withheld_as_it_is_written),
      TEST(test_the_grant_that_is_written_is_used))
