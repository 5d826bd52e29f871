// SPDX-License-Identifier: MIT
#include "lib/bus/policy_request.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/bus/directory_private.h"
#include "lib/bus/policy_say.h"

#define SAY(field, ...) text_format((field), POLICY_TEXT_BYTES, __VA_ARGS__)

static void say_step(const struct policy_case *self, const struct directory_request *request,
                     const struct standing *standing, bool holds)
{
    char until[32];
    clock_text(standing->until_ms, until, sizeof until);
    policy_say_step(self, "request", holds, "%s: %s%s%s until %s%s", request->id,
                    access_state_word(standing->state), standing->owner[0] == '\0' ? "" : ", ",
                    standing->owner, until, standing->overdue ? ", which is over" : "");
}

static void say_denied(const struct policy_case *self, const struct standing *standing,
                       struct policy_verdict *out)
{
    char until[32];
    clock_text(standing->until_ms, until, sizeof until);
    out->fault = ACCESS_DENIED;
    SAY(out->rule, "restricted/denied %s", standing->by);
    SAY(out->reason,
        "The arbiter has denied access to this service for this purpose until %s, by decision %s.",
        until, standing->by);
    SAY(out->remedy,
        "Read the decision's reason (chaski access status), and ask %s for a grant if "
        "the facts have changed.",
        self->service->subsystem->member->name);
    policy_say_supply(self, self->service->subsystem->member->id,
                      "chaski grant add G-ID --service %s%s%s --consumer %s --legal-basis TEXT "
                      "--until YYYY-MM-DD",
                      self->service->id, self->endpoint == NULL ? "" : " --endpoint ",
                      self->endpoint == NULL ? "" : self->endpoint->id, self->client->id);
}

static void say_waiting(const struct policy_case *self, const struct directory_request *request,
                        const struct standing *standing, struct policy_verdict *out)
{
    char until[32];
    bool provider = standing->state == STANDING_SUBMITTED;
    clock_text(standing->until_ms, until, sizeof until);
    out->fault = ACCESS_DENIED;
    SAY(out->rule, "restricted/waiting %s", request->id);
    SAY(out->reason, "The service is restricted, and request %s is %s: %s has until %s%s.",
        request->id, access_state_word(standing->state), standing->owner, until,
        standing->overdue ? ", which is over" : "");
    SAY(out->remedy, "Wait, and see how it stands: chaski access status %s", request->id);
    policy_say_supply(self, provider ? standing->owner : POLICY_AUTHORITY,
                      "chaski access status %s", request->id);
}

static void say_open(const struct directory_request *request, const struct standing *standing,
                     struct policy_verdict *out)
{
    bool own = strcmp(standing->by, request->decision) == 0;
    if (standing->state == STANDING_SILENT)
        policy_say_allowed(out, "restricted/silence", request->id,
                           "The provider did not answer the request in time, and nothing in the "
                           "law reserves the data.");
    else
        policy_say_allowed(out, own ? "restricted/decision" : "restricted/precedent", standing->by,
                           own ? "The arbiter has decided so on this consumer's request."
                               : "The arbiter has decided so on an equal request.");
}

static bool opens_it(const struct standing *standing)
{
    return standing->state == STANDING_SILENT || standing->state == STANDING_ALLOWED;
}

static const struct directory_request *request_of(const struct policy_case *self,
                                                  struct standing *standing)
{
    if (self->directory->requests.count == 0)
        return NULL;
    const struct access_wanted wanted = {
        .service = self->question->service,
        .consumer = self->question->client,
        .purpose = self->question->purpose,
        .endpoint = self->endpoint == NULL ? "" : self->endpoint->id,
        .column = self->column == NULL ? NULL : self->column->name,
    };
    return access_request_for(self->directory, &wanted, self->question->at_ms, standing);
}

bool policy_request_opens(const struct policy_case *self, struct policy_verdict *out)
{
    struct standing standing;
    const struct directory_request *request = request_of(self, &standing);
    if (request == NULL || !opens_it(&standing))
        return false;
    say_step(self, request, &standing, true);
    say_open(request, &standing, out);
    return true;
}

bool policy_request_decides(const struct policy_case *self, struct policy_verdict *out)
{
    struct standing standing;
    const struct directory_request *request = request_of(self, &standing);
    if (request == NULL)
        return false;
    bool opens = opens_it(&standing);
    if (!opens && standing.state != STANDING_DENIED && !access_is_open(standing.state))
        return false;
    say_step(self, request, &standing, opens);
    if (opens)
        say_open(request, &standing, out);
    else if (standing.state == STANDING_DENIED)
        say_denied(self, &standing, out);
    else
        say_waiting(self, request, &standing, out);
    return true;
}

const struct directory_break_glass *policy_break_glass(const struct policy_case *self)
{
    if (self->directory->glasses.count == 0)
        return NULL;
    return access_break_glass(self->directory, self->question->service, self->question->client,
                              self->question->purpose, self->question->at_ms);
}

void policy_say_break_glass(const struct policy_case *self,
                            const struct directory_break_glass *glass, struct policy_verdict *out)
{
    char until[32];
    clock_text(access_glass_end_ms(glass), until, sizeof until);
    policy_say_step(self, "emergency", true, "%s until %s", glass->id, until);
    out->fault = OK;
    out->remedy[0] = '\0';
    SAY(out->rule, "break-glass/opened %s", glass->id);
    SAY(out->reason, "Opened in an emergency until %s; each use is reviewed.", until);
}
