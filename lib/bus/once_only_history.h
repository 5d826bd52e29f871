// SPDX-License-Identifier: MIT
/*
 * once_only_history - since when a procedure's form asks for a fact, and since when a sort of
 * evidence is delivered somewhere: by the times of the directory's acts, whatever the things
 * themselves say. Nothing of it is forgotten when a procedure or a source is taken out, so that no
 * way through the register makes a debt younger. Part of the fold; it stands in snapshots.
 */
#ifndef BUS_ONCE_ONLY_HISTORY_H
#define BUS_ONCE_ONLY_HISTORY_H

#include "lib/bus/directory_private.h"
#include "lib/bus/once_only.h"

struct directory_asked {
    const char *id; /* the two names that follow, with a line feed between */
    const char *procedure, *requirement;
    int64_t asked_ms;
    int64_t stopped_ms; /* 0: it is asked for */
};

struct directory_held {
    const char *id; /* the sort of evidence and the territory, likewise */
    const char *evidence_type, *territory;
    const char *source, *service; /* the last that delivered it */
    int64_t first_ms;             /* since when anybody ever did */
    int64_t taken_ms;             /* 0: somebody does */
};

/* NULL: it was never asked for, or never delivered there. */
const struct directory_asked *once_only_asked(const struct directory *self, const char *procedure,
                                              const char *requirement);
const struct directory_held *once_only_held(const struct directory *self, const char *evidence_type,
                                            const char *territory);

bool once_only_asks(const struct directory_procedure *self,
                    const struct directory_requirement *requirement);

/* After a change, at the time of the act; before or after are NULL for what is not there. Who
 * stopped asking and asks again within ONCE_ONLY_GAP_MS is taken to have asked all along. */
void once_only_note_procedure(struct directory *self, const struct directory_procedure *before,
                              const struct directory_procedure *after);
void once_only_note_source(struct directory *self, const char *evidence_type,
                           const char *territory);

/* For a snapshot: as it was. DIRECTORY_BAD. */
fault once_only_asked_was(struct directory *self, const struct directory_asked *from);
fault once_only_held_was(struct directory *self, const struct directory_held *from);

#endif
