// SPDX-License-Identifier: MIT
#include "registry/act_texts.h"

#include "lib/base/shown.h"

#include "directory.pb-c.h"

static fault check_text(const ProtobufCMessageDescriptor *of, const ProtobufCFieldDescriptor *field,
                        const char *text)
{
    struct cursor at = cursor_over(span_of_text(text == NULL ? "" : text));
    while (!cursor_at_end(&at)) {
        struct span character;
        uint32_t point = 0;
        if (!shown_take(&at, &character, &point))
            return RAISE(REFUSED,
                         "%s of %s holds U+%04X: a character that is not seen, or changes how "
                         "what stands around it is read",
                         field->name, of->short_name, point);
    }
    return DONE;
}

static fault check_message(const ProtobufCMessage *message);

static fault check_value(const ProtobufCMessageDescriptor *of,
                         const ProtobufCFieldDescriptor *field, const void *value)
{
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return check_text(of, field, *(char *const *)value);
    if (field->type != PROTOBUF_C_TYPE_MESSAGE || *(ProtobufCMessage *const *)value == NULL)
        return DONE;
    return check_message(*(ProtobufCMessage *const *)value);
}

/* Where protobuf-c keeps a field, by the message's own description: kinds of acts that are added
 * later are looked at too. */
static fault check_field(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const uint8_t *base = (const uint8_t *)message;
    const void *value = base + field->offset;
    const void *quantifier = base + field->quantifier_offset;
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
        *(const uint32_t *)quantifier != field->id)
        return DONE;
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return check_value(message->descriptor, field, value);
    if (field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE)
        return DONE;
    void *const *items = *(void *const *const *)value;
    for (size_t i = 0; i < *(const size_t *)quantifier; i++)
        TRY(check_value(message->descriptor, field, &items[i]));
    return DONE;
}

static fault check_message(const ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++)
        TRY(check_field(message, &message->descriptor->fields[i]));
    return DONE;
}

fault act_texts_check(const struct Chaski__Act *act)
{
    return check_message(&act->base);
}
