// SPDX-License-Identifier: MIT
/* Procedures, requirements, sorts of evidence, what satisfies what, and who delivers it. */
#include "lib/bus/consumer.h"
#include "lib/bus/directory_acts.h"
#include "lib/bus/once_only_debt.h"
#include "lib/bus/once_only_history.h"
#include "lib/bus/source_query.h"

#include "directory.pb-c.h"

#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

static const struct span nothing = {(const uint8_t *)"", 0};

static fault check_texts(const char *what, char *const *text, size_t count, size_t most,
                         const char *id)
{
    if (count > most)
        return BAD("%s with more than %zu of %s", id, most, what);
    for (size_t i = 0; i < count; i++) {
        TRY(act_code(what, text[i]));
        for (size_t k = 0; k < i; k++)
            if (strcmp(text[i], text[k]) == 0)
                return BAD("%s names %.100s twice", id, text[i]);
    }
    return DONE;
}

static fault check_territory(const struct directory *self, const char *id, const char *territory)
{
    return territory_fits(self, territory)
               ? DONE
               : BAD("%s is about %.20s: a territory is the country, two digits or five", id,
                     territory);
}

/* Nothing has been so since tomorrow; clocks of those who propose may be ahead. */
static fault check_since(const struct directory *self, const char *what, const char *id,
                         uint64_t since_ms)
{
    if (since_ms == 0 || self->restored)
        return DONE;
    TRY(act_time("since", since_ms));
    return (int64_t)since_ms <= self->last_ms + DIRECTORY_INTENT_AHEAD_MS
               ? DONE
               : BAD("%s %.100s is said to stand so since a time that has not come", what, id);
}

/* What is set for a narrower territory is found from the wider ones around it. */
static void put_place(const struct directory *self, struct rights *places, struct rights *below,
                      const char *of, const char *territory, struct right right)
{
    char around[3][TERRITORY_BYTES_MAX + 1];
    size_t count = territory_around(self, territory, around);
    rights_put(places, span_of_text(of), span_of_text(territory), right);
    for (size_t i = 1; i < count; i++)
        rights_put(below, span_of_text(of), span_of_text(around[i]), right);
}

static void take_place(const struct directory *self, struct rights *places, struct rights *below,
                       const char *of, const char *territory, const char *id)
{
    char around[3][TERRITORY_BYTES_MAX + 1];
    size_t count = territory_around(self, territory, around);
    rights_take(places, span_of_text(of), span_of_text(territory), id);
    for (size_t i = 1; i < count; i++)
        rights_take(below, span_of_text(of), span_of_text(around[i]), id);
}

// --- requirements and sorts of evidence ---------------------------------------------------------

/* Others point to it: it stays where it is, and says the new facts. */
fault act_requirement_apply(struct directory *self, const Chaski__RequirementSet *act)
{
    struct map *all = &self->once_only.requirements;
    TRY(act_code("a requirement", act->id));
    TRY(act_word("the requirement's name", act->name));
    TRY(act_text("the fact that is proved", act->fact));
    struct directory_requirement *requirement = directory_find(all, act->id);
    if (requirement == NULL) {
        requirement = directory_make(self, sizeof *requirement);
        requirement->id = directory_keep_text(self, act->id);
        map_set(all, span_of_text(requirement->id), requirement);
    }
    requirement->name = directory_keep_text(self, act->name);
    requirement->fact = directory_keep_text(self, act->fact);
    return DONE;
}

fault act_evidence_type_apply(struct directory *self, const Chaski__EvidenceTypeSet *act)
{
    struct map *all = &self->once_only.evidence_types;
    TRY(act_code("a sort of evidence", act->id));
    TRY(act_word("the evidence's title", act->title));
    TRY(check_texts("versions", act->version, act->n_version, EVIDENCE_VERSIONS_MAX, act->id));
    if (sensitivity_word((enum sensitivity)act->sensitivity)[0] == '\0')
        return BAD("%s is neither public, classified nor reserved", act->id);
    if (act->days_max > EVIDENCE_DAYS_MAX)
        return BAD("%s is good for %u days; at most %d", act->id, act->days_max, EVIDENCE_DAYS_MAX);
    struct directory_evidence_type *type = directory_find(all, act->id);
    if (type == NULL) {
        type = directory_make(self, sizeof *type);
        type->id = directory_keep_text(self, act->id);
        map_set(all, span_of_text(type->id), type);
    }
    type->title = directory_keep_text(self, act->title);
    type->versions = act->n_version;
    type->version = directory_keep_texts(self, act->version, act->n_version);
    type->sensitivity = (enum sensitivity)act->sensitivity;
    type->days_max = act->days_max;
    return DONE;
}

