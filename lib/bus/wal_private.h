// SPDX-License-Identifier: MIT
/*
 * wal_private - what the rooms of the write-ahead segments share.
 *
 *   wal.c            open, close, the torn tail; groups of records, one record
 *   wal_segments.c   the next segment, made ahead; the oldest ones, dropped
 *   wal_walk.c       frames, and the folder from its first to its last
 *   wal_reader.c     following a log that another process writes
 */
#ifndef BUS_WAL_PRIVATE_H
#define BUS_WAL_PRIVATE_H

#include "lib/base/cursor.h"
#include "lib/bus/wal.h"

#include <sys/types.h>

#define WAL_PATH_BYTES 512
#define WAL_SPARSE 64 /* every 64th frame's place is kept in memory */

struct segment {
    uint64_t first;
    uint64_t count;  /* frames in it */
    off_t end;       /* after the last frame */
    off_t size;      /* of the file */
    uint32_t *place; /* offsets of frames first, first + WAL_SPARSE, ... */
    size_t places;
};

struct wal {
    char folder[WAL_PATH_BYTES];
    size_t segment_bytes;
    size_t segments;
    struct segment *segment;
    int lock_fd;   /* held for as long as the log is open */
    int folder_fd; /* open beforehand, like next_fd: a full table of files must not stop a roll */
    int fd;        /* the last segment */
    int next_fd;   /* next.tmp; -1: not begun yet */
    size_t next_size; /* so much of it is filled */
    uint64_t rest;    /* bytes of a tail that is not cut yet */
    struct bytes *staged;
    size_t staged_count;
    bool touched; /* since it was last made durable */
};

// --- frames -------------------------------------------------------------------------------------

uint32_t wal_frame_crc(uint64_t index, struct span body);
/* The frame at the cursor, which must carry this index. BAD_FRAME at zeros or anything torn. */
fault wal_take_frame(struct cursor *at, uint64_t index, struct span *body);
/* Remembers where frame first + count begins, if it is one of every WAL_SPARSE. */
void wal_note_place(struct segment *segment, off_t at);
/* The frames of one mapped segment, noted in it; *index moves on. A visitor's fault ends it. */
fault wal_walk_frames(struct segment *segment, struct span bytes, uint64_t *index, wal_visit *visit,
                      void *owner);
/* Shows, and counts in `end` if there is one, every whole frame with an index beyond `size`. */
fault wal_walk_tail(struct span tail, uint64_t size, wal_visit *visit, void *owner,
                    struct wal_end *end);

// --- the folder ---------------------------------------------------------------------------------

void wal_path(const char *folder, uint64_t first, char out[WAL_PATH_BYTES]);
/* The segments that are there, by first index; wal_free_segments() them. NOT_FOUND: no folder. */
fault wal_list_segments(const char *folder, struct segment **out, size_t *count);
/* Those from `first` on: what a prune that was interrupted has left of earlier ones is passed over.
 */
fault wal_list_from(const char *folder, uint64_t first, struct segment **out, size_t *count);
void wal_free_segments(struct segment *list, size_t count);
/* As wal_walk_from, over a list; what is found is noted in it. */
fault wal_walk_all(const char *folder, uint64_t first, struct segment *list, size_t count,
                   wal_visit *visit, void *owner, struct wal_end *end);

// --- segments -----------------------------------------------------------------------------------

fault wal_fill_zero(int fd, off_t from, off_t to);
/* Begins a segment whose first frame will be `first`. LOG_FAILED: no room; nothing has changed. */
fault wal_roll(struct wal *self, uint64_t first);
/* Says what is wrong with the disk, by errno, and ends the process. */
void wal_die_of_disk(struct wal *self, const char *event);

#endif
