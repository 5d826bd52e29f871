// SPDX-License-Identifier: MIT
#include "security-server/exchange/client_list.h"

#include "tests/unit/bus/book.h"

#define MANY (CLIENTS_PAGE_MAX + 40)

static struct directory *country(unsigned members)
{
    OWNED(book) book = book_new();
    OWNED(directory) directory = NULL;
    char id[64];
    book_country(book);
    for (unsigned i = 0; i < members; i++) {
        snprintf(id, sizeof id, "CO/GOV/1%04u", i);
        book_member(book, id, true);
    }
    MUST(book_fold(book, &directory));
    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    directory->epoch = book->count;
    return TAKE(directory);
}

static void test_a_member_comes_before_its_subsystems(void)
{
    static const char *const wanted[] = {FIRM,     FIRM "/APP",         DANE, DANE "/DIVIPOLA",
                                         MEDELLIN, MEDELLIN "/TRAMITES"};
    OWNED(directory) directory = country(0);
    OWNED(client_list) list = client_list_new();
    struct client_page page;
    client_list_page(list, directory, 0, 0, &page);
    CU_ASSERT_EQUAL_FATAL(page.count, 6);
    CU_ASSERT_EQUAL(page.total, 6);
    CU_ASSERT_EQUAL(page.epoch, directory_epoch(directory));
    for (size_t i = 0; i < 6; i++) {
        CU_ASSERT_STRING_EQUAL(page.client[i].id, wanted[i]);
        CU_ASSERT_STRING_EQUAL(page.client[i].subsystem_name, i % 2 == 0 ? "" : "Sistema");
        CU_ASSERT_NOT_EQUAL(page.client[i].name[0], '\0');
    }
}

static void test_pages_hold_everybody_once(void)
{
    OWNED(directory) directory = country(MANY);
    OWNED(client_list) list = client_list_new();
    struct client_page page;
    char last[64] = "";
    uint32_t from = 0;
    client_list_page(list, directory, 0, 0, &page);
    CU_ASSERT_EQUAL(page.count, CLIENTS_PAGE_MAX);
    do {
        client_list_page(list, directory, page.epoch, from, &page);
        CU_ASSERT_EQUAL(page.from, from);
        CU_ASSERT_FATAL(page.count > 0);
        CU_ASSERT(strcmp(last, page.client[0].id) < 0);
        strcpy(last, page.client[page.count - 1].id);
        from += (uint32_t)page.count;
    } while (from < page.total);
    CU_ASSERT_EQUAL(from, MANY + 6);
}

static void test_another_epoch_begins_anew(void)
{
    OWNED(directory) directory = country(MANY);
    OWNED(directory) newer = country(1);
    OWNED(client_list) list = client_list_new();
    struct client_page page;
    client_list_page(list, directory, 0, 0, &page);
    uint64_t epoch = page.epoch;
    client_list_page(list, newer, epoch, CLIENTS_PAGE_MAX, &page);
    CU_ASSERT_EQUAL(page.from, 0);
    CU_ASSERT_EQUAL(page.epoch, directory_epoch(newer));
    CU_ASSERT_EQUAL(page.total, 7);
    CU_ASSERT_EQUAL(page.count, 7);
}

static void test_a_state_that_goes_on_in_place_is_listed_anew(void)
{
    OWNED(directory) directory = country(0);
    OWNED(client_list) list = client_list_new();
    struct client_page page;
    client_list_page(list, directory, 0, 0, &page);
    uint64_t epoch = page.epoch;
    map_remove(&directory->subsystems, span_of_text(FIRM "/APP"));
    directory->epoch++;
    client_list_page(list, directory, epoch, 1, &page);
    CU_ASSERT_EQUAL(page.epoch, epoch + 1);
    CU_ASSERT_EQUAL(page.from, 0);
    CU_ASSERT_EQUAL(page.total, 5);
}

static void test_behind_the_end_there_is_nothing(void)
{
    OWNED(directory) directory = country(0);
    OWNED(client_list) list = client_list_new();
    struct client_page page;
    client_list_page(list, directory, directory_epoch(directory), UINT32_MAX, &page);
    CU_ASSERT_EQUAL(page.count, 0);
    CU_ASSERT_EQUAL(page.total, 6);
}

SUITE(client_list, TEST(test_a_member_comes_before_its_subsystems),
      TEST(test_pages_hold_everybody_once), TEST(test_another_epoch_begins_anew),
      TEST(test_a_state_that_goes_on_in_place_is_listed_anew),
      TEST(test_behind_the_end_there_is_nothing))
