// SPDX-License-Identifier: MIT
/*
 * requests - agencies' requests for enrolment: STORE/requests/<id>.json, one file each, durable
 * before they are acknowledged.
 *
 *   {"request": as it came, "received": ms, "source": whence, as a digest, "warning": text,
 *    "prepared_by": operator or "", "proposals": [ids], "refused_by", "reason",
 *    "reach": {"called": ms, "ipv4": words, "ipv6": words, "all": bool}, once it was called back}
 *
 * waiting -> prepared (its acts are proposals now) -> approved, when all of them were carried out;
 * or refused. Only the first step and a refusal are written down: the rest stands in the directory.
 */
#ifndef REGISTRY_SERVE_REQUESTS_H
#define REGISTRY_SERVE_REQUESTS_H

#include "registry/serve/enrolment.h"
#include "registry/serve/proposals.h"
#include "registry/serve/reach_call.h"

#define REQUEST_ID_DIGITS 64
#define REQUEST_ACTS_MAX (2 + ENROLMENT_SUBSYSTEMS_MAX)
#define INTAKE_KEY                                                                \
    "intake.key" /* in the store: X25519, PKCS#8 PEM; its public half: the anchor \
                  */

struct requests;

struct request {
    char id[REQUEST_ID_DIGITS + 1];
    int64_t received_ms;
    char source[17];
    char *server, *organisation;
    char *warning; /* for operators; "" */
    char *prepared_by, *refused_by, *reason;
    size_t proposals;
    char proposal[REQUEST_ACTS_MAX][ACT_ID_ROOM];
    struct bytes *text; /* as it came */
    /* calling it back, see reach_desk.h */
    struct reach reach;  /* what was seen the last time */
    int64_t called_ms;   /* wall; 0: never */
    unsigned calls;      /* since this process began */
    int64_t call_due_ms; /* steady; 0: not again by itself */
};

enum request_state { REQUEST_WAITING, REQUEST_PREPARED, REQUEST_APPROVED, REQUEST_REFUSED };

/* Also makes the intake key when it is missing. */
fault requests_open(const char *store, struct outlook *outlook, struct proposals *proposals,
                    struct requests **out);
void requests_free(struct requests **self);

/* Checks it and keeps it. The same request again is the one that is there (*fresh false). REFUSED;
 * OVERLOADED, RATE_LIMITED: too many wait, in all or of this source. Waits for the disk. */
fault requests_take(struct requests *self, struct span text, struct span source,
                    struct request **out, bool *fresh);
struct request *requests_find(const struct requests *self, const char *id);
struct request *requests_at(const struct requests *self, size_t index); /* NULL at the end */
size_t requests_waiting(const struct requests *self);

/* Its warning as the directory stands now: others may have been admitted since it came. */
void requests_look_again(const struct requests *self, struct request *request);

/* Makes the acts that enrol it, as proposals without approvals; again: the same ones. line: for the
 * certificate. REFUSED when it was refused, or cannot be enrolled as the directory stands now. */
fault requests_prepare(struct requests *self, struct request *request, const char *by,
                       struct authority_line *line);
fault requests_refuse(struct requests *self, struct request *request, const char *by,
                      const char *reason);

/* *epoch: of the directory in which all of it stands, for REQUEST_APPROVED. *reason: for
 * REQUEST_REFUSED; lent. */
enum request_state requests_state(const struct requests *self, const struct request *request,
                                  uint64_t *epoch, const char **reason);
const char *requests_state_word(enum request_state state);

/* Durable when it returns. */
fault requests_save(const struct requests *self, const struct request *request);
/* {"called", "ipv4", "ipv6"}, or NULL when it was not called back yet. */
json_t *requests_reach_json(const struct request *request);

void requests_forget(struct requests *self, int64_t now_ms);

#endif
