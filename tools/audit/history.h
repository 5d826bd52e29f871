// SPDX-License-Identifier: MIT
/*
 * history - what the directory said when: which subsystem stood on which server, since when a log
 * has had its witnesses, and the root over each number of its acts.
 *
 * An auditor judges entries of years by the newest directory, but its state is only how things
 * stand today; what has changed since is read from the acts.
 */
#ifndef TOOLS_AUDIT_HISTORY_H
#define TOOLS_AUDIT_HISTORY_H

#include "lib/bus/directory.h"
#include "tools/audit/sealings.h"

struct history;

/* folder: the one that `directory` was loaded from, and so verified. DIRECTORY_BAD when its acts
 * are not the ones that were verified. */
fault history_read(const char *folder, const struct directory *directory, struct history **out);
void history_free(struct history **self);

/* The root over the first `size` acts; false when there are fewer. */
bool history_root(const struct history *self, uint64_t size, struct sha256 *out);

/*
 * Was the subsystem registered on this server at that time? A receiver looks when the entry comes,
 * which may be up to DEADLINE_MS_MAX after its date; and an exchange that runs when a registration
 * ends may come to its end.
 */
bool history_stood(const struct history *self, struct span subsystem, const char *server,
                   int64_t time_ms);

/* Since when the witnesses of this server's log have been those of today, with the keys of today;
 * 0: it has none. server: of the directory that this is the history of. */
int64_t history_witnessed_ms(const struct history *self, const struct directory_server *server);
/* The same of the directory's own witnesses; 0: it has none. directory: that this is of. */
int64_t history_directory_witnessed_ms(const struct history *self,
                                       const struct directory *directory);
/* Time of an act; number below directory_epoch(). */
int64_t history_act_ms(const struct history *self, uint64_t number);
/* The sealing of that id as it stood when the directory had `size` acts; NULL: none did. False: it
 * has fewer. */
bool history_sealing(const struct history *self, struct span id, uint64_t size,
                     const struct sealing_stood **out);
/* Since when there has been a time stamp authority without a break; 0: there is none. */
int64_t history_stampers_ms(const struct history *self);

#endif
