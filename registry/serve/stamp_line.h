// SPDX-License-Identifier: MIT
/*
 * stamp_line - the process that holds the time stamp key, and the line to it.
 *
 * A SOCK_SEQPACKET pair, made before the fork; one question at a time:
 *
 *   -> u64 serial | TimeStampReq     <- u8 stamp_verdict | TimeStampResp
 *
 * The process takes the time from its own clock and insists that serials grow. It ends when the
 * line closes, and dies with its parent.
 */
#ifndef REGISTRY_SERVE_STAMP_LINE_H
#define REGISTRY_SERVE_STAMP_LINE_H

#include "lib/crypto/stamp.h"

#include <sys/types.h>

struct stamp_line;

/* Forks, so call it before any thread; waits until the key is loaded and the jail closed. INTERNAL
 * when that fails: the process has said why in an event. */
fault stamp_line_start(const char *store, struct stamp_line **out);
/* Closes the line and ends the process. */
void stamp_line_free(struct stamp_line **self);

/* Becomes readable between two questions only when the process has gone. */
int stamp_line_fd(const struct stamp_line *self);
pid_t stamp_line_pid(const struct stamp_line *self);

/* serial: greater than all before. INTERNAL when the process has gone or takes more than 5 s; it
 * must not be asked again then. 150 us. */
fault stamp_line_ask(struct stamp_line *self, struct span request_der, uint64_t serial,
                     enum stamp_verdict *verdict, struct bytes **response_der);

#endif
