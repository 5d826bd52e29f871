// SPDX-License-Identifier: MIT
#include "security-server/exchange/once_only_desk.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/crypto/random.h"
#include "security-server/exchange/front.h"
#include "security-server/exchange/outages.h"
#include "security-server/exchange/own_record.h"
#include "security-server/exchange/permits.h"
#include "security-server/exchange/plan_wire.h"

#include "front.pb-c.h"

#include <stdlib.h>

#define DAY_MS INT64_C(86400000)
#define ROUTE_BYTES 256
#define DETAIL_BYTES 1024
#define TERRITORY ".territory"

static char *lend(const char *text)
{
    return (char *)(uintptr_t)(text == NULL ? "" : text);
}

/* The fault that was just raised. */
static Chaski__Problem problem_of(fault f)
{
    Chaski__Problem problem = CHASKI__PROBLEM__INIT;
    problem.fault = f.code;
    problem.detail = lend(fault_detail());
    problem.remedy = lend(node_remedy(f.code));
    return problem;
}

// --- plans --------------------------------------------------------------------------------------

static fault make_plan(struct node *node, const Chaski__PlanAsk *ask, bool with_versions,
                       struct plan **out)
{
    struct plan_question question;
    struct plan_answer answer[PLAN_ANSWERS_MAX];
    TRY(node_ready(node));
    TRY(plan_wire_read(ask, with_versions, &question, answer));
    return plan_make(node->directory, &question, out);
}

void once_only_plan(struct node *node, struct span route, const Chaski__PlanAsk *ask)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__PlanAnswer answer = CHASKI__PLAN_ANSWER__INIT;
    Chaski__Problem problem;
    OWNED(plan) plan = NULL;
    fault f = make_plan(node, ask, true, &plan);
    if (failed(f)) {
        problem = problem_of(f);
        answer.problem = &problem;
    } else {
        plan_wire_fill(plan, &plan->memory, &answer);
    }
    answer.ask = ask->ask;
    answer.epoch = directory_epoch(node->directory);
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_PLAN_ANSWER;
    message.plan_answer = &answer;
    front_send(node->front, route, &message);
}

// --- may a citizen be asked? --------------------------------------------------------------------

/* From the question until its record is durable. */
struct asking {
    struct node *node;
    uint8_t route[ROUTE_BYTES];
    size_t route_size;
    uint64_t ask;
    struct directory *directory; /* held: the plan is of it */
    struct plan *plan;
    const struct plan_requirement *requirement;
    char client[ID_TEXT_BYTES_MAX + 1];
    char case_ref[WORD_BYTES_MAX + 1];
    enum permit_reason wanted; /* 0: whatever is found */
    bool denied;
    struct header_permit permit;
    int64_t permit_ms;
    char code[PERMIT_CODE_ROOM];
    char service[ID_TEXT_BYTES_MAX + 1];
    char rule[POLICY_RULE_ROOM];
    char detail[DETAIL_BYTES];
    char elsewhere[DETAIL_BYTES /
                   2]; /* of what the caller says that it is about other territories */
};

static void asking_free(struct asking **self)
{
    if (*self == NULL)
        return;
    plan_free(&(*self)->plan);
    directory_release(&(*self)->directory);
    free(*self);
    *self = NULL;
}

static struct span asking_route(const struct asking *self)
{
    return span_of(self->route, self->route_size);
}

static void send_permit_answer(const struct asking *self, Chaski__PermitAnswer *answer)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_PERMIT_ANSWER;
    message.permit_answer = answer;
    answer->ask = self->ask;
    answer->detail = lend(self->detail);
    front_send(self->node->front, asking_route(self), &message);
}

static void answer_problem(const struct asking *self, fault f)
{
    Chaski__PermitAnswer answer = CHASKI__PERMIT_ANSWER__INIT;
    Chaski__Problem problem = problem_of(f);
    answer.problem = &problem;
    send_permit_answer(self, &answer);
}

static const struct plan_leaf *first_source(const struct plan_requirement *requirement)
{
    for (size_t i = 0; i < requirement->ways; i++)
        if (requirement->way[i].state == requirement->state)
            for (size_t k = 0; k < requirement->way[i].leaves; k++)
                if (requirement->way[i].leaf[k].source != NULL)
                    return &requirement->way[i].leaf[k];
    return NULL;
}

