// SPDX-License-Identifier: MIT
/*
 * record_script - verify.sh, the checker that goes with every exported record: the very bytes of
 * lib/evidence/record_verify.sh.
 */
#ifndef EVIDENCE_RECORD_SCRIPT_H
#define EVIDENCE_RECORD_SCRIPT_H

#include "lib/base/bytes.h"

struct span record_script(void);

#endif
