// SPDX-License-Identifier: MIT
#include "lib/bus/header.h"

#include "lib/base/text.h"
#include "lib/bus/header_glance.h"
#include "tests/unit/unit.h"

static struct header sample(void)
{
    struct header header = {.kind = HEADER_REQUEST, .time_ms = 1790000000000};
    memset(header.exchange_id, 7, sizeof header.exchange_id);
    header.sender = span_of_text("CO/MUN/890905211/TRAMITES");
    header.receiver = span_of_text("CO/GOV/899999027/DIVIPOLA");
    header.service = span_of_text("CO/GOV/899999027/DIVIPOLA/municipios");
    header.sender_server = span_of_text("CO/MUN/890905211/SS1");
    header.receiver_server = span_of_text("CO/GOV/899999027/SS1");
    header.deadline_ms = header.time_ms + 60000;
    header.purpose = span_of_text("SISBEN-AFILIACION");
    header.rule = span_of_text("open");
    header.log_size = 300;
    header.directory_epoch = 4;
    return header;
}

static struct bytes *encoded(const struct header *header)
{
    struct bytes *bytes = NULL;
    MUST(header_encode(header, &bytes));
    return bytes;
}

static fault decode(struct span bytes)
{
    OWNED(header_read) read = NULL;
    return header_decode(bytes, &read);
}

static void test_what_is_encoded_is_read_back(void)
{
    struct header header = sample();
    OWNED(bytes) bytes = encoded(&header);
    OWNED(header_read) read = NULL;
    MUST(header_decode(bytes_span(bytes), &read));
    CU_ASSERT(span_equal(header_of(read)->service, header.service));
    CU_ASSERT(span_equal(header_of(read)->purpose, header.purpose));
    CU_ASSERT_EQUAL(header_of(read)->deadline_ms, header.deadline_ms);
    CU_ASSERT_EQUAL(header_of(read)->log_size, 300);
    CU_ASSERT_EQUAL(header_of(read)->subject.size, 0);
}

static void test_a_subject_is_read_back_within_its_bound(void)
{
    static const uint8_t pseudonym[SUBJECT_BYTES_MAX + 1] = {0, 7, 255};
    struct header header = sample();
    OWNED(header_read) read = NULL;
    header.subject = span_of(pseudonym, SUBJECT_BYTES_MAX);
    OWNED(bytes) bytes = encoded(&header);
    MUST(header_decode(bytes_span(bytes), &read));
    CU_ASSERT(span_equal(header_of(read)->subject, header.subject));
    OWNED(bytes) never = NULL;
    header.subject.size++;
    MUST_FAIL(BAD_REQUEST, header_encode(&header, &never));
    /* the same in the bytes of a stranger: the last field becomes one byte longer */
    static const uint8_t longer[] = {0xaa, 0x01, SUBJECT_BYTES_MAX + 1};
    header = sample();
    header.rule = (struct span){0};
    OWNED(bytes) forged = encoded(&header);
    MUST(bytes_append(forged, span_of(longer, sizeof longer)));
    MUST(bytes_append(forged, span_of(pseudonym, sizeof pseudonym)));
    MUST_FAIL(BAD_FRAME, decode(bytes_span(forged)));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "size"));
}

/* A later protoc would show this field to an auditor, and we would not. */
static void test_a_field_that_version_1_does_not_have_is_refused(void)
{
    struct header header = sample();
    OWNED(bytes) bytes = encoded(&header);
    static const uint8_t field_1000[] = {0xc0, 0x3e, 0x01};
    MUST(bytes_append(bytes, span_of(field_1000, sizeof field_1000)));
    MUST_FAIL(BAD_FRAME, decode(bytes_span(bytes)));
}

static void test_a_field_given_twice_is_refused(void)
{
    struct header header = sample();
    OWNED(bytes) bytes = encoded(&header);
    OWNED(bytes) twice = bytes_empty(64);
    MUST(bytes_append(twice, bytes_span(bytes)));
    MUST(bytes_append(twice, span_of(bytes->data, 2))); /* version = 1, once more */
    MUST_FAIL(BAD_FRAME, decode(bytes_span(twice)));
}