static void deny(struct asking *self, const char *why)
{
    const struct plan_leaf *leaf = first_source(self->requirement);
    const char *source = leaf == NULL ? "" : leaf->source->id;
    self->denied = true;
    text_format(self->service, sizeof self->service, "%s",
                leaf == NULL ? "" : leaf->source->service);
    text_format(self->rule, sizeof self->rule, "once-only/source-exists%s%s",
                source[0] == '\0' ? "" : " ", source);
    text_format(self->detail, sizeof self->detail, "%s", why);
}

static void give(struct asking *self, enum permit_reason reason, int64_t permit_ms, const char *why)
{
    self->denied = false;
    self->permit.reason = reason;
    self->permit_ms = permit_ms;
    text_format(self->rule, sizeof self->rule, "once-only/permit %s", permit_reason_word(reason));
    text_format(self->detail, sizeof self->detail, "%s", why);
}

/* With the record that bears it out. */
static void give_with(struct asking *self, enum permit_reason reason, int64_t permit_ms,
                      const struct plan_leaf *leaf, const struct outcome_place *evidence,
                      const char *why)
{
    give(self, reason, permit_ms, why);
    text_format(self->service, sizeof self->service, "%s", leaf->source->service);
    self->permit.service = span_of_text(self->service);
    self->permit.has_evidence = true;
    self->permit.evidence = evidence->leaf_hash;
    self->permit.evidence_index = audit_place_index(evidence->place);
}

/* Nobody delivers it: until somebody is to, and at most so long. */
static void give_no_source(struct asking *self)
{
    const struct plan_requirement *requirement = self->requirement;
    int64_t now_ms = clock_wall_ms();
    bool registered = requirement->state == PLAN_NO_MATCH && requirement->satisfaction != NULL;
    int64_t permit_ms = PERMIT_NO_SOURCE_MS;
    const char *why = "nothing that is registered proves it";
    for (size_t i = 0; i < requirement->ways; i++)
        for (size_t k = 0; k < requirement->way[i].leaves; k++) {
            const struct plan_leaf *leaf = &requirement->way[i].leaf[k];
            if (leaf->state != PLAN_NO_SOURCE)
                continue;
            why = leaf->reason;
            registered = registered || leaf->until_ms > 0;
            if (leaf->until_ms > now_ms && leaf->until_ms - now_ms < permit_ms)
                permit_ms = leaf->until_ms - now_ms;
        }
    if (!registered && permit_ms > PERMIT_UNREGISTERED_MS)
        permit_ms = PERMIT_UNREGISTERED_MS;
    give(self, PERMIT_NO_SOURCE, permit_ms, why);
}

// --- what our log bears out ---------------------------------------------------------------------

struct borne {
    bool mixed; /* some way is barred for the other reason */
    const struct plan_leaf *leaf;
    const struct outage *outage; /* of SOURCE_DOWN */
    struct outcome_place answer; /* of the others */
};

static bool answer_fits(enum permit_reason reason, unsigned status)
{
    return reason == PERMIT_STALE ? status >= 200 && status < 300
                                  : status == 300 || status == 404 || status == 409;
}

static bool leaf_bears(const struct asking *self, enum permit_reason reason,
                       const struct plan_leaf *leaf, struct borne *out)
{
    unsigned status = 0;
    const char *service = leaf->source == NULL ? "" : leaf->source->service;
    int64_t now_ms = clock_wall_ms();
    struct outages_question question = {service, self->case_ref,
                                        self->requirement->requirement->id};
    out->leaf = leaf;
    if (service[0] == '\0')
        return false;
    if (reason == PERMIT_SOURCE_DOWN) {
        out->outage = outages_of(self->node->outages, service, now_ms);
        return out->outage != NULL;
    }
    return self->case_ref[0] != '\0' &&
           outages_answer(self->node->outages, &question, now_ms, &status, &out->answer) &&
           answer_fits(reason, status);
}

