// SPDX-License-Identifier: MIT
#include "lib/bus/register_file.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/once_only.h"

#include "directory.pb-c.h"

#include <jansson.h>
#include <stdio.h>
#include <time.h>

#define LIST_MAX 64 /* texts in one list, whatever it is of */
#define DAY_MS INT64_C(86400000)
#define BAD(...) RAISE(BAD_REQUEST, __VA_ARGS__)

_Static_assert(LIST_MAX >= PROCEDURE_TERRITORIES_MAX && LIST_MAX >= SATISFACTION_TYPES_MAX &&
                   LIST_MAX >= PROCEDURE_REQUIREMENTS_MAX && LIST_MAX >= DIRECTORY_LEGAL_BASES_MAX,
               "whatever a register holds fits");

struct reading {
    const struct directory *state;
    int64_t now_ms;
    register_file_take *take;
    void *owner;
    char place[64]; /* "procedures[3]" */
    const json_t *at;
};

struct texts {
    size_t count;
    char *text[LIST_MAX];
};

/* protobuf-c wants writable text and only reads it. */
static char *lend(const char *text)
{
    return (char *)(uintptr_t)text;
}

// --- fields -------------------------------------------------------------------------------------

/* Only what is known: a field that is misspelt would be lost in silence. */
static fault check_names(const struct reading *self, const json_t *object, const char *known)
{
    const char *name = NULL;
    json_t *value = NULL;
    char wanted[80];
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        text_format(wanted, sizeof wanted, " %s ", name);
        if (strstr(known, wanted) == NULL)
            return BAD("%s: there is no field %.60s; there are%s", self->place, name, known);
    }
    return DONE;
}

static fault text_of(const struct reading *self, const json_t *object, const char *name, bool must,
                     char **out)
{
    const json_t *value = json_object_get(object, name);
    *out = lend("");
    if (value == NULL)
        return must ? BAD("%s: %s is missing", self->place, name) : DONE;
    if (!json_is_string(value))
        return BAD("%s: %s is no text; codes are texts too, with their zeros: \"05001\"",
                   self->place, name);
    if (strlen(json_string_value(value)) != json_string_length(value))
        return BAD("%s: %s has a zero byte", self->place, name);
    *out = lend(json_string_value(value));
    return DONE;
}

static fault texts_of(const struct reading *self, const json_t *list, const char *name,
                      struct texts *out)
{
    out->count = 0;
    if (list == NULL)
        return DONE;
    if (!json_is_array(list) || json_array_size(list) > LIST_MAX)
        return BAD("%s: %s is no list of at most %d texts", self->place, name, LIST_MAX);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *value = json_array_get(list, i);
        if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
            return BAD("%s: %s holds something that is no text", self->place, name);
        out->text[out->count++] = lend(json_string_value(value));
    }
    return DONE;
}

static fault list_of(const struct reading *self, const char *name, struct texts *out)
{
    return texts_of(self, json_object_get(self->at, name), name, out);
}

/* A day, UTC; its beginning, or (until) its end. */
static fault day_of(const struct reading *self, const char *name, bool end, int64_t *out_ms)
{
    char *text = NULL, again[32];
    struct tm day = {0};
    TRY(text_of(self, self->at, name, false, &text));
    *out_ms = 0;
    if (text[0] == '\0')
        return DONE;
    if (strlen(text) == 10 &&
        sscanf(text, "%4d-%2d-%2d", &day.tm_year, &day.tm_mon, &day.tm_mday) == 3) {
        day.tm_year -= 1900;
        day.tm_mon -= 1;
        *out_ms = (int64_t)timegm(&day) * 1000;
        clock_text(*out_ms, again, sizeof again);
        if (strncmp(again, text, 10) == 0) {
            *out_ms += end ? DAY_MS : 0;
            return DONE;
        }
    }
    return BAD("%s: %s is no day as YYYY-MM-DD", self->place, name);
}

static fault give(const struct reading *self, Chaski__Act *act, const char *noun, const char *id)
{
    char what[WORD_BYTES_MAX + 40];
    text_format(what, sizeof what, "%s %s", noun, id);
    return self->take(self->owner, act, what);
}

