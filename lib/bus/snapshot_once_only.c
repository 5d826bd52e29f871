// SPDX-License-Identifier: MIT
#include "lib/bus/snapshot_once_only.h"

#include "lib/bus/directory_acts.h"
#include "lib/bus/once_only_history.h"

#include "directory.pb-c.h"

// --- things as the acts that would set them -----------------------------------------------------

static Chaski__RequirementSet *of_requirement(struct making *making,
                                              const struct directory_requirement *from)
{
    Chaski__RequirementSet *to = making_get(making, 1, sizeof *to);
    chaski__requirement_set__init(to);
    to->id = making_lend(from->id);
    to->name = making_lend(from->name);
    to->fact = making_lend(from->fact);
    return to;
}

static Chaski__EvidenceTypeSet *of_evidence_type(struct making *making,
                                                 const struct directory_evidence_type *from)
{
    Chaski__EvidenceTypeSet *to = making_get(making, 1, sizeof *to);
    chaski__evidence_type_set__init(to);
    to->id = making_lend(from->id);
    to->title = making_lend(from->title);
    to->n_version = from->versions;
    to->version = making_lend_list(making, from->version, from->versions);
    to->sensitivity = (Chaski__Sensitivity)from->sensitivity;
    to->days_max = from->days_max;
    return to;
}

static Chaski__ProcedureSet *of_procedure(struct making *making,
                                          const struct directory_procedure *from)
{
    Chaski__ProcedureSet *to = making_get(making, 1, sizeof *to);
    Chaski__ProcedureRequirement *need = making_get(making, from->needs, sizeof *need);
    chaski__procedure_set__init(to);
    to->id = making_lend(from->id);
    to->number = making_lend(from->number);
    to->title = making_lend(from->title);
    to->owner = making_lend(from->owner);
    to->n_territory = from->territories;
    to->territory = making_lend_list(making, from->territory, from->territories);
    to->n_legal_basis_id = from->legal_bases;
    to->legal_basis_id = making_lend_list(making, from->legal_basis_id, from->legal_bases);
    to->subject = (Chaski__SubjectKind)from->subject;
    to->purpose = making_lend(from->purpose);
    to->since_ms = (uint64_t)from->since_ms;
    to->requirement = making_get(making, from->needs, sizeof *to->requirement);
    for (; to->n_requirement < from->needs; to->n_requirement++) {
        size_t i = to->n_requirement;
        chaski__procedure_requirement__init(&need[i]);
        need[i].requirement = making_lend(from->need[i].requirement->id);
        need[i].ask_citizen = from->need[i].ask_citizen;
        to->requirement[i] = &need[i];
    }
    return to;
}

static Chaski__EvidenceList *of_list(struct making *making, const struct evidence_list *from)
{
    Chaski__EvidenceList *to = making_get(making, 1, sizeof *to);
    chaski__evidence_list__init(to);
    to->evidence_type = making_get(making, from->types, sizeof *to->evidence_type);
    for (; to->n_evidence_type < from->types; to->n_evidence_type++)
        to->evidence_type[to->n_evidence_type] = making_lend(from->type[to->n_evidence_type]->id);
    return to;
}

static Chaski__SatisfactionSet *of_satisfaction(struct making *making,
                                                const struct directory_satisfaction *from)
{
    Chaski__SatisfactionSet *to = making_get(making, 1, sizeof *to);
    chaski__satisfaction_set__init(to);
    to->id = making_lend(from->id);
    to->requirement = making_lend(from->requirement->id);
    to->territory = making_lend(from->territory);
    to->list = making_get(making, from->lists, sizeof *to->list);
    for (; to->n_list < from->lists; to->n_list++)
        to->list[to->n_list] = of_list(making, &from->list[to->n_list]);
    return to;
}

static Chaski__SourceSet *of_source(struct making *making, const struct directory_source *from)
{
    Chaski__SourceSet *to = making_get(making, 1, sizeof *to);
    Chaski__SourceSelector *selector = making_get(making, from->selectors, sizeof *selector);
    chaski__source_set__init(to);
    to->id = making_lend(from->id);
    to->evidence_type = making_lend(from->type->id);
    to->territory = making_lend(from->territory);
    to->service = making_lend(from->service);
    to->path = making_lend(from->path);
    to->n_version = from->versions;
    to->version = making_lend_list(making, from->version, from->versions);
    to->basis = making_lend(from->basis);
    to->reason = making_lend(from->reason);
    to->until_ms = (uint64_t)from->until_ms;
    to->since_ms = (uint64_t)from->since_ms;
    to->selector = making_get(making, from->selectors, sizeof *to->selector);
    for (; to->n_selector < from->selectors; to->n_selector++) {
        size_t i = to->n_selector;
        chaski__source_selector__init(&selector[i]);
        selector[i].name = making_lend(from->selector[i].name);
        selector[i].question = making_lend(from->selector[i].question);
        selector[i].code_list = making_lend(from->selector[i].code_list);
        to->selector[i] = &selector[i];
    }
    return to;
}

