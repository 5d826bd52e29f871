// SPDX-License-Identifier: MIT
/*
 * act_approval - who must stand behind an act of the directory, and who does.
 *
 * Until two operators may approve, the authority acts alone: that is how a country begins. From
 * then on its own key is not enough: each act names who wanted it, every follower checks their
 * signatures, and fewer than two of those who may approve never remain. What a member may change
 * by itself is what concerns nobody else's trust: its addresses, sealing and transport keys, the
 * next certificate of a server that has one, its subsystems, services and grants.
 * Reasons: docs/decisions/0024.
 */
#ifndef BUS_ACT_APPROVAL_H
#define BUS_ACT_APPROVAL_H

#include "lib/bus/directory.h"
#include "lib/crypto/digest.h"

struct Chaski__Act; /* directory.pb-c.h */

/* Any of these is enough. */
struct act_need {
    unsigned operators; /* so many different ones; 0: nobody */
    enum directory_role role;
    const struct directory_member *member; /* or one of its servers; NULL: not by itself */
};

/* Of the state before the act; it need not be one that can be applied. */
struct act_need act_approval_need(const struct directory *self, const struct Chaski__Act *act);

/* What approvers sign, see directory.proto; the act's number, time and approvals do not matter. */
struct sha256 act_approval_digest(const struct Chaski__Act *act, const char *instance);

/* Checks intent and approvals of an act before it is carried out, and changes nothing:
 * DIRECTORY_BAD for an approval that is not good, or an act that was carried out already. *enough:
 * do they suffice? now_ms: the time at which it would be carried out. */
fault act_approval_check(const struct directory *self, const struct Chaski__Act *act,
                         int64_t now_ms, bool *enough);

/* Checks each approval by itself and together; part of the fold. DIRECTORY_BAD. */
fault act_approval_apply(struct directory *self, const struct Chaski__Act *act);

/* "two operators with the role approve, or a server of CO/GOV/899999027" */
void act_approval_words(const struct act_need *need, char *out, size_t room);

#define ACT_APPROVAL_WORDS_ROOM 512
#define ACT_NONCE_BYTES 16

#endif
