// SPDX-License-Identifier: MIT
/*
 * wal - the write-ahead segments of an audit log: the leaves, in order, durable.
 *
 *   wal/<first index, 20 digits>.seg   preallocated and zero-filled, append-only frames:
 *   u32 length | u32 crc32c(index || body) | u64 index | body         (big-endian)
 *
 * A length of zero ends a segment. Segments are zero-filled so that a commit changes no metadata.
 * Nothing here decides when to commit; that is audit_log's.
 */
#ifndef BUS_WAL_H
#define BUS_WAL_H

#include "lib/base/bytes.h"

#define WAL_FRAME_BYTES 16

struct wal;

typedef fault wal_visit(void *owner, uint64_t index, struct span leaf);

struct wal_end {
    uint64_t size;       /* leaves found */
    uint64_t last_first; /* first index of the last segment: its file's name */
    uint64_t cut_bytes;  /* bytes after them that are not zero: a torn write, or damage */
    /* Whole frames among those bytes, and the highest index: a torn group may hold some, in any
     * order, but none that is AUDIT_GROUP_MAX or more beyond the end. */
    uint64_t after_count, after_last;
};

/* Reads a folder of segments without changing it; for auditors. LOG_BROKEN when a segment other
 * than the last ends before the next begins. A visitor's fault ends the walk. */
fault wal_walk(const char *folder, wal_visit *visit, void *owner, struct wal_end *end);

/* The same of a log whose entries before `first` were pruned: a segment begins there, and what is
 * left of earlier ones is not looked at. */
fault wal_walk_from(const char *folder, uint64_t first, wal_visit *visit, void *owner,
                    struct wal_end *end);

/* A segment's file, for reading; wal_unmap() it. LOG_BROKEN: it is no file, or larger than
 * WAL_SEGMENT_BYTES_MAX. IO_FAILED. */
fault wal_map(const char *path, struct span *out);
void wal_unmap(struct span segment);

/* The file of a segment, by its first index; room at least 512. */
void wal_segment_path(const char *folder, uint64_t first, char *out, size_t room);

/* Opens and walks; changes nothing yet. With end->cut_bytes > 0 nothing may be written before
 * wal_cut_tail. Faults as wal_walk; REFUSED when another process holds the log. */
fault wal_open(const char *folder, size_t segment_bytes, wal_visit *visit, void *owner,
               struct wal **out, struct wal_end *end);
/* Makes the folder and takes its lock: REFUSED when another process holds it. */
fault wal_lock(const char *folder, int *fd_out);
/* The same of a log that was pruned: see wal_walk_from. Takes the lock over, also on a fault. */
fault wal_open_from(const char *folder, size_t segment_bytes, uint64_t first, int lock_fd,
                    wal_visit *visit, void *owner, struct wal **out, struct wal_end *end);
/* The largest first index of a segment that is not beyond `index`: what may be pruned before. */
uint64_t wal_bound(const struct wal *self, uint64_t index);
/* Removes the segments before the one that begins at `first`, and what is left of earlier ones;
 * durable. IO_FAILED; may be done again. */
fault wal_drop_before(struct wal *self, uint64_t first);
/* For reading alone, a log that nobody writes any more: what is whole of it from `first` on, up to
 * the first damage or gap, if there is any. No folder is an empty log. IO_FAILED; REFUSED when
 * another process has it open. A visitor's fault ends it. */
fault wal_open_closed(const char *folder, uint64_t first, wal_visit *visit, void *owner,
                      struct wal **out, uint64_t *size);
void wal_free(struct wal **self);

/* Shows the whole frames that stand after the end (see wal_end): what a damaged frame hides. */
fault wal_visit_tail(struct wal *self, wal_visit *visit, void *owner);
/* Sets the tail aside in cut-<index>.tail, synced, then zeroes it, so that stale bytes can never
 * pass for later frames. Evidence is not destroyed: a tail that was more than a torn write is still
 * there to be looked at. LOG_FAILED: nothing was cut. */
fault wal_cut_tail(struct wal *self);

/* Where the frames of a group will go; `frames` until the next one is staged. */
struct wal_place {
    uint64_t segment; /* its first index */
    uint64_t at;
    struct span frames;
};

/* Makes frames for leaves from index `first` on, and room for all of them in one segment; nothing
 * is written. LOG_FAILED: no room for a new segment, or more than a segment holds. */
fault wal_stage(struct wal *self, uint64_t first, const struct span *leaves, size_t count,
                struct wal_place *out);
/* Writes what was staged; not yet durable. A write that fails in a prepared segment ends the
 * process. */
void wal_put(struct wal *self);
/* Makes all written frames durable. A failing fdatasync ends the process: the kernel may have
 * dropped the pages, and a second try would lie. */
void wal_sync(struct wal *self);
/* Has the disk begin with that, and does not wait. */
void wal_sync_ahead(struct wal *self);
/* Makes the next segment ready if it is time, by a bounded step. Call it when there is nothing else
 * to do. True: there is more of it. */
bool wal_prepare(struct wal *self);

/* One leaf by index. NOT_FOUND when it is not there (any more). */
fault wal_read(struct wal *self, uint64_t index, struct bytes **out);

// --- following a log that another process writes
// --------------------------------------------------

struct wal_reader;

/* Will begin at entry `next`. LOG_BROKEN, NOT_FOUND as wal_walk. */
fault wal_reader_open(const char *folder, uint64_t next, struct wal_reader **out);
void wal_reader_free(struct wal_reader **self);
/* Shows the entries up to `until`, which must be durable already: ask for no more than a checkpoint
 * promises. LOG_BROKEN when one of them is not there. */
fault wal_reader_show(struct wal_reader *self, uint64_t until, wal_visit *visit, void *owner);

#endif
