// SPDX-License-Identifier: MIT
/*
 * ahead - somebody shows more of this directory than this store has. Then the store is an old copy,
 * or somebody else signs with the log's key; until it is known which, no act is signed here, for
 * two acts at one place are a fork. docs/decisions/0042.
 *
 *   STORE/ahead          the first such note (POST /directory/head), signed with the key in force
 *   STORE/ahead.act      an act of a place that this store has not reached (POST /directory/act),
 *                        signed by the authority: the proof that the store is an old copy
 *   STORE/ahead.nobody   the note again: who follows had time to show its acts, and nobody did
 *   STORE/ahead.former   the note, since a change of the log key made it worth nothing
 */
#ifndef REGISTRY_AHEAD_H
#define REGISTRY_AHEAD_H

#include "lib/bus/directory.h"
#include "lib/crypto/note.h"

struct Chaski__Act; /* directory.pb-c.h */
struct store;

enum ahead_state {
    AHEAD_NOT,    /* acts go on */
    AHEAD_ASKING, /* who follows is given time to show the acts */
    AHEAD_NOBODY, /* nobody has them: the log key is stolen. It can be changed, and nothing else */
    AHEAD_OLD_COPY, /* somebody has them */
};

struct ahead {
    enum ahead_state state;
    uint64_t held_elsewhere; /* acts, by the note or the act that was shown */
};

#define AHEAD_WORDS_ROOM 512

/* Is this one of the files above, whole? A copy of the store has them too. */
bool ahead_is_file(const char *name);
/* How this folder stands. log: the key in force. own: how many acts are known to be here.
 * BAD_CONFIG, IO_FAILED. */
fault ahead_read(const char *folder, const struct note_key *log, uint64_t own, struct ahead *out);
/* The same of an open store, with its acts that are not yet committed. */
fault ahead_of_store(const struct store *store, struct ahead *out);
/* Which rule holds acts back: "ahead/asking", "ahead/nobody", "ahead/old-copy"; "": none. */
const char *ahead_rule(enum ahead_state state);
/* The rule, what happened and what to do, for operators. */
void ahead_words(const struct ahead *self, uint64_t own, char out[AHEAD_WORDS_ROOM]);
/* Before an act is signed. ACTS_HELD. */
fault ahead_check_act(const struct store *store, const struct Chaski__Act *act);

/* A head that was shown, opened with the key in force. *held: it is larger than what is here and is
 * kept, durably, with an event when it is the first. */
fault ahead_take_head(const char *folder, uint64_t own, const struct checkpoint *head,
                      struct span note, bool *held);
/* An act that was shown; state and authority, who signs acts by it: of this store. DONE: it tells
 * nothing new. DIRECTORY_OLD: this store is behind it; durable, and told as an event. REFUSED: of a
 * place REGISTRY_AHEAD_ACTS_MAX further on, which no store is to reach. BAD_FRAME, SIGNATURE_BAD,
 * NOT_YOURS: no act of this authority. */
fault ahead_take_act(const char *folder, uint64_t own, const struct directory *state,
                     struct certificate *authority, struct span leaf);
/* Nobody showed the acts. Durable, with an event. */
fault ahead_note_nobody(const char *folder);
/* Nothing holds acts back any more: what was kept is set aside. */
void ahead_settle(const char *folder);

/* Before a store is served. REFUSED: it is an old copy, or holds other acts than were shown. What a
 * newer store or another key has settled is set aside. */
fault ahead_check(const char *store);

#endif
