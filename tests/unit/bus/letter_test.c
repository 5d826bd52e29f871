// SPDX-License-Identifier: MIT
#include "lib/bus/letter.h"

#include "lib/bus/header.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static struct header plain_header(void)
{
    struct header header = {
        .kind = HEADER_REQUEST, .time_ms = 1795000000123, .deadline_ms = 1795000060123};
    header.sender = span_of_text("CO/MUN/890905211/TRAMITES");
    header.receiver = span_of_text("CO/GOV/899999027/DIVIPOLA");
    header.service = span_of_text("CO/GOV/899999027/DIVIPOLA/municipios");
    header.sender_server = span_of_text("CO/MUN/890905211/SS1");
    header.receiver_server = span_of_text("CO/GOV/899999027/SS1");
    header.purpose = span_of_text("P-1");
    header.log_size = 7;
    header.directory_epoch = 9;
    return header;
}

static fault encode_decode(const struct header *header, struct header_read **out)
{
    OWNED(bytes) bytes = NULL;
    TRY(header_encode(header, &bytes));
    return header_decode(bytes_span(bytes), out);
}

static void test_a_header_comes_back_as_it_was(void)
{
    OWNED(header_read) read = NULL;
    struct header header = plain_header();
    MUST(encode_decode(&header, &read));
    const struct header *back = header_of(read);
    CU_ASSERT_EQUAL(back->time_ms, header.time_ms);
    CU_ASSERT(span_equal(back->service, header.service));
    CU_ASSERT(span_equal(back->purpose, header.purpose));
    CU_ASSERT_EQUAL(back->log_size, 7);
    CU_ASSERT_FALSE(back->has_reply_to);
}

static void test_a_header_that_is_not_sound_is_refused(void)
{
    struct header header;
    OWNED(header_read) read = NULL;
#define REFUSED_WITH(change) \
    header = plain_header(); \
    change;                  \
    MUST_FAIL(BAD_FRAME, encode_decode(&header, &read))
    REFUSED_WITH(header.kind = (enum header_kind)9);
    REFUSED_WITH(header.time_ms = 0);
    REFUSED_WITH(header.time_ms = 2524608000000);
    REFUSED_WITH(header.sender = span_of_text(""));
    REFUSED_WITH(header.sender = span_of_text("CO/MUN/1"));
    REFUSED_WITH(header.sender = span_of_text("CO/MUN/1/A/B"));
    REFUSED_WITH(header.sender = span_of_text("CO/MUN/1/%41")); /* not canonical */
    REFUSED_WITH(header.service = span_of_text("CO//1/A/B"));
    REFUSED_WITH(header.receiver_server = span_of_text("x"));
#undef REFUSED_WITH
    MUST_FAIL(BAD_FRAME, header_decode(span_of_text("no protobuf at all"), &read));
}

static void seal_with(struct seal_key *key, struct span place, struct bytes **frame)
{
    OWNED(bytes) blob = NULL;
    uint8_t ski[SKI_BYTES] = {1};
    MUST(letter_blob(span_of_text("payload"), &blob));
    struct letter letter = {.header = span_of_text("header"),
                            .ski = span_of(ski, sizeof ski),
                            .signature = span_of_text("signature"),
                            .blob = bytes_span(blob),
                            .place = place};
    MUST(letter_seal(&letter, key, 3, span_of_text("envelope"), frame));
}

static void seal(struct seal_key *key, struct bytes **frame)
{
    seal_with(key, (struct span){0}, frame);
}

static void test_a_place_in_a_batch_travels_along(void)
{
    static const uint8_t raw[SEAL_KEY_BYTES] = {5};
    static const uint8_t places[BATCH_PLACE_BYTES_MAX + 1] = {7, 8, 9};
    OWNED(seal_key) key = NULL;
    MUST(seal_key_make(raw, &key));
    for (size_t size = 0; size <= sizeof places; size++) {
        OWNED(bytes) frame = NULL;
        OWNED(bytes) memory = NULL;
        struct letter letter;
        struct span place = span_of(places, size);
        seal_with(key, place, &frame);
        fault f =
            letter_open(bytes_span(frame), key, 3, span_of_text("envelope"), &memory, &letter);
        CU_ASSERT_EQUAL(f.code, size <= BATCH_PLACE_BYTES_MAX ? OK : BAD_FRAME);
        if (failed(f))
            continue;
        CU_ASSERT(span_equal(letter.place, place));
        CU_ASSERT(span_is_text(letter_payload(letter.blob), "payload"));
    }
}

