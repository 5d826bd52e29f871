// SPDX-License-Identifier: MIT
#include "lib/bus/pruned.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What an auditor reads out of a copied folder: the tree in it must be one of so many entries. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pruned pruned;
    if (failed(pruned_parse(span_of(data, size), &pruned)))
        return 0;
    assert(pruned.first > 0 && pruned.first <= pruned.act && pruned.tree.size == pruned.first);
    struct sha256 root = merkle_root(&pruned.tree);
    merkle_append(&pruned.tree, &root);
    return 0;
}
