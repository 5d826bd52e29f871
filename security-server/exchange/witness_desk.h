// SPDX-License-Identifier: MIT
/*
 * witness_desk - cosigns the checkpoints of logs that the directory has assigned to this server,
 * and of those that its settings name: C2SP tlog-witness, over the mesh and, through a gateway,
 * over HTTP. What was cosigned is on disk (witness/<hash of the origin>) before the cosignature
 * leaves, so that a crash cannot make us cosign twice what contradicts itself. Once a later epoch
 * of a log was cosigned, the earlier ones are over: whoever goes on with one is answered as if
 * there were no such log.
 */
#ifndef EXCHANGE_WITNESS_DESK_H
#define EXCHANGE_WITNESS_DESK_H

#include "security-server/exchange/log_talk.h"

struct witness_desk;

fault witness_desk_new(struct node *node, struct witness_desk **out);
void witness_desk_free(struct witness_desk **self);
/* One add-checkpoint request; answers later. One at a time for each log. peer: the server whose log
 * it must be; NULL: it came over HTTP, where the log's own signature is all there is to know, and
 * the answer goes to the gateway that reply names. */
void witness_desk_take(struct witness_desk *self, const char *peer, struct span body,
                       const struct log_talk_reply *reply);
/* The note that was cosigned last for this server's log, of its newest epoch, as it came, with our
 * cosignature behind it (but for a crash between the two); an empty span when there is none. */
struct span witness_desk_newest(struct witness_desk *self, const struct directory_server *server);

#endif
