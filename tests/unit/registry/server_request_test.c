// SPDX-License-Identifier: MIT
#include "registry/server_request.h"

#include "tests/unit/unit.h"

#include <stdio.h>

#define KEY "\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\""
#define SERVER "\"server\":\"CO/GOV/1/SS1\""
#define PKCS10 "\"certificate_request\":\"AAAA\""
#define TRANSPORT "\"transport_key\":" KEY
#define SEALS "\"seal_keys\":[" KEY "]"
#define LOG "\"log_vkey\":\"x\""
#define ADDRESSES "\"addresses\":[\"tcp://a:1\"]"
#define ALL SERVER "," PKCS10 "," TRANSPORT "," SEALS "," LOG "," ADDRESSES

static void test_a_sound_request_is_read(void)
{
    OWNED(server_request) self = NULL;
    MUST(server_request_parse(span_of_text("{" ALL "}"), &self));
    CU_ASSERT_STRING_EQUAL(self->server, "CO/GOV/1/SS1");
    CU_ASSERT_EQUAL(self->certificate_request->size, 3);
    CU_ASSERT_EQUAL(self->transport_key[1], 0x11);
    CU_ASSERT_EQUAL(self->seal_keys, 1);
    CU_ASSERT_EQUAL_FATAL(self->addresses, 1);
    CU_ASSERT_STRING_EQUAL(self->address[0], "tcp://a:1");
}

static void test_what_is_missing_doubled_or_unknown_is_refused(void)
{
    static const char *const bad[] = {
        "",
        "[]",
        "\"x\"",
        "{}",
        "{" ALL "} x",
        "{" ALL "," SERVER "}",
        "{" ALL ",\"subject\":\"CO/GOV/2\"}",
        "{" PKCS10 "," TRANSPORT "," SEALS "," LOG "," ADDRESSES "}",
        "{\"server\":5," PKCS10 "," TRANSPORT "," SEALS "," LOG "," ADDRESSES "}",
        "{\"server\":\"CO\\u0000\"," PKCS10 "," TRANSPORT "," SEALS "," LOG "," ADDRESSES "}",
        "{" SERVER ",\"certificate_request\":\"AA\"," TRANSPORT "," SEALS "," LOG "}",
        "{" SERVER "," PKCS10 ",\"transport_key\":\"00\"," SEALS "," LOG "," ADDRESSES "}",
        "{" SERVER "," PKCS10 "," TRANSPORT ",\"seal_keys\":[]," LOG "," ADDRESSES "}",
        "{" SERVER "," PKCS10 "," TRANSPORT ",\"seal_keys\":[5]," LOG "," ADDRESSES "}",
        "{" SERVER "," PKCS10 "," TRANSPORT "," SEALS "," LOG ",\"addresses\":[5]}",
        "{" SERVER "," PKCS10 "," TRANSPORT "," SEALS "," LOG
        ",\"addresses\":[\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"]}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        OWNED(server_request) self = NULL;
        fault f = server_request_parse(span_of_text(bad[i]), &self);
        if (f.code != REFUSED)
            fprintf(stderr, "  %s: %s\n", bad[i], fault_name(f.code));
        CU_ASSERT_EQUAL(f.code, REFUSED);
    }
}

SUITE(server_request, TEST(test_a_sound_request_is_read),
      TEST(test_what_is_missing_doubled_or_unknown_is_refused))
