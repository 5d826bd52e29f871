// SPDX-License-Identifier: MIT
#include "lib/bus/once_only.h"

#include "lib/base/text.h"
#include "lib/bus/consumer.h"
#include "lib/bus/directory_private.h"

// --- looking up ---------------------------------------------------------------------------------

const struct directory_procedure *directory_procedure(const struct directory *self, struct span id)
{
    return map_get(&self->once_only.procedures, id);
}

const struct directory_requirement *directory_requirement(const struct directory *self,
                                                          struct span id)
{
    return map_get(&self->once_only.requirements, id);
}

const struct directory_evidence_type *directory_evidence_type(const struct directory *self,
                                                              struct span id)
{
    return map_get(&self->once_only.evidence_types, id);
}

const struct directory_satisfaction *directory_satisfaction(const struct directory *self,
                                                            struct span id)
{
    return map_get(&self->once_only.satisfactions, id);
}

const struct directory_source *directory_source(const struct directory *self, struct span id)
{
    return map_get(&self->once_only.sources, id);
}

const struct directory_procedure *directory_next_procedure(const struct directory *self,
                                                           size_t *step)
{
    return map_next(&self->once_only.procedures, step, NULL);
}

const struct directory_requirement *directory_next_requirement(const struct directory *self,
                                                               size_t *step)
{
    return map_next(&self->once_only.requirements, step, NULL);
}

const struct directory_evidence_type *directory_next_evidence_type(const struct directory *self,
                                                                   size_t *step)
{
    return map_next(&self->once_only.evidence_types, step, NULL);
}

const struct directory_satisfaction *directory_next_satisfaction(const struct directory *self,
                                                                 size_t *step)
{
    return map_next(&self->once_only.satisfactions, step, NULL);
}

const struct directory_source *directory_next_source(const struct directory *self, size_t *step)
{
    return map_next(&self->once_only.sources, step, NULL);
}

// --- words --------------------------------------------------------------------------------------

static const char *const kind_words[SUBJECT_KINDS_END] = {
    [SUBJECT_ANYBODY] = "anybody", [SUBJECT_PERSON] = "person", [SUBJECT_FIRM] = "firm"};

static const char *const sensitivity_words[SENSITIVITIES_END] = {
    [SENSITIVITY_PUBLIC] = "public",
    [SENSITIVITY_CLASSIFIED] = "classified",
    [SENSITIVITY_RESERVED] = "reserved"};

const char *subject_kind_word(enum subject_kind kind)
{
    return kind > 0 && kind < SUBJECT_KINDS_END ? kind_words[kind] : "";
}

enum subject_kind subject_kind_of(const char *word)
{
    for (enum subject_kind kind = 1; kind < SUBJECT_KINDS_END; kind++)
        if (strcmp(word, kind_words[kind]) == 0)
            return kind;
    return 0;
}

const char *sensitivity_word(enum sensitivity sensitivity)
{
    return sensitivity > 0 && sensitivity < SENSITIVITIES_END ? sensitivity_words[sensitivity] : "";
}

enum sensitivity sensitivity_of(const char *word)
{
    for (enum sensitivity sensitivity = 1; sensitivity < SENSITIVITIES_END; sensitivity++)
        if (strcmp(word, sensitivity_words[sensitivity]) == 0)
            return sensitivity;
    return 0;
}

// --- territories --------------------------------------------------------------------------------

static bool are_digits(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

/* Instances are called after their country: CO, or CO-TEST. */
static bool is_country(const struct directory *directory, const char *text)
{
    return directory->instance != NULL && strlen(text) == 2 &&
           strncmp(directory->instance, text, 2) == 0;
}

bool territory_fits(const struct directory *directory, const char *text)
{
    size_t length = strlen(text);
    return is_country(directory, text) || ((length == 2 || length == 5) && are_digits(text));
}

size_t territory_around(const struct directory *directory, const char *text,
                        char out[3][TERRITORY_BYTES_MAX + 1])
{
    size_t count = 0, length = strlen(text);
    text_format(out[count++], TERRITORY_BYTES_MAX + 1, "%s", text);
    if (length == 5)
        text_format(out[count++], TERRITORY_BYTES_MAX + 1, "%.2s", text);
    if (!is_country(directory, text))
        text_format(out[count++], TERRITORY_BYTES_MAX + 1, "%.2s", directory->instance);
    return count;
}

bool territory_within(const struct directory *directory, const char *inner, const char *outer)
{
    char around[3][TERRITORY_BYTES_MAX + 1];
    size_t count = territory_around(directory, inner, around);
    for (size_t i = 0; i < count; i++)
        if (strcmp(around[i], outer) == 0)
            return true;
    return false;
}

// --- questions ----------------------------------------------------------------------------------

const struct directory_satisfaction *once_only_evidence_for(const struct directory *directory,
                                                            const char *requirement,
                                                            const char *territory)
{
    char around[3][TERRITORY_BYTES_MAX + 1];
    size_t count = territory_around(directory, territory, around);
    for (size_t i = 0; i < count; i++) {
        const struct right_list *there =
            rights_of(&directory->once_only.satisfaction_of, span_of_text(requirement),
                      span_of_text(around[i]));
        if (there->count > 0)
            return there->right[0].rule;
    }
    return NULL;
}

static bool proves(const struct directory *directory, const struct directory_procedure *procedure,
                   const struct directory_evidence_type *type, struct span requirement)
{
    for (size_t i = 0; i < procedure->needs; i++) {
        struct span need = span_of_text(procedure->need[i].requirement->id);
        if (requirement.size > 0 && !span_equal(requirement, need))
            continue;
        if (rights_of(&directory->once_only.proof_of, need, span_of_text(type->id))->count > 0)
            return true;
    }
    return false;
}

bool once_only_in_plan(const struct directory *directory,
                       const struct directory_procedure *procedure, struct span service,
                       struct span requirement)
{
    const struct right_list *sources =
        rights_of(&directory->once_only.source_by, service, span_of("", 0));
    const struct directory_evidence_type *seen = NULL;
    for (size_t i = 0; i < sources->count; i++) {
        const struct directory_source *source = sources->right[i].rule;
        if (source->type == seen)
            continue; /* one service is a source of the same for many territories */
        seen = source->type;
        if (proves(directory, procedure, source->type, requirement))
            return true;
    }
    return false;
}

bool once_only_source_in_plan(const struct directory *directory,
                              const struct directory_procedure *procedure, struct span service,
                              struct span requirement, struct span source)
{
    const struct directory_source *found = directory_source(directory, source);
    return found != NULL && requirement.size > 0 && service.size > 0 &&
           span_is_text(service, found->service) &&
           proves(directory, procedure, found->type, requirement);
}

bool once_only_runs(const struct directory *directory, const struct directory_procedure *procedure,
                    struct span client)
{
    struct consumer_names names;
    consumer_names_of(directory, client, &names);
    for (size_t i = 0; i < names.count; i++)
        if (span_is_text(names.name[i], procedure->owner))
            return true;
    return false;
}