// --- each kind ----------------------------------------------------------------------------------

static fault take_requirement(struct reading *self)
{
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__RequirementSet set = CHASKI__REQUIREMENT_SET__INIT;
    TRY(check_names(self, self->at, " id name fact "));
    TRY(text_of(self, self->at, "id", true, &set.id));
    TRY(text_of(self, self->at, "name", true, &set.name));
    TRY(text_of(self, self->at, "fact", false, &set.fact));
    act.act_case = CHASKI__ACT__ACT_REQUIREMENT_SET;
    act.requirement_set = &set;
    return give(self, &act, "requirement", set.id);
}

static fault take_evidence_type(struct reading *self)
{
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__EvidenceTypeSet set = CHASKI__EVIDENCE_TYPE_SET__INIT;
    struct texts versions;
    char *sensitivity = NULL;
    const json_t *days = json_object_get(self->at, "days_max");
    TRY(check_names(self, self->at, " id title versions sensitivity days_max "));
    TRY(text_of(self, self->at, "id", true, &set.id));
    TRY(text_of(self, self->at, "title", true, &set.title));
    TRY(text_of(self, self->at, "sensitivity", true, &sensitivity));
    TRY(list_of(self, "versions", &versions));
    set.sensitivity = (Chaski__Sensitivity)sensitivity_of(sensitivity);
    if (set.sensitivity == CHASKI__SENSITIVITY__SENSITIVITY_NONE)
        return BAD("%s: sensitivity is public, classified or reserved", self->place);
    if (days != NULL && (!json_is_integer(days) || json_integer_value(days) < 0 ||
                         json_integer_value(days) > EVIDENCE_DAYS_MAX))
        return BAD("%s: days_max is a number up to %d", self->place, EVIDENCE_DAYS_MAX);
    set.days_max = (uint32_t)json_integer_value(days);
    set.n_version = versions.count;
    set.version = versions.text;
    act.act_case = CHASKI__ACT__ACT_EVIDENCE_TYPE_SET;
    act.evidence_type_set = &set;
    return give(self, &act, "evidence", set.id);
}

struct needs {
    size_t count;
    Chaski__ProcedureRequirement need[LIST_MAX], *pointer[LIST_MAX];
};

/* The form asks the citizen for those of `ask_citizen`, which stand among `requirements` too. */
static fault fill_needs(const struct reading *self, struct needs *out)
{
    struct texts requirements, asked;
    size_t found = 0;
    TRY(list_of(self, "requirements", &requirements));
    TRY(list_of(self, "ask_citizen", &asked));
    out->count = requirements.count;
    for (size_t i = 0; i < requirements.count; i++) {
        chaski__procedure_requirement__init(&out->need[i]);
        out->need[i].requirement = requirements.text[i];
        for (size_t k = 0; k < asked.count; k++)
            if (strcmp(asked.text[k], requirements.text[i]) == 0) {
                out->need[i].ask_citizen = true;
                found++;
            }
        out->pointer[i] = &out->need[i];
    }
    return found == asked.count
               ? DONE
               : BAD("%s: ask_citizen names what is not among its requirements", self->place);
}

static fault fill_procedure(struct reading *self, Chaski__ProcedureSet *set)
{
    char *subject = NULL;
    int64_t since_ms = 0;
    TRY(check_names(self, self->at,
                    " id number title owner territories legal_bases requirements ask_citizen "
                    "subject purpose since "));
    TRY(text_of(self, self->at, "id", true, &set->id));
    TRY(text_of(self, self->at, "number", false, &set->number));
    TRY(text_of(self, self->at, "title", true, &set->title));
    TRY(text_of(self, self->at, "owner", true, &set->owner));
    TRY(text_of(self, self->at, "purpose", false, &set->purpose));
    TRY(text_of(self, self->at, "subject", false, &subject));
    TRY(day_of(self, "since", false, &since_ms));
    set->subject = (Chaski__SubjectKind)subject_kind_of(subject[0] == '\0' ? "anybody" : subject);
    if (set->subject == CHASKI__SUBJECT_KIND__SUBJECT_NONE)
        return BAD("%s: subject is anybody, person or firm", self->place);
    const struct directory_procedure *now = directory_procedure(self->state, span_of_text(set->id));
    set->since_ms = (uint64_t)(since_ms != 0 ? since_ms
                               : now != NULL ? now->since_ms
                                             : self->now_ms);
    return DONE;
}

