// SPDX-License-Identifier: MIT
/* Certificates of an outside authority, which stock openssl made, in the directory. */
#include "lib/bus/act_approval.h"
#include "lib/bus/directory_snapshot.h"
#include "tests/unit/bus/book.h"
#include "tests/unit/outside.h"

#define SERVER DANE "/SS1"

/* A country whose member DANE is registered, and an outside authority. */
struct office {
    struct book *book;
    const char *folder;
    struct bytes *ca, *root;
    struct certificate *member;
    struct issuer *issuer;
};

static void office_free(struct office **owner)
{
    struct office *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    book_free(&self->book);
    bytes_free(&self->ca);
    bytes_free(&self->root);
    certificate_free(&self->member);
    issuer_free(&self->issuer);
    free(self);
}

static struct office *office(void)
{
    struct office *self = owned_new(sizeof *self);
    self->folder = outside_make();
    self->book = book_new();
    self->book->time_ms = clock_wall_ms() + 1000;
    self->ca = outside_der(self->folder, "ca.pem");
    self->root = outside_der(self->folder, "root.pem");
    self->member = outside_certificate(self->folder, "member.pem");
    self->issuer = outside_issuer(self->folder, "ca.pem", "root.pem");
    book_member(self->book, DANE, true);
    return self;
}

static ProtobufCBinaryData data_of(const struct bytes *bytes)
{
    return (ProtobufCBinaryData){bytes->size, bytes->data};
}

static void set_authority(struct office *self, const char *name, const char *ocsp_url,
                          const struct bytes *certificate, const struct bytes *above)
{
    ProtobufCBinaryData chain[1];
    if (above != NULL)
        chain[0] = data_of(above);
    BOOK_ACT(self->book, CERTIFICATE_AUTHORITY_SET, certificate_authority_set,
             CHASKI__CERTIFICATE_AUTHORITY_SET__INIT, it->name = book_text(name),
             it->certificate = data_of(certificate), it->n_chain = above != NULL, it->chain = chain,
             it->ocsp_url = book_text(ocsp_url),
             it->crl_url = book_text("http://crl.example/ca.crl"));
}

static void set_outside(struct office *self)
{
    set_authority(self, "EXTERNA", "http://ocsp.example", self->ca, self->root);
}

static void remove_authority(struct office *self, const char *name)
{
    BOOK_ACT(self->book, REMOVED, removed, CHASKI__REMOVED__INIT,
             it->what_case = CHASKI__REMOVED__WHAT_CERTIFICATE_AUTHORITY,
             it->certificate_authority = book_text(name), it->reason = book_text("cerrada"));
}

static void say_revoked(struct office *self, const struct bytes *proof, bool crl, int64_t since_ms)
{
    struct sha256 hash = certificate_hash(self->member);
    BOOK_ACT(self->book, CERTIFICATE_REVOKED, certificate_revoked,
             CHASKI__CERTIFICATE_REVOKED__INIT,
             it->certificate_sha256 = (ProtobufCBinaryData){SHA256_BYTES, hash.at},
             it->since_ms = (uint64_t)since_ms, it->reason = book_text("keyCompromise");
             it->proof_case = crl ? CHASKI__CERTIFICATE_REVOKED__PROOF_CRL
                                  : CHASKI__CERTIFICATE_REVOKED__PROOF_OCSP_RESPONSE;
             if (crl) it->crl = data_of(proof); else it->ocsp_response = data_of(proof));
}

static const struct directory_signer *signer_in(const struct office *self,
                                                const struct directory *state)
{
    const struct directory_signer *signer =
        directory_signer_ever(state, certificate_ski(self->member));
    CU_ASSERT_PTR_NOT_NULL_FATAL(signer);
    return signer;
}

static void must_be_bad(struct office *self, const char *words)
{
    OWNED(directory) state = NULL;
    MUST_FAIL(DIRECTORY_BAD, book_fold(self->book, &state));
    if (strstr(fault_detail(), words) == NULL)
        fprintf(stderr, "  %s: not '%s'\n", fault_detail(), words);
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), words));
    bytes_free(&self->book->act[--self->book->count]);
}

