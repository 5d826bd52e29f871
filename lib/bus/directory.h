// SPDX-License-Identifier: MIT
/*
 * directory - who is a member, on which servers, with which keys, and which services exist.
 *
 * A published directory is a folder in the form of C2SP tlog-tiles: `checkpoint` (signed by the
 * authority's Ed25519 log key), `tile/entries/...` (bundles of CAdES leaves whose content is one
 * chaski.Act), `tile/<L>/...` (hashes), and `authority.pem`, the certificate that signs the acts.
 * State is the fold of the log; the epoch is its size. A struct directory is one state: constant
 * once loaded, counted by its holders, used by one thread.
 */
#ifndef BUS_DIRECTORY_H
#define BUS_DIRECTORY_H

#include "lib/base/bytes.h"
#include "lib/bus/endpoint.h"
#include "lib/bus/limits.h"
#include "lib/crypto/cades.h"
#include "lib/crypto/certificate.h"
#include "lib/crypto/issuer.h"
#include "lib/crypto/note.h"
#include "lib/crypto/p256.h"

#define DIRECTORY_GRANT_MS_MAX                                         \
    (INT64_C(732) * 86400000) /* 24 months, one of them in a leap year \
                               */
#define DIRECTORY_RESTRICTION_MS_MAX (INT64_C(366) * 86400000) /* 12 months, one of a leap year */
/* so that one who restricts looks again at the end of each, and does not set two years at once */
#define DIRECTORY_RESTRICTION_AHEAD_MS_MAX (INT64_C(90) * 86400000)

/* Only a certificate with this member (and the directory's instance in front) signs acts; the
 * class AUTHORITY can never be registered. */
#define DIRECTORY_AUTHORITY_CLASS "AUTHORITY"

struct directory_member {
    const char *id; /* I/C/M, canonical text */
    const char *name;
    bool public_agency;
};

/* One that cosigns a log's checkpoints: a server of another member, or an outside office. */
struct directory_witness {
    const char *server;         /* its id, or NULL for an outside one */
    const char *url;            /* of an outside one */
    const struct note_key *key; /* of an outside one; a server's stands in its own entry */
};

struct directory_server {
    const char *id; /* I/C/M/SERVERCODE */
    const struct directory_member *member;
    size_t addresses;
    const char *address[DIRECTORY_ADDRESSES_MAX];
    uint8_t transport_key[32];
    size_t seal_keys;
    uint8_t seal_key[SEAL_KEYS_MAX][32]; /* newest first */
    struct note_key log_key;
    bool is_witness;
    struct note_key witness_key; /* when it is one */
    size_t witnesses;            /* of its own log */
    struct directory_witness witness[DIRECTORY_WITNESSES_MAX];
    unsigned quorum; /* 0: nobody witnesses it */
    size_t signers;
    struct directory_signer *signer[DIRECTORY_CERTIFICATES_MAX];
};

/* An outside authority. One object for all the time from its first act to its removal. */
struct directory_authority {
    const char *name;
    struct issuer *issuer;
    const char *ocsp_url; /* "": none */
    const char *crl_url;
    bool is_own;        /* a further CA of the country's: acts alone revoke what it issued */
    int64_t set_ms;     /* time of the last act that set it */
    int64_t removed_ms; /* 0: in force */
    size_t place;       /* among all that ever were, from 1 */
};

/* A signing certificate in force. Trust in its chain was checked when it was loaded. */
struct directory_signer {
    struct certificate *certificate;
    struct cades_template template;
    const struct directory_server *server;
    int64_t taken_ms;         /* time of the act that brought it */
    int64_t revoked_since_ms; /* 0: not revoked; its authority was not removed either */
    int64_t told_ms;          /* of the act, when its outside authority had revoked it; else 0 */
    bool trusted;             /* chains to an anchor, or to the outside authority */
    const struct directory_authority *authority; /* the outside one, or NULL; lives as the state */
};

/* From when nobody could take it for good any more; 0: not revoked. An outside authority revokes
 * it, and the directory knows only later: what was exchanged in between nobody could refuse. */
static inline int64_t directory_signer_known_ms(const struct directory_signer *self)
{
    return self->told_ms > self->revoked_since_ms ? self->told_ms : self->revoked_since_ms;
}

struct directory_subsystem {
    const char *id; /* I/C/M/S */
    const char *name;
    const struct directory_member *member;
    size_t servers;
    const struct directory_server **server;
};

struct directory_group {
    const char *id;
    const char *word; /* "group:" and the id, as rules name it */
    const char *title;
    size_t members;
    const char **member; /* members and subsystems, rising */
};

