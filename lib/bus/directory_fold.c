// SPDX-License-Identifier: MIT
/* The fold: one act after the other becomes the state. */
#include "lib/bus/directory_acts.h"

#include "lib/bus/act_approval.h"
#include "lib/bus/bus_id.h"

#include "directory.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>

#define CONTEXT "chaski directory act v1"
#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

struct directory *directory_new(struct trust *trust)
{
    struct directory *self = owned_new(sizeof *self);
    self->holders = 1;
    self->trust = trust;
    self->shelf = certificate_shelf_new(DIRECTORY_UNFOLDED_MAX);
    return self;
}

fault act_open(struct directory *self, const char *instance)
{
    if (self->instance != NULL)
        return BAD("the directory is opened twice");
    struct bus_id id;
    if (failed(bus_id_parse(span_of_text(instance), 1, 1, &id)) ||
        failed(bus_id_check_strict(&id)) || strcmp(id.part[0], instance) != 0)
        return BAD("%.100s is no name of an instance: %s", instance, fault_detail());
    self->instance = directory_keep_text(self, instance);
    return DONE;
}

fault act_member_apply(struct directory *self, const Chaski__MemberSet *act)
{
    TRY(act_id(self, act->id, ID_MEMBER));
    TRY(act_word("the member's name", act->name));
    struct bus_id id;
    TRY(bus_id_parse(span_of_text(act->id), ID_MEMBER, ID_MEMBER, &id));
    if (strcmp(id.part[1], DIRECTORY_AUTHORITY_CLASS) == 0)
        return BAD("%s: the class %s is the authority's own", act->id, DIRECTORY_AUTHORITY_CLASS);
    struct directory_member *member = directory_find(&self->members, act->id);
    if (member == NULL) {
        member = directory_make(self, sizeof *member);
        member->id = directory_keep_text(self, act->id);
        map_set(&self->members, span_of_text(member->id), member);
    }
    member->name = directory_keep_text(self, act->name);
    member->public_agency = act->public_agency;
    return DONE;
}

static fault apply_published(struct directory *self, const Chaski__Published *act)
{
    TRY(act_time("the directory's end", act->valid_until_ms));
    if ((int64_t)act->valid_until_ms <= self->last_ms)
        return BAD("published with a validity that is over");
    if (act->snapshot_sha256.len != 0 && act->snapshot_sha256.len != SHA256_BYTES)
        return BAD("the digest of a snapshot with %zu bytes", act->snapshot_sha256.len);
    self->valid_until_ms = (int64_t)act->valid_until_ms;
    self->published = true;
    return DONE;
}

static fault dispatch(struct directory *self, const Chaski__Act *act)
{
    int64_t at_ms = (int64_t)act->time_ms;
    self->published = false;
    switch (act->act_case) {
    case CHASKI__ACT__ACT_OPENED:
        return act_open(self, act->opened->instance);
    case CHASKI__ACT__ACT_MEMBER_SET:
        return act_member_apply(self, act->member_set);
    case CHASKI__ACT__ACT_SERVER_SET:
        return act_server_apply(self, act->server_set, at_ms);
    case CHASKI__ACT__ACT_SUBSYSTEM_SET:
        return act_subsystem_apply(self, act->subsystem_set);
    case CHASKI__ACT__ACT_SERVICE_SET:
        return act_service_apply(self, act->service_set);
    case CHASKI__ACT__ACT_CERTIFICATE_REVOKED:
        return act_revocation_apply(self, act->certificate_revoked, at_ms);
    case CHASKI__ACT__ACT_PURPOSE_SET:
        return act_purpose_apply(self, act->purpose_set);
    case CHASKI__ACT__ACT_GRANT_SET:
        return act_grant_apply(self, act->grant_set);
    case CHASKI__ACT__ACT_GROUP_SET:
        return act_group_apply(self, act->group_set);
    case CHASKI__ACT__ACT_LEGAL_BASIS_SET:
        return act_legal_basis_apply(self, act->legal_basis_set);
    case CHASKI__ACT__ACT_COMPETENCE_SET:
        return act_competence_apply(self, act->competence_set);
    case CHASKI__ACT__ACT_RESTRICTION_SET:
        return act_restriction_apply(self, act->restriction_set);
    case CHASKI__ACT__ACT_CALENDAR_SET:
        return act_calendar_apply(self, act->calendar_set);
    case CHASKI__ACT__ACT_ACCESS_REQUESTED:
        return act_request_apply(self, act->access_requested);
    case CHASKI__ACT__ACT_ACCESS_OBJECTED:
        return act_objection_apply(self, act->access_objected);
    case CHASKI__ACT__ACT_ACCESS_DECIDED:
        return act_decision_apply(self, act->access_decided);
    case CHASKI__ACT__ACT_BREAK_GLASS_SET:
        return act_break_glass_apply(self, act);
    case CHASKI__ACT__ACT_BREAK_GLASS_REVIEWED:
        return act_break_glass_review(self, act);
    case CHASKI__ACT__ACT_SUBJECT_KEY_SET:
        return act_subject_key_apply(self, act->subject_key_set);
    case CHASKI__ACT__ACT_SUBJECT_KEY_DESTROYED:
        return act_subject_key_destroy(self, act->subject_key_destroyed);
    case CHASKI__ACT__ACT_SEALING_SET:
        return act_sealing_apply(self, act->sealing_set);
    case CHASKI__ACT__ACT_PROCEDURE_SET:
        return act_procedure_apply(self, act->procedure_set);
    case CHASKI__ACT__ACT_REQUIREMENT_SET:
        return act_requirement_apply(self, act->requirement_set);
    case CHASKI__ACT__ACT_EVIDENCE_TYPE_SET:
        return act_evidence_type_apply(self, act->evidence_type_set);
    case CHASKI__ACT__ACT_SATISFACTION_SET:
        return act_satisfaction_apply(self, act->satisfaction_set);
    case CHASKI__ACT__ACT_SOURCE_SET:
        return act_source_apply(self, act->source_set);
    case CHASKI__ACT__ACT_REMOVED:
        return act_removal_apply(self, act->removed, at_ms);
    case CHASKI__ACT__ACT_PUBLISHED:
        return apply_published(self, act->published);
    case CHASKI__ACT__ACT_WITNESSES_SET:
        return act_witnesses_apply(self, act->witnesses_set);
    case CHASKI__ACT__ACT_STAMP_AUTHORITY_SET:
        return act_stamper_apply(self, act->stamp_authority_set);
    case CHASKI__ACT__ACT_CERTIFICATE_AUTHORITY_SET:
        return act_authority_apply(self, act->certificate_authority_set, at_ms);
    case CHASKI__ACT__ACT_OPERATOR_SET:
        return act_operator_apply(self, act->operator_set);
    case CHASKI__ACT__ACT_DIRECTORY_WITNESSES_SET:
        return act_directory_witnesses_apply(self, act->directory_witnesses_set);
    case CHASKI__ACT__ACT_AUTHORITY_KEYS_SET:
        return act_keys_apply(self, act->authority_keys_set, act->number);
    case CHASKI__ACT__ACT_ACTS_KEY_SET:
        return act_signer_apply(self, act->acts_key_set, act->number, at_ms, false);
    default:
        return BAD("an act of a kind that is not known here");
    }
}

