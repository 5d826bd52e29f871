// SPDX-License-Identifier: MIT
/* The worked example of the evidence format, made by Go's note package, and what must not pass. */
#include "lib/crypto/note.h"
#include "tests/unit/crypto/fixture.h"

#define BODY "log.example/a\n5\n/hSlQm+9cMD6c/UjQq/tDaC9I8SDhmLM9riKMHDq2Xs=\n"
#define LOG_LINE                                                                          \
    "— log.example/a hwgG+DlzaKr97/3fFDYyorz5IJxU+0BN9ecvYLMPEbLigR2obksviBN4e7DTyUvD/" \
    "W7BYoam06BXE6goEDbvAd21+w8=\n"
#define WITNESS_LINE                                                                      \
    "— wit.example/w mkIfwAAAAABlU/EAzWQ4h5NWp4ONGmjuUIXAHo4wAEBwGGCgWn94x8DcNw8NXEe9+" \
    "O6lsGc39c7vtTs/eFG3yg+B12PK528/991GCg==\n"
#define LOG_VKEY "log.example/a+870806f8+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
#define WITNESS_VKEY "wit.example/w+9a421fc0+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU"
#define TIME_S 1700000000

static struct keypair *signer_of(uint8_t seed_byte)
{
    struct keypair *key = NULL;
    uint8_t seed[KEY_SEED_BYTES];
    memset(seed, seed_byte, sizeof seed);
    MUST(keypair_from_raw(KEY_ED25519, seed, &key));
    return key;
}

static struct note_key key_of(const struct keypair *signer, const char *name, uint8_t type)
{
    OWNED(bytes) public = NULL;
    struct note_key key;
    MUST(keypair_public(signer, &public));
    MUST(note_key_make(name, type, public->data, &key));
    return key;
}

static struct note_key parsed(const char *vkey)
{
    struct note_key key;
    MUST(note_key_parse(span_of_text(vkey), &key));
    return key;
}

static struct checkpoint worked_checkpoint(void)
{
    struct checkpoint checkpoint = {.origin = "log.example/a", .size = 5};
    MUST(
        text_unhex(span_of_text("fe14a5426fbd70c0fa73f52342afed0da0bd23c4838662ccf6b88a3070ead97b"),
                   checkpoint.root.at, SHA256_BYTES));
    return checkpoint;
}

static void test_the_worked_keys_come_out(void)
{
    OWNED(keypair) log_signer = signer_of(1);
    OWNED(keypair) witness_signer = signer_of(2);
    struct note_key log = key_of(log_signer, "log.example/a", NOTE_LOG);
    struct note_key witness = key_of(witness_signer, "wit.example/w", NOTE_WITNESS);
    char text[CHECKPOINT_BODY_ROOM];
    note_key_text(&log, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, LOG_VKEY);
    note_key_text(&witness, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, WITNESS_VKEY);
    struct note_key again = parsed(WITNESS_VKEY);
    CU_ASSERT_STRING_EQUAL(again.name, "wit.example/w");
    CU_ASSERT_EQUAL(again.type, NOTE_WITNESS);
    CU_ASSERT(memcmp(again.public_key, witness.public_key, sizeof again.public_key) == 0);
}

static void test_the_worked_note_comes_out_byte_for_byte(void)
{
    OWNED(keypair) log_signer = signer_of(1);
    OWNED(keypair) witness_signer = signer_of(2);
    struct note_key log = key_of(log_signer, "log.example/a", NOTE_LOG);
    struct note_key witness = key_of(witness_signer, "wit.example/w", NOTE_WITNESS);
    struct checkpoint checkpoint = worked_checkpoint();
    char body[CHECKPOINT_BODY_ROOM + 64];
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    OWNED(bytes) note = NULL;
    size_t size = checkpoint_body(&checkpoint, body, sizeof body);
    CU_ASSERT_STRING_EQUAL(body, BODY);
    MUST(keypair_sign_message(log_signer, span_of(body, size), signature));
    MUST(checkpoint_note(&checkpoint, &log, signature, &note));
    CU_ASSERT(span_is_text(bytes_span(note), BODY "\n" LOG_LINE));
    size = cosignature_body(&checkpoint, TIME_S, body, sizeof body);
    MUST(keypair_sign_message(witness_signer, span_of(body, size), signature));
    MUST(cosignature_append(note, &witness, TIME_S, signature));
    CU_ASSERT(span_is_text(bytes_span(note), BODY "\n" LOG_LINE WITNESS_LINE));
}

