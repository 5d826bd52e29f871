// SPDX-License-Identifier: MIT
#include "lib/bus/header_glance.h"

#include "lib/base/cursor.h"

/* Protobuf's wire types; what headers have none of is refused. */
enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2 };

struct field {
    unsigned number;
    enum wire wire;
    uint64_t value; /* VARINT, FIXED64 */
    struct span bytes;
};

static fault take_varint(struct cursor *at, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = 0;
        TRY(cursor_take_u8(at, &byte));
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return DONE;
        }
    }
    return RAISE(BAD_FRAME, "a number that does not end");
}

static fault take_fixed64(struct cursor *at, uint64_t *out)
{
    struct span bytes;
    TRY(cursor_take(at, 8, &bytes));
    *out = 0;
    for (size_t i = 8; i-- > 0;)
        *out = *out << 8 | bytes.at[i];
    return DONE;
}

static fault take_field(struct cursor *at, struct field *out)
{
    uint64_t tag = 0;
    TRY(take_varint(at, &tag));
    out->number = tag >> 3 > 1000 ? 1000 : (unsigned)(tag >> 3);
    out->wire = (enum wire)(tag & 7);
    out->bytes = (struct span){0};
    if (out->wire == WIRE_FIXED64)
        return take_fixed64(at, &out->value);
    if (out->wire != WIRE_VARINT && out->wire != WIRE_BYTES)
        return RAISE(BAD_FRAME, "a field of another kind than headers have");
    TRY(take_varint(at, &out->value));
    if (out->wire == WIRE_VARINT)
        return DONE;
    return out->value > at->left.size ? RAISE(BAD_FRAME, "a field that ends outside")
                                      : cursor_take(at, (size_t)out->value, &out->bytes);
}

static fault read_late(struct span bytes, struct late_receipt *out)
{
    struct cursor at = cursor_over(bytes);
    struct field field;
    *out = (struct late_receipt){0};
    while (!cursor_at_end(&at)) {
        TRY(take_field(&at, &field));
        if (field.number == 1 && field.bytes.size == SHA256_BYTES)
            memcpy(out->leaf_hash.at, field.bytes.at, SHA256_BYTES);
        else if (field.number == 2 && field.wire == WIRE_FIXED64)
            out->time_ms = (int64_t)field.value;
        else if (field.number == 3 && field.wire == WIRE_VARINT)
            out->kind = (enum header_kind)field.value;
        else if (field.number == 4 && field.wire == WIRE_VARINT)
            out->own = field.value != 0;
    }
    return DONE;
}

static fault put_field(const struct field *field, struct header_glance *out)
{
    if (field->number == 2 && field->bytes.size == EXCHANGE_ID_BYTES)
        out->exchange_id = field->bytes;
    else if (field->number == 3 && field->wire == WIRE_VARINT)
        out->kind = (enum header_kind)field->value;
    else if (field->number == 7 && field->wire == WIRE_FIXED64)
        out->time_ms = (int64_t)field->value;
    else if (field->number == 4)
        out->sender = field->bytes;
    else if (field->number == 6)
        out->service = field->bytes;
    else if (field->number == 21)
        out->subject = field->bytes;
    else if (field->number == 23 && field->wire == WIRE_VARINT)
        out->fault = (uint32_t)field->value;
    else if (field->number == 24 && field->wire == WIRE_VARINT)
        out->status = (uint32_t)field->value;
    else if (field->number == 46 && field->wire == WIRE_VARINT)
        out->subject_year = (uint32_t)field->value;
    else if (field->number == 47 && field->wire == WIRE_FIXED64)
        out->sealed_until_ms = (int64_t)field->value;
    else if (field->number == 15)
        out->sender_server = field->bytes;
    else if (field->number == 16)
        out->receiver_server = field->bytes;
    else if (field->number == 27) {
        out->has_late = true;
        return read_late(field->bytes, &out->late);
    }
    return DONE;
}

fault header_glance(struct span bytes, struct header_glance *out)
{
    struct cursor at = cursor_over(bytes);
    struct header_glance found = {0};
    struct field field;
    while (!cursor_at_end(&at)) {
        TRY(take_field(&at, &field));
        TRY(put_field(&field, &found));
    }
    if (found.exchange_id.size != EXCHANGE_ID_BYTES)
        return RAISE(BAD_FRAME, "a header without an exchange id");
    *out = found;
    return DONE;
}
