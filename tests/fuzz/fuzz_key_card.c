// SPDX-License-Identifier: MIT
#include "lib/bus/directory_private.h"
#include "lib/bus/key_card.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A stranger's card, and the same bytes as the content of one that is signed: nobody is in the
 * directory, so none may count. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct key_card card;
    OWNED(header_read) read = NULL;
    OWNED(directory) nobody = directory_new(NULL);
    assert(
        failed(key_card_read(nobody, "CO/GOV/1/SS1", span_of(data, size), 1790000000000, &card)));
    if (!failed(header_decode(span_of(data, size), &read)) && header_of(read)->card != NULL) {
        const struct header *header = header_of(read);
        assert(header->kind == HEADER_KEY_CARD);
        assert(header->time_ms < header->card->renew_ms);
        assert(header->card->renew_ms <= header->card->until_ms);
    }
    return 0;
}
