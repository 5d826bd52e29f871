// SPDX-License-Identifier: MIT
#include "security-server/exchange/permit_look.h"

#include "lib/bus/once_only.h"
#include "security-server/exchange/audit_actor.h"
#include "security-server/exchange/front.h"
#include "security-server/exchange/permits.h"

#include "front.pb-c.h"

#include <stdlib.h>
#include <string.h>

#define ROUTE_BYTES 256

static char *lend(const char *text)
{
    return (char *)(uintptr_t)(text == NULL ? "" : text);
}

// --- what is said of a permit -------------------------------------------------------------------

void permit_receipt(const struct node *node, uint64_t index, const struct sha256 *leaf_hash,
                    Chaski__Receipt *out)
{
    chaski__receipt__init(out);
    out->origin = lend(node->log_key.name);
    out->index = index;
    out->leaf_hash = (ProtobufCBinaryData){SHA256_BYTES, (uint8_t *)(uintptr_t)leaf_hash->at};
}

void permit_said(const struct node *node, const struct permit *permit, Chaski__Receipt *receipt,
                 Chaski__PermitSaid *out)
{
    const struct directory_procedure *procedure =
        directory_procedure(node->directory, span_of_text(permit->procedure));
    const struct directory_requirement *requirement =
        directory_requirement(node->directory, span_of_text(permit->requirement));
    permit_receipt(node, audit_place_index(permit->place), &permit->leaf_hash, receipt);
    chaski__permit_said__init(out);
    out->code = lend(permit->code);
    out->reason = lend(permit_reason_word(permit->reason));
    out->since_ms = (uint64_t)permit->since_ms;
    out->given_ms = (uint64_t)permit->given_ms;
    out->until_ms = (uint64_t)permit->until_ms;
    out->member = lend(permit->member);
    out->procedure = lend(permit->procedure);
    out->procedure_title = lend(procedure == NULL ? "" : procedure->title);
    out->requirement = lend(permit->requirement);
    out->requirement_name = lend(requirement == NULL ? "" : requirement->name);
    out->territory = lend(permit->territory);
    out->case_ref = lend(permit->case_ref);
    out->receipt = receipt;
}

// --- is it good? --------------------------------------------------------------------------------

/* From the question until the record that bears the permit out has been read. */
struct look {
    struct node *node;
    uint8_t route[ROUTE_BYTES];
    size_t route_size;
    uint64_t ask;
    char code[PERMIT_CODE_ROOM];
    struct audit_job job;
};

static void answer(struct look *self, fault f)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__PermitSaid said = CHASKI__PERMIT_SAID__INIT;
    Chaski__Receipt receipt;
    Chaski__Problem problem = CHASKI__PROBLEM__INIT;
    const struct permit *permit = permits_find(self->node->permits, self->code);
    if (!failed(f) && permit == NULL)
        f = RAISE(PERMIT_UNKNOWN, "none of this server, or it is mistyped");
    if (failed(f)) {
        problem.fault = f.code;
        problem.detail = lend(fault_detail());
        problem.remedy = lend(node_remedy(f.code));
        said.problem = &problem;
    } else {
        permit_said(self->node, permit, &receipt, &said);
    }
    said.ask = self->ask;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_PERMIT_SAID;
    message.permit_said = &said;
    front_send(self->node->front, span_of(self->route, self->route_size), &message);
    free(self);
}

/* The very record that the permit names, or it rests on nothing. */
static void evidence_read(struct audit_job *job)
{
    struct look *self = job->owner;
    const struct permit *permit = permits_find(self->node->permits, self->code);
    fault f =
        permit == NULL ? DONE : permit_check_evidence(permit, job->fault, bytes_span(job->leaf));
    bytes_free(&job->leaf);
    bytes_free(&job->blob);
    answer(self, f);
}

static fault read_evidence(struct look *self, const struct permit *permit)
{
    self->job = (struct audit_job){.work = AUDIT_READ, .done = evidence_read, .owner = self};
    self->job.record.index = permit->evidence_place;
    return audit_actor_ask(self->node->audit, &self->job);
}

void permit_look(struct node *node, struct span route, const Chaski__PermitLook *ask)
{
    if (route.size > ROUTE_BYTES)
        return;
    struct look *self = owned_new(sizeof *self);
    self->node = node;
    self->ask = ask->ask;
    memcpy(self->route, route.at, route.size);
    self->route_size = route.size;
    fault f = node_begun(node);
    const struct permit *permit = NULL;
    if (!failed(f) && permit_code_read(ask->code, self->code))
        permit = permits_find(node->permits, self->code);
    if (permit != NULL && permit->has_evidence) {
        f = read_evidence(self, permit);
        if (!failed(f))
            return; /* evidence_read answers */
    }
    answer(self, f);
}
