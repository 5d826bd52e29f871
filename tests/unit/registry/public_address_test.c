// SPDX-License-Identifier: MIT
#include "registry/public_address.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static struct sockaddr_storage address_of(const char *text)
{
    struct sockaddr_storage place = {0};
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)&place;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&place;
    if (strchr(text, ':') == NULL) {
        four->sin_family = AF_INET;
        CU_ASSERT_EQUAL_FATAL(inet_pton(AF_INET, text, &four->sin_addr), 1);
    } else {
        six->sin6_family = AF_INET6;
        CU_ASSERT_EQUAL_FATAL(inet_pton(AF_INET6, text, &six->sin6_addr), 1);
    }
    return place;
}

static bool is_public(const char *text)
{
    struct sockaddr_storage place = address_of(text);
    return public_address_is((const struct sockaddr *)&place);
}

static bool is_own(const char *text)
{
    struct sockaddr_storage place = address_of(text);
    return public_address_is_own((const struct sockaddr *)&place);
}

static void test_what_is_in_the_internet_is_called(void)
{
    static const char *const open[] = {
        "8.8.8.8",         "1.1.1.1",         "100.63.255.255", "100.128.0.0",    "172.15.255.255",
        "172.32.0.0",      "192.167.255.255", "192.169.0.0",    "198.17.255.255", "198.20.0.0",
        "223.255.255.255", "2a00:1450::1",    "2001:4860::1",   "2001:200::1",    "2003::1"};
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
        CU_ASSERT_TRUE(is_public(open[i]));
}

static void test_what_is_inside_is_not(void)
{
    static const char *const closed[] = {"0.0.0.0",
                                         "10.1.2.3",
                                         "100.64.0.1",
                                         "100.127.255.255",
                                         "127.0.0.1",
                                         "127.255.0.1",
                                         "169.254.169.254",
                                         "172.16.0.1",
                                         "172.31.255.255",
                                         "192.0.0.8",
                                         "192.0.2.1",
                                         "192.168.1.1",
                                         "198.18.0.1",
                                         "198.19.255.255",
                                         "198.51.100.7",
                                         "203.0.113.9",
                                         "224.0.0.1",
                                         "239.1.1.1",
                                         "240.0.0.1",
                                         "255.255.255.255",
                                         "::",
                                         "::1",
                                         "::ffff:8.8.8.8",
                                         "::8.8.8.8",
                                         "64:ff9b::8.8.8.8",
                                         "fe80::1",
                                         "fc00::1",
                                         "fd12::1",
                                         "ff02::1",
                                         "2001::1",
                                         "2001:1ff::1",
                                         "2001:db8::1",
                                         "2002:808:808::1",
                                         "3fff::1",
                                         "100::1"};
    for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++) {
        CU_ASSERT_FALSE(is_public(closed[i]));
        if (is_public(closed[i]))
            fprintf(stderr, "  %s\n", closed[i]);
    }
}

static void test_another_family_is_not(void)
{
    struct sockaddr local = {.sa_family = AF_UNIX};
    CU_ASSERT_FALSE(public_address_is(&local));
}

static void test_this_machine_knows_its_own(void)
{
    CU_ASSERT_TRUE(is_own("127.0.0.1"));
    CU_ASSERT_FALSE(is_own("192.0.2.77"));
    CU_ASSERT_FALSE(is_own("2001:db8::77"));
}

SUITE(public_address, TEST(test_what_is_in_the_internet_is_called),
      TEST(test_what_is_inside_is_not), TEST(test_another_family_is_not),
      TEST(test_this_machine_knows_its_own))
