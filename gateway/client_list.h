// SPDX-License-Identifier: MIT
/*
 * client_list - members and subsystems as the two documents of X-Road's listClients, made page by
 * page. Pure. Source: X-Road PR-META; ref C.1.
 *
 * Elements of a member stand in the order of X-Road's schemas: id (xRoadInstance, memberClass,
 * memberCode, subsystemCode), name, subsystemName. What XML cannot hold becomes U+FFFD.
 */
#ifndef GATEWAY_CLIENT_LIST_H
#define GATEWAY_CLIENT_LIST_H

#include "gateway/front_line.h"

struct client_list {
    uint64_t epoch;
    uint32_t total, count; /* whole when they are the same */
    struct bytes *json;
    struct bytes *xml;
};

void client_list_begin(struct client_list *self, uint64_t epoch, uint32_t total);
/* BAD_FRAME: it is no identifier, or one too many. SERVICE_TOO_LARGE: over CLIENTS_BODY_BYTES_MAX.
 */
fault client_list_add(struct client_list *self, const struct front_client *client);
/* Closes both documents. BAD_FRAME: it is not whole. */
fault client_list_end(struct client_list *self);
void client_list_clear(struct client_list *self);

#endif
