// SPDX-License-Identifier: MIT
#include "gateway/plan_json.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/plan.h"

#include "front.pb-c.h"

const char *plan_json_state(unsigned state)
{
    return plan_state_word((enum plan_state)state);
}

json_t *plan_json_time(unsigned long long ms)
{
    char text[32];
    if (ms == 0)
        return json_null();
    clock_text((int64_t)ms, text, sizeof text);
    return json_string(text);
}

static void set_text(json_t *object, const char *name, const char *text)
{
    if (text[0] != '\0')
        json_object_set_new(object, name, json_string(text));
}

// --- plans --------------------------------------------------------------------------------------

/* What one would send by oneself: the subject's places are still to be filled in. */
static json_t *request_json(const Chaski__PlanLeaf *leaf, const char *procedure,
                            const char *requirement, const char *purpose)
{
    json_t *headers =
        json_pack("{s:s,s:s}", "Chaski-Procedure", procedure, "Chaski-Requirement", requirement);
    set_text(headers, "Chaski-Purpose", purpose);
    return json_pack("{s:s,s:s,s:s+++,s:o}", "method", PLAN_METHOD, "service", leaf->service,
                     "target", "/r1/", leaf->service, leaf->path, "", "headers", headers);
}

static json_t *leaf_json(const Chaski__PlanLeaf *leaf, const char *procedure,
                         const char *requirement, const char *purpose)
{
    json_t *object =
        json_pack("{s:s,s:s,s:s,s:s}", "evidence_type", leaf->evidence_type, "title", leaf->title,
                  "state", plan_json_state(leaf->state), "sensitivity", leaf->sensitivity);
    set_text(object, "source", leaf->source);
    set_text(object, "version", leaf->version);
    if (leaf->days_max > 0)
        json_object_set_new(object, "days_max", json_integer(leaf->days_max));
    if (leaf->state == PLAN_READY)
        json_object_set_new(object, "request", request_json(leaf, procedure, requirement, purpose));
    else if (leaf->state == PLAN_NEED)
        json_object_set_new(object, "need",
                            json_pack("{s:s,s:s,s:s}", "selector", leaf->need, "question",
                                      leaf->question, "codes", leaf->codes));
    else
        json_object_set_new(object, "reason", json_string(leaf->reason));
    if (leaf->until_ms > 0)
        json_object_set_new(object, "until", plan_json_time(leaf->until_ms));
    return object;
}

json_t *plan_json_requirement(const Chaski__PlanRequirement *from, const char *procedure,
                              const char *purpose)
{
    json_t *ways = json_array();
    for (size_t i = 0; i < from->n_way; i++) {
        json_t *leaves = json_array();
        for (size_t k = 0; k < from->way[i]->n_leaf; k++)
            json_array_append_new(leaves,
                                  leaf_json(from->way[i]->leaf[k], procedure, from->id, purpose));
        json_array_append_new(ways,
                              json_pack("{s:s,s:o}", "state", plan_json_state(from->way[i]->state),
                                        "all_of", leaves));
    }
    json_t *object = json_pack("{s:s,s:s,s:s,s:b,s:o}", "id", from->id, "name", from->name, "state",
                               plan_json_state(from->state), "asked_of_citizen", from->ask_citizen,
                               "any_of", ways);
    set_text(object, "fact", from->fact);
    set_text(object, "satisfaction", from->satisfaction);
    return object;
}

json_t *plan_json(const Chaski__PlanAnswer *plan)
{
    json_t *requirements = json_array();
    for (size_t i = 0; i < plan->n_requirement; i++)
        json_array_append_new(requirements, plan_json_requirement(plan->requirement[i],
                                                                  plan->procedure, plan->purpose));
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:o}", "procedure", plan->procedure, "number",
                     plan->number, "title", plan->title, "owner", plan->owner, "purpose",
                     plan->purpose, "territory", plan->territory, "epoch", (json_int_t)plan->epoch,
                     "requirements", requirements);
}

// --- permits ------------------------------------------------------------------------------------

json_t *plan_json_receipt(const Chaski__Receipt *receipt)
{
    char hex[65] = "";
    if (receipt == NULL)
        return json_null();
    if (receipt->leaf_hash.len == 32)
        text_hex(span_of(receipt->leaf_hash.data, receipt->leaf_hash.len), hex, sizeof hex);
    return json_pack("{s:s,s:I,s:s}", "origin", receipt->origin, "index",
                     (json_int_t)receipt->index, "leaf_hash", hex);
}

json_t *plan_json_permit(const Chaski__PermitSaid *permit)
{
    bool is_valid = clock_wall_ms() < (int64_t)permit->until_ms;
    json_t *object =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:o}", "code", permit->code, "state",
                  is_valid ? "valid" : "expired", "reason", permit->reason, "member",
                  permit->member, "procedure", permit->procedure, "requirement",
                  permit->requirement, "given", plan_json_time(permit->given_ms), "valid_until",
                  plan_json_time(permit->until_ms), "receipt", plan_json_receipt(permit->receipt));
    set_text(object, "procedure_title", permit->procedure_title);
    set_text(object, "requirement_name", permit->requirement_name);
    set_text(object, "territory", permit->territory);
    set_text(object, "case", permit->case_ref);
    if (permit->since_ms > 0)
        json_object_set_new(object, "source_down_since", plan_json_time(permit->since_ms));
    return object;
}
