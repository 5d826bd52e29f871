// SPDX-License-Identifier: MIT
#include "registry/serve/office.h"

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/text.h"
#include "lib/bus/act_approval.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/renewal.h"
#include "registry/serve/proposal_file.h"
#include "registry/serve/request_acts.h"
#include "registry/serve/voucher_desk.h"

#include "directory.pb-c.h"

#include <stdlib.h>

#define MINUTE_MS 60000

static bool is_ripe(const struct office *self, const struct proposal *proposal);

// --- beginning and ending -----------------------------------------------------------------------

static void forget_members(struct office *self)
{
    size_t step = 0;
    for (unsigned *at; (at = map_next(&self->members, &step, NULL)) != NULL;)
        free(at);
    map_clear(&self->members);
}

void office_free(struct office **owner)
{
    struct office *self = *owner;
    *owner = NULL;
    if (self == NULL)
        return;
    loop_stop_timer(self->options.loop, &self->beat);
    loop_stop_timer(self->options.loop, &self->forget);
    loop_stop_timer(self->options.loop, &self->first);
    forget_members(self);
    ending_free(&self->ending);
    held_free(&self->held);
    reminder_desk_free(&self->reminders);
    reach_desk_free(&self->callback);
    status_desk_free(&self->statuses);
    push_free(&self->push);
    requests_free(&self->requests);
    proposals_free(&self->proposals);
    outlook_free(&self->outlook);
    free(self);
}

static fault take_news(struct office *self, struct authority_news *news)
{
    fault f = outlook_take(self->outlook, news);
    if (!failed(f) && self->push != NULL)
        push_news(self->push, news);
    if (news->note != NULL)
        EVENT(INFO, "directory.published", E_NUMBER("epoch", outlook_head(self->outlook)->size));
    authority_news_clear(news);
    if (!failed(f))
        held_look(self->held);
    if (failed(f) && outlook_state(self->outlook) == NULL)
        return RAISE(INTERNAL, "the published folder cannot be read again");
    return f;
}

static void give_up(struct office *self, fault f)
{
    EVENT(ERROR, "authority.failed", E_FAULT(f));
    self->options.failed(self->options.owner);
}

static void on_beat(struct loop_timer *timer)
{
    struct office *self = timer->owner;
    struct authority_news news = {0};
    loop_set_timer(self->options.loop, &self->beat, REGISTRY_BEAT_MS);
    fault f = authority_line_beat(self->options.line, &news);
    if (!failed(f))
        f = take_news(self, &news);
    if (f.code == INTERNAL)
        give_up(self, f);
    else if (failed(f)) /* a full disk, as a rule: the next beat tries again */
        EVENT(ERROR, "directory.beat_failed", E_FAULT(f));
}

static void on_forget(struct loop_timer *timer)
{
    struct office *self = timer->owner;
    loop_set_timer(self->options.loop, &self->forget, REGISTRY_FORGET_LOOK_MS);
    proposals_forget(self->proposals, clock_wall_ms());
    requests_forget(self->requests, clock_wall_ms());
}

static fault act_on_statuses(void *owner, size_t *revoked)
{
    struct office *self = owner;
    struct authority_news news = {0};
    TRY(authority_line_act_on_statuses(self->options.line, revoked, &news));
    return take_news(self, &news);
}

static void helper_failed(void *owner, fault f)
{
    give_up(owner, f);
}

static fault open_statuses(struct office *self)
{
    const struct status_desk_options options = {.loop = self->options.loop,
                                                .line = self->options.statuses,
                                                .outlook = self->outlook,
                                                .every_s = self->options.statuses_s,
                                                .act = act_on_statuses,
                                                .failed = helper_failed,
                                                .owner = self};
    return status_desk_open(&options, &self->statuses);
}

static fault open_callback(struct office *self)
{
    const struct reach_desk_options options = {.loop = self->options.loop,
                                               .line = self->options.callback,
                                               .requests = self->requests,
                                               .failed = helper_failed,
                                               .owner = self};
    return reach_desk_open(&options, &self->callback);
}

/* What had its approvals while acts were held back, or when the registry was stopped: all of it is
 * tried, in its order; what cannot be says why from then on. */
static void on_released(void *owner)
{
    struct office *self = owner;
    struct proposal *at = NULL;
    struct proposal **ripe = owned_array(REGISTRY_WAITING_MAX, sizeof *ripe);
    size_t count = 0;
    for (uint64_t after = 0;
         count < REGISTRY_WAITING_MAX && (at = proposals_after(self->proposals, after)) != NULL;
         after = at->number)
        if (is_ripe(self, at))
            ripe[count++] = at;
    if (count > 0)
        ignore(office_carry_out(self, ripe, count)); /* told with each */
    free(ripe);
}

