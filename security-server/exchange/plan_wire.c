// SPDX-License-Identifier: MIT
#include "security-server/exchange/plan_wire.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"

#include "front.pb-c.h"

#define VERSION ".version"

static char *lend(const char *text)
{
    return (char *)(uintptr_t)(text == NULL ? "" : text);
}

// --- asked --------------------------------------------------------------------------------------

static fault check_word(const char *what, const char *word)
{
    if (strlen(word) > WORD_BYTES_MAX || !text_is_plain(span_of_text(word)))
        return RAISE(BAD_QUESTION, "%s is longer than %d bytes, or not plain text", what,
                     WORD_BYTES_MAX);
    return DONE;
}

static bool is_about_a_version(const char *name)
{
    size_t length = strlen(name), end = strlen(VERSION);
    return length >= end && strcmp(name + length - end, VERSION) == 0;
}

static fault read_known(const Chaski__PlanAsk *ask, bool with_versions,
                        struct plan_question *question, struct plan_answer *answer)
{
    if (ask->n_known > PLAN_ANSWERS_MAX)
        return RAISE(BAD_QUESTION, "more than %d selectors", PLAN_ANSWERS_MAX);
    for (size_t i = 0; i < ask->n_known; i++) {
        TRY(check_word("a selector's name", ask->known[i]->name));
        TRY(check_word("a selector", ask->known[i]->value));
        if (with_versions || !is_about_a_version(ask->known[i]->name))
            answer[question->answers++] =
                (struct plan_answer){ask->known[i]->name, ask->known[i]->value};
    }
    return DONE;
}

fault plan_wire_read(const Chaski__PlanAsk *ask, bool with_versions, struct plan_question *question,
                     struct plan_answer *answer)
{
    TRY(check_word("the procedure", ask->procedure));
    TRY(check_word("the territory", ask->territory));
    TRY(check_word("the version", ask->version));
    TRY(check_word("the requirement", ask->requirement));
    *question = (struct plan_question){.procedure = ask->procedure,
                                       .territory = ask->territory,
                                       .version = with_versions ? ask->version : "",
                                       .requirement = ask->requirement,
                                       .subject = subject_kind_of(ask->subject),
                                       .answer = answer,
                                       .at_ms = clock_wall_ms()};
    if (ask->subject[0] != '\0' && question->subject == 0)
        return RAISE(BAD_QUESTION, "a subject is a person or a firm");
    if (ask->procedure[0] == '\0')
        return RAISE(BAD_QUESTION, "which procedure?");
    return read_known(ask, with_versions, question, answer);
}

// --- answered -----------------------------------------------------------------------------------

static Chaski__PlanLeaf *leaf_of(const struct plan_leaf *from, struct arena *memory)
{
    Chaski__PlanLeaf *to = arena_make(memory, sizeof *to);
    chaski__plan_leaf__init(to);
    to->state = (uint32_t)from->state;
    to->evidence_type = lend(from->type->id);
    to->title = lend(from->type->title);
    to->source = lend(from->source == NULL ? "" : from->source->id);
    to->service = lend(from->source == NULL ? "" : from->source->service);
    to->path = lend(from->path);
    to->version = lend(from->version);
    to->need = lend(from->need);
    to->question = lend(from->question);
    to->codes = lend(from->codes);
    to->reason = lend(from->reason);
    to->until_ms = (uint64_t)from->until_ms;
    to->days_max = from->type->days_max;
    to->sensitivity = lend(sensitivity_word(from->type->sensitivity));
    return to;
}

static Chaski__PlanWay *way_of(const struct plan_way *from, struct arena *memory)
{
    Chaski__PlanWay *to = arena_make(memory, sizeof *to);
    chaski__plan_way__init(to);
    to->state = (uint32_t)from->state;
    to->leaf = arena_make(memory, (from->leaves + 1) * sizeof(Chaski__PlanLeaf *));
    for (; to->n_leaf < from->leaves; to->n_leaf++)
        to->leaf[to->n_leaf] = leaf_of(&from->leaf[to->n_leaf], memory);
    return to;
}

Chaski__PlanRequirement *plan_wire_requirement(const struct plan_requirement *from,
                                               struct arena *memory)
{
    Chaski__PlanRequirement *to = arena_make(memory, sizeof *to);
    chaski__plan_requirement__init(to);
    to->id = lend(from->requirement->id);
    to->name = lend(from->requirement->name);
    to->fact = lend(from->requirement->fact);
    to->state = (uint32_t)from->state;
    to->ask_citizen = from->ask_citizen;
    to->satisfaction = lend(from->satisfaction == NULL ? "" : from->satisfaction->id);
    to->way = arena_make(memory, (from->ways + 1) * sizeof(Chaski__PlanWay *));
    for (; to->n_way < from->ways; to->n_way++)
        to->way[to->n_way] = way_of(&from->way[to->n_way], memory);
    return to;
}

void plan_wire_fill(const struct plan *plan, struct arena *memory, Chaski__PlanAnswer *out)
{
    out->procedure = lend(plan->procedure->id);
    out->number = lend(plan->procedure->number);
    out->title = lend(plan->procedure->title);
    out->owner = lend(plan->procedure->owner);
    out->purpose = lend(plan->procedure->purpose);
    out->territory = lend(plan->territory);
    out->requirement =
        arena_make(memory, (plan->requirements + 1) * sizeof(Chaski__PlanRequirement *));
    for (; out->n_requirement < plan->requirements; out->n_requirement++)
        out->requirement[out->n_requirement] =
            plan_wire_requirement(&plan->requirement[out->n_requirement], memory);
}
