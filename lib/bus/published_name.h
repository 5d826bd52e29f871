// SPDX-License-Identifier: MIT
/*
 * published_name - which names a published directory can have, so that nothing else is ever looked
 * for on disk on a stranger's word.
 *
 *   checkpoint  authority.pem  heartbeat  snapshot/newest  snapshot/<N>
 *   subject-keys/<year>/<64 hex digits>
 *   tile/entries/<N>[.p/<W>]  tile/<L>/<N>[.p/<W>]     N: "x001/x234/067"; L: 0..63; W: 1..255
 */
#ifndef BUS_PUBLISHED_NAME_H
#define BUS_PUBLISHED_NAME_H

#include "lib/base/bytes.h"

enum published_kind {
    PUBLISHED_NOT,       /* no name of a published directory */
    PUBLISHED_HEAD,      /* checkpoint */
    PUBLISHED_AUTHORITY, /* authority.pem */
    PUBLISHED_KEYS,      /* handovers */
    PUBLISHED_NEWS,      /* heartbeat, snapshot/newest: changes often */
    PUBLISHED_SEALED,    /* a key, sealed to one server */
    PUBLISHED_SNAPSHOT,  /* a state; its bytes never change */
    PUBLISHED_TILE       /* its bytes never change */
};

/* name: relative to the folder, as it came, with nothing decoded in it. */
enum published_kind published_name_kind(struct span name);

#endif
