// SPDX-License-Identifier: MIT
/*
 * exchange_steps - both walks as tables: read this first.
 *
 * Each step_ file holds both directions of its step. Order that must hold: durable before effect.
 */
#ifndef EXCHANGE_EXCHANGE_STEPS_H
#define EXCHANGE_EXCHANGE_STEPS_H

#include "lib/base/clock.h"
#include "security-server/exchange/exchange.h"

extern const struct step consumer_walk[];
extern const struct step consumer_refusal[];
extern const struct step provider_walk[];
extern const struct step provider_refusal[];
extern const struct step provider_again[];

/* step_admit.c: fit to send? */
enum step_end step_admit(struct exchange *x);
/* The same question without an exchange: for a gateway, before it takes in a body. */
struct admission {
    const char *client, *service, *wanted_server, *purpose; /* canonical text; "" = none */
    uint64_t payload_bytes;
    const char *endpoint; /* of the service, by its id; "" = none */
    const char *procedure, *requirement, *source;
    int64_t at_ms;     /* judged as of then, by the directory as it is now; 0: now */
    bool names_nobody; /* no person is named */
};
static inline int64_t admission_ms(const struct admission *self)
{
    return self->at_ms != 0 ? self->at_ms : clock_wall_ms();
}
/* problem->fault == OK: admitted, by problem->rule; *peer is where it would go. */
void admit(struct node *node, const struct admission *question, struct problem *problem,
           const struct directory_server **peer);

/* step_subject.c: a person becomes a pseudonym */
enum step_end step_make_pseudonym(struct exchange *x);
/* What a header of ours says of it. */
void exchange_fill_subject(const struct exchange *x, struct header *out);

/* step_quota.c: is it within the rate of the service and the volume of the grant? */
enum step_end step_count(struct exchange *x);
/* At its end: no answer came of it, and it does not count. */
void step_uncount(struct exchange *x);
/* The caller's side: an answer that came counts towards what can-i says is left. */
void step_count_answer(struct exchange *x);

/* step_sign.c: sign what leaves / verify what comes */
enum step_end step_sign_request(struct exchange *x);
enum step_end step_sign_answer(struct exchange *x);  /* provider: response */
enum step_end step_sign_refusal(struct exchange *x); /* either side: fault */
enum step_end step_verify_request(struct exchange *x);
enum step_end step_verify_answer(struct exchange *x);

/* step_audit.c: keep, and go on only when it is durable */
enum step_end step_keep_request(struct exchange *x);
enum step_end step_keep_answer(struct exchange *x);
enum step_end step_read_answer(struct exchange *x); /* the stored outcome of a double */

/* step_policy.c: may this client call this service? */
enum step_end step_decide(struct exchange *x);

/* step_mesh.c: send to a peer server / take from one */
enum step_end step_send_question(struct exchange *x);
enum step_end step_send_answer(struct exchange *x);

/* step_service.c: let a gateway call our own service */
enum step_end step_call_service(struct exchange *x);

/* front.c: give the gateway its answer */
enum step_end step_deliver(struct exchange *x);

#endif
