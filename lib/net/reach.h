// SPDX-License-Identifier: MIT
/*
 * reach - is it the holder of this transport key who listens at an address?
 *
 * A CURVE handshake (ZeroMQ RFC 26), carried to its end as a subscriber with a key of the moment:
 * only who has the secret half of the key can answer. Nothing else is said or heard.
 */
#ifndef NET_REACH_H
#define NET_REACH_H

#include "lib/net/socket.h"

enum reach_end {
    REACH_PROVEN,
    REACH_OTHER, /* somebody takes the connection, and does not show the key in time */
    REACH_NOBODY /* no connection */
};

/* address: tcp://IP:PORT or tcp://[IP]:PORT, no name. Waits, at most wait_ms for each of connection
 * and handshake. IO_FAILED when there is no socket for it. */
fault reach_try(const char *address, const uint8_t public_key[CURVE_KEY_BYTES], int wait_ms,
                enum reach_end *out);

#endif