/* The same number in a longer encoding. */
static void test_a_long_varint_is_refused(void)
{
    struct header header = sample();
    OWNED(bytes) bytes = encoded(&header);
    OWNED(bytes) longer = bytes_empty(64);
    static const uint8_t one[] = {0x08, 0x81, 0x00};
    CU_ASSERT_EQUAL(bytes->data[0], 0x08); /* version */
    MUST(bytes_append(longer, span_of(one, sizeof one)));
    MUST(bytes_append(longer, span_of(bytes->data + 2, bytes->size - 2)));
    MUST_FAIL(BAD_FRAME, decode(bytes_span(longer)));
}

static void test_a_text_that_ends_early_is_refused(void)
{
    struct header header = sample();
    OWNED(bytes) bytes = encoded(&header);
    uint8_t *at = memmem(bytes->data, bytes->size, "SISBEN-AFILIACION", 17);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    at[6] = 0; /* "SISBEN" for C, more for anybody else */
    MUST_FAIL(BAD_FRAME, decode(bytes_span(bytes)));
}

static void test_words_hold_no_control_characters(void)
{
    static const char *const bad[] = {"a\nb", "\x1b[2J", "x\x7f",
                                      "\xc2\x9b"
                                      "1m",
                                      "\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct header header = sample();
        header.case_ref = span_of_text(bad[i]);
        OWNED(bytes) bytes = encoded(&header);
        MUST_FAIL(BAD_FRAME, decode(bytes_span(bytes)));
    }
    struct header header = sample();
    header.case_ref = span_of_text("año 2026: trámite nº 7");
    OWNED(bytes) bytes = encoded(&header);
    MUST(decode(bytes_span(bytes)));
}

static struct header about_the_log(enum header_kind kind)
{
    struct header header = {.kind = kind, .time_ms = 1790000000000};
    header.sender = span_of_text("CO/MUN/890905211");
    header.sender_server = span_of_text("CO/MUN/890905211/SS1");
    return header;
}

static void test_an_erasure_is_read_back(void)
{
    static const char *const except[] = {"CO/GOV/1/X", "CO/GOV/1/Y/z"};
    struct erasure erasure = {17, 400, "20261118", "CO/GOV/1", 2, except, 0};
    struct header header = about_the_log(HEADER_ERASED);
    header.erasure = &erasure;
    OWNED(bytes) bytes = encoded(&header);
    OWNED(header_read) read = NULL;
    MUST(header_decode(bytes_span(bytes), &read));
    const struct erasure *back = header_of(read)->erasure;
    CU_ASSERT_PTR_NOT_NULL_FATAL(back);
    CU_ASSERT_EQUAL(back->first, 17);
    CU_ASSERT_EQUAL(back->last, 400);
    CU_ASSERT_STRING_EQUAL(back->day, "20261118");
    CU_ASSERT_STRING_EQUAL(back->of, "CO/GOV/1");
    CU_ASSERT_EQUAL_FATAL(back->excepts, 2);
    CU_ASSERT_STRING_EQUAL(back->except[1], except[1]);
    CU_ASSERT_PTR_NULL(header_of(read)->keeping);
}

static void refused_erasure(struct erasure erasure)
{
    struct header header = about_the_log(HEADER_ERASED);
    header.erasure = &erasure;
    OWNED(bytes) bytes = encoded(&header);
    MUST_FAIL(BAD_FRAME, decode(bytes_span(bytes)));
}