// --- procedures ---------------------------------------------------------------------------------

static fault check_needs(const struct directory *self, const Chaski__ProcedureSet *act)
{
    if (act->n_requirement > PROCEDURE_REQUIREMENTS_MAX)
        return BAD("procedure %s with more than %d requirements", act->id,
                   PROCEDURE_REQUIREMENTS_MAX);
    for (size_t i = 0; i < act->n_requirement; i++) {
        const Chaski__ProcedureRequirement *need = act->requirement[i];
        if (need->base.n_unknown_fields > 0)
            return BAD("procedure %s says more of a requirement than is known here", act->id);
        if (directory_find(&self->once_only.requirements, need->requirement) == NULL)
            return BAD("procedure %s needs %.100s, which is not registered", act->id,
                       need->requirement);
        for (size_t k = 0; k < i; k++)
            if (strcmp(act->requirement[k]->requirement, need->requirement) == 0)
                return BAD("procedure %s needs %s twice", act->id, need->requirement);
    }
    return DONE;
}

static fault check_procedure(const struct directory *self, const Chaski__ProcedureSet *act)
{
    TRY(act_code("a procedure", act->id));
    TRY(act_text("the procedure's number", act->number));
    TRY(act_word("the procedure's title", act->title));
    TRY(consumer_check(self, "a procedure of", act->owner));
    TRY(check_since(self, "the procedure", act->id, act->since_ms));
    if (subject_kind_word((enum subject_kind)act->subject)[0] == '\0')
        return BAD("procedure %s is for nobody: anybody, person or firm", act->id);
    TRY(check_texts("territories", act->territory, act->n_territory, PROCEDURE_TERRITORIES_MAX,
                    act->id));
    for (size_t i = 0; i < act->n_territory; i++)
        TRY(check_territory(self, act->id, act->territory[i]));
    TRY(check_texts("legal bases", act->legal_basis_id, act->n_legal_basis_id,
                    DIRECTORY_LEGAL_BASES_MAX, act->id));
    for (size_t i = 0; i < act->n_legal_basis_id; i++)
        if (directory_find(&self->legal_bases, act->legal_basis_id[i]) == NULL)
            return BAD("procedure %s leans on the legal basis %.100s, which is not registered",
                       act->id, act->legal_basis_id[i]);
    if (act->purpose[0] != '\0' && directory_find(&self->purposes, act->purpose) == NULL)
        return BAD("procedure %s for the purpose %.100s, which is not registered", act->id,
                   act->purpose);
    return check_needs(self, act);
}

fault act_procedure_apply(struct directory *self, const Chaski__ProcedureSet *act)
{
    struct once_only *once = &self->once_only;
    TRY(check_procedure(self, act));
    struct directory_procedure *procedure = directory_make(self, sizeof *procedure);
    procedure->id = directory_keep_text(self, act->id);
    procedure->number = directory_keep_text(self, act->number);
    procedure->title = directory_keep_text(self, act->title);
    procedure->owner = directory_keep_text(self, act->owner);
    procedure->territories = act->n_territory;
    procedure->territory = directory_keep_texts(self, act->territory, act->n_territory);
    procedure->legal_bases = act->n_legal_basis_id;
    procedure->legal_basis_id =
        directory_keep_texts(self, act->legal_basis_id, act->n_legal_basis_id);
    procedure->subject = (enum subject_kind)act->subject;
    procedure->purpose = directory_keep_text(self, act->purpose);
    procedure->since_ms = (int64_t)act->since_ms;
    procedure->needs = act->n_requirement;
    procedure->need = directory_make(self, (act->n_requirement + 1) * sizeof *procedure->need);
    for (size_t i = 0; i < procedure->needs; i++)
        procedure->need[i] = (struct directory_need){
            directory_find(&once->requirements, act->requirement[i]->requirement),
            act->requirement[i]->ask_citizen};
    const struct directory_procedure *before = directory_find(&once->procedures, act->id);
    if (!self->restored)
        TRY(once_only_check_asking(self, procedure, before));
    map_set(&once->procedures, span_of_text(procedure->id), procedure);
    if (!self->restored)
        once_only_note_procedure(self, before, procedure);
    return DONE;
}

