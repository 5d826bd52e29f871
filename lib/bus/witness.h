// SPDX-License-Identifier: MIT
/*
 * witness - cosigning other logs' checkpoints: the bodies and the judgement of C2SP tlog-witness.
 *
 *   old <size>\n  <base64 hash>\n ...  \n  <checkpoint note>
 *
 * The judgement knows no files and no sockets: who keeps the state (largest head cosigned, per log)
 * must have it on disk before the cosignature leaves.
 */
#ifndef BUS_WITNESS_H
#define BUS_WITNESS_H

#include "lib/base/bytes.h"
#include "lib/crypto/merkle.h"
#include "lib/crypto/note.h"

#define WITNESS_BODY_BYTES_MAX (NOTE_BYTES_MAX + 4096)

struct witness_request {
    uint64_t old_size;
    size_t length;
    struct sha256 proof[MERKLE_PROOF_MAX];
    struct span note; /* points into what was read */
};

fault witness_request_write(uint64_t old_size, const struct sha256 *proof, size_t length,
                            struct span note, struct bytes **out);
fault witness_request_read(struct span body, struct witness_request *out); /* BAD_FRAME */

/* Adds to the note that one of `lines` which is this witness's good cosignature over it; whatever
 * else the witness sent along is left out. SIGNATURE_BAD when none is; BAD_FRAME when the note
 * would become too long. The note is unchanged on a fault. */
fault witness_line_take(struct bytes **note, struct span lines, const struct note_key *witness);

/* First line of a note. BAD_FRAME. */
fault witness_origin(struct span note, char out[NOTE_NAME_BYTES_MAX]);

enum witness_status {
    WITNESS_COSIGN = 200,
    WITNESS_MALFORMED = 400,
    WITNESS_NOT_SIGNED = 403,
    WITNESS_UNKNOWN_LOG = 404,
    WITNESS_OTHER_SIZE = 409, /* the answer's body is the size that is kept */
    WITNESS_INCONSISTENT = 422,
};

/* kept: head that was cosigned last, size 0 for none. log_key: NULL when the log is not one of ours
 * to witness. *head is filled for WITNESS_COSIGN. */
enum witness_status witness_judge(const struct witness_request *request,
                                  const struct checkpoint *kept, const struct note_key *log_key,
                                  struct checkpoint *head);

#endif
