// SPDX-License-Identifier: MIT
/*
 * keys_line - the exchange's line to the keys process: asks in batches, answers come in order.
 */
#ifndef EXCHANGE_KEYS_LINE_H
#define EXCHANGE_KEYS_LINE_H

#include "lib/base/loop.h"
#include "lib/bus/day_key.h"
#include "lib/bus/letter.h"
#include "lib/bus/pseudonym.h"
#include "lib/crypto/note.h"

struct keys_line;

/* `result` is borrowed until it returns. */
typedef void keys_done(void *owner, fault f, struct span result);

/* `lost` is called once when the keys process has gone: the exchange process must end then. */
fault keys_line_open(struct loop *loop, int fd, void (*lost)(void *owner), void *owner,
                     struct keys_line **out);
void keys_line_free(struct keys_line **self);
/* From here on headers are signed by this token, which also does what its key's renewal needs. It
 * is lent, and outlives the line. */
struct token_line;
void keys_line_use_token(struct keys_line *self, struct token_line *token);

/* All are sent at the end of the loop's turn; `done` is always called later, never from within. */
void keys_line_sign_header(struct keys_line *self, const struct sha256 *content, int64_t time_ms,
                           keys_done *done, void *owner);
void keys_line_sign_checkpoint(struct keys_line *self, const struct checkpoint *checkpoint,
                               keys_done *done, void *owner);
void keys_line_sign_cosignature(struct keys_line *self, const struct checkpoint *head,
                                uint64_t time_s, keys_done *done, void *owner);
void keys_line_derive_seal(struct keys_line *self, const uint8_t seal_key_id[SEAL_KEY_ID_BYTES],
                           const uint8_t ephemeral[X25519_PUBLIC_BYTES], keys_done *done,
                           void *owner);
void keys_line_wrap_day_key(struct keys_line *self, const uint8_t key[KEY_WRAP_BYTES],
                            keys_done *done, void *owner);
void keys_line_unwrap_day_key(struct keys_line *self, const uint8_t wrapped[KEY_WRAPPED_BYTES],
                              keys_done *done, void *owner);

/* The certificate of a signing key that has none yet, or of the next one; empty result. BAD_KEY: of
 * another key. `der` is borrowed until `done`. */
void keys_line_take_certificate(struct keys_line *self, struct span der, keys_done *done,
                                void *owner);

/* For the next signing key; the result is as keys.proto says. KEY_UNKNOWN: there is none. */
void keys_line_request_renewal(struct keys_line *self, keys_done *done, void *owner);
/* `instance` and `act`, packed, are borrowed until `done`. The result is an ECDSA signature. */
void keys_line_approve_renewal(struct keys_line *self, const char *instance, struct span act,
                               keys_done *done, void *owner);

/* A sealing key in the memory of the keys process; the result is its public half. */
void keys_line_make_seal(struct keys_line *self, keys_done *done, void *owner);
/* Destroys one that was made so; empty result. */
void keys_line_forget_seal(struct keys_line *self, const uint8_t seal_key_id[SEAL_KEY_ID_BYTES],
                           keys_done *done, void *owner);

/* The key of a year for pseudonyms, sealed to this server; empty result. blob and server are
 * borrowed until `done`. KEY_UNKNOWN, SEAL_BROKEN, BAD_KEY: see subject_key.h. */
void keys_line_take_subject_key(struct keys_line *self, struct span blob, const char *server,
                                const struct sha256 *commitment, keys_done *done, void *owner);
/* Destroys it, if it is there; empty result. */
void keys_line_forget_subject_key(struct keys_line *self, unsigned year, keys_done *done,
                                  void *owner);
/* person: as pseudonym_normalise writes it; copied, and wiped. The result is the pseudonym.
 * SUBJECT_KEY_MISSING; SUBJECT_RATE. */
void keys_line_pseudonym(struct keys_line *self, unsigned year,
                         const char person[PSEUDONYM_TEXT_ROOM], keys_done *done, void *owner);

/* For the start, before the loop runs: a holder of day keys that waits for each answer, at most
 * KEYS_WAIT_MS. */
struct key_holder keys_line_holder(struct keys_line *self);

#endif
