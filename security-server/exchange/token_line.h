// SPDX-License-Identifier: MIT
/*
 * token_line - the exchange's line to the process that signs by a token, when there is one: a
 * bounded number of headers wait for signatures, each for a bounded time, and are given out in the
 * order in which they were asked for.
 *
 * While the token is away, or does not answer, each job fails at once with that state; all else of
 * the node goes on. A NULL line is that of a node without a token: always ready.
 */
#ifndef EXCHANGE_TOKEN_LINE_H
#define EXCHANGE_TOKEN_LINE_H

#include "lib/base/loop.h"
#include "security-server/exchange/keys_line.h"

struct token_line;

/* The descriptor is lent. Asks for the token's state. */
fault token_line_open(struct loop *loop, int fd, struct token_line **out);
void token_line_free(struct token_line **self);

/* As keys_line_sign_header: `done` is called once, later. OVERLOADED when TOKEN_JOBS_MAX wait;
 * TOKEN_AWAY and TOKEN_REFUSED are the token's state, or nobody answered within TOKEN_WAIT_MS. */
void token_line_sign_header(struct token_line *self, const struct sha256 *content, int64_t time_ms,
                            keys_done *done, void *owner);

/* From here on headers are signed under the certificate of this hash. */
void token_line_use_certificate(struct token_line *self, const struct sha256 *hash);

/* As keys_line_request_renewal and keys_line_approve_renewal, by the token (token_renewal.h); one
 * at a time, else OVERLOADED, and each for TOKEN_ERRAND_WAIT_MS at most. Headers do not wait for
 * it. */
void token_line_request_renewal(struct token_line *self, keys_done *done, void *owner);
void token_line_approve_renewal(struct token_line *self, const char *instance, struct span act,
                                keys_done *done, void *owner);
/* As keys_line_take_certificate. Headers that were asked for before are told of before; those
 * behind it wait until `done` has returned, and are signed under what it then says is used. For
 * TOKEN_TAKE_WAIT_MS at most; whoever hears nothing asks again. */
void token_line_take_certificate(struct token_line *self, struct span der, keys_done *done,
                                 void *owner);

/* May exchanges be taken, as far as signatures go? TOKEN_AWAY, TOKEN_REFUSED in words for callers:
 * what only operators need is in token_line_detail. */
fault token_line_check(const struct token_line *self);
/* ... and OVERLOADED while TOKEN_JOBS_NEW_MAX wait. */
fault token_line_room(const struct token_line *self);
const char *token_line_detail(const struct token_line *self); /* "" when it signs */
/* What a caller can do about such a fault; "" for others. */
const char *token_line_remedy(enum fault_code code);

/* Calls `ready` once, later, when the token signs; one at a time. */
void token_line_wait(struct token_line *self, void (*ready)(void *owner), void *owner);

#endif
