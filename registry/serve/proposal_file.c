// SPDX-License-Identifier: MIT
#include "registry/serve/proposal_file.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/act_approval.h"

#include "directory.pb-c.h"

#include <jansson.h>
#include <stdlib.h>

#define FILE_BYTES_MAX (4 * REGISTRY_ACT_BYTES_MAX)
#define CONTEXT "chaski directory act v1"

void proposal_act_free(Chaski__Act **act)
{
    if (*act != NULL)
        chaski__act__free_unpacked(*act, NULL);
    *act = NULL;
}

void proposal_free(struct proposal **owner)
{
    struct proposal *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    free(self->label);
    free(self->by);
    free(self->refused_by);
    free(self->reason);
    free(self->problem);
    bytes_free(&self->act);
    free(self);
}

fault proposal_act_read(struct span packed, Chaski__Act **out)
{
    if (packed.size > REGISTRY_ACT_BYTES_MAX)
        return RAISE(REFUSED, "an act of more than %u bytes", REGISTRY_ACT_BYTES_MAX);
    *out = chaski__act__unpack(NULL, packed.size, packed.at);
    return *out == NULL ? RAISE(REFUSED, "that is no act") : DONE;
}

/* A draft: what only the authority gives is not there yet. */
fault proposal_act_check(const Chaski__Act *act)
{
    if (strcmp(act->context, CONTEXT) != 0 || act->number != 0 || act->time_ms != 0 ||
        act->intent == NULL || act->intent->nonce.len != ACT_NONCE_BYTES)
        return RAISE(REFUSED, "a draft has the context of acts, an intent, and neither number nor "
                              "time");
    if (act->act_case == CHASKI__ACT__ACT__NOT_SET || act->act_case == CHASKI__ACT__ACT_OPENED ||
        act->act_case == CHASKI__ACT__ACT_PUBLISHED)
        return RAISE(REFUSED, "an act of a kind that nobody proposes");
    return DONE;
}

fault proposal_act_check_time(const Chaski__Act *act, int64_t last_ms, int64_t behind_ms)
{
    char proposed[32], here[32];
    int64_t now_ms = clock_wall_ms();
    int64_t ahead_ms = (last_ms > now_ms ? last_ms : now_ms) + DIRECTORY_INTENT_AHEAD_MS;
    if (act->intent == NULL || (act->intent->proposed_ms <= (uint64_t)ahead_ms &&
                                (int64_t)act->intent->proposed_ms >= now_ms - behind_ms))
        return DONE;
    clock_text((int64_t)act->intent->proposed_ms, proposed, sizeof proposed);
    clock_text(now_ms, here, sizeof here);
    return RAISE(REFUSED,
                 "it was proposed at %s by the clock of its machine, and the registry's clock "
                 "shows %s: put right the one that is wrong, and propose it again",
                 proposed, here);
}

fault proposal_file_write(const char *path, const struct proposal *proposal)
{
    size_t room = 4 * ((proposal->act->size + 2) / 3) + 1;
    char *base64 = owned_array(room, 1);
    text_base64(bytes_span(proposal->act), base64, room);
    json_t *json = json_pack("{s:s,s:I,s:I,s:s,s:s,s:s,s:s}", "act", base64, "number",
                             (json_int_t)proposal->number, "made", (json_int_t)proposal->made_ms,
                             "label", proposal->label, "by", proposal->by, "refused_by",
                             proposal->refused_by, "reason", proposal->reason);
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    free(base64);
    if (text == NULL)
        return RAISE(REFUSED, "a text that is not UTF-8");
    fault f = file_replace(path, span_of_text(text), 0600);
    free(text);
    return f;
}

static char *text_of(json_t *json, const char *field)
{
    const char *text = json_string_value(json_object_get(json, field));
    return owned_text(text == NULL ? "" : text);
}

static fault take_json(const struct outlook *outlook, json_t *json, struct proposal *out)
{
    PROPOSAL_ACT act = NULL;
    const char *base64 = json_string_value(json_object_get(json, "act"));
    out->number = (uint64_t)json_integer_value(json_object_get(json, "number"));
    out->made_ms = json_integer_value(json_object_get(json, "made"));
    out->label = text_of(json, "label");
    out->by = text_of(json, "by");
    out->refused_by = text_of(json, "refused_by");
    out->reason = text_of(json, "reason");
    if (base64 == NULL || failed(text_unbase64(span_of_text(base64), &out->act)))
        return RAISE(REFUSED, "no act");
    TRY(proposal_act_read(bytes_span(out->act), &act));
    TRY(proposal_act_check(act));
    outlook_act_id(outlook, act, out->id);
    return DONE;
}

fault proposal_file_read(const char *path, const struct outlook *outlook, struct proposal **out)
{
    OWNED(bytes) text = NULL;
    OWNED(proposal) proposal = owned_new(sizeof *proposal);
    json_error_t error;
    TRY(file_read(path, FILE_BYTES_MAX, &text));
    json_t *json = json_loadb((const char *)text->data, text->size, JSON_REJECT_DUPLICATES, &error);
    fault f = take_json(outlook, json, proposal);
    json_decref(json);
    TRY(f);
    *out = TAKE(proposal);
    return DONE;
}