static void test_the_worked_note_opens(void)
{
    struct note_key log = parsed(LOG_VKEY);
    struct note_key witness = parsed(WITNESS_VKEY);
    struct checkpoint expected = worked_checkpoint();
    struct checkpoint read;
    uint64_t time_s = 0;
    struct span note = span_of_text(BODY "\n" LOG_LINE WITNESS_LINE);
    MUST(checkpoint_open(note, &log, &read));
    CU_ASSERT_STRING_EQUAL(read.origin, expected.origin);
    CU_ASSERT_EQUAL(read.size, 5);
    CU_ASSERT(sha256_equal(&read.root, &expected.root));
    MUST(cosignature_open(note, &witness, &read, &time_s));
    CU_ASSERT_EQUAL(time_s, TIME_S);
    CU_ASSERT_EQUAL(read.size, 5);
    MUST(checkpoint_open(span_of_text(BODY "\n" WITNESS_LINE LOG_LINE), &log, &read));
}

static void test_a_key_counts_for_its_own_type_only(void)
{
    struct note_key log = parsed(LOG_VKEY);
    struct note_key witness = parsed(WITNESS_VKEY);
    struct checkpoint read;
    uint64_t time_s = 0;
    struct span note = span_of_text(BODY "\n" LOG_LINE WITNESS_LINE);
    MUST_FAIL(SIGNATURE_BAD, checkpoint_open(note, &witness, &read));
    MUST_FAIL(SIGNATURE_BAD, cosignature_open(note, &log, &read, &time_s));
    MUST_FAIL(SIGNATURE_BAD,
              cosignature_open(span_of_text(BODY "\n" LOG_LINE), &witness, &read, &time_s));
    MUST_FAIL(SIGNATURE_BAD, checkpoint_open(span_of_text(BODY "\n" WITNESS_LINE), &log, &read));
}

static void test_no_changed_byte_passes_both_keys(void)
{
    struct note_key log = parsed(LOG_VKEY);
    struct note_key witness = parsed(WITNESS_VKEY);
    char note[] = BODY "\n" LOG_LINE WITNESS_LINE;
    for (size_t i = 0; i + 1 < sizeof note; i++) {
        struct checkpoint read;
        uint64_t time_s = 0;
        note[i] ^= 1;
        fault by_log = checkpoint_open(span_of_text(note), &log, &read);
        fault by_witness = cosignature_open(span_of_text(note), &witness, &read, &time_s);
        CU_ASSERT(failed(by_log) || failed(by_witness));
        if (i < sizeof BODY - 1) {
            CU_ASSERT(failed(by_log));
            CU_ASSERT(failed(by_witness));
        }
        note[i] ^= 1;
    }
}

static enum fault_code opened(const char *note)
{
    struct note_key log = parsed(LOG_VKEY);
    struct checkpoint read;
    return checkpoint_open(span_of_text(note), &log, &read).code;
}

