// SPDX-License-Identifier: MIT
/*
 * header - what is signed: the content of a leaf (proto/audit.proto, message Header).
 *
 * The signed bytes are carried and logged as they are and never encoded again; this struct is only
 * for reading them and for making new ones. Text fields are bounded; ids are canonical text.
 */
#ifndef BUS_HEADER_H
#define BUS_HEADER_H

#include "lib/base/bytes.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/keeping.h"
#include "lib/bus/limits.h"
#include "lib/bus/log_epoch.h"
#include "lib/bus/withheld.h"
#include "lib/crypto/digest.h"

#define HEADER_CARD_KEY_BYTES 32

enum header_kind {
    HEADER_REQUEST = 1,
    HEADER_RESPONSE = 2,
    HEADER_FAULT = 3,
    HEADER_STARTED = 16,
    HEADER_STOPPED = 17,
    HEADER_INCIDENT = 18,
    HEADER_STAMPED = 19,
    HEADER_ERASED = 20,
    HEADER_LATE = 21,
    HEADER_PRUNED = 22,
    HEADER_KEY_CARD = 23,
    HEADER_PERMIT = 24,
    HEADER_PERMIT_DENIED = 25,
    HEADER_NOTICE = 26,
    HEADER_LOOKED = 27,
};
#define HEADER_KINDS_END (HEADER_LOOKED + 1) /* room of what is counted by kind */

/* Which entries a PRUNED record removes. */
struct header_pruned {
    uint64_t before;
    struct sha256 root;
};

/* Which token over which checkpoint a STAMPED record is about. */
struct header_stamped {
    uint64_t size;
    struct sha256 token; /* SHA-256 of its DER */
};

/* The sealing key that a KEY_CARD record names. */
struct header_card {
    uint8_t key[HEADER_CARD_KEY_BYTES]; /* X25519 */
    int64_t renew_ms, until_ms;         /* wall time; later than the record, in this order */
};

enum permit_reason {
    PERMIT_NO_SOURCE = 1,
    PERMIT_SOURCE_DOWN,
    PERMIT_NO_UNIQUE_MATCH,
    PERMIT_CITIZEN_PREFERS,
    PERMIT_STALE,
    PERMIT_REASONS_END
};

/* That and why a citizen may be asked. */
struct header_permit {
    struct span code; /* PERMIT_CODE_BYTES */
    enum permit_reason reason;
    int64_t since_ms;       /* PERMIT_SOURCE_DOWN; else 0 */
    int64_t until_ms;       /* later than the record */
    bool has_evidence;      /* of the reasons that need it: */
    struct sha256 evidence; /* leaf hash of a record of this log */
    uint64_t evidence_index;
    struct span service; /* of those reasons */
};

/* A leaf of an exchange with another server that was missing in this log and came from there. */
struct late_receipt {
    struct sha256 leaf_hash;
    int64_t time_ms; /* in its header */
    enum header_kind kind;
    bool own; /* signed by this log's server itself */
};

/* Spans point into the bytes read, or to the maker's text. */
struct header {
    enum header_kind kind;
    uint8_t exchange_id[EXCHANGE_ID_BYTES];
    struct span sender, receiver, service; /* canonical ids; receiver and service may be empty */
    struct span sender_server, receiver_server;
    int64_t time_ms, deadline_ms;
    struct sha256 payload_sha256;
    uint64_t payload_bytes;
    bool has_reply_to;
    struct sha256 reply_to;
    unsigned log_epoch; /* of the signer's own log; 0, in making one: 1 */
    uint64_t log_size;
    struct sha256 log_root;
    uint64_t directory_epoch;
    struct span purpose, procedure, legal_basis, case_ref;
    struct span subject;     /* bytes: a pseudonym, never a number */
    uint32_t subject_year;   /* whose key it is under; 0: none is named */
    int64_t sealed_until_ms; /* 0: no view of the person leaves it out */
    struct span sealing;     /* the act that allows it */
    struct span rule;
    struct span endpoint;               /* of the service, by its id; may be empty */
    struct span requirement, territory; /* once only; the territory in permits only */
    struct span source; /* of a REQUEST that a collection sent: whose own query it is; or empty */
    uint32_t fault;
    uint32_t status;
    const struct erasure *erasure;        /* of an ERASED record, and of no other */
    const struct keeping *keeping;        /* of a STARTED record, or NULL */
    const struct late_receipt *late;      /* of a LATE record, and of no other */
    const struct header_pruned *pruned;   /* of a PRUNED record, and of no other */
    const struct header_stamped *stamped; /* of a STAMPED record; NULL in older ones */
    const struct header_card *card;       /* of a KEY_CARD record, and of no other */
    const struct withheld *withheld;      /* in a RESPONSE, or NULL */
    const struct header_permit *permit;   /* of a PERMIT record, and of no other */
    const struct epoch_closed *closed;    /* of the INCIDENT that begins a later epoch, or NULL */
};

/* bytes_free() it. Larger than HEADER_BYTES_MAX: BAD_REQUEST. */
fault header_encode(const struct header *self, struct bytes **out);

/*
 * A decoded header together with the memory that its spans point into.
 * BAD_FRAME unless: version 1, a known kind, 16-byte exchange id, 32-byte hashes, ids of the right
 * number of parts in canonical form, texts within WORD_BYTES_MAX, a subject within
 * SUBJECT_BYTES_MAX and a year only with one, a seal only with both and a sealing, a source only
 * in a request of a procedure, requirement and case, times within 2000..2049; an erasure, a
 * keeping, a late receipt, a stamp, a card or a closed epoch only where it belongs, within the
 * bounds of keeping.h and limits.h; a late receipt with the two servers that it is about; a card
 * with a key and times in order.
 */
struct header_read;
fault header_decode(struct span bytes, struct header_read **out);
void header_read_free(struct header_read **self);
const struct header *header_of(const struct header_read *self);

const char *header_kind_word(enum header_kind kind);
const char *permit_reason_word(enum permit_reason reason); /* "NO_SOURCE"; "" of none */
enum permit_reason permit_reason_of(const char *word);     /* 0: none is called so */
/* Of all but the first and CITIZEN_PREFERS: a record of the log bears it out. */
bool permit_reason_needs_evidence(enum permit_reason reason);

#endif
