// SPDX-License-Identifier: MIT
/* Covers gateway/asic_query.c. What is taken is canonical, plain and one of the halves. */
#include "gateway/asic_query.h"

#include "lib/base/text.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct asic_query query;
    struct bus_id id;
    if (failed(asic_query_read(span_of(data, size), &query)))
        return 0;
    assert(query.request || query.response);
    assert(!query.unique || query.request != query.response);
    assert(text_is_plain(span_of_text(query.message_id)) && query.message_id[0] != '\0');
    assert(!failed(bus_id_parse(span_of_text(query.client), ID_MEMBER, ID_SUBSYSTEM, &id)));
    return 0;
}
