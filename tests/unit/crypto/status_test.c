// SPDX-License-Identifier: MIT
/* Every answer here is made by stock openssl, as a responder and as an authority. */
#include "lib/crypto/status.h"
#include "tests/unit/crypto/fixture.h"
#include "tests/unit/outside.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

struct office {
    const char *folder;
    struct issuer *issuer;
    struct certificate *member;
};

static void office_free(struct office **self)
{
    if (*self == NULL)
        return;
    issuer_free(&(*self)->issuer);
    certificate_free(&(*self)->member);
    free(*self);
    *self = NULL;
}

static struct office *office(void)
{
    struct office *self = owned_new(sizeof *self);
    self->folder = outside_make();
    self->issuer = outside_issuer(self->folder, "ca.pem", "root.pem");
    self->member = outside_certificate(self->folder, "member.pem");
    return self;
}

static fault read_at(struct office *self, enum status_form form, const struct bytes *answer,
                     int64_t at_ms, struct status *out)
{
    return status_read(form, bytes_span(answer), self->issuer, self->member, at_ms, out);
}

static fault read_now(struct office *self, enum status_form form, const struct bytes *answer,
                      struct status *out)
{
    return read_at(self, form, answer, clock_wall_ms() + 1000, out);
}

static struct bytes *ocsp(struct office *self, const char *signer)
{
    return outside_ask(self->folder, self->issuer, self->member, signer);
}

static bool is_about(int64_t time_ms, int64_t expected_ms)
{
    return time_ms > expected_ms - 60000 && time_ms < expected_ms + 60000;
}

static void check_good(const struct status *status, int64_t lasts_ms)
{
    CU_ASSERT_EQUAL(status->verdict, STATUS_GOOD);
    CU_ASSERT(is_about(status->this_update_ms, clock_wall_ms()));
    CU_ASSERT(is_about(status->until_ms, clock_wall_ms() + lasts_ms));
}

static void test_a_good_certificate_is_good_by_both(void)
{
    OWNED(office) self = office();
    OWNED(bytes) delegated = ocsp(self, "ocsp");
    OWNED(bytes) own = ocsp(self, "ca");
    OWNED(bytes) crl = outside_crl(self->folder);
    struct status status;
    MUST(read_now(self, STATUS_OCSP, delegated, &status));
    check_good(&status, DAY_MS);
    MUST(read_now(self, STATUS_OCSP, own, &status));
    check_good(&status, DAY_MS);
    MUST(read_now(self, STATUS_CRL, crl, &status));
    check_good(&status, 2 * DAY_MS);
}

static void check_revoked(struct office *self, enum status_form form, const char *reason)
{
    OWNED(bytes) answer = form == STATUS_CRL ? outside_crl(self->folder) : ocsp(self, "ocsp");
    struct status status;
    MUST(read_now(self, form, answer, &status));
    CU_ASSERT_EQUAL(status.verdict, STATUS_REVOKED);
    CU_ASSERT_STRING_EQUAL(status.reason, reason);
    CU_ASSERT(is_about(status.revoked_ms, clock_wall_ms()));
}

static void test_a_revoked_certificate_is_revoked_by_both(void)
{
    static const char *const reasons[] = {"keyCompromise", "certificateHold", "superseded"};
    for (size_t i = 0; i < 3; i++) {
        OWNED(office) self = office();
        OUTSIDE(self->folder, "revoke", "member.pem", reasons[i]);
        check_revoked(self, STATUS_OCSP, reasons[i]);
        check_revoked(self, STATUS_CRL, reasons[i]);
    }
    OWNED(office) self = office();
    OUTSIDE(self->folder, "revoke", "member.pem");
    check_revoked(self, STATUS_OCSP, "unspecified");
    check_revoked(self, STATUS_CRL, "unspecified");
}