static void test_an_erasure_of_nothing_possible_is_refused(void)
{
    refused_erasure((struct erasure){18, 17, "20261118", "", 0, NULL, 0});
    refused_erasure((struct erasure){0, UINT64_MAX, "20261118", "", 0, NULL, 0});
    refused_erasure((struct erasure){0, 1, "2026-1-1", "", 0, NULL, 0});
    refused_erasure((struct erasure){0, 1, "202611188", "", 0, NULL, 0});
    refused_erasure((struct erasure){0, 1, "20261118", "CO\x1b[2J", 0, NULL, 0});
    struct header without = about_the_log(HEADER_ERASED);
    OWNED(bytes) bytes = encoded(&without);
    MUST_FAIL(BAD_FRAME, decode(bytes_span(bytes)));
    struct header request = sample();
    struct erasure erasure = {0, 1, "20261118", "", 0, NULL, 0};
    request.erasure = &erasure;
    OWNED(bytes) other = encoded(&request);
    MUST_FAIL(BAD_FRAME, decode(bytes_span(other)));
}

static struct late_receipt some_late(void)
{
    struct late_receipt late = {.time_ms = 1789000000123, .kind = HEADER_RESPONSE, .own = true};
    memset(late.leaf_hash.at, 9, SHA256_BYTES);
    return late;
}

static struct header about_late(const struct late_receipt *late)
{
    struct header header = about_the_log(HEADER_LATE);
    header.receiver_server = span_of_text("CO/GOV/899999027/SS1");
    header.late = late;
    return header;
}

static void test_a_late_receipt_is_read_back(void)
{
    struct late_receipt late = some_late();
    struct header header = about_late(&late);
    OWNED(bytes) bytes = encoded(&header);
    OWNED(header_read) read = NULL;
    MUST(header_decode(bytes_span(bytes), &read));
    const struct late_receipt *back = header_of(read)->late;
    CU_ASSERT_PTR_NOT_NULL_FATAL(back);
    CU_ASSERT(sha256_equal(&back->leaf_hash, &late.leaf_hash));
    CU_ASSERT_EQUAL(back->time_ms, late.time_ms);
    CU_ASSERT_EQUAL(back->kind, HEADER_RESPONSE);
    CU_ASSERT(back->own);
}

static void refused_late(const struct header *header)
{
    OWNED(bytes) bytes = encoded(header);
    MUST_FAIL(BAD_FRAME, decode(bytes_span(bytes)));
}

static void test_a_late_receipt_of_nothing_possible_is_refused(void)
{
    struct late_receipt late = some_late();
    struct header header = about_late(&late);
    late.kind = HEADER_LATE;
    refused_late(&header);
    late = some_late();
    late.time_ms = 12;
    refused_late(&header);
    late = some_late();
    header.receiver_server = (struct span){0};
    refused_late(&header);
    header = about_late(NULL);
    refused_late(&header);
    struct header request = sample();
    request.late = &late;
    refused_late(&request);
}

static void test_a_glance_sees_what_a_reading_does(void)
{
    struct late_receipt late = some_late();
    struct header both[] = {sample(), about_late(&late)};
    for (size_t i = 0; i < 2; i++) {
        struct header_glance glance;
        OWNED(bytes) bytes = encoded(&both[i]);
        MUST(header_glance(bytes_span(bytes), &glance));
        CU_ASSERT_EQUAL(glance.kind, both[i].kind);
        CU_ASSERT_EQUAL(glance.time_ms, both[i].time_ms);
        CU_ASSERT(span_equal(glance.sender_server, both[i].sender_server));
        CU_ASSERT(span_equal(glance.receiver_server, both[i].receiver_server));
        CU_ASSERT(span_equal(glance.exchange_id, span_of(both[i].exchange_id, EXCHANGE_ID_BYTES)));
        CU_ASSERT_EQUAL(glance.has_late, i == 1);
        for (size_t cut = 0; cut < bytes->size; cut++) /* and ends well wherever they end */
            ignore(header_glance(span_of(bytes->data, cut), &glance));
    }
    struct header_glance glance;
    MUST_FAIL(BAD_FRAME, header_glance((struct span){0}, &glance));
}

