// SPDX-License-Identifier: MIT
/*
 * rest_target - methods, and the grammar of
 * /r1/INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE[/path][?query].
 *
 * What two readers could take for different paths is refused: doubled slashes, dot segments in any
 * spelling, backslashes, escaped percent signs, control bytes. Source: X-Road PR-REST 4.1 and what
 * its HTTP engine refuses.
 */
#ifndef GATEWAY_REST_TARGET_H
#define GATEWAY_REST_TARGET_H

#include "lib/base/bytes.h"
#include "lib/bus/bus_id.h"

struct rest_target {
    struct bus_id service; /* five parts, decoded */
    struct span path;      /* of the service, raw, with its leading slash; may be empty */
    struct span query;     /* raw, without the question mark */
    bool has_query;
};

#define REST_METHODS "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT and TRACE"
/* One of those eight, in capitals. */
bool rest_method_is_carried(struct span method);

/* The target without a scheme and authority in front: HTTP/1.1 servers must take both forms. */
struct span rest_target_origin(struct span target);
/* Does this target ask for an exchange at all? */
bool rest_target_is(struct span target);
/* BAD_REQUEST with a sentence for people. The spans point into `target`. */
fault rest_target_parse(struct span target, struct rest_target *out);

#endif
