// SPDX-License-Identifier: MIT
/*
 * reach_call - calling back the addresses that a request for enrolment names, over IPv4 and IPv6.
 *
 * Only those addresses, only their ports; no private, reserved or own ones unless a setting says so
 * (public_address.h): who asks must not have the registry knock where he cannot. What is resolved
 * is what is called, so that a name cannot change between. Reached is who proves to hold the
 * request's transport key (lib/net/reach.h). The words name no address that a name stands for:
 * inside a network names may say more than outside.
 */
#ifndef REGISTRY_SERVE_REACH_CALL_H
#define REGISTRY_SERVE_REACH_CALL_H

#include "lib/base/fault.h"
#include "lib/bus/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REACH_WORDS_ROOM 160

/* What was seen, as both sides are shown it: "reached", "no address", "not reached: WHY",
 * "not tried: WHY". */
struct reach {
    char ipv4[REACH_WORDS_ROOM], ipv6[REACH_WORDS_ROOM];
    bool all; /* every family that has an address is reached, and there is one */
};

struct reach_ask {
    size_t addresses;
    const char *address[DIRECTORY_ADDRESSES_MAX]; /* tcp://HOST:PORT, see act_address */
    uint8_t transport_key[32];
    bool private_too;
};

/* Waits for the network; call it where no key is (errand.h). */
fault reach_call(const struct reach_ask *ask, struct reach *out);

#endif
