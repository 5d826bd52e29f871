// SPDX-License-Identifier: MIT
/*
 * directory_private - the state while it is being folded: for the directory's own sources, the
 * registry (which folds an act before it signs it into the log) and fuzzing.
 */
#ifndef BUS_DIRECTORY_PRIVATE_H
#define BUS_DIRECTORY_PRIVATE_H

#include "lib/base/arena.h"
#include "lib/base/map.h"
#include "lib/bus/directory.h"
#include "lib/crypto/certificate_shelf.h"
#include "lib/bus/handover.h"
#include "lib/bus/rights.h"
#include "lib/crypto/merkle.h"

/* One change of the key that signs the log's heads. */
struct directory_keys {
    uint64_t number; /* of its act: heads of more entries are signed by `after` */
    struct handover handover;
};

/* The registers of lib/bus/once_only.h: by id, and as questions find them. */
struct once_only {
    struct map procedures, requirements, evidence_types, satisfactions, sources;
    struct rights satisfaction_of; /* requirement, territory */
    struct rights source_of;       /* sort of evidence, territory */
    struct rights source_by;       /* service, "" */
    struct rights proof_of;        /* requirement, sort of evidence: satisfactions that name both */
    struct rights below;           /* requirement, wider territory: satisfactions below it */
    struct rights source_below;    /* sort of evidence, wider territory: sources below it */
    struct map asked, held;        /* once_only_history.h */
};

struct directory {
    int holders;
    const char *instance;
    struct sha256 root;
    uint64_t epoch;
    struct merkle tree;            /* of all acts, when it was loaded from a folder */
    struct certificate *authority; /* that signed the first ones, likewise */
    bool spoiled;                  /* directory_advance failed half-way */
    uint64_t begun;                /* acts of the snapshot that it began with, unproved; 0 */
    int64_t last_ms;               /* time of the last act: they do not go back */
    int64_t valid_until_ms;
    bool published; /* the last act was Published */
    bool restored;  /* what is applied now comes from a snapshot: what it did then is in there */
    bool known;     /* what is applied now was verified before: approvals are not checked again */
    struct map members, servers, subsystems, services, purposes, grants; /* by id */
    struct map groups, legal_bases, competences, restrictions;           /* by id */
    struct map subject_keys, sealings;                                   /* by year, by id */
    struct rights competence_of;                                         /* purpose, consumer */
    struct rights restriction_of;              /* service, consumer or "" */
    struct rights grant_of;                    /* service, consumer */
    struct rights sealing_of;                  /* purpose, consumer */
    struct rights groups_of;                   /* member or subsystem, "" */
    const struct directory_calendar *calendar; /* or NULL; access.h, with what follows */
    struct map requests, decisions, glasses;   /* by id */
    struct rights request_of;                  /* service, subsystem; the latest first */
    struct rights requests_of;                 /* member, "" */
    struct rights decision_of;                 /* service, class; the latest first */
    struct rights glass_of;                    /* service, subsystem */
    struct once_only once_only;
    struct map signers;       /* in force, by subject key id */
    struct map signers_ever;  /* likewise, with those that were replaced or removed */
    struct map certificates;  /* the same by SHA-256 of their certificates */
    struct map transport_ids; /* transport key -> server, to refuse doubles */
    struct map origins;       /* log origin -> server, likewise */
    struct map cosigners;     /* witness key -> server, likewise */
    struct map operators;     /* by id */
    struct map intents;       /* by nonce: time of the act, until it could not come again */
    size_t approvers;         /* operators who may approve */
    bool governed;            /* there were two of them once */
    struct directory_server *witness[DIRECTORY_WITNESSES_MAX]; /* of the directory itself */
    size_t witnesses;
    unsigned quorum;
    struct directory_keys *keys; /* changes of the log key, as they came */
    size_t keys_count;
    struct directory_acts_key *acts_keys; /* changes of the certificate that signs acts */
    size_t acts_keys_count;
    int64_t prior_ms;    /* time of the act before the last one */
    struct trust *trust; /* borrowed while folding */
    struct directory_stamper stamper[DIRECTORY_STAMPERS_MAX]; /* in order */
    size_t stampers;
    struct directory_authority *outside[DIRECTORY_AUTHORITIES_MAX]; /* outside ones, by name */
    size_t outsides;
    struct directory_authority **outside_ever; /* with those that were removed, as they came */
    size_t outsides_ever;
    struct arena memory; /* everything ever made for this state */
    struct certificate_shelf *shelf;
    struct certificate **certificate;
    size_t certificate_count, certificate_room;
};

/* A change of the certificate that signs acts (act_signer.c); spans lie in the state's memory. */
#define DIRECTORY_ACTS_KEYS_MAX 12 /* with the first they fit authority.pem: all of them as DER */
#define DIRECTORY_ACTS_KEYS_BYTES_MAX 11000 /* are 16 kB of PEM (CERTIFICATE_BYTES_MAX) */
struct directory_acts_key {
    uint64_t number; /* of its act, the first that the new one signed */
    int64_t at_ms;
    uint8_t former_ski[SKI_BYTES];
    struct span before, signature_before; /* empty: the old key was lost or stolen */
    struct certificate *certificate;
};

/* An empty state. trust is borrowed while acts are applied; NULL trusts no certificate. */
struct directory *directory_new(struct trust *trust);

/* Applies the packed chaski.Act of entry `number` to the state. DIRECTORY_BAD says why not; the
 * state is of no use then. */
fault directory_apply(struct directory *self, uint64_t number, struct span act);

/* Is this packed act the one that vouches for a snapshot with that digest? */
bool directory_vouches(struct span act, const struct sha256 *snapshot_sha256);

#endif
