// SPDX-License-Identifier: MIT
/*
 * seal_cards - to which keys letters to peers are sealed: each peer's newest key card (lib/bus/
 * key_card.h), asked for when a first letter is to be sent and when its time to be renewed has
 * come, and kept across restarts in <audit_folder>/cards. With seal_roll_s = 0 there are none, and
 * the directory's sealing keys are used. One card of each server in the directory.
 */
#ifndef EXCHANGE_SEAL_CARDS_H
#define EXCHANGE_SEAL_CARDS_H

#include "lib/bus/letter.h"
#include "security-server/exchange/log_talk.h"

struct seal_cards;

/* Removes what is kept of servers that left the directory. IO_FAILED: no folder. */
fault seal_cards_new(struct node *node, struct seal_cards **out);
void seal_cards_free(struct seal_cards **self);

/* The key to which a letter is sealed now: the card's, else the directory's first. KEY_UNKNOWN: the
 * directory has none either. `self` may be NULL. */
fault seal_cards_key(struct seal_cards *self, const struct directory_server *server,
                     uint8_t out[X25519_PUBLIC_BYTES]);
/* False: the peer is being asked for its first card, and a question had better wait: it is sent
 * again (mesh_send_again) when that is over. Asks for a newer one beside, when it is time. */
bool seal_cards_ready(struct seal_cards *self, const struct directory_server *server);

/* The directory changed: drops cards that count no longer. */
void seal_cards_refresh(struct seal_cards *self);
/* Our card is a new one: who is connected is told at once. */
void seal_cards_announce(struct seal_cards *self);
/* A peer's question with its own card, which may be empty. */
void seal_cards_answer(struct seal_cards *self, const char *peer, struct span card,
                       const struct log_talk_reply *reply);

/* A question came that is sealed for a key that we do not have: the peer is told. */
void seal_cards_refuse(struct seal_cards *self, const char *peer, struct span route,
                       const uint8_t seal_key_id[SEAL_KEY_ID_BYTES]);
/* A peer says so of what we sent it. */
void seal_cards_gone(struct seal_cards *self, const char *peer, struct span seal_key_id,
                     struct span card);
/* An answer came that does not open: the peer gets our card, and our questions again. */
void seal_cards_unopened(struct seal_cards *self, const char *peer);

#endif
