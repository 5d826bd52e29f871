// SPDX-License-Identifier: MIT
#include "lib/net/z85.h"

#include "lib/base/cursor.h"

#include <assert.h>

static const char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               ".-:+=^!/*?&<>()[]{}@%$#";

fault z85_read(struct span text, uint8_t *out, size_t out_size)
{
    assert(out_size % 4 == 0);
    if (text.size != out_size / 4 * 5)
        return RAISE(BAD_REQUEST, "%zu characters expected, %zu found", out_size / 4 * 5,
                     text.size);
    for (size_t group = 0; group < out_size / 4; group++) {
        uint64_t value = 0;
        for (size_t i = 0; i < 5; i++) {
            uint8_t c = text.at[5 * group + i];
            const char *place = c == '\0' ? NULL : strchr(alphabet, c);
            if (place == NULL)
                return RAISE(BAD_REQUEST, "a character that is not Z85");
            value = value * 85 + (uint64_t)(place - alphabet);
        }
        if (value > UINT32_MAX)
            return RAISE(BAD_REQUEST, "five characters that stand for more than four bytes");
        put_u32(out + 4 * group, (uint32_t)value);
    }
    return DONE;
}