static void test_broken_notes_are_refused(void)
{
    static const char *const broken[] = {
        "",
        "\n",
        "\n\n",
        BODY,
        BODY "\n",
        BODY LOG_LINE,
        "\n" LOG_LINE,
        "log.example/a\n5\n\n" LOG_LINE,
        "log.example/a\n5\n/hSlQm+9cMD6c/UjQq/tDaC9I8SDhmLM9riKMHDq2Xs\n\n" LOG_LINE,
        "log.example/a\n5\n/hSlQm+9cMD6c/UjQq/tDaC9I8SDhmLM9riKMHDq2Xt=\n\n" LOG_LINE,
        "log.example/a\n5\nAAAA\n\n" LOG_LINE,
        "log.example/a\n05\n/hSlQm+9cMD6c/UjQq/tDaC9I8SDhmLM9riKMHDq2Xs=\n\n" LOG_LINE,
        "log.example/a\n+5\n/hSlQm+9cMD6c/UjQq/tDaC9I8SDhmLM9riKMHDq2Xs=\n\n" LOG_LINE,
        "log.example/a\n5 \n/hSlQm+9cMD6c/UjQq/tDaC9I8SDhmLM9riKMHDq2Xs=\n\n" LOG_LINE,
        "log.example/a\n\n/hSlQm+9cMD6c/UjQq/tDaC9I8SDhmLM9riKMHDq2Xs=\n\n" LOG_LINE,
        "log.example/a\n9223372036854775808\n/hSlQm+9cMD6c/UjQq/tDaC9I8SDhmLM9riKMHDq2Xs=\n"
        "\n" LOG_LINE,
        "\n5\n/hSlQm+9cMD6c/UjQq/tDaC9I8SDhmLM9riKMHDq2Xs=\n\n" LOG_LINE,
        BODY "\r\n" LOG_LINE,
        BODY "\n\n" LOG_LINE,
        BODY "\n" LOG_LINE "\n",
        BODY "\n" LOG_LINE "x\n",
        BODY "\n" LOG_LINE "— other.example AAAA\n",
        BODY "\n" LOG_LINE "— other.example AAAAAAA\n",
        BODY "\n" LOG_LINE "—  AAAAAAAA\n",
        BODY "\n" LOG_LINE "— a+b AAAAAAAA\n",
        BODY "\n" LOG_LINE "- other.example AAAAAAAA\n",
        BODY "\n" LOG_LINE "— other.example\tAAAAAAAA\n",
        BODY "\n" LOG_LINE "— other.example AAAAAAAA",
        BODY "\n" LOG_LINE "— \xff AAAAAAAA\n",
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        CU_ASSERT_EQUAL(opened(broken[i]), BAD_FRAME);
}

static void test_unknown_signatures_are_passed_over(void)
{
    CU_ASSERT_EQUAL(opened(BODY "\n— other.example AAAAAAAA\n" LOG_LINE), OK);
    /* the name without the id, and the id without the name */
    CU_ASSERT_EQUAL(opened(BODY "\n— log.example/a AAAAAAAA\n" LOG_LINE), OK);
    CU_ASSERT_EQUAL(opened(BODY "\n— log.example/b hwgG+AAA\n" LOG_LINE), OK);
    CU_ASSERT_EQUAL(opened(BODY "\n— log.example/a AAAAAAAA\n"), SIGNATURE_BAD);
}

static void test_one_bad_signature_of_the_key_spoils_the_note(void)
{
    CU_ASSERT_EQUAL(opened(BODY "\n" LOG_LINE "— log.example/a hwgG+AAA\n"), SIGNATURE_BAD);
    CU_ASSERT_EQUAL(opened(BODY "\n" LOG_LINE LOG_LINE), OK);
}

static void test_forty_signature_lines_are_accepted(void)
{
    OWNED(bytes) note = bytes_empty(NOTE_BYTES_MAX);
    struct note_key log = parsed(LOG_VKEY);
    struct checkpoint read;
    MUST(bytes_append_text(note, BODY "\n"));
    for (int i = 0; i < 40; i++)
        MUST(bytes_append_text(note, WITNESS_LINE));
    MUST(bytes_append_text(note, LOG_LINE));
    MUST(checkpoint_open(bytes_span(note), &log, &read));
    while (note->size <= NOTE_BYTES_MAX)
        MUST(bytes_append_text(note, WITNESS_LINE));
    MUST_FAIL(BAD_FRAME, checkpoint_open(bytes_span(note), &log, &read));
}

static void test_extension_lines_are_signed_with_the_rest(void)
{
    OWNED(keypair) signer = signer_of(1);
    struct note_key log = key_of(signer, "log.example/a", NOTE_LOG);
    struct checkpoint checkpoint = worked_checkpoint();
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    MUST(keypair_sign_message(signer, span_of_text(BODY "extension\n"), signature));
    OWNED(bytes) plain = NULL;
    OWNED(bytes) extended = bytes_empty(1000);
    MUST(checkpoint_note(&checkpoint, &log, signature, &plain));
    struct span line = span_of(plain->data + sizeof BODY - 1, plain->size - (sizeof BODY - 1));
    MUST(bytes_append_text(extended, BODY "extension\n"));
    MUST(bytes_append(extended, line));
    struct checkpoint read;
    MUST(checkpoint_open(bytes_span(extended), &log, &read));
    MUST_FAIL(SIGNATURE_BAD, checkpoint_open(bytes_span(plain), &log, &read));
}

static void test_signed_text_that_is_not_plain_is_refused(void)
{
    static const char *const texts[] = {BODY "a\ttab\n", BODY "a\xff\n", BODY "a\rb\n"};
    OWNED(keypair) signer = signer_of(1);
    struct note_key log = key_of(signer, "log.example/a", NOTE_LOG);
    struct checkpoint checkpoint = worked_checkpoint();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint8_t signature[ED25519_SIGNATURE_BYTES];
        OWNED(bytes) plain = NULL;
        OWNED(bytes) note = bytes_empty(1000);
        struct checkpoint read;
        MUST(keypair_sign_message(signer, span_of_text(texts[i]), signature));
        MUST(checkpoint_note(&checkpoint, &log, signature, &plain));
        struct span line = span_of(plain->data + sizeof BODY - 1, plain->size - (sizeof BODY - 1));
        MUST(bytes_append_text(note, texts[i]));
        MUST(bytes_append(note, line));
        MUST_FAIL(BAD_FRAME, checkpoint_open(bytes_span(note), &log, &read));
    }
}