static Chaski__SnapshotAsked *of_asked(struct making *making, const struct directory_asked *from)
{
    Chaski__SnapshotAsked *to = making_get(making, 1, sizeof *to);
    chaski__snapshot_asked__init(to);
    to->procedure = making_lend(from->procedure);
    to->requirement = making_lend(from->requirement);
    to->asked_ms = (uint64_t)from->asked_ms;
    to->stopped_ms = (uint64_t)from->stopped_ms;
    return to;
}

static Chaski__SnapshotHeld *of_held(struct making *making, const struct directory_held *from)
{
    Chaski__SnapshotHeld *to = making_get(making, 1, sizeof *to);
    chaski__snapshot_held__init(to);
    to->evidence_type = making_lend(from->evidence_type);
    to->territory = making_lend(from->territory);
    to->source = making_lend(from->source);
    to->service = making_lend(from->service);
    to->first_ms = (uint64_t)from->first_ms;
    to->taken_ms = (uint64_t)from->taken_ms;
    return to;
}

// --- all of them --------------------------------------------------------------------------------

/* All of one map, in order, into the list `field` of the snapshot. */
#define ALL(all, field)                                                             \
    do {                                                                            \
        const struct map *map_ = &self->once_only.all;                              \
        const void **list_ = making_in_order(making, map_);                         \
        out->field = making_get(making, map_->count, sizeof *out->field);           \
        for (; out->n_##field < map_->count; out->n_##field++)                      \
            out->field[out->n_##field] = of_##field(making, list_[out->n_##field]); \
    } while (0)

void snapshot_once_only_fill(const struct directory *self, struct making *making,
                             Chaski__Snapshot *out)
{
    ALL(requirements, requirement);
    ALL(evidence_types, evidence_type);
    ALL(procedures, procedure);
    ALL(satisfactions, satisfaction);
    ALL(sources, source);
    ALL(asked, asked);
    ALL(held, held);
}

static fault take_asked(struct directory *self, const Chaski__SnapshotAsked *from)
{
    TRY(act_time("since when it is asked for", from->asked_ms));
    return once_only_asked_was(self,
                               &(struct directory_asked){.procedure = from->procedure,
                                                         .requirement = from->requirement,
                                                         .asked_ms = (int64_t)from->asked_ms,
                                                         .stopped_ms = (int64_t)from->stopped_ms});
}

static fault take_held(struct directory *self, const Chaski__SnapshotHeld *from)
{
    TRY(act_time("since when it is delivered", from->first_ms));
    return once_only_held_was(self, &(struct directory_held){.evidence_type = from->evidence_type,
                                                             .territory = from->territory,
                                                             .source = from->source,
                                                             .service = from->service,
                                                             .first_ms = (int64_t)from->first_ms,
                                                             .taken_ms = (int64_t)from->taken_ms});
}

static fault take_all(struct directory *self, const Chaski__Snapshot *from)
{
    for (size_t i = 0; i < from->n_requirement; i++)
        TRY(act_requirement_apply(self, from->requirement[i]));
    for (size_t i = 0; i < from->n_evidence_type; i++)
        TRY(act_evidence_type_apply(self, from->evidence_type[i]));
    for (size_t i = 0; i < from->n_procedure; i++)
        TRY(act_procedure_apply(self, from->procedure[i]));
    for (size_t i = 0; i < from->n_satisfaction; i++)
        TRY(act_satisfaction_apply(self, from->satisfaction[i]));
    for (size_t i = 0; i < from->n_source; i++)
        TRY(act_source_apply(self, from->source[i]));
    for (size_t i = 0; i < from->n_asked; i++)
        TRY(take_asked(self, from->asked[i]));
    for (size_t i = 0; i < from->n_held; i++)
        TRY(take_held(self, from->held[i]));
    return DONE;
}

/* As it was: debts are none that are made now, and nothing begins at this moment. */
fault snapshot_once_only_take(struct directory *self, const Chaski__Snapshot *from)
{
    self->restored = true;
    fault f = take_all(self, from);
    self->restored = false;
    return f;
}
