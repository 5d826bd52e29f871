// SPDX-License-Identifier: MIT
/*
 * directory_freshness - how old is the newest signed word that the directory in use is the newest
 * one? A revocation that we do not know of is as old as that at most. Words: the directory's
 * heartbeat, from the follower or a peer; a quorum of its witnesses' cosignatures; its newest act.
 * Only a directory that is followed (anchor_file) has an age; one that is copied into a folder is
 * good for as long as it says itself.
 */
#ifndef EXCHANGE_DIRECTORY_FRESHNESS_H
#define EXCHANGE_DIRECTORY_FRESHNESS_H

#include "security-server/exchange/node.h"

struct directory_freshness;

/* Reads what is on disk, and looks every second. NULL when the directory is not followed. */
struct directory_freshness *directory_freshness_new(struct node *node);
void directory_freshness_free(struct directory_freshness **self);

/* DIRECTORY_STALE when the newest word is older than the class of this service allows; NULL self:
 * DONE. What is asked about a subsystem itself (listMethods ...) is open. */
fault directory_freshness_check(const struct directory_freshness *self, struct span service);
/* The same for all classes: there is nothing that could be exchanged. */
fault directory_freshness_check_all(const struct directory_freshness *self);
/* Of the newest word, by our clock; 0 when the directory is not followed, else at least 1. */
int64_t directory_freshness_age_ms(const struct directory_freshness *self);
/* Steady time since which no newer word came: for who may ask others. */
int64_t directory_freshness_silent_ms(const struct directory_freshness *self);

/* A heartbeat that a peer gave along: kept when it is good and newer. */
void directory_freshness_hear(struct directory_freshness *self, struct span note);
/* Newest heartbeat about the head in use; empty: none. Lent until the next turn. */
struct span directory_freshness_note(const struct directory_freshness *self);

#endif