static void test_what_is_kept_is_said_in_a_start_only(void)
{
    struct keeping_rule rule[] = {{"", KEEP_METADATA}, {"CO/GOV/1", KEEP_OFF}};
    struct keeping keeping = {2, rule};
    struct header header = about_the_log(HEADER_STARTED);
    header.keeping = &keeping;
    OWNED(bytes) bytes = encoded(&header);
    OWNED(header_read) read = NULL;
    MUST(header_decode(bytes_span(bytes), &read));
    CU_ASSERT_PTR_NOT_NULL_FATAL(header_of(read)->keeping);
    CU_ASSERT_EQUAL(header_of(read)->keeping->count, 2);
    CU_ASSERT_EQUAL(header_of(read)->keeping->rule[1].mode, KEEP_OFF);
    header.kind = HEADER_STOPPED;
    OWNED(bytes) stopped = encoded(&header);
    MUST_FAIL(BAD_FRAME, decode(bytes_span(stopped)));
    header.kind = HEADER_STARTED;
    rule[1].mode = (enum keep_mode)7;
    OWNED(bytes) strange = encoded(&header);
    MUST_FAIL(BAD_FRAME, decode(bytes_span(strange)));
}

static struct header second_epoch(const struct epoch_closed *closed)
{
    struct header header = about_the_log(HEADER_INCIDENT);
    header.log_epoch = closed->epoch + 1;
    header.closed = closed;
    return header;
}

static void test_a_closed_epoch_is_read_back(void)
{
    struct epoch_head head[] = {{"CO/GOV/1/SS1", 1, 900, {{9}}}, {"CO/GOV/2/SS1", 1, 700, {{7}}}};
    struct epoch_closed closed = {1, 650, {{6}}, 3, 2, 2, head};
    struct header header = second_epoch(&closed);
    OWNED(bytes) bytes = encoded(&header);
    OWNED(header_read) read = NULL;
    MUST(header_decode(bytes_span(bytes), &read));
    CU_ASSERT_EQUAL(header_of(read)->log_epoch, 2);
    const struct epoch_closed *back = header_of(read)->closed;
    CU_ASSERT_PTR_NOT_NULL_FATAL(back);
    CU_ASSERT_EQUAL(back->epoch, 1);
    CU_ASSERT_EQUAL(back->size, 650);
    CU_ASSERT(sha256_equal(&back->root, &closed.root));
    CU_ASSERT_EQUAL(back->asked, 3);
    CU_ASSERT_EQUAL(back->answered, 2);
    CU_ASSERT_EQUAL_FATAL(back->heads, 2);
    CU_ASSERT_STRING_EQUAL(back->head[1].by, "CO/GOV/2/SS1");
    CU_ASSERT_EQUAL(back->head[1].size, 700);
    CU_ASSERT(sha256_equal(&back->head[0].root, &head[0].root));
}

static bool is_kept_of(const char *holder)
{
    struct epoch_head head = {holder, 1, 900, {{9}}};
    struct epoch_closed closed = {1, 650, {{6}}, 1, 1, 1, &head};
    struct header header = second_epoch(&closed);
    OWNED(bytes) bytes = encoded(&header);
    return !failed(decode(bytes_span(bytes)));
}

static void test_a_head_is_held_by_a_server_or_a_witness_that_is_none(void)
{
    CU_ASSERT_TRUE(is_kept_of("CO/GOV/1/SS1"));
    CU_ASSERT_TRUE(is_kept_of("contraloria.gov.example/witness"));
    CU_ASSERT_FALSE(is_kept_of(""));
    CU_ASSERT_FALSE(is_kept_of("no name"));
    CU_ASSERT_FALSE(is_kept_of("a+b"));
    CU_ASSERT_FALSE(is_kept_of("line\n"));
}

static void refused_closed(struct epoch_closed closed, unsigned log_epoch, enum header_kind kind,
                           uint64_t log_size)
{
    struct header header = second_epoch(&closed);
    header.kind = kind;
    header.log_epoch = log_epoch;
    header.log_size = log_size;
    OWNED(bytes) bytes = encoded(&header);
    MUST_FAIL(BAD_FRAME, decode(bytes_span(bytes)));
}

