// SPDX-License-Identifier: MIT
#include "security-server/exchange/own_certificate.h"

#include "lib/crypto/keypair.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define START_MS INT64_C(1790000000000)
#define DAY_MS INT64_C(86400000)

static const struct certificate_subject subject = {
    .country = "CO", .organisation = "DANE", .member = "CO/GOV/899999027", .server = "SS1"};

/* Valid for a year from START_MS. */
static struct certificate *certificate(void)
{
    OWNED(keypair) ca_key = NULL;
    OWNED(keypair) key = NULL;
    OWNED(certificate) ca = NULL;
    OWNED(bytes) request = NULL;
    struct certificate *made = NULL;
    MUST(keypair_make(KEY_P256, &ca_key));
    MUST(keypair_make(KEY_P256, &key));
    MUST(certificate_make_ca(ca_key, &subject, START_MS, START_MS + 3650 * DAY_MS, &ca));
    MUST(keypair_request(key, &subject, &request));
    MUST(certificate_issue(ca_key, ca, bytes_span(request), &subject, START_MS,
                           START_MS + 365 * DAY_MS, &made));
    return made;
}

static void check(const struct certificate *own, const struct directory_signer *signer, int days,
                  const char *event, enum event_level level)
{
    struct own_certificate_word word;
    bool any = own_certificate_judge(own, signer, START_MS + days * DAY_MS, &word);
    CU_ASSERT_EQUAL(any, event != NULL);
    if (!any || event == NULL)
        return;
    CU_ASSERT_STRING_EQUAL(word.event, event);
    CU_ASSERT_EQUAL(word.level, level);
    CU_ASSERT(strlen(word.what_to_do) > 20);
}

static void test_the_end_is_told_a_month_ahead(void)
{
    OWNED(certificate) own = certificate();
    const struct directory_signer sound = {.trusted = true};
    check(own, &sound, 1, NULL, WARN);
    check(own, &sound, 334, NULL, WARN);
    check(own, &sound, 336, "certificate.ends_soon", WARN);
    check(own, &sound, 364, "certificate.ends_soon", WARN);
    check(own, &sound, 365, "certificate.ended", ERROR);
    check(own, NULL, 400, "certificate.ended", ERROR);
}

static void test_a_certificate_that_counts_no_more_is_told(void)
{
    OWNED(certificate) own = certificate();
    const struct directory_signer revoked = {.trusted = true, .revoked_since_ms = START_MS};
    const struct directory_signer stranger = {.trusted = false};
    check(own, &revoked, 1, "certificate.revoked", ERROR);
    check(own, &revoked, 350, "certificate.revoked", ERROR);
    check(own, &stranger, 1, "certificate.not_trusted", ERROR);
    check(own, NULL, 1, "certificate.not_registered", ERROR);
}

static void test_a_caller_of_a_revoked_server_is_told_what_to_do(void)
{
    CU_ASSERT(strlen(own_certificate_remedy(OWN_REVOKED)) > 20);
    CU_ASSERT_STRING_EQUAL(own_certificate_remedy(REVOKED), ""); /* that is the peer's */
}

SUITE(own_certificate, TEST(test_the_end_is_told_a_month_ahead),
      TEST(test_a_certificate_that_counts_no_more_is_told),
      TEST(test_a_caller_of_a_revoked_server_is_told_what_to_do))
