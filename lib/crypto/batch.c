// SPDX-License-Identifier: MIT
#include "lib/crypto/batch.h"

#include "lib/base/cursor.h"
#include "lib/base/text.h"
#include "lib/crypto/merkle.h"

#include <assert.h>

#define PLACE_HEAD_BYTES 4 /* index and count */
#define BASE64_ROOM 48
#define FIRST_LINE "chaski batch v1\n"

/* An odd last node goes up as it is: so the levels are those of RFC 6962's tree. */
void batch_make(struct batch_tree *self, const struct sha256 *leaf, size_t count)
{
    assert(count >= 2 && count <= BATCH_MAX);
    self->count = count;
    memcpy(self->node, leaf, count * sizeof *leaf);
    const struct sha256 *below = self->node;
    struct sha256 *above = self->node + count;
    for (size_t width = count; width > 1; width = (width + 1) / 2) {
        for (size_t i = 0; i + 1 < width; i += 2)
            above[i / 2] = merkle_node_hash(&below[i], &below[i + 1]);
        if ((width & 1) != 0)
            above[width / 2] = below[width - 1];
        below = above;
        above += (width + 1) / 2;
    }
}

static void put_head(size_t count, const struct sha256 *root, struct batch_head *out)
{
    char base64[BASE64_ROOM], text[BATCH_HEAD_BYTES_MAX + 1];
    text_base64(sha256_span(root), base64, sizeof base64);
    text_format(text, sizeof text, FIRST_LINE "%zu\n%s\n", count, base64);
    out->size = strlen(text);
    memcpy(out->at, text, out->size);
}

void batch_make_head(const struct batch_tree *self, struct batch_head *out)
{
    const struct sha256 *root = self->node + self->count;
    for (size_t width = (self->count + 1) / 2; width > 1; width = (width + 1) / 2)
        root += width;
    put_head(self->count, root, out);
}

static void put_number(uint8_t *at, size_t value)
{
    put_u16(at, (uint16_t)value);
}

size_t batch_place(const struct batch_tree *self, size_t index, uint8_t out[BATCH_PLACE_BYTES_MAX])
{
    assert(index < self->count);
    put_number(out, index);
    put_number(out + 2, self->count);
    size_t size = PLACE_HEAD_BYTES;
    const struct sha256 *level = self->node;
    for (size_t width = self->count, at = index; width > 1; width = (width + 1) / 2, at /= 2) {
        if ((at ^ 1) < width) {
            memcpy(out + size, level[at ^ 1].at, SHA256_BYTES);
            size += SHA256_BYTES;
        }
        level += width;
    }
    return size;
}

static fault take_path(struct cursor *from, struct sha256 path[BATCH_PATH_MAX], size_t *length)
{
    struct span hash;
    for (*length = 0; !cursor_at_end(from) && *length < BATCH_PATH_MAX; ++*length) {
        TRY(cursor_take(from, SHA256_BYTES, &hash));
        memcpy(path[*length].at, hash.at, SHA256_BYTES);
    }
    return cursor_at_end(from) ? DONE : RAISE(BAD_FRAME, "a place in a batch with too long a path");
}

fault batch_head_of(struct span content, struct span place, struct batch_head *out)
{
    struct cursor from = cursor_over(place);
    struct sha256 path[BATCH_PATH_MAX], root;
    uint16_t index = 0;
    uint16_t count = 0;
    size_t length = 0;
    TRY(cursor_take_u16(&from, &index));
    TRY(cursor_take_u16(&from, &count));
    if (count < 2 || count > BATCH_MAX)
        return RAISE(BAD_FRAME, "a batch of %u contents", count);
    TRY(take_path(&from, path, &length));
    struct sha256 leaf = merkle_leaf_hash(content);
    TRY(merkle_inclusion_root(index, count, &leaf, path, length, &root));
    put_head(count, &root, out);
    return DONE;
}

unsigned batch_place_count(struct span place)
{
    assert(place.size >= PLACE_HEAD_BYTES);
    return (unsigned)place.at[2] << 8 | place.at[3];
}

bool batch_is_head(struct span content)
{
    struct span first = span_of_text(FIRST_LINE);
    return content.size >= first.size && span_equal(span_of(content.at, first.size), first);
}

fault batch_signed_content(struct span content, struct span place, struct sha256 *out)
{
    struct batch_head head;
    if (batch_is_head(content))
        return RAISE(BAD_FRAME, "the head of a batch is no content");
    if (place.size == 0) {
        *out = SHA256_OF(content);
        return DONE;
    }
    TRY(batch_head_of(content, place, &head));
    *out = SHA256_OF(batch_head_span(&head));
    return DONE;
}
