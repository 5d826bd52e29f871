// SPDX-License-Identifier: MIT
#include "tools/audit/exchange_prefix.h"

#include "lib/base/text.h"

#include <string.h>

fault exchange_prefix_read(const char *text, struct exchange_prefix *out)
{
    struct exchange_prefix read = {{0}};
    size_t digits = 0;
    bool good = true;
    for (const char *at = text; *at != '\0' && good; at++) {
        if (*at == '-')
            continue;
        good = digits < 2 * EXCHANGE_ID_BYTES && strchr("0123456789abcdefABCDEF", *at) != NULL;
        if (good)
            read.digits[digits++] = (char)(*at >= 'A' && *at <= 'F' ? *at - 'A' + 'a' : *at);
    }
    if (!good || digits < EXCHANGE_DIGITS_LEAST)
        return RAISE(BAD_REQUEST,
                     "an exchange is named by its id, or at least its first %d digits: \"%.60s\" "
                     "is neither",
                     EXCHANGE_DIGITS_LEAST, text);
    *out = read;
    return DONE;
}

bool exchange_prefix_fits(const struct exchange_prefix *self,
                          const uint8_t exchange_id[EXCHANGE_ID_BYTES])
{
    char hex[2 * EXCHANGE_ID_BYTES + 1];
    text_hex(span_of(exchange_id, EXCHANGE_ID_BYTES), hex, sizeof hex);
    return memcmp(hex, self->digits, strlen(self->digits)) == 0;
}
