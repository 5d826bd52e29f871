// SPDX-License-Identifier: MIT
#include "lib/bus/set_talk.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_leaves(struct span bytes)
{
    size_t count = 0, found = 0;
    OWNED(bytes) again = bytes_empty(64);
    if (failed(set_talk_count_leaves(bytes, &count)))
        return;
    bool whole = true;
    for (struct span left = bytes, leaf; left.size > 0; found++) {
        assert(!failed(set_talk_get_leaf(&left, &leaf)));
        whole = set_talk_put_leaf(leaf, again) && whole;
    }
    assert(found == count);
    assert(!whole || span_equal(bytes_span(again), bytes));
}

/* What is accepted is in bounds, in order, and packed again to the very same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct set_digest digests[SET_PREFIXES];
    struct span bytes = span_of(data, size);
    const struct sha256 *hashes = NULL;
    size_t count = size / SET_DIGEST_BYTES;
    OWNED(bytes) again = bytes_empty(64);
    if (count <= SET_PREFIXES && !failed(set_talk_get_digests(bytes, count, digests))) {
        assert(!failed(set_talk_put_digests(digests, count, again)));
        assert(span_equal(bytes_span(again), bytes));
    }
    if (!failed(set_talk_get_hashes(bytes, RECONCILE_HASHES_A_MESSAGE, NULL, &hashes, &count)))
        for (size_t i = 1; i < count; i++)
            assert(memcmp(hashes[i - 1].at, hashes[i].at, SHA256_BYTES) < 0);
    check_leaves(bytes);
    enum fault_code code;
    if (!failed(set_talk_get_verdict(bytes, 0, &code)))
        assert(fault_known(code));
    return 0;
}