struct directory_legal_basis {
    const char *id;
    const char *norm, *article, *text;
    size_t topics;
    const char **topic;
};

/* Who may claim a purpose. Consumers are words as in consumer.h. */
struct directory_competence {
    const char *id;
    const char *consumer;
    const char *purpose;
    const char *legal_basis;
    int64_t until_ms; /* INT64_MAX: without an end */
};

enum directory_ground {
    GROUND_PRIVACY = 1,
    GROUND_LIFE_AND_HEALTH,
    GROUND_TRADE_SECRET,
    GROUND_DEFENCE,
    GROUND_PUBLIC_SECURITY,
    GROUND_INTERNATIONAL_RELATIONS,
    GROUND_INVESTIGATION,
    GROUND_DUE_PROCESS,
    GROUND_JUSTICE,
    GROUND_CHILDREN,
    GROUND_ECONOMIC_STABILITY,
    GROUND_PUBLIC_HEALTH,
    GROUND_MISUSE,
    GROUNDS_END
};

/* From from_ms until before until_ms the service needs a grant: for the consumer, or for all. */
struct directory_restriction {
    const char *id;
    const char *service;
    const char *consumer; /* "": everybody */
    enum directory_ground ground;
    bool by_law; /* the law reserves the data: silence never opens it */
    const char *reason;
    const char *approver;
    int64_t from_ms, until_ms;
    size_t endpoints; /* of the service that it closes; 0: all of it */
    const char **endpoint;
    size_t columns; /* that it closes, and nothing else; 0: it is not about columns */
    const char **column;
};

struct directory_grant {
    const char *id;
    const char *service;
    const char *consumer;
    size_t purposes; /* 0: any registered one, or none named */
    const char **purpose;
    const char *legal_basis;
    int64_t until_ms;
    size_t endpoints; /* of the service that it opens; 0: all of it */
    const char **endpoint;
    const char *request; /* that it answers (access.h), or "" */
    size_t columns;      /* that it opens; 0: all */
    const char **column;
    uint32_t volume_a_day; /* answers to each member; 0: without a bound */
};

struct directory_column {
    const char *name;
    enum service_class class;
};

/* The key of a year for pseudonyms (lib/bus/pseudonym.h). */
struct directory_subject_key {
    const char *id; /* the year as text */
    unsigned year;
    struct sha256 commitment;
    bool destroyed;
};

/* Who may seal an exchange: purposes and consumers as in a competence. */
struct directory_sealing {
    const char *id;
    const char *consumer;
    const char *purpose;
    const char *legal_basis;
    unsigned days_max;
    int64_t until_ms;
};

struct directory_service {
    const char *id; /* I/C/M/S/SERVICE */
    const char *title;
    enum service_class class;
    bool disabled;
    const char *notice;
    const struct directory_subsystem *subsystem;
    size_t restrictions, shut_out; /* that name it; those of them that are on one consumer */
    size_t endpoints;
    const struct endpoint *endpoint; /* in the owner's order: the first that fits is meant */
    size_t columns;                  /* of a table; 0: all are given to who may ask */
    const struct directory_column *column;
    uint32_t rate, burst;  /* requests a second, and at once; 0: not said */
    bool subject_required; /* who names no person is refused */
};

struct directory_purpose {
    const char *id;
    const char *title;
    const char *legal_basis; /* in words */
    size_t legal_bases;
    const char **legal_basis_id;
    const char *procedure, *function; /* one of them at most, else "" */
};

/* A time stamp authority (RFC 3161 over HTTP). Its tokens chain to an anchor of the country. */
struct directory_stamper {
    const char *name;
    const char *url;
    unsigned order;
};

enum directory_role {
    ROLE_ENROL = 1, /* prepares requests, keeps members' subsystems, services and addresses */
    ROLE_APPROVE,   /* two admit members, servers, operators, authorities; prepares requests too */
    ROLE_PUBLISH,   /* purposes and witnesses */
    ROLE_REVOKE,    /* ends certificates and servers */
    ROLE_AUDIT,     /* sees all and does nothing */
    ROLES_END
};

/* A person at the authority who acts under an own key. */
struct directory_operator {
    const char *id;
    const char *name;
    uint8_t public_key[P256_POINT_BYTES];
    unsigned roles; /* bits 1 << role */
};

struct directory;

