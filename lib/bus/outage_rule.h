// SPDX-License-Identifier: MIT
/*
 * outage_rule - what counts as a failure of a source, for who gives a permit and for who audits it.
 * Numbers: limits.h, OUTAGE_.
 */
#ifndef BUS_OUTAGE_RULE_H
#define BUS_OUTAGE_RULE_H

#include "lib/base/fault.h"

#include <stdint.h>

/* waited_ms: how long somebody waited for it. What the caller got wrong is none, nor what a rule
 * refused, nor an impatient wait. */
bool outage_is_failure(enum fault_code code, unsigned status, int64_t waited_ms);

/* Of a failure: is it an answer, whole or broken? What was asked may have provoked it, so it says
 * nothing about the source but for whom it was asked about. */
bool outage_is_of_one(enum fault_code code);

/* Did it not find the one that it was asked about? */
bool outage_finds_no_one(unsigned status);

#endif
