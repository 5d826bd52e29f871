// SPDX-License-Identifier: MIT
#include "lib/bus/set_talk.h"

#include "lib/base/cursor.h"

_Static_assert(sizeof(struct sha256) == SHA256_BYTES, "hashes lie behind one another");

fault set_talk_put_digests(const struct set_digest *digests, size_t count, struct bytes *out)
{
    uint8_t packed[SET_DIGEST_BYTES];
    for (size_t i = 0; i < count; i++) {
        put_u64(packed, digests[i].count);
        memcpy(packed + 8, digests[i].digest.at, SHA256_BYTES);
        TRY(bytes_append(out, span_of(packed, sizeof packed)));
    }
    return DONE;
}

fault set_talk_get_digests(struct span bytes, size_t count, struct set_digest *out)
{
    struct cursor at = cursor_over(bytes);
    struct span hash;
    if (bytes.size != count * SET_DIGEST_BYTES)
        return RAISE(BAD_FRAME, "%zu bytes of digests, for %zu", bytes.size, count);
    for (size_t i = 0; i < count; i++) {
        TRY(cursor_take_u64(&at, &out[i].count));
        TRY(cursor_take(&at, SHA256_BYTES, &hash));
        memcpy(out[i].digest.at, hash.at, SHA256_BYTES);
    }
    return DONE;
}

fault set_talk_get_hashes(struct span bytes, size_t most, const struct sha256 *after,
                          const struct sha256 **out, size_t *count)
{
    const struct sha256 *hash = (const struct sha256 *)(const void *)bytes.at;
    size_t found = bytes.size / SHA256_BYTES;
    if (bytes.size % SHA256_BYTES != 0 || found > most)
        return RAISE(BAD_FRAME, "%zu bytes of hashes; at most %zu of them", bytes.size, most);
    for (size_t i = 0; i < found; i++) {
        const struct sha256 *before = i > 0 ? &hash[i - 1] : after;
        if (before != NULL && memcmp(before->at, hash[i].at, SHA256_BYTES) >= 0)
            return RAISE(BAD_FRAME, "hashes that are not in order");
    }
    *out = hash;
    *count = found;
    return DONE;
}

bool set_talk_put_leaf(struct span leaf, struct bytes *out)
{
    uint8_t length[2];
    if (leaf.size > LEAF_BYTES_MAX ||
        out->size + sizeof length + leaf.size > RECONCILE_LEAVES_BYTES_MAX)
        return false;
    put_u16(length, (uint16_t)leaf.size);
    if (failed(bytes_append(out, span_of(length, sizeof length))))
        return false;
    if (!failed(bytes_append(out, leaf)))
        return true;
    out->size -= sizeof length;
    return false;
}

fault set_talk_get_leaf(struct span *left, struct span *leaf)
{
    struct cursor at = cursor_over(*left);
    uint16_t length = 0;
    TRY(cursor_take_u16(&at, &length));
    TRY(cursor_take(&at, length, leaf));
    *left = at.left;
    return DONE;
}

fault set_talk_count_leaves(struct span bytes, size_t *count)
{
    size_t found = 0;
    for (struct span leaf; bytes.size > 0; found++) {
        if (found == RECONCILE_LEAVES_A_MESSAGE)
            return RAISE(BAD_FRAME, "more than %d leaves in a message", RECONCILE_LEAVES_A_MESSAGE);
        TRY(set_talk_get_leaf(&bytes, &leaf));
    }
    *count = found;
    return DONE;
}

void set_talk_put_verdict(enum fault_code code, uint8_t out[2])
{
    put_u16(out, (uint16_t)code);
}

fault set_talk_get_verdict(struct span bytes, size_t at, enum fault_code *out)
{
    if (bytes.size / 2 <= at)
        return RAISE(BAD_FRAME, "a verdict is missing");
    unsigned number = (unsigned)bytes.at[2 * at] << 8 | bytes.at[2 * at + 1];
    *out = fault_known(number) ? (enum fault_code)number : INTERNAL;
    return DONE;
}
