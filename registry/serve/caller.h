// SPDX-License-Identifier: MIT
/*
 * caller - who counts as one when what strangers may ask for is bounded.
 */
#ifndef REGISTRY_SERVE_CALLER_H
#define REGISTRY_SERVE_CALLER_H

#include "lib/base/bytes.h"

#include <sys/socket.h>

/* An IPv4 caller is the 4 bytes of its address, also when an IPv6 socket took the call (RFC 4291
 * 2.5.5.2); an IPv6 caller has a whole /64, 8 bytes, but ::1 is itself. What comes through a proxy
 * has the proxy's source. Lent from the address; empty for any other family. */
struct span caller_source(const struct sockaddr *address);

#endif
