// SPDX-License-Identifier: MIT
#include "registry/serve/caller.h"

#include <netinet/in.h>

#define NETWORK_BYTES 8

static struct span source_of_six(const struct in6_addr *address)
{
    if (IN6_IS_ADDR_V4MAPPED(address))
        return span_of(address->s6_addr + 12, 4);
    if (IN6_IS_ADDR_LOOPBACK(address))
        return span_of(address->s6_addr, sizeof address->s6_addr);
    return span_of(address->s6_addr, NETWORK_BYTES);
}

struct span caller_source(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET6)
        return source_of_six(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
    if (address->sa_family == AF_INET)
        return span_of(&((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    return span_of("", 0);
}
