// SPDX-License-Identifier: MIT
#include "lib/crypto/note.h"

#include "lib/base/cursor.h"
#include "lib/base/text.h"

#include <assert.h>
#include <inttypes.h>

#define EM_DASH "\xe2\x80\x94"
#define KEY_ID_BYTES 4
#define VKEY_BYTES (1 + ED25519_PUBLIC_BYTES) /* type || public key */
#define TIME_BYTES 8
#define BASE64_ROOM(size) (4 * (((size) + 2) / 3) + 1)
#define SIZE_MOST ((uint64_t)INT64_MAX) /* what the Go implementations can hold */

/* ---- names and keys ---- */

/* Unicode's white space beyond ASCII, in UTF-8. */
static const char *const wide_spaces[] = {
    "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
    "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
    "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
    "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80",
};

static bool is_name(struct span name)
{
    if (name.size == 0 || name.size >= NOTE_NAME_BYTES_MAX || !text_is_utf8(name))
        return false;
    for (size_t i = 0; i < name.size; i++)
        if (name.at[i] <= ' ' || name.at[i] == '+' || name.at[i] == 0x7f)
            return false;
    for (size_t i = 0; i < sizeof wide_spaces / sizeof wide_spaces[0]; i++)
        if (memmem(name.at, name.size, wide_spaces[i], strlen(wide_spaces[i])) != NULL)
            return false;
    return true;
}

static fault make_key(struct span name, uint8_t type, const uint8_t *public_key,
                      struct note_key *out)
{
    if (!is_name(name))
        return RAISE(BAD_NAME, "not the name of a note key");
    if (type != NOTE_LOG && type != NOTE_WITNESS)
        return RAISE(BAD_KEY, "a note key of type %02x", type);
    struct note_key key = {.type = type};
    memcpy(key.name, name.at, name.size);
    memcpy(key.public_key, public_key, sizeof key.public_key);
    struct sha256 id = SHA256_OF(name, span_of("\n", 1), span_of(&type, 1),
                                 span_of(public_key, sizeof key.public_key));
    memcpy(key.id, id.at, sizeof key.id);
    *out = key;
    return DONE;
}

fault note_key_make(const char *name, uint8_t type, const uint8_t public_key[ED25519_PUBLIC_BYTES],
                    struct note_key *out)
{
    return make_key(span_of_text(name), type, public_key, out);
}

/* A name holds no '+', so the first two part the three fields; base64 may hold more. */
fault note_key_parse(struct span vkey, struct note_key *out)
{
    struct cursor from = cursor_over(vkey);
    struct span name;
    struct span hex;
    uint8_t id[KEY_ID_BYTES];
    if (failed(cursor_take_until(&from, '+', &name)) ||
        failed(cursor_take_until(&from, '+', &hex)) || failed(text_unhex(hex, id, sizeof id)))
        return RAISE(BAD_KEY, "a verifier key is name+8 hex digits+base64");
    OWNED(bytes) key = NULL;
    if (failed(text_unbase64(from.left, &key)) || key->size != VKEY_BYTES)
        return RAISE(BAD_KEY, "a verifier key ends in the base64 of %d bytes", VKEY_BYTES);
    struct note_key made;
    if (failed(make_key(name, key->data[0], key->data + 1, &made)))
        return RAISE(BAD_KEY, "a verifier key of an unknown type or a bad name");
    if (memcmp(made.id, id, sizeof id) != 0)
        return RAISE(BAD_KEY, "a verifier key whose id is not that of its name and key");
    *out = made;
    return DONE;
}

void note_key_text(const struct note_key *self, char *out, size_t room)
{
    char id[2 * KEY_ID_BYTES + 1];
    char key[BASE64_ROOM(VKEY_BYTES)];
    uint8_t typed[VKEY_BYTES] = {self->type};
    memcpy(typed + 1, self->public_key, sizeof self->public_key);
    text_hex(span_of(self->id, sizeof self->id), id, sizeof id);
    text_base64(span_of(typed, sizeof typed), key, sizeof key);
    bool fits = text_format(out, room, "%s+%s+%s", self->name, id, key);
    assert(fits);
}

/* ---- writing ---- */

size_t checkpoint_body(const struct checkpoint *self, char *out, size_t room)
{
    char root[BASE64_ROOM(SHA256_BYTES)];
    text_base64(sha256_span(&self->root), root, sizeof root);
    bool fits = text_format(out, room, "%s\n%" PRIu64 "\n%s\n", self->origin, self->size, root);
    assert(fits);
    return strlen(out);
}

