// SPDX-License-Identifier: MIT
#include "tests/unit/bus/cards.h"

#define NOW_MS (BOOK_START_MS + BOOK_DAY_MS)

static fault read_card(const struct card_country *self, const struct bytes *leaf, int64_t now_ms,
                       struct key_card *out)
{
    return key_card_read(self->state, DANE "/SS1", bytes_span(leaf), now_ms, out);
}

static void test_a_card_of_its_server_is_read(void)
{
    OWNED(card_country) self = card_country_new();
    OWNED(bytes) leaf = card_of(self, 7, NOW_MS);
    struct key_card card;
    MUST(read_card(self, leaf, NOW_MS + 5, &card));
    CU_ASSERT_EQUAL(card.made_ms, NOW_MS);
    CU_ASSERT_EQUAL(card.card.key[31], 7);
    CU_ASSERT_EQUAL(card.card.until_ms, NOW_MS + 2 * CARD_HOUR_MS);
}

static void test_a_card_counts_from_its_time_to_its_end(void)
{
    OWNED(card_country) self = card_country_new();
    OWNED(bytes) leaf = card_of(self, 7, NOW_MS);
    struct key_card card;
    MUST(read_card(self, leaf, NOW_MS - FRESH_FUTURE_MS, &card));
    MUST_FAIL(FROM_FUTURE, read_card(self, leaf, NOW_MS - FRESH_FUTURE_MS - 1, &card));
    MUST(read_card(self, leaf, NOW_MS + 2 * CARD_HOUR_MS + FRESH_FUTURE_MS, &card));
    MUST_FAIL(STALE, read_card(self, leaf, NOW_MS + 2 * CARD_HOUR_MS + FRESH_FUTURE_MS + 1, &card));
}

static void test_a_card_is_not_for_ever(void)
{
    OWNED(card_country) self = card_country_new();
    struct header_card for_ever = {{1}, NOW_MS + 1, NOW_MS + BOOK_YEAR_MS};
    struct header header = card_header(&for_ever, NOW_MS);
    OWNED(bytes) leaf = card_sign(&header, self->sign, self->certificate);
    struct key_card card;
    MUST_FAIL(STALE, read_card(self, leaf, NOW_MS, &card));
}

static void test_only_its_own_server_signs_a_card(void)
{
    OWNED(card_country) self = card_country_new();
    OWNED(keypair) stranger_key = NULL;
    OWNED(certificate) stranger = book_issue(self->book, DANE, "SS1", &stranger_key);
    struct header_card card = {{1}, NOW_MS + 1, NOW_MS + 2};
    struct header header = card_header(&card, NOW_MS);
    struct key_card read;
    OWNED(bytes) by_other = card_sign(&header, self->other_sign, self->other);
    MUST_FAIL(NOT_YOURS, read_card(self, by_other, NOW_MS, &read));
    OWNED(bytes) by_stranger = card_sign(&header, stranger_key, stranger);
    MUST_FAIL(CERTIFICATE_BAD, read_card(self, by_stranger, NOW_MS, &read));
    OWNED(bytes) by_wrong_key = card_sign(&header, self->other_sign, self->certificate);
    MUST_FAIL(SIGNATURE_BAD, read_card(self, by_wrong_key, NOW_MS, &read));
    header.sender = span_of_text(MEDELLIN);
    OWNED(bytes) for_other_member = card_sign(&header, self->sign, self->certificate);
    MUST_FAIL(NOT_YOURS, read_card(self, for_other_member, NOW_MS, &read));
}

static void test_a_card_of_another_server_is_none_of_this_one(void)
{
    OWNED(card_country) self = card_country_new();
    OWNED(bytes) leaf = card_of(self, 7, NOW_MS);
    struct key_card card;
    MUST_FAIL(INCONSISTENT,
              key_card_read(self->state, MEDELLIN "/SS1", bytes_span(leaf), NOW_MS, &card));
}

static void test_each_changed_byte_is_seen(void)
{
    OWNED(card_country) self = card_country_new();
    OWNED(bytes) leaf = card_of(self, 7, NOW_MS);
    struct key_card card;
    for (size_t i = 0; i < leaf->size; i++) {
        leaf->data[i] ^= 1;
        if (!failed(read_card(self, leaf, NOW_MS, &card)))
            fprintf(stderr, "  byte %zu may be changed\n", i);
        CU_ASSERT(failed(read_card(self, leaf, NOW_MS, &card)));
        leaf->data[i] ^= 1;
    }
    MUST(read_card(self, leaf, NOW_MS, &card));
}

static void test_another_record_is_no_card(void)
{
    OWNED(card_country) self = card_country_new();
    struct header header = card_header(NULL, NOW_MS);
    struct key_card card;
    header.kind = HEADER_STARTED;
    OWNED(bytes) leaf = card_sign(&header, self->sign, self->certificate);
    MUST_FAIL(BAD_FRAME, read_card(self, leaf, NOW_MS, &card));
}

/* Its time is its own word: a thief dates it before. */
static void test_who_is_revoked_signs_no_card_of_any_time(void)
{
    OWNED(card_country) self = card_country_new();
    OWNED(bytes) leaf = card_of(self, 7, NOW_MS);
    struct sha256 hash = certificate_hash(self->certificate);
    struct key_card card;
    self->book->time_ms = NOW_MS + CARD_HOUR_MS / 2;
    BOOK_ACT(self->book, CERTIFICATE_REVOKED, certificate_revoked,
             CHASKI__CERTIFICATE_REVOKED__INIT,
             it->certificate_sha256 = (ProtobufCBinaryData){SHA256_BYTES, hash.at},
             it->reason = book_text("robada"));
    card_country_fold(self);
    MUST_FAIL(REVOKED, read_card(self, leaf, NOW_MS + CARD_HOUR_MS, &card));
}

SUITE(key_card, TEST(test_a_card_of_its_server_is_read),
      TEST(test_a_card_counts_from_its_time_to_its_end), TEST(test_a_card_is_not_for_ever),
      TEST(test_only_its_own_server_signs_a_card),
      TEST(test_a_card_of_another_server_is_none_of_this_one), TEST(test_each_changed_byte_is_seen),
      TEST(test_another_record_is_no_card), TEST(test_who_is_revoked_signs_no_card_of_any_time))
