// SPDX-License-Identifier: MIT
#include "lib/bus/record_proof.h"

#include "lib/base/cursor.h"
#include "lib/base/text.h"

#include <assert.h>
#include <inttypes.h>

#define FIRST_LINE "c2sp.org/tlog-proof@v1"
#define INDEX_WORD "index "
#define HASH_BASE64_ROOM 48
#define INDEX_MOST ((uint64_t)INT64_MAX)

fault record_proof_encode(const struct record_proof *self, struct bytes **out)
{
    char line[HASH_BASE64_ROOM], index[64];
    OWNED(bytes) text = bytes_empty(self->note.size + 64 * self->length + 64);
    text_format(index, sizeof index, FIRST_LINE "\n" INDEX_WORD "%" PRIu64 "\n", self->index);
    TRY(bytes_append_text(text, index));
    for (size_t i = 0; i < self->length; i++) {
        text_base64(sha256_span(&self->path[i]), line, sizeof line);
        TRY(bytes_append_text(text, line));
        TRY(bytes_append_text(text, "\n"));
    }
    TRY(bytes_append_text(text, "\n"));
    TRY(bytes_append(text, self->note));
    *out = TAKE(text);
    return DONE;
}

static fault take_index(struct cursor *from, uint64_t *out)
{
    struct span line;
    struct span word;
    TRY(cursor_take_until(from, '\n', &line));
    struct cursor at = cursor_over(line);
    if (failed(cursor_take(&at, sizeof INDEX_WORD - 1, &word)) || !span_is_text(word, INDEX_WORD))
        return RAISE(BAD_FRAME, "a proof whose second line names no index");
    if (at.left.size > 1 && at.left.at[0] == '0')
        return RAISE(BAD_FRAME, "an index with leading zeros");
    if (failed(text_number(at.left, INDEX_MOST, out)))
        return RAISE(BAD_FRAME, "an index that is not a number");
    return DONE;
}

static fault take_hash(struct span line, struct record_proof *out)
{
    OWNED(bytes) hash = NULL;
    if (out->length == MERKLE_PROOF_MAX)
        return RAISE(BAD_FRAME, "a path of more than %d hashes", MERKLE_PROOF_MAX);
    if (failed(text_unbase64(line, &hash)) || hash->size != SHA256_BYTES)
        return RAISE(BAD_FRAME, "a line of a path that is not the base64 of 32 bytes");
    memcpy(out->path[out->length++].at, hash->data, SHA256_BYTES);
    return DONE;
}

fault record_proof_decode(struct span bytes, struct record_proof *out)
{
    struct cursor from = cursor_over(bytes);
    struct record_proof read = {0};
    struct span line;
    if (bytes.size > RECORD_PROOF_BYTES_MAX)
        return RAISE(BAD_FRAME, "a proof of %zu bytes", bytes.size);
    TRY(cursor_take_until(&from, '\n', &line));
    if (!span_is_text(line, FIRST_LINE))
        return RAISE(BAD_FRAME, "a proof of another kind");
    TRY(take_index(&from, &read.index));
    for (;;) {
        TRY(cursor_take_until(&from, '\n', &line));
        if (line.size == 0)
            break;
        TRY(take_hash(line, &read));
    }
    read.note = from.left;
    *out = read;
    return DONE;
}

fault record_proof_check(const struct record_proof *self, const struct sha256 *leaf_hash,
                         const struct note_key *key, struct checkpoint *head)
{
    struct checkpoint signed_head;
    struct sha256 root;
    TRY(checkpoint_open(self->note, key, &signed_head));
    TRY(merkle_inclusion_root(self->index, signed_head.size, leaf_hash, self->path, self->length,
                              &root));
    if (!sha256_equal(&root, &signed_head.root))
        return RAISE(INCONSISTENT, "the path leads to another root than the checkpoint's");
    *head = signed_head;
    return DONE;
}

size_t record_proof_path(const struct sha256 *leaf_hashes, uint64_t size, uint64_t index,
                         struct sha256 out[MERKLE_PROOF_MAX])
{
    struct merkle_range ranges[MERKLE_PROOF_MAX];
    assert(index < size);
    size_t count = merkle_inclusion_ranges(index, size, ranges);
    for (size_t i = 0; i < count; i++) {
        struct merkle part = {0};
        for (uint64_t leaf = ranges[i].start; leaf < ranges[i].end; leaf++)
            merkle_append(&part, &leaf_hashes[leaf]);
        out[i] = merkle_root(&part);
    }
    return count;
}
