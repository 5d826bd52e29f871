// SPDX-License-Identifier: MIT
#include "gateway/rest_message.h"

#include "gateway/write.h"
#include "lib/base/cursor.h"

#include <stddef.h>

// --- protobuf wire: a key is field number << 3 | kind --------------------------------------------

enum wire_kind { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_SIZED = 2, WIRE_FIXED32 = 5 };

static size_t varint_size(uint64_t value)
{
    size_t size = 1;
    while (value >= 0x80) {
        value >>= 7;
        size++;
    }
    return size;
}

static void write_varint(struct bytes *out, uint64_t value)
{
    uint8_t text[10];
    size_t size = 0;
    while (value >= 0x80) {
        text[size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    text[size++] = (uint8_t)value;
    write_span(out, span_of(text, size));
}

static void write_key(struct bytes *out, unsigned number, enum wire_kind kind)
{
    write_varint(out, number << 3 | (unsigned)kind);
}

/* Empty means not written, as proto3 has it. */
static void write_sized(struct bytes *out, unsigned number, struct span text)
{
    if (text.size == 0)
        return;
    write_key(out, number, WIRE_SIZED);
    write_varint(out, text.size);
    write_span(out, text);
}

static size_t sized_size(struct span text)
{
    return text.size == 0 ? 0 : 1 + varint_size(text.size) + text.size;
}

static void write_field(struct bytes *out, unsigned number, const struct http_field *field)
{
    write_key(out, number, WIRE_SIZED);
    write_varint(out, sized_size(field->name) + sized_size(field->value));
    write_sized(out, 1, field->name);
    write_sized(out, 2, field->value);
}

static fault take_varint(struct cursor *from, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte;
        TRY(cursor_take_u8(from, &byte));
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return DONE;
        }
    }
    return RAISE(BAD_FRAME, "a number of more than 10 bytes");
}

struct item {
    unsigned number;
    enum wire_kind kind;
    uint64_t value;   /* of a varint */
    struct span text; /* of a sized one */
};

static fault take_item(struct cursor *from, struct item *out)
{
    uint64_t key, size;
    TRY(take_varint(from, &key));
    if (key >> 3 == 0 || key >> 3 > 0x1fffffff)
        return RAISE(BAD_FRAME, "a field number out of bounds");
    *out = (struct item){.number = (unsigned)(key >> 3), .kind = (enum wire_kind)(key & 7)};
    switch (out->kind) {
    case WIRE_VARINT:
        return take_varint(from, &out->value);
    case WIRE_SIZED:
        TRY(take_varint(from, &size));
        if (size > from->left.size)
            return RAISE(BAD_FRAME, "a field that is longer than its message");
        return cursor_take(from, (size_t)size, &out->text);
    case WIRE_FIXED64:
        return cursor_take(from, 8, &out->text);
    case WIRE_FIXED32:
        return cursor_take(from, 4, &out->text);
    }
    return RAISE(BAD_FRAME, "a field of kind %u", (unsigned)(key & 7));
}

// --- messages ------------------------------------------------------------------------------------

void rest_request_write(struct span method, struct span target, const struct rest_fields *header,
                        struct bytes *out)
{
    write_sized(out, 1, method);
    write_sized(out, 2, target);
    for (size_t i = 0; i < header->count; i++)
        write_field(out, 3, &header->field[i]);
}

void rest_response_write(unsigned status, const struct rest_fields *header,
                         struct span request_hash, struct bytes *out)
{
    if (status != 0) {
        write_key(out, 1, WIRE_VARINT);
        write_varint(out, status);
    }
    for (size_t i = 0; i < header->count; i++)
        write_field(out, 2, &header->field[i]);
    write_sized(out, 3, request_hash);
}

void rest_body_begin(size_t size, struct bytes *out)
{
    if (size == 0)
        return;
    write_key(out, 4, WIRE_SIZED); /* field 4 in both messages */
    write_varint(out, size);
}

static fault read_field(struct span text, struct rest_fields *header)
{
    if (header->count == REST_FIELDS_MAX)
        return RAISE(BAD_FRAME, "more than %d header fields", REST_FIELDS_MAX);
    struct http_field field = {span_of_text(""), span_of_text("")}; /* there, if empty */
    struct cursor from = cursor_over(text);
    while (!cursor_at_end(&from)) {
        struct item item;
        TRY(take_item(&from, &item));
        if (item.number == 1 && item.kind == WIRE_SIZED)
            field.name = item.text;
        else if (item.number == 2 && item.kind == WIRE_SIZED)
            field.value = item.text;
    }
    header->field[header->count++] = field;
    return DONE;
}

fault rest_request_read(struct span frame, struct rest_request *out)
{
    memset(out, 0, offsetof(struct rest_request, header.field));
    out->body = (struct span){NULL, 0};
    struct cursor from = cursor_over(frame);
    while (!cursor_at_end(&from)) {
        struct item item;
        TRY(take_item(&from, &item));
        if (item.kind != WIRE_SIZED)
            continue;
        if (item.number == 1)
            out->method = item.text;
        else if (item.number == 2)
            out->target = item.text;
        else if (item.number == 3)
            TRY(read_field(item.text, &out->header));
        else if (item.number == 4)
            out->body = item.text;
    }
    return DONE;
}

fault rest_response_read(struct span frame, struct rest_response *out)
{
    memset(out, 0, offsetof(struct rest_response, header.field));
    out->request_hash = out->body = (struct span){NULL, 0};
    struct cursor from = cursor_over(frame);
    while (!cursor_at_end(&from)) {
        struct item item;
        TRY(take_item(&from, &item));
        if (item.number == 1 && item.kind == WIRE_VARINT)
            out->status = item.value > 999 ? 1000 : (unsigned)item.value;
        else if (item.kind != WIRE_SIZED)
            continue;
        else if (item.number == 2)
            TRY(read_field(item.text, &out->header));
        else if (item.number == 3)
            out->request_hash = item.text;
        else if (item.number == 4)
            out->body = item.text;
    }
    return DONE;
}
