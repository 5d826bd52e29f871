// SPDX-License-Identifier: MIT
#include "lib/crypto/cades.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cades_parts parts;
    struct span content;
    bool found = !failed(cades_content(span_of(data, size), &content));
    if (found && (content.at < data || content.at + content.size > data + size))
        abort();
    if (!failed(cades_parse(span_of(data, size), &parts)) && parts.content.size > size)
        abort();
    if (!failed(cades_parse(span_of(data, size), &parts)) &&
        (!found || content.at != parts.content.at || content.size != parts.content.size))
        abort();
    return 0;
}
