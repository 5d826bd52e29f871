// SPDX-License-Identifier: MIT
/*
 * metadata - the provider's answers to listMethods, allowedMethods and getOpenAPI. They came as
 * exchanges like any other; which services there are, and which the caller may call, the security
 * server says. Source: X-Road PR-MREST; ref C.2, C.3.
 */
#ifndef GATEWAY_METADATA_H
#define GATEWAY_METADATA_H

#include "gateway/description.h"
#include "gateway/front_line.h"
#include "gateway/rest_target.h"

/* What is asked, once read. */
struct metadata_question {
    const char *service; /* I/C/M/S/listMethods, and so on; canonical */
    struct span method;
    const struct rest_target *target;
    size_t codes; /* what the security server offers */
    const char *const *code;
    size_t subjects; /* those of them that take no request that names no person */
    const char *const *subject;
    size_t parts; /* which of their parts are for the caller */
    const struct front_parts *part;
};

/* Is it one that is answered here? */
bool metadata_is(const char *service);

/*
 * Answers at once: *type lives as long as the services, *body is the caller's. Or says by `fetch`
 * (else NULL) whose document must be fetched first.
 *
 * BAD_METHOD, BAD_REQUEST (a path behind the code), BAD_QUESTION, UNKNOWN_SERVICE, NO_DESCRIPTION,
 * SERVICE_NOT_SET.
 */
fault metadata_answer(const struct services *services, const struct descriptions *descriptions,
                      const struct metadata_question *question, const char **type,
                      struct bytes **body, const struct service **fetch);

#endif
