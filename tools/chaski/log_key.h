// SPDX-License-Identifier: MIT
/*
 * log_key - which key signs the directory's words now, asked of a registry by who has an anchor
 * that may be older than it (lib/bus/handover.h, docs/decisions/0034).
 */
#ifndef TOOLS_CHASKI_LOG_KEY_H
#define TOOLS_CHASKI_LOG_KEY_H

#include "lib/bus/anchor_file.h"

/* The key to which the acts at `at` lead from the anchor's; the anchor's own when there are none.
 * Both keys must have signed each, and the authority, whose certificate the anchor's must have
 * issued. That operators approved them shows only the whole directory. Waits for the network.
 * PEER_UNREACHABLE, BODY_TOO_LARGE, CERTIFICATE_BAD, DIRECTORY_BAD. */
fault log_key_fetch(const struct anchor_file *anchor, const char *at, struct note_key *out);

#endif