static void test_what_the_responder_does_not_know_is_unknown(void)
{
    OWNED(office) self = office();
    outside_write(self->folder, "index.txt", span_of_text(""));
    OWNED(bytes) answer = ocsp(self, "ocsp");
    struct status status;
    MUST(read_now(self, STATUS_OCSP, answer, &status));
    CU_ASSERT_EQUAL(status.verdict, STATUS_UNKNOWN);
}

static void test_an_answer_of_somebody_else_is_refused(void)
{
    OWNED(office) self = office();
    OWNED(bytes) member = ocsp(self, "member"); /* of the same authority, and no responder */
    OWNED(bytes) stranger = ocsp(self, "stranger");
    struct status status = {.reason = "untouched"};
    MUST_FAIL(CERTIFICATE_BAD, read_now(self, STATUS_OCSP, member, &status));
    MUST_FAIL(CERTIFICATE_BAD, read_now(self, STATUS_OCSP, stranger, &status));
    OWNED(office) other = office(); /* of the same names */
    OWNED(bytes) theirs = ocsp(other, "ocsp");
    OWNED(bytes) list = outside_crl(other->folder);
    MUST_FAIL(CERTIFICATE_BAD, read_now(self, STATUS_OCSP, theirs, &status));
    CU_ASSERT(failed(read_now(self, STATUS_CRL, list, &status)));
    CU_ASSERT_STRING_EQUAL(status.reason, "untouched");
}

static void test_a_responder_whose_certificate_has_ended_is_refused(void)
{
    OWNED(office) self = office();
    OWNED(bytes) answer = ocsp(self, "ocsp");
    OWNED(certificate) responder = outside_certificate(self->folder, "ocsp.pem");
    struct status status;
    MUST_FAIL(CERTIFICATE_BAD, read_at(self, STATUS_OCSP, answer,
                                       certificate_not_after_ms(responder) + 1000, &status));
}

static void test_an_answer_about_another_certificate_is_refused(void)
{
    OWNED(office) self = office();
    OUTSIDE(self->folder, "key", "other", "/CN=otra");
    OUTSIDE(self->folder, "issue", "other.csr", "other.pem");
    OWNED(certificate) other = outside_certificate(self->folder, "other.pem");
    OWNED(bytes) answer = outside_ask(self->folder, self->issuer, other, "ocsp");
    OWNED(country) country = fixture_country();
    struct status status;
    MUST_FAIL(NOT_FOUND, read_now(self, STATUS_OCSP, answer, &status));
    MUST_FAIL(CERTIFICATE_BAD, status_read(STATUS_OCSP, bytes_span(answer), self->issuer,
                                           country->member, clock_wall_ms(), &status));
}

static void test_an_answer_counts_in_its_own_time_only(void)
{
    OWNED(office) self = office();
    OWNED(bytes) answer = ocsp(self, "ocsp");
    OWNED(bytes) crl = outside_crl(self->folder);
    int64_t now_ms = clock_wall_ms() + 1000;
    struct status status;
    MUST(read_at(self, STATUS_OCSP, answer, now_ms + 23 * HOUR_MS, &status));
    MUST_FAIL(STALE, read_at(self, STATUS_OCSP, answer, now_ms + 25 * HOUR_MS, &status));
    MUST(read_at(self, STATUS_CRL, crl, now_ms + 47 * HOUR_MS, &status));
    MUST_FAIL(STALE, read_at(self, STATUS_CRL, crl, now_ms + 49 * HOUR_MS, &status));
}

/* The clock of who asks is behind; its certificates begin only now, so they are asked for a member
 * that is older. */
static void test_a_clock_a_little_behind_does_no_harm(void)
{
    OWNED(office) self = office();
    sleep(2);
    OWNED(bytes) answer = ocsp(self, "ca");
    OWNED(bytes) crl = outside_crl(self->folder);
    struct status status;
    int64_t then_ms = certificate_not_before_ms(self->member);
    MUST(read_at(self, STATUS_OCSP, answer, then_ms, &status));
    MUST(read_at(self, STATUS_CRL, crl, then_ms, &status));
    CU_ASSERT(status.this_update_ms > then_ms);
}

