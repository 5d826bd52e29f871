// SPDX-License-Identifier: MIT
/*
 * withheld_text - the columns that an answer does not hold, in one line: `column;rule="RULE"`, by
 * commas, as the field Chaski-Withheld has it; behind WITHHELD_BYTES_MAX only how many more there
 * are. Names are the log's, spelt as they are: to be escaped where they are shown.
 */
#ifndef TOOLS_AUDIT_WITHHELD_TEXT_H
#define TOOLS_AUDIT_WITHHELD_TEXT_H

#include "lib/base/bytes.h"
#include "lib/bus/withheld.h"

#define WITHHELD_BYTES_MAX 4096 /* each column more adds its own */

/* Empty for NULL, and for none. The caller owns it. */
struct bytes *withheld_text(const struct withheld *withheld);

#endif
