// SPDX-License-Identifier: MIT
/*
 * proposals - acts that wait for approvals: STORE/proposals/<id>.json, one file each, durable
 * before they are acknowledged.
 *
 *   {"act": base64 of the packed Act with the approvals that it has, "number": rising,
 *    "made": ms, "label": text, "by": operator, "refused_by": operator or "", "reason": text}
 *
 * That one was carried out stands in the directory alone. Forgotten after REGISTRY_WAITING_MS, when
 * their approvals would be worth nothing any more.
 */
#ifndef REGISTRY_SERVE_PROPOSALS_H
#define REGISTRY_SERVE_PROPOSALS_H

#include "registry/serve/outlook.h"

struct proposals;

struct proposal {
    char id[ACT_ID_ROOM];
    uint64_t number;
    int64_t made_ms;
    char *label, *by;
    char *refused_by, *reason; /* "" unless it was refused */
    char *problem;             /* why it could not be carried out when it was tried, or NULL */
    struct bytes *act;         /* packed, with its approvals */
};

/* Reads what is there; a file that is damaged is left aside with an event. IO_FAILED. */
fault proposals_open(const char *store, struct outlook *outlook, struct proposals **out);
void proposals_free(struct proposals **self);

/* A draft, with the approvals that it has, each of them good; the same act again adds its approvals
 * to what is there. REFUSED, OVERLOADED (REGISTRY_WAITING_MAX), IO_FAILED. Waits for the disk. */
fault proposals_add(struct proposals *self, struct span act, const char *label, const char *by,
                    struct proposal **out);
/* An operator's signature. REFUSED when it is not good, or the proposal is refused or done. */
fault proposals_approve(struct proposals *self, struct proposal *proposal, const char *operator,
                        struct span signature);
/* May this operator refuse it, or take it back: who could approve it, and who proposed it.
 * ACCESS_DENIED says who. */
fault proposals_may_refuse(const struct proposals *self, const struct proposal *proposal,
                           const struct directory_operator *person);
fault proposals_refuse(struct proposals *self, struct proposal *proposal, const char *by,
                       const char *reason);
/* Lasts until the next call that changes something. NULL for an id that is not there. */
struct proposal *proposals_find(const struct proposals *self, const char *id);
/* The one with the lowest number above this; NULL at the end. */
struct proposal *proposals_after(const struct proposals *self, uint64_t number);
size_t proposals_waiting(const struct proposals *self);

enum proposal_state { PROPOSAL_WAITING, PROPOSAL_CARRIED_OUT, PROPOSAL_REFUSED };
enum proposal_state proposals_state(const struct proposals *self, const struct proposal *proposal);
const char *proposals_state_word(enum proposal_state state);
/* Do its approvals suffice now? *why: what it needs, ACT_APPROVAL_WORDS_ROOM. */
bool proposals_suffices(const struct proposals *self, const struct proposal *proposal, char *why);

/* Takes away what is too old. */
void proposals_forget(struct proposals *self, int64_t now_ms);

#endif
