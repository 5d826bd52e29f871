// SPDX-License-Identifier: MIT
#include "lib/bus/heartbeat.h"

#include "lib/base/cursor.h"
#include "lib/base/text.h"

#include <assert.h>
#include <inttypes.h>

#define TIME_WORD "time "
#define TIME_S_MAX UINT64_C(253402300799) /* the year 9999: what a clock can show */

static size_t time_line(uint64_t time_s, char *out, size_t room)
{
    bool fits = text_format(out, room, TIME_WORD "%" PRIu64 "\n", time_s);
    assert(fits);
    return strlen(out);
}

size_t heartbeat_body(const struct heartbeat *self, char *out, size_t room)
{
    size_t size = checkpoint_body(&self->head, out, room);
    return size + time_line(self->time_s, out + size, room - size);
}

/* A checkpoint's note with the line put in behind its own three. */
fault heartbeat_note(const struct heartbeat *self, const struct note_key *key,
                     const uint8_t signature[ED25519_SIGNATURE_BYTES], struct bytes **out)
{
    char body[HEARTBEAT_BODY_ROOM];
    OWNED(bytes) plain = NULL;
    TRY(checkpoint_note(&self->head, key, signature, &plain));
    size_t head = checkpoint_body(&self->head, body, sizeof body);
    size_t size = heartbeat_body(self, body, sizeof body);
    OWNED(bytes) note = bytes_empty(size + plain->size);
    TRY(bytes_append(note, span_of(body, size)));
    TRY(bytes_append(note, span_of(plain->data + head, plain->size - head)));
    *out = TAKE(note);
    return DONE;
}

fault heartbeat_make(const struct heartbeat *self, const struct note_key *key,
                     struct keypair *signer, struct bytes **out)
{
    char body[HEARTBEAT_BODY_ROOM];
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    size_t size = heartbeat_body(self, body, sizeof body);
    TRY(keypair_sign_message(signer, span_of(body, size), signature));
    return heartbeat_note(self, key, signature, out);
}

static fault take_time(struct span line, uint64_t *out)
{
    size_t word = strlen(TIME_WORD);
    if (line.size <= word || memcmp(line.at, TIME_WORD, word) != 0 ||
        (line.size > word + 1 && line.at[word] == '0') ||
        failed(text_number(span_of(line.at + word, line.size - word), TIME_S_MAX, out)))
        return RAISE(BAD_FRAME, "the fourth line of a heartbeat is no time");
    return DONE;
}

fault heartbeat_open(struct span note, const struct note_key *key, struct heartbeat *out)
{
    struct heartbeat read;
    struct cursor at = cursor_over(note);
    struct span line;
    TRY(checkpoint_open(note, key, &read.head));
    for (int i = 0; i < 4; i++)
        TRY(cursor_take_until(&at, '\n', &line));
    TRY(take_time(line, &read.time_s));
    TRY(cursor_take_until(&at, '\n', &line));
    if (line.size != 0)
        return RAISE(BAD_FRAME, "a heartbeat of more than four lines");
    *out = read;
    return DONE;
}
