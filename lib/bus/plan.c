// SPDX-License-Identifier: MIT
#include "lib/bus/plan.h"

#include "lib/base/text.h"
#include "lib/bus/directory_private.h"

#include <stdlib.h>

#define TERRITORY ".territory"
#define SOURCE ".source"
#define VERSION ".version"
#define DAY_MS INT64_C(86400000)

struct making {
    const struct directory *directory;
    const struct plan_question *question;
    struct plan *plan;
};

static const char *keep(struct making *self, const char *text)
{
    return arena_text(&self->plan->memory, text);
}

/* "" when it was not answered. */
static const char *answer_to(const struct making *self, struct span name)
{
    for (size_t i = 0; i < self->question->answers; i++)
        if (span_is_text(name, self->question->answer[i].name))
            return self->question->answer[i].value;
    return "";
}

/* What was answered about one sort of evidence: under its id and a suffix. */
static const char *answer_about(const struct making *self, const char *type, const char *suffix)
{
    char name[WORD_BYTES_MAX + 16];
    text_format(name, sizeof name, "%s%s", type, suffix);
    return answer_to(self, span_of_text(name));
}

// --- a leaf -------------------------------------------------------------------------------------

static void ask(struct making *self, struct plan_leaf *leaf, const char *name, const char *suffix,
                const char *question, const char *codes)
{
    char whole[WORD_BYTES_MAX + 16];
    text_format(whole, sizeof whole, "%s%s", name, suffix);
    leaf->state = PLAN_NEED;
    leaf->need = keep(self, whole);
    leaf->question = keep(self, question);
    leaf->codes = keep(self, codes);
}

static void nobody(struct making *self, struct plan_leaf *leaf, enum plan_state state,
                   const char *reason)
{
    leaf->state = state;
    leaf->reason = keep(self, reason);
}

/* The version of this source that was asked for; NULL: it does not deliver that one. */
static const char *version_of(const struct directory_source *source, const char *wanted)
{
    if (wanted[0] == '\0')
        return source->versions == 0 ? "" : source->version[0];
    for (size_t i = 0; i < source->versions; i++)
        if (strcmp(source->version[i], wanted) == 0)
            return source->version[i];
    return NULL;
}

struct candidates {
    size_t count;
    const struct directory_source *source[SOURCES_ALIKE_MAX];
    const struct directory_source *none; /* that there is none, registered and in force */
    const struct directory_source *other_version;
};

/* Those of one territory. That there is none counts as long as it is in force. */
static void look(const struct making *self, const struct right_list *there, const char *wanted,
                 struct candidates *out)
{
    for (size_t i = 0; i < there->count; i++) {
        const struct directory_source *source = there->right[i].rule;
        if (source->service[0] == '\0') {
            if (source->until_ms > self->question->at_ms)
                out->none = source;
        } else if (version_of(source, wanted) == NULL) {
            out->other_version = source;
        } else {
            out->source[out->count++] = source;
        }
    }
}

/* The narrowest territory that says anything decides: who delivers, or that nobody does. */
static void find(const struct making *self, const char *type, const char *territory,
                 const char *wanted, struct candidates *out)
{
    char around[3][TERRITORY_BYTES_MAX + 1];
    size_t count = territory_around(self->directory, territory, around);
    for (size_t i = 0; i < count && out->count == 0 && out->none == NULL; i++)
        look(self,
             rights_of(&self->directory->once_only.source_of, span_of_text(type),
                       span_of_text(around[i])),
             wanted, out);
}

static void ask_which(struct making *self, struct plan_leaf *leaf, const struct candidates *among)
{
    char codes[PLAN_CHOICES_BYTES_MAX] = "";
    for (size_t i = 0; i < among->count; i++) {
        size_t used = strlen(codes);
        text_format(codes + used, sizeof codes - used, "%s%s", used == 0 ? "" : " ",
                    among->source[i]->id);
    }
    ask(self, leaf, leaf->type->id, SOURCE, "Several sources deliver it there: which one?", codes);
}

static const struct directory_source *chosen(const struct making *self,
                                             const struct candidates *among, const char *type)
{
    const char *id = answer_about(self, type, SOURCE);
    for (size_t i = 0; i < among->count; i++)
        if (strcmp(among->source[i]->id, id) == 0)
            return among->source[i];
    return among->count == 1 && id[0] == '\0' ? among->source[0] : NULL;
}

bool plan_names_subject(struct span name)
{
    size_t length = strlen(PLAN_SUBJECT);
    return name.size >= length && memcmp(name.at, PLAN_SUBJECT, length) == 0;
}

struct filling {
    const struct making *making;
    const char *territory;
};

/* The subject's places stay: NULL. */
static const char *value_of(void *owner, struct span name)
{
    const struct filling *self = owner;
    const char *value = answer_to(self->making, name);
    if (span_is_text(name, "territory"))
        return self->territory;
    if (plan_names_subject(name))
        return NULL;
    return value[0] == '\0' ? NULL : value;
}