static void test_what_an_outside_authority_issued_is_trusted_whatever_its_subject_says(void)
{
    OWNED(office) self = office();
    OWNED(directory) state = NULL;
    const struct directory_authority *const *all = NULL;
    set_outside(self);
    book_server(self->book, SERVER, "tcp://a:1", 1, self->member);
    MUST(book_fold(self->book, &state));
    const struct directory_signer *signer = signer_in(self, state);
    CU_ASSERT(signer->trusted);
    CU_ASSERT_STRING_EQUAL(signer->server->id, SERVER);
    CU_ASSERT_PTR_NOT_NULL_FATAL(signer->authority);
    CU_ASSERT_STRING_EQUAL(signer->authority->name, "EXTERNA");
    CU_ASSERT_EQUAL_FATAL(directory_authorities(state, &all), 1);
    CU_ASSERT_PTR_EQUAL(all[0], signer->authority);
    CU_ASSERT_STRING_EQUAL(all[0]->ocsp_url, "http://ocsp.example");
}

static void test_without_the_act_its_subject_counts(void)
{
    OWNED(office) self = office();
    book_server(self->book, SERVER, "tcp://a:1", 1, self->member);
    must_be_bad(self, "was issued to");
    set_outside(self);
    remove_authority(self, "EXTERNA");
    book_server(self->book, SERVER, "tcp://a:1", 1, self->member);
    must_be_bad(self, "was issued to");
}

static void test_an_authority_of_ours_is_still_believed_for_names_only(void)
{
    OWNED(office) self = office();
    OWNED(keypair) key = NULL;
    OWNED(certificate) medellin = book_issue(self->book, MEDELLIN, "SS1", &key);
    set_outside(self);
    book_server(self->book, SERVER, "tcp://a:1", 1, medellin);
    must_be_bad(self, "was issued to");
}

static void test_a_certificate_for_other_things_is_refused(void)
{
    OWNED(office) self = office();
    OUTSIDE(self->folder, "key", "web", "/CN=www.example");
    OUTSIDE(self->folder, "issue", "web.csr", "web.pem", "server");
    OWNED(certificate) web = outside_certificate(self->folder, "web.pem");
    set_outside(self);
    book_server(self->book, SERVER, "tcp://a:1", 1, web);
    must_be_bad(self, "may not sign messages");
}

static void test_one_outside_certificate_is_of_one_server(void)
{
    OWNED(office) self = office();
    set_outside(self);
    book_server(self->book, SERVER, "tcp://a:1", 1, self->member);
    book_server(self->book, DANE "/SS2", "tcp://b:1", 2, self->member);
    must_be_bad(self, "one signing key on two servers");
}

static void test_a_removed_authority_ends_what_it_issued_from_then_on(void)
{
    OWNED(office) self = office();
    OWNED(directory) state = NULL;
    OUTSIDE(self->folder, "key", "other", "/CN=otra");
    OUTSIDE(self->folder, "issue", "other.csr", "other.pem");
    OWNED(certificate) other = outside_certificate(self->folder, "other.pem");
    const struct directory_authority *const *all = NULL;
    set_outside(self);
    book_server(self->book, SERVER, "tcp://a:1", 1, self->member);
    int64_t at_ms = self->book->time_ms;
    remove_authority(self, "EXTERNA");
    book_server(self->book, DANE "/SS2", "tcp://b:1", 2, other);
    must_be_bad(self, "was issued to");
    remove_authority(self, "EXTERNA");
    must_be_bad(self, "is not there");
    set_outside(self); /* again: what was ended stays so */
    book_server(self->book, DANE "/SS2", "tcp://b:1", 2, other);
    book_server(self->book, SERVER, "tcp://a:1", 1, self->member);
    MUST(book_fold(self->book, &state));
    CU_ASSERT_EQUAL(signer_in(self, state)->revoked_since_ms, at_ms);
    CU_ASSERT(signer_in(self, state)->trusted); /* as it was when it signed */
    CU_ASSERT_EQUAL(signer_in(self, state)->authority->removed_ms, at_ms);
    CU_ASSERT_EQUAL(directory_authorities(state, &all), 1);
    CU_ASSERT_EQUAL(directory_signer(state, certificate_ski(other))->revoked_since_ms, 0);
    CU_ASSERT(directory_signer(state, certificate_ski(other))->trusted);
}