static void on_first(struct loop_timer *timer)
{
    on_released(timer->owner);
}

static fault open_held(struct office *self)
{
    const struct held_options options = {.loop = self->options.loop,
                                         .store = self->options.store,
                                         .outlook = self->outlook,
                                         .wait_s = self->options.held_s,
                                         .released = on_released,
                                         .owner = self};
    return held_open(&options, &self->held);
}

fault office_open(const struct office_options *options, struct office **out)
{
    OWNED(office) self = owned_new(sizeof *self);
    self->options = *options;
    self->beat = (struct loop_timer){.fire = on_beat, .owner = self};
    self->forget = (struct loop_timer){.fire = on_forget, .owner = self};
    self->first = (struct loop_timer){.fire = on_first, .owner = self};
    TRY(outlook_open(options->store, options->folder, &self->outlook));
    TRY(proposals_open(options->store, self->outlook, &self->proposals));
    TRY(requests_open(options->store, self->outlook, self->proposals, &self->requests));
    if (options->push != NULL)
        TRY(push_open(options->loop, options->store, options->push, &self->push));
    TRY(open_statuses(self));
    TRY(open_callback(self));
    TRY(open_held(self));
    self->ending = ending_new(options->loop, self->outlook);
    TRY(reminder_desk_open(options->loop, options->store, self->outlook, &self->reminders));
    on_forget(&self->forget);
    loop_set_timer(options->loop, &self->beat, REGISTRY_BEAT_MS);
    loop_set_timer(options->loop, &self->first,
                   authority_line_began_quietly(options->line) ? REGISTRY_QUIET_MS : 1);
    *out = TAKE(self);
    return DONE;
}

// --- carrying out -------------------------------------------------------------------------------

static void set_problem(struct proposal *proposal, const char *problem)
{
    free(proposal->problem);
    proposal->problem = problem == NULL ? NULL : owned_text(problem);
}

static void note_done(struct office *self, struct proposal *const *group, size_t count,
                      uint64_t first)
{
    for (size_t i = 0; i < count; i++)
        outlook_note_done(self->outlook, group[i]->id, first + i + 1);
}

/* REFUSED by the authority, or any other reason why it stays: told with each. */
static fault carry_group(struct office *self, struct proposal *const *group, size_t count)
{
    struct span acts[REGISTRY_GROUP_ACTS_MAX];
    struct authority_news news = {0};
    char detail[400];
    for (size_t i = 0; i < count; i++)
        acts[i] = bytes_span(group[i]->act);
    fault f = authority_line_carry_out(self->options.line, acts, count, &news);
    if (!failed(f) && news.unpublished)
        note_done(self, group, count, news.from);
    if (!failed(f))
        f = take_news(self, &news);
    text_format(detail, sizeof detail, "%s",
                f.code == REFUSED || f.code == ACTS_HELD ? fault_detail() : fault_sentence(f.code));
    for (size_t i = 0; i < count; i++)
        set_problem(group[i], failed(f) ? detail : NULL);
    return f;
}

static fault carry_some(struct office *self, struct proposal *const *group, size_t count)
{
    fault f = count == 0 ? DONE : carry_group(self, group, count);
    if (count > 1 && f.code == REFUSED) {
        f = DONE;
        for (size_t i = 0; i < count && f.code != INTERNAL; i++)
            f = carry_group(self, group + i, 1);
    }
    if (f.code == INTERNAL)
        give_up(self, f);
    return f.code == INTERNAL ? f : DONE;
}

const char *office_held(const struct office *self, const struct proposal *proposal)
{
    const struct request *request = requests_find(self->requests, proposal->label);
    if (request == NULL)
        return NULL;
    if (!voucher_desk_stands(self->requests, request))
        return "no server of its member stands behind the request any more: another one vouches "
               "for it, or it is prepared anew --without-voucher";
    return request_acts_stand(outlook_state(self->outlook), request->server,
                              bytes_span(proposal->act))
               ? NULL
               : "what it changes is not as it was when it was prepared, and it would take that "
                 "back: `request prepare` makes it anew";
}

static bool is_ripe(const struct office *self, const struct proposal *proposal)
{
    char why[ACT_APPROVAL_WORDS_ROOM];
    return proposals_state(self->proposals, proposal) == PROPOSAL_WAITING &&
           proposals_suffices(self->proposals, proposal, why) &&
           office_held(self, proposal) == NULL;
}

/* The first of its label in front of it that lacks approvals. tried: those that could not be
 * carried out had theirs, and need not be verified again. */