static void test_an_answer_without_an_end_lasts_a_day(void)
{
    OWNED(office) self = office();
    OWNED(bytes) request = NULL;
    struct status status;
    MUST(status_request(self->issuer, self->member, &request));
    outside_write(self->folder, "request.der", bytes_span(request));
    OUTSIDE(self->folder, "answer", "request.der", "answer.der", "ocsp", "-resp_key_id");
    OWNED(bytes) answer = outside_file(self->folder, "answer.der");
    MUST(read_now(self, STATUS_OCSP, answer, &status));
    check_good(&status, DAY_MS);
    MUST_FAIL(STALE, read_at(self, STATUS_OCSP, answer, clock_wall_ms() + 25 * HOUR_MS, &status));
}

static void test_a_weak_digest_is_refused(void)
{
    OWNED(office) self = office();
    OWNED(bytes) request = NULL;
    struct status status;
    MUST(status_request(self->issuer, self->member, &request));
    outside_write(self->folder, "request.der", bytes_span(request));
    OUTSIDE(self->folder, "answer", "request.der", "answer.der", "ocsp", "-ndays", "1", "-rmd",
            "sha1");
    OWNED(bytes) answer = outside_file(self->folder, "answer.der");
    MUST_FAIL(SIGNATURE_BAD, read_now(self, STATUS_OCSP, answer, &status));
    OUTSIDE(self->folder, "crl", "list.crl", "-crldays", "2", "-md", "sha1");
    OWNED(bytes) crl = outside_file(self->folder, "list.crl");
    MUST_FAIL(SIGNATURE_BAD, read_now(self, STATUS_CRL, crl, &status));
}

/* The certificate in the answer is covered by its own signature, and by nothing else of the answer:
 * what is changed in it either breaks the chain or nothing. */
static void test_no_changed_byte_turns_revoked_into_good(void)
{
    OWNED(office) self = office();
    OUTSIDE(self->folder, "revoke", "member.pem", "keyCompromise");
    OWNED(bytes) answer = ocsp(self, "ocsp");
    OWNED(bytes) crl = outside_crl(self->folder);
    struct bytes *both[] = {answer, crl};
    struct status status;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < both[k]->size; i++) {
            both[k]->data[i] ^= 0x21;
            fault f = read_now(self, k == 0 ? STATUS_OCSP : STATUS_CRL, both[k], &status);
            CU_ASSERT(failed(f) || status.verdict == STATUS_REVOKED);
            both[k]->data[i] ^= 0x21;
        }
}

static void test_bytes_behind_or_missing_are_refused(void)
{
    OWNED(office) self = office();
    struct bytes *both[] = {ocsp(self, "ocsp"), outside_crl(self->folder)};
    struct status status;
    for (size_t k = 0; k < 2; k++) {
        enum status_form form = k == 0 ? STATUS_OCSP : STATUS_CRL;
        for (size_t size = 0; size < both[k]->size; size++)
            CU_ASSERT(failed(status_read(form, span_of(both[k]->data, size), self->issuer,
                                         self->member, clock_wall_ms(), &status)));
        MUST(bytes_append_text(both[k], "x"));
        MUST_FAIL(BAD_FRAME, read_now(self, form, both[k], &status));
        MUST_FAIL(BAD_FRAME,
                  read_now(self, form == STATUS_CRL ? STATUS_OCSP : STATUS_CRL, both[k], &status));
        bytes_free(&both[k]);
    }
}

static void test_what_is_too_large_is_not_looked_at(void)
{
    OWNED(office) self = office();
    OWNED(bytes) large = NULL;
    struct status status;
    MUST(bytes_new(STATUS_CRL_BYTES_MAX + 1, &large));
    MUST_FAIL(BAD_FRAME, read_now(self, STATUS_CRL, large, &status));
    large->size = STATUS_OCSP_BYTES_MAX + 1;
    MUST_FAIL(BAD_FRAME, read_now(self, STATUS_OCSP, large, &status));
}

