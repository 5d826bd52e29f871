// SPDX-License-Identifier: MIT
#include "registry/show_rights.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "registry/show_list.h"

#define WALK(kind)                                                                  \
    static const void *next_##kind(const struct directory *directory, size_t *step) \
    {                                                                               \
        return directory_next_##kind(directory, step);                              \
    }
WALK(legal_basis)
WALK(purpose)
WALK(group)
WALK(competence)
WALK(restriction)
WALK(grant)
WALK(sealing)
WALK(subject_key)

// --- for people ---------------------------------------------------------------------------------

static void print_until(int64_t until_ms, FILE *out)
{
    char until[32];
    clock_text(until_ms, until, sizeof until);
    if (until_ms < INT64_MAX)
        fprintf(out, " until %s", until);
}

static void print_legal_basis(const void *thing, int width, FILE *out)
{
    const struct directory_legal_basis *at = thing;
    fprintf(out, "  %-*s  %s%s%s\n", width, at->id, at->norm, at->article[0] == '\0' ? "" : ", ",
            at->article);
}

static void print_purpose(const void *thing, int width, FILE *out)
{
    const struct directory_purpose *at = thing;
    fprintf(out, "  %-*s  %s (%s)\n", width, at->id, at->title, at->legal_basis);
}

static void print_group(const void *thing, int width, FILE *out)
{
    const struct directory_group *at = thing;
    fprintf(out, "  %-*s  %s:", width, at->id, at->title);
    for (size_t i = 0; i < at->members; i++)
        fprintf(out, " %s", at->member[i]);
    fputc('\n', out);
}

static void print_competence(const void *thing, int width, FILE *out)
{
    const struct directory_competence *at = thing;
    fprintf(out, "  %-*s  %s may claim %s", width, at->id, at->consumer, at->purpose);
    print_until(at->until_ms, out);
    fprintf(out, " (%s)\n", at->legal_basis);
}

static void print_list(const char *before, const char *const *texts, size_t count, FILE *out)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s %s", i == 0 ? before : ",", texts[i]);
}

static void print_restriction(const void *thing, int width, FILE *out)
{
    const struct directory_restriction *at = thing;
    fprintf(out, "  %-*s  %s needs a grant for %s", width, at->id,
            at->consumer[0] == '\0' ? "everybody" : at->consumer, at->service);
    print_list(" endpoint", at->endpoint, at->endpoints, out);
    print_list(" column", at->column, at->columns, out);
    print_until(at->until_ms, out);
    fprintf(out, " (%s%s: %s; %s)\n", directory_ground_word(at->ground),
            at->by_law ? ", by law" : "", at->reason, at->approver);
}

static void print_grant(const void *thing, int width, FILE *out)
{
    const struct directory_grant *at = thing;
    fprintf(out, "  %-*s  %s may use %s", width, at->id, at->consumer, at->service);
    print_list(" endpoint", at->endpoint, at->endpoints, out);
    print_list(" column", at->column, at->columns, out);
    print_list(" for", at->purpose, at->purposes, out);
    fputs(at->purposes == 0 ? " for any purpose" : "", out);
    if (at->volume_a_day > 0)
        fprintf(out, ", %u a day", at->volume_a_day);
    print_until(at->until_ms, out);
    fprintf(out, " (%s)\n", at->legal_basis);
}

static void print_sealing(const void *thing, int width, FILE *out)
{
    const struct directory_sealing *at = thing;
    fprintf(out, "  %-*s  %s may seal exchanges for %s for %u days", width, at->id, at->consumer,
            at->purpose, at->days_max);
    print_until(at->until_ms, out);
    fprintf(out, " (%s)\n", at->legal_basis);
}

static void print_subject_key(const void *thing, int width, FILE *out)
{
    const struct directory_subject_key *at = thing;
    char hex[2 * SHA256_BYTES + 1];
    text_hex(sha256_span(&at->commitment), hex, sizeof hex);
    fprintf(out, "  %-*s  %s%s\n", width, at->id, hex, at->destroyed ? " (destroyed)" : "");
}

// --- for programs -------------------------------------------------------------------------------

static json_t *texts_json(const char *const *texts, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_string(texts[i]));
    return array;
}

static json_t *time_json(int64_t ms)
{
    char text[32];
    if (ms == INT64_MAX)
        return json_null();
    clock_text(ms, text, sizeof text);
    return json_string(text);
}

