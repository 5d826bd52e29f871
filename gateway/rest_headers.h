// SPDX-License-Identifier: MIT
/*
 * rest_headers - which header fields travel, and what the X-Road and Chaski ones say.
 * Source: X-Road PR-REST 4.3, 4.4, 4.6 and ref B.3, B.4.
 *
 * Kept: order, case, duplicates. Two things are stricter than X-Road. Of a field that decides who
 * is speaking only the last one travels (X-Road decides by the last, forwards all, and leaves a
 * service that reads the first to believe a forged one). And a service cannot forge our receipt.
 */
#ifndef GATEWAY_REST_HEADERS_H
#define GATEWAY_REST_HEADERS_H

#include "gateway/rest_message.h"
#include "lib/bus/bus_id.h"

/* Fields between two neighbours, never carried: Connection, Host, Content-Length, ... */
bool rest_headers_removed(struct span name);

/* What of a caller's request travels. */
void rest_headers_of_request(const struct http_head *head, struct rest_fields *out);
/* What of a service's answer travels; used at both ends. At most one Date. */
void rest_headers_of_response(const struct http_field *field, size_t count,
                              struct rest_fields *out);
/* Adds one of ours at the end. */
void rest_headers_add(struct rest_fields *self, const char *name, struct span value);
/* The last field of this name; at == NULL when there is none. */
struct span rest_headers_last(const struct rest_fields *self, const char *name);

/* For fields that came from a peer: names are tokens, values hold no control bytes, and none is of
 * the removed kind. BAD_FRAME otherwise. */
fault rest_headers_check(const struct rest_fields *self);

/* What a caller's request wants, besides its target. */
struct rest_want {
    struct bus_id client;                        /* three or four parts */
    struct span message_id;                      /* X-Road-Id; at == NULL: to be made */
    char security_server[ID_TEXT_BYTES_MAX + 1]; /* canonical; "" when not chosen */
    char purpose[WORD_BYTES_MAX + 1];
    char procedure[WORD_BYTES_MAX + 1];
    char legal_basis[WORD_BYTES_MAX + 1];
    char case_ref[WORD_BYTES_MAX + 1];
    uint32_t wait_ms;
};

/* BAD_CLIENT, BAD_REQUEST (a word too long or not UTF-8, a wrong identifier), DEADLINE_BAD. */
fault rest_headers_read_want(const struct rest_fields *self, uint32_t default_wait_ms,
                             struct rest_want *out);

#endif