/* One source was down and another did not find the subject: neither way can be gone. */
static enum permit_reason other_reason(enum permit_reason reason)
{
    return reason == PERMIT_SOURCE_DOWN       ? PERMIT_NO_UNIQUE_MATCH
           : reason == PERMIT_NO_UNIQUE_MATCH ? PERMIT_SOURCE_DOWN
                                              : reason;
}

static bool way_bears(const struct asking *self, enum permit_reason reason,
                      const struct plan_way *way, struct borne *out)
{
    bool barred = false;
    for (size_t k = 0; !barred && k < way->leaves; k++)
        barred = leaf_bears(self, reason, &way->leaf[k], out);
    return barred;
}

/* Every way that could be gone must be barred by some source of it, and one at least for this
 * reason; *out: of the first of these. */
static bool is_borne_out(const struct asking *self, enum permit_reason reason, struct borne *out)
{
    const struct plan_requirement *requirement = self->requirement;
    bool any = false, mixed = false;
    for (size_t i = 0; i < requirement->ways; i++) {
        const struct plan_way *way = &requirement->way[i];
        struct borne found = {0}, other = {0};
        if (way->state != PLAN_READY && way->state != PLAN_NEED)
            continue;
        if (!way_bears(self, reason, way, &found)) {
            if (!way_bears(self, other_reason(reason), way, &other))
                return false;
            mixed = true;
            continue;
        }
        if (!any)
            *out = found;
        any = true;
    }
    out->mixed = mixed;
    return any;
}

static void decide_down(struct asking *self)
{
    struct borne found = {0};
    if (!is_borne_out(self, PERMIT_SOURCE_DOWN, &found)) {
        deny(self, self->wanted == PERMIT_SOURCE_DOWN
                       ? "a source delivers it, and the log of this server shows no failure of it "
                         "that is recent and repeated: ask the source"
                       : "a source delivers it: ask the source");
        return;
    }
    give_with(self, PERMIT_SOURCE_DOWN, PERMIT_SOURCE_DOWN_MS, found.leaf, &found.outage->newest,
              "who delivers it did not answer");
    self->permit.since_ms = found.outage->since_ms;
}

static void decide_answered(struct asking *self)
{
    struct borne found = {0};
    bool stale = self->wanted == PERMIT_STALE;
    if (is_borne_out(self, self->wanted, &found))
        give_with(self, self->wanted, found.mixed ? PERMIT_SOURCE_DOWN_MS : PERMIT_OTHER_MS,
                  found.leaf, &found.answer,
                  stale ? "what the source delivered is too old, says the member"
                        : "the source did not find the one subject");
    else
        deny(self, stale ? "the log of this server holds no recent answer of the source in this "
                           "case: ask the source"
                         : "the log of this server holds no recent answer of the source in this "
                           "case that says so (404, 409 or 300): ask the source");
}

static void decide(struct asking *self)
{
    enum plan_state state = self->requirement->state;
    if (state != PLAN_READY && state != PLAN_NEED) {
        give_no_source(self);
        return;
    }
    switch (self->wanted) {
    case PERMIT_CITIZEN_PREFERS:
        give(self, PERMIT_CITIZEN_PREFERS, PERMIT_OTHER_MS,
             "the citizen prefers to hand it in, says the member");
        return;
    case PERMIT_NO_UNIQUE_MATCH:
    case PERMIT_STALE:
        decide_answered(self);
        return;
    case PERMIT_NO_SOURCE:
        deny(self, "there is a source");
        return;
    default:
        decide_down(self);
    }
}

// --- the record ---------------------------------------------------------------------------------

static Chaski__Receipt receipt_of(const struct node *node, uint64_t index,
                                  const struct sha256 *leaf_hash)
{
    Chaski__Receipt receipt = CHASKI__RECEIPT__INIT;
    receipt.origin = lend(node->log_key.name);
    receipt.index = index;
    receipt.leaf_hash = (ProtobufCBinaryData){SHA256_BYTES, (uint8_t *)(uintptr_t)leaf_hash->at};
    return receipt;
}

