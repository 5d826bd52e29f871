// SPDX-License-Identifier: MIT
#include "lib/bus/anchor_file.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/certificate.h"
#include "lib/crypto/keypair.h"
#include "tests/unit/unit.h"

#include <stdio.h>

#define MADE_S INT64_C(1795267800)
#define DAY_S 86400

static struct bytes *ca_pem;

/* A country's anchor, complete. */
static struct anchor_file *some(void)
{
    static const struct certificate_subject authority = {
        .country = "CO", .organisation = "Autoridad", .server = "root"};
    struct anchor_file *self = owned_new(sizeof *self);
    OWNED(keypair) log = NULL;
    OWNED(bytes) public = NULL;
    if (ca_pem == NULL) {
        OWNED(keypair) key = NULL;
        OWNED(certificate) ca = NULL;
        MUST(keypair_make(KEY_P256, &key));
        MUST(certificate_make_ca(key, &authority, MADE_S * 1000, (MADE_S + DAY_S) * 1000, &ca));
        MUST(certificate_pem(ca, &ca_pem));
    }
    uint8_t seed[KEY_SEED_BYTES] = {9};
    MUST(keypair_from_raw(KEY_ED25519, seed, &log));
    MUST(keypair_public(log, &public));
    MUST(note_key_make("chaski/CO/directory", NOTE_LOG, public->data, &self->directory));
    MUST(anchor_file_add_pem(self, bytes_span(ca_pem)));
    snprintf(self->instance, sizeof self->instance, "CO");
    snprintf(self->address[0], sizeof self->address[0], "https://registro.example/chaski");
    snprintf(self->address[1], sizeof self->address[1], "http://[::1]:8080");
    self->addresses = 2;
    snprintf(self->push[0].address, sizeof self->push[0].address, "tcp://registro.example:7200");
    memset(self->push[0].key, 0x5a, sizeof self->push[0].key);
    self->pushes = 1;
    self->made_s = MADE_S;
    self->expires_s = MADE_S + DAY_S;
    return self;
}

static void test_what_was_written_is_read(void)
{
    OWNED(anchor_file) self = some();
    OWNED(anchor_file) read = NULL;
    OWNED(bytes) json = NULL;
    OWNED(bytes) pem = NULL;
    MUST(anchor_file_write(self, false, &json));
    MUST(anchor_file_parse(bytes_span(json), &read));
    CU_ASSERT_STRING_EQUAL(read->instance, "CO");
    CU_ASSERT_STRING_EQUAL(read->address[1], "http://[::1]:8080");
    CU_ASSERT_EQUAL(read->addresses, 2);
    CU_ASSERT_EQUAL(memcmp(&read->push[0], &self->push[0], sizeof self->push[0]), 0);
    CU_ASSERT_EQUAL(read->made_s, MADE_S);
    MUST(anchor_file_pem(read, &pem));
    CU_ASSERT(span_equal(bytes_span(pem), bytes_span(ca_pem)));
}

static void test_blanks_do_not_change_the_fingerprint_and_all_else_does(void)
{
    OWNED(anchor_file) self = some();
    OWNED(anchor_file) read = NULL;
    OWNED(bytes) pretty = NULL;
    char one[ANCHOR_FINGERPRINT_ROOM], other[ANCHOR_FINGERPRINT_ROOM];
    MUST(anchor_file_fingerprint(self, one));
    CU_ASSERT_EQUAL(strlen(one), 64 + 15);
    MUST(anchor_file_write(self, false, &pretty));
    MUST(anchor_file_parse(bytes_span(pretty), &read));
    MUST(anchor_file_fingerprint(read, other));
    CU_ASSERT_STRING_EQUAL(one, other);
    read->push[0].key[31] ^= 1;
    MUST(anchor_file_fingerprint(read, other));
    CU_ASSERT_STRING_NOT_EQUAL(one, other);
    read->push[0].key[31] ^= 1;
    read->expires_s++;
    MUST(anchor_file_fingerprint(read, other));
    CU_ASSERT_STRING_NOT_EQUAL(one, other);
}

