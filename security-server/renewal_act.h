// SPDX-License-Identifier: MIT
/*
 * renewal_act - may the process that holds the signing key approve this act? It is asked by one
 * that stands on the network, which shall not give this server keys of somebody else (decision
 * 0030).
 */
#ifndef SERVER_RENEWAL_ACT_H
#define SERVER_RENEWAL_ACT_H

#include "lib/bus/letter.h"
#include "lib/bus/limits.h"
#include "lib/crypto/p256.h"

struct Chaski__Act; /* directory.pb-c.h */

struct renewal_own {
    const char *server;
    uint8_t now[P256_POINT_BYTES], next[P256_POINT_BYTES]; /* the signing key, and the next one */
    size_t seals;
    uint8_t seal_id[SEAL_KEYS_MAX][SEAL_KEY_ID_BYTES];
};

/* REFUSED unless it sets this server, with certificates of its two keys only, the next one's first,
 * and with its sealing keys only. */
fault renewal_act_check(const struct renewal_own *own, const struct Chaski__Act *act);

#endif
