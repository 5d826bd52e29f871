// SPDX-License-Identifier: MIT
/*
 * node - what the exchange process is made of: one of each, known to one another through here.
 */
#ifndef EXCHANGE_NODE_H
#define EXCHANGE_NODE_H

#include "lib/base/event_rate.h"
#include "lib/base/loop.h"
#include "lib/bus/audit_log.h"
#include "lib/bus/directory.h"
#include "lib/crypto/cades.h"
#include "lib/net/gate.h"
#include "lib/net/socket.h"
#include "security-server/server_config.h"

#define MESH_ZAP_DOMAIN "mesh"
#define NODE_LOG_FOLDER_BYTES 400

struct node {
    const struct server_config *config;
    struct loop *loop;
    struct net *net;
    struct gate *gate;
    struct directory_feed *feed;
    struct directory *directory;               /* the state in use; held by the feed */
    struct directory_talk *directory_talk;     /* its acts, from peers and for peers */
    struct directory_freshness *freshness;     /* of it; NULL: it is not followed */
    struct directory_cosign *directory_cosign; /* its heads, when we are to */
    struct keys_line *keys;
    struct sign_desk *signs;         /* headers that wait for it */
    struct verified_heads *verified; /* of batches that came */
    struct token_line *token;        /* NULL: sign.key signs */
    struct renewal *renewal;
    struct enrolment_wait *enrolment; /* NULL: it is enrolled */
    struct audit_actor *audit;
    struct audit_head head; /* of our log: committed */
    uint64_t traffic_size;  /* entries of it up to the last that is more than our own stamp */
    int64_t log_begun_ms;   /* wall time of its first entry; 0: made in this run, or pruned */
    struct peers *peers;
    struct front *front;
    struct exchange_table *table;
    struct seen *seen;
    struct quota *quota;                /* what is used of rates and volumes */
    struct curve_keys transport;        /* where others come in */
    struct curve_keys transport_client; /* ... and where we do: follows it when it changes */
    bool has_transport_next; /* ... and the one that takes over when the directory names it */
    struct curve_keys transport_next;
    struct transport_roll *transport_roll;
    struct certificate *certificate; /* our own, of sign.key */
    struct cades_template template;
    struct note_key registered;             /* the log key as the directory has it */
    struct note_key log_key;                /* its name is the origin of our log's epoch */
    unsigned log_epoch;                     /* of our log: see lib/bus/log_epoch.h */
    char log_folder[NODE_LOG_FOLDER_BYTES]; /* of that epoch */
    uint64_t log_segment;                   /* first index of its last segment when it was opened */
    struct epochs *epochs;                  /* the closed ones */
    struct opened_keys *opened;             /* of peers' sealing contexts */
    struct socket *mesh;                    /* where peers come in */
    struct event_rate refused_messages, refused_leaves, answers_not_sent;
    struct seal_roll *seal_roll;       /* our own sealing keys */
    struct seal_cards *cards;          /* ... and peers' */
    struct subject_keys *subject_keys; /* of pseudonyms */
    struct subject_desk *subject_desk; /* who looked at a person, by our log */
    struct log_talk *talk;             /* with other servers about logs */
    struct witness_desk *witness;      /* where we cosign others' logs */
    struct known_heads *heads;         /* of others' logs, in ours */
    struct anchor *anchor;             /* where others confirm our log */
    struct stamp_feed *stamps;         /* what the scribe has had stamped */
    struct peer_check *peer_check;     /* do others' logs still contain what they were? */
    struct erasures *erasures;         /* of our payloads */
    struct prunes *prunes;             /* of our log's beginning */
    struct head_prover *prover;        /* that ours contains what it was */
    struct set_reader *sets;           /* of leaves, by peer and hour */
    struct set_desk *set_desk;         /* where peers compare theirs with ours */
    struct late_receipts *late;        /* leaves that were missing here */
    struct reconciler *reconciler;     /* where we compare ours with theirs */
    struct retention *retention;       /* how long and what of them is kept */
    struct outages *outages;           /* of sources, for permits */
    struct permits *permits;           /* to ask citizens, by code */
    struct notices *notices;           /* of restrictions that end */
    struct kept_answers *answers;      /* that are not written down */
    struct start_check *check;         /* while a start asks others what they hold */
    uint64_t run;                      /* random number of this process */
    bool begun; /* the first record of this run is kept, and doors are open */
    bool draining;
};

/* Who we are in the directory in use; NULL when it does not (or no longer) list us. */
const struct directory_server *node_self(const struct node *self);
/* DONE when this run has begun to take exchanges; SERVER_AWAY before, the state of the token, or
 * OWN_REVOKED. Refused so, a caller gets no receipt: nothing could be signed. */
fault node_begun(const struct node *self);
/* DONE when exchanges may be taken: not draining, directory there, valid and listing us. */
fault node_ready(const struct node *self);
/* What a caller can do about a fault of this node itself; "" when there is nothing special. */
const char *node_remedy(enum fault_code code);

/* A record was appended (or not) that is more than a time stamp of ours. */
void node_note_traffic(struct node *self, uint64_t index, enum fault_code appended);

/* A body of body_bytes_max with its head. */
uint64_t node_payload_bytes_max(const struct node *self);
/* What a peer may send in one frame: more than twice our bound is cut off, less hears why not. */
int64_t node_message_bytes_max(const struct node *self);

#endif