static void test_a_snapshot_keeps_authorities_and_whom_they_vouched_for(void)
{
    OWNED(office) self = office();
    OWNED(directory) state = NULL;
    OWNED(directory) again = NULL;
    OWNED(bytes) snapshot = NULL;
    OWNED(bytes) stranger = outside_der(self->folder, "stranger.pem");
    const struct directory_authority *const *all = NULL;
    OUTSIDE(self->folder, "key", "other", "/CN=otra");
    OUTSIDE(self->folder, "issue", "other.csr", "other.pem");
    OWNED(certificate) other = outside_certificate(self->folder, "other.pem");
    set_outside(self);
    book_server(self->book, SERVER, "tcp://a:1", 1, self->member);
    int64_t at_ms = self->book->time_ms;
    remove_authority(self, "EXTERNA");
    set_authority(self, "OTRA", "http://ocsp.example", stranger, NULL);
    set_outside(self); /* the same again, which is another time of it */
    book_server(self->book, DANE "/SS2", "tcp://b:1", 2, other);
    MUST(book_fold(self->book, &state));
    MUST(directory_snapshot(state, self->book->count, &snapshot));
    MUST(directory_restore(bytes_span(snapshot), self->book->trust, &again));
    CU_ASSERT_EQUAL_FATAL(directory_authorities(again, &all), 2);
    CU_ASSERT_STRING_EQUAL(all[0]->name, "EXTERNA");
    CU_ASSERT_EQUAL(signer_in(self, again)->revoked_since_ms, at_ms);
    CU_ASSERT(signer_in(self, again)->trusted);
    CU_ASSERT_EQUAL(signer_in(self, again)->authority->removed_ms, at_ms);
    const struct directory_signer *fresh = directory_signer(again, certificate_ski(other));
    CU_ASSERT_PTR_NOT_NULL_FATAL(fresh);
    CU_ASSERT_PTR_EQUAL(fresh->authority, all[0]);
    CU_ASSERT(fresh->trusted);
    for (size_t i = 0; i < snapshot->size; i += 7) {
        OWNED(directory) none = NULL;
        snapshot->data[i] ^= 0x21;
        fault f = directory_restore(bytes_span(snapshot), self->book->trust, &none);
        CU_ASSERT(!failed(f) || f.code == DIRECTORY_BAD);
        snapshot->data[i] ^= 0x21;
    }
}

static void test_addresses_of_an_authority_change_and_its_certificate_does_not(void)
{
    OWNED(office) self = office();
    OWNED(directory) state = NULL;
    OWNED(bytes) stranger = outside_der(self->folder, "stranger.pem");
    const struct directory_authority *const *all = NULL;
    set_outside(self);
    book_server(self->book, SERVER, "tcp://a:1", 1, self->member);
    set_authority(self, "EXTERNA", "http://new.example/ocsp", self->ca, self->root);
    set_authority(self, "EXTERNA", "http://ocsp.example", stranger, NULL);
    must_be_bad(self, "a new one comes under a new name");
    set_authority(self, "OTRA", "http://ocsp.example", self->ca, self->root);
    must_be_bad(self, "stands there as EXTERNA already");
    set_authority(self, "ANTERIOR", "http://ocsp.example", stranger, NULL);
    MUST(book_fold(self->book, &state));
    CU_ASSERT_EQUAL_FATAL(directory_authorities(state, &all), 2);
    CU_ASSERT_STRING_EQUAL(all[0]->name, "ANTERIOR");
    CU_ASSERT_STRING_EQUAL(all[1]->ocsp_url, "http://new.example/ocsp");
    CU_ASSERT_PTR_EQUAL(signer_in(self, state)->authority, all[1]);
}

static void test_what_is_no_authority_is_refused(void)
{
    OWNED(office) self = office();
    OWNED(bytes) member = outside_der(self->folder, "member.pem");
    set_authority(self, "EXTERNA", "http://ocsp.example", member, self->ca);
    must_be_bad(self, "not a CA's");
    set_authority(self, "EXTERNA", "http://ocsp.example", self->ca, NULL);
    must_be_bad(self, "root");
    set_authority(self, "", "http://ocsp.example", self->root, NULL);
    must_be_bad(self, "missing");
    set_authority(self, "EXTERNA", "ldap://ocsp.example", self->root, NULL);
    must_be_bad(self, "http");
    BOOK_ACT(self->book, CERTIFICATE_AUTHORITY_SET, certificate_authority_set,
             CHASKI__CERTIFICATE_AUTHORITY_SET__INIT, it->name = book_text("EXTERNA"),
             it->certificate = data_of(self->root));
    must_be_bad(self, "no address");
}

