// SPDX-License-Identifier: MIT
#include "lib/bus/act_approval.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/access.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/directory_acts.h"
#include "lib/bus/once_only.h"

#include "directory.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>

#define CONTEXT "chaski act approval v1"
#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

static const struct act_need nobody = {0};

static struct act_need of_operators(unsigned count, enum directory_role role)
{
    return (struct act_need){.operators = count, .role = role};
}

/* The member that this identifier begins with, or one person. */
static struct act_need of_member(const struct directory *self, const char *id,
                                 enum directory_role role)
{
    struct span member = bus_id_prefix(span_of_text(id), ID_MEMBER);
    return (struct act_need){
        .operators = 1, .role = role, .member = directory_member(self, member)};
}

// --- what a change of a server means ------------------------------------------------------------

static bool has_certificate(const struct directory_server *server, ProtobufCBinaryData der)
{
    for (size_t i = 0; i < server->signers; i++)
        if (span_equal(certificate_der(server->signer[i]->certificate), span_of(der.data, der.len)))
            return true;
    return false;
}

static bool is_same_key(const struct note_key *key, bool is_there, const char *vkey)
{
    char text[400] = "";
    if (is_there)
        note_key_text(key, text, sizeof text);
    return strcmp(text, vkey) == 0;
}

/* One that was never revoked: who stole a key must not give itself the next. */
static bool has_sound_signer(const struct directory_server *server)
{
    for (size_t i = 0; i < server->signers; i++)
        if (server->signer[i]->trusted && server->signer[i]->revoked_since_ms == 0)
            return true;
    return false;
}

static struct act_need of_server(const struct directory *self, const Chaski__ServerSet *act)
{
    const struct directory_server *server = directory_server(self, span_of_text(act->id));
    if (server == NULL ||
        !is_same_key(&server->witness_key, server->is_witness, act->witness_vkey) ||
        !is_same_key(&server->log_key, true, act->log_vkey))
        return of_operators(2, ROLE_APPROVE);
    struct act_need need = of_member(self, act->id, ROLE_ENROL);
    for (size_t i = 0; i < act->n_certificate; i++)
        if (!has_certificate(server, act->certificate[i])) {
            need.operators = 2;
            need.role = ROLE_APPROVE;
            if (!has_sound_signer(server))
                need.member = NULL;
        }
    return need;
}

// --- what each act needs ------------------------------------------------------------------------

static struct act_need of_member_set(const struct directory *self, const Chaski__MemberSet *act)
{
    const struct directory_member *member = directory_member(self, span_of_text(act->id));
    return member != NULL && member->public_agency == (bool)act->public_agency
               ? of_operators(1, ROLE_ENROL)
               : of_operators(2, ROLE_APPROVE);
}

/* The member decides about its own service. What stands for another member's service already, under
 * the same id, it does not turn away from there: that is for operators. */
static struct act_need of_owner(const struct directory *self, const char *before,
                                const char *service, enum directory_role role)
{
    struct act_need need = of_member(self, service, role);
    if (before != NULL && !span_equal(bus_id_prefix(span_of_text(before), ID_MEMBER),
                                      bus_id_prefix(span_of_text(service), ID_MEMBER)))
        need.member = NULL;
    return need;
}

static struct act_need of_source(const struct directory *self, const Chaski__SourceSet *act)
{
    const struct directory_source *before = directory_source(self, span_of_text(act->id));
    return of_owner(self, before == NULL ? NULL : before->service, act->service, ROLE_PUBLISH);
}

static struct act_need of_grant(const struct directory *self, const Chaski__GrantSet *act)
{
    const struct directory_grant *before = directory_grant(self, span_of_text(act->id));
    return of_owner(self, before == NULL ? NULL : before->service, act->service, ROLE_APPROVE);
}

/* What proves itself needs nobody: the fold takes no proof that does not hold. */
static struct act_need of_revocation(const struct directory *self,
                                     const Chaski__CertificateRevoked *act)
{
    if (act->proof_case != CHASKI__CERTIFICATE_REVOKED__PROOF__NOT_SET)
        return nobody;
    struct act_need need = of_operators(1, ROLE_REVOKE);
    const struct directory_signer *signer =
        act_server_signer(self, span_of(act->certificate_sha256.data, act->certificate_sha256.len));
    if (signer != NULL)
        need.member = signer->server->member;
    return need;
}

/* Whose service, or whose subsystem, the request is about; "" when it is not there. */
static const char *request_service(const struct directory *self, const char *id)
{
    const struct directory_request *at = directory_request(self, span_of_text(id));
    return at == NULL ? "" : at->service;
}

