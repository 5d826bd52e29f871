// SPDX-License-Identifier: MIT
/*
 * record_script - verify.sh, the checker that goes with every exported record: the very bytes of
 * tools/audit/record_verify.sh.
 */
#ifndef TOOLS_AUDIT_RECORD_SCRIPT_H
#define TOOLS_AUDIT_RECORD_SCRIPT_H

#include "lib/base/bytes.h"

struct span record_script(void);

#endif