size_t cosignature_body(const struct checkpoint *self, uint64_t time_s, char *out, size_t room)
{
    bool fits = text_format(out, room, "cosignature/v1\ntime %" PRIu64 "\n", time_s);
    assert(fits);
    size_t head = strlen(out);
    return head + checkpoint_body(self, out + head, room - head);
}

/* "— name base64(id || signature)\n" */
static fault append_line(struct bytes *note, const struct note_key *key, struct span signature)
{
    uint8_t named[KEY_ID_BYTES + TIME_BYTES + ED25519_SIGNATURE_BYTES];
    char base64[BASE64_ROOM(sizeof named)];
    assert(signature.size <= sizeof named - KEY_ID_BYTES);
    memcpy(named, key->id, KEY_ID_BYTES);
    memcpy(named + KEY_ID_BYTES, signature.at, signature.size);
    text_base64(span_of(named, KEY_ID_BYTES + signature.size), base64, sizeof base64);
    char line[NOTE_NAME_BYTES_MAX + sizeof base64 + 16];
    bool fits = text_format(line, sizeof line, EM_DASH " %s %s\n", key->name, base64);
    assert(fits);
    return bytes_append_text(note, line);
}

fault checkpoint_note(const struct checkpoint *self, const struct note_key *key,
                      const uint8_t signature[ED25519_SIGNATURE_BYTES], struct bytes **out)
{
    if (key->type != NOTE_LOG || strcmp(self->origin, key->name) != 0)
        return RAISE(BAD_NAME, "a checkpoint is signed by the log that it names");
    char body[CHECKPOINT_BODY_ROOM];
    size_t size = checkpoint_body(self, body, sizeof body);
    OWNED(bytes) note = bytes_empty(size + CHECKPOINT_BODY_ROOM);
    TRY(bytes_append(note, span_of(body, size)));
    TRY(bytes_append_text(note, "\n"));
    TRY(append_line(note, key, span_of(signature, ED25519_SIGNATURE_BYTES)));
    *out = TAKE(note);
    return DONE;
}

fault cosignature_append(struct bytes *note, const struct note_key *witness, uint64_t time_s,
                         const uint8_t signature[ED25519_SIGNATURE_BYTES])
{
    if (witness->type != NOTE_WITNESS)
        return RAISE(BAD_KEY, "a cosignature is made with a witness's key");
    uint8_t timed[TIME_BYTES + ED25519_SIGNATURE_BYTES];
    put_u64(timed, time_s);
    memcpy(timed + TIME_BYTES, signature, ED25519_SIGNATURE_BYTES);
    return append_line(note, witness, span_of(timed, sizeof timed));
}

/* ---- reading ---- */

struct note {
    struct span text;  /* what is signed, with its last newline */
    struct span lines; /* the signature lines */
};

static bool is_plain(struct span text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.at[i] < 0x20 && text.at[i] != '\n')
            return false;
    return text_is_utf8(text);
}

/* Parts at the last blank line: the text itself may hold others. */
static fault split(struct span whole, struct note *out)
{
    if (whole.size > NOTE_BYTES_MAX || !is_plain(whole))
        return RAISE(BAD_FRAME, "a note of %zu bytes is too long or not plain text", whole.size);
    size_t end = whole.size;
    while (end >= 2 && memcmp(whole.at + end - 2, "\n\n", 2) != 0)
        end--;
    if (end < 2 || end == whole.size || whole.at[whole.size - 1] != '\n')
        return RAISE(BAD_FRAME, "a note without signature lines behind a blank line");
    out->text = span_of(whole.at, end - 1);
    out->lines = span_of(whole.at + end, whole.size - end);
    return DONE;
}

static fault take_number(struct span digits, uint64_t *out)
{
    if (digits.size > 1 && digits.at[0] == '0')
        return RAISE(BAD_FRAME, "a tree size with leading zeros");
    if (failed(text_number(digits, SIZE_MOST, out)))
        return RAISE(BAD_FRAME, "a tree size that is not a number");
    return DONE;
}

static fault take_root(struct span base64, struct sha256 *out)
{
    OWNED(bytes) root = NULL;
    if (failed(text_unbase64(base64, &root)) || root->size != SHA256_BYTES)
        return RAISE(BAD_FRAME, "a root that is not the base64 of 32 bytes");
    memcpy(out->at, root->data, SHA256_BYTES);
    return DONE;
}