// --- what satisfies a requirement ---------------------------------------------------------------

static fault check_list(const struct directory *self, const Chaski__SatisfactionSet *act, size_t i)
{
    const Chaski__EvidenceList *list = act->list[i];
    if (list->base.n_unknown_fields > 0 || list->n_evidence_type == 0)
        return BAD("%s has an alternative of nothing: no alternative says that there is none",
                   act->id);
    TRY(check_texts("sorts of evidence", list->evidence_type, list->n_evidence_type,
                    SATISFACTION_TYPES_MAX, act->id));
    for (size_t k = 0; k < list->n_evidence_type; k++)
        if (directory_find(&self->once_only.evidence_types, list->evidence_type[k]) == NULL)
            return BAD("%s names the evidence %.100s, which is not registered", act->id,
                       list->evidence_type[k]);
    return DONE;
}

static fault check_satisfaction(const struct directory *self, const Chaski__SatisfactionSet *act)
{
    TRY(act_code("a satisfaction", act->id));
    TRY(check_territory(self, act->id, act->territory));
    if (directory_find(&self->once_only.requirements, act->requirement) == NULL)
        return BAD("%s is about the requirement %.100s, which is not registered", act->id,
                   act->requirement);
    if (act->n_list > SATISFACTION_LISTS_MAX)
        return BAD("%s with more than %d alternatives", act->id, SATISFACTION_LISTS_MAX);
    for (size_t i = 0; i < act->n_list; i++)
        TRY(check_list(self, act, i));
    const struct right_list *there =
        rights_of(&self->once_only.satisfaction_of, span_of_text(act->requirement),
                  span_of_text(act->territory));
    if (there->count > 0 && strcmp(there->right[0].id, act->id) != 0)
        return BAD("%s: what satisfies %s in %s is said by %s already", act->id, act->requirement,
                   act->territory, there->right[0].id);
    return DONE;
}

static bool named_before(const struct directory_satisfaction *self, size_t list, size_t place)
{
    for (size_t i = 0; i <= list; i++)
        for (size_t k = 0; k < (i == list ? place : self->list[i].types); k++)
            if (self->list[i].type[k] == self->list[list].type[place])
                return true;
    return false;
}

/* Each sort of evidence in it, once, is put into (or taken from) the table of what proves what. */
static void index_proofs(struct rights *table, const struct directory_satisfaction *self, bool put)
{
    for (size_t i = 0; i < self->lists; i++)
        for (size_t k = 0; k < self->list[i].types; k++) {
            struct span requirement = span_of_text(self->requirement->id);
            struct span type = span_of_text(self->list[i].type[k]->id);
            if (named_before(self, i, k))
                continue;
            if (put)
                rights_put(table, requirement, type, (struct right){self->id, INT64_MAX, self});
            else
                rights_take(table, requirement, type, self->id);
        }
}

/* What it was, or NULL. */
static const struct directory_satisfaction *drop_satisfaction(struct directory *self,
                                                              const char *id)
{
    struct once_only *once = &self->once_only;
    const struct directory_satisfaction *old = map_remove(&once->satisfactions, span_of_text(id));
    if (old == NULL)
        return NULL;
    take_place(self, &once->satisfaction_of, &once->below, old->requirement->id, old->territory,
               id);
    index_proofs(&once->proof_of, old, false);
    return old;
}

static void keep_list(struct directory *self, const Chaski__EvidenceList *from,
                      struct evidence_list *out)
{
    out->types = from->n_evidence_type;
    out->type = directory_make(self, out->types * sizeof *out->type);
    for (size_t i = 0; i < out->types; i++)
        out->type[i] = directory_find(&self->once_only.evidence_types, from->evidence_type[i]);
}

