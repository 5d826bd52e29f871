// SPDX-License-Identifier: MIT
/*
 * services - what the config says about our services and our calling subsystems, checked and ready:
 * URLs taken apart and looked up, tables read. One set is constant; SIGHUP builds a new one.
 */
#ifndef GATEWAY_SERVICES_H
#define GATEWAY_SERVICES_H

#include "gateway/gateway_config.h"
#include "gateway/openapi.h"
#include "lib/bus/table.h"

#include <sys/socket.h>

#define SERVICE_ADDRESSES_MAX 4

struct service_address {
    socklen_t size;
    struct sockaddr_storage at;
};

struct service {
    char *id; /* canonical */
    enum service_kind kind;
    char *host; /* HOST[:PORT], for the Host field and as the pool's key */
    char *base; /* path of the URL; may be empty */
    size_t addresses;
    struct service_address address[SERVICE_ADDRESSES_MAX];
    int64_t timeout_ms;
    struct table *table;
    char *title;
    /* its OpenAPI description: in a file, read already, or somewhere else; else all are NULL */
    struct bytes *document;
    struct openapi *openapi;
    const char *document_type;   /* media type */
    struct service *description; /* where to fetch it: only id, host, base and addresses */
};

struct services;

/* BAD_CONFIG or BAD_TABLE with the section's title and what is wrong. Waits for name look-ups. */
fault services_new(const struct gateway_config *config, struct services **out);
void services_free(struct services **self);

/* By canonical identifier; NULL when there is none. */
const struct service *services_find(const struct services *self, const char *id);
const struct client_section *services_client(const struct services *self, const char *id);
/* By number, from 0 on. */
const struct service *services_at(const struct services *self, size_t number);
size_t services_count(const struct services *self);
/* The subsystems that our services belong to, each once; borrowed. */
const char *const *services_subsystems(const struct services *self, size_t *count);

#endif
