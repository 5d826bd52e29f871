// SPDX-License-Identifier: MIT
/* A target that is taken has one meaning: its service's canonical text reads back as the same. */
#include "gateway/rest_target.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rest_target target;
    struct bus_id again;
    char text[ID_TEXT_BYTES_MAX + 1], text_again[ID_TEXT_BYTES_MAX + 1];
    struct span in = rest_target_origin(span_of(data, size));
    if (failed(rest_target_parse(in, &target)))
        return 0;
    size_t length = bus_id_text(&target.service, ID_SERVICE, text, sizeof text);
    assert(!failed(bus_id_parse(span_of(text, length), ID_SERVICE, ID_SERVICE, &again)));
    bus_id_text(&again, ID_SERVICE, text_again, sizeof text_again);
    assert(strcmp(text, text_again) == 0);
    assert(target.path.size == 0 || target.path.at[0] == '/');
    assert(target.path.at + target.path.size <= in.at + in.size);
    for (size_t i = 0; i + 1 < target.path.size; i++)
        assert(target.path.at[i] != '/' || target.path.at[i + 1] != '/');
    return 0;
}