static const char *request_consumer(const struct directory *self, const char *id)
{
    const struct directory_request *at = directory_request(self, span_of_text(id));
    return at == NULL ? "" : at->consumer;
}

static struct act_need of_removal(const struct directory *self, const Chaski__Removed *act)
{
    const struct directory_grant *grant = NULL;
    const struct directory_restriction *restriction = NULL;
    const struct directory_source *source = NULL;
    switch (act->what_case) {
    case CHASKI__REMOVED__WHAT_SERVER:
        return of_member(self, act->server, ROLE_REVOKE);
    case CHASKI__REMOVED__WHAT_SUBSYSTEM:
        return of_member(self, act->subsystem, ROLE_ENROL);
    case CHASKI__REMOVED__WHAT_SERVICE:
        return of_member(self, act->service, ROLE_ENROL);
    case CHASKI__REMOVED__WHAT_GRANT:
        grant = directory_grant(self, span_of_text(act->grant));
        return of_member(self, grant == NULL ? "" : grant->service, ROLE_APPROVE);
    case CHASKI__REMOVED__WHAT_RESTRICTION: /* to open is for the owner */
        restriction = directory_restriction(self, span_of_text(act->restriction));
        return of_member(self, restriction == NULL ? "" : restriction->service, ROLE_APPROVE);
    case CHASKI__REMOVED__WHAT_ACCESS_REQUEST: /* who asked may withdraw */
        return of_member(self, request_consumer(self, act->access_request), ROLE_APPROVE);
    case CHASKI__REMOVED__WHAT_BREAK_GLASS: /* to close is for one */
        return of_operators(1, ROLE_APPROVE);
    case CHASKI__REMOVED__WHAT_PURPOSE:
    case CHASKI__REMOVED__WHAT_GROUP:
    case CHASKI__REMOVED__WHAT_LEGAL_BASIS:
    case CHASKI__REMOVED__WHAT_COMPETENCE:
    case CHASKI__REMOVED__WHAT_PROCEDURE:
    case CHASKI__REMOVED__WHAT_REQUIREMENT:
    case CHASKI__REMOVED__WHAT_EVIDENCE_TYPE:
    case CHASKI__REMOVED__WHAT_SATISFACTION:
        return of_operators(1, ROLE_PUBLISH);
    case CHASKI__REMOVED__WHAT_SOURCE:
        source = directory_source(self, span_of_text(act->source));
        return of_member(self, source == NULL ? "" : source->service, ROLE_PUBLISH);
    default:
        return of_operators(2, ROLE_APPROVE);
    }
}

struct act_need act_approval_need(const struct directory *self, const Chaski__Act *act)
{
    switch (act->act_case) {
    case CHASKI__ACT__ACT_OPENED:
    case CHASKI__ACT__ACT_PUBLISHED:
        return nobody;
    case CHASKI__ACT__ACT_MEMBER_SET:
        return of_member_set(self, act->member_set);
    case CHASKI__ACT__ACT_SERVER_SET:
        return of_server(self, act->server_set);
    case CHASKI__ACT__ACT_SUBSYSTEM_SET:
        return of_member(self, act->subsystem_set->id, ROLE_ENROL);
    case CHASKI__ACT__ACT_SERVICE_SET:
        return of_member(self, act->service_set->id, ROLE_ENROL);
    case CHASKI__ACT__ACT_RESTRICTION_SET: /* no matter of the owner alone */
        return of_operators(1, ROLE_APPROVE);
    case CHASKI__ACT__ACT_GRANT_SET:
        return of_grant(self, act->grant_set);
    case CHASKI__ACT__ACT_ACCESS_REQUESTED:
        return of_member(self, act->access_requested->consumer, ROLE_ENROL);
    case CHASKI__ACT__ACT_ACCESS_OBJECTED:
        return of_member(self, request_service(self, act->access_objected->request), ROLE_APPROVE);
    case CHASKI__ACT__ACT_BREAK_GLASS_REVIEWED:
        return of_operators(1, ROLE_APPROVE);
    case CHASKI__ACT__ACT_CERTIFICATE_REVOKED:
        return of_revocation(self, act->certificate_revoked);
    case CHASKI__ACT__ACT_PURPOSE_SET:
    case CHASKI__ACT__ACT_GROUP_SET:
    case CHASKI__ACT__ACT_LEGAL_BASIS_SET:
    case CHASKI__ACT__ACT_COMPETENCE_SET:
    case CHASKI__ACT__ACT_WITNESSES_SET:
    case CHASKI__ACT__ACT_PROCEDURE_SET:
    case CHASKI__ACT__ACT_REQUIREMENT_SET:
    case CHASKI__ACT__ACT_EVIDENCE_TYPE_SET:
    case CHASKI__ACT__ACT_SATISFACTION_SET:
        return of_operators(1, ROLE_PUBLISH);
    case CHASKI__ACT__ACT_SOURCE_SET:
        return of_source(self, act->source_set);
    case CHASKI__ACT__ACT_REMOVED:
        return of_removal(self, act->removed);
    default: /* what concerns everybody's trust, the arbiter's word, an emergency, and what comes to
                be known later */
        return of_operators(2, ROLE_APPROVE);
    }
}

