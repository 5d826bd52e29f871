// SPDX-License-Identifier: MIT
/*
 * call_source - is the request which is about to be forwarded the query of the source that its
 * signed header names? Permits to ask citizens lean on what comes of such queries: under a source's
 * name nothing else is asked, or anybody could make the source fail.
 */
#ifndef GATEWAY_CALL_SOURCE_H
#define GATEWAY_CALL_SOURCE_H

#include "gateway/front_line.h"
#include "gateway/rest_message.h"
#include "gateway/rest_target.h"

/* WRONG_ENDPOINT: it is another one. BAD_REQUEST: a header field names another method or path. */
fault call_source_check(const struct front_call *call, struct span method,
                        const struct rest_target *target, const struct rest_fields *header);

#endif
