// SPDX-License-Identifier: MIT
/*
 * status_line - the process that has outside authorities asked how their certificates stand, and
 * the line to it (proto/registry.proto, over a SOCK_SEQPACKET pair).
 *
 * It holds no key and reads no stranger's bytes: each round is a child of its own, in a jail
 * (statuses_ask), so that what somebody answers can end one round and nothing else. What was found
 * stands in STORE/statuses; answers are laid out in the published folder. A round takes minutes:
 * begin it, wait for the descriptor, take what came.
 */
#ifndef REGISTRY_SERVE_STATUS_LINE_H
#define REGISTRY_SERVE_STATUS_LINE_H

#include "registry/status/ask.h"

struct status_line;

/* Forks, so call it before any thread. folder: published. */
fault status_line_start(const char *store, const char *folder, struct status_line **out);
/* A round under way is lost; the next one asks again. */
void status_line_free(struct status_line **self);

int status_line_fd(const struct status_line *self);

/* Not while one is under way. INTERNAL when the process has gone. */
fault status_line_begin(struct status_line *self);
/* When the descriptor is readable. *round: how it went. A fault (INTERNAL) only when the process
 * has gone. */
fault status_line_take(struct status_line *self, fault *round, struct status_counts *counts);

#endif
