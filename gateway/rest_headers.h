// SPDX-License-Identifier: MIT
/*
 * rest_headers - which header fields travel, and what the X-Road and Chaski ones say.
 * Source: X-Road PR-REST 4.3, 4.4, 4.6 and ref B.3, B.4.
 *
 * Kept: order, case, duplicates, but for the fields that are the bus's own: x-road-* and chaski-*.
 * Of those a caller's last one travels (X-Road decides by the last, forwards all, and leaves a
 * service that reads the first to believe a forged one), a service can send none, and whoever
 * spells them otherwise (X_Road_Client) sends nothing: CGI and WSGI would not tell them apart.
 */
#ifndef GATEWAY_REST_HEADERS_H
#define GATEWAY_REST_HEADERS_H

#include "gateway/rest_message.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/pseudonym.h"

/* Fields between two neighbours, never carried: Connection, Host, Content-Length, ... What a
 * Connection field names is not carried either, but that is seen in the whole head only. */
bool rest_headers_removed(struct span name);

/* Is there a field by which some services take another method or path than those that were asked
 * for: X-HTTP-Method-Override, X-Original-URL and their kin? */
bool rest_headers_override(const struct rest_fields *self);

/* What of a caller's request travels. */
void rest_headers_of_request(const struct http_head *head, struct rest_fields *out);
/* What of a service's answer travels: none of ours. At most one Date. */
void rest_headers_of_response(const struct http_field *field, size_t count,
                              struct rest_fields *out);
/* What of an answer that travelled is given to the caller: the same again, for the peer need not be
 * honest; only the Chaski-Total of its tables passes. */
void rest_headers_of_answer(const struct rest_fields *arrived, struct rest_fields *out);

/* What the security server knows of a call because it is signed. Never NULL. */
struct rest_facts {
    const char *client;   /* canonical */
    const char *exchange; /* UUID text */
    const char *purpose;  /* "" for none */
};

/* What a service of ours is told of a request that came from a peer: what is signed is written
 * anew. BAD_FRAME as rest_headers_check; BAD_REQUEST: a field of ours twice or otherwise spelt, or
 * one that says something else than the signed facts. */
fault rest_headers_of_call(const struct rest_fields *arrived, const struct rest_facts *facts,
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
    char requirement[WORD_BYTES_MAX + 1];
    uint32_t wait_ms;
};

/* Whom a request is about. These fields never travel: read them from the whole head, and wipe it.
 */
struct rest_subject {
    char person[PSEUDONYM_TEXT_ROOM]; /* normalised; "" when nobody is named */
    char sealing[WORD_BYTES_MAX + 1];
    int64_t sealed_until_ms; /* 0: it is not sealed */
};
/* SUBJECT_BAD, and never the number. */
fault rest_headers_read_subject(const struct http_head *head, struct rest_subject *out);

/* BAD_CLIENT, BAD_REQUEST (a word too long or not UTF-8, a wrong identifier), DEADLINE_BAD. */
fault rest_headers_read_want(const struct rest_fields *self, uint32_t default_wait_ms,
                             struct rest_want *out);

#endif