static Chaski__PermitSaid said_of(const struct node *node, const struct permit *permit,
                                  Chaski__Receipt *receipt)
{
    Chaski__PermitSaid said = CHASKI__PERMIT_SAID__INIT;
    const struct directory_procedure *procedure =
        directory_procedure(node->directory, span_of_text(permit->procedure));
    const struct directory_requirement *requirement =
        directory_requirement(node->directory, span_of_text(permit->requirement));
    *receipt = receipt_of(node, audit_place_index(permit->place), &permit->leaf_hash);
    said.code = lend(permit->code);
    said.reason = lend(permit_reason_word(permit->reason));
    said.since_ms = (uint64_t)permit->since_ms;
    said.given_ms = (uint64_t)permit->given_ms;
    said.until_ms = (uint64_t)permit->until_ms;
    said.member = lend(permit->member);
    said.procedure = lend(permit->procedure);
    said.procedure_title = lend(procedure == NULL ? "" : procedure->title);
    said.requirement = lend(permit->requirement);
    said.requirement_name = lend(requirement == NULL ? "" : requirement->name);
    said.territory = lend(permit->territory);
    said.receipt = receipt;
    return said;
}

/* The permit is what stands in the log: it is taken from there. */
static fault take_permit(struct node *node, uint64_t index, struct span leaf)
{
    struct cades_parts parts;
    OWNED(header_read) read = NULL;
    struct sha256 leaf_hash = merkle_leaf_hash(leaf);
    TRY(cades_parse(leaf, &parts));
    TRY(header_decode(parts.content, &read));
    permits_take(node->permits, header_of(read), audit_place(node->log_epoch, index), &leaf_hash);
    return DONE;
}

static void answer_recorded(const struct asking *self, uint64_t index, struct span leaf)
{
    Chaski__PermitAnswer answer = CHASKI__PERMIT_ANSWER__INIT;
    Chaski__PermitSaid said;
    Chaski__Receipt receipt;
    struct sha256 leaf_hash = merkle_leaf_hash(leaf);
    receipt = receipt_of(self->node, index, &leaf_hash);
    answer.receipt = &receipt;
    if (self->denied) {
        answer.source = plan_wire_requirement(self->requirement, &self->plan->memory);
    } else {
        said = said_of(self->node, permits_find(self->node->permits, self->code), &receipt);
        answer.permit = &said;
    }
    send_permit_answer(self, &answer);
}

static void recorded(void *owner, fault f, uint64_t index, struct span leaf)
{
    struct asking *self = owner;
    if (!failed(f) && !self->denied)
        f = take_permit(self->node, index, leaf);
    if (failed(f))
        answer_problem(self, f);
    else
        answer_recorded(self, index, leaf);
    asking_free(&self);
}

/* A code that no permit has: one in 35 million millions, but it costs nothing to look. */
static void make_code(struct asking *self)
{
    uint64_t random = 0;
    do {
        random_fill((uint8_t *)&random, sizeof random);
        permit_code_make(random, self->code);
    } while (permits_find(self->node->permits, self->code) != NULL);
    self->permit.code = span_of_text(self->code);
}

static void record(struct asking **owner)
{
    struct asking *self = TAKE(*owner);
    struct own_permit act = {.denied = self->denied, .detail = self->detail};
    size_t used = strlen(self->detail);
    text_format(self->detail + used, sizeof self->detail - used, "%s", self->elsewhere);
    if (!self->denied)
        make_code(self);
    act.header.receiver = span_of_text(self->client);
    act.header.service = span_of_text(self->denied ? self->service : "");
    act.header.procedure = span_of_text(self->plan->procedure->id);
    act.header.requirement = span_of_text(self->requirement->requirement->id);
    act.header.territory = span_of_text(self->plan->territory);
    act.header.case_ref = span_of_text(self->case_ref);
    act.header.rule = span_of_text(self->rule);
    act.header.permit = self->denied ? NULL : &self->permit;
    own_record_permit(self->node, &act, self->permit_ms, recorded, self);
}

// --- the question -------------------------------------------------------------------------------

static fault read_client(const struct node *node, const char *client, struct asking *self)
{
    const struct directory_subsystem *subsystem =
        directory_subsystem(node->directory, span_of_text(client));
    if (subsystem == NULL || !directory_server_has(node_self(node), subsystem))
        return RAISE(UNKNOWN_CLIENT, "%.200s is not a subsystem of server %s", client,
                     node->config->server);
    text_format(self->client, sizeof self->client, "%s", client);
    return DONE;
}

