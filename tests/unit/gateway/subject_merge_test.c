// SPDX-License-Identifier: MIT
#include "gateway/subject_merge.h"

#include "tests/unit/unit.h"

#include "subject.pb-c.h"

#include <stdlib.h>

#define CITY "CO/MUN/1/SS1"
#define STATE "CO/GOV/2/SS1"
#define NOW_MS INT64_C(1790000000000)
#define OLD_MS (NOW_MS - 86400000)

static char *text(const char *from)
{
    return (char *)(uintptr_t)from;
}

struct half {
    uint8_t request, answer; /* first byte of the leaf hash; 0: it is not there */
};

/* One page with one exchange between the two. */
/* What the entries of pages say came of it, when there is an answer. */
struct ending {
    unsigned outcome, status; /* kind of the answer's header */
    const char *fault, *word;
};
static const struct ending answered = {2, 200, "", "answered"};
static const struct ending *ending = &answered;

static struct bytes *page_of(const char *server, struct half half, int64_t time_ms,
                             const char *service)
{
    static uint8_t id[16] = {5}, hashes[2][SHA256_BYTES];
    Chaski__SubjectReceipt request = CHASKI__SUBJECT_RECEIPT__INIT;
    Chaski__SubjectReceipt answer = CHASKI__SUBJECT_RECEIPT__INIT;
    Chaski__SubjectEntry entry = CHASKI__SUBJECT_ENTRY__INIT, *entries[] = {&entry};
    Chaski__SubjectPage page = CHASKI__SUBJECT_PAGE__INIT;
    struct bytes *packed = NULL;
    hashes[0][0] = half.request;
    hashes[1][0] = half.answer;
    request.leaf_hash = (ProtobufCBinaryData){SHA256_BYTES, hashes[0]};
    answer.leaf_hash = (ProtobufCBinaryData){SHA256_BYTES, hashes[1]};
    entry.exchange_id = (ProtobufCBinaryData){sizeof id, id};
    entry.time_ms = (uint64_t)time_ms;
    entry.caller = text("CO/MUN/1/T");
    entry.service = text(service);
    entry.caller_server = text(CITY);
    entry.provider_server = text(STATE);
    entry.request = half.request == 0 ? NULL : &request;
    entry.answer = half.answer == 0 ? NULL : &answer;
    entry.outcome = half.answer == 0 ? 0 : ending->outcome;
    entry.status = ending->status;
    entry.fault = text(ending->fault);
    page.context = text("chaski subject page v1");
    page.server = text(server);
    page.n_entry = half.request + half.answer > 0;
    page.entry = entries;
    MUST(bytes_new(chaski__subject_page__get_packed_size(&page), &packed));
    chaski__subject_page__pack(&page, packed->data);
    return packed;
}

static fault give(struct subject_merge *merge, size_t place, const char *server, struct half half)
{
    uint64_t next = 1;
    OWNED(bytes) page = page_of(server, half, OLD_MS, "CO/GOV/2/S/X");
    TRY(subject_merge_page(merge, place, bytes_span(page), &next));
    CU_ASSERT_EQUAL(next, 0);
    subject_merge_end(merge, place);
    return DONE;
}

struct pair_case {
    struct half city, state;
    bool state_failed;
    const char *sides, *missing_at;
};

/* What the two sides say, and what the citizen is told of it. */
static void test_the_two_sides_are_compared(void)
{
    static const struct pair_case cases[] = {
        {{1, 2}, {1, 2}, false, "both", NULL},    {{1, 2}, {0, 0}, false, "missing", STATE},
        {{0, 0}, {1, 2}, false, "missing", CITY}, {{1, 2}, {1, 0}, false, "missing", STATE},
        {{1, 0}, {1, 2}, false, "missing", CITY}, {{1, 2}, {3, 2}, false, "differ", NULL},
        {{1, 2}, {1, 4}, false, "differ", NULL},  {{1, 2}, {0, 0}, true, "one", NULL},
        {{1, 0}, {1, 0}, false, "both", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        OWNED(subject_merge) merge = subject_merge_new();
        size_t city = subject_merge_server(merge, CITY, "Medellín");
        size_t state = subject_merge_server(merge, STATE, "DIAN");
        subject_merge_ask(merge, city);
        subject_merge_ask(merge, state);
        MUST(give(merge, city, CITY, cases[i].city));
        if (cases[i].state_failed)
            subject_merge_fail(merge, state, "PEER_UNREACHABLE", "silent");
        else
            MUST(give(merge, state, STATE, cases[i].state));
        json_t *root = subject_merge_json(merge, NOW_MS);
        json_t *access = json_array_get(json_object_get(root, "accesses"), 0);
        const char *missing = json_string_value(json_object_get(access, "missing_at"));
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(access, "sides")), cases[i].sides);
        CU_ASSERT_STRING_EQUAL(missing == NULL ? "" : missing,
                               cases[i].missing_at == NULL ? "" : cases[i].missing_at);
        CU_ASSERT_EQUAL(json_is_true(json_object_get(root, "complete")), !cases[i].state_failed);
        CU_ASSERT_EQUAL(json_array_size(json_object_get(root, "failed")), cases[i].state_failed);
        json_decref(root);
    }
}

