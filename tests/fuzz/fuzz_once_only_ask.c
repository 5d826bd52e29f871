// SPDX-License-Identifier: MIT
/* Covers gateway/once_only_ask.c: bodies by their first byte, else queries. What is taken is plain
 * and whole. */
#include "gateway/once_only_ask.h"

#include "lib/base/text.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct once_only_ask *ask)
{
    assert(ask->procedure[0] != '\0' && text_is_plain(span_of_text(ask->procedure)));
    assert(ask->known <= PLAN_ANSWERS_MAX);
    for (size_t i = 0; i < ask->known; i++)
        assert(text_is_plain(span_of_text(ask->selector[i].name)) &&
               text_is_plain(span_of_text(ask->selector[i].value)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct once_only_ask ask;
    struct span input = span_of(data, size);
    if (size > 0 && data[0] != '{') {
        if (!failed(once_only_ask_read_query(input, &ask)))
            check(&ask);
        return 0;
    }
    if (!failed(once_only_ask_read(input, ASK_COLLECT, &ask))) {
        check(&ask);
        assert(ask.subject_number[0] != '\0' && ask.legal_basis[0] != '\0');
    }
    if (!failed(once_only_ask_read(input, ASK_PERMIT, &ask))) {
        check(&ask);
        assert(ask.requirement[0] != '\0');
    }
    return 0;
}