static void test_an_epoch_is_closed_by_the_first_record_of_the_next_alone(void)
{
    struct epoch_closed closed = {1, 650, {{6}}, 0, 0, 0, NULL};
    refused_closed(closed, 3, HEADER_INCIDENT, 0);
    refused_closed(closed, 1, HEADER_INCIDENT, 0);
    refused_closed(closed, 2, HEADER_STARTED, 0);
    refused_closed(closed, 2, HEADER_INCIDENT, 1);
    refused_closed((struct epoch_closed){0, 650, {{6}}, 0, 0, 0, NULL}, 1, HEADER_INCIDENT, 0);
    struct epoch_head nobody = {"no body", 1, 900, {{9}}};
    refused_closed((struct epoch_closed){1, 650, {{6}}, 0, 0, 1, &nobody}, 2, HEADER_INCIDENT, 0);
    struct epoch_head none = {"CO/GOV/1/SS1", 0, 900, {{9}}};
    refused_closed((struct epoch_closed){1, 650, {{6}}, 0, 0, 1, &none}, 2, HEADER_INCIDENT, 0);
}

static void test_headers_of_the_first_epoch_do_not_say_so(void)
{
    struct header header = sample(), first = sample();
    first.log_epoch = 1;
    OWNED(bytes) bytes = encoded(&header);
    OWNED(bytes) other = encoded(&first);
    OWNED(header_read) read = NULL;
    CU_ASSERT(span_equal(bytes_span(bytes), bytes_span(other)));
    MUST(header_decode(bytes_span(bytes), &read));
    CU_ASSERT_EQUAL(header_of(read)->log_epoch, 1);
    uint8_t said[] = {0xf0, 0x01, 0x01}; /* field 30: 1 */
    MUST(bytes_append(other, span_of(said, sizeof said)));
    MUST_FAIL(BAD_FRAME, decode(bytes_span(other)));
    other->data[other->size - 1] = LOG_EPOCHS_MAX + 1;
    MUST_FAIL(BAD_FRAME, decode(bytes_span(other)));
    other->data[other->size - 1] = 2;
    MUST(decode(bytes_span(other)));
}

static void test_an_erasure_names_earlier_epochs_only(void)
{
    struct erasure erasure = {0, 1, "20261118", "", 0, NULL, 1};
    struct header header = about_the_log(HEADER_ERASED);
    header.erasure = &erasure;
    OWNED(bytes) own = encoded(&header);
    MUST_FAIL(BAD_FRAME, decode(bytes_span(own)));
    header.log_epoch = 2;
    OWNED(bytes) later = encoded(&header);
    MUST(decode(bytes_span(later)));
    erasure.epoch = 2;
    OWNED(bytes) same = encoded(&header);
    MUST_FAIL(BAD_FRAME, decode(bytes_span(same)));
}

static void test_a_stamp_is_read_back_and_stands_in_its_record_alone(void)
{
    struct header_stamped stamped = {4711, {{5}}};
    struct header header = about_the_log(HEADER_STAMPED);
    OWNED(bytes) older = encoded(&header);
    MUST(decode(bytes_span(older)));
    header.stamped = &stamped;
    header.log_size = 4711;
    OWNED(bytes) bytes = encoded(&header);
    OWNED(header_read) read = NULL;
    MUST(header_decode(bytes_span(bytes), &read));
    CU_ASSERT_PTR_NOT_NULL_FATAL(header_of(read)->stamped);
    CU_ASSERT_EQUAL(header_of(read)->stamped->size, 4711);
    CU_ASSERT(sha256_equal(&header_of(read)->stamped->token, &stamped.token));
    header.log_size = 4710;
    OWNED(bytes) beyond = encoded(&header);
    MUST_FAIL(BAD_FRAME, decode(bytes_span(beyond)));
    header.log_size = 4711;
    header.kind = HEADER_STOPPED;
    OWNED(bytes) other = encoded(&header);
    MUST_FAIL(BAD_FRAME, decode(bytes_span(other)));
    header.kind = HEADER_STAMPED;
    stamped.size = 0;
    OWNED(bytes) empty = encoded(&header);
    MUST_FAIL(BAD_FRAME, decode(bytes_span(empty)));
}

