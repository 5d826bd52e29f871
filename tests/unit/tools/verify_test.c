// SPDX-License-Identifier: MIT
#include "tests/unit/tools/forge.h"

static void revoke_signer(struct forge *self, enum forge_side side, int64_t since_ms)
{
    struct sha256 hash = certificate_hash(self->certificate[side]);
    self->book->time_ms = self->time_ms;
    BOOK_ACT(self->book, CERTIFICATE_REVOKED, certificate_revoked,
             CHASKI__CERTIFICATE_REVOKED__INIT,
             it->certificate_sha256 = (ProtobufCBinaryData){SHA256_BYTES, hash.at},
             it->since_ms = (uint64_t)since_ms, it->reason = book_text("clave perdida"));
}

static struct forge *provider_with_an_exchange(void)
{
    struct forge *self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    forge_exchange(self);
    return self;
}

static void test_an_honest_log_is_clean(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    forge_exchange(self);
    forge_finds(self, "", 0, -1);
}

static void test_what_is_signed_from_the_revocation_on_is_found(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    int64_t since_ms = self->time_ms;
    forge_exchange(self); /* entries 3 and 4; the request is dated since_ms */
    self->time_ms += 100;
    revoke_signer(self, CALLER, since_ms);
    forge_finds(self, "revocation", 1, 3);
}

static void test_what_was_signed_just_before_is_not(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    int64_t since_ms = self->time_ms + 1;
    forge_exchange(self);
    self->time_ms += 100;
    revoke_signer(self, CALLER, since_ms);
    forge_finds(self, "", 0, -1);
}

static void test_a_date_before_the_revocation_does_not_help_a_late_entry(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    int64_t since_ms = self->time_ms;
    self->time_ms += 11 * FORGE_MINUTE_MS;
    forge_own(self, HEADER_INCIDENT); /* entry 3: our own clock is past it */
    struct header request = forge_header(self, CALLER, HEADER_REQUEST);
    request.time_ms = since_ms - 1;
    forge_append(self, CALLER, &request, request.time_ms);
    revoke_signer(self, CALLER, since_ms);
    forge_finds(self, "revocation", 1, 4);
}

static void test_a_certificate_that_had_ended_is_found(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    struct header request = forge_header(self, CALLER, HEADER_REQUEST);
    request.time_ms = self->time_ms + 6 * BOOK_YEAR_MS;
    forge_append(self, CALLER, &request, request.time_ms);
    forge_finds(self, "certificate", 1, 3);
}

/* The authority registered what another one had issued. */
static void test_a_certificate_of_somebody_elses_authority_is_found(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    OWNED(book) stranger = book_new();
    keypair_free(&self->sign[CALLER]);
    certificate_free(&self->certificate[CALLER]);
    self->certificate[CALLER] =
        book_issue(stranger, forge_member[CALLER], "SS1", &self->sign[CALLER]);
    forge_register(self, CALLER);
    struct header request = forge_header(self, CALLER, HEADER_REQUEST);
    forge_append(self, CALLER, &request, request.time_ms);
    forge_finds(self, "certificate", 1, 3);
}

static void test_a_date_that_is_not_the_signatures_is_found(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    struct header request = forge_header(self, CALLER, HEADER_REQUEST);
    forge_append(self, CALLER, &request, request.time_ms + 2000);
    forge_finds(self, "signature", 1, 3);
}

static void test_a_sender_that_never_stood_on_the_server_is_found(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    struct header request = forge_header(self, CALLER, HEADER_REQUEST);
    request.sender = span_of_text(MEDELLIN "/OTRO");
    forge_append(self, CALLER, &request, request.time_ms);
    forge_finds(self, "authorship", 1, 3);
}

static void test_a_sender_is_judged_by_where_it_stood_then(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    forge_exchange(self); /* 1, 2 */
    self->book->time_ms = self->time_ms;
    BOOK_ACT(self->book, REMOVED, removed, CHASKI__REMOVED__INIT,
             it->what_case = CHASKI__REMOVED__WHAT_SUBSYSTEM,
             it->subsystem = book_text(forge_subsystem[CALLER]),
             it->reason = book_text("ya no existe"));
    self->time_ms += FORGE_MINUTE_MS;
    forge_exchange(self); /* 3, 4: one that ran then may come to its end */
    self->time_ms += 15 * FORGE_MINUTE_MS;
    forge_exchange(self); /* 5, 6 */
    self->time_ms += 15 * FORGE_MINUTE_MS;
    self->book->time_ms = self->time_ms;
    book_subsystem(self->book, forge_subsystem[CALLER], forge_server[CALLER]);
    self->time_ms += FORGE_MINUTE_MS;
    forge_exchange(self); /* 7, 8: it is back */
    forge_finds(self, "authorship", 1, 5);
}

static void test_a_server_speaks_for_itself_in_a_refusal_only(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    struct header refusal = forge_header(self, PROVIDER, HEADER_FAULT);
    refusal.sender = span_of_text(forge_server[PROVIDER]);
    refusal.fault = ACCESS_DENIED;
    forge_append(self, PROVIDER, &refusal, refusal.time_ms);
    struct header request = forge_header(self, CALLER, HEADER_REQUEST);
    request.sender = span_of_text(forge_server[CALLER]);
    forge_append(self, CALLER, &request, request.time_ms);
    forge_finds(self, "authorship", 1, 4);
}

