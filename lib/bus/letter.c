// SPDX-License-Identifier: MIT
#include "lib/bus/letter.h"

#include "lib/base/cursor.h"
#include "lib/crypto/random.h"

#include "mesh.pb-c.h"

#include <assert.h>

/* The letter is written and read here by hand rather than through protobuf-c, because its payload
 * may be a quarter of a gigabyte and is not to be copied twice. The bytes are plain protobuf all
 * the same: fields 1, 2, 3, 4 (only with a place), 8, 9, each once, in this order,
 * length-delimited. */
#define FIELD_HEADER 0x0a    /* 1 << 3 | 2 */
#define FIELD_SKI 0x12       /* 2 */
#define FIELD_SIGNATURE 0x1a /* 3 */
#define FIELD_PLACE 0x22     /* 4 */
#define FIELD_SALT 0x42      /* 8 */
#define FIELD_PAYLOAD 0x4a   /* 9 */

#define VARINT_BYTES_MAX 10

void seal_key_id(const uint8_t public_key[X25519_PUBLIC_BYTES], uint8_t out[SEAL_KEY_ID_BYTES])
{
    struct sha256 hash = SHA256_OF(span_of(public_key, X25519_PUBLIC_BYTES));
    memcpy(out, hash.at, SEAL_KEY_ID_BYTES);
}

size_t envelope_encode(const struct envelope *self, uint8_t out[MESH_ENVELOPE_BYTES_MAX])
{
    Chaski__Envelope message = CHASKI__ENVELOPE__INIT;
    message.version = 1;
    message.ephemeral =
        (ProtobufCBinaryData){X25519_PUBLIC_BYTES, (uint8_t *)(uintptr_t)self->ephemeral};
    message.counter = self->counter;
    message.seal_key_id =
        (ProtobufCBinaryData){SEAL_KEY_ID_BYTES, (uint8_t *)(uintptr_t)self->seal_key_id};
    message.direction = self->direction;
    message.batches = self->batches;
    assert(chaski__envelope__get_packed_size(&message) <= MESH_ENVELOPE_BYTES_MAX);
    return chaski__envelope__pack(&message, out);
}

static fault read_envelope(const Chaski__Envelope *message, struct envelope *out)
{
    if (message->version != 1)
        return RAISE(BAD_FRAME, "envelope version %u; this server reads 1", message->version);
    if (message->ephemeral.len != X25519_PUBLIC_BYTES ||
        message->seal_key_id.len != SEAL_KEY_ID_BYTES ||
        (message->direction != LETTER_QUESTION && message->direction != LETTER_ANSWER))
        return RAISE(BAD_FRAME, "a field of an envelope is wrong");
    memcpy(out->ephemeral, message->ephemeral.data, X25519_PUBLIC_BYTES);
    memcpy(out->seal_key_id, message->seal_key_id.data, SEAL_KEY_ID_BYTES);
    out->counter = message->counter;
    out->direction = (enum letter_direction)message->direction;
    out->batches = message->batches;
    return DONE;
}

fault envelope_decode(struct span bytes, struct envelope *out)
{
    if (bytes.size > MESH_ENVELOPE_BYTES_MAX)
        return RAISE(BAD_FRAME, "an envelope of %zu bytes", bytes.size);
    Chaski__Envelope *message = chaski__envelope__unpack(NULL, bytes.size, bytes.at);
    if (message == NULL)
        return RAISE(BAD_FRAME, "not an envelope");
    fault f = read_envelope(message, out);
    chaski__envelope__free_unpacked(message, NULL);
    return f;
}

// --- letters ------------------------------------------------------------------------------------

static size_t put_varint(uint8_t *at, uint64_t value)
{
    size_t size = 0;
    for (; value >= 0x80; value >>= 7)
        at[size++] = (uint8_t)(value | 0x80);
    at[size++] = (uint8_t)value;
    return size;
}

static void put_field(struct bytes *out, uint8_t field, struct span value)
{
    uint8_t *at = out->data + out->size;
    at[0] = field;
    size_t head = 1 + put_varint(at + 1, value.size);
    if (value.size > 0)
        memcpy(at + head, value.at, value.size);
    out->size += head + value.size;
}

static fault take_field(struct cursor *at, uint8_t field, struct span *out)
{
    uint8_t found = 0, byte = 0;
    uint64_t length = 0;
    TRY(cursor_take_u8(at, &found));
    if (found != field)
        return RAISE(BAD_FRAME, "a letter with field byte 0x%02x where 0x%02x belongs", found,
                     field);
    for (unsigned shift = 0;; shift += 7) {
        TRY(cursor_take_u8(at, &byte));
        if (shift > 35)
            return RAISE(BAD_FRAME, "a letter with an impossible length");
        length |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            break;
    }
    return cursor_take(at, length, out);
}