/* The canonical text with one part replaced. */
static struct bytes *with(const char *what, const char *by)
{
    OWNED(anchor_file) self = some();
    OWNED(bytes) json = NULL;
    MUST(anchor_file_write(self, true, &json));
    MUST(bytes_append(json, span_of("", 1)));
    char *text = (char *)json->data, *at = strstr(text, what);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    struct bytes *out = bytes_empty(json->size + 100);
    MUST(bytes_append(out, span_of(text, (size_t)(at - text))));
    MUST(bytes_append_text(out, by));
    MUST(bytes_append_text(out, at + strlen(what)));
    return out;
}

static void test_what_is_no_anchor_is_refused(void)
{
    static const char *const changes[][2] = {
        {"\"chaski_anchor\":1", "\"chaski_anchor\":2"},
        {"\"instance\":\"CO\"", "\"instance\":\"CO/GOV\""},
        {"\"instance\":\"CO\"", "\"instance\":\"CO\\n\""},
        {"\"instance\":\"CO\"", "\"instance\":\"CO\",\"instance\":\"XX\""},
        {"\"instance\":\"CO\"", "\"instance\":\"CO\",\"more\":1"},
        {"\"instance\":\"CO\",", ""},
        {"http://[::1]:8080", "ftp://[::1]:8080"},
        {"http://[::1]:8080", "http://[::1]:8080/"},
        {"http://[::1]:8080", "http://user@host"},
        {"http://[::1]:8080", "http://host/?a"},
        {"http://[::1]:8080", "http://"},
        {"tcp://registro.example:7200", "ipc:///tmp/a"},
        {"5a5a", "5A5a"},
        {"5a5a", "5a"},
        {"chaski/CO/directory+", "chaski/CO/director+"},
        {"\"made\":1795267800", "\"made\":1795267800.0"},
        {"\"made\":1795267800", "\"made\":1895267800"},
        {"\"trust\":[\"", "\"trust\":[\"!"},
        {"}", ""},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        OWNED(bytes) json = with(changes[i][0], changes[i][1]);
        OWNED(anchor_file) read = NULL;
        fault f = anchor_file_parse(bytes_span(json), &read);
        CU_ASSERT_EQUAL(f.code, BAD_CONFIG);
        if (f.code != BAD_CONFIG)
            fprintf(stderr, "  taken: %s\n", changes[i][1]);
    }
}

static void test_an_expired_one_and_one_of_tomorrow_say_so(void)
{
    OWNED(anchor_file) self = some();
    MUST(anchor_file_check_time(self, (MADE_S + 10) * 1000));
    MUST(anchor_file_check_time(self, (MADE_S - DAY_S + 10) * 1000));
    MUST_FAIL(BAD_CONFIG, anchor_file_check_time(self, (MADE_S + DAY_S + 1) * 1000));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "expired"));
    MUST_FAIL(BAD_CONFIG, anchor_file_check_time(self, (MADE_S - 2 * DAY_S) * 1000));
    CU_ASSERT_PTR_NOT_NULL(strstr(fault_detail(), "clock"));
}

static void test_the_certificates_of_an_anchor_are_trusted(void)
{
    OWNED(anchor_file) self = some();
    OWNED(bytes) pem = NULL;
    OWNED(trust) trust = NULL;
    MUST(anchor_file_pem(self, &pem));
    MUST(trust_read(bytes_span(pem), &trust));
    MUST_FAIL(CERTIFICATE_BAD, trust_read(span_of_text("nothing"), &trust));
    MUST_FAIL(BAD_CONFIG, anchor_file_add_pem(self, span_of_text("-----BEGIN CERTIFICATE-----\n"
                                                                 "!\n"
                                                                 "-----END CERTIFICATE-----\n")));
    bytes_free(&ca_pem);
}

SUITE(anchor_file, TEST(test_what_was_written_is_read),
      TEST(test_blanks_do_not_change_the_fingerprint_and_all_else_does),
      TEST(test_what_is_no_anchor_is_refused), TEST(test_an_expired_one_and_one_of_tomorrow_say_so),
      TEST(test_the_certificates_of_an_anchor_are_trusted))
