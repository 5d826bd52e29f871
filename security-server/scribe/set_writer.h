// SPDX-License-Identifier: MIT
/*
 * set_writer - sorts the leaves of the log by the other server and the hour (lib/bus/leaf_set.h),
 * so that the exchange process can compare them with its peers without reading the log.
 *
 * Goes behind the log entry by entry. A crash repeats what was not noted in `next`; a record that
 * is there twice counts once. Without `next` all is made anew.
 */
#ifndef SCRIBE_SET_WRITER_H
#define SCRIBE_SET_WRITER_H

#include "lib/bus/leaf_set.h"

struct set_writer;

/* server: whose log it is. keep_ms: how often at most what was taken in is made durable. */
fault set_writer_open(const char *audit_folder, unsigned epoch, const char *server, int64_t keep_ms,
                      struct set_writer **out);
void set_writer_free(struct set_writer **self);

/* Takes entries in, a bounded number, towards `until`: durable entries that the log held at
 * time_ms. *more: there is more to do at once. LOG_BROKEN: an entry cannot be read; IO_FAILED. */
fault set_writer_follow(struct set_writer *self, uint64_t until, int64_t time_ms, bool *more);
/* Makes what was taken in durable and says so in `next`, when it is time, or `now`. */
fault set_writer_keep(struct set_writer *self, bool now);

#endif
