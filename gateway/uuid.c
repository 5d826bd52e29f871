// SPDX-License-Identifier: MIT
#include "gateway/uuid.h"

#include "lib/base/text.h"
#include "lib/crypto/random.h"

#include <string.h>

void uuid_make(uint8_t out[UUID_BYTES])
{
    random_fill(out, UUID_BYTES);
    out[6] = (uint8_t)((out[6] & 0x0f) | 0x40);
    out[8] = (uint8_t)((out[8] & 0x3f) | 0x80);
}

void uuid_text(const uint8_t uuid[UUID_BYTES], char out[UUID_TEXT_ROOM])
{
    static const size_t group[] = {4, 2, 2, 2, 6};
    char hex[2 * UUID_BYTES + 1];
    text_hex(span_of(uuid, UUID_BYTES), hex, sizeof hex);
    size_t from = 0, to = 0;
    for (size_t i = 0; i < 5; i++) {
        memcpy(out + to, hex + from, 2 * group[i]);
        from += 2 * group[i];
        to += 2 * group[i];
        out[to++] = i < 4 ? '-' : '\0';
    }
}
