// SPDX-License-Identifier: MIT
#include "registry/act_said_once_only.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/once_only.h"

#include "directory.pb-c.h"

#include <stdio.h>

static void say_texts(FILE *out, const char *what, char *const *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%s", i == 0 ? what : " ", text[i]);
}

static void say_procedure(FILE *out, const Chaski__ProcedureSet *act)
{
    fprintf(out, "procedure %s%s%s: %s, of %s, for %s", act->id,
            act->number[0] == '\0' ? "" : ", number ", act->number, act->title, act->owner,
            subject_kind_word((enum subject_kind)act->subject));
    say_texts(out, "; in ", act->territory, act->n_territory);
    for (size_t i = 0; i < act->n_requirement; i++)
        fprintf(out, "%s%s%s", i == 0 ? "; needs " : " ", act->requirement[i]->requirement,
                act->requirement[i]->ask_citizen ? " (ASKS THE CITIZEN)" : "");
    say_texts(out, "; leaning on ", act->legal_basis_id, act->n_legal_basis_id);
    if (act->purpose[0] != '\0')
        fprintf(out, "; purpose %s", act->purpose);
}

static void say_evidence_type(FILE *out, const Chaski__EvidenceTypeSet *act)
{
    fprintf(out, "evidence %s: %s, %s", act->id, act->title,
            sensitivity_word((enum sensitivity)act->sensitivity));
    say_texts(out, "; versions ", act->version, act->n_version);
    if (act->days_max > 0)
        fprintf(out, "; good for %u days", act->days_max);
}

static void say_satisfaction(FILE *out, const Chaski__SatisfactionSet *act)
{
    fprintf(out, "satisfaction %s: in %s the requirement %s is proved by ", act->id, act->territory,
            act->requirement);
    if (act->n_list == 0)
        fputs("NOTHING", out);
    for (size_t i = 0; i < act->n_list; i++) {
        fputs(i == 0 ? "" : ", or by ", out);
        for (size_t k = 0; k < act->list[i]->n_evidence_type; k++)
            fprintf(out, "%s%s", k == 0 ? "" : " and ", act->list[i]->evidence_type[k]);
    }
}

static void say_source(FILE *out, const Chaski__SourceSet *act)
{
    char until[32];
    if (act->service[0] == '\0') {
        clock_text((int64_t)act->until_ms, until, sizeof until);
        fprintf(out, "source %s: in %s NOBODY delivers %s until %s: %s", act->id, act->territory,
                act->evidence_type, until, act->reason);
        return;
    }
    fprintf(out, "source %s: in %s %s is delivered by %s%s", act->id, act->territory,
            act->evidence_type, act->service, act->path);
    for (size_t i = 0; i < act->n_selector; i++)
        fprintf(out, "%s%s", i == 0 ? "; selectors " : " ", act->selector[i]->name);
    say_texts(out, "; versions ", act->version, act->n_version);
    if (act->basis[0] != '\0')
        fprintf(out, " (%s)", act->basis);
}

bool act_said_once_only(const Chaski__Act *act, char *out, size_t room)
{
    FILE *into = fmemopen(out, room, "w");
    bool known = into != NULL;
    switch (known ? act->act_case : CHASKI__ACT__ACT__NOT_SET) {
    case CHASKI__ACT__ACT_PROCEDURE_SET:
        say_procedure(into, act->procedure_set);
        break;
    case CHASKI__ACT__ACT_REQUIREMENT_SET:
        fprintf(into, "requirement %s: %s: %s", act->requirement_set->id,
                act->requirement_set->name, act->requirement_set->fact);
        break;
    case CHASKI__ACT__ACT_EVIDENCE_TYPE_SET:
        say_evidence_type(into, act->evidence_type_set);
        break;
    case CHASKI__ACT__ACT_SATISFACTION_SET:
        say_satisfaction(into, act->satisfaction_set);
        break;
    case CHASKI__ACT__ACT_SOURCE_SET:
        say_source(into, act->source_set);
        break;
    default:
        known = false;
    }
    if (into != NULL)
        fclose(into);
    out[room - 1] = '\0';
    return known;
}

const char *act_said_once_only_noun(const Chaski__Removed *act)
{
    switch (act->what_case) {
    case CHASKI__REMOVED__WHAT_PROCEDURE:
        return "procedure";
    case CHASKI__REMOVED__WHAT_REQUIREMENT:
        return "requirement";
    case CHASKI__REMOVED__WHAT_EVIDENCE_TYPE:
        return "evidence";
    case CHASKI__REMOVED__WHAT_SATISFACTION:
        return "satisfaction";
    case CHASKI__REMOVED__WHAT_SOURCE:
        return "source";
    default:
        return NULL;
    }
}