void act_approval_words(const struct act_need *need, char *out, size_t room)
{
    char member[ID_TEXT_BYTES_MAX + 40] = "";
    if (need->member != NULL)
        text_format(member, sizeof member, ", or a server of %s", need->member->id);
    if (need->operators == 0)
        text_format(out, room, "nobody's approval");
    else
        text_format(out, room, "%s with the role %s%s",
                    need->operators == 1 ? "an operator" : "two operators",
                    directory_role_word(need->role), member);
}

// --- what was approved --------------------------------------------------------------------------

struct sha256 act_approval_digest(const Chaski__Act *act, const char *instance)
{
    static const uint8_t zero[1] = {0};
    Chaski__Act draft = *act;
    draft.number = draft.time_ms = 0;
    draft.n_approval = 0;
    draft.approval = NULL;
    size_t size = chaski__act__get_packed_size(&draft);
    uint8_t *packed = owned_array(size + 1, 1);
    chaski__act__pack(&draft, packed);
    struct sha256 digest =
        SHA256_OF(span_of_text(CONTEXT), span_of(zero, 1), span_of_text(instance), span_of(zero, 1),
                  span_of(packed, size));
    free(packed);
    return digest;
}

static fault check_intent(const Chaski__Intent *intent, int64_t at_ms)
{
    if (intent == NULL || intent->base.n_unknown_fields > 0 || intent->nonce.len != ACT_NONCE_BYTES)
        return BAD("an approved act without an intent of %d bytes", ACT_NONCE_BYTES);
    TRY(act_time("a proposal's time", intent->proposed_ms));
    int64_t proposed_ms = (int64_t)intent->proposed_ms;
    if (proposed_ms <= at_ms + DIRECTORY_INTENT_AHEAD_MS &&
        at_ms - proposed_ms <= DIRECTORY_INTENT_MS_MAX)
        return DONE;
    char proposed[32], at[32];
    clock_text(proposed_ms, proposed, sizeof proposed);
    clock_text(at_ms, at, sizeof at);
    if (proposed_ms > at_ms)
        return BAD("an act that was proposed at %s by the clock of its machine and is dated %s: "
                   "one of the two clocks is wrong",
                   proposed, at);
    return BAD("an act that was proposed at %s, more than 30 days before %s", proposed, at);
}

/* Forgotten once they are too old to be taken again: they could not come back. */
static void forget_old(struct directory *self)
{
    struct map young = {0};
    size_t step = 0;
    struct span nonce;
    for (int64_t *at_ms; (at_ms = map_next(&self->intents, &step, &nonce)) != NULL;)
        if (self->last_ms - *at_ms <= DIRECTORY_INTENT_MS_MAX + DIRECTORY_INTENT_AHEAD_MS)
            map_set(&young, nonce, at_ms);
    map_clear(&self->intents);
    self->intents = young;
}

static fault take_nonce(struct directory *self, ProtobufCBinaryData nonce)
{
    int64_t *at_ms = directory_make(self, sizeof *at_ms);
    *at_ms = self->last_ms;
    if (map_set(&self->intents, span_of(nonce.data, nonce.len), at_ms) != NULL)
        return BAD("an approval that was used before");
    if (self->intents.count % DIRECTORY_INTENTS_LOOK == 0)
        forget_old(self);
    return DONE;
}

static fault check_operator(const struct directory *self, const Chaski__Approval *approval,
                            const struct sha256 *digest, const struct directory_operator **out)
{
    const struct directory_operator *person =
        directory_operator(self, span_of_text(approval->operator_));
    if (person == NULL)
        return BAD("approved by %.100s, who is no operator", approval->operator_);
    if (!self->known &&
        failed(p256_verify_digest(span_of(person->public_key, P256_POINT_BYTES), digest->at,
                                  span_of(approval->signature.data, approval->signature.len))))
        return BAD("the approval of %s is not signed by that operator: %s", person->id,
                   fault_detail());
    *out = person;
    return DONE;
}

