// SPDX-License-Identifier: MIT
/*
 * outside_lines - cosignatures of witnesses that are no servers of this bus. The scribe asks them
 * over HTTP and leaves what they signed in log/<epoch>/outside; here each line is checked again,
 * against the directory's key, before it counts.
 */
#ifndef EXCHANGE_OUTSIDE_LINES_H
#define EXCHANGE_OUTSIDE_LINES_H

#include "lib/bus/directory.h"

struct outside_lines {
    size_t count;
    struct note_key key[DIRECTORY_WITNESSES_MAX];
    bool waiting;   /* for the scribe to have asked them about the head of this round */
    bool overtaken; /* it has gone on to a larger head: about this one nothing will come */
};

/* Whom the directory names for our log; waiting from here on, if there is anybody. */
void outside_lines_begin(struct outside_lines *self, const struct directory_server *own);
/* Adds the good cosignatures over this head to the note, when the scribe has asked for them: then
 * nobody is waited for any more. Returns how many were added. */
unsigned outside_lines_take(struct outside_lines *self, const char *folder,
                            const struct note_key *log_key, const struct checkpoint *head,
                            struct bytes **note);

#endif
