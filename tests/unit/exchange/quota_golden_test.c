// SPDX-License-Identifier: MIT
/* tests/golden/parts.md, which lawyers read: who comes too often, by which rule, and when to come
 * back. Decided as step_count does it, by the policy first and by the quota then. */
#include "security-server/exchange/quota_verdict.h"

#include "lib/bus/bus_id.h"
#include "tests/unit/bus/book.h"
#include "tests/unit/bus/golden.h"

#define CASES "tests/golden/parts.md"
#define CLASS_RATE 1

static const char *client_of(const char *who)
{
    return strcmp(who, "Medellín") == 0 ? MEDELLIN "/TRAMITES"
           : strcmp(who, "firm") == 0   ? FIRM "/APP"
                                        : who;
}

static char *service_of(const char *name, char out[128])
{
    snprintf(out, 128, DANE "/DIVIPOLA/%s", name);
    return out;
}

/* what, id, service, who, number; a service with a volume is shared, which a grant opens. */
static void set(struct book *book, char *const *cell)
{
    char service[128];
    bool volume = strcmp(cell[0], "volume") == 0;
    uint32_t number = (uint32_t)strtoul(cell[4], NULL, 10);
    BOOK_ACT(book, SERVICE_SET, service_set, CHASKI__SERVICE_SET__INIT,
             it->id = service_of(cell[2], service),
             it->class_ = volume ? CHASKI__SERVICE_CLASS__SHARED : CHASKI__SERVICE_CLASS__OPEN,
             it->rate = volume ? 0 : number, it->burst = it->rate);
    if (volume)
        BOOK_ACT(book, GRANT_SET, grant_set, CHASKI__GRANT_SET__INIT, it->id = cell[1],
                 it->service = service, it->consumer = book_text(client_of(cell[3])),
                 it->legal_basis = book_text("Ley"),
                 it->until_ms = (uint64_t)(BOOK_START_MS + 300 * BOOK_DAY_MS),
                 it->volume_a_day = number);
}

static fault ask(struct quota *quota, const struct directory *state, char *const *cell,
                 struct quota_verdict *out)
{
    char service[128];
    struct policy_verdict allowed;
    const char *client = client_of(cell[2]);
    int64_t at_ms = golden_ms(cell[1]);
    struct quota_question question = {
        .directory = state,
        .service = directory_service(state, span_of_text(service_of(cell[3], service))),
        .member = bus_id_prefix(span_of_text(client), ID_MEMBER),
        .rule = allowed.rule,
        .at_ms = at_ms,
        .steady_us = at_ms * 1000,
        .class_rate = {[POLICY_OPEN] = CLASS_RATE}};
    policy_decide(state,
                  &(struct policy_question){.client = span_of_text(client),
                                            .service = span_of_text(service),
                                            .at_ms = at_ms},
                  &allowed);
    CU_ASSERT_EQUAL_FATAL(allowed.fault, OK);
    return quota_verdict(quota, &question, out);
}

/* "1 s", or the moment to which it leads. */
static bool comes_back(char *const *cell, uint32_t retry_s)
{
    if (strchr(cell[7], ':') != NULL)
        return golden_ms(cell[1]) + (int64_t)retry_s * 1000 == golden_ms(cell[7]);
    return strtoul(cell[7], NULL, 10) == retry_s;
}

static void play(struct quota *quota, const struct directory *state, char *const *cell)
{
    unsigned long asks = strtoul(cell[4], NULL, 10), answered = 0;
    struct quota_verdict refused = {0};
    for (unsigned long i = 0; i < asks; i++) {
        struct quota_verdict verdict;
        fault f = ask(quota, state, cell, &verdict);
        CU_ASSERT(!failed(f) || f.code == RATE_LIMITED);
        if (failed(f))
            refused = verdict;
        else
            answered++;
    }
    bool as_written = answered == strtoul(cell[5], NULL, 10) &&
                      strcmp(refused.rule, cell[6]) == 0 && comes_back(cell, refused.retry_s);
    if (!as_written)
        fprintf(stderr, "  case %s: %lu answered, then %s, %u s\n", cell[0], answered, refused.rule,
                refused.retry_s);
    CU_ASSERT(as_written);
}

static void test_one_too_many_is_refused_as_it_is_written(void)
{
    OWNED(golden) limits = golden_read(CASES, "Volumes and rates");
    OWNED(golden) cases = golden_read(CASES, "One too many");
    OWNED(quota) quota = quota_new();
    struct book *book = book_new();
    struct directory *state = NULL;
    book_country(book);
    for (size_t i = 0; i < limits->rows; i++) {
        CU_ASSERT_EQUAL_FATAL(limits->row[i].cells, 5);
        set(book, limits->row[i].cell);
    }
    MUST(book_fold(book, &state));
    for (size_t i = 0; i < cases->rows; i++) {
        CU_ASSERT_EQUAL_FATAL(cases->row[i].cells, 9);
        play(quota, state, cases->row[i].cell);
    }
    CU_ASSERT(cases->rows >= 9);
    directory_release(&state);
    book_free(&book);
}

SUITE(quota_golden, TEST(test_one_too_many_is_refused_as_it_is_written))
