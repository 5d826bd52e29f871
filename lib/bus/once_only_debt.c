// SPDX-License-Identifier: MIT
#include "lib/bus/once_only_debt.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/once_only_history.h"
#include "lib/bus/plan.h"

#include <stdlib.h>

#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

struct looking {
    const struct directory *directory;
    const struct directory_procedure *procedure;
    const struct directory_requirement *requirement;
    const struct directory_procedure *before; /* that asked for it already, or NULL */
    int64_t at_ms;
    struct map seen; /* places */
    const char **place;
    size_t places, room;
    const struct directory_source *source; /* what was found */
    int64_t source_ms;
    const struct directory_held *taken;
    const char *unsaid; /* a place for which nobody has said what proves it */
};

static void looking_clear(struct looking *self)
{
    map_clear(&self->seen);
    free(self->place);
}

// --- places -------------------------------------------------------------------------------------

static void add_place(struct looking *self, const char *territory)
{
    if (map_set(&self->seen, span_of_text(territory), (void *)(uintptr_t)territory) != NULL)
        return;
    if (self->places == self->room)
        self->place =
            owned_grow(self->place, self->room = 2 * self->room + 16, sizeof *self->place);
    self->place[self->places++] = territory;
}

static void add_sources_below(struct looking *self,
                              const struct directory_satisfaction *satisfaction,
                              const char *territory)
{
    for (size_t i = 0; i < satisfaction->lists; i++)
        for (size_t k = 0; k < satisfaction->list[i].types; k++) {
            const struct right_list *below =
                rights_of(&self->directory->once_only.source_below,
                          span_of_text(satisfaction->list[i].type[k]->id), span_of_text(territory));
            for (size_t n = 0; n < below->count; n++) {
                const struct directory_source *source = below->right[n].rule;
                if (source->service[0] != '\0')
                    add_place(self, source->territory);
            }
        }
}

/* What would prove it in that place, had nobody said of a narrower one that nothing does; NULL: no
 * such thing was said, or it takes the place of nothing. */
static const struct directory_satisfaction *
overruled(const struct directory *directory, const struct directory_satisfaction *satisfaction)
{
    char around[3][TERRITORY_BYTES_MAX + 1];
    const struct directory_satisfaction *at = satisfaction;
    while (at != NULL && at->lists == 0) {
        size_t count = territory_around(directory, at->territory, around);
        at = count < 2
                 ? NULL
                 : once_only_evidence_for(directory, satisfaction->requirement->id, around[1]);
    }
    return at == satisfaction ? NULL : at;
}

static void add_places_of(struct looking *self, const struct directory_satisfaction *satisfaction,
                          const char *territory)
{
    const struct directory_satisfaction *wider = overruled(self->directory, satisfaction);
    add_sources_below(self, wider != NULL ? wider : satisfaction, territory);
}

/* Wherever a case in this territory may be planned otherwise than in all of it. */
static void add_territory(struct looking *self, const char *territory)
{
    const char *requirement = self->requirement->id;
    const struct directory_satisfaction *whole =
        once_only_evidence_for(self->directory, requirement, territory);
    const struct right_list *below = rights_of(&self->directory->once_only.below,
                                               span_of_text(requirement), span_of_text(territory));
    add_place(self, territory);
    if (whole != NULL)
        add_places_of(self, whole, territory);
    for (size_t i = 0; i < below->count; i++) {
        const struct directory_satisfaction *at = below->right[i].rule;
        add_place(self, at->territory);
        add_places_of(self, at, at->territory);
    }
}

static void add_taken(struct looking *self, const char *territory)
{
    size_t step = 0;
    for (const struct directory_held *at;
         (at = map_next(&self->directory->once_only.held, &step, NULL)) != NULL;)
        if (at->taken_ms != 0 && territory_within(self->directory, at->territory, territory))
            add_place(self, at->territory);
}

static void add_places(struct looking *self, char country[TERRITORY_BYTES_MAX + 1], bool taken)
{
    const struct directory_procedure *procedure = self->procedure;
    text_format(country, TERRITORY_BYTES_MAX + 1, "%.2s", self->directory->instance);
    for (size_t i = 0; i < (procedure->territories == 0 ? 1 : procedure->territories); i++) {
        const char *territory = procedure->territories == 0 ? country : procedure->territory[i];
        add_territory(self, territory);
        if (taken)
            add_taken(self, territory);
    }
}