static void test_what_came_of_it_is_told_in_a_word(void)
{
    static const struct ending endings[] = {
        {2, 200, "", "answered"},
        {2, 404, "", "refused"},
        {2, 502, "", "failed"},
        {3, 0, "ACCESS_DENIED", "refused"},
        {3, 0, "SERVICE_DOWN", "failed"},
        {3, 0, "OF_A_LATER_VERSION", "failed"},
        {0, 0, "", "none"},
    };
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        OWNED(subject_merge) merge = subject_merge_new();
        size_t city = subject_merge_server(merge, CITY, "Medellín");
        ending = &endings[i];
        MUST(give(merge, city, CITY, (struct half){1, 2}));
        ending = &answered;
        json_t *root = subject_merge_json(merge, NOW_MS);
        json_t *access = json_array_get(json_object_get(root, "accesses"), 0);
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(access, "outcome")),
                               endings[i].word);
        json_decref(root);
    }
}

static void test_what_is_young_accuses_nobody(void)
{
    OWNED(subject_merge) merge = subject_merge_new();
    OWNED(bytes) page = page_of(CITY, (struct half){1, 0}, NOW_MS - 1000, "CO/GOV/2/S/X");
    uint64_t next = 0;
    size_t city = subject_merge_server(merge, CITY, "Medellín");
    size_t state = subject_merge_server(merge, STATE, "DIAN");
    subject_merge_ask(merge, city);
    subject_merge_ask(merge, state);
    MUST(subject_merge_page(merge, city, bytes_span(page), &next));
    subject_merge_end(merge, city);
    MUST(give(merge, state, STATE, (struct half){0, 0}));
    json_t *root = subject_merge_json(merge, NOW_MS);
    json_t *access = json_array_get(json_object_get(root, "accesses"), 0);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(access, "sides")), "young");
    json_decref(root);
}

static void test_views_are_counted_and_not_listed(void)
{
    OWNED(subject_merge) merge = subject_merge_new();
    OWNED(bytes) page = page_of(CITY, (struct half){1, 2}, OLD_MS, "CO/GOV/2/S/subjectAccesses");
    uint64_t next = 0;
    size_t city = subject_merge_server(merge, CITY, "Medellín");
    MUST(subject_merge_page(merge, city, bytes_span(page), &next));
    json_t *root = subject_merge_json(merge, NOW_MS);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(root, "accesses")), 0);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(root, "views")), 1);
    CU_ASSERT(json_is_false(json_object_get(root, "complete"))); /* its last page never came */
    json_decref(root);
}

/* The same record, told by one side as something else. */
static void test_one_side_alone_tells_no_other_story(void)
{
    static const char *const stories[] = {"CO/GOV/2/S/subjectAccesses", "CO/GOV/2/S/OTHER"};
    for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++) {
        OWNED(subject_merge) merge = subject_merge_new();
        OWNED(bytes) lie = page_of(CITY, (struct half){1, 2}, OLD_MS, stories[i]);
        uint64_t next = 0;
        size_t city = subject_merge_server(merge, CITY, "Medellín");
        size_t state = subject_merge_server(merge, STATE, "DIAN");
        subject_merge_ask(merge, city);
        subject_merge_ask(merge, state);
        MUST(subject_merge_page(merge, city, bytes_span(lie), &next));
        subject_merge_end(merge, city);
        MUST(give(merge, state, STATE, (struct half){1, 2}));
        json_t *root = subject_merge_json(merge, NOW_MS);
        json_t *access = json_array_get(json_object_get(root, "accesses"), 0);
        CU_ASSERT_EQUAL(json_array_size(json_object_get(root, "views")), 0);
        CU_ASSERT_PTR_NOT_NULL_FATAL(access);
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(access, "sides")), "differ");
        json_decref(root);
    }
}

