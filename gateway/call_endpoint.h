// SPDX-License-Identifier: MIT
/*
 * call_endpoint - is the request which is about to be forwarded of the endpoint that both servers
 * decided on? They know its name only; the method and the path stand in the message, which came
 * from another organisation.
 */
#ifndef GATEWAY_CALL_ENDPOINT_H
#define GATEWAY_CALL_ENDPOINT_H

#include "gateway/front_line.h"
#include "gateway/rest_message.h"

/* WRONG_ENDPOINT: it falls to another one, or to none, or to one where none was named.
 * BAD_REQUEST: its path may be read in two ways, or a header field names another method or path. */
fault call_endpoint_check(const struct front_call *call, struct span method, struct span path,
                          const struct rest_fields *header);
/* The same of the query (behind the `?`, or empty): BAD_REQUEST, it has a value `_method`, which
 * some services take for the request's. */
fault call_endpoint_check_query(const struct front_call *call, struct span query);

#endif