fault act_satisfaction_apply(struct directory *self, const Chaski__SatisfactionSet *act)
{
    struct once_only *once = &self->once_only;
    TRY(check_satisfaction(self, act));
    const struct directory_satisfaction *was = drop_satisfaction(self, act->id);
    struct directory_satisfaction *made = directory_make(self, sizeof *made);
    made->id = directory_keep_text(self, act->id);
    made->requirement = directory_find(&once->requirements, act->requirement);
    made->territory = directory_keep_text(self, act->territory);
    made->lists = act->n_list;
    made->list = directory_make(self, (act->n_list + 1) * sizeof *made->list);
    for (size_t i = 0; i < act->n_list; i++)
        keep_list(self, act->list[i], &made->list[i]);
    map_set(&once->satisfactions, span_of_text(made->id), made);
    put_place(self, &once->satisfaction_of, &once->below, made->requirement->id, made->territory,
              (struct right){made->id, INT64_MAX, made});
    index_proofs(&once->proof_of, made, true);
    return was == NULL ? DONE : once_only_check_proof(self, was);
}

// --- sources ------------------------------------------------------------------------------------

static bool is_selector(const Chaski__SourceSet *act, struct span name)
{
    for (size_t i = 0; i < act->n_selector; i++)
        if (span_is_text(name, act->selector[i]->name))
            return true;
    return span_is_text(name, "subject.type") || span_is_text(name, "subject.number") ||
           span_is_text(name, "territory");
}

/* Visible ASCII from a slash on; what stands in braces is known. */
static fault check_path(const Chaski__SourceSet *act)
{
    const char *at = act->path;
    if (act->path[0] == '\0')
        return DONE;
    TRY(act_code("a source's path", act->path));
    if (at[0] != '/' && at[0] != '?')
        return BAD("the path of %s does not begin with a slash or a question mark", act->id);
    while ((at = strpbrk(at, "{}")) != NULL) {
        const char *end = *at == '{' ? strpbrk(at + 1, "{}") : NULL;
        if (end == NULL || *end != '}')
            return BAD("the path of %s has a brace that stands alone", act->id);
        if (!is_selector(act, span_of(at + 1, (size_t)(end - at - 1))))
            return BAD("the path of %s has {%.*s}, which is no selector of it", act->id,
                       (int)(end - at - 1 > 60 ? 60 : end - at - 1), at + 1);
        at = end + 1;
    }
    return source_query_check(act->id, act->path);
}

static fault check_selectors(const Chaski__SourceSet *act)
{
    if (act->n_selector > SOURCE_SELECTORS_MAX)
        return BAD("source %s with more than %d selectors", act->id, SOURCE_SELECTORS_MAX);
    for (size_t i = 0; i < act->n_selector; i++) {
        const Chaski__SourceSelector *selector = act->selector[i];
        if (selector->base.n_unknown_fields > 0)
            return BAD("source %s says more of a selector than is known here", act->id);
        TRY(act_code("a selector", selector->name));
        TRY(act_word("a selector's question", selector->question));
        TRY(act_text("a selector's code list", selector->code_list));
        if (strpbrk(selector->name, "{}.") != NULL)
            return BAD("source %s: a selector's name holds no brace and no dot", act->id);
    }
    return check_path(act);
}

static fault check_none(const Chaski__SourceSet *act)
{
    TRY(act_word("why there is no source", act->reason));
    TRY(act_time("until when there is no source", act->until_ms));
    if (act->path[0] != '\0' || act->n_selector > 0 || act->n_version > 0)
        return BAD("%s says that there is no source, and how to ask it", act->id);
    return DONE;
}

static fault check_service(const struct directory *self, const Chaski__SourceSet *act)
{
    const struct right_list *others =
        rights_of(&self->once_only.source_by, span_of_text(act->service), nothing);
    if (directory_find(&self->services, act->service) == NULL)
        return BAD("source %s is the service %.200s, which is not registered", act->id,
                   act->service);
    if (others->count >= SOURCES_OF_SERVICE_MAX)
        return BAD("%.200s would be more than %d sources", act->service, SOURCES_OF_SERVICE_MAX);
    if (act->reason[0] != '\0' || act->until_ms != 0)
        return BAD("source %s is a service, and says why there is none", act->id);
    return check_selectors(act);
}

