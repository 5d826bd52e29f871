// SPDX-License-Identifier: MIT
/*
 * server_request - what an agency sends to have its server enrolled: JSON made by `chaski keys
 * make`.
 */
#ifndef REGISTRY_SERVER_REQUEST_H
#define REGISTRY_SERVER_REQUEST_H

#include "lib/base/bytes.h"
#include "lib/bus/limits.h"

struct server_request {
    char *server;
    struct bytes *certificate_request; /* PKCS#10, DER */
    uint8_t transport_key[32];
    size_t seal_keys;
    uint8_t seal_key[SEAL_KEYS_MAX][32];
    char *log_vkey;
    char *witness_vkey; /* "" when it does not witness */
    size_t addresses;
    char *address[DIRECTORY_ADDRESSES_MAX];
};

/* REFUSED with the field that is missing, wrong, doubled or not known. */
fault server_request_read(const char *path, struct server_request **out);
fault server_request_parse(struct span json, struct server_request **out);
void server_request_free(struct server_request **self);

#endif
