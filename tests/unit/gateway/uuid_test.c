// SPDX-License-Identifier: MIT
#include "gateway/uuid.h"
#include "lib/net/z85.h"

#include "tests/unit/unit.h"

static void test_a_uuid_has_its_version_and_variant(void)
{
    uint8_t uuid[UUID_BYTES], other[UUID_BYTES];
    char text[UUID_TEXT_ROOM];
    uuid_make(uuid);
    uuid_make(other);
    uuid_text(uuid, text);
    CU_ASSERT_EQUAL(strlen(text), 36);
    CU_ASSERT_EQUAL(text[14], '4');
    CU_ASSERT_PTR_NOT_NULL(strchr("89ab", text[19]));
    CU_ASSERT_NOT_EQUAL(memcmp(uuid, other, sizeof uuid), 0);
}

static void test_the_text_is_the_bytes(void)
{
    static const uint8_t uuid[UUID_BYTES] = {0x5e, 0x0b, 0xd1, 0xf0, 0, 0, 0x40, 0,
                                             0x80, 0,    0,    0,    0, 0, 0,    1};
    char text[UUID_TEXT_ROOM];
    uuid_text(uuid, text);
    CU_ASSERT_STRING_EQUAL(text, "5e0bd1f0-0000-4000-8000-000000000001");
}

static void test_z85_reads_the_example_of_its_rfc(void)
{
    static const uint8_t wanted[8] = {0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b};
    uint8_t out[8];
    MUST(z85_read(span_of_text("HelloWorld"), out, sizeof out));
    CU_ASSERT_EQUAL(memcmp(out, wanted, sizeof out), 0);
    MUST_FAIL(BAD_REQUEST, z85_read(span_of_text("HelloWorl"), out, sizeof out));
    MUST_FAIL(BAD_REQUEST, z85_read(span_of_text("Hello\"orld"), out, sizeof out));
    MUST_FAIL(BAD_REQUEST, z85_read(span_of_text("#####World"), out, sizeof out));
}

SUITE(uuid, TEST(test_a_uuid_has_its_version_and_variant), TEST(test_the_text_is_the_bytes),
      TEST(test_z85_reads_the_example_of_its_rfc))
