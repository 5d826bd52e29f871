// SPDX-License-Identifier: MIT
/*
 * requests - agencies' requests for enrolment: STORE/requests/<id>.json, one file each, durable
 * before they are acknowledged.
 *
 *   {"request": as it came, "received": ms, "source": whence, as a digest, "warning": text,
 *    "prepared_by": operator or "", "proposals": [ids], "refused_by", "reason",
 *    "vouchers": [{"server", "signature": base64, "at": ms}],
 *    "without_voucher": {"by": operator, "reason"}, when an operator said so
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
#define REQUEST_SIGNATURE_MAX P256_SIGNATURE_BYTES_MAX
#define REQUEST_ACTS_MAX (2 + ENROLMENT_SUBSYSTEMS_MAX)
#define INTAKE_KEY                                                                \
    "intake.key" /* in the store: X25519, PKCS#8 PEM; its public half: the anchor \
                  */

struct requests;

/* That a server of the member stands behind it (lib/bus/voucher.h). */
struct request_voucher {
    char *server;
    int64_t at_ms; /* when it came */
    size_t size;
    uint8_t signature[REQUEST_SIGNATURE_MAX];
};

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
    size_t vouchers;
    struct request_voucher voucher[ENROLMENT_VOUCHERS_MAX];
    char *alone_by, *alone_reason; /* the operator who says why nobody vouches; "" */
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
/* REFUSED when it is decided. */
fault requests_check_open(const struct requests *self, const struct request *request);
/* As it stands now; lent until something changes it. */
const struct directory *requests_directory(const struct requests *self);
size_t requests_waiting(const struct requests *self);

/* Its warning as the directory stands now: others may have been admitted since it came. */
void requests_look_again(const struct requests *self, struct request *request);

/* Makes the acts that enrol it, as proposals without approvals; again: the same ones. line: for the
 * certificate. alone: why no server of its member vouches for it, in an operator's words, or NULL;
 * when what vouched has fallen away since it was prepared, it is prepared anew with this reason,
 * for who approved it had another ground. REFUSED when it was refused, cannot be enrolled as the
 * directory stands now, or wants a voucher. */
fault requests_prepare(struct requests *self, struct request *request, const char *by,
                       const char *alone, struct authority_line *line);
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