/*
 * Loads and checks a published folder.
 *
 * folder     as above; only the entries that the checkpoint covers are read. When the first ones
 *            are not there: the newest of `snapshot/<size>`, the tiles at its edge, and the entries
 *            behind it.
 * trust      borrowed; anchors for the authority's and all members' certificates.
 * authority  borrowed; the key that signs the checkpoint.
 * previous   the state in use, or NULL: the new one must contain it unchanged. Acts that it held
 *            were verified then, and are not again: 43 us an act are saved.
 * seen       the newest head ever used (kept on disk across restarts), or NULL; same rule.
 * now_ms     wall time, for validity.
 * out        directory_release() it.
 *
 * Faults: DIRECTORY_BAD (signature, root, an act that is out of order or refers to nothing),
 * DIRECTORY_OLD (smaller than previous or seen), DIRECTORY_FORKED (does not contain it),
 * DIRECTORY_EXPIRED, NOT_FOUND, IO_FAILED. Nothing of a faulty directory is used.
 */
fault directory_load(const char *folder, struct trust *trust, const struct note_key *authority,
                     const struct directory *previous, const struct checkpoint *seen,
                     int64_t now_ms, struct directory **out);

/* The same, and all acts are verified: what was used before may have begun with a snapshot. */
fault directory_load_anew(const char *folder, struct trust *trust, const struct note_key *authority,
                          const struct directory *previous, const struct checkpoint *seen,
                          int64_t now_ms, struct directory **out);

/* Acts of the snapshot that this state was loaded from, while nobody has told us that it holds; 0:
 * none, or it does. What lies before them nobody here has verified. */
uint64_t directory_begun(const struct directory *self);
void directory_proved(struct directory *self); /* it holds: lib/bus/directory_prove.h */

/*
 * Takes the state one or more published heads further, in place: 0.2 ms and 100 us an act, where
 * loading anew costs seconds with 20,000 services. What lookups gave out stays in memory and tells
 * the new facts.
 *
 * head     checked by the caller: signed by the authority's log key.
 * leaves   the entries from directory_epoch() up to the head's size.
 *
 * Faults: DIRECTORY_OLD (other sizes), DIRECTORY_FORKED (other root): nothing has changed.
 * DIRECTORY_BAD, DIRECTORY_EXPIRED: directory_is_spoiled(), do not use it any more.
 */
fault directory_advance(struct directory *self, const struct checkpoint *head,
                        const struct span *leaves, size_t count, struct trust *trust,
                        int64_t now_ms);
bool directory_is_spoiled(const struct directory *self);

/* The same from entries in memory (leaf after leaf): for the authority's own fold, and fuzzing. */
fault directory_fold(const struct span *leaves, size_t count, struct trust *trust,
                     struct certificate *authority, struct directory **out);

/* Takes such a state further by entries in memory, at least one, whether or not the last one
 * publishes it: for who folds a long log piece by piece. Who gave them checks directory_root().
 * DIRECTORY_BAD: directory_is_spoiled(). */
fault directory_fold_further(struct directory *self, const struct span *leaves, size_t count,
                             struct trust *trust);

/* The same of entries that are the very bytes which directory_load verified (their root is its
 * root): no signature is checked again. */
fault directory_fold_again(const struct span *leaves, size_t count, struct trust *trust,
                           struct certificate *authority, struct directory **out);

struct directory *directory_hold(struct directory *self);
void directory_release(struct directory **self);
/* So that OWNED(directory) works. */
static inline void directory_free(struct directory **self)
{
    directory_release(self);
}

const char *directory_instance(const struct directory *self);
uint64_t directory_epoch(const struct directory *self);
struct sha256 directory_root(const struct directory *self);
int64_t directory_valid_until_ms(const struct directory *self);
int64_t directory_last_ms(const struct directory *self); /* time of its newest act */

/* Lookups by canonical text; NULL when not there. */
const struct directory_member *directory_member(const struct directory *self, struct span id);
const struct directory_server *directory_server(const struct directory *self, struct span id);
const struct directory_subsystem *directory_subsystem(const struct directory *self, struct span id);
const struct directory_service *directory_service(const struct directory *self, struct span id);
/* Of this service, by id. */
const struct endpoint *directory_endpoint(const struct directory_service *service, struct span id);
const struct directory_purpose *directory_purpose(const struct directory *self, struct span id);
const struct directory_grant *directory_grant(const struct directory *self, struct span id);
const struct directory_group *directory_group(const struct directory *self, struct span id);
const struct directory_legal_basis *directory_legal_basis(const struct directory *self,
                                                          struct span id);
const struct directory_competence *directory_competence(const struct directory *self,
                                                        struct span id);
const struct directory_restriction *directory_restriction(const struct directory *self,
                                                          struct span id);
