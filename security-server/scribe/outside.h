// SPDX-License-Identifier: MIT
/*
 * outside - asks the witnesses that are no servers of this bus (an audit office, a court) to cosign
 * our newest checkpoint: C2SP tlog-witness over HTTP. The bytes of strangers are read here, in a
 * process that holds no key; what is no good cosignature does not leave it.
 *
 *   outside   the note of the checkpoint, with the cosignatures that came over HTTP, written when
 *             all were asked, even if none signed; the exchange process counts them (anchor.c)
 */
#ifndef SCRIBE_OUTSIDE_H
#define SCRIBE_OUTSIDE_H

#include "lib/base/fault.h"

struct outside;

/* NOT_FOUND while the node has written no anchor yet. */
fault outside_new(const char *audit_folder, unsigned epoch, struct outside **out);
void outside_free(struct outside **self);

/* Asks those that have not cosigned the published checkpoint, when it is new or some of them are to
 * be asked again. Waits for all of them together, at most OUTSIDE_ROUND_MS; redirects are not
 * followed. The fault is that of our own files: what a witness does wrong is an event. */
fault outside_look(struct outside *self);

#endif
