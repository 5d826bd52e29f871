// SPDX-License-Identifier: MIT
/*
 * witness_policy - who was to cosign a log, as the directory says, in the form of
 * c2sp.org/tlog-policy.
 */
#ifndef EVIDENCE_WITNESS_POLICY_H
#define EVIDENCE_WITNESS_POLICY_H

#include "lib/bus/directory.h"

/* NULL in *out when the directory assigns nobody to this log. *met: does this note carry a quorum
 * of their cosignatures? bytes_free() it. */
fault witness_policy(const struct directory *directory, const struct note_key *log,
                     struct span note, struct bytes **out, bool *met);

/* The same of the directory itself: of the witnesses that it names for its own checkpoints. */
fault witness_policy_of_directory(const struct directory *directory, struct span note,
                                  struct bytes **out, bool *met);

#endif
