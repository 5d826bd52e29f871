// SPDX-License-Identifier: MIT
#include "registry/serve/admin_json.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/act_approval.h"
#include "registry/act_said.h"
#include "registry/serve/vouching.h"

#include "directory.pb-c.h"

#include <stdlib.h>

static json_t *time_json(int64_t ms)
{
    char text[32];
    clock_text(ms, text, sizeof text);
    return json_string(text);
}

static json_t *base64_json(struct span bytes)
{
    size_t room = 4 * ((bytes.size + 2) / 3) + 1;
    char *text = owned_array(room, 1);
    text_base64(bytes, text, room);
    json_t *json = json_string(text);
    free(text);
    return json;
}

static json_t *approvals_json(const Chaski__Act *act)
{
    json_t *array = json_array();
    for (size_t i = 0; i < act->n_approval; i++) {
        const Chaski__Approval *at = act->approval[i];
        bool person = at->who_case == CHASKI__APPROVAL__WHO_OPERATOR;
        json_array_append_new(array, json_pack("{s:s}", person ? "operator" : "server",
                                               person ? at->operator_ : at->server));
    }
    return array;
}

static void add_act(json_t *json, const struct directory *now, const Chaski__Act *act)
{
    char words[ACT_SAID_ROOM];
    act_said(act, now, words, sizeof words);
    json_object_set_new(json, "act", json_string(words));
    json_object_set_new(json, "approvals", approvals_json(act));
}

static void add_epoch(json_t *json, const struct outlook *outlook, const char *id)
{
    uint64_t epoch = outlook_epoch_of(outlook, id);
    json_object_set_new(json, "epoch", json_integer((json_int_t)epoch));
    if (epoch > outlook_head(outlook)->size)
        json_object_set_new(json, "problem",
                            json_string("not published yet; the registry tries again each minute"));
}

json_t *admin_json_proposal(const struct office *office, const struct proposal *proposal)
{
    char needs[ACT_APPROVAL_WORDS_ROOM];
    enum proposal_state state = proposals_state(office->proposals, proposal);
    bool enough = proposals_suffices(office->proposals, proposal, needs);
    json_t *json = json_pack("{s:s,s:I,s:o,s:s,s:s,s:s,s:s,s:b,s:o}", "id", proposal->id, "number",
                             (json_int_t)proposal->number, "made", time_json(proposal->made_ms),
                             "label", proposal->label, "by", proposal->by, "state",
                             proposals_state_word(state), "needs", needs, "enough", enough, "draft",
                             base64_json(bytes_span(proposal->act)));
    Chaski__Act *act = chaski__act__unpack(NULL, proposal->act->size, proposal->act->data);
    if (act != NULL) {
        add_act(json, state == PROPOSAL_WAITING ? outlook_state(office->outlook) : NULL, act);
        chaski__act__free_unpacked(act, NULL);
    }
    if (state == PROPOSAL_CARRIED_OUT)
        add_epoch(json, office->outlook, proposal->id);
    if (state == PROPOSAL_REFUSED) {
        json_object_set_new(json, "refused_by", json_string(proposal->refused_by));
        json_object_set_new(json, "reason", json_string(proposal->reason));
    }
    const struct proposal *first =
        enough && state == PROPOSAL_WAITING ? office_waits_for(office, proposal) : NULL;
    if (first == NULL && enough && state == PROPOSAL_WAITING)
        first = office_may_wait_for(office, proposal);
    if (first != NULL)
        json_object_set_new(json, "waits_for", json_string(first->id));
    const char *held = enough && state == PROPOSAL_WAITING ? office_held(office, proposal) : NULL;
    const char *problem = held != NULL ? held : proposal->problem;
    if (state == PROPOSAL_WAITING && problem != NULL)
        json_object_set_new(json, "problem", json_string(problem));
    return json;
}

json_t *admin_json_request(const struct office *office, const struct request *request, bool whole)
{
    uint64_t epoch = 0;
    const char *reason = "";
    json_t *proposals = json_array();
    enum request_state state = requests_state(office->requests, request, &epoch, &reason);
    for (size_t i = 0; i < request->proposals; i++)
        json_array_append_new(proposals, json_string(request->proposal[i]));
    json_t *json =
        json_pack("{s:s,s:o,s:s,s:s,s:s,s:s,s:s,s:o}", "id", request->id, "received",
                  time_json(request->received_ms), "server", request->server, "organisation",
                  request->organisation, "state", requests_state_word(state), "warning",
                  request->warning, "prepared_by", request->prepared_by, "proposals", proposals);
    if (state == REQUEST_APPROVED)
        json_object_set_new(json, "epoch", json_integer((json_int_t)epoch));
    if (state == REQUEST_REFUSED)
        json_object_set_new(json, "reason", json_string(reason));
    json_t *reach = requests_reach_json(request);
    if (reach != NULL)
        json_object_set_new(json, "reach", reach);
    json_object_set_new(json, "vouchers", vouching_json(request, outlook_state(office->outlook)));
    if (request->alone_by[0] != '\0')
        json_object_set_new(
            json, "without_voucher",
            json_pack("{s:s,s:s}", "by", request->alone_by, "reason", request->alone_reason));
    if (whole)
        json_object_set_new(
            json, "request",
            json_loadb((const char *)request->text->data, request->text->size, 0, NULL));
    return json;
}

json_t *admin_json_statuses(const struct office *office)
{
    const struct status_report *at = status_desk_report(office->statuses);
    json_t *json = json_pack(
        "{s:I,s:b,s:i,s:I,s:I,s:I,s:I,s:I,s:I}", "round", (json_int_t)at->round, "running",
        at->running, "every_s", (int)status_desk_every_s(office->statuses), "asked",
        (json_int_t)at->counts.asked, "good", (json_int_t)at->counts.good, "revoked",
        (json_int_t)at->counts.revoked, "unknown", (json_int_t)at->counts.unknown, "unanswered",
        (json_int_t)at->counts.unanswered, "acts", (json_int_t)at->acts);
    if (at->begun_ms != 0)
        json_object_set_new(json, "begun", time_json(at->begun_ms));
    if (at->ended_ms != 0)
        json_object_set_new(json, "ended", time_json(at->ended_ms));
    if (at->problem[0] != '\0')
        json_object_set_new(json, "problem", json_string(at->problem));
    return json;
}

json_t *admin_json_state(const struct office *office, const struct directory_operator *person)
{
    const struct directory *state = outlook_state(office->outlook);
    json_t *roles = json_array();
    char root[64], held[AHEAD_WORDS_ROOM];
    struct sha256 hash = outlook_head(office->outlook)->root;
    for (int role = ROLE_ENROL; role < ROLES_END; role++)
        if ((person->roles >> role & 1) != 0)
            json_array_append_new(roles, json_string(directory_role_word(role)));
    text_base64(sha256_span(&hash), root, sizeof root);
    held_words(office->held, held);
    return json_pack(
        "{s:s,s:I,s:s,s:b,s:o,s:o,s:o,s:s,s:I,s:I,s:s,s:o}", "instance", directory_instance(state),
        "epoch", (json_int_t)outlook_head(office->outlook)->size, "root", root, "governed",
        directory_is_governed(state), "valid_until", time_json(directory_valid_until_ms(state)),
        "heartbeat", time_json(outlook_beat_ms(office->outlook)), "acts_signed_until",
        time_json(certificate_not_after_ms(outlook_authority(office->outlook))), "acts_held", held,
        "proposals_waiting", (json_int_t)proposals_waiting(office->proposals), "requests_waiting",
        (json_int_t)requests_waiting(office->requests), "operator", person->id, "roles", roles);
}
