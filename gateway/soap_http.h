// SPDX-License-Identifier: MIT
/*
 * soap_http - SOAP over HTTP at "/": X-Road's listMethods and allowedMethods are answered with an
 * empty list, for all services here are REST services; everything else with a SOAP fault.
 *
 * Faults have status 200, as in X-Road, whatever compat_status says: it is about REST.
 */
#ifndef GATEWAY_SOAP_HTTP_H
#define GATEWAY_SOAP_HTTP_H

#include "gateway/gateway.h"

/* False when the request is for something else. */
bool soap_take(struct gateway *gateway, struct http_connection *connection,
               const struct http_head *head, struct span target);
/* Is the body of a SOAP message awaited here? */
bool soap_owns(const struct http_connection *connection);
/* For a connection that it owns: the body is there, or will not come. */
void soap_body(struct gateway *gateway, struct http_connection *connection, struct span body);
void soap_broken(struct gateway *gateway, struct http_connection *connection, fault f);

#endif