static void make_ready(struct making *self, struct plan_leaf *leaf,
                       const struct directory_source *source, const char *territory,
                       const char *wanted)
{
    char path[PLAN_PATH_BYTES_MAX];
    struct filling filling = {self, territory};
    leaf->source = source;
    for (size_t i = 0; i < source->selectors; i++) {
        const struct source_selector *selector = &source->selector[i];
        if (answer_to(self, span_of_text(selector->name))[0] == '\0') {
            ask(self, leaf, selector->name, "", selector->question, selector->code_list);
            return;
        }
    }
    if (failed(plan_fill(source->path, value_of, &filling, path, sizeof path))) {
        nobody(self, leaf, PLAN_NO_SOURCE, fault_detail());
        return;
    }
    leaf->state = PLAN_READY;
    leaf->version = version_of(source, wanted);
    leaf->path = keep(self, path);
}

static void say_none(struct making *self, struct plan_leaf *leaf, const struct candidates *found,
                     const char *territory, const char *wanted)
{
    char reason[2 * WORD_BYTES_MAX + 64];
    const struct right_list *below =
        rights_of(&self->directory->once_only.source_below, span_of_text(leaf->type->id),
                  span_of_text(territory));
    if (found->none != NULL) {
        leaf->source = found->none;
        leaf->until_ms = found->none->until_ms;
        nobody(self, leaf, PLAN_NO_SOURCE, found->none->reason);
    } else if (found->other_version != NULL) {
        text_format(reason, sizeof reason, "no source delivers version %s; %s delivers %s", wanted,
                    found->other_version->id,
                    found->other_version->versions == 0 ? "none by name"
                                                        : found->other_version->version[0]);
        nobody(self, leaf, PLAN_NO_VERSION, reason);
    } else if (below->count > 0) {
        ask(self, leaf, leaf->type->id, TERRITORY,
            "It is delivered by smaller territories: about which one is it?", PLAN_CODES_TERRITORY);
    } else {
        nobody(self, leaf, PLAN_NO_SOURCE, "no source is registered");
    }
}

static void fill_leaf(struct making *self, struct plan_leaf *leaf)
{
    struct candidates found = {0};
    const char *type = leaf->type->id;
    const char *territory = answer_about(self, type, TERRITORY);
    const char *wanted = answer_about(self, type, VERSION);
    leaf->version = leaf->path = leaf->need = leaf->question = leaf->codes = leaf->reason = "";
    if (territory[0] == '\0')
        territory = self->plan->territory;
    if (wanted[0] == '\0')
        wanted = self->question->version;
    if (!territory_fits(self->directory, territory)) {
        ask(self, leaf, type, TERRITORY, "That is no territory: about which one is it?",
            PLAN_CODES_TERRITORY);
        return;
    }
    find(self, type, territory, wanted, &found);
    const struct directory_source *source = chosen(self, &found, type);
    if (source != NULL)
        make_ready(self, leaf, source, territory, wanted);
    else if (found.count > 0)
        ask_which(self, leaf, &found);
    else
        say_none(self, leaf, &found, territory, wanted);
}

// --- ways and requirements ----------------------------------------------------------------------

static fault make_way(struct making *self, const struct evidence_list *list, struct plan_way *way)
{
    way->leaves = list->types;
    way->leaf = arena_make(&self->plan->memory, list->types * sizeof *way->leaf);
    way->state = PLAN_READY;
    self->plan->leaves += list->types;
    if (self->plan->leaves > PLAN_LEAVES_MAX)
        return RAISE(PLAN_NEEDS,
                     "%.100s needs more than %d sorts of evidence, in all ways: for which "
                     "requirement is it? Answer with requirement, one at a time",
                     self->plan->procedure->id, PLAN_LEAVES_MAX);
    for (size_t i = 0; i < list->types; i++) {
        way->leaf[i].type = list->type[i];
        fill_leaf(self, &way->leaf[i]);
        if (way->leaf[i].state > way->state)
            way->state = way->leaf[i].state;
    }
    return DONE;
}

static fault make_requirement(struct making *self, const struct directory_need *need,
                              struct plan_requirement *out)
{
    const struct directory_satisfaction *satisfaction =
        once_only_evidence_for(self->directory, need->requirement->id, self->plan->territory);
    out->requirement = need->requirement;
    out->ask_citizen = need->ask_citizen;
    out->satisfaction = satisfaction;
    out->state = PLAN_NO_MATCH;
    if (satisfaction == NULL)
        return DONE;
    out->way = arena_make(&self->plan->memory, (satisfaction->lists + 1) * sizeof *out->way);
    for (; out->ways < satisfaction->lists; out->ways++) {
        struct plan_way *way = &out->way[out->ways];
        TRY(make_way(self, &satisfaction->list[out->ways], way));
        if (way->state < out->state)
            out->state = way->state;
    }
    return DONE;
}