const struct directory_operator *directory_operator(const struct directory *self, struct span id);
/*
 * The key that signs the log's heads since an act changed it (0034); NULL: the anchor's still does.
 * directory_open_head: a note of this log by whichever key had to sign it then, `base` being the
 * anchor's; SIGNATURE_BAD, BAD_FRAME, and DIRECTORY_FORKED (handovers_open). directory_check_keys:
 * does the chain of acts lead from `base`, or hold it? DIRECTORY_BAD.
 */
/* The certificate that signs acts now; first: the one that signed the first act (authority.pem).
 * Lent. */
struct certificate *directory_acts_signer(const struct directory *self, struct certificate *first);
/* DIRECTORY_BAD: the changes of that certificate do not begin with this one. */
fault directory_check_first_signer(const struct directory *self, const struct certificate *first);
/* DIRECTORY_BAD: no later act than this state's can be signed by it: it is not this authority's, or
 * its key gave way, and such a one never comes back. Whether a CA issued it is not asked here. */
fault directory_check_later_signer(const struct directory *self, const struct certificate *one);
/* That one certificate gives way to another, as the key that gives way signs it (ActsKeySet). */
struct sha256 act_signer_digest(struct span before, struct span after);
const struct note_key *directory_log_key(const struct directory *self);
fault directory_open_head(const struct directory *self, const struct note_key *base,
                          struct span note, struct checkpoint *out);
fault directory_check_keys(const struct directory *self, const struct note_key *base);
/* Is its last act the one that publishes it? */
bool directory_is_published(const struct directory *self);
/* NULL: the year has none. */
const struct directory_subject_key *directory_subject_key(const struct directory *self,
                                                          unsigned year);
const struct directory_sealing *directory_sealing(const struct directory *self, struct span id);
/* Do acts need approvals here? */
bool directory_is_governed(const struct directory *self);
/* Who cosigns the directory's own checkpoints, and how many of them make one good. Room for
 * DIRECTORY_WITNESSES_MAX. */
size_t directory_witnesses(const struct directory *self, const struct directory_server **out,
                           unsigned *quorum);
/* By 20-byte subject key identifier. */
struct directory_signer *directory_signer(const struct directory *self, const uint8_t *ski);
/* The same, with certificates that were replaced or removed since: for auditors. */
struct directory_signer *directory_signer_ever(const struct directory *self, const uint8_t *ski);
/* Whose log this is, whichever epoch its origin names; NULL when it is nobody's here. */
const struct directory_server *directory_server_of_log(const struct directory *self,
                                                       struct span origin);
/* The key with which a witness cosigns now; NULL when it does not (any more). */
const struct note_key *directory_witness_key(const struct directory *self,
                                             const struct directory_witness *witness);
/* Time stamp authorities, in the order in which to ask them: the first, and the next one when it
 * fails. At most DIRECTORY_STAMPERS_MAX, maybe none. *out lives as long as the state. */
size_t directory_stampers(const struct directory *self, const struct directory_stamper **out);
/* Outside authorities in force, by name; at most DIRECTORY_AUTHORITIES_MAX. As above. */
size_t directory_authorities(const struct directory *self,
                             const struct directory_authority *const **out);
bool directory_server_has(const struct directory_server *server,
                          const struct directory_subsystem *subsystem);

/* Walks in no particular order: *step = 0 first, NULL at the end. */
const struct directory_server *directory_next_server(const struct directory *self, size_t *step);
const struct directory_service *directory_next_service(const struct directory *self, size_t *step);
const struct directory_member *directory_next_member(const struct directory *self, size_t *step);
const struct directory_subsystem *directory_next_subsystem(const struct directory *self,
                                                           size_t *step);
const struct directory_purpose *directory_next_purpose(const struct directory *self, size_t *step);
const struct directory_group *directory_next_group(const struct directory *self, size_t *step);
const struct directory_legal_basis *directory_next_legal_basis(const struct directory *self,
                                                               size_t *step);
const struct directory_competence *directory_next_competence(const struct directory *self,
                                                             size_t *step);
const struct directory_restriction *directory_next_restriction(const struct directory *self,
                                                               size_t *step);
const struct directory_grant *directory_next_grant(const struct directory *self, size_t *step);
const struct directory_subject_key *directory_next_subject_key(const struct directory *self,
                                                               size_t *step);
const struct directory_sealing *directory_next_sealing(const struct directory *self, size_t *step);
const struct directory_operator *directory_next_operator(const struct directory *self,
                                                         size_t *step);
const char *directory_role_word(enum directory_role role);       /* "approve" */
const char *directory_ground_word(enum directory_ground ground); /* "due-process"; "" of none */
enum directory_ground directory_ground_of(const char *word);     /* 0: none is called so */

#endif
