// SPDX-License-Identifier: MIT
#include "registry/show_once_only.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/once_only.h"
#include "registry/show_list.h"

#define WALK(kind)                                                                  \
    static const void *next_##kind(const struct directory *directory, size_t *step) \
    {                                                                               \
        return directory_next_##kind(directory, step);                              \
    }
WALK(requirement)
WALK(evidence_type)
WALK(satisfaction)
WALK(source)
WALK(procedure)

// --- for people ---------------------------------------------------------------------------------

static void print_requirement(const void *thing, int width, FILE *out)
{
    const struct directory_requirement *at = thing;
    fprintf(out, "  %-*s  %s\n", width, at->id, at->name);
}

static void print_evidence_type(const void *thing, int width, FILE *out)
{
    const struct directory_evidence_type *at = thing;
    fprintf(out, "  %-*s  %s (%s)\n", width, at->id, at->title, sensitivity_word(at->sensitivity));
}

static void print_satisfaction(const void *thing, int width, FILE *out)
{
    const struct directory_satisfaction *at = thing;
    fprintf(out, "  %-*s  %s in %s:%s", width, at->id, at->requirement->id, at->territory,
            at->lists == 0 ? " nothing proves it" : "");
    for (size_t i = 0; i < at->lists; i++) {
        fputs(i == 0 ? "" : " or", out);
        for (size_t k = 0; k < at->list[i].types; k++)
            fprintf(out, "%s %s", k == 0 ? "" : " and", at->list[i].type[k]->id);
    }
    fputc('\n', out);
}

static void print_source(const void *thing, int width, FILE *out)
{
    const struct directory_source *at = thing;
    char until[32];
    fprintf(out, "  %-*s  %s in %s: ", width, at->id, at->type->id, at->territory);
    clock_text(at->until_ms, until, sizeof until);
    if (at->service[0] == '\0')
        fprintf(out, "nobody until %s (%s)\n", until, at->reason);
    else
        fprintf(out, "%s%s\n", at->service, at->path);
}

static void print_procedure(const void *thing, int width, FILE *out)
{
    const struct directory_procedure *at = thing;
    fprintf(out, "  %-*s  %s, of %s:", width, at->id, at->title, at->owner);
    for (size_t i = 0; i < at->needs; i++)
        fprintf(out, " %s%s", at->need[i].requirement->id,
                at->need[i].ask_citizen ? " (asks the citizen)" : "");
    fputc('\n', out);
}

// --- for programs -------------------------------------------------------------------------------

static json_t *texts_json(const char *const *texts, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_string(texts[i]));
    return array;
}

static void set_day(json_t *object, const char *name, int64_t ms)
{
    char text[32];
    clock_text(ms, text, sizeof text);
    text[10] = '\0';
    if (ms != 0)
        json_object_set_new(object, name, json_string(text));
}

static json_t *requirement_json(const void *thing)
{
    const struct directory_requirement *at = thing;
    return json_pack("{s:s,s:s,s:s}", "id", at->id, "name", at->name, "fact", at->fact);
}

static json_t *evidence_type_json(const void *thing)
{
    const struct directory_evidence_type *at = thing;
    return json_pack("{s:s,s:s,s:o,s:s,s:i}", "id", at->id, "title", at->title, "versions",
                     texts_json(at->version, at->versions), "sensitivity",
                     sensitivity_word(at->sensitivity), "days_max", (int)at->days_max);
}

static json_t *satisfaction_json(const void *thing)
{
    const struct directory_satisfaction *at = thing;
    json_t *lists = json_array();
    for (size_t i = 0; i < at->lists; i++) {
        json_t *list = json_array();
        for (size_t k = 0; k < at->list[i].types; k++)
            json_array_append_new(list, json_string(at->list[i].type[k]->id));
        json_array_append_new(lists, list);
    }
    return json_pack("{s:s,s:s,s:s,s:o}", "id", at->id, "requirement", at->requirement->id,
                     "territory", at->territory, "any_of", lists);
}

static json_t *source_json(const void *thing)
{
    const struct directory_source *at = thing;
    json_t *selectors = json_array();
    json_t *object = json_pack("{s:s,s:s,s:s,s:s}", "id", at->id, "evidence_type", at->type->id,
                               "territory", at->territory, "basis", at->basis);
    for (size_t i = 0; i < at->selectors; i++)
        json_array_append_new(selectors, json_pack("{s:s,s:s,s:s}", "name", at->selector[i].name,
                                                   "question", at->selector[i].question, "codes",
                                                   at->selector[i].code_list));
    if (at->service[0] == '\0') {
        json_object_set_new(object, "none", json_string(at->reason));
        set_day(object, "until", at->until_ms - 1); /* the last day of it */
        json_decref(selectors);
    } else {
        json_object_set_new(object, "service", json_string(at->service));
        json_object_set_new(object, "path", json_string(at->path));
        json_object_set_new(object, "selectors", selectors);
        json_object_set_new(object, "versions", texts_json(at->version, at->versions));
    }
    set_day(object, "since", at->since_ms);
    return object;
}

static json_t *procedure_json(const void *thing)
{
    const struct directory_procedure *at = thing;
    json_t *requirements = json_array(), *asked = json_array();
    for (size_t i = 0; i < at->needs; i++) {
        json_array_append_new(requirements, json_string(at->need[i].requirement->id));
        if (at->need[i].ask_citizen)
            json_array_append_new(asked, json_string(at->need[i].requirement->id));
    }
    json_t *object = json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:s,s:s}", "id", at->id, "number",
                               at->number, "title", at->title, "owner", at->owner, "territories",
                               texts_json(at->territory, at->territories), "legal_bases",
                               texts_json(at->legal_basis_id, at->legal_bases), "requirements",
                               requirements, "ask_citizen", asked, "subject",
                               subject_kind_word(at->subject), "purpose", at->purpose);
    set_day(object, "since", at->since_ms);
    return object;
}

// --- all ----------------------------------------------------------------------------------------

static const struct {
    const char *title, *name;
    show_next *next;
    void (*print)(const void *thing, int width, FILE *out);
    json_t *(*json)(const void *thing);
} kinds[] = {
    {"REQUIREMENTS", "requirements", next_requirement, print_requirement, requirement_json},
    {"EVIDENCE", "evidence_types", next_evidence_type, print_evidence_type, evidence_type_json},
    {"SATISFACTIONS", "satisfactions", next_satisfaction, print_satisfaction, satisfaction_json},
    {"SOURCES", "sources", next_source, print_source, source_json},
    {"PROCEDURES", "procedures", next_procedure, print_procedure, procedure_json},
};

void show_once_only(const struct directory *directory, FILE *out)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        OWNED(show_list) list = show_list_of(directory, kinds[i].next);
        if (list->count == 0)
            continue;
        fprintf(out, "\n%s (%zu)\n", kinds[i].title, list->count);
        for (size_t k = 0; k < list->count; k++)
            kinds[i].print(list->at[k], show_width(list), out);
    }
}

json_t *show_once_only_json(const struct directory *directory)
{
    json_t *all = json_object();
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        OWNED(show_list) list = show_list_of(directory, kinds[i].next);
        json_t *array = json_array();
        for (size_t k = 0; k < list->count; k++)
            json_array_append_new(array, kinds[i].json(list->at[k]));
        json_object_set_new(all, kinds[i].name, array);
    }
    return all;
}