static bool may_sign(const struct directory_signer *signer, int64_t at_ms)
{
    return signer->trusted && signer->revoked_since_ms == 0 &&
           certificate_not_before_ms(signer->certificate) <= at_ms &&
           at_ms < certificate_not_after_ms(signer->certificate);
}

static fault check_server(const struct directory *self, const Chaski__Approval *approval,
                          const struct sha256 *digest, const struct directory_member **out)
{
    const struct directory_server *server = directory_server(self, span_of_text(approval->server));
    struct span signature = span_of(approval->signature.data, approval->signature.len);
    if (server == NULL)
        return BAD("approved by the server %.200s, which is not registered", approval->server);
    *out = server->member;
    if (self->known)
        return DONE;
    for (size_t i = 0; i < server->signers; i++)
        if (may_sign(server->signer[i], self->last_ms) &&
            !failed(
                certificate_verify_digest(server->signer[i]->certificate, digest->at, signature)))
            return DONE;
    return BAD("the approval of %s is not signed by a key in force of that server", server->id);
}

struct count {
    size_t operators;
    const struct directory_operator *person[DIRECTORY_APPROVALS_MAX];
    const struct directory_member *member; /* who approved itself, or NULL */
};

static fault count_one(const struct directory *self, const Chaski__Approval *approval,
                       const struct sha256 *digest, struct count *count)
{
    const struct directory_operator *person = NULL;
    if (approval->base.n_unknown_fields > 0)
        return BAD("an approval with fields that are not known here");
    if (approval->who_case == CHASKI__APPROVAL__WHO_SERVER) {
        if (count->member != NULL)
            return BAD("two members approve one act");
        return check_server(self, approval, digest, &count->member);
    }
    if (approval->who_case != CHASKI__APPROVAL__WHO_OPERATOR)
        return BAD("an approval of nobody");
    TRY(check_operator(self, approval, digest, &person));
    for (size_t i = 0; i < count->operators; i++)
        if (count->person[i] == person)
            return BAD("%s approves twice", person->id);
    count->person[count->operators++] = person;
    return DONE;
}

static fault count_approvals(const struct directory *self, const Chaski__Act *act,
                             struct count *count)
{
    if (act->n_approval > DIRECTORY_APPROVALS_MAX)
        return BAD("an act with %zu approvals", act->n_approval);
    struct sha256 digest = act_approval_digest(act, self->instance);
    for (size_t i = 0; i < act->n_approval; i++)
        TRY(count_one(self, act->approval[i], &digest, count));
    return DONE;
}

static bool suffices(const struct act_need *need, const struct count *count)
{
    unsigned fit = 0;
    for (size_t i = 0; i < count->operators; i++)
        fit += (count->person[i]->roles >> need->role & 1) != 0;
    return fit >= need->operators || (need->member != NULL && need->member == count->member);
}

fault act_approval_check(const struct directory *self, const Chaski__Act *act, int64_t now_ms,
                         bool *enough)
{
    struct directory later = *self; /* only looked at; its time is that of the act */
    struct count count = {0};
    struct act_need need = act_approval_need(self, act);
    later.last_ms = now_ms > self->last_ms ? now_ms : self->last_ms;
    later.known = false;
    TRY(check_intent(act->intent, later.last_ms));
    if (map_get(&self->intents, span_of(act->intent->nonce.data, act->intent->nonce.len)) != NULL)
        return BAD("an approval that was used before");
    TRY(count_approvals(&later, act, &count));
    *enough =
        need.operators == 0 || (act->n_approval > 0 && !self->governed) || suffices(&need, &count);
    return DONE;
}

fault act_approval_apply(struct directory *self, const Chaski__Act *act)
{
    struct count count = {0};
    struct act_need need = act_approval_need(self, act);
    if ((act->n_approval > 0) != (act->intent != NULL))
        return BAD("an act with an intent and no approval, or the other way round");
    if (act->n_approval > 0) {
        TRY(check_intent(act->intent, self->last_ms));
        TRY(count_approvals(self, act, &count));
        TRY(take_nonce(self, act->intent->nonce));
    }
    if (!self->governed || need.operators == 0 || suffices(&need, &count))
        return DONE;
    char words[ACT_APPROVAL_WORDS_ROOM];
    act_approval_words(&need, words, sizeof words);
    return BAD("it needs %s", words);
}
