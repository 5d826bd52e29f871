// SPDX-License-Identifier: MIT
#include "lib/bus/heartbeat.h"
#include "tests/unit/unit.h"

#include <stdio.h>

#define ORIGIN "chaski/CO/directory"

static struct keypair *signer;
static struct note_key key;

static void begin(void)
{
    uint8_t seed[KEY_SEED_BYTES];
    OWNED(bytes) public = NULL;
    memset(seed, 7, sizeof seed);
    MUST(keypair_from_raw(KEY_ED25519, seed, &signer));
    MUST(keypair_public(signer, &public));
    MUST(note_key_make(ORIGIN, NOTE_LOG, public->data, &key));
}

static struct heartbeat some(void)
{
    struct heartbeat self = {.head = {.origin = ORIGIN, .size = 42}, .time_s = 1795267800};
    memset(self.head.root.at, 0xab, SHA256_BYTES);
    return self;
}

/* A note of any text, signed by the key. */
static struct bytes *signed_text(const char *text)
{
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    struct heartbeat any = some();
    char body[HEARTBEAT_BODY_ROOM];
    OWNED(bytes) plain = NULL;
    MUST(keypair_sign_message(signer, span_of_text(text), signature));
    MUST(checkpoint_note(&any.head, &key, signature, &plain));
    size_t size = checkpoint_body(&any.head, body, sizeof body);
    struct bytes *note = bytes_empty(600);
    MUST(bytes_append_text(note, text));
    MUST(bytes_append(note, span_of(plain->data + size, plain->size - size)));
    return note;
}

static void test_what_was_made_is_read(void)
{
    begin();
    struct heartbeat made = some(), read;
    OWNED(bytes) note = NULL;
    MUST(heartbeat_make(&made, &key, signer, &note));
    MUST(heartbeat_open(bytes_span(note), &key, &read));
    CU_ASSERT_EQUAL(read.time_s, made.time_s);
    CU_ASSERT_EQUAL(read.head.size, 42);
    CU_ASSERT(sha256_equal(&read.head.root, &made.head.root));
    CU_ASSERT_PTR_NOT_NULL(strstr((const char *)note->data, "\ntime 1795267800\n\n"));
    keypair_free(&signer);
}

static void test_a_byte_less_or_another_is_refused(void)
{
    begin();
    struct heartbeat made = some(), read;
    OWNED(bytes) note = NULL;
    MUST(heartbeat_make(&made, &key, signer, &note));
    for (size_t i = 0; i < note->size; i++) {
        note->data[i] ^= 1;
        CU_ASSERT(failed(heartbeat_open(bytes_span(note), &key, &read)));
        note->data[i] ^= 1;
        CU_ASSERT(failed(heartbeat_open(span_of(note->data, i), &key, &read)));
    }
    MUST(heartbeat_open(bytes_span(note), &key, &read));
    keypair_free(&signer);
}

static void test_a_plain_checkpoint_is_no_heartbeat(void)
{
    begin();
    struct heartbeat made = some(), read;
    char body[CHECKPOINT_BODY_ROOM];
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    OWNED(bytes) note = NULL;
    size_t size = checkpoint_body(&made.head, body, sizeof body);
    MUST(keypair_sign_message(signer, span_of(body, size), signature));
    MUST(checkpoint_note(&made.head, &key, signature, &note));
    MUST_FAIL(BAD_FRAME, heartbeat_open(bytes_span(note), &key, &read));
    keypair_free(&signer);
}

static void test_other_forms_of_a_time_are_refused(void)
{
    static const char *const lines[] = {"time 01795267800\n",
                                        "time -5\n",
                                        "time \n",
                                        "time 1 2\n",
                                        "Time 1795267800\n",
                                        "time 253402300800\n",
                                        "time 1795267800\nmore\n"};
    begin();
    struct heartbeat made = some(), read;
    char text[HEARTBEAT_BODY_ROOM + 40], body[CHECKPOINT_BODY_ROOM];
    checkpoint_body(&made.head, body, sizeof body);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        snprintf(text, sizeof text, "%s%s", body, lines[i]);
        OWNED(bytes) note = signed_text(text);
        MUST_FAIL(BAD_FRAME, heartbeat_open(bytes_span(note), &key, &read));
    }
    snprintf(text, sizeof text, "%stime 0\n", body);
    OWNED(bytes) note = signed_text(text);
    MUST(heartbeat_open(bytes_span(note), &key, &read));
    keypair_free(&signer);
}

static void test_another_key_is_refused(void)
{
    begin();
    struct heartbeat made = some(), read;
    OWNED(bytes) note = NULL;
    OWNED(keypair) other = NULL;
    OWNED(bytes) public = NULL;
    struct note_key foreign;
    MUST(heartbeat_make(&made, &key, signer, &note));
    MUST(keypair_make(KEY_ED25519, &other));
    MUST(keypair_public(other, &public));
    MUST(note_key_make(ORIGIN, NOTE_LOG, public->data, &foreign));
    MUST_FAIL(SIGNATURE_BAD, heartbeat_open(bytes_span(note), &foreign, &read));
    keypair_free(&signer);
}

SUITE(heartbeat, TEST(test_what_was_made_is_read), TEST(test_a_byte_less_or_another_is_refused),
      TEST(test_a_plain_checkpoint_is_no_heartbeat), TEST(test_other_forms_of_a_time_are_refused),
      TEST(test_another_key_is_refused))
