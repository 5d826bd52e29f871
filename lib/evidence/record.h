// SPDX-License-Identifier: MIT
/*
 * record - one entry of a log with everything that proves it, as files: README.txt says which file
 * proves what, verify.sh checks them.
 */
#ifndef EVIDENCE_RECORD_H
#define EVIDENCE_RECORD_H

#include "lib/evidence/cover.h"
#include "lib/evidence/files.h"
#include "lib/evidence/standing.h"

/* What the records of one export share. */
struct record_source {
    const struct log_view *view;
    const struct log_anchors *anchors;
    const struct directory *directory; /* the newest one at hand: it judges the signer */
    const struct standing *standing;   /* its acts */
    const struct covers *covers;
    struct key_ring *keys;            /* to payloads */
    const struct sha256 *leaf_hashes; /* of all entries that were walked over; or NULL */
    uint64_t leaf_count;
    const char *policy_file, *tsa_file; /* to go along; or NULL */
};

/* One entry; taken out of the walk. */
struct record {
    uint64_t index;
    struct bytes *leaf;
    struct sha256 leaf_hash;
    struct cades_parts parts; /* into leaf */
    struct header_read *read;
    bool covered; /* out: a checkpoint covers it */
    bool sealed;  /* out: its payload is there, and none of the keys opens it */
};

/* Takes the leaf of an entry that could be read. */
fault record_new(const struct log_entry *entry, struct record **out);
void record_free(struct record **self);

/* Adds its files, below files->below. CERTIFICATE_BAD when the directory knows no such signer. */
fault record_export(struct record *self, const struct record_source *from, struct files *files);
/* The same signature without the content, with the signer's certificate inside: for containers. */
fault record_detached(const struct record *self, const struct record_source *from,
                      struct bytes **out);

#endif
