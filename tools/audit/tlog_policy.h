// SPDX-License-Identifier: MIT
/*
 * tlog_policy - whose cosignatures count, as an auditor's own file says it: c2sp.org/tlog-policy.
 * The same form, as strictly read, as verify.sh reads it.
 */
#ifndef TOOLS_AUDIT_TLOG_POLICY_H
#define TOOLS_AUDIT_TLOG_POLICY_H

#include "lib/base/bytes.h"
#include "lib/crypto/note.h"

#define TLOG_POLICY_NAMES_MAX 64 /* witnesses and groups */
#define TLOG_POLICY_BYTES_MAX 65536

struct tlog_policy;

/* NOT_FOUND, IO_FAILED; BAD_REQUEST: it has another form, with the line. tlog_policy_free() it. */
fault tlog_policy_read(const char *path, struct tlog_policy **out);
void tlog_policy_free(struct tlog_policy **self);

/* Does the note carry the cosignatures that the policy asks for? With "quorum none" always. It says
 * nothing about the log's own signature. */
bool tlog_policy_met(const struct tlog_policy *self, struct span note);

#endif