static bool was_asked_there(const struct looking *self, const char *place)
{
    const struct directory_procedure *before = self->before;
    if (before == NULL || !once_only_asks(before, self->requirement))
        return false;
    for (size_t i = 0; i < before->territories; i++)
        if (territory_within(self->directory, place, before->territory[i]))
            return true;
    return before->territories == 0;
}

// --- what is delivered in one place
// ---------------------------------------------------------------

/* Of several among which is to be chosen: one. The narrowest territory that names any decides. */
static const struct directory_source *any_source(const struct directory *directory,
                                                 const char *type, const char *place)
{
    char around[3][TERRITORY_BYTES_MAX + 1];
    size_t count = territory_around(directory, place, around);
    for (size_t i = 0; i < count; i++) {
        const struct right_list *there =
            rights_of(&directory->once_only.source_of, span_of_text(type), span_of_text(around[i]));
        for (size_t k = 0; k < there->count; k++) {
            const struct directory_source *source = there->right[k].rule;
            if (source->service[0] != '\0')
                return source;
        }
    }
    return NULL;
}

/* Who delivers it, though a question may be open; that smaller places have it is no answer here. */
static const struct directory_source *delivered(const struct looking *self,
                                                const struct plan_leaf *leaf, const char *place)
{
    if (leaf->state != PLAN_READY && leaf->state != PLAN_NEED)
        return NULL;
    return leaf->source != NULL ? leaf->source : any_source(self->directory, leaf->type->id, place);
}

/* It was delivered until it was taken away, and nobody says that there is none. */
static const struct directory_held *taken(const struct looking *self, const struct plan_leaf *leaf,
                                          const char *place)
{
    char around[3][TERRITORY_BYTES_MAX + 1];
    size_t count = territory_around(self->directory, place, around);
    if (leaf->source != NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const struct directory_held *held =
            once_only_held(self->directory, leaf->type->id, around[i]);
        if (held != NULL && held->taken_ms != 0)
            return held;
    }
    return NULL;
}

static void look_at_way(struct looking *self, const struct plan_way *way, const char *place)
{
    const struct directory_source *source = NULL;
    const struct directory_held *gone = NULL;
    int64_t since_ms = 0;
    for (size_t i = 0; i < way->leaves; i++) {
        const struct directory_source *one = delivered(self, &way->leaf[i], place);
        const struct directory_held *held =
            one == NULL ? taken(self, &way->leaf[i], place)
                        : once_only_held(self->directory, one->type->id, one->territory);
        if (one == NULL && held == NULL)
            return;
        if (one == NULL)
            gone = held;
        if (one != NULL && (source == NULL || (held != NULL && held->first_ms > since_ms))) {
            source = one;
            since_ms = held == NULL ? 0 : held->first_ms;
        }
    }
    if (gone != NULL)
        self->taken = gone;
    else if (source != NULL && (self->source == NULL || since_ms < self->source_ms)) {
        self->source = source;
        self->source_ms = since_ms;
    }
}

/* Of what delivers it there, or nothing where it is said that nobody does. */
static const struct directory_source *stands_in(const struct looking *self, const char *type,
                                                const char *place)
{
    char around[3][TERRITORY_BYTES_MAX + 1];
    size_t count = territory_around(self->directory, place, around);
    bool none = false;
    for (size_t i = 0; !none && i < count; i++) {
        const struct right_list *there = rights_of(&self->directory->once_only.source_of,
                                                   span_of_text(type), span_of_text(around[i]));
        for (size_t k = 0; k < there->count; k++) {
            const struct directory_source *source = there->right[k].rule;
            if (source->service[0] != '\0')
                return source;
            none = none || source->until_ms > self->at_ms;
        }
    }
    return NULL;
}

