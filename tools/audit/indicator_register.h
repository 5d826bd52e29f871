// SPDX-License-Identifier: MIT
/*
 * indicator_register - what the directory tells by itself: restrictions, requests for access, and
 * the debt of procedures. Each of its entries is public, so nothing is suppressed.
 */
#ifndef TOOLS_AUDIT_INDICATOR_REGISTER_H
#define TOOLS_AUDIT_INDICATOR_REGISTER_H

#include "lib/bus/directory.h"
#include "tools/audit/indicator_print.h"

/* As it stands at now_ms. */
fault indicator_put_register(struct indicator_printer *out, const struct directory *directory,
                             int64_t now_ms);

#endif