static void test_a_letter_opens_to_what_was_sealed(void)
{
    static const uint8_t raw[SEAL_KEY_BYTES] = {5};
    OWNED(seal_key) key = NULL;
    OWNED(bytes) frame = NULL;
    OWNED(bytes) memory = NULL;
    struct letter letter;
    MUST(seal_key_make(raw, &key));
    seal(key, &frame);
    MUST(letter_open(bytes_span(frame), key, 3, span_of_text("envelope"), &memory, &letter));
    CU_ASSERT(span_is_text(letter.header, "header"));
    CU_ASSERT(span_is_text(letter.signature, "signature"));
    CU_ASSERT(span_is_text(letter_payload(letter.blob), "payload"));
    CU_ASSERT_EQUAL(letter.blob.size, SALT_BYTES + 7);
}

static void test_every_changed_byte_breaks_the_seal(void)
{
    static const uint8_t raw[SEAL_KEY_BYTES] = {5};
    OWNED(seal_key) key = NULL;
    OWNED(bytes) frame = NULL;
    OWNED(bytes) memory = NULL;
    struct letter letter;
    MUST(seal_key_make(raw, &key));
    seal(key, &frame);
    for (size_t i = 0; i < frame->size; i++) {
        frame->data[i] ^= 1;
        MUST_FAIL(SEAL_BROKEN, letter_open(bytes_span(frame), key, 3, span_of_text("envelope"),
                                           &memory, &letter));
        frame->data[i] ^= 1;
    }
    MUST_FAIL(SEAL_BROKEN,
              letter_open(bytes_span(frame), key, 4, span_of_text("envelope"), &memory, &letter));
    MUST_FAIL(SEAL_BROKEN,
              letter_open(bytes_span(frame), key, 3, span_of_text("Envelope"), &memory, &letter));
}

static void test_an_envelope_comes_back_and_nonsense_does_not(void)
{
    struct envelope envelope = {.counter = 42, .direction = LETTER_ANSWER}, back;
    uint8_t bytes[MESH_ENVELOPE_BYTES_MAX];
    size_t size = envelope_encode(&envelope, bytes);
    MUST(envelope_decode(span_of(bytes, size), &back));
    CU_ASSERT_EQUAL(back.counter, 42);
    CU_ASSERT_EQUAL(back.direction, LETTER_ANSWER);
    MUST_FAIL(BAD_FRAME, envelope_decode(span_of(bytes, size - 1), &back));
    MUST_FAIL(BAD_FRAME, envelope_decode(span_of_text(""), &back));
    envelope.direction = (enum letter_direction)7;
    size = envelope_encode(&envelope, bytes);
    MUST_FAIL(BAD_FRAME, envelope_decode(span_of(bytes, size), &back));
}

/* All document numbers of a small country, one of which was asked for. */
static size_t guesses(struct span salt, const struct sha256 *commitment, char found[16])
{
    size_t count = 0;
    for (unsigned i = 0; i < 20000; i++) {
        char guess[16];
        snprintf(guess, sizeof guess, "{\"doc\":%05u}", i);
        struct sha256 hash = SHA256_OF(salt, span_of_text(guess));
        if (!sha256_equal(&hash, commitment))
            continue;
        memcpy(found, guess, sizeof guess);
        count++;
    }
    return count;
}

static void test_a_payload_of_few_possible_ones_is_not_guessed_without_its_salt(void)
{
    static const uint8_t zeros[SALT_BYTES];
    static const char payload[] = "{\"doc\":12345}";
    char found[16] = "";
    OWNED(bytes) blob = NULL;
    OWNED(bytes) again = NULL;
    MUST(letter_blob(span_of_text(payload), &blob));
    MUST(letter_blob(span_of_text(payload), &again));
    struct sha256 commitment = letter_commitment(bytes_span(blob));
    struct sha256 other = letter_commitment(bytes_span(again));
    CU_ASSERT(!sha256_equal(&commitment, &other)); /* nor by having asked the same before */
    CU_ASSERT_EQUAL(guesses((struct span){0}, &commitment, found), 0);
    CU_ASSERT_EQUAL(guesses(span_of(zeros, sizeof zeros), &commitment, found), 0);
    CU_ASSERT_EQUAL(guesses(span_of(again->data, SALT_BYTES), &commitment, found), 0);
    CU_ASSERT_EQUAL(guesses(span_of(blob->data, SALT_BYTES), &commitment, found), 1);
    CU_ASSERT_STRING_EQUAL(found, payload);
}

SUITE(letter, TEST(test_a_payload_of_few_possible_ones_is_not_guessed_without_its_salt),
      TEST(test_a_header_comes_back_as_it_was), TEST(test_a_header_that_is_not_sound_is_refused),
      TEST(test_a_letter_opens_to_what_was_sealed), TEST(test_a_place_in_a_batch_travels_along),
      TEST(test_every_changed_byte_breaks_the_seal),
      TEST(test_an_envelope_comes_back_and_nonsense_does_not))