static const struct proposal *unripe_before(const struct office *self,
                                            const struct proposal *proposal, bool tried)
{
    const struct proposal *at = NULL;
    for (uint64_t after = 0;
         (at = proposals_after(self->proposals, after)) != NULL && at->number < proposal->number;
         after = at->number)
        if (strcmp(at->label, proposal->label) == 0 &&
            proposals_state(self->proposals, at) == PROPOSAL_WAITING &&
            !(tried && at->problem != NULL) && !is_ripe(self, at))
            return at;
    return NULL;
}

const struct proposal *office_waits_for(const struct office *self, const struct proposal *proposal)
{
    return requests_find(self->requests, proposal->label) == NULL
               ? NULL
               : unripe_before(self, proposal, false);
}

const struct proposal *office_may_wait_for(const struct office *self,
                                           const struct proposal *proposal)
{
    return proposal->problem == NULL || proposal->label[0] == '\0'
               ? NULL
               : unripe_before(self, proposal, true);
}

/* Of one request and in its turn; or of one label, tried before, and something of that label has
 * been carried out now. */
static bool follows(const struct office *self, const struct proposal *at,
                    struct proposal *const *proposals, size_t count)
{
    bool of_these = false, of_done = false;
    for (size_t i = 0; i < count && !of_done; i++)
        if (strcmp(proposals[i]->label, at->label) == 0) {
            of_these = true;
            of_done = proposals_state(self->proposals, proposals[i]) == PROPOSAL_CARRIED_OUT;
        }
    if (!of_these || (requests_find(self->requests, at->label) == NULL &&
                      (!of_done || at->problem == NULL || at->label[0] == '\0')))
        return false;
    return is_ripe(self, at) && office_waits_for(self, at) == NULL;
}

/* Acts that had their approvals before, and waited for those in front of them. */
static fault carry_followers(struct office *self, struct proposal *const *proposals, size_t count)
{
    struct proposal *at = NULL;
    for (uint64_t after = 0; (at = proposals_after(self->proposals, after)) != NULL;
         after = at->number)
        if (follows(self, at, proposals, count))
            TRY(carry_some(self, &at, 1));
    return DONE;
}

fault office_carry_out(struct office *self, struct proposal *const *proposals, size_t count)
{
    struct proposal *group[REGISTRY_GROUP_ACTS_MAX];
    size_t in_group = 0, bytes = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_ripe(self, proposals[i]) || office_waits_for(self, proposals[i]) != NULL)
            continue;
        if (in_group == REGISTRY_GROUP_ACTS_MAX ||
            (in_group > 0 && bytes + proposals[i]->act->size > REGISTRY_GROUP_BYTES_MAX)) {
            TRY(carry_some(self, group, in_group));
            in_group = bytes = 0;
        }
        group[in_group++] = proposals[i];
        bytes += proposals[i]->act->size;
    }
    TRY(carry_some(self, group, in_group));
    return carry_followers(self, proposals, count);
}

fault office_vouch(struct office *self, struct request *request, const char *server,
                   struct span signature)
{
    struct proposal *at[REQUEST_ACTS_MAX];
    size_t count = 0;
    TRY(voucher_desk_take(self->requests, request, server, signature));
    for (size_t i = 0; i < request->proposals; i++) {
        at[count] = proposals_find(self->proposals, request->proposal[i]);
        count += at[count] != NULL;
    }
    return office_carry_out(self, at, count);
}

// --- what members do by themselves --------------------------------------------------------------

/* A member may do much; not so much that others wait. */
static fault count_act(struct office *self, const char *server)
{
    struct span member = bus_id_prefix(span_of_text(server), ID_MEMBER);
    int64_t minute = clock_steady_ms() / MINUTE_MS;
    if (minute != self->minute)
        forget_members(self);
    self->minute = minute;
    unsigned *count = map_get(&self->members, member);
    if (count == NULL) {
        count = owned_new(sizeof *count);
        map_set(&self->members, member, count);
    }
    if (*count == REGISTRY_MEMBER_ACTS_A_MINUTE)
        return RAISE(RATE_LIMITED, "at most %d acts of one member in a minute",
                     REGISTRY_MEMBER_ACTS_A_MINUTE);
    (*count)++;
    return DONE;
}