static bool is_about_evidence(const struct asking *self, struct span type)
{
    const struct plan_requirement *requirement = self->requirement;
    for (size_t i = 0; i < requirement->ways; i++)
        for (size_t k = 0; k < requirement->way[i].leaves; k++)
            if (span_is_text(type, requirement->way[i].leaf[k].type->id))
                return true;
    return false;
}

/* That evidence is about another place is the caller's word, and may make a source disappear. What
 * the plan did not take is not written down: it could be anything. */
static void note_elsewhere(struct asking *self, const Chaski__PlanAsk *ask)
{
    for (size_t i = 0; i < ask->n_known; i++) {
        const char *suffix = strrchr(ask->known[i]->name, '.');
        size_t used = strlen(self->elsewhere);
        if (suffix != NULL && strcmp(suffix, TERRITORY) == 0 &&
            territory_fits(self->directory, ask->known[i]->value) &&
            is_about_evidence(self,
                              span_of(ask->known[i]->name, (size_t)(suffix - ask->known[i]->name))))
            text_format(self->elsewhere + used, sizeof self->elsewhere - used,
                        "; %.60s in %.20s, says the caller", ask->known[i]->name,
                        ask->known[i]->value);
    }
}

static fault read_permit_ask(struct asking *self, const Chaski__PermitAsk *ask)
{
    struct node *node = self->node;
    TRY(node_begun(node));
    TRY(node_ready(node));
    TRY(read_client(node, ask->client, self));
    self->wanted = permit_reason_of(ask->reason);
    if (ask->reason[0] != '\0' && self->wanted == 0)
        return RAISE(BAD_QUESTION, "reason is NO_SOURCE, SOURCE_DOWN, NO_UNIQUE_MATCH, "
                                   "CITIZEN_PREFERS or STALE");
    if (!text_format(self->case_ref, sizeof self->case_ref, "%s", ask->case_ref) ||
        !text_is_plain(span_of_text(self->case_ref)))
        return RAISE(BAD_QUESTION, "the case is longer than %d bytes, or not plain text",
                     WORD_BYTES_MAX);
    if (ask->plan == NULL || ask->plan->requirement[0] == '\0')
        return RAISE(BAD_QUESTION, "for which requirement of the procedure?");
    TRY(make_plan(node, ask->plan, false, &self->plan));
    self->directory = directory_hold(node->directory);
    self->requirement = &self->plan->requirement[0];
    note_elsewhere(self, ask->plan);
    return DONE;
}

void once_only_permit(struct node *node, struct span route, const Chaski__PermitAsk *ask)
{
    OWNED(asking) self = owned_new(sizeof *self);
    self->node = node;
    self->ask = ask->ask;
    if (route.size > sizeof self->route)
        return;
    memcpy(self->route, route.at, route.size);
    self->route_size = route.size;
    fault f = read_permit_ask(self, ask);
    if (failed(f)) {
        answer_problem(self, f);
        return;
    }
    decide(self);
    record(&self);
}

// --- is this permit good? -----------------------------------------------------------------------

void once_only_look(struct node *node, struct span route, const Chaski__PermitLook *ask)
{
    Chaski__FrontMessage message = CHASKI__FRONT_MESSAGE__INIT;
    Chaski__PermitSaid said = CHASKI__PERMIT_SAID__INIT;
    Chaski__Receipt receipt;
    Chaski__Problem problem;
    char code[PERMIT_CODE_ROOM];
    fault f = node_begun(node);
    const struct permit *permit = NULL;
    if (!failed(f) && permit_code_read(ask->code, code))
        permit = permits_find(node->permits, code);
    if (!failed(f) && permit == NULL)
        f = RAISE(PERMIT_UNKNOWN, "none of this server, or it is mistyped");
    if (failed(f)) {
        problem = problem_of(f);
        said.problem = &problem;
    } else {
        said = said_of(node, permit, &receipt);
    }
    said.ask = ask->ask;
    message.body_case = CHASKI__FRONT_MESSAGE__BODY_PERMIT_SAID;
    message.permit_said = &said;
    front_send(node->front, route, &message);
}
