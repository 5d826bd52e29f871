// SPDX-License-Identifier: MIT
/* The certificate that signs acts, changed by an act: what the fold takes, and who may sign after
 * it. */
#include "lib/bus/directory_snapshot.h"

#include "tests/unit/bus/acts_signer.h"

#define AUTHORITY "CO/AUTHORITY/REGISTRY"

static void test_another_certificate_signs_from_its_act_on(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    OWNED(directory) further = NULL;
    struct signer next = signer_make(book, AUTHORITY);
    book_member(book, DANE, true);
    add_change(book, book->authority, book->act_key, next.certificate);
    sign_last(book, &next);
    book_member(book, MEDELLIN, true);
    sign_last(book, &next);
    MUST(fold(book, &state));
    CU_ASSERT(span_equal(certificate_der(directory_acts_signer(state, book->authority)),
                         certificate_der(next.certificate)));
    MUST(directory_fold(book->leaves, 2, book->trust, book->authority, &further));
    MUST(directory_fold_further(further, book->leaves + 2, 2, book->trust)); /* while it runs */
    book_member(book, FIRM, false); /* signed with the one that gave way */
    book_sign_all(book);
    MUST_FAIL(DIRECTORY_BAD, directory_fold_further(further, book->leaves + 4, 1, book->trust));
    directory_release(&state);
    MUST_FAIL(DIRECTORY_BAD, fold(book, &state));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "not signed by the authority"));
    signer_end(&next);
}

static void test_the_act_itself_is_signed_by_the_new_one(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    struct signer next = signer_make(book, AUTHORITY);
    add_change(book, book->authority, book->act_key, next.certificate);
    MUST_FAIL(DIRECTORY_BAD, fold(book, &state)); /* the book signs with the old one */
    signer_end(&next);
}

static void test_one_that_is_lost_gives_way_without_its_signature(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    struct signer next = signer_make(book, AUTHORITY), third = signer_make(book, AUTHORITY);
    add_change(book, book->authority, next.key, next.certificate); /* a false one is none */
    sign_last(book, &next);
    MUST_FAIL(DIRECTORY_BAD, fold(book, &state));
    drop_last(book);
    add_change(book, book->authority, NULL, next.certificate);
    sign_last(book, &next);
    add_change(book, next.certificate, next.key, third.certificate);
    sign_last(book, &third);
    MUST(fold(book, &state));
    signer_end(&next);
    signer_end(&third);
}

static void test_who_may_not_take_over(void)
{
    OWNED(book) book = book_new();
    OWNED(book) stranger = book_new();
    OWNED(directory) state = NULL;
    struct signer member = signer_make(book, DANE), foreign = signer_make(stranger, AUTHORITY);
    struct signer next = signer_make(book, AUTHORITY), third = signer_make(book, AUTHORITY);
    struct signer *const bad[] = {&member, &foreign};
    for (size_t i = 0; i < 2; i++) {
        add_change(book, book->authority, book->act_key, bad[i]->certificate);
        sign_last(book, bad[i]);
        MUST_FAIL(DIRECTORY_BAD, fold(book, &state));
        drop_last(book);
    }
    add_change(book, third.certificate, third.key, next.certificate); /* not the first one's act */
    sign_last(book, &next);
    MUST_FAIL(DIRECTORY_BAD, fold(book, &state));
    drop_last(book);
    add_change(book, book->authority, book->act_key, next.certificate);
    sign_last(book, &next);
    add_change(book, book->authority, book->act_key, third.certificate); /* gave way already */
    sign_last(book, &third);
    MUST_FAIL(DIRECTORY_BAD, fold(book, &state));
    drop_last(book);
    add_change(book, next.certificate, next.key, book->authority); /* does not come back */
    book->leaf[book->count - 1] = NULL;
    MUST_FAIL(DIRECTORY_BAD, fold(book, &state));
    signer_end(&member);
    signer_end(&foreign);
    signer_end(&next);
    signer_end(&third);
}

