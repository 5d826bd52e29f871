// SPDX-License-Identifier: MIT
/*
 * own_record - records about the log itself: started, stopped, incident; and its signed
 * checkpoints.
 */
#ifndef EXCHANGE_OWN_RECORD_H
#define EXCHANGE_OWN_RECORD_H

#include "lib/bus/header.h"
#include "security-server/exchange/node.h"

/* Signs and keeps a record whose payload says `detail`; `done` is called when it is durable (or
 * not). */
void own_record_keep(struct node *node, enum header_kind kind, const char *detail,
                     void (*done)(struct node *node, fault f));

/* Signs and keeps a STAMPED record; payload: StampText. */
void own_record_stamp(struct node *node, const struct header_stamped *stamped, struct span payload);

/* Signs and keeps the first record of an epoch: what became of the one before, and why it ended.
 * Returns the record's time. */
int64_t own_record_epoch(struct node *node, const struct epoch_closed *closed, const char *reason,
                         const char *officer, void (*done)(struct node *node, fault f));

/* On whose order which payloads are erased. */
struct erasure_act {
    uint8_t id[EXCHANGE_ID_BYTES]; /* of the order: the record's exchange id */
    struct erasure what;
    const char *ground, *officer;
};

/* Signs and keeps an ERASED record; `index` is its own. */
void own_record_erasure(struct node *node, const struct erasure_act *act,
                        void (*done)(void *owner, fault f, uint64_t index), void *owner);

/* Signs and keeps a PRUNED record of this id; `index` is its own. */
void own_record_prune(struct node *node, const uint8_t id[EXCHANGE_ID_BYTES],
                      const struct header_pruned *what, const char *ground, const char *officer,
                      void (*done)(void *owner, fault f, uint64_t index), void *owner);

/* Who had the pseudonym of a person computed, to look for it, and why. */
struct look_act {
    struct sha256 pseudonym;
    unsigned year;
    const char *ground, *officer;
};

/* Signs and keeps a LOOKED record; `index` is its own. */
void own_record_look(struct node *node, const struct look_act *act,
                     void (*done)(void *owner, fault f, uint64_t index), void *owner);

struct late_leaf;

/* Signs and keeps a LATE record, whose payload is the leaf (borrowed for the call); `index` is its
 * own. */
void own_record_late(struct node *node, const struct late_leaf *leaf,
                     void (*done)(void *owner, fault f, uint64_t index), void *owner);

/* The sealing key of a KEY_CARD record, and for how long; its times are counted from the record's.
 */
struct own_card {
    struct header_card made; /* .key is given */
    int64_t renew_after_ms, overlap_ms;
};

/* Signs and keeps a KEY_CARD record; its payload says why there is a new one. `leaf` is the record,
 * lent until `done` returns; nothing after a fault. */
void own_record_card(struct node *node, struct own_card *card, const char *reason,
                     void (*done)(void *owner, fault f, uint64_t index, struct span leaf),
                     void *owner);

/* Signs and keeps a NOTICE of that name (lib/bus/notice.h) about that service. */
void own_record_notice(struct node *node, const char *name, const char *service, const char *detail,
                       void (*done)(void *owner, fault f, uint64_t index), void *owner);
/* What a record about asking a citizen says. Texts are borrowed for the call. */
struct own_permit {
    bool denied;
    struct header header; /* receiver, service, procedure, case_ref, requirement, territory, rule,
                             legal_basis; permit, unless denied */
    const char *detail;   /* in words, as its payload */
};

/* Signs and keeps a PERMIT or PERMIT_DENIED record; a permit ends `permit_ms` after the record's
 * time. `leaf` as above. */
void own_record_permit(struct node *node, const struct own_permit *permit, int64_t permit_ms,
                       void (*done)(void *owner, fault f, uint64_t index, struct span leaf),
                       void *owner);

struct checkpointer;

/* Signs a checkpoint of the committed head whenever the log has grown, every so often. */
struct checkpointer *checkpointer_new(struct node *node);
void checkpointer_free(struct checkpointer **self);
/* One now; `done` may be NULL. */
void checkpointer_sign(struct checkpointer *self, void (*done)(struct node *node, fault f));

#endif
