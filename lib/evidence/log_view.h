// SPDX-License-Identifier: MIT
/*
 * log_view - a (copied) audit folder, read only: its anchors, its copy of the directory, its
 * leaves.
 */
#ifndef EVIDENCE_LOG_VIEW_H
#define EVIDENCE_LOG_VIEW_H

#include "lib/bus/audit_log.h"
#include "lib/bus/directory.h"
#include "lib/bus/header.h"
#include "lib/bus/pruned.h"
#include "lib/bus/wal.h"

struct log_view {
    char folder[400];
    unsigned epoch;     /* of this log: lib/bus/log_epoch.h */
    char payloads[440]; /* where its payloads and their keys lie */
    char name[440];     /* for people: the folder, and which epoch of it when it is not the first */
    struct trust *trust;
    struct note_key authority;
    struct note_key registered; /* as the directory has it */
    struct note_key log_key;    /* ... under the origin of the epoch */
    struct directory *directory;
    char *server;         /* whose log it is, by the log's origin in the directory */
    bool newest;          /* no later epoch is in the folder */
    struct pruned pruned; /* what was removed of its beginning, as its own file says */
};

/* What everything else rests on. NULL: the folder's own copy, and whoever gave you the folder gave
 * you that too. */
struct log_anchors {
    const char *trust_file;     /* PEM: certificates of the authority */
    const char *authority_file; /* the key that signs the directory */
};

/* epoch 0: the newest that the folder holds. Faults: IO_FAILED, NOT_FOUND, BAD_KEY, CERTIFICATE_BAD
 * (an anchor cannot be read), as directory_load, and KEY_UNKNOWN when no server of the directory
 * has this log's key. */
fault log_view_open(const char *folder, unsigned epoch, const struct log_anchors *anchors,
                    struct log_view **out);
/* The file that trust comes from: the auditor's or the folder's own. */
fault log_view_trust_file(const char *folder, const struct log_anchors *anchors, char *out,
                          size_t room);
void log_view_free(struct log_view **self);

/* One entry, taken apart. `header` is NULL when it could not be read. */
struct log_entry {
    uint64_t index;
    struct span leaf; /* borrowed; parts and header point into it */
    struct sha256 leaf_hash;
    struct cades_parts parts;
    const struct header *header;
    char *damage; /* why it could not be read, or NULL */
    struct header_read *read;
};

/* Leaf hashes of the entries that were pruned, from the tiles; pruned.first of them, to be
 * free()d. Not believed before a signed root is over them. However many the folder says there are,
 * memory is taken as tiles are found. LOG_BROKEN: the tiles are not there. */
fault log_view_pruned_hashes(const struct log_view *self, struct sha256 **out);

/* log_entry_clear() it. The leaf must stay where it is until then. */
void log_entry_read(uint64_t index, struct span leaf, struct log_entry *out);
void log_entry_clear(struct log_entry *self);

/* Walks all leaves that are left, in order. A fault of `visit` ends the walk; as wal_walk. *end is
 * written in any case. */
fault log_view_walk_leaves(struct log_view *self, wal_visit *visit, void *owner,
                           struct wal_end *end);
/* The same, with each leaf taken apart, for the time of the visit. */
fault log_view_walk(struct log_view *self,
                    fault (*visit)(void *owner, const struct log_entry *entry), void *owner,
                    struct wal_end *end);

/* "8-4-4-4-12" and NUL. */
void log_view_id_text(const uint8_t id[EXCHANGE_ID_BYTES], char out[37]);

#endif
