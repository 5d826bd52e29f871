// SPDX-License-Identifier: MIT
/* authority.pem with all certificates that signed acts: which one signed, and what leads further.
 */
#include "lib/bus/authority_file.h"

#include "tests/unit/bus/acts_signer.h"

#define ME "CO/AUTHORITY/REGISTRY"

static struct bytes *pem_of(const struct certificate *const *certificate, size_t count)
{
    struct bytes *all = bytes_empty(1024);
    for (size_t i = 0; i < count; i++) {
        OWNED(bytes) one = NULL;
        MUST(certificate_pem(certificate[i], &one));
        MUST(bytes_append(all, bytes_span(one)));
    }
    return all;
}

static void test_the_file_is_what_the_acts_lead_to(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    OWNED(bytes) made = NULL;
    OWNED(bytes) further = NULL;
    struct signer next = signer_make(book, ME);
    book_member(book, DANE, true);
    add_change(book, book->authority, book->act_key, next.certificate);
    sign_last(book, &next);
    MUST(fold(book, &state));
    const struct certificate *both[] = {book->authority, next.certificate};
    OWNED(bytes) wanted = pem_of(both, 2);
    OWNED(bytes) first = pem_of(both, 1);
    MUST(authority_file_make(state, book->authority, &made));
    CU_ASSERT(span_equal(bytes_span(made), bytes_span(wanted)));
    MUST(authority_file_further(bytes_span(first), book->leaves, book->count, &further));
    CU_ASSERT(span_equal(bytes_span(further), bytes_span(wanted)));
    bytes_free(&further);
    MUST(authority_file_further(bytes_span(wanted), book->leaves, book->count, &further));
    CU_ASSERT(span_equal(bytes_span(further), bytes_span(wanted))); /* not twice */
    CU_ASSERT(authority_file_same_first(bytes_span(made), bytes_span(first)));
    signer_end(&next);
}

static void test_the_one_that_the_leaf_names_must_have_signed_it(void)
{
    OWNED(book) book = book_new();
    OWNED(directory) state = NULL;
    OWNED(certificate) which = NULL;
    struct cades_parts parts;
    struct signer next = signer_make(book, ME), none = signer_make(book, ME);
    book_member(book, DANE, true);
    add_change(book, book->authority, book->act_key, next.certificate);
    sign_last(book, &next);
    MUST(fold(book, &state));
    const struct certificate *both[] = {book->authority, next.certificate};
    const struct certificate *others[] = {none.certificate, book->authority};
    OWNED(bytes) file = pem_of(both, 2);
    OWNED(bytes) other = pem_of(others, 2);
    MUST(authority_file_verify(bytes_span(file), book->leaves[0], &parts, &which));
    CU_ASSERT(span_equal(certificate_der(which), certificate_der(book->authority)));
    certificate_free(&which);
    MUST(authority_file_verify(bytes_span(file), book->leaves[book->count - 1], &parts, &which));
    CU_ASSERT(span_equal(certificate_der(which), certificate_der(next.certificate)));
    certificate_free(&which);
    MUST_FAIL(NOT_YOURS, authority_file_verify(bytes_span(other), book->leaves[book->count - 1],
                                               &parts, &which));
    CU_ASSERT_FALSE(authority_file_same_first(bytes_span(file), bytes_span(other)));
    signer_end(&next);
    signer_end(&none);
}

static void test_each_must_be_the_authoritys(void)
{
    OWNED(book) book = book_new();
    OWNED(book) stranger = book_new();
    struct signer next = signer_make(book, ME), member = signer_make(book, DANE);
    struct signer foreign = signer_make(stranger, ME);
    const struct certificate *good[] = {book->authority, next.certificate};
    const struct certificate *of_member[] = {book->authority, member.certificate};
    const struct certificate *of_another[] = {book->authority, foreign.certificate};
    OWNED(bytes) first = pem_of(good, 2);
    OWNED(bytes) second = pem_of(of_member, 2);
    OWNED(bytes) third = pem_of(of_another, 2);
    MUST(authority_file_check(bytes_span(first), book->trust));
    MUST_FAIL(CERTIFICATE_BAD, authority_file_check(bytes_span(second), book->trust));
    MUST_FAIL(CERTIFICATE_BAD, authority_file_check(bytes_span(third), book->trust));
    MUST_FAIL(CERTIFICATE_BAD, authority_file_check(span_of_text("nothing"), book->trust));
    signer_end(&next);
    signer_end(&member);
    signer_end(&foreign);
}

SUITE(authority_file, TEST(test_the_file_is_what_the_acts_lead_to),
      TEST(test_the_one_that_the_leaf_names_must_have_signed_it),
      TEST(test_each_must_be_the_authoritys))