static void look_at_list(struct looking *self, const struct evidence_list *list, const char *place)
{
    const struct directory_source *source = NULL;
    int64_t since_ms = 0;
    for (size_t i = 0; i < list->types; i++) {
        const struct directory_source *one = stands_in(self, list->type[i]->id, place);
        if (one == NULL)
            return;
        const struct directory_held *held =
            once_only_held(self->directory, one->type->id, one->territory);
        if (source == NULL || (held != NULL && held->first_ms > since_ms)) {
            source = one;
            since_ms = held == NULL ? 0 : held->first_ms;
        }
    }
    if (source != NULL && (self->source == NULL || since_ms < self->source_ms)) {
        self->source = source;
        self->source_ms = since_ms;
    }
}

/* That nothing proves it here is no ground while what proves it around here is delivered. */
static void look_at_overruled(struct looking *self,
                              const struct directory_satisfaction *satisfaction, const char *place)
{
    const struct directory_satisfaction *wider = overruled(self->directory, satisfaction);
    for (size_t i = 0; wider != NULL && i < wider->lists; i++)
        look_at_list(self, &wider->list[i], place);
}

static void look_in(struct looking *self, const char *place)
{
    struct plan_question question = {.territory = place,
                                     .version = "",
                                     .requirement = self->requirement->id,
                                     .at_ms = self->at_ms};
    struct plan *plan = NULL;
    if (was_asked_there(self, place) ||
        failed(plan_make_of(self->directory, self->procedure, &question, &plan)))
        return;
    if (plan->requirement[0].satisfaction == NULL)
        self->unsaid = place;
    look_at_overruled(self, plan->requirement[0].satisfaction, place);
    for (size_t i = 0; i < plan->requirement[0].ways; i++)
        look_at_way(self, &plan->requirement[0].way[i], place);
    plan_free(&plan);
}

static void look(struct looking *self)
{
    for (size_t i = 0; i < self->places; i++)
        look_in(self, self->place[i]);
}

// --- questions ----------------------------------------------------------------------------------

bool once_only_debt(const struct directory *directory, const struct directory_procedure *procedure,
                    const struct directory_requirement *requirement, int64_t at_ms,
                    struct once_only_debt *out)
{
    struct looking looking = {
        .directory = directory, .procedure = procedure, .requirement = requirement, .at_ms = at_ms};
    const struct directory_asked *asked =
        once_only_asked(directory, procedure->id, requirement->id);
    char country[TERRITORY_BYTES_MAX + 1];
    add_places(&looking, country, false);
    look(&looking);
    if (looking.source != NULL) {
        int64_t asked_ms = asked == NULL ? 0 : asked->asked_ms;
        out->source = looking.source;
        out->since_ms = asked_ms == 0 || looking.source_ms == 0 ? 0
                        : asked_ms > looking.source_ms          ? asked_ms
                                                                : looking.source_ms;
    }
    looking_clear(&looking);
    return looking.source != NULL;
}

static fault check_need(const struct directory *self, const struct directory_procedure *procedure,
                        const struct directory_procedure *before,
                        const struct directory_requirement *requirement)
{
    struct looking looking = {.directory = self,
                              .procedure = procedure,
                              .requirement = requirement,
                              .before = before,
                              .at_ms = self->last_ms};
    char country[TERRITORY_BYTES_MAX + 1];
    char day[32] = "";
    add_places(&looking, country, true);
    look(&looking);
    looking_clear(&looking);
    if (looking.source != NULL)
        return BAD("procedure %.100s would ask citizens for %.100s (%.100s), which the state "
                   "holds: source %.100s, service %.200s",
                   procedure->id, requirement->id, requirement->name, looking.source->id,
                   looking.source->service);
    if (looking.taken == NULL && looking.unsaid != NULL)
        return BAD(
            "procedure %.100s would ask citizens for %.100s (%.100s), and nobody has said "
            "what proves it in %.20s: first register a satisfaction, with no list if nothing "
            "does",
            procedure->id, requirement->id, requirement->name, looking.unsaid);
    if (looking.taken == NULL)
        return DONE;
    clock_text(looking.taken->taken_ms, day, sizeof day);
    return BAD("procedure %.100s would ask citizens for %.100s (%.100s), which %.100s, service "
               "%.200s, delivered in %s until it was taken away on %.10s: first say that nobody "
               "delivers %.100s there, why and until when",
               procedure->id, requirement->id, requirement->name, looking.taken->source,
               looking.taken->service, looking.taken->territory, day, looking.taken->evidence_type);
}

