// SPDX-License-Identifier: MIT
/*
 * examine - what can be found out of an entry by itself, in any order: is it well formed, is it
 * signed with the certificate that it names, is its payload there and the one that was signed for?
 *
 * This is nearly all of the work, and it needs nothing of other entries; so each thread has an
 * examiner of its own, with its own certificates, keys and open files. What the answers mean is
 * judged elsewhere, in the order of the log (verify_entry.c).
 */
#ifndef TOOLS_AUDIT_EXAMINE_H
#define TOOLS_AUDIT_EXAMINE_H

#include "lib/bus/payload_store.h"
#include "tools/audit/commands.h"
#include "lib/evidence/log_view.h"

struct examiner;

struct examined {
    struct log_entry entry;
    bool verified;
    char *bad_signature;        /* why it does not; NULL: it does, or nobody knows the signer */
    enum payload_state payload; /* out of a file: it may be any number */
    char *bad_payload;          /* why it cannot be read; NULL: it can */
    bool committed;             /* held, and it is what was signed for */
    char *ground;               /* of an erasure whose words are held */
    char *reason;               /* ... of what closed an epoch */
    char *pruning;              /* ... of the removal of a log's beginning */
    char *incident;             /* ... of an INCIDENT */
};

/* What the examiners of one log have in common; all of it is borrowed and must not change
 * meanwhile. */
struct examination {
    const struct audit_arguments *arguments;
    const char *payloads;          /* where they lie */
    const struct directory *judge; /* signers are looked up in it */
    /* Was a leaf with this hash verified before, in another log, with the certificate that it
     * names? The same bytes need not be verified again. Asked by all threads. */
    bool (*is_verified)(const void *owner, const struct sha256 *leaf_hash);
    const void *owner;
};

/* NOT_FOUND, BAD_KEY as store_keys_open. */
fault examiner_new(const struct examination *about, struct examiner **out);
void examiner_free(struct examiner **self);

/* examined_clear() it; the leaf must stay until then. */
void examine(struct examiner *self, uint64_t index, struct span leaf, struct examined *out);
void examined_clear(struct examined *self);

#endif