static void test_a_responder_that_refuses_is_told_of(void)
{
    OWNED(office) self = office();
    static const uint8_t later[] = {0x30, 0x03, 0x0a, 0x01, 0x03};
    OWNED(bytes) answer = NULL;
    struct status status;
    MUST(bytes_copy(span_of(later, sizeof later), &answer));
    MUST_FAIL(REFUSED, read_now(self, STATUS_OCSP, answer, &status));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "trylater"));
}

/* One that holds a part of what was revoked says nothing of the rest. */
static void test_a_crl_that_is_not_whole_is_refused(void)
{
    OWNED(office) self = office();
    OWNED(bytes) settings = outside_file(self->folder, "openssl.cnf");
    struct status status;
    MUST(bytes_append_text(settings, "\n[part]\nissuingDistributionPoint = critical, @some\n"
                                     "[some]\nonlysomereasons = keyCompromise\n"
                                     "[delta]\n2.5.29.27 = critical, DER:020101\n"));
    outside_write(self->folder, "openssl.cnf", bytes_span(settings));
    OUTSIDE(self->folder, "crl", "list.crl", "-crldays", "2", "-crlexts", "part");
    OWNED(bytes) part = outside_file(self->folder, "list.crl");
    MUST_FAIL(CERTIFICATE_BAD, read_now(self, STATUS_CRL, part, &status));
    OUTSIDE(self->folder, "crl", "list.crl", "-crldays", "2", "-crlexts", "delta");
    OWNED(bytes) delta = outside_file(self->folder, "list.crl");
    MUST_FAIL(CERTIFICATE_BAD, read_now(self, STATUS_CRL, delta, &status));
}

static void test_stock_openssl_says_the_same(void)
{
    OWNED(office) self = office();
    OUTSIDE(self->folder, "revoke", "member.pem", "keyCompromise");
    OWNED(bytes) answer = ocsp(self, "ocsp");
    OWNED(bytes) crl = outside_crl(self->folder);
    struct fixture_path ca = fixture_path(self->folder, "ca.pem");
    struct fixture_path member = fixture_path(self->folder, "member.pem");
    struct fixture_path der = fixture_path(self->folder, "answer.der");
    struct fixture_path list = fixture_path(self->folder, "crl.pem");
    CU_ASSERT_EQUAL(FIXTURE_OPENSSL("ocsp", "-respin", der.at, "-CAfile", ca.at, "-partial_chain",
                                    "-issuer", ca.at, "-cert", member.at),
                    0);
    CU_ASSERT_EQUAL(FIXTURE_OPENSSL("crl", "-in", list.at, "-CAfile", ca.at, "-verify"), 0);
    CU_ASSERT_NOT_EQUAL(FIXTURE_OPENSSL("verify", "-partial_chain", "-crl_check", "-CAfile", ca.at,
                                        "-CRLfile", list.at, member.at),
                        0);
}

SUITE(status, TEST(test_a_good_certificate_is_good_by_both),
      TEST(test_a_revoked_certificate_is_revoked_by_both),
      TEST(test_what_the_responder_does_not_know_is_unknown),
      TEST(test_an_answer_of_somebody_else_is_refused),
      TEST(test_a_responder_whose_certificate_has_ended_is_refused),
      TEST(test_an_answer_about_another_certificate_is_refused),
      TEST(test_an_answer_counts_in_its_own_time_only),
      TEST(test_a_clock_a_little_behind_does_no_harm),
      TEST(test_an_answer_without_an_end_lasts_a_day), TEST(test_a_weak_digest_is_refused),
      TEST(test_no_changed_byte_turns_revoked_into_good),
      TEST(test_bytes_behind_or_missing_are_refused), TEST(test_what_is_too_large_is_not_looked_at),
      TEST(test_a_responder_that_refuses_is_told_of), TEST(test_a_crl_that_is_not_whole_is_refused),
      TEST(test_stock_openssl_says_the_same))