static fault check_act(const struct directory *self, uint64_t number, const Chaski__Act *act)
{
    if (strcmp(act->context, CONTEXT) != 0)
        return BAD("entry %" PRIu64 " is not an act of a directory", number);
    if (act->number != number)
        return BAD("entry %" PRIu64 " calls itself %" PRIu64, number, act->number);
    TRY(act_time("an act's time", act->time_ms));
    if ((int64_t)act->time_ms < self->last_ms)
        return BAD("entry %" PRIu64 " is dated before the one before it", number);
    if ((number == 0) != (act->act_case == CHASKI__ACT__ACT_OPENED))
        return BAD("entry %" PRIu64 ": the first act, and no other, opens the directory", number);
    return DONE;
}

/* Only the one encoding that our own encoder makes: no unknown field that another reader might
 * understand, no text with a NUL inside that another reader would read on from. */
static bool is_canonical(const Chaski__Act *act, struct span bytes)
{
    bool whole = act->act_case != CHASKI__ACT__ACT__NOT_SET;
    /* every kind of act begins with its base, so any member of the union will do */
    if (act->base.n_unknown_fields > 0 || (whole && act->opened->base.n_unknown_fields > 0) ||
        chaski__act__get_packed_size(act) != bytes.size)
        return false;
    uint8_t *again = owned_array(bytes.size, 1);
    chaski__act__pack(act, again);
    bool same = bytes.size == 0 || memcmp(again, bytes.at, bytes.size) == 0;
    free(again);
    return same;
}

fault directory_apply(struct directory *self, uint64_t number, struct span bytes)
{
    Chaski__Act *act = chaski__act__unpack(NULL, bytes.size, bytes.at);
    if (act == NULL)
        return BAD("entry %" PRIu64 " holds no act", number);
    fault f = is_canonical(act, bytes) ? check_act(self, number, act)
                                       : BAD("entry %" PRIu64 " is not in the one form", number);
    if (!failed(f)) {
        self->prior_ms = self->last_ms;
        self->last_ms = (int64_t)act->time_ms;
        f = act->act_case == CHASKI__ACT__ACT_OPENED ? DONE : act_approval_apply(self, act);
    }
    if (!failed(f))
        f = dispatch(self, act);
    chaski__act__free_unpacked(act, NULL);
    return f;
}

bool directory_vouches(struct span bytes, const struct sha256 *snapshot_sha256)
{
    Chaski__Act *act = chaski__act__unpack(NULL, bytes.size, bytes.at);
    bool vouches = act != NULL && act->act_case == CHASKI__ACT__ACT_PUBLISHED &&
                   span_equal(span_of(act->published->snapshot_sha256.data,
                                      act->published->snapshot_sha256.len),
                              sha256_span(snapshot_sha256));
    if (act != NULL)
        chaski__act__free_unpacked(act, NULL);
    return vouches;
}
