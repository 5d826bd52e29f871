// SPDX-License-Identifier: MIT
/* Acts that are only thought of: they decide nothing, and nobody can carry them out. */
#include "lib/bus/draft.h"

#include "lib/bus/policy.h"
#include "tests/unit/bus/book.h"

#define SERVICE DANE "/DIVIPOLA/abierto"
#define TRAMITES MEDELLIN "/TRAMITES"

static enum fault_code asked(const struct directory *state, int64_t at_ms)
{
    struct policy_verdict verdict;
    policy_decide(state,
                  &(struct policy_question){.client = span_of_text(TRAMITES),
                                            .service = span_of_text(SERVICE),
                                            .at_ms = at_ms},
                  &verdict);
    return verdict.fault;
}

/* The acts that a book has beyond the country's, as packed. */
static struct bytes *draft_of(struct book *book, size_t first)
{
    struct bytes *draft = NULL;
    struct span acts[8];
    for (size_t i = first; i < book->count; i++)
        acts[i - first] = bytes_span(book->act[i]);
    MUST(draft_make(acts, book->count - first, &draft));
    return draft;
}

static void test_what_is_supposed_decides_in_that_state_alone(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) now = NULL;
    OWNED(directory) then = NULL;
    struct draft_facts facts;
    book_country(book);
    MUST(book_fold(book, &now));
    MUST(book_fold(book, &then));
    size_t first = book->count;
    int64_t from_ms = book->time_ms + BOOK_DAY_MS;
    book_restriction(book, "R-9", SERVICE, "", from_ms, from_ms + 10 * BOOK_DAY_MS);
    OWNED(bytes) draft = draft_of(book, first);
    MUST(draft_suppose(then, bytes_span(draft), book->time_ms, &facts));
    CU_ASSERT_EQUAL(facts.acts, 1);
    CU_ASSERT_EQUAL(facts.from_ms, from_ms);
    CU_ASSERT(directory_is_spoiled(then));
    CU_ASSERT_EQUAL(asked(then, from_ms - 1), OK);
    CU_ASSERT_EQUAL(asked(then, from_ms), ACCESS_DENIED);
    CU_ASSERT_EQUAL(asked(then, from_ms + 10 * BOOK_DAY_MS), OK);
    CU_ASSERT_EQUAL(asked(now, from_ms), OK);
    CU_ASSERT(!directory_is_spoiled(now));
}

static void test_no_approval_is_given_away_with_a_draft(void)
{
    OWNED(bytes) packed = NULL;
    OWNED(bytes) draft = NULL;
    char operator[] = "ana.perez", instance[] = "CO";
    uint8_t nonce[16] = {1}, signature[70] = {2};
    Chaski__Approval approval = CHASKI__APPROVAL__INIT, *approvals[] = {&approval};
    Chaski__Intent intent = CHASKI__INTENT__INIT;
    Chaski__Opened opened = CHASKI__OPENED__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    approval.who_case = CHASKI__APPROVAL__WHO_OPERATOR;
    approval.operator_ = operator;
    approval.signature = (ProtobufCBinaryData){sizeof signature, signature};
    intent.nonce = (ProtobufCBinaryData){sizeof nonce, nonce};
    opened.instance = instance;
    act.number = act.time_ms = 7;
    act.intent = &intent;
    act.n_approval = 1;
    act.approval = approvals;
    act.act_case = CHASKI__ACT__ACT_OPENED;
    act.opened = &opened;
    MUST(bytes_new(chaski__act__get_packed_size(&act), &packed));
    chaski__act__pack(&act, packed->data);
    MUST(draft_make(&(struct span){packed->data, packed->size}, 1, &draft));
    CU_ASSERT(memmem(draft->data, draft->size, operator, strlen(operator)) == NULL);
    CU_ASSERT(memmem(draft->data, draft->size, signature, sizeof signature) == NULL);
    CU_ASSERT(memmem(draft->data, draft->size, nonce, sizeof nonce) == NULL);
}

static void test_what_cannot_stand_is_told(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    struct draft_facts facts;
    book_country(book);
    MUST(book_fold(book, &state));
    size_t first = book->count;
    book_restriction(book, "R-9", DANE "/DIVIPOLA/nada", "", book->time_ms,
                     book->time_ms + BOOK_DAY_MS);
    OWNED(bytes) draft = draft_of(book, first);
    MUST_FAIL(DIRECTORY_BAD, draft_suppose(state, bytes_span(draft), book->time_ms, &facts));
}

static void test_other_bytes_are_no_draft(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    struct draft_facts facts;
    struct bytes *none = NULL;
    book_country(book);
    MUST(book_fold(book, &state));
    MUST_FAIL(BAD_FRAME, draft_suppose(state, span_of_text(""), book->time_ms, &facts));
    MUST_FAIL(BAD_FRAME, draft_suppose(state, span_of_text("no draft"), book->time_ms, &facts));
    MUST_FAIL(BAD_FRAME, draft_suppose(state, bytes_span(book->act[1]), book->time_ms, &facts));
    CU_ASSERT(!directory_is_spoiled(state));
    MUST_FAIL(BAD_REQUEST, draft_make(NULL, 0, &none));
    MUST_FAIL(BAD_REQUEST, draft_make(&(struct span){(const uint8_t *)"\xff", 1}, 1, &none));
}

SUITE(draft, TEST(test_what_is_supposed_decides_in_that_state_alone),
      TEST(test_no_approval_is_given_away_with_a_draft), TEST(test_what_cannot_stand_is_told),
      TEST(test_other_bytes_are_no_draft))