static fault make_all(struct making *self)
{
    const struct directory_procedure *procedure = self->plan->procedure;
    const char *wanted = self->question->requirement;
    struct plan *plan = self->plan;
    plan->requirement =
        arena_make(&plan->memory, (procedure->needs + 1) * sizeof *plan->requirement);
    for (size_t i = 0; i < procedure->needs; i++)
        if (wanted == NULL || wanted[0] == '\0' ||
            strcmp(procedure->need[i].requirement->id, wanted) == 0)
            TRY(make_requirement(self, &procedure->need[i],
                                 &plan->requirement[plan->requirements++]));
    return plan->requirements == 0 && wanted != NULL && wanted[0] != '\0'
               ? RAISE(REQUIREMENT_UNKNOWN, "%.100s does not need %.100s", procedure->id, wanted)
               : DONE;
}

// --- the whole ----------------------------------------------------------------------------------

/* Where it is asked for: one of the procedure's territories, or in one of them. */
static fault choose_territory(struct making *self)
{
    const struct directory_procedure *procedure = self->plan->procedure;
    const char *territory = self->question->territory;
    if (territory[0] == '\0' && procedure->territories == 1)
        territory = procedure->territory[0];
    if (territory[0] == '\0')
        return RAISE(PLAN_NEEDS,
                     "in which territory is %.100s asked for? Answer with territory, "
                     "a code of " PLAN_CODES_TERRITORY,
                     procedure->id);
    if (!territory_fits(self->directory, territory))
        return RAISE(BAD_QUESTION, "a territory is the country, two digits of a department or five "
                                   "of a municipality");
    bool fits = procedure->territories == 0;
    for (size_t i = 0; !fits && i < procedure->territories; i++)
        fits = territory_within(self->directory, territory, procedure->territory[i]);
    if (!fits)
        return RAISE(BAD_QUESTION, "%.100s is not asked for in %s", procedure->id, territory);
    self->plan->territory = keep(self, territory);
    return DONE;
}

static fault check_subject(const struct directory_procedure *procedure, enum subject_kind kind)
{
    bool fits = kind == 0 || kind == procedure->subject || procedure->subject == SUBJECT_ANYBODY;
    return fits ? DONE
                : RAISE(BAD_QUESTION, "%.100s is for another kind of subject: %s", procedure->id,
                        subject_kind_word(procedure->subject));
}

fault plan_make_of(const struct directory *directory, const struct directory_procedure *procedure,
                   const struct plan_question *question, struct plan **out)
{
    OWNED(plan) plan = owned_new(sizeof *plan);
    struct making making = {directory, question, plan};
    plan->procedure = procedure;
    TRY(check_subject(procedure, question->subject));
    TRY(choose_territory(&making));
    TRY(make_all(&making));
    *out = TAKE(plan);
    return DONE;
}

fault plan_make(const struct directory *directory, const struct plan_question *question,
                struct plan **out)
{
    const struct directory_procedure *procedure =
        directory_procedure(directory, span_of_text(question->procedure));
    if (procedure == NULL)
        return RAISE(PROCEDURE_UNKNOWN, "%.100s", question->procedure);
    return plan_make_of(directory, procedure, question, out);
}

void plan_free(struct plan **self)
{
    if (*self == NULL)
        return;
    arena_clear(&(*self)->memory);
    free(*self);
    *self = NULL;
}

const char *plan_state_word(enum plan_state state)
{
    static const char *const words[PLAN_STATES_END] = {[PLAN_READY] = "READY",
                                                       [PLAN_NEED] = "NEED",
                                                       [PLAN_NO_SOURCE] = "NO_SOURCE",
                                                       [PLAN_NO_VERSION] = "NO_VERSION",
                                                       [PLAN_NO_MATCH] = "NO_MATCH"};
    return state > 0 && state < PLAN_STATES_END ? words[state] : "UNKNOWN";
}

// --- paths --------------------------------------------------------------------------------------

static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("-._~", c) != NULL;
}

static bool put(char *out, size_t room, size_t *used, char c)
{
    if (*used + 1 >= room)
        return false;
    out[(*used)++] = c;
    return true;
}

/* A dot alone would be a part of a path with a meaning: it is escaped too. */
static bool put_escaped(char *out, size_t room, size_t *used, const char *value)
{
    static const char digits[] = "0123456789ABCDEF";
    bool fits = true;
    for (const unsigned char *c = (const unsigned char *)value; fits && *c != '\0'; c++) {
        if (is_unreserved(*c) && *c != '.')
            fits = put(out, room, used, (char)*c);
        else
            fits = put(out, room, used, '%') && put(out, room, used, digits[*c >> 4]) &&
                   put(out, room, used, digits[*c & 15]);
    }
    return fits;
}

fault plan_fill(const char *path, const char *(*value)(void *owner, struct span name), void *owner,
                char *out, size_t room)
{
    size_t used = 0;
    bool fits = true;
    for (const char *at = path; fits && *at != '\0';) {
        const char *end = *at == '{' ? strchr(at, '}') : NULL;
        const char *text =
            end == NULL ? NULL : value(owner, span_of(at + 1, (size_t)(end - at - 1)));
        if (text == NULL) {
            fits = put(out, room, &used, *at++);
        } else {
            fits = put_escaped(out, room, &used, text);
            at = end + 1;
        }
    }
    out[used] = '\0';
    return fits ? DONE : RAISE(BAD_QUESTION, "the request's path would be too long");
}