static fault read_body(struct span text, struct checkpoint *out)
{
    struct cursor from = cursor_over(text);
    struct span origin;
    struct span size;
    struct span root;
    TRY(cursor_take_until(&from, '\n', &origin));
    TRY(cursor_take_until(&from, '\n', &size));
    TRY(cursor_take_until(&from, '\n', &root));
    if (origin.size == 0 || origin.size >= sizeof out->origin)
        return RAISE(BAD_FRAME, "an origin of %zu bytes", origin.size);
    TRY(take_number(size, &out->size));
    TRY(take_root(root, &out->root));
    memcpy(out->origin, origin.at, origin.size);
    out->origin[origin.size] = '\0';
    while (!cursor_at_end(&from)) {
        struct span extension;
        TRY(cursor_take_until(&from, '\n', &extension));
        if (extension.size == 0)
            return RAISE(BAD_FRAME, "an empty line in a checkpoint");
    }
    return DONE;
}

/* One signature line: its name and the bytes behind, id first. */
static fault take_line(struct cursor *lines, struct span *name, struct bytes **out)
{
    static const char dash[] = EM_DASH " ";
    struct span line;
    struct span start;
    TRY(cursor_take_until(lines, '\n', &line));
    struct cursor from = cursor_over(line);
    if (failed(cursor_take(&from, sizeof dash - 1, &start)) || !span_is_text(start, dash) ||
        failed(cursor_take_until(&from, ' ', name)) || !is_name(*name))
        return RAISE(BAD_FRAME, "a signature line is dash, name, base64");
    OWNED(bytes) signature = NULL;
    if (failed(text_unbase64(from.left, &signature)) || signature->size <= KEY_ID_BYTES)
        return RAISE(BAD_FRAME, "a signature line that does not end in base64");
    *out = TAKE(signature);
    return DONE;
}

/* Type 0x01 signs the text itself, 0x04 a time and the text; both end in the Ed25519 signature. */
static fault check_signature(struct span text, const struct note_key *key, struct span field,
                             uint64_t *out_time_s)
{
    size_t head = key->type == NOTE_WITNESS ? TIME_BYTES : 0;
    if (field.size != head + ED25519_SIGNATURE_BYTES)
        return RAISE(SIGNATURE_BAD, "a note signature of %zu bytes", field.size);
    struct span signature = span_of(field.at + head, ED25519_SIGNATURE_BYTES);
    if (key->type == NOTE_LOG)
        return ed25519_verify(key->public_key, text, signature);
    uint64_t time_s = get_u64(field.at);
    char line[64];
    text_format(line, sizeof line, "cosignature/v1\ntime %" PRIu64 "\n", time_s);
    OWNED(bytes) message = bytes_empty(text.size + sizeof line);
    TRY(bytes_append_text(message, line));
    TRY(bytes_append(message, text));
    TRY(ed25519_verify(key->public_key, bytes_span(message), signature));
    *out_time_s = time_s;
    return DONE;
}

/* Every line is read, so that a note is either sound or refused, and every line of this key must
 * verify; of several witness times the last one stands. */
static fault check_lines(const struct note *note, const struct note_key *key, uint64_t *out_time_s)
{
    struct cursor lines = cursor_over(note->lines);
    bool signed_by_key = false;
    while (!cursor_at_end(&lines)) {
        OWNED(bytes) signature = NULL;
        struct span name;
        TRY(take_line(&lines, &name, &signature));
        if (!span_is_text(name, key->name) || memcmp(signature->data, key->id, KEY_ID_BYTES) != 0)
            continue;
        struct span field = span_of(signature->data + KEY_ID_BYTES, signature->size - KEY_ID_BYTES);
        TRY(check_signature(note->text, key, field, out_time_s));
        signed_by_key = true;
    }
    return signed_by_key ? DONE : RAISE(SIGNATURE_BAD, "no signature of %s", key->name);
}

fault checkpoint_open(struct span whole, const struct note_key *key, struct checkpoint *out)
{
    struct note note;
    struct checkpoint read;
    uint64_t unused = 0;
    TRY(split(whole, &note));
    TRY(read_body(note.text, &read));
    if (key->type != NOTE_LOG)
        return RAISE(SIGNATURE_BAD, "%s is not a log's key", key->name);
    TRY(check_lines(&note, key, &unused));
    if (strcmp(read.origin, key->name) != 0)
        return RAISE(SIGNATURE_BAD, "a checkpoint of another origin than %s", key->name);
    *out = read;
    return DONE;
}

fault cosignature_open(struct span whole, const struct note_key *witness, struct checkpoint *out,
                       uint64_t *out_time_s)
{
    struct note note;
    struct checkpoint read;
    uint64_t time_s = 0;
    TRY(split(whole, &note));
    TRY(read_body(note.text, &read));
    if (witness->type != NOTE_WITNESS)
        return RAISE(SIGNATURE_BAD, "%s is not a witness's key", witness->name);
    TRY(check_lines(&note, witness, &time_s));
    *out = read;
    *out_time_s = time_s;
    return DONE;
}
