// SPDX-License-Identifier: MIT
/*
 * peers - other servers: a connection to each that we ask, and a sealing context for each that we
 * send to. Made when needed, dropped when idle or when the directory gives the server another
 * transport key.
 */
#ifndef EXCHANGE_PEERS_H
#define EXCHANGE_PEERS_H

#include "lib/bus/letter.h"
#include "security-server/exchange/exchange.h"

struct peers;

/* `take` gets what peers answer: their identifier and the two frames, borrowed. */
typedef void peers_take(struct node *node, const char *peer, struct span envelope,
                        struct span sealed);

/* What peers tell about logs, one frame. */
typedef void peers_hear(struct node *node, const char *peer, struct span frame);

struct peers *peers_new(struct node *node, peers_take *take, peers_hear *hear);
void peers_free(struct peers **self);

/* Seals a record for a server, to the key that seal_cards gives. envelope_out:
 * MESH_ENVELOPE_BYTES_MAX. bytes_free() *sealed. */
fault peers_seal(struct peers *self, const struct directory_server *server,
                 const struct record *record, enum letter_direction direction,
                 uint8_t *envelope_out, size_t *envelope_size, struct bytes **sealed);

/* Sends a question. OVERLOADED: not connected yet, or the queue is full: try again shortly. */
fault peers_send(struct peers *self, const struct directory_server *server, struct span envelope,
                 struct span sealed);
/* Likewise, a question about a log. */
fault peers_tell(struct peers *self, const struct directory_server *server, struct span frame);
/* Each to which there is a connection of ours. The visitor may send nothing from within. */
void peers_each_connected(struct peers *self,
                          void (*visit)(void *owner, const struct directory_server *server),
                          void *owner);
/* The peer did not answer in time: its next address is tried. */
void peers_doubt(struct peers *self, const struct directory_server *server);
/* The peer answered. */
void peers_trust(struct peers *self, const char *server);
/* It said in its last answer whether it takes headers that were signed in a batch. */
void peers_note_batches(struct peers *self, const char *server, bool batches);
bool peers_take_batches(const struct peers *self, const char *server);
/* The directory changed: drops who left it, and connections to those with another transport key. */
void peers_refresh(struct peers *self);

/* Our own transport key changed: drops all. */
void peers_reconnect(struct peers *self);

#endif
