// SPDX-License-Identifier: MIT
/*
 * once_only_ask - what a caller wants of once only, as JSON or as the query of a plan.
 *
 *   { "procedure": "T-LIC", "territory": "05001", "case": "2026-17", "requirement": "R-RES",
 *     "subject": { "type": "CC", "number": "…" }, "subject_kind": "person", "version": "2",
 *     "basis": { "law": "…" } | { "citizen_request": "…" } | { "order": "…" },
 *     "selectors": { "anio": "2020", "E-CERT.territory": "05001" }, "reason": "SOURCE_DOWN" }
 *
 * The subject goes into payloads, which are sealed, and to the server, which makes a pseudonym: it
 * is in no plan, permit, event or refusal.
 */
#ifndef GATEWAY_ONCE_ONLY_ASK_H
#define GATEWAY_ONCE_ONLY_ASK_H

#include "lib/base/bytes.h"
#include "lib/bus/limits.h"

#include <jansson.h>

struct once_only_known {
    char name[WORD_BYTES_MAX + 1], value[WORD_BYTES_MAX + 1];
};

/* Texts are never NULL; "" is what was not given. */
struct once_only_ask {
    char procedure[WORD_BYTES_MAX + 1], territory[WORD_BYTES_MAX + 1];
    char case_ref[WORD_BYTES_MAX + 1], requirement[WORD_BYTES_MAX + 1];
    char version[WORD_BYTES_MAX + 1], subject_kind[WORD_BYTES_MAX + 1];
    char reason[WORD_BYTES_MAX + 1];
    char legal_basis[WORD_BYTES_MAX + 1]; /* "LAW …", "CITIZEN_REQUEST …" or "ORDER …" */
    char subject_type[WORD_BYTES_MAX + 1], subject_number[WORD_BYTES_MAX + 1];
    size_t known;
    struct once_only_known selector[PLAN_ANSWERS_MAX];
};

enum once_only_purpose { ASK_PLAN, ASK_COLLECT, ASK_PERMIT };

/* SUBJECT_BAD, or BAD_QUESTION with the field that is wrong and never with what stands in it. A
 * collection needs procedure, case, subject and basis; a permit procedure and requirement. */
fault once_only_ask_read(struct span json, enum once_only_purpose purpose,
                         struct once_only_ask *out);
/* procedure=…&territory=…&requirement=…&version=…&subject=person; all others are selectors. */
fault once_only_ask_read_query(struct span query, struct once_only_ask *out);

#endif
