// SPDX-License-Identifier: MIT
#include "tools/audit/withheld_text.h"

#include "lib/base/text.h"

struct bytes *withheld_text(const struct withheld *withheld)
{
    struct bytes *text = bytes_empty(64);
    size_t count = withheld == NULL ? 0 : withheld->count, i = 0;
    for (; i < count && text->size < WITHHELD_BYTES_MAX; i++) {
        char one[COLUMN_NAME_BYTES_MAX + POLICY_RULE_ROOM + 16];
        text_format(one, sizeof one, "%s%s;rule=\"%s\"", i == 0 ? "" : ", ",
                    withheld->column[i].name, withheld->column[i].rule);
        ignore(bytes_append(text, span_of_text(one)));
    }
    if (i < count) {
        char more[40];
        text_format(more, sizeof more, ", more=%zu", count - i);
        ignore(bytes_append(text, span_of_text(more)));
    }
    return text;
}