static void test_more_authorities_than_fit_are_refused(void)
{
    static const struct certificate_subject subject = {.country = "CO", .organisation = "Externa"};
    OWNED(office) self = office();
    OWNED(directory) state = NULL;
    for (size_t i = 0; i <= DIRECTORY_AUTHORITIES_MAX; i++) {
        char name[32];
        OWNED(keypair) key = NULL;
        OWNED(certificate) root = NULL;
        OWNED(bytes) der = NULL;
        if (i == DIRECTORY_AUTHORITIES_MAX)
            MUST(book_fold(self->book, &state));
        MUST(keypair_make(KEY_P256, &key));
        MUST(
            certificate_make_ca(key, &subject, BOOK_START_MS, BOOK_START_MS + BOOK_YEAR_MS, &root));
        MUST(bytes_copy(certificate_der(root), &der));
        snprintf(name, sizeof name, "CA-%zu", i);
        set_authority(self, name, "http://ocsp.example", der, NULL);
    }
    must_be_bad(self, "more than");
}

// --- revoked by its authority -------------------------------------------------------------------

static struct status status_of(struct office *self, const struct bytes *proof, bool crl)
{
    struct status status;
    MUST(status_read(crl ? STATUS_CRL : STATUS_OCSP, bytes_span(proof), self->issuer, self->member,
                     clock_wall_ms() + 1000, &status));
    return status;
}

static void check_revocation(bool crl)
{
    OWNED(office) self = office();
    OWNED(directory) state = NULL;
    set_outside(self);
    book_server(self->book, SERVER, "tcp://a:1", 1, self->member);
    OWNED(bytes)
    good = crl ? outside_crl(self->folder)
               : outside_ask(self->folder, self->issuer, self->member, "ocsp");
    sleep(1);
    OUTSIDE(self->folder, "revoke", "member.pem", "keyCompromise");
    OWNED(bytes)
    proof = crl ? outside_crl(self->folder)
                : outside_ask(self->folder, self->issuer, self->member, "ocsp");
    int64_t since_ms = status_of(self, proof, crl).revoked_ms;
    self->book->time_ms = clock_wall_ms() + 10000;
    say_revoked(self, good, crl, since_ms);
    must_be_bad(self, "says: good");
    say_revoked(self, proof, crl, since_ms + 1000);
    must_be_bad(self, "another time than its proof says");
    say_revoked(self, proof, crl, 0); /* since the act: not what the proof says */
    must_be_bad(self, "another time than its proof says");
    say_revoked(self, proof, !crl, since_ms);
    must_be_bad(self, "the proof of a revocation");
    proof->data[proof->size - 5] ^= 1;
    say_revoked(self, proof, crl, since_ms);
    must_be_bad(self, "the proof of a revocation");
    proof->data[proof->size - 5] ^= 1;
    say_revoked(self, proof, crl, since_ms);
    MUST(book_fold(self->book, &state));
    CU_ASSERT_EQUAL(signer_in(self, state)->revoked_since_ms, since_ms);
    CU_ASSERT_EQUAL(directory_signer_known_ms(signer_in(self, state)), self->book->time_ms - 1000);
    OWNED(bytes) snapshot = NULL;
    OWNED(directory) again = NULL;
    MUST(directory_snapshot(state, self->book->count, &snapshot));
    MUST(directory_restore(bytes_span(snapshot), self->book->trust, &again));
    CU_ASSERT_EQUAL(signer_in(self, again)->revoked_since_ms, since_ms);
    CU_ASSERT_EQUAL(directory_signer_known_ms(signer_in(self, again)), self->book->time_ms - 1000);
}

static void test_a_revocation_by_its_authority_proves_itself_by_ocsp(void)
{
    check_revocation(false);
}

static void test_a_revocation_by_its_authority_proves_itself_by_crl(void)
{
    check_revocation(true);
}

