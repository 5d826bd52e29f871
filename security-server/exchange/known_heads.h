// SPDX-License-Identifier: MIT
/*
 * known_heads - what our log holds of other servers' logs: the largest head of its newest epoch
 * that each has signed in a message to us. A server that starts asks its peers for it; a leaf that
 * it signed itself is the proof.
 */
#ifndef EXCHANGE_KNOWN_HEADS_H
#define EXCHANGE_KNOWN_HEADS_H

#include "lib/bus/header.h"
#include "security-server/exchange/log_talk.h"

struct known_heads;

struct known_heads *known_heads_new(struct node *node);
void known_heads_free(struct known_heads **self);
/* A record of another server stands at this place of our log (audit_place). */
void known_heads_note(struct known_heads *self, const struct header *header, uint64_t place);
/* The same for one that arrives now: false, and told of once, when it holds less of that log than
 * the server signed before, though it was signed later, or another tree of the same size. */
bool known_heads_hear(struct known_heads *self, const struct header *header, uint64_t place);
/* Servers that have spoken to us, in no particular order: *step = 0 first, NULL at the end; the
 * text is valid until a new one speaks. */
const char *known_heads_next(const struct known_heads *self, size_t *step);
/* That head of this server; false when there is none. `place`: of the record in our log that holds
 * it. */
bool known_heads_of(const struct known_heads *self, const char *server, struct checkpoint *out,
                    unsigned *epoch, uint64_t *place);
/* A peer asks what we know of its log. */
void known_heads_answer(struct known_heads *self, const char *peer,
                        const struct log_talk_reply *reply);

#endif