/* Entries of one server, from that number on; it lives until the next call. */
static struct bytes *many_with(const char *server, uint64_t from, size_t count, uint64_t next,
                               const char *service)
{
    static uint8_t ids[SUBJECT_PAGE_MAX][16], hash[SHA256_BYTES];
    static Chaski__SubjectEntry entry[SUBJECT_PAGE_MAX], *entries[SUBJECT_PAGE_MAX];
    Chaski__SubjectReceipt request = CHASKI__SUBJECT_RECEIPT__INIT;
    Chaski__SubjectPage page = CHASKI__SUBJECT_PAGE__INIT;
    struct bytes *packed = NULL;
    request.leaf_hash = (ProtobufCBinaryData){SHA256_BYTES, hash};
    for (size_t i = 0; i < count; i++) {
        uint64_t number = from + i;
        chaski__subject_entry__init(&entry[i]);
        memcpy(ids[i], &number, sizeof number);
        ids[i][15] = (uint8_t)server[0] ^ (uint8_t)server[3];
        entry[i].exchange_id = (ProtobufCBinaryData){16, ids[i]};
        entry[i].time_ms = (uint64_t)OLD_MS + number;
        entry[i].caller = text("CO/MUN/1/T");
        entry[i].service = text(service);
        entry[i].provider_server = text(STATE);
        entry[i].request = &request;
        entries[i] = &entry[i];
    }
    page.context = text("chaski subject page v1");
    page.server = text(server);
    page.n_entry = count;
    page.entry = entries;
    page.next = next;
    MUST(bytes_new(chaski__subject_page__get_packed_size(&page), &packed));
    chaski__subject_page__pack(&page, packed->data);
    return packed;
}

static struct bytes *many_of(const char *server, uint64_t from, size_t count, uint64_t next)
{
    return many_with(server, from, count, next, "CO/GOV/2/S/X");
}

static struct bytes *views_of(const char *server, uint64_t from, size_t count, uint64_t next)
{
    return many_with(server, from, count, next, "CO/GOV/2/S/subjectAccesses");
}

static json_t *first_of(const json_t *root, const char *list)
{
    return json_array_get(json_object_get(root, list), 0);
}

/* A server that invents entries is cut and named, and takes nobody's room. */
static void test_one_server_crowds_out_no_other(void)
{
    OWNED(subject_merge) merge = subject_merge_new();
    size_t city = subject_merge_server(merge, CITY, "Medellín"), pages = 0;
    size_t state = subject_merge_server(merge, STATE, "DIAN");
    uint64_t next = 1;
    subject_merge_ask(merge, city);
    subject_merge_ask(merge, state);
    while (next != 0 && pages++ < 1000) {
        OWNED(bytes) page = many_of(CITY, pages * 50, 50, pages + 1);
        MUST(subject_merge_page(merge, city, bytes_span(page), &next));
    }
    CU_ASSERT_EQUAL(pages, SUBJECT_SERVER_ENTRIES_MAX / 50 + 1);
    CU_ASSERT(subject_merge_is_cut(merge, city));
    subject_merge_end(merge, city);
    MUST(give(merge, state, STATE, (struct half){1, 2}));
    json_t *root = subject_merge_json(merge, NOW_MS);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(root, "accesses")),
                    SUBJECT_SERVER_ENTRIES_MAX + 1);
    CU_ASSERT(json_is_false(json_object_get(root, "complete")));
    CU_ASSERT(json_is_true(json_object_get(first_of(root, "answered"), "more")));
    CU_ASSERT_PTR_NOT_NULL(json_object_get(first_of(root, "answered"), "given_until"));
    json_t *counts = json_object_get(root, "counts");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(counts, "answered")), 2);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(counts, "cut")), 1);
    /* what the one that was cut did not get to say is no finding about it */
    json_t *access = json_array_get(json_object_get(root, "accesses"), SUBJECT_SERVER_ENTRIES_MAX);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(access, "sides")), "one");
    json_decref(root);
}

/* Each view leaves a question at every server: they take no room from what is asked about. */
static void test_views_take_no_room(void)
{
    OWNED(subject_merge) merge = subject_merge_new();
    OWNED(bytes) page = page_of(STATE, (struct half){1, 0}, OLD_MS, "CO/GOV/2/S/subjectAccesses");
    OWNED(bytes) access = page_of(STATE, (struct half){1, 2}, OLD_MS, "CO/GOV/2/S/X");
    uint64_t next = 1;
    size_t state = subject_merge_server(merge, STATE, "DIAN");
    subject_merge_ask(merge, state);
    for (size_t i = 0; i < 2 * SUBJECT_SERVER_ENTRIES_MAX; i++)
        MUST(subject_merge_page(merge, state, bytes_span(page), &next));
    MUST(subject_merge_page(merge, state, bytes_span(access), &next));
    subject_merge_end(merge, state);
    json_t *root = subject_merge_json(merge, NOW_MS);
    CU_ASSERT(json_is_true(json_object_get(root, "complete")));
    CU_ASSERT_EQUAL(json_array_size(json_object_get(root, "accesses")), 1);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(first_of(root, "views"), "exchanges")),
                    2 * SUBJECT_SERVER_ENTRIES_MAX);
    json_decref(root);
}

/* Who leads from page to page with nothing but views is cut and named too: each page
 * is an exchange that the asker signs. */