static fault carry_member_act(struct office *self, const Chaski__Act *act, const char *id,
                              struct span packed)
{
    struct authority_news news = {0};
    bool enough = false;
    char words[ACT_APPROVAL_WORDS_ROOM];
    const struct directory *state = outlook_state(self->outlook);
    if (act->n_approval != 1 || act->approval[0]->who_case != CHASKI__APPROVAL__WHO_SERVER)
        return RAISE(REFUSED, "an act of a member carries the approval of one of its servers");
    TRY(proposal_act_check_time(act, directory_last_ms(state),
                                RENEWAL_AGAIN_MS + DIRECTORY_INTENT_AHEAD_MS));
    if (failed(act_approval_check(state, act, clock_wall_ms(), &enough)))
        return RAISE(REFUSED, "%s", fault_detail());
    struct act_need need = act_approval_need(state, act);
    act_approval_words(&need, words, sizeof words);
    /* also in a country that begins: a server speaks for its own member and for nobody else */
    const struct directory_server *server =
        directory_server(state, span_of_text(act->approval[0]->server));
    if (need.operators == 0 || need.member == NULL || server == NULL ||
        server->member != need.member)
        return RAISE(REFUSED, "it needs %s", words);
    TRY(count_act(self, act->approval[0]->server));
    fault f = authority_line_carry_out(self->options.line, &packed, 1, &news);
    if (!failed(f) && news.unpublished)
        outlook_note_done(self->outlook, id, news.from + 1);
    if (!failed(f))
        f = take_news(self, &news);
    if (f.code == INTERNAL)
        give_up(self, f);
    return f;
}

fault office_member_act(struct office *self, struct span packed, uint64_t *epoch)
{
    char id[ACT_ID_ROOM];
    Chaski__Act *act = packed.size > REGISTRY_ACT_BYTES_MAX
                           ? NULL
                           : chaski__act__unpack(NULL, packed.size, packed.at);
    if (act == NULL)
        return RAISE(REFUSED, "that is no act");
    outlook_act_id(self->outlook, act, id);
    uint64_t found = outlook_epoch_of(self->outlook, id);
    fault f = found != 0 ? DONE : carry_member_act(self, act, id, packed);
    chaski__act__free_unpacked(act, NULL);
    TRY(f);
    *epoch = found != 0 ? found : outlook_epoch_of(self->outlook, id);
    return DONE;
}

// --- the next signing key -----------------------------------------------------------------------

/* In force now, and never revoked: who stole a key must not give itself the next one. */
static bool is_sound(const struct directory_signer *signer, int64_t now_ms)
{
    return signer->trusted && signer->revoked_since_ms == 0 &&
           certificate_not_before_ms(signer->certificate) <= now_ms &&
           certificate_not_after_ms(signer->certificate) > now_ms;
}

static bool signed_by(const struct directory_server *server, const struct sha256 *digest,
                      struct span signature)
{
    for (size_t i = 0; i < server->signers; i++)
        if (is_sound(server->signer[i], clock_wall_ms()) &&
            !failed(
                certificate_verify_digest(server->signer[i]->certificate, digest->at, signature)))
            return true;
    return false;
}

/* Of this key, whoever holds it. */
static const struct directory_signer *signer_of(const struct directory *state,
                                                const uint8_t point[P256_POINT_BYTES])
{
    uint8_t other[P256_POINT_BYTES];
    const struct directory_server *server = NULL;
    for (size_t step = 0; (server = directory_next_server(state, &step)) != NULL;)
        for (size_t i = 0; i < server->signers; i++)
            if (!failed(
                    p256_of_certificate(certificate_der(server->signer[i]->certificate), other)) &&
                memcmp(other, point, sizeof other) == 0)
                return server->signer[i];
    return NULL;
}

fault office_member_renewal(struct office *self, const char *id, struct span request,
                            struct span signature, struct bytes **out)
{
    const struct directory *state = outlook_state(self->outlook);
    const struct directory_server *server = directory_server(state, span_of_text(id));
    struct sha256 digest;
    uint8_t point[P256_POINT_BYTES];
    if (server == NULL)
        return RAISE(REFUSED, "there is no such server");
    TRY(renewal_digest(server->id, request, &digest));
    if (!signed_by(server, &digest, signature))
        return RAISE(REFUSED, "not signed with a key of this server that is in force");
    if (failed(p256_of_request(request, point)))
        return RAISE(REFUSED, "\"certificate_request\": %s", fault_detail());
    const struct directory_signer *known = signer_of(state, point);
    if (known != NULL && (known->server != server || known->revoked_since_ms != 0))
        return RAISE(REFUSED, "this key is another server's, or was revoked");
    if (known != NULL)
        return bytes_copy(certificate_der(known->certificate), out);
    TRY(count_act(self, server->id));
    fault f =
        authority_line_certify(self->options.line, request, server->id, server->member->name, out);
    if (f.code == INTERNAL)
        give_up(self, f);
    return f;
}