static fault take_procedure(struct reading *self)
{
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__ProcedureSet set = CHASKI__PROCEDURE_SET__INIT;
    struct texts territories, bases;
    struct needs needs;
    TRY(fill_procedure(self, &set));
    TRY(list_of(self, "territories", &territories));
    TRY(list_of(self, "legal_bases", &bases));
    TRY(fill_needs(self, &needs));
    set.n_territory = territories.count;
    set.territory = territories.text;
    set.n_legal_basis_id = bases.count;
    set.legal_basis_id = bases.text;
    set.n_requirement = needs.count;
    set.requirement = needs.pointer;
    act.act_case = CHASKI__ACT__ACT_PROCEDURE_SET;
    act.procedure_set = &set;
    return give(self, &act, "procedure", set.id);
}

/* any_of: a list of lists. It must stand there: an empty one says that nothing satisfies it. */
static fault take_satisfaction(struct reading *self)
{
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__SatisfactionSet set = CHASKI__SATISFACTION_SET__INIT;
    Chaski__EvidenceList list[SATISFACTION_LISTS_MAX], *pointer[SATISFACTION_LISTS_MAX];
    struct texts types[SATISFACTION_LISTS_MAX];
    const json_t *any_of = json_object_get(self->at, "any_of");
    TRY(check_names(self, self->at, " id requirement territory any_of "));
    TRY(text_of(self, self->at, "id", true, &set.id));
    TRY(text_of(self, self->at, "requirement", true, &set.requirement));
    TRY(text_of(self, self->at, "territory", true, &set.territory));
    if (!json_is_array(any_of) || json_array_size(any_of) > SATISFACTION_LISTS_MAX)
        return BAD("%s: any_of is a list of at most %d lists", self->place, SATISFACTION_LISTS_MAX);
    for (; set.n_list < json_array_size(any_of); set.n_list++) {
        size_t i = set.n_list;
        TRY(texts_of(self, json_array_get(any_of, i), "any_of", &types[i]));
        chaski__evidence_list__init(&list[i]);
        list[i].n_evidence_type = types[i].count;
        list[i].evidence_type = types[i].text;
        pointer[i] = &list[i];
    }
    set.list = pointer;
    act.act_case = CHASKI__ACT__ACT_SATISFACTION_SET;
    act.satisfaction_set = &set;
    return give(self, &act, "satisfaction", set.id);
}

struct selectors {
    size_t count;
    Chaski__SourceSelector selector[SOURCE_SELECTORS_MAX], *pointer[SOURCE_SELECTORS_MAX];
};

static fault fill_selectors(const struct reading *self, struct selectors *out)
{
    const json_t *list = json_object_get(self->at, "selectors");
    out->count = 0;
    if (list == NULL)
        return DONE;
    if (!json_is_array(list) || json_array_size(list) > SOURCE_SELECTORS_MAX)
        return BAD("%s: selectors is a list of at most %d", self->place, SOURCE_SELECTORS_MAX);
    for (; out->count < json_array_size(list); out->count++) {
        const json_t *one = json_array_get(list, out->count);
        Chaski__SourceSelector *to = &out->selector[out->count];
        chaski__source_selector__init(to);
        TRY(check_names(self, one, " name question codes "));
        TRY(text_of(self, one, "name", true, &to->name));
        TRY(text_of(self, one, "question", true, &to->question));
        TRY(text_of(self, one, "codes", false, &to->code_list));
        out->pointer[out->count] = to;
    }
    return DONE;
}

