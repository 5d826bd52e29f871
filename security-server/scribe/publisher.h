// SPDX-License-Identifier: MIT
/*
 * publisher - keeps the static form of the log up to what the node has promised.
 *
 *   promise      newest head that the node signed; the exchange process writes it
 *   tile/...     C2SP tlog-tiles, derived here
 *   checkpoint   head that the tiles reach: the promise, or the same with cosignatures
 *   cosigned     newest note that witnesses signed; the exchange process writes it
 *   cp/<size>    every cosigned checkpoint
 */
#ifndef SCRIBE_PUBLISHER_H
#define SCRIBE_PUBLISHER_H

#include "lib/base/bytes.h"
#include "lib/crypto/note.h"

struct publisher;

/* Goes on from the checkpoint that is there; tiles that do not fit it are made anew from the
 * segments. NOT_FOUND while the node has written no anchor yet. */
fault publisher_open(const char *audit_folder, unsigned epoch, struct publisher **out);
void publisher_free(struct publisher **self);

/* Takes entries in, towards the promise. *more: there is more to do at once. LOG_BROKEN when the
 * segments do not hold what was promised; NOT_FOUND before the first promise. */
fault publisher_follow(struct publisher *self, bool *more);
/* Is there more to publish than our own time stamps? */
bool publisher_has_news(const struct publisher *self);
/* Publishes what was taken in, when all of the promise was. LOG_BROKEN when it has another root. */
fault publisher_publish(struct publisher *self);
struct span publisher_note(const struct publisher *self); /* the published one; borrowed */
/* Takes a newly cosigned note into checkpoint and history; taken->size is 0 for none. bytes_free()
 * the note. */
fault publisher_take_cosigned(struct publisher *self, struct checkpoint *taken,
                              struct bytes **note);
/* A note of the log, by its file's name, and what it says. As checkpoint_open. */
fault publisher_read(const struct publisher *self, const char *name, struct bytes **note,
                     struct checkpoint *out);
/* What the node has promised, and when it did; 0 before the first. */
uint64_t publisher_promised(const struct publisher *self, int64_t *time_ms);
uint64_t publisher_size(const struct publisher *self); /* of the checkpoint */

#endif