static void test_views_are_no_way_to_go_on_for_ever(void)
{
    OWNED(subject_merge) merge = subject_merge_new();
    size_t state = subject_merge_server(merge, STATE, "DIAN"), pages = 0;
    uint64_t next = 1;
    subject_merge_ask(merge, state);
    while (next != 0 && pages++ < 1000) {
        OWNED(bytes) page = views_of(STATE, pages * 50, 50, pages + 1);
        MUST(subject_merge_page(merge, state, bytes_span(page), &next));
    }
    CU_ASSERT_EQUAL(pages, SUBJECT_SERVER_PAGES_MAX);
    CU_ASSERT(subject_merge_is_cut(merge, state));
    subject_merge_end(merge, state);
    json_t *root = subject_merge_json(merge, NOW_MS);
    CU_ASSERT(json_is_false(json_object_get(root, "complete")));
    CU_ASSERT(json_is_true(json_object_get(first_of(root, "answered"), "more")));
    CU_ASSERT(json_is_string(json_object_get(first_of(root, "answered"), "given_until")));
    json_decref(root);
}

static void test_late_failed_and_not_asked_are_told_apart(void)
{
    OWNED(subject_merge) merge = subject_merge_new();
    size_t late = subject_merge_server(merge, "CO/GOV/1/SS1", "Uno");
    size_t failed = subject_merge_server(merge, "CO/GOV/2/SS1", "Dos");
    subject_merge_server(merge, "CO/GOV/3/SS1", "Tres");
    size_t second = subject_merge_server(merge, "CO/GOV/4/SS1", "Cuatro");
    subject_merge_ask(merge, late);
    subject_merge_ask(merge, late);
    subject_merge_ask(merge, failed);
    subject_merge_ask(merge, second);
    subject_merge_silent(merge, late, "DEADLINE_PASSED", "silent");
    subject_merge_silent(merge, late, "PEER_UNREACHABLE", "silent");
    subject_merge_fail(merge, failed, "ACCESS_DENIED", "no");
    subject_merge_silent(merge, second, "DEADLINE_PASSED", "silent");
    subject_merge_ask(merge, second);
    subject_merge_end(merge, second); /* the second time it answered */
    json_t *root = subject_merge_json(merge, NOW_MS);
    static const char *const lists[] = {"late", "failed", "not_asked", "answered"};
    static const char *const names[] = {"Uno", "Dos", "Tres", "Cuatro"};
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(json_array_size(json_object_get(root, lists[i])), 1);
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(first_of(root, lists[i]), "name")),
                               names[i]);
    }
    json_t *told = first_of(root, "late");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(told, "fault")), "PEER_UNREACHABLE");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(told, "times_asked")), 2);
    CU_ASSERT(json_is_false(json_object_get(root, "complete")));
    json_decref(root);
}

static void test_pages_that_lead_nowhere_end(void)
{
    OWNED(subject_merge) merge = subject_merge_new();
    OWNED(bytes) page = many_of(CITY, 0, 0, 17);
    uint64_t next = 0;
    size_t city = subject_merge_server(merge, CITY, "Medellín");
    MUST_FAIL(BAD_FRAME, subject_merge_page(merge, city, bytes_span(page), &next));
}

static void test_a_stranger_gives_no_page(void)
{
    OWNED(subject_merge) merge = subject_merge_new();
    OWNED(bytes) page = page_of(STATE, (struct half){1, 2}, OLD_MS, "CO/GOV/2/S/X\x1b[2J");
    OWNED(bytes) other = page_of(STATE, (struct half){1, 2}, OLD_MS, "CO/GOV/2/S/X");
    uint64_t next = 0;
    size_t city = subject_merge_server(merge, CITY, "Medellín");
    size_t state = subject_merge_server(merge, STATE, "DIAN");
    subject_merge_ask(merge, city);
    subject_merge_ask(merge, state);
    MUST_FAIL(BAD_FRAME, subject_merge_page(merge, city, bytes_span(other), &next));
    MUST_FAIL(BAD_FRAME, subject_merge_page(merge, state, bytes_span(page), &next));
    MUST_FAIL(BAD_FRAME, subject_merge_page(merge, state, span_of("\xff\xff", 2), &next));
    MUST(subject_merge_page(merge, state, bytes_span(other), &next));
}

SUITE(subject_merge, TEST(test_the_two_sides_are_compared),
      TEST(test_what_came_of_it_is_told_in_a_word), TEST(test_what_is_young_accuses_nobody),
      TEST(test_views_are_counted_and_not_listed), TEST(test_one_side_alone_tells_no_other_story),
      TEST(test_one_server_crowds_out_no_other), TEST(test_views_take_no_room),
      TEST(test_views_are_no_way_to_go_on_for_ever),
      TEST(test_late_failed_and_not_asked_are_told_apart), TEST(test_pages_that_lead_nowhere_end),
      TEST(test_a_stranger_gives_no_page))
