// SPDX-License-Identifier: MIT
#include "lib/bus/subject_key.h"

#include "lib/base/cursor.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"

static const char magic[] = "CHSKSUB1";
static const char context[] = "chaski subject key v1";

#define MAGIC_BYTES (sizeof magic - 1)
#define SEALED_BYTES (PSEUDONYM_KEY_BYTES + SEAL_TAG_BYTES)
#define BLOB_BYTES (MAGIC_BYTES + 2 + SEAL_KEY_ID_BYTES + X25519_PUBLIC_BYTES + SEALED_BYTES)
#define ASSOCIATED_ROOM (sizeof context + ID_TEXT_BYTES_MAX + 1 + 2 + SHA256_BYTES)

_Static_assert(BLOB_BYTES <= SUBJECT_BLOB_BYTES_MAX, "room for a sealed key");

void subject_key_name(const char *server, unsigned year, char out[SUBJECT_KEY_NAME_ROOM])
{
    char hex[2 * SHA256_BYTES + 1];
    struct sha256 hash = SHA256_OF(span_of_text(server));
    text_hex(sha256_span(&hash), hex, sizeof hex);
    text_format(out, SUBJECT_KEY_NAME_ROOM, SUBJECT_KEYS_FOLDER "/%04u/%s", year % 10000, hex);
}

static fault associate(const char *server, unsigned year, const struct sha256 *commitment,
                       uint8_t out[ASSOCIATED_ROOM], struct span *whole)
{
    size_t size = strlen(server);
    if (size > ID_TEXT_BYTES_MAX)
        return RAISE(BAD_NAME, "the name of a server with %zu bytes", size);
    memcpy(out, context, sizeof context);
    memcpy(out + sizeof context, server, size + 1);
    size += sizeof context + 1;
    put_u16(out + size, (uint16_t)year);
    memcpy(out + size + 2, commitment->at, SHA256_BYTES);
    *whole = span_of(out, size + 2 + SHA256_BYTES);
    return DONE;
}

fault subject_key_seal(const char *server, unsigned year, const uint8_t key[PSEUDONYM_KEY_BYTES],
                       const uint8_t receiver[X25519_PUBLIC_BYTES], struct bytes **out)
{
    uint8_t associated[ASSOCIATED_ROOM], ephemeral[X25519_PUBLIC_BYTES];
    struct sha256 commitment = pseudonym_commitment(key);
    struct span with;
    OWNED(seal_key) seal = NULL;
    OWNED(bytes) blob = NULL;
    TRY(associate(server, year, &commitment, associated, &with));
    TRY(seal_start(receiver, ephemeral, &seal));
    TRY(bytes_new(BLOB_BYTES, &blob));
    uint8_t *at = blob->data;
    memcpy(at, magic, MAGIC_BYTES);
    put_u16(at + MAGIC_BYTES, (uint16_t)year);
    seal_key_id(receiver, at + MAGIC_BYTES + 2);
    memcpy(at + MAGIC_BYTES + 2 + SEAL_KEY_ID_BYTES, ephemeral, sizeof ephemeral);
    TRY(seal_encrypt(seal, 0, with, span_of(key, PSEUDONYM_KEY_BYTES),
                     at + BLOB_BYTES - SEALED_BYTES));
    *out = TAKE(blob);
    return DONE;
}

fault subject_key_read(struct span bytes, struct subject_key_blob *out)
{
    struct cursor at = cursor_over(bytes);
    struct span part, id, ephemeral;
    if (bytes.size != BLOB_BYTES)
        return RAISE(BAD_FRAME, "a sealed key of %zu bytes", bytes.size);
    TRY(cursor_take(&at, MAGIC_BYTES, &part));
    if (memcmp(part.at, magic, MAGIC_BYTES) != 0)
        return RAISE(BAD_FRAME, "no sealed key of a year");
    TRY(cursor_take(&at, 2, &part));
    TRY(cursor_take(&at, SEAL_KEY_ID_BYTES, &id));
    TRY(cursor_take(&at, X25519_PUBLIC_BYTES, &ephemeral));
    out->year = (unsigned)part.at[0] << 8 | part.at[1];
    memcpy(out->seal_key_id, id.at, SEAL_KEY_ID_BYTES);
    memcpy(out->ephemeral, ephemeral.at, X25519_PUBLIC_BYTES);
    out->sealed = at.left;
    return DONE;
}

fault subject_key_open(const struct subject_key_blob *blob, const char *server,
                       const struct sha256 *commitment, struct keypair *receiver,
                       uint8_t out[PSEUDONYM_KEY_BYTES])
{
    uint8_t associated[ASSOCIATED_ROOM], derived[SEAL_KEY_BYTES];
    struct span with;
    OWNED(seal_key) seal = NULL;
    TRY(associate(server, blob->year, commitment, associated, &with));
    TRY(seal_derive(receiver, blob->ephemeral, derived));
    fault f = seal_key_make(derived, &seal);
    seal_wipe(derived, sizeof derived);
    TRY(f);
    TRY(seal_decrypt(seal, 0, with, blob->sealed, out));
    struct sha256 found = pseudonym_commitment(out);
    if (sha256_equal(&found, commitment))
        return DONE;
    seal_wipe(out, PSEUDONYM_KEY_BYTES);
    return RAISE(BAD_KEY, "it is not the key that the directory names for %u", blob->year);
}