static json_t *legal_basis_json(const void *thing)
{
    const struct directory_legal_basis *at = thing;
    return json_pack("{s:s,s:s,s:s,s:s,s:o}", "id", at->id, "norm", at->norm, "article",
                     at->article, "text", at->text, "topics", texts_json(at->topic, at->topics));
}

static json_t *purpose_json(const void *thing)
{
    const struct directory_purpose *at = thing;
    return json_pack("{s:s,s:s,s:s,s:o,s:s,s:s}", "id", at->id, "title", at->title, "legal_basis",
                     at->legal_basis, "legal_bases",
                     texts_json(at->legal_basis_id, at->legal_bases), "procedure", at->procedure,
                     "function", at->function);
}

static json_t *group_json(const void *thing)
{
    const struct directory_group *at = thing;
    return json_pack("{s:s,s:s,s:o}", "id", at->id, "title", at->title, "members",
                     texts_json(at->member, at->members));
}

static json_t *competence_json(const void *thing)
{
    const struct directory_competence *at = thing;
    return json_pack("{s:s,s:s,s:s,s:s,s:o}", "id", at->id, "consumer", at->consumer, "purpose",
                     at->purpose, "legal_basis", at->legal_basis, "until", time_json(at->until_ms));
}

static json_t *restriction_json(const void *thing)
{
    const struct directory_restriction *at = thing;
    return json_pack("{s:s,s:s,s:s,s:s,s:b,s:s,s:s,s:o,s:o,s:o,s:o}", "id", at->id, "service",
                     at->service, "consumer", at->consumer, "ground",
                     directory_ground_word(at->ground), "by_law", at->by_law, "reason", at->reason,
                     "approver", at->approver, "from", time_json(at->from_ms), "until",
                     time_json(at->until_ms), "endpoints", texts_json(at->endpoint, at->endpoints));
}

static json_t *grant_json(const void *thing)
{
    const struct directory_grant *at = thing;
    return json_pack("{s:s,s:s,s:s,s:o,s:s,s:o,s:o,s:o}", "id", at->id, "service", at->service,
                     "consumer", at->consumer, "purposes", texts_json(at->purpose, at->purposes),
                     "legal_basis", at->legal_basis, "until", time_json(at->until_ms), "endpoints",
                     texts_json(at->endpoint, at->endpoints), "columns",
                     texts_json(at->column, at->columns));
}

static json_t *sealing_json(const void *thing)
{
    const struct directory_sealing *at = thing;
    return json_pack("{s:s,s:s,s:s,s:s,s:i,s:o}", "id", at->id, "consumer", at->consumer, "purpose",
                     at->purpose, "legal_basis", at->legal_basis, "days_max", (int)at->days_max,
                     "until", time_json(at->until_ms));
}

static json_t *subject_key_json(const void *thing)
{
    const struct directory_subject_key *at = thing;
    char hex[2 * SHA256_BYTES + 1];
    text_hex(sha256_span(&at->commitment), hex, sizeof hex);
    return json_pack("{s:i,s:s,s:b}", "year", (int)at->year, "commitment", hex, "destroyed",
                     at->destroyed);
}

// --- all ----------------------------------------------------------------------------------------

static const struct {
    const char *title, *name;
    show_next *next;
    void (*print)(const void *thing, int width, FILE *out);
    json_t *(*json)(const void *thing);
} kinds[] = {
    {"LEGAL BASES", "legal_bases", next_legal_basis, print_legal_basis, legal_basis_json},
    {"PURPOSES", "purposes", next_purpose, print_purpose, purpose_json},
    {"GROUPS", "groups", next_group, print_group, group_json},
    {"COMPETENCES", "competences", next_competence, print_competence, competence_json},
    {"RESTRICTIONS", "restrictions", next_restriction, print_restriction, restriction_json},
    {"GRANTS", "grants", next_grant, print_grant, grant_json},
    {"SEALINGS", "sealings", next_sealing, print_sealing, sealing_json},
    {"KEYS OF PSEUDONYMS", "subject_keys", next_subject_key, print_subject_key, subject_key_json},
};

void show_rights(const struct directory *directory, FILE *out)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        OWNED(show_list) list = show_list_of(directory, kinds[i].next);
        fprintf(out, "\n%s (%zu)\n", kinds[i].title, list->count);
        for (size_t k = 0; k < list->count; k++)
            kinds[i].print(list->at[k], show_width(list), out);
    }
}

json_t *show_rights_json(const struct directory *directory)
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
