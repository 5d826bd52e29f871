// SPDX-License-Identifier: MIT
/*
 * public_address - may this machine be sent to an address that a stranger names?
 *
 * Only to what is somebody else's in the whole Internet (IANA's special-purpose registries, RFC
 * 6890 and what came since), and never to this machine's own addresses, which let in more from
 * here than from outside.
 */
#ifndef REGISTRY_PUBLIC_ADDRESS_H
#define REGISTRY_PUBLIC_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* IPv4 or IPv6; any other family is not. */
bool public_address_is(const struct sockaddr *address);
/* Has one of this machine's interfaces this address? Also when that cannot be found out. */
bool public_address_is_own(const struct sockaddr *address);

#endif