static fault fill_source(struct reading *self, Chaski__SourceSet *set)
{
    int64_t since_ms = 0, until_ms = 0;
    TRY(check_names(self, self->at,
                    " id evidence_type territory service path selectors versions basis none until "
                    "since "));
    TRY(text_of(self, self->at, "id", true, &set->id));
    TRY(text_of(self, self->at, "evidence_type", true, &set->evidence_type));
    TRY(text_of(self, self->at, "territory", true, &set->territory));
    TRY(text_of(self, self->at, "service", false, &set->service));
    TRY(text_of(self, self->at, "path", false, &set->path));
    TRY(text_of(self, self->at, "basis", false, &set->basis));
    TRY(text_of(self, self->at, "none", false, &set->reason));
    TRY(day_of(self, "until", true, &until_ms));
    TRY(day_of(self, "since", false, &since_ms));
    if ((set->service[0] == '\0') == (set->reason[0] == '\0'))
        return BAD("%s: either service, or none with the reason and until", self->place);
    const struct directory_source *now = directory_source(self->state, span_of_text(set->id));
    bool is_same = now != NULL && strcmp(now->service, set->service) == 0;
    set->until_ms = (uint64_t)until_ms;
    set->since_ms = (uint64_t)(since_ms != 0 ? since_ms : is_same ? now->since_ms : self->now_ms);
    return DONE;
}

static fault take_source(struct reading *self)
{
    Chaski__Act act = CHASKI__ACT__INIT;
    Chaski__SourceSet set = CHASKI__SOURCE_SET__INIT;
    struct selectors selectors;
    struct texts versions;
    TRY(fill_source(self, &set));
    TRY(fill_selectors(self, &selectors));
    TRY(list_of(self, "versions", &versions));
    set.n_selector = selectors.count;
    set.selector = selectors.pointer;
    set.n_version = versions.count;
    set.version = versions.text;
    act.act_case = CHASKI__ACT__ACT_SOURCE_SET;
    act.source_set = &set;
    return give(self, &act, "source", set.id);
}

// --- the whole ----------------------------------------------------------------------------------

/* In this order nothing leans on what comes later; and procedures are held against the sources that
 * come with them. */
static const struct {
    const char *name;
    fault (*take)(struct reading *self);
} kinds[] = {{"requirements", take_requirement},
             {"evidence_types", take_evidence_type},
             {"satisfactions", take_satisfaction},
             {"sources", take_source},
             {"procedures", take_procedure}};

#define KINDS (sizeof kinds / sizeof kinds[0])

static fault take_kind(struct reading *self, const json_t *root, size_t kind)
{
    const json_t *list = json_object_get(root, kinds[kind].name);
    if (list != NULL && !json_is_array(list))
        return BAD("%s is no list", kinds[kind].name);
    for (size_t i = 0; i < json_array_size(list); i++) {
        self->at = json_array_get(list, i);
        text_format(self->place, sizeof self->place, "%s[%zu]", kinds[kind].name, i);
        if (!json_is_object(self->at))
            return BAD("%s is no object", self->place);
        TRY(kinds[kind].take(self));
    }
    return DONE;
}

static fault take_all(struct reading *self, const json_t *root)
{
    text_format(self->place, sizeof self->place, "the file");
    if (!json_is_object(root))
        return BAD("the file holds no object");
    TRY(check_names(self, root, " requirements evidence_types satisfactions sources procedures "));
    for (size_t kind = 0; kind < KINDS; kind++)
        TRY(take_kind(self, root, kind));
    return DONE;
}

fault register_file_read(struct span text, const struct directory *state, int64_t now_ms,
                         register_file_take *take, void *owner)
{
    struct reading self = {.state = state, .now_ms = now_ms, .take = take, .owner = owner};
    json_error_t error;
    if (text.size > REGISTER_FILE_BYTES_MAX)
        return BAD("a file of %zu bytes; at most %u", text.size, REGISTER_FILE_BYTES_MAX);
    json_t *root = json_loadb((const char *)text.at, text.size, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        return BAD("no JSON: line %d: %s", error.line, error.text);
    fault f = take_all(&self, root);
    json_decref(root);
    return f;
}
