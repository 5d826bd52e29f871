// SPDX-License-Identifier: MIT
#include "security-server/exchange/once_only_desk.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/pseudonym.h"
#include "lib/crypto/random.h"
#include "lib/crypto/seal.h"
#include "security-server/exchange/front.h"
#include "security-server/exchange/keys_line.h"
#include "security-server/exchange/own_record.h"
#include "security-server/exchange/permit_decision.h"
#include "security-server/exchange/permit_look.h"
#include "security-server/exchange/permits.h"
#include "security-server/exchange/plan_wire.h"
#include "security-server/exchange/subject_keys.h"

#include "front.pb-c.h"

#include <stdlib.h>

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

static fault read_client(const struct node *node, const char *client)
{
    const struct directory_subsystem *subsystem =
        directory_subsystem(node->directory, span_of_text(client));
    if (subsystem == NULL || !directory_server_has(node_self(node), subsystem))
        return RAISE(UNKNOWN_CLIENT, "%.200s is not a subsystem of server %s", client,
                     node->config->server);
    return DONE;
}

/* Who acts in a procedure's name has to run it. What it needs may be known by all. */
static fault check_runs(const struct node *node, const struct plan *plan, const char *client)
{
    const struct directory_procedure *procedure = plan->procedure;
    TRY(read_client(node, client));
    return once_only_runs(node->directory, procedure, span_of_text(client))
               ? DONE
               : RAISE(PROCEDURE_NOT_YOURS, "%.100s (%.100s) is run by %.200s, which %.200s is not",
                       procedure->id, procedure->title, procedure->owner, client);
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
    if (!failed(f) && ask->client[0] != '\0')
        f = check_runs(node, plan, ask->client);
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
    bool has_subject;
    struct sha256 subject; /* whose pseudonym */
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

/* Texts are taken over: the plan's live as long as it. */
static void take_verdict(struct asking *self, const struct permit_verdict *verdict)
{
    const struct directory_source *source = verdict->leaf == NULL ? NULL : verdict->leaf->source;
    self->denied = verdict->denied;
    self->permit_ms = verdict->permit_ms;
    text_format(self->detail, sizeof self->detail, "%s", verdict->why);
    text_format(self->service, sizeof self->service, "%s", source == NULL ? "" : source->service);
    if (verdict->denied) {
        text_format(self->rule, sizeof self->rule, "once-only/source-exists%s%s",
                    source == NULL ? "" : " ", source == NULL ? "" : source->id);
        return;
    }
    text_format(self->rule, sizeof self->rule, "once-only/permit %s",
                permit_reason_word(verdict->reason));
    self->permit.reason = verdict->reason;
    self->permit.since_ms = verdict->since_ms;
    if (!verdict->has_evidence)
        return;
    self->permit.service = span_of_text(self->service);
    self->permit.has_evidence = true;
    self->permit.evidence = verdict->evidence.leaf_hash;
    self->permit.evidence_index = audit_place_index(verdict->evidence.place);
}

// --- the record ---------------------------------------------------------------------------------

/* The permit is what stands in the log: it is taken from there. */
static fault take_permit(struct node *node, uint64_t index, struct span leaf)
{
    struct cades_parts parts;
    OWNED(header_read) read = NULL;
    struct sha256 leaf_hash = merkle_leaf_hash(leaf);
    TRY(cades_parse(leaf, &parts));
    TRY(header_decode(parts.content, &read));
    permits_take(node->permits, header_of(read), audit_place(node->log_epoch, index), &leaf_hash,
                 clock_wall_ms());
    return DONE;
}

static void answer_recorded(const struct asking *self, uint64_t index, struct span leaf)
{
    Chaski__PermitAnswer answer = CHASKI__PERMIT_ANSWER__INIT;
    Chaski__PermitSaid said;
    Chaski__Receipt receipt;
    struct sha256 leaf_hash = merkle_leaf_hash(leaf);
    permit_receipt(self->node, index, &leaf_hash, &receipt);
    answer.receipt = &receipt;
    if (self->denied) {
        answer.source = plan_wire_requirement(self->requirement, &self->plan->memory);
    } else {
        permit_said(self->node, permits_find(self->node->permits, self->code), &receipt, &said);
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

/* The case is signed in the clear, and the person is to be told apart from others only. */
static fault check_person(const Chaski__PermitAsk *ask)
{
    char person[PSEUDONYM_TEXT_ROOM];
    const char *words[] = {ask->case_ref, ask->plan->procedure, ask->plan->requirement};
    fault f = pseudonym_normalise(span_of_text(ask->person), person);
    if (!failed(f) && strcmp(person, ask->person) != 0)
        f = RAISE(SUBJECT_BAD, "a document that is not in its one form");
    for (size_t i = 0; !failed(f) && i < sizeof words / sizeof words[0]; i++)
        if (pseudonym_is_told_by(words[i], person))
            f = RAISE(SUBJECT_BAD, "case, procedure or requirement hold the number itself, and are "
                                   "signed in the clear: name a case");
    seal_wipe(person, sizeof person);
    return f;
}

static fault check_case(const struct asking *self, const Chaski__PermitAsk *ask)
{
    bool personal = permit_reason_is_personal(self->wanted);
    if ((personal || self->wanted == PERMIT_CITIZEN_PREFERS) && self->case_ref[0] == '\0')
        return RAISE(BAD_QUESTION, "%s is about one case: case is missing",
                     permit_reason_word(self->wanted));
    if (ask->person[0] != '\0')
        return check_person(ask);
    return personal ? RAISE(BAD_QUESTION, "%s is about one person in one case: subject is missing",
                            permit_reason_word(self->wanted))
                    : DONE;
}

static fault read_permit_ask(struct asking *self, const Chaski__PermitAsk *ask)
{
    struct node *node = self->node;
    TRY(node_begun(node));
    TRY(node_ready(node));
    TRY(read_client(node, ask->client));
    text_format(self->client, sizeof self->client, "%s", ask->client);
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
    TRY(check_runs(node, self->plan, self->client));
    TRY(check_case(self, ask));
    TRY(permits_room(node->permits, clock_wall_ms()));
    self->directory = directory_hold(node->directory);
    self->requirement = &self->plan->requirement[0];
    note_elsewhere(self, ask->plan);
    return DONE;
}

static void decide(struct asking *self)
{
    struct permit_verdict verdict;
    struct permit_question question = {.requirement = self->requirement,
                                       .wanted = self->wanted,
                                       .case_ref = self->case_ref,
                                       .subject = self->has_subject ? sha256_span(&self->subject)
                                                                    : span_of("", 0),
                                       .outages = self->node->outages,
                                       .log_epoch = self->node->log_epoch,
                                       .now_ms = clock_wall_ms()};
    permit_decide(&question, &verdict);
    take_verdict(self, &verdict);
    record(&self);
}

static void pseudonym_made(void *owner, fault f, struct span result)
{
    struct asking *self = owner;
    if (!failed(f) && result.size != PSEUDONYM_BYTES)
        f = RAISE(INTERNAL, "a pseudonym of %zu bytes", result.size);
    if (failed(f)) {
        answer_problem(self, f);
        asking_free(&self);
        return;
    }
    memcpy(self->subject.at, result.at, PSEUDONYM_BYTES);
    self->has_subject = true;
    decide(self);
}

/* Takes the question over; whom it is about is wiped as soon as it is a pseudonym. */
static void begin(struct asking **owner, const char *person)
{
    struct asking *self = TAKE(*owner);
    unsigned year = 0;
    if (person[0] == '\0') {
        decide(self);
        return;
    }
    fault f = subject_keys_year(self->node->subject_keys, clock_wall_ms(), &year);
    if (failed(f)) {
        answer_problem(self, f);
        asking_free(&self);
        return;
    }
    keys_line_pseudonym(self->node->keys, year, person, pseudonym_made, self);
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
    if (failed(f))
        answer_problem(self, f);
    else
        begin(&self, ask->person);
    seal_wipe(ask->person, strlen(ask->person));
}
