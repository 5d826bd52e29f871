// SPDX-License-Identifier: MIT
#include "lib/crypto/cades.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cades_parts parts;
    if (!failed(cades_parse(span_of(data, size), &parts)) && parts.content.size > size)
        abort();
    return 0;
}
