// SPDX-License-Identifier: MIT
/*
 * outlook - the directory as the face sees it: the published folder, folded like at every follower,
 * and kept up with what the authority's process adds.
 */
#ifndef REGISTRY_SERVE_OUTLOOK_H
#define REGISTRY_SERVE_OUTLOOK_H

#include "lib/bus/directory.h"
#include "registry/serve/authority_line.h"

#define ACT_ID_DIGITS 16
#define ACT_ID_ROOM (ACT_ID_DIGITS + 1)

struct outlook;
struct Chaski__Act; /* directory.pb-c.h */

/* Of a store only anchor/ is read. Faults of directory_load. */
fault outlook_open(const char *store, const char *folder, struct outlook **out);
void outlook_free(struct outlook **self);

const struct directory *outlook_state(const struct outlook *self);
const struct checkpoint *outlook_head(const struct outlook *self);
/* The checkpoint with the cosignatures that it has. */
struct span outlook_note(const struct outlook *self);
const struct note_key *outlook_log(const struct outlook *self); /* the directory's log key */
/* A head of this directory that may be newer than its own, whoever shows it. The key in force signs
 * all such heads: one that gave way says nothing here, or who stole it could. SIGNATURE_BAD,
 * BAD_FRAME. */
fault outlook_open_head(const struct outlook *self, struct span note, struct checkpoint *out);
struct certificate *outlook_authority(const struct outlook *self); /* that signs the acts */
/* How many acts the folder shows: more than the head while the rest could not be written. */
uint64_t outlook_shown(const struct outlook *self);
/* When the last heartbeat was made; 0: none yet. */
int64_t outlook_beat_ms(const struct outlook *self);

/* What the authority added; its folder is read anew when the news are not the next ones. */
fault outlook_take(struct outlook *self, const struct authority_news *news);

/* How an act is called while it waits for approvals: the beginning of what approvers sign. */
void outlook_act_id(const struct outlook *self, const struct Chaski__Act *act,
                    char out[ACT_ID_ROOM]);
/* The epoch that began with this act; 0 when it was not carried out. Above the size of the head: it
 * is not published yet. */
uint64_t outlook_epoch_of(const struct outlook *self, const char *id);
/* Of an act that the authority has carried out and could not publish yet. */
void outlook_note_done(struct outlook *self, const char *id, uint64_t epoch);

/* Adds a witness's line over the head to the published checkpoint, durably; one that is there is
 * not replaced. REFUSED when `lines` hold no good cosignature of a witness of the directory.
 * *count: those that it has now. */
fault outlook_cosign(struct outlook *self, struct span lines, size_t *count);

#endif