static void test_a_checkpoint_of_another_origin_is_refused(void)
{
    OWNED(keypair) signer = signer_of(1);
    struct note_key log = key_of(signer, "log.example/a", NOTE_LOG);
    struct note_key renamed = key_of(signer, "log.example/b", NOTE_LOG);
    struct checkpoint checkpoint = worked_checkpoint();
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    OWNED(bytes) note = NULL;
    struct checkpoint read;
    MUST(keypair_sign_message(signer, span_of_text(BODY), signature));
    MUST_FAIL(BAD_NAME, checkpoint_note(&checkpoint, &renamed, signature, &note));
    /* the same key, under the name that the note does not carry */
    MUST(checkpoint_note(&checkpoint, &log, signature, &note));
    MUST_FAIL(SIGNATURE_BAD, checkpoint_open(bytes_span(note), &renamed, &read));
    /* the line of log a on a checkpoint of log b, soundly signed */
    char other[] = BODY;
    other[12] = 'b';
    MUST(keypair_sign_message(signer, span_of_text(other), signature));
    bytes_free(&note);
    MUST(checkpoint_note(&checkpoint, &log, signature, &note));
    note->data[12] = 'b';
    MUST_FAIL(SIGNATURE_BAD, checkpoint_open(bytes_span(note), &log, &read));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "origin"));
}

static void test_names_keep_to_the_specification(void)
{
    static const char *const bad[] = {
        "",      "a b",  "a+b",       "a\nb",         "a\tb",
        "a\x7f", "\xff", "a\xc2\xa0", "\xe3\x80\x80", "\xe2\x80\x8a",
    };
    uint8_t public[ED25519_PUBLIC_BYTES] = {1};
    char longest[NOTE_NAME_BYTES_MAX + 1];
    struct note_key key;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        MUST_FAIL(BAD_NAME, note_key_make(bad[i], NOTE_LOG, public, &key));
    memset(longest, 'n', sizeof longest);
    longest[NOTE_NAME_BYTES_MAX] = '\0';
    MUST_FAIL(BAD_NAME, note_key_make(longest, NOTE_LOG, public, &key));
    longest[NOTE_NAME_BYTES_MAX - 1] = '\0';
    MUST(note_key_make(longest, NOTE_LOG, public, &key));
    char text[CHECKPOINT_BODY_ROOM];
    note_key_text(&key, text, sizeof text); /* fits the room it promises */
    struct note_key again = parsed(text);
    CU_ASSERT_STRING_EQUAL(again.name, longest);
    MUST_FAIL(BAD_KEY, note_key_make("a", 0x02, public, &key));
    MUST(note_key_make("registro.gob.example/ñ", NOTE_LOG, public, &key));
}

static void test_broken_verifier_keys_are_refused(void)
{
    static const char *const bad[] = {
        "",
        "log.example/a",
        "log.example/a+870806f8",
        "log.example/a+870806f8+",
        "log.example/a+870806f9+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",
        "log.example/b+870806f8+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",
        "log.example/a+870806f8+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D2",
        "log.example/a+870806f+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",
        "log.example/a+870806f8+AoqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",
        LOG_VKEY "\n",
    };
    struct note_key key;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        MUST_FAIL(BAD_KEY, note_key_parse(span_of_text(bad[i]), &key));
}

static void test_stock_openssl_verifies_a_signature_line(void)
{
    const char *folder = unit_folder();
    struct note_key log = parsed(LOG_VKEY);
    uint8_t der[44];
    MUST(text_unhex(span_of_text("302a300506032b6570032100"), der, 12));
    memcpy(der + 12, log.public_key, 32);
    OWNED(bytes) line = NULL;
    const char *base64 = LOG_LINE + strlen("— log.example/a ");
    MUST(text_unbase64(span_of(base64, strlen(base64) - 1), &line));
    struct fixture_path key = fixture_write(folder, "k.der", span_of(der, sizeof der));
    struct fixture_path body = fixture_write(folder, "msg", span_of_text(BODY));
    struct fixture_path sig = fixture_write(folder, "sig", span_of(line->data + 4, 64));
    CU_ASSERT_EQUAL(FIXTURE_OPENSSL("pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey",
                                    key.at, "-rawin", "-in", body.at, "-sigfile", sig.at),
                    0);
}

SUITE(note, TEST(test_the_worked_keys_come_out), TEST(test_the_worked_note_comes_out_byte_for_byte),
      TEST(test_the_worked_note_opens), TEST(test_a_key_counts_for_its_own_type_only),
      TEST(test_no_changed_byte_passes_both_keys), TEST(test_broken_notes_are_refused),
      TEST(test_unknown_signatures_are_passed_over),
      TEST(test_one_bad_signature_of_the_key_spoils_the_note),
      TEST(test_forty_signature_lines_are_accepted),
      TEST(test_extension_lines_are_signed_with_the_rest),
      TEST(test_signed_text_that_is_not_plain_is_refused),
      TEST(test_a_checkpoint_of_another_origin_is_refused),
      TEST(test_names_keep_to_the_specification), TEST(test_broken_verifier_keys_are_refused),
      TEST(test_stock_openssl_verifies_a_signature_line))
