// SPDX-License-Identifier: MIT
/* A grant that answered a request is taken back, or replaced by one that gives less, or is to a
 * group that who asked is taken out of: that is no end of the request, or granting would be the way
 * past the arbiter. */
#include "lib/bus/access.h"
#include "lib/bus/consumer.h"
#include "lib/bus/directory_acts.h"

#include "directory.pb-c.h"

/* Whom it is to and for what: act_request_granted sees that it is all that was asked for. */
static bool is_narrower(const struct directory_grant *from, const Chaski__GrantSet *to)
{
    bool fewer =
        to->volume_a_day != 0 && (from->volume_a_day == 0 || to->volume_a_day < from->volume_a_day);
    return strcmp(from->request, to->request) != 0 || (int64_t)to->until_ms < from->until_ms ||
           fewer;
}

/* The arbiter's word on it, or on an equal one, that stands now: it stood below the grant. */
static bool is_decided(const struct directory *self, const struct directory_request *request)
{
    const char *id = request->decision[0] != '\0' ? request->decision : request->precedent;
    const struct directory_decision *decision = directory_decision(self, span_of_text(id));
    return decision != NULL && self->last_ms < decision->until_ms;
}

void act_grant_changes(struct directory *self, const struct directory_grant *from,
                       const Chaski__GrantSet *to)
{
    if (from == NULL || self->restored || from->until_ms <= self->last_ms)
        return;
    struct directory_request *request = directory_find(&self->requests, from->request);
    if (request == NULL || strcmp(request->grant, from->id) != 0 || request->taken_back_ms != 0 ||
        (to != NULL && !is_narrower(from, to)))
        return;
    if (is_decided(self, request)) {
        if (to == NULL || strcmp(to->request, request->id) != 0)
            request->grant = "";
        return;
    }
    int64_t decide_ms = 0;
    if (working_days_end(&self->calendar->days, self->last_ms, self->calendar->decide_days,
                         &decide_ms))
        request->decide_until_ms = decide_ms; /* else the one of before stays, and is overdue */
    request->taken_back_ms = self->last_ms;
}

static bool is_to(const struct directory *self, const struct directory_grant *grant,
                  const struct directory_request *request)
{
    struct consumer_names names;
    consumer_names_of(self, span_of_text(request->consumer), &names);
    for (size_t i = 0; i < names.count; i++)
        if (span_is_text(names.name[i], grant->consumer))
            return true;
    return false;
}

void act_group_changes(struct directory *self, const struct directory_group *group)
{
    size_t step = 0;
    for (const struct directory_grant *at; (at = directory_next_grant(self, &step)) != NULL;) {
        if (at->request[0] == '\0' || strcmp(at->consumer, group->word) != 0)
            continue;
        const struct directory_request *request = directory_find(&self->requests, at->request);
        if (request != NULL && !is_to(self, at, request))
            act_grant_changes(self, at, NULL);
    }
}
