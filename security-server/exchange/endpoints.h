// SPDX-License-Identifier: MIT
/*
 * endpoints - which endpoint of a service a request is for, as a gateway tells it, and what the
 * provider's gateway needs to see for itself that it is so.
 *
 * Paths name people: they are looked at here and go no further, into no record and no event.
 */
#ifndef EXCHANGE_ENDPOINTS_H
#define EXCHANGE_ENDPOINTS_H

#include "lib/bus/directory.h"

struct Chaski__Call; /* front.pb-c.h */
struct Chaski__Want;

/* *out: its id, the state's; "" when the service has none that fits, or no method is told.
 * BAD_REQUEST: the path may be read in two ways (endpoint.h). */
fault endpoints_wanted(const struct directory *directory, const struct Chaski__Want *want,
                       const char **out);

/* What a Call says of them: the service's rules up to the one that the signed request names, or
 * all. call points into *out, which the caller frees; texts are the state's and `named`'s.
 * UNKNOWN_ENDPOINT: the named one is gone. */
struct endpoint_rules;
fault endpoints_tell(const struct directory *directory, struct span service, const char *named,
                     struct Chaski__Call *call, struct endpoint_rules **out);
void endpoint_rules_free(struct endpoint_rules **self);

#endif
