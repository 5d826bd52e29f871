// SPDX-License-Identifier: MIT
#include "registry/public_address.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct prefix {
    uint8_t at[16];
    unsigned bits;
};

/* Not to be reached from everywhere, or nobody's in particular. */
static const struct prefix closed4[] = {
    {{0}, 8},             /* this network */
    {{10}, 8},            /* private, RFC 1918 */
    {{100, 64}, 10},      /* shared by a carrier's customers, RFC 6598 */
    {{127}, 8},           /* this machine */
    {{169, 254}, 16},     /* link local; clouds' metadata */
    {{172, 16}, 12},      /* private */
    {{192, 0, 0}, 24},    /* IETF */
    {{192, 0, 2}, 24},    /* documentation */
    {{192, 88, 99}, 24},  /* 6to4 relays, RFC 7526 */
    {{192, 168}, 16},     /* private */
    {{198, 18}, 15},      /* benchmarks */
    {{198, 51, 100}, 24}, /* documentation */
    {{203, 0, 113}, 24},  /* documentation */
    {{224}, 4},           /* multicast */
    {{240}, 4},           /* reserved, broadcast */
};

/* Of what is given out at all, 2000::/3: IPv4 that is mapped or translated, unique local, link
 * local and multicast addresses lie outside. */
static const struct prefix given_out6 = {{0x20}, 3};
static const struct prefix closed6[] = {
    {{0x20, 0x01}, 23},             /* IETF: Teredo, benchmarks, ORCHID */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x20, 0x02}, 16},             /* 6to4: an IPv4 address inside */
    {{0x3f, 0xff}, 20},             /* documentation, RFC 9637 */
};

static bool lies_in(const uint8_t *address, const struct prefix *prefix)
{
    unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;
    if (memcmp(address, prefix->at, whole) != 0)
        return false;
    return rest == 0 || ((address[whole] ^ prefix->at[whole]) >> (8 - rest)) == 0;
}

static bool lies_in_one(const uint8_t *address, const struct prefix *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (lies_in(address, &list[i]))
            return true;
    return false;
}

static const uint8_t *bytes_of(const struct sockaddr *address)
{
    return address->sa_family == AF_INET
               ? (const uint8_t *)&((const struct sockaddr_in *)(const void *)address)->sin_addr
               : ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr;
}

bool public_address_is(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return !lies_in_one(bytes_of(address), closed4, sizeof closed4 / sizeof closed4[0]);
    return address->sa_family == AF_INET6 && lies_in(bytes_of(address), &given_out6) &&
           !lies_in_one(bytes_of(address), closed6, sizeof closed6 / sizeof closed6[0]);
}

bool public_address_is_own(const struct sockaddr *address)
{
    struct ifaddrs *all = NULL;
    bool found = false;
    size_t size = address->sa_family == AF_INET ? 4 : 16;
    if (getifaddrs(&all) != 0)
        return true;
    for (const struct ifaddrs *at = all; at != NULL && !found; at = at->ifa_next)
        found = at->ifa_addr != NULL && at->ifa_addr->sa_family == address->sa_family &&
                memcmp(bytes_of(at->ifa_addr), bytes_of(address), size) == 0;
    freeifaddrs(all);
    return found;
}
