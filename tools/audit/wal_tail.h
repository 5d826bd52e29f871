// SPDX-License-Identifier: MIT
/*
 * wal_tail - what stands in the last segment after its last whole record.
 *
 * A node writes forward into zeros, so a write that was torn leaves rubbish and nothing behind it.
 * Whole records behind rubbish were there before it: somebody broke one record to hide the rest.
 */
#ifndef TOOLS_AUDIT_WAL_TAIL_H
#define TOOLS_AUDIT_WAL_TAIL_H

#include "lib/base/bytes.h"

struct wal_tail {
    uint64_t torn_bytes; /* up to the last one that is not zero */
    bool hides;          /* a whole record stands behind them */
    uint64_t index;      /* ... with this number */
    /* So much of them poses as records and is none that it was given up: nobody writes that by
     * accident. */
    bool poses;
};

/* folder: of the segments. All zero when there are none. IO_FAILED, LOG_BROKEN. */
fault wal_tail_look(const char *folder, struct wal_tail *out);

/* The same over the bytes of a segment whose first record has this index. */
struct wal_tail wal_tail_of(struct span segment, uint64_t first);

#endif
