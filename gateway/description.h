// SPDX-License-Identifier: MIT
/*
 * description - OpenAPI descriptions that a service's settings say to fetch. A document is fetched
 * anew each time it is asked for; its operations, which listMethods shows, are learnt each time,
 * and when the settings were read. Until they are known, every DESCRIPTION_RETRY_MS again.
 */
#ifndef GATEWAY_DESCRIPTION_H
#define GATEWAY_DESCRIPTION_H

#include "gateway/gateway.h"

struct descriptions *descriptions_new(struct gateway *gateway);
void descriptions_free(struct descriptions **self); /* after the service client */

/* The settings were read (again): learns what is new, forgets what is gone. */
void descriptions_begin(struct descriptions *self);

/* What was learnt of this service; NULL for nothing. Borrowed until the loop turns. */
const struct openapi *descriptions_know(const struct descriptions *self, const char *service);

/*
 * Fetches the document of a service that has a place for it. `end` is called once unless this
 * fails: with the document, its media type and what is in it; or with a fault of
 * service_client_send, BAD_DESCRIPTION. All are lent.
 */
typedef void (*description_end)(void *owner, fault f, const char *type, struct span document,
                                const struct openapi *openapi);
fault description_fetch(struct gateway *gateway, const struct service *service, int64_t wait_ms,
                        description_end end, void *owner);

#endif
