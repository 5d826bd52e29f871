// SPDX-License-Identifier: MIT
/*
 * store - the authority's own folder: keys, acts, and the state that they fold to.
 *
 *   acts.log acts.head      see acts_file.h
 *   keys/                   ca.key acts.key log.key: PKCS#8 PEM, mode 0600
 *   keys/log-ID.key         further keys of the log, and handover-ID: see log_keys.h
 *   keys/acts-ID.key        further keys that sign acts, and acts-ID.json: see acts_keys.h
 *   ca.pem authority.pem    certificates of the CA and of the key that signed the first act
 *   ca-NAME.pem             further CAs, and keys/ca-NAME.key: see issuing.h
 *   anchor/                 what nodes are given: trust.pem, directory.vkey
 *   admin.key admin.pem     HTTPS for operators, see hosting.h
 *   push.key intake.key     CURVE and X25519: the sender of news, and what proofs are made for
 *   proposals/ requests/    what waits at `serve`, see serve/proposals.h and serve/requests.h
 *   stamp/                  the time stamp authority, see stamping.h; may stand elsewhere
 *   statuses/               what outside authorities said of certificates, see status_book.h
 *   ahead ahead.*           what somebody showed that this store lacks: see ahead.h
 *   settings.json           {"valid_days": 30, "snapshot_every": 2048, "issuer": "CA-2"}
 *   lock                    held by the one command that may write
 *
 * An act is checked by folding it into the state before it is signed, and signed before it is
 * written: a bad act is never stored. After a refused act the store object is of no more use until
 * store_rewind.
 */
#ifndef REGISTRY_STORE_H
#define REGISTRY_STORE_H

#include "lib/bus/directory.h"
#include "lib/crypto/keypair.h"
#include "lib/crypto/note.h"

struct store;
struct Chaski__Act; /* directory.pb-c.h */

#define STORE_PATH_BYTES 768
#define STORE_DAY_MS INT64_C(86400000)

struct store_plan {
    const char *instance; /* such as CO */
    const char *name;     /* of the authority, for people */
    const char *origin;   /* of the directory's log */
    unsigned valid_days;  /* of a published directory */
    size_t hosts;         /* under which operators reach it; 0: this machine alone */
    const char *const *host;
};

/* Makes the folder (which must not be there, or be empty) with new keys, certificates and the first
 * act; removes what one that was stopped has left beside it, or tells of it, on stderr.
 * REFUSED when there is something, or another one is being made in the same place. */
fault store_make(const char *folder, const struct store_plan *plan);

/* Opens for writing: takes the lock (REFUSED when another command has it), reads and verifies all
 * acts. NOT_FOUND, LOG_SHRUNK, LOG_BROKEN, BAD_KEY, DIRECTORY_BAD. */
fault store_open(const char *folder, struct store **out);
/* The same without lock and private keys; store_act and what signs may not be called. */
fault store_look(const char *folder, struct store **out);
/* One that only drafts, for acts that are proposed to a registry elsewhere: no folder and no keys
 * of the authority. Takes state and trust. Acts need an operator's key (store_approve_as); they are
 * tried on the state and kept. */
fault store_drafts(struct directory **state, struct trust **trust, const struct note_key *log,
                   struct store **out);
/* One that drafts on a store of this machine, which stays as it is and open to others: acts need
 * nobody's key and can be sent nowhere. */
fault store_try(const char *folder, struct store **out);
/* Packed acts with their intent and approvals, in order; lent. */
const struct span *store_drafted(const struct store *self, size_t *count);
bool store_is_drafting(const struct store *self);
void store_free(struct store **self);

/* Bytes of an unfinished command that store_open has cut off; 0 as a rule. */
uint64_t store_cut_bytes(const struct store *self);
const char *store_folder(const struct store *self);
unsigned store_valid_days(const struct store *self);
unsigned store_snapshot_every(const struct store *self); /* acts; see snapshots.h */
/* With the acts that are not yet committed, but grants hang on their services only as they did when
 * the store was opened. Lent. */
const struct directory *store_state(const struct store *self);
size_t store_count(const struct store *self);
struct sha256 store_root(const struct store *self);
const struct span *store_leaves(const struct store *self);
/* That signs heads now, by the acts; the first one stands in anchor/. */
const struct note_key *store_log_key(const struct store *self);
/* A head of this directory by whichever key had to sign it: as directory_open_head. */
fault store_open_head(const struct store *self, struct span note, struct checkpoint *out);
struct trust *store_trust(struct store *self);
struct certificate *store_authority(struct store *self); /* that signed the first act */
struct certificate *store_signer(struct store *self);    /* that signs acts now, by the acts */
const struct certificate *store_ca(const struct store *self);
/* Does an anchor, or an outside authority in force, vouch for it at that time? */
bool store_trusts(struct store *self, const struct certificate *certificate, int64_t at_ms);

/* The time of the next act: now, but not before the last one; ms since 1970. */
int64_t store_time(const struct store *self);
/* The acts that follow carry the approval of the operator with this key too; it is lent, for as
 * long as the store lives. REFUSED for more keys than an act can have approvals. */
fault store_approve_as(struct store *self, struct keypair *key);
/* Adds these approvals to an act that has its intent; what it then points to is lent until the next
 * act. REFUSED when a key is of no operator. */
fault store_sign(struct store *self, struct Chaski__Act *act);
/* Numbers, dates, checks and signs an act; it counts after store_commit. REFUSED says why not;
 * ACTS_HELD: somebody shows more acts than there are (ahead.h). An
 * event store.clock_behind when the clock stands more than an hour before the last act. */
fault store_act(struct store *self, struct Chaski__Act *act);
fault store_carry_out(void *store, struct Chaski__Act *act); /* the same, for server_set_act */
/* A file to be written once the acts are durable: a certificate. Takes `bytes`. */
void store_then_write(struct store *self, const char *path, struct bytes **bytes);
fault store_commit(struct store *self);
/* Back to what is committed, after a refused act: the store can be used again. Nothing is verified
 * a second time. */
fault store_rewind(struct store *self);

/* With the authority's keys. */
fault store_sign_checkpoint(struct store *self, const struct checkpoint *head, struct bytes **note);
/* That this head is the newest now. */
fault store_sign_heartbeat(struct store *self, const struct checkpoint *head, int64_t now_ms,
                           struct bytes **note);
fault store_issue(struct store *self, struct span request,
                  const struct certificate_subject *subject, int64_t days,
                  struct certificate **out);
/* Another CA of the country's, which nobody trusts before an act names it (issuing.h). REFUSED.
 * Waits for the disk. */
fault store_make_issuer(struct store *self, const char *name);
/* Certificates are issued by it from now on; "first": by the first CA again. REFUSED unless the
 * directory has it in force. Waits for the disk. */
fault store_use_issuer(struct store *self, const char *name);
/* The next key of the log, and its handover in *path (log_keys.h). Waits for the disk. */
fault store_make_log_key(struct store *self, char *path, size_t room);
/* The next key that signs acts, and in *path what is to be proposed of it (acts_keys.h). Waits for
 * the disk. */
fault store_make_acts_key(struct store *self, char *path, size_t room);
/* admin.key and admin.pem, see hosting.h. REFUSED for what is no host. Waits for the disk. */
fault store_make_hosting(struct store *self, const char *const *hosts, size_t count);
/* Makes stamp/. REFUSED when there is one. Waits for the disk. */
fault store_add_stamping(struct store *self);

#endif