static void test_a_head_that_goes_back_is_found(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    struct audit_head older = self->head;
    forge_exchange(self); /* 3, 4 */
    struct header late = forge_header(self, PROVIDER, HEADER_INCIDENT);
    late.log_size = older.size; /* a true head of this log, but an old one */
    late.log_root = older.root;
    forge_append(self, PROVIDER, &late, late.time_ms);
    forge_finds(self, "append only", 1, 5);
}

static void test_a_head_with_another_root_is_found(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    struct header lie = forge_header(self, PROVIDER, HEADER_INCIDENT);
    lie.log_root.at[0] ^= 1;
    forge_append(self, PROVIDER, &lie, lie.time_ms);
    forge_finds(self, "append only", 1, 3);
}

static void test_a_head_beyond_the_entry_is_found(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    struct header lie = forge_header(self, PROVIDER, HEADER_INCIDENT);
    lie.log_size += 100;
    forge_append(self, PROVIDER, &lie, lie.time_ms);
    forge_own(self, HEADER_STOPPED);
    forge_checkpoint(self);
    forge_publish(self);
    json_t *said = forge_verify(self);
    json_t *first = json_array_get(json_object_get(said, "findings"), 0);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(first, "rule")), "append only");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(first, "entry")), 3);
    json_decref(said);
}

static void request_claiming(struct forge *self, uint64_t size, uint8_t root)
{
    struct header request = forge_header(self, CALLER, HEADER_REQUEST);
    request.log_size = size;
    memset(request.log_root.at, root, SHA256_BYTES);
    forge_append(self, CALLER, &request, request.time_ms);
}

static void test_a_peer_with_two_histories_is_found(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    request_claiming(self, 7, 1);
    request_claiming(self, 9, 2);
    request_claiming(self, 7, 3); /* 5 */
    forge_finds(self, "one history", 1, 5);
}

static void test_the_largest_head_of_a_peer_is_told(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    request_claiming(self, 7, 1);
    request_claiming(self, 9, 2);
    request_claiming(self, 8, 3);
    forge_finds(self, "", 0, -1);
    json_t *said = forge_verify(self);
    json_t *log = json_array_get(json_object_get(said, "audited"), 0);
    json_t *head = json_array_get(json_object_get(log, "peers_heads"), 0);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(head, "server")),
                           forge_server[CALLER]);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(head, "size")), 9);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(head, "entry")), 4);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(said, "remarks")), 5); /* three open requests */
    json_decref(said);
}

static void test_a_log_that_runs_on_long_after_its_checkpoint_is_found(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    forge_checkpoint(self);
    forge_exchange(self);
    self->time_ms += 2 * FORGE_MINUTE_MS;
    forge_exchange(self);
    forge_publish(self);
    json_t *said = forge_verify(self);
    json_t *first = json_array_get(json_object_get(said, "findings"), 0);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(said, "count")), 1);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(first, "rule")), "checkpoint");
    json_t *evidence = json_object_get(first, "evidence");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(evidence, 0)), "log/1/promise");
    json_decref(said);
}

static void test_a_node_that_died_and_has_just_begun_again_is_not(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    forge_checkpoint(self);
    forge_exchange(self);
    self->time_ms += BOOK_DAY_MS;
    forge_own(self, HEADER_STARTED);
    forge_exchange(self);
    forge_publish(self);
    json_t *said = forge_verify(self);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(said, "count")), 0);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(said, "remarks")), 6);
    json_decref(said);
}

static void test_an_answer_without_its_request_is_found(void)
{
    OWNED(forge) self = provider_with_an_exchange();
    struct header response = forge_header(self, PROVIDER, HEADER_RESPONSE);
    response.has_reply_to = true;
    random_fill(response.reply_to.at, sizeof response.reply_to.at);
    forge_append(self, PROVIDER, &response, response.time_ms);
    forge_finds(self, "request precedes answer", 1, 3);
}

static void test_a_log_that_does_not_begin_with_a_start_is_found(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_exchange(self);
    forge_finds(self, "whole log", 1, 0);
}

// --- payloads that are missing ------------------------------------------------------------------

/* A start that says what is kept of DANE's service. */
static void forge_start_keeping(struct forge *self, enum keep_mode mode)
{
    struct keeping_rule rule[] = {{"", KEEP_FULL}, {DANE "/DIVIPOLA", mode}};
    struct keeping keeping = {2, rule};
    struct header header = forge_header(self, self->whose, HEADER_STARTED);
    header.keeping = &keeping;
    forge_append(self, self->whose, &header, header.time_ms);
}