/* There is one form: without a place there is no field. */
static fault take_place(struct cursor *at, struct span *out)
{
    *out = (struct span){0};
    if (cursor_at_end(at) || at->left.at[0] != FIELD_PLACE)
        return DONE;
    TRY(take_field(at, FIELD_PLACE, out));
    if (out->size == 0 || out->size > BATCH_PLACE_BYTES_MAX)
        return RAISE(BAD_FRAME, "a letter with a place of %zu bytes", out->size);
    return DONE;
}

static fault read_letter(struct span plain, struct letter *out)
{
    struct cursor at = cursor_over(plain);
    struct span salt, payload;
    TRY(take_field(&at, FIELD_HEADER, &out->header));
    TRY(take_field(&at, FIELD_SKI, &out->ski));
    TRY(take_field(&at, FIELD_SIGNATURE, &out->signature));
    TRY(take_place(&at, &out->place));
    TRY(take_field(&at, FIELD_SALT, &salt));
    TRY(take_field(&at, FIELD_PAYLOAD, &payload));
    if (!cursor_at_end(&at) || out->ski.size != SKI_BYTES || salt.size != SALT_BYTES ||
        out->signature.size > P256_SIGNATURE_BYTES_MAX || out->header.size > HEADER_BYTES_MAX ||
        payload.size > PAYLOAD_BYTES_MAX)
        return RAISE(BAD_FRAME, "a field of a letter has the wrong size");
    /* The blob (salt || payload) is made whole in place: the payload moves down over its own field
     * head, which nobody needs any more. */
    uint8_t *start = (uint8_t *)(uintptr_t)salt.at;
    memmove(start + SALT_BYTES, payload.at, payload.size);
    out->blob = span_of(start, SALT_BYTES + payload.size);
    return DONE;
}

fault letter_seal(const struct letter *letter, struct seal_key *key, uint64_t counter,
                  struct span envelope, struct bytes **out)
{
    OWNED(bytes) plain = NULL;
    OWNED(bytes) sealed = NULL;
    size_t room = letter->header.size + letter->ski.size + letter->signature.size +
                  letter->place.size + letter->blob.size + 6 * (1 + VARINT_BYTES_MAX);
    TRY(bytes_new(room, &plain));
    plain->size = 0;
    put_field(plain, FIELD_HEADER, letter->header);
    put_field(plain, FIELD_SKI, letter->ski);
    put_field(plain, FIELD_SIGNATURE, letter->signature);
    if (letter->place.size > 0)
        put_field(plain, FIELD_PLACE, letter->place);
    put_field(plain, FIELD_SALT, span_of(letter->blob.at, SALT_BYTES));
    put_field(plain, FIELD_PAYLOAD, letter_payload(letter->blob));
    TRY(bytes_new(plain->size + SEAL_TAG_BYTES, &sealed));
    fault f = seal_encrypt(key, counter, envelope, bytes_span(plain), sealed->data);
    seal_wipe(plain->data, plain->size);
    TRY(f);
    *out = TAKE(sealed);
    return DONE;
}

fault letter_open(struct span sealed, struct seal_key *key, uint64_t counter, struct span envelope,
                  struct bytes **memory, struct letter *out)
{
    if (sealed.size < SEAL_TAG_BYTES)
        return RAISE(BAD_FRAME, "a sealed letter of %zu bytes", sealed.size);
    OWNED(bytes) plain = NULL;
    struct letter letter = {0};
    TRY(bytes_new(sealed.size - SEAL_TAG_BYTES, &plain));
    TRY(seal_decrypt(key, counter, envelope, sealed, plain->data));
    TRY(read_letter(bytes_span(plain), &letter));
    *memory = TAKE(plain);
    *out = letter;
    return DONE;
}

struct sha256 letter_commitment(struct span blob)
{
    return SHA256_OF(blob);
}

fault letter_blob(struct span payload, struct bytes **out)
{
    OWNED(bytes) blob = NULL;
    TRY(bytes_new(SALT_BYTES + payload.size, &blob));
    random_fill(blob->data, SALT_BYTES);
    if (payload.size > 0)
        memcpy(blob->data + SALT_BYTES, payload.at, payload.size);
    *out = TAKE(blob);
    return DONE;
}
