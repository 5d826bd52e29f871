// SPDX-License-Identifier: MIT
#include "registry/serve/caller.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

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

static bool are_one(const char *left, const char *right)
{
    struct sockaddr_storage one = address_of(left), other = address_of(right);
    return span_equal(caller_source((const struct sockaddr *)&one),
                      caller_source((const struct sockaddr *)&other));
}

static void test_each_ipv4_address_is_a_caller(void)
{
    CU_ASSERT(are_one("192.0.2.1", "192.0.2.1"));
    CU_ASSERT_FALSE(are_one("192.0.2.1", "192.0.2.2"));
}

static void test_so_it_is_over_an_ipv6_socket(void)
{
    CU_ASSERT(are_one("::ffff:192.0.2.1", "192.0.2.1"));
    CU_ASSERT_FALSE(are_one("::ffff:192.0.2.1", "::ffff:192.0.2.2"));
    CU_ASSERT_FALSE(are_one("::ffff:192.0.2.1", "::1"));
}

static void test_an_ipv6_caller_is_its_network(void)
{
    CU_ASSERT(are_one("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff"));
    CU_ASSERT_FALSE(are_one("2001:db8:0:1::1", "2001:db8:0:2::1"));
    CU_ASSERT_FALSE(are_one("::1", "::2"));
    CU_ASSERT_FALSE(are_one("::1", "127.0.0.1"));
}

static void test_another_family_has_no_source(void)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    CU_ASSERT_EQUAL(caller_source((const struct sockaddr *)&local).size, 0);
}

SUITE(caller, TEST(test_each_ipv4_address_is_a_caller), TEST(test_so_it_is_over_an_ipv6_socket),
      TEST(test_an_ipv6_caller_is_its_network), TEST(test_another_family_has_no_source))
