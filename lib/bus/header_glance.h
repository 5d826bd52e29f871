// SPDX-License-Identifier: MIT
/*
 * header_glance - the few fields by which a leaf of our own log is sorted: without memory, and only
 * for bytes that header_decode once took. Of other bytes it tells anything or BAD_FRAME; nothing
 * outside of them is read.
 */
#ifndef BUS_HEADER_GLANCE_H
#define BUS_HEADER_GLANCE_H

#include "lib/bus/header.h"

/* Spans point into the bytes. */
struct header_glance {
    enum header_kind kind;
    struct span exchange_id; /* EXCHANGE_ID_BYTES */
    int64_t time_ms;
    struct span sender, sender_server, receiver_server, service;
    struct span subject; /* may be empty */
    uint32_t subject_year, fault, status;
    int64_t sealed_until_ms;
    bool has_late;
    struct late_receipt late;
};

fault header_glance(struct span bytes, struct header_glance *out);

#endif
