// SPDX-License-Identifier: MIT
/*
 * reach_line - the process that has agencies called back, and the line to it (proto/registry.proto,
 * over a SOCK_SEQPACKET pair).
 *
 * It holds no key. Each call is a child of its own, in a jail (errand.h, reach_call.h). A call
 * takes seconds: begin it, wait for the descriptor, take what came. One at a time.
 */
#ifndef REGISTRY_SERVE_REACH_LINE_H
#define REGISTRY_SERVE_REACH_LINE_H

#include "registry/serve/reach_call.h"

struct reach_line;

/* Forks, so call it before any thread. private_too: see reach_call.h. */
fault reach_line_start(bool private_too, struct reach_line **out);
void reach_line_free(struct reach_line **self);

int reach_line_fd(const struct reach_line *self);

/* Not while one is under way. private_too of the ask does not count. INTERNAL when the process has
 * gone. */
fault reach_line_begin(struct reach_line *self, const struct reach_ask *ask);
/* When the descriptor is readable. A call that did not end well is "not tried" in both families. A
 * fault (INTERNAL) only when the process has gone. */
fault reach_line_take(struct reach_line *self, struct reach *out);

#endif
