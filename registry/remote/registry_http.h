// SPDX-License-Identifier: MIT
/*
 * registry_http - requests to a registry's admin interface: HTTPS by libcurl, as one operator.
 */
#ifndef REGISTRY_REMOTE_REGISTRY_HTTP_H
#define REGISTRY_REMOTE_REGISTRY_HTTP_H

#include "lib/base/bytes.h"

#include <jansson.h>

struct registry_http;

/* base: https://HOST:PORT; trust_pem: by which its certificate is checked (a text); key: of
 * the operator, lent; a client's certificate is made for it in memory. REFUSED. */
struct keypair; /* lib/crypto/keypair.h */
fault registry_http_open(const char *base, const char *trust_pem, struct keypair *key,
                         struct registry_http **out);
void registry_http_free(struct registry_http **self);

/* path begins with '/'. PEER_UNREACHABLE (with libcurl's reason), NOT_FOUND, BODY_TOO_LARGE,
 * REFUSED with what the registry says. bytes_free() the result. */
fault registry_http_get(struct registry_http *self, const char *path, size_t most,
                        struct bytes **out);
/* An answer in JSON; json_decref() it. */
fault registry_http_json(struct registry_http *self, const char *path, json_t **out);
/* Takes `body`. */
fault registry_http_post(struct registry_http *self, const char *path, json_t *body, json_t **out);

#endif