static fault check_source(const struct directory *self, const Chaski__SourceSet *act)
{
    TRY(act_code("a source", act->id));
    TRY(act_text("the source's authority", act->basis));
    TRY(check_since(self, "the source", act->id, act->since_ms));
    TRY(check_territory(self, act->id, act->territory));
    if (directory_find(&self->once_only.evidence_types, act->evidence_type) == NULL)
        return BAD("source %s of the evidence %.100s, which is not registered", act->id,
                   act->evidence_type);
    TRY(check_texts("versions", act->version, act->n_version, EVIDENCE_VERSIONS_MAX, act->id));
    const struct right_list *alike = rights_of(
        &self->once_only.source_of, span_of_text(act->evidence_type), span_of_text(act->territory));
    if (alike->count >= SOURCES_ALIKE_MAX)
        return BAD("%s in %s would have more than %d sources", act->evidence_type, act->territory,
                   SOURCES_ALIKE_MAX);
    return act->service[0] == '\0' ? check_none(act) : check_service(self, act);
}

/* What it was, or NULL. */
static const struct directory_source *drop_source(struct directory *self, const char *id)
{
    struct once_only *once = &self->once_only;
    const struct directory_source *old = map_remove(&once->sources, span_of_text(id));
    if (old == NULL)
        return NULL;
    take_place(self, &once->source_of, &once->source_below, old->type->id, old->territory, id);
    if (old->service[0] != '\0')
        rights_take(&once->source_by, span_of_text(old->service), nothing, id);
    return old;
}

static fault taken_away(struct directory *self, const struct directory_source *was)
{
    once_only_note_source(self, was->type->id, was->territory);
    return once_only_check_taken(self, was);
}

static void keep_selectors(struct directory *self, const Chaski__SourceSet *act,
                           struct directory_source *out)
{
    out->selectors = act->n_selector;
    out->selector = directory_make(self, (act->n_selector + 1) * sizeof *out->selector);
    for (size_t i = 0; i < act->n_selector; i++)
        out->selector[i] =
            (struct source_selector){directory_keep_text(self, act->selector[i]->name),
                                     directory_keep_text(self, act->selector[i]->question),
                                     directory_keep_text(self, act->selector[i]->code_list)};
}

fault act_source_apply(struct directory *self, const Chaski__SourceSet *act)
{
    struct once_only *once = &self->once_only;
    /* what it was until now counts no longer */
    const struct directory_source *was = drop_source(self, act->id);
    TRY(check_source(self, act));
    struct directory_source *made = directory_make(self, sizeof *made);
    made->id = directory_keep_text(self, act->id);
    made->type = directory_find(&once->evidence_types, act->evidence_type);
    made->territory = directory_keep_text(self, act->territory);
    made->service = directory_keep_text(self, act->service);
    made->path = directory_keep_text(self, act->path);
    made->versions = act->n_version;
    made->version = directory_keep_texts(self, act->version, act->n_version);
    made->basis = directory_keep_text(self, act->basis);
    made->reason = directory_keep_text(self, act->reason);
    made->until_ms = (int64_t)act->until_ms;
    made->since_ms = (int64_t)act->since_ms;
    keep_selectors(self, act, made);
    map_set(&once->sources, span_of_text(made->id), made);
    struct right right = {made->id, INT64_MAX, made};
    put_place(self, &once->source_of, &once->source_below, made->type->id, made->territory, right);
    if (made->service[0] != '\0')
        rights_put(&once->source_by, span_of_text(made->service), nothing, right);
    if (!self->restored)
        once_only_note_source(self, made->type->id, made->territory);
    return was == NULL ? DONE : taken_away(self, was);
}

// --- the end of each ----------------------------------------------------------------------------

static const char *procedure_needing(const struct directory *self, const char *requirement)
{
    size_t step = 0;
    for (const struct directory_procedure *at;
         (at = map_next(&self->once_only.procedures, &step, NULL)) != NULL;)
        for (size_t i = 0; i < at->needs; i++)
            if (strcmp(at->need[i].requirement->id, requirement) == 0)
                return at->id;
    return NULL;
}

