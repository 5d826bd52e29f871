// SPDX-License-Identifier: MIT
/*
 * asic_query - the query of GET /asic (X-Road's download of records), a pure function of its bytes.
 *
 *   queryId=... & xRoadInstance=... & memberClass=... & memberCode=... [& subsystemCode=...]
 *   [& requestOnly | & responseOnly] [& unique] [& force]
 *
 * Form encoding: percent escapes and '+' for a blank. Each name at most once; switches without a
 * value, or "true" or "1". X-Road takes "force=false" for force; here it is refused, as is a name
 * that is not known: a record is not handed out by a misunderstanding.
 */
#ifndef GATEWAY_ASIC_QUERY_H
#define GATEWAY_ASIC_QUERY_H

#include "lib/bus/bus_id.h"

struct asic_query {
    char message_id[MESSAGE_ID_BYTES_MAX + 1];
    char client[ID_TEXT_BYTES_MAX + 1]; /* canonical */
    bool request, response;             /* which halves; at least one */
    bool unique, force;
};

/* BAD_REQUEST with a sentence for people, which repeats nothing of what was sent. */
fault asic_query_read(struct span query, struct asic_query *out);

#endif