static void test_a_snapshot_knows_who_signs(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    OWNED(directory) again = NULL;
    OWNED(bytes) snapshot = NULL;
    struct signer next = signer_make(book, AUTHORITY), third = signer_make(book, AUTHORITY);
    struct signer member = signer_make(book, DANE);
    add_change(book, book->authority, book->act_key, next.certificate);
    sign_last(book, &next);
    MUST(fold(book, &state));
    MUST(directory_snapshot(state, book->count, &snapshot));
    MUST(directory_restore(bytes_span(snapshot), book->trust, &again));
    MUST(directory_check_first_signer(again, book->authority));
    MUST_FAIL(DIRECTORY_BAD, directory_check_first_signer(again, next.certificate));
    CU_ASSERT(span_equal(certificate_der(directory_acts_signer(again, book->authority)),
                         certificate_der(next.certificate)));
    MUST(directory_check_later_signer(again, third.certificate)); /* by a change to come */
    MUST_FAIL(DIRECTORY_BAD, directory_check_later_signer(again, book->authority)); /* gave way */
    MUST_FAIL(DIRECTORY_BAD, directory_check_later_signer(again, member.certificate));
    signer_end(&next);
    signer_end(&third);
    signer_end(&member);
}

/* Who has stolen the key that gave way, and the log key besides: what he adds is no act. */
static void test_a_thief_of_the_old_key_is_refused_by_who_advances_and_who_loads(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    OWNED(directory) loaded = NULL;
    const char *folder = unit_folder();
    struct signer next = signer_make(book, AUTHORITY);
    book_member(book, DANE, true);
    add_change(book, book->authority, NULL, next.certificate);
    sign_last(book, &next);
    BOOK_ACT(book, PUBLISHED, published, CHASKI__PUBLISHED__INIT,
             it->valid_until_ms = (uint64_t)(book->time_ms + BOOK_DAY_MS));
    sign_last(book, &next);
    struct checkpoint head = book_publish(book, folder, 0);
    MUST(book_load(book, folder, NULL, NULL, &state));
    size_t before = book->count;
    BOOK_ACT(book, PUBLISHED, published, CHASKI__PUBLISHED__INIT,
             it->valid_until_ms = (uint64_t)(book->time_ms + BOOK_DAY_MS)); /* by the old key */
    head = book_publish(book, folder, before);
    MUST_FAIL(DIRECTORY_BAD, directory_advance(state, &head, book->leaves + before, 1, book->trust,
                                               book->time_ms));
    CU_ASSERT(directory_is_spoiled(state));
    MUST_FAIL(DIRECTORY_BAD, book_load(book, folder, NULL, NULL, &loaded));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "it names another certificate"));
    signer_end(&next);
}

/* A snapshot behind the change and what the acts lead to are the same bytes (directory_prove). */
static void test_acts_lead_to_the_snapshot_that_was_restored(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    OWNED(directory) again = NULL;
    OWNED(bytes) one = NULL;
    OWNED(bytes) two = NULL;
    struct signer next = signer_make(book, AUTHORITY), third = signer_make(book, AUTHORITY);
    add_change(book, book->authority, NULL, next.certificate);
    sign_last(book, &next);
    add_change(book, next.certificate, next.key, third.certificate);
    sign_last(book, &third);
    MUST(fold(book, &state));
    MUST(directory_snapshot(state, book->count, &one));
    MUST(directory_restore(bytes_span(one), book->trust, &again));
    MUST(directory_snapshot(again, book->count, &two));
    CU_ASSERT(span_equal(bytes_span(one), bytes_span(two)));
    signer_end(&next);
    signer_end(&third);
}

SUITE(act_signer, TEST(test_another_certificate_signs_from_its_act_on),
      TEST(test_the_act_itself_is_signed_by_the_new_one),
      TEST(test_one_that_is_lost_gives_way_without_its_signature), TEST(test_who_may_not_take_over),
      TEST(test_a_snapshot_knows_who_signs),
      TEST(test_a_thief_of_the_old_key_is_refused_by_who_advances_and_who_loads),
      TEST(test_acts_lead_to_the_snapshot_that_was_restored))