static const char *satisfaction_naming(const struct directory *self, const char *id)
{
    size_t step = 0;
    for (const struct directory_satisfaction *at;
         (at = map_next(&self->once_only.satisfactions, &step, NULL)) != NULL;) {
        if (strcmp(at->requirement->id, id) == 0)
            return at->id;
        for (size_t i = 0; i < at->lists; i++)
            for (size_t k = 0; k < at->list[i].types; k++)
                if (strcmp(at->list[i].type[k]->id, id) == 0)
                    return at->id;
    }
    return NULL;
}

static const char *source_of_type(const struct directory *self, const char *type)
{
    size_t step = 0;
    for (const struct directory_source *at;
         (at = map_next(&self->once_only.sources, &step, NULL)) != NULL;)
        if (strcmp(at->type->id, type) == 0)
            return at->id;
    return NULL;
}

const char *act_once_only_naming(const struct directory *self, const char *id)
{
    const struct right_list *sources =
        rights_of(&self->once_only.source_by, span_of_text(id), nothing);
    size_t step = 0;
    if (sources->count > 0)
        return sources->right[0].id;
    for (const struct directory_procedure *at;
         (at = map_next(&self->once_only.procedures, &step, NULL)) != NULL;) {
        if (strcmp(at->owner, id) == 0 || strcmp(at->purpose, id) == 0)
            return at->id;
        for (size_t i = 0; i < at->legal_bases; i++)
            if (strcmp(at->legal_basis_id[i], id) == 0)
                return at->id;
    }
    return NULL;
}

static fault remove_from(struct map *map, const char *id, const char *user)
{
    if (directory_find(map, id) == NULL)
        return BAD("%.200s is not there", id);
    if (user != NULL)
        return BAD("%.150s is still used by %.150s", id, user);
    map_remove(map, span_of_text(id));
    return DONE;
}

static fault remove_procedure(struct directory *self, const char *id)
{
    const struct directory_procedure *was =
        map_remove(&self->once_only.procedures, span_of_text(id));
    if (was == NULL)
        return BAD("%.200s is not there", id);
    once_only_note_procedure(self, was, NULL);
    return DONE;
}

static fault remove_satisfaction(struct directory *self, const char *id)
{
    const struct directory_satisfaction *was = drop_satisfaction(self, id);
    return was == NULL ? BAD("%.200s is not there", id) : once_only_check_proof(self, was);
}

static fault remove_source(struct directory *self, const char *id)
{
    const struct directory_source *was = drop_source(self, id);
    return was == NULL ? BAD("%.200s is not there", id) : taken_away(self, was);
}

fault act_once_only_remove(struct directory *self, const Chaski__Removed *act)
{
    struct once_only *once = &self->once_only;
    const char *user = NULL;
    switch (act->what_case) {
    case CHASKI__REMOVED__WHAT_PROCEDURE:
        return remove_procedure(self, act->procedure);
    case CHASKI__REMOVED__WHAT_REQUIREMENT:
        user = procedure_needing(self, act->requirement);
        if (user == NULL)
            user = satisfaction_naming(self, act->requirement);
        return remove_from(&once->requirements, act->requirement, user);
    case CHASKI__REMOVED__WHAT_EVIDENCE_TYPE:
        user = satisfaction_naming(self, act->evidence_type);
        if (user == NULL)
            user = source_of_type(self, act->evidence_type);
        return remove_from(&once->evidence_types, act->evidence_type, user);
    case CHASKI__REMOVED__WHAT_SATISFACTION:
        return remove_satisfaction(self, act->satisfaction);
    case CHASKI__REMOVED__WHAT_SOURCE:
        return remove_source(self, act->source);
    default:
        return BAD("a removal of nothing");
    }
}

void act_once_only_clear(struct directory *self)
{
    struct once_only *once = &self->once_only;
    struct map *maps[] = {&once->procedures,    &once->requirements, &once->evidence_types,
                          &once->satisfactions, &once->sources,      &once->asked,
                          &once->held};
    struct rights *tables[] = {&once->satisfaction_of, &once->source_of, &once->source_by,
                               &once->proof_of,        &once->below,     &once->source_below};
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        map_clear(maps[i]);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        rights_clear(tables[i]);
}
