// SPDX-License-Identifier: MIT
#include "tools/audit/anchors.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#define ONE "-----BEGIN CERTIFICATE-----\nb25l\n-----END CERTIFICATE-----\n" /* "one" */
#define TWO "-----BEGIN CERTIFICATE-----\r\ndH\r\ndv\r\n-----END CERTIFICATE-----\r\n"
#define OTHER "-----BEGIN TRUSTED CERTIFICATE-----\nb25l\n-----END TRUSTED CERTIFICATE-----\n"

static struct anchors *anchors_of(const char *pem, uint8_t key)
{
    char path[256];
    struct note_key authority;
    uint8_t public_key[ED25519_PUBLIC_BYTES];
    struct anchors *anchors = owned_new(sizeof *anchors);
    memset(public_key, key, sizeof public_key);
    snprintf(path, sizeof path, "%s/trust.pem", unit_folder());
    MUST(file_replace(path, span_of_text(pem), 0600));
    MUST(note_key_make("co/directory", NOTE_LOG, public_key, &authority));
    MUST(anchors_read(path, &authority, anchors));
    return anchors;
}

static bool same(const char *a, uint8_t key_a, const char *b, uint8_t key_b)
{
    struct anchors *left = anchors_of(a, key_a), *right = anchors_of(b, key_b);
    bool equal = anchors_equal(left, right);
    free(left);
    free(right);
    return equal;
}

static void test_a_fingerprint_is_of_the_certificates_bytes(void)
{
    struct anchors *anchors = anchors_of("a comment\n" ONE TWO, 1);
    struct sha256 one = SHA256_OF(span_of_text("one")), two = SHA256_OF(span_of_text("two"));
    bool first = sha256_equal(&anchors->certificate[0], &one);
    CU_ASSERT_EQUAL(anchors->certificates, 2);
    CU_ASSERT(sha256_equal(&anchors->certificate[first ? 0 : 1], &one));
    CU_ASSERT(sha256_equal(&anchors->certificate[first ? 1 : 0], &two));
    CU_ASSERT_FALSE(anchors->unread);
    CU_ASSERT(strncmp(anchors->vkey, "co/directory+", 13) == 0);
    free(anchors);
}

static void test_order_and_blanks_make_no_other_anchors(void)
{
    CU_ASSERT(same(ONE TWO, 1, TWO "\n" ONE, 1));
    CU_ASSERT_FALSE(same(ONE TWO, 1, ONE, 1));
    CU_ASSERT_FALSE(same(ONE, 1, TWO, 1));
    CU_ASSERT_FALSE(same(ONE, 1, ONE, 2));
}

static void test_a_block_of_another_kind_is_not_overlooked(void)
{
    struct anchors *anchors = anchors_of(ONE OTHER, 1);
    CU_ASSERT(anchors->unread);
    free(anchors);
    CU_ASSERT_FALSE(same(ONE, 1, ONE OTHER, 1));
    CU_ASSERT_FALSE(same(ONE, 1, ONE "-----BEGIN CERTIFICATE-----\nb25", 1));
    CU_ASSERT_FALSE(
        same(ONE, 1, ONE "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----", 1));
}

SUITE(anchors, TEST(test_a_fingerprint_is_of_the_certificates_bytes),
      TEST(test_order_and_blanks_make_no_other_anchors),
      TEST(test_a_block_of_another_kind_is_not_overlooked))