static void test_a_proof_that_is_old_or_too_large_is_refused(void)
{
    OWNED(office) self = office();
    OWNED(bytes) large = NULL;
    set_outside(self);
    book_server(self->book, SERVER, "tcp://a:1", 1, self->member);
    OUTSIDE(self->folder, "revoke", "member.pem", "keyCompromise");
    OWNED(bytes) proof = outside_ask(self->folder, self->issuer, self->member, "ocsp");
    int64_t since_ms = status_of(self, proof, false).revoked_ms;
    MUST(bytes_new(DIRECTORY_PROOF_BYTES_MAX + 1, &large));
    say_revoked(self, large, true, since_ms);
    must_be_bad(self, "at most");
    self->book->time_ms += 2 * BOOK_DAY_MS;
    say_revoked(self, proof, false, since_ms);
    must_be_bad(self, "was to be replaced");
}

static void test_a_proof_for_a_certificate_of_ours_is_refused(void)
{
    OWNED(office) self = office();
    OWNED(keypair) key = NULL;
    OWNED(certificate) ours = book_issue(self->book, DANE, "SS1", &key);
    set_outside(self);
    book_server(self->book, SERVER, "tcp://a:1", 1, ours);
    OUTSIDE(self->folder, "revoke", "member.pem", "keyCompromise");
    OWNED(bytes) proof = outside_ask(self->folder, self->issuer, self->member, "ocsp");
    certificate_free(&self->member);
    MUST(certificate_parse(certificate_der(ours), &self->member));
    say_revoked(self, proof, false, clock_wall_ms());
    must_be_bad(self, "which none in force stands for");
}

static void test_a_proof_needs_nobodys_approval_and_an_authority_that_of_two(void)
{
    OWNED(office) self = office();
    OWNED(directory) state = NULL;
    char words[ACT_APPROVAL_WORDS_ROOM];
    Chaski__CertificateRevoked revoked = CHASKI__CERTIFICATE_REVOKED__INIT;
    Chaski__CertificateAuthoritySet set = CHASKI__CERTIFICATE_AUTHORITY_SET__INIT;
    Chaski__Removed removed = CHASKI__REMOVED__INIT;
    Chaski__Act act = CHASKI__ACT__INIT;
    MUST(book_fold(self->book, &state));
    act.act_case = CHASKI__ACT__ACT_CERTIFICATE_REVOKED;
    act.certificate_revoked = &revoked;
    CU_ASSERT_EQUAL(act_approval_need(state, &act).operators, 1);
    revoked.proof_case = CHASKI__CERTIFICATE_REVOKED__PROOF_CRL;
    CU_ASSERT_EQUAL(act_approval_need(state, &act).operators, 0);
    act.act_case = CHASKI__ACT__ACT_CERTIFICATE_AUTHORITY_SET;
    act.certificate_authority_set = &set;
    struct act_need need = act_approval_need(state, &act);
    act_approval_words(&need, words, sizeof words);
    CU_ASSERT_STRING_EQUAL(words, "two operators with the role approve");
    act.act_case = CHASKI__ACT__ACT_REMOVED;
    removed.what_case = CHASKI__REMOVED__WHAT_CERTIFICATE_AUTHORITY;
    act.removed = &removed;
    CU_ASSERT_EQUAL(act_approval_need(state, &act).operators, 2);
}

SUITE(act_authority,
      TEST(test_what_an_outside_authority_issued_is_trusted_whatever_its_subject_says),
      TEST(test_without_the_act_its_subject_counts),
      TEST(test_an_authority_of_ours_is_still_believed_for_names_only),
      TEST(test_a_certificate_for_other_things_is_refused),
      TEST(test_one_outside_certificate_is_of_one_server),
      TEST(test_a_removed_authority_ends_what_it_issued_from_then_on),
      TEST(test_a_snapshot_keeps_authorities_and_whom_they_vouched_for),
      TEST(test_addresses_of_an_authority_change_and_its_certificate_does_not),
      TEST(test_what_is_no_authority_is_refused), TEST(test_more_authorities_than_fit_are_refused),
      TEST(test_a_revocation_by_its_authority_proves_itself_by_ocsp),
      TEST(test_a_revocation_by_its_authority_proves_itself_by_crl),
      TEST(test_a_proof_that_is_old_or_too_large_is_refused),
      TEST(test_a_proof_for_a_certificate_of_ours_is_refused),
      TEST(test_a_proof_needs_nobodys_approval_and_an_authority_that_of_two))
