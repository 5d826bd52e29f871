// SPDX-License-Identifier: MIT
/*
 * token_crew - the threads that sign by a token, each with a session of its own.
 *
 * All read the one line to the exchange: its socket is their queue, and each datagram goes to one
 * of them. They share nothing else: an eventfd tells all to end, another one that somebody has
 * failed. An idle thread signs something for nobody every TOKEN_PROBE_MS, so that the loss of a
 * token is seen, and sessions do not age, without traffic.
 */
#ifndef TOKEN_TOKEN_CREW_H
#define TOKEN_TOKEN_CREW_H

#include "lib/bus/limits.h"
#include "lib/crypto/token.h"
#include "security-server/token/token_desk.h"

struct token_crew;

/* A datagram that was taken and is not answered yet. */
struct token_unanswered {
    uint8_t data[TOKEN_DATAGRAM_BYTES_MAX];
    size_t size;    /* 0: none */
    unsigned tries; /* that have failed */
};

/* What they sign by, all lent. next: of the key under desk->next_certificate; NULL: there is none.
 * reload_from_ms: steady; who is asked after it for a certificate that the desk does not have ends
 * the crew with KEY_UNKNOWN, once for each datagram. */
struct token_tools {
    const struct token_desk *desk;
    struct token *token;
    const struct token *next;
    int64_t reload_from_ms;
};

/* Opens `count` sessions and tries the first; then the threads begin, with what is unanswered.
 * TOKEN_AWAY, TOKEN_REFUSED. */
fault token_crew_start(int line, const struct token_tools *tools, size_t count,
                       const struct token_unanswered unanswered[TOKEN_SESSIONS_MAX],
                       struct token_crew **out);
/* Waits until the line has closed (DONE) or somebody has failed: with why, and noted. KEY_UNKNOWN:
 * the keys folder is to be read again, and nothing is wrong. A thread that
 * is in the module for longer than TOKEN_HANG_S ends the process, which nothing else can cure. */
fault token_crew_wait(struct token_crew *self);
/* Ends the threads; each leaves what it has not answered. Frees the sessions. */
void token_crew_end(struct token_crew **self, struct token_unanswered out[TOKEN_SESSIONS_MAX]);

#endif
