// SPDX-License-Identifier: MIT
#include "lib/bus/witness.h"

#include "lib/base/cursor.h"
#include "lib/base/text.h"

#include <inttypes.h>
#include <stdio.h>

#define HASH_TEXT_ROOM 48 /* base64 of 32 bytes, a line end and NUL */

fault witness_request_write(uint64_t old_size, const struct sha256 *proof, size_t length,
                            struct span note, struct bytes **out)
{
    OWNED(bytes) body = bytes_empty(note.size + 64 + length * HASH_TEXT_ROOM);
    char line[64];
    text_format(line, sizeof line, "old %" PRIu64 "\n", old_size);
    TRY(bytes_append_text(body, line));
    for (size_t i = 0; i < length; i++) {
        text_base64(sha256_span(&proof[i]), line, sizeof line);
        TRY(bytes_append_text(body, line));
        TRY(bytes_append_text(body, "\n"));
    }
    TRY(bytes_append_text(body, "\n"));
    TRY(bytes_append(body, note));
    *out = TAKE(body);
    return DONE;
}

static fault read_hash(struct span line, struct sha256 *out)
{
    OWNED(bytes) hash = NULL;
    if (failed(text_unbase64(line, &hash)) || hash->size != SHA256_BYTES)
        return RAISE(BAD_FRAME, "a line of a proof is no hash");
    memcpy(out->at, hash->data, SHA256_BYTES);
    return DONE;
}

fault witness_request_read(struct span body, struct witness_request *out)
{
    struct cursor at = cursor_over(body);
    struct span line;
    out->length = 0;
    if (body.size > WITNESS_BODY_BYTES_MAX || failed(cursor_take_until(&at, '\n', &line)) ||
        line.size < 5 || memcmp(line.at, "old ", 4) != 0 ||
        failed(text_number(span_of(line.at + 4, line.size - 4), UINT64_MAX, &out->old_size)) ||
        (line.size > 5 && line.at[4] == '0'))
        return RAISE(BAD_FRAME, "no old size in the first line");
    for (;;) {
        if (failed(cursor_take_until(&at, '\n', &line)))
            return RAISE(BAD_FRAME, "no checkpoint follows the proof");
        if (line.size == 0)
            break;
        if (out->length == MERKLE_PROOF_MAX - 1) /* 63, as the specification has it */
            return RAISE(BAD_FRAME, "a proof of more than %d hashes", MERKLE_PROOF_MAX - 1);
        TRY(read_hash(line, &out->proof[out->length++]));
    }
    out->note = at.left;
    return DONE;
}

static bool is_cosigned(struct span note, const struct note_key *witness)
{
    struct checkpoint head;
    uint64_t time_s = 0;
    return !failed(cosignature_open(note, witness, &head, &time_s));
}

fault witness_line_take(struct bytes **note, struct span lines, const struct note_key *witness)
{
    struct cursor at = cursor_over(lines);
    struct span line;
    while (!failed(cursor_take_until(&at, '\n', &line))) {
        OWNED(bytes) trial = NULL;
        if ((*note)->size + line.size + 1 > NOTE_BYTES_MAX)
            return RAISE(BAD_FRAME, "a note of more than %d bytes", NOTE_BYTES_MAX);
        TRY(bytes_copy(bytes_span(*note), &trial));
        TRY(bytes_append(trial, line));
        TRY(bytes_append_text(trial, "\n"));
        if (!is_cosigned(bytes_span(trial), witness))
            continue;
        bytes_free(note);
        *note = TAKE(trial);
        return DONE;
    }
    return RAISE(SIGNATURE_BAD, "no good cosignature of %s among %zu bytes", witness->name,
                 lines.size);
}

fault witness_origin(struct span note, char out[NOTE_NAME_BYTES_MAX])
{
    struct cursor at = cursor_over(note);
    struct span line;
    if (failed(cursor_take_until(&at, '\n', &line)) || line.size == 0 || !text_is_plain(line) ||
        !text_format(out, NOTE_NAME_BYTES_MAX, "%.*s", (int)line.size, (const char *)line.at))
        return RAISE(BAD_FRAME, "a checkpoint without an origin");
    return DONE;
}

enum witness_status witness_judge(const struct witness_request *request,
                                  const struct checkpoint *kept, const struct note_key *log_key,
                                  struct checkpoint *head)
{
    if (log_key == NULL)
        return WITNESS_UNKNOWN_LOG;
    fault f = checkpoint_open(request->note, log_key, head);
    if (f.code == SIGNATURE_BAD)
        return WITNESS_NOT_SIGNED;
    if (failed(f) || request->old_size > head->size)
        return WITNESS_MALFORMED;
    if (request->old_size != kept->size)
        return WITNESS_OTHER_SIZE;
    if (failed(merkle_consistency_check(kept->size, &kept->root, head->size, &head->root,
                                        request->proof, request->length)))
        return WITNESS_INCONSISTENT;
    return WITNESS_COSIGN;
}