static void test_a_prune_is_read_back_and_stands_in_its_record_alone(void)
{
    struct header_pruned pruned = {4711, {{5}}};
    struct header header = about_the_log(HEADER_PRUNED);
    header.pruned = &pruned;
    header.log_size = 4711;
    OWNED(bytes) bytes = encoded(&header);
    OWNED(header_read) read = NULL;
    MUST(header_decode(bytes_span(bytes), &read));
    CU_ASSERT_PTR_NOT_NULL_FATAL(header_of(read)->pruned);
    CU_ASSERT_EQUAL(header_of(read)->pruned->before, 4711);
    CU_ASSERT(sha256_equal(&header_of(read)->pruned->root, &pruned.root));
    header.log_size = 4710;
    OWNED(bytes) beyond = encoded(&header);
    MUST_FAIL(BAD_FRAME, decode(bytes_span(beyond)));
    header.log_size = 4711;
    header.kind = HEADER_STOPPED;
    OWNED(bytes) other = encoded(&header);
    MUST_FAIL(BAD_FRAME, decode(bytes_span(other)));
    header.kind = HEADER_PRUNED;
    header.pruned = NULL;
    OWNED(bytes) without = encoded(&header);
    MUST_FAIL(BAD_FRAME, decode(bytes_span(without)));
    header.kind = (enum header_kind)63;
    OWNED(bytes) unknown = encoded(&header);
    MUST_FAIL(BAD_FRAME, decode(bytes_span(unknown)));
}

static void refused_subject(const struct header *header)
{
    OWNED(bytes) bytes = encoded(header);
    MUST_FAIL(BAD_FRAME, decode(bytes_span(bytes)));
}

static void test_a_pseudonym_names_its_year_and_a_seal_who_allows_it(void)
{
    static const uint8_t pseudonym[SHA256_BYTES] = {1};
    struct header header = sample();
    struct header_glance seen;
    OWNED(header_read) read = NULL;
    header.subject = span_of(pseudonym, sizeof pseudonym);
    header.subject_year = 2026;
    header.sealed_until_ms = 1800000000000;
    header.sealing = span_of_text("S-2026-1");
    OWNED(bytes) bytes = encoded(&header);
    MUST(header_decode(bytes_span(bytes), &read));
    CU_ASSERT_EQUAL(header_of(read)->subject_year, 2026);
    CU_ASSERT_EQUAL(header_of(read)->sealed_until_ms, 1800000000000);
    CU_ASSERT(span_is_text(header_of(read)->sealing, "S-2026-1"));
    MUST(header_glance(bytes_span(bytes), &seen));
    CU_ASSERT(span_equal(seen.subject, header.subject));
    CU_ASSERT_EQUAL(seen.sealed_until_ms, 1800000000000);
    header.sealing = span_of_text("");
    refused_subject(&header); /* sealed by nobody */
    header.sealing = span_of_text("S-2026-1");
    header.sealed_until_ms = 0;
    refused_subject(&header); /* allowed, and not sealed */
    header.sealing = span_of_text("");
    header.subject.size = 31;
    refused_subject(&header); /* a year of no pseudonym */
    header.subject = span_of(pseudonym, sizeof pseudonym);
    header.subject_year = 1999;
    refused_subject(&header);
    header.subject_year = 0;
    header.sealed_until_ms = 1800000000000;
    header.sealing = span_of_text("S-2026-1");
    refused_subject(&header); /* hidden from nobody */
}