fault once_only_check_asking(const struct directory *self,
                             const struct directory_procedure *procedure,
                             const struct directory_procedure *before)
{
    for (size_t i = 0; i < procedure->needs; i++)
        if (procedure->need[i].ask_citizen)
            TRY(check_need(self, procedure, before, procedure->need[i].requirement));
    return DONE;
}

// --- what may be taken away
// -----------------------------------------------------------------------

/* There, somebody delivers it, or that nobody does is registered and in force. */
static bool is_said(const struct directory *self, const char *type, const char *place)
{
    char around[3][TERRITORY_BYTES_MAX + 1];
    size_t count = territory_around(self, place, around);
    for (size_t i = 0; i < count; i++) {
        const struct right_list *there =
            rights_of(&self->once_only.source_of, span_of_text(type), span_of_text(around[i]));
        for (size_t k = 0; k < there->count; k++) {
            const struct directory_source *source = there->right[k].rule;
            if (source->service[0] != '\0' || source->until_ms > self->last_ms)
                return true;
        }
    }
    return false;
}

static bool lists(const struct directory_satisfaction *self,
                  const struct directory_evidence_type *type)
{
    for (size_t i = 0; self != NULL && i < self->lists; i++)
        for (size_t k = 0; k < self->list[i].types; k++)
            if (self->list[i].type[k] == type)
                return true;
    return false;
}

/* Does it prove the requirement somewhere in this territory? Wherever the evidence is from: who
 * was born elsewhere lives here. */
static bool proves_in(const struct directory *self, const char *requirement, const char *territory,
                      const struct directory_evidence_type *type)
{
    const struct right_list *below =
        rights_of(&self->once_only.below, span_of_text(requirement), span_of_text(territory));
    for (size_t i = 0; i < below->count; i++)
        if (lists(below->right[i].rule, type))
            return true;
    return lists(once_only_evidence_for(self, requirement, territory), type);
}

/* For which of its requirements; NULL: for none. */
static const struct directory_requirement *rests_on(const struct directory *self,
                                                    const struct directory_procedure *procedure,
                                                    const struct directory_evidence_type *type)
{
    char country[TERRITORY_BYTES_MAX + 1];
    text_format(country, sizeof country, "%.2s", self->instance);
    for (size_t i = 0; i < procedure->needs; i++) {
        const struct directory_requirement *requirement = procedure->need[i].requirement;
        for (size_t k = 0; k < procedure->territories; k++)
            if (proves_in(self, requirement->id, procedure->territory[k], type))
                return requirement;
        if (procedure->territories == 0 && proves_in(self, requirement->id, country, type))
            return requirement;
    }
    return NULL;
}

fault once_only_check_taken(const struct directory *self, const struct directory_source *was)
{
    size_t step = 0;
    if (was->service[0] == '\0' || is_said(self, was->type->id, was->territory))
        return DONE;
    for (const struct directory_procedure *at;
         (at = map_next(&self->once_only.procedures, &step, NULL)) != NULL;) {
        const struct directory_requirement *requirement = rests_on(self, at, was->type);
        if (requirement != NULL)
            return BAD("procedure %.100s rests on source %.100s for %.100s (%.100s): first say who "
                       "delivers %.100s in %s instead, or that nobody does, why and until when",
                       at->id, was->id, requirement->id, requirement->name, was->type->id,
                       was->territory);
    }
    return DONE;
}

fault once_only_check_proof(const struct directory *self, const struct directory_satisfaction *was)
{
    size_t step = 0;
    if (once_only_evidence_for(self, was->requirement->id, was->territory) != NULL)
        return DONE;
    for (const struct directory_procedure *at;
         (at = map_next(&self->once_only.procedures, &step, NULL)) != NULL;)
        for (size_t i = 0; i < at->needs; i++)
            if (at->need[i].requirement == was->requirement)
                return BAD("procedure %.100s rests on %.100s, which says what proves %.100s in %s: "
                           "set it anew; an empty list says that nothing does",
                           at->id, was->id, was->requirement->id, was->territory);
    return DONE;
}