static void test_what_is_not_kept_must_have_been_said(void)
{
    static const enum keep_mode modes[] = {KEEP_METADATA, KEEP_OFF};
    for (size_t said = 0; said < 2; said++)
        for (size_t done = 0; done < 2; done++) {
            OWNED(forge) self = forge_new(PROVIDER);
            forge_start_keeping(self, modes[said]);
            self->mode = modes[done];
            forge_exchange(self);
            self->mode = KEEP_FULL;
            forge_finds(self, "payload", said == done ? 0 : 2, -1);
        }
    OWNED(forge) silent = forge_new(PROVIDER);
    forge_own(silent, HEADER_STARTED);
    silent->mode = KEEP_OFF;
    forge_exchange(silent);
    silent->mode = KEEP_FULL;
    forge_finds(silent, "payload", 2, -1);
}

static void test_what_was_said_holds_until_the_next_start(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_start_keeping(self, KEEP_OFF);
    self->mode = KEEP_OFF;
    forge_exchange(self); /* 1, 2 */
    self->mode = KEEP_FULL;
    forge_own(self, HEADER_STARTED);
    self->mode = KEEP_OFF;
    struct header request = forge_header(self, CALLER, HEADER_REQUEST);
    forge_append(self, CALLER, &request, request.time_ms); /* 4 */
    self->mode = KEEP_FULL;
    forge_finds(self, "payload", 1, 4);
}

static void test_what_a_log_says_of_itself_is_kept_whatever_was_said(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_start_keeping(self, KEEP_OFF);
    self->mode = KEEP_OFF;
    forge_own(self, HEADER_INCIDENT);
    self->mode = KEEP_FULL;
    forge_finds(self, "payload", 1, 1);
}

static void forge_erasure(struct forge *self, enum forge_side signer, uint64_t first, uint64_t last,
                          const char *of)
{
    struct erasure erasure = {first, last, "20261118", of, 0, NULL, 0};
    struct header header = forge_header(self, signer, HEADER_ERASED);
    header.erasure = &erasure;
    forge_append(self, signer, &header, header.time_ms);
}

/* Nothing is held of entries 1 and 2: which record answers for that? */
static struct forge *forge_without_payloads(void)
{
    struct forge *self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    self->mode = KEEP_OFF;
    forge_exchange(self);
    self->mode = KEEP_FULL;
    return self;
}

static void test_a_record_of_an_erasure_answers_for_what_is_missing(void)
{
    OWNED(forge) self = forge_without_payloads();
    forge_erasure(self, PROVIDER, 0, 2, "");
    forge_finds(self, "payload", 0, -1);
}

static void test_a_record_answers_for_no_more_than_it_names(void)
{
    OWNED(forge) one = forge_without_payloads();
    forge_erasure(one, PROVIDER, 1, 1, "");
    forge_finds(one, "payload", 1, 2);
    OWNED(forge) other = forge_without_payloads();
    forge_erasure(other, PROVIDER, 0, 2, DANE "/OTRO");
    forge_finds(other, "payload", 2, -1);
}

/* Recorded before anything was there to be erased: a licence to remove whatever comes. */
static void test_a_record_answers_for_nothing_that_comes_after_it(void)
{
    OWNED(forge) self = forge_new(PROVIDER);
    forge_own(self, HEADER_STARTED);
    forge_erasure(self, PROVIDER, 0, 1000, ""); /* 1 */
    self->mode = KEEP_OFF;
    forge_exchange(self); /* 2, 3 */
    self->mode = KEEP_FULL;
    forge_finds(self, "payload", 2, -1);
}

SUITE(verify, TEST(test_what_is_not_kept_must_have_been_said),
      TEST(test_what_was_said_holds_until_the_next_start),
      TEST(test_what_a_log_says_of_itself_is_kept_whatever_was_said),
      TEST(test_a_record_of_an_erasure_answers_for_what_is_missing),
      TEST(test_a_record_answers_for_no_more_than_it_names),
      TEST(test_a_record_answers_for_nothing_that_comes_after_it),
      TEST(test_an_honest_log_is_clean), TEST(test_what_is_signed_from_the_revocation_on_is_found),
      TEST(test_what_was_signed_just_before_is_not),
      TEST(test_a_date_before_the_revocation_does_not_help_a_late_entry),
      TEST(test_a_certificate_that_had_ended_is_found),
      TEST(test_a_certificate_of_somebody_elses_authority_is_found),
      TEST(test_a_date_that_is_not_the_signatures_is_found),
      TEST(test_a_sender_that_never_stood_on_the_server_is_found),
      TEST(test_a_sender_is_judged_by_where_it_stood_then),
      TEST(test_a_server_speaks_for_itself_in_a_refusal_only),
      TEST(test_a_head_that_goes_back_is_found), TEST(test_a_head_with_another_root_is_found),
      TEST(test_a_head_beyond_the_entry_is_found), TEST(test_a_peer_with_two_histories_is_found),
      TEST(test_the_largest_head_of_a_peer_is_told),
      TEST(test_a_log_that_runs_on_long_after_its_checkpoint_is_found),
      TEST(test_a_node_that_died_and_has_just_begun_again_is_not),
      TEST(test_an_answer_without_its_request_is_found),
      TEST(test_a_log_that_does_not_begin_with_a_start_is_found))