static void test_a_look_names_a_pseudonym(void)
{
    static const uint8_t pseudonym[SHA256_BYTES] = {1};
    struct header header = sample();
    header.kind = HEADER_LOOKED;
    header.sender = span_of_text("CO/MUN/890905211");
    refused_subject(&header);
    header.subject = span_of(pseudonym, sizeof pseudonym);
    header.subject_year = 2026;
    OWNED(bytes) bytes = encoded(&header);
    MUST(decode(bytes_span(bytes)));
}

static void refused_card(struct header_card card)
{
    struct header header = about_the_log(HEADER_KEY_CARD);
    header.card = &card;
    OWNED(bytes) bytes = encoded(&header);
    MUST_FAIL(BAD_FRAME, decode(bytes_span(bytes)));
}

static void test_a_card_is_read_back_and_stands_in_its_record_alone(void)
{
    struct header_card card = {{1, 2, 3}, 1790000086400, 1790000090000};
    struct header header = about_the_log(HEADER_KEY_CARD);
    header.card = &card;
    OWNED(bytes) bytes = encoded(&header);
    OWNED(header_read) read = NULL;
    MUST(header_decode(bytes_span(bytes), &read));
    CU_ASSERT_PTR_NOT_NULL_FATAL(header_of(read)->card);
    CU_ASSERT(memcmp(header_of(read)->card->key, card.key, sizeof card.key) == 0);
    CU_ASSERT_EQUAL(header_of(read)->card->renew_ms, card.renew_ms);
    CU_ASSERT_EQUAL(header_of(read)->card->until_ms, card.until_ms);
    header.kind = HEADER_STARTED;
    OWNED(bytes) other = encoded(&header);
    MUST_FAIL(BAD_FRAME, decode(bytes_span(other)));
    header.kind = HEADER_KEY_CARD;
    header.card = NULL;
    OWNED(bytes) without = encoded(&header);
    MUST_FAIL(BAD_FRAME, decode(bytes_span(without)));
}

static void test_a_card_of_no_key_or_of_times_out_of_order_is_refused(void)
{
    refused_card((struct header_card){{0}, 1790000086400, 1790000090000});
    refused_card((struct header_card){{1}, 1790000000000, 1790000090000});
    refused_card((struct header_card){{1}, 1790000086400, 1790000086399});
    refused_card((struct header_card){{1}, 1790000086400, INT64_C(2524608000000)});
}

SUITE(header, TEST(test_a_pseudonym_names_its_year_and_a_seal_who_allows_it),
      TEST(test_a_look_names_a_pseudonym),
      TEST(test_a_card_is_read_back_and_stands_in_its_record_alone),
      TEST(test_a_card_of_no_key_or_of_times_out_of_order_is_refused),
      TEST(test_a_late_receipt_is_read_back),
      TEST(test_a_late_receipt_of_nothing_possible_is_refused),
      TEST(test_a_glance_sees_what_a_reading_does),
      TEST(test_a_stamp_is_read_back_and_stands_in_its_record_alone),
      TEST(test_a_prune_is_read_back_and_stands_in_its_record_alone),
      TEST(test_a_closed_epoch_is_read_back),
      TEST(test_a_head_is_held_by_a_server_or_a_witness_that_is_none),
      TEST(test_an_epoch_is_closed_by_the_first_record_of_the_next_alone),
      TEST(test_headers_of_the_first_epoch_do_not_say_so),
      TEST(test_an_erasure_names_earlier_epochs_only), TEST(test_an_erasure_is_read_back),
      TEST(test_an_erasure_of_nothing_possible_is_refused),
      TEST(test_what_is_kept_is_said_in_a_start_only), TEST(test_what_is_encoded_is_read_back),
      TEST(test_a_subject_is_read_back_within_its_bound),
      TEST(test_a_field_that_version_1_does_not_have_is_refused),
      TEST(test_a_field_given_twice_is_refused), TEST(test_a_long_varint_is_refused),
      TEST(test_a_text_that_ends_early_is_refused), TEST(test_words_hold_no_control_characters))
