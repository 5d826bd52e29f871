// SPDX-License-Identifier: MIT
#include "lib/bus/directory_push.h"

#include "lib/bus/limits.h"

#include "directory.pb-c.h"

#include <stdlib.h>

#define FRAMING_BYTES 8 /* of one leaf in the message, at most */

static fault take(const Chaski__DirectoryPush *message, struct directory_push *out)
{
    if (message->n_leaf > PUSH_LEAVES_MAX)
        return RAISE(BAD_FRAME, "a push of %zu acts", message->n_leaf);
    for (size_t i = 0; i < message->n_leaf; i++)
        if (message->leaf[i].len == 0 || message->leaf[i].len > LEAF_BYTES_MAX)
            return RAISE(BAD_FRAME, "a push with an act of %zu bytes", message->leaf[i].len);
    if (message->from > DIRECTORY_ENTRIES_MAX)
        return RAISE(BAD_FRAME, "a push from an act that cannot be");
    out->leaf = owned_array(message->n_leaf, sizeof *out->leaf);
    for (size_t i = 0; i < message->n_leaf; i++)
        out->leaf[i] = span_of(message->leaf[i].data, message->leaf[i].len);
    out->from = message->from;
    out->count = message->n_leaf;
    return DONE;
}

fault directory_push_read(struct span frame, struct directory_push *out)
{
    if (frame.size > PUSH_BYTES_MAX)
        return RAISE(BAD_FRAME, "a push of %zu bytes", frame.size);
    Chaski__DirectoryPush *message = chaski__directory_push__unpack(NULL, frame.size, frame.at);
    if (message == NULL)
        return RAISE(BAD_FRAME, "not a push");
    struct directory_push read = {.owned = message};
    fault f = take(message, &read);
    if (failed(f)) {
        directory_push_clear(&read);
        return f;
    }
    *out = read;
    return DONE;
}

void directory_push_clear(struct directory_push *self)
{
    if (self->owned != NULL)
        chaski__directory_push__free_unpacked(self->owned, NULL);
    free(self->leaf);
    *self = (struct directory_push){0};
}

fault directory_push_write(const struct span *leaves, uint64_t old_size, uint64_t size,
                           size_t bytes_max, struct bytes **out)
{
    Chaski__DirectoryPush message = CHASKI__DIRECTORY_PUSH__INIT;
    ProtobufCBinaryData leaf[PUSH_LEAVES_MAX];
    uint64_t from = size;
    size_t bytes = 2 * FRAMING_BYTES;
    while (from > old_size && size - from < PUSH_LEAVES_MAX &&
           leaves[from - 1].size + FRAMING_BYTES <= bytes_max - bytes) {
        from--;
        bytes += leaves[from].size + FRAMING_BYTES;
    }
    message.from = from;
    message.n_leaf = (size_t)(size - from);
    message.leaf = leaf;
    for (size_t i = 0; i < message.n_leaf; i++)
        leaf[i] =
            (ProtobufCBinaryData){leaves[from + i].size, (uint8_t *)(uintptr_t)leaves[from + i].at};
    TRY(bytes_new(chaski__directory_push__get_packed_size(&message), out));
    chaski__directory_push__pack(&message, (*out)->data);
    return DONE;
}
