// SPDX-License-Identifier: MIT
/*
 * policy_procedure - a request that names a procedure of the register: does its client run it, and
 * does it need what is asked for? Looked at before any right, and opens nothing.
 */
#ifndef BUS_POLICY_PROCEDURE_H
#define BUS_POLICY_PROCEDURE_H

#include "lib/bus/policy_private.h"

/* Refused, and the verdict filled: once-only/not-owner, once-only/outside-plan. false: it may go
 * on, also when it names no procedure, or none of the register. */
bool policy_procedure_refuses(const struct policy_case *self, struct policy_verdict *out);

#endif
