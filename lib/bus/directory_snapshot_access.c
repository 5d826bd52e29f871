// SPDX-License-Identifier: MIT
#include "lib/bus/directory_snapshot_private.h"

#include "lib/bus/facts_act.h"

#include "directory.pb-c.h"

// --- into one -----------------------------------------------------------------------------------

static Chaski__CalendarSet *of_calendar(struct making *making,
                                        const struct directory_calendar *from)
{
    Chaski__CalendarSet *to = making_get(making, 1, sizeof *to);
    chaski__calendar_set__init(to);
    to->utc_offset_minutes = from->days.offset_minutes;
    to->weekend = making_get(making, 7, sizeof *to->weekend);
    for (uint32_t day = 0; day < 7; day++)
        if ((from->days.weekend >> day & 1) != 0)
            to->weekend[to->n_weekend++] = day;
    to->first_year = from->days.first_year;
    to->last_year = from->days.last_year;
    to->holiday = making_get(making, from->days.holidays, sizeof *to->holiday);
    for (; to->n_holiday < from->days.holidays; to->n_holiday++)
        to->holiday[to->n_holiday] = from->days.holiday[to->n_holiday];
    to->answer_days = from->answer_days;
    to->decide_days = from->decide_days;
    return to;
}

static Chaski__AccessObjected *of_objection(struct making *making,
                                            const struct directory_request *from)
{
    Chaski__AccessObjected *to = making_get(making, 1, sizeof *to);
    chaski__access_objected__init(to);
    to->request = making_lend(from->id);
    to->ground = (Chaski__Ground)from->objection;
    to->reason = making_lend(from->objection_reason);
    return to;
}

static Chaski__SnapshotRequest *of_request(struct making *making,
                                           const struct directory_request *from)
{
    Chaski__SnapshotRequest *to = making_get(making, 1, sizeof *to);
    Chaski__AccessRequested *set = making_get(making, 1, sizeof *set);
    chaski__snapshot_request__init(to);
    chaski__access_requested__init(set);
    set->id = making_lend(from->id);
    set->service = making_lend(from->service);
    set->consumer = making_lend(from->consumer);
    set->n_purpose = from->purposes;
    set->purpose = making_lend_list(making, from->purpose, from->purposes);
    set->n_endpoint = from->scope.endpoints;
    set->endpoint = making_lend_list(making, from->scope.endpoint, from->scope.endpoints);
    set->n_column = from->scope.columns;
    set->column = making_lend_list(making, from->scope.column, from->scope.columns);
    set->legal_basis = making_lend(from->legal_basis);
    set->reason = making_lend(from->reason);
    to->set = set;
    to->at_ms = (uint64_t)from->at_ms;
    to->answer_until_ms = (uint64_t)from->answer_until_ms;
    to->decide_until_ms = (uint64_t)from->decide_until_ms;
    to->objected_ms = (uint64_t)from->objected_ms;
    if (from->objected_ms != 0)
        to->objection = of_objection(making, from);
    to->grant = making_lend(from->grant);
    to->decision = making_lend(from->decision);
    to->precedent = making_lend(from->precedent);
    to->taken_back_ms = (uint64_t)from->taken_back_ms;
    return to;
}

static Chaski__SnapshotDecision *of_decision(struct making *making,
                                             const struct directory_decision *from)
{
    Chaski__SnapshotDecision *to = making_get(making, 1, sizeof *to);
    Chaski__AccessDecided *set = making_get(making, 1, sizeof *set);
    chaski__snapshot_decision__init(to);
    chaski__access_decided__init(set);
    set->id = making_lend(from->id);
    set->request = making_lend(from->request);
    set->allow = from->allow;
    set->reason = making_lend(from->reason);
    set->until_ms = (uint64_t)from->until_ms;
    set->facts = making_get(making, 1, sizeof *set->facts);
    facts_act_of(making_memory(making), &from->facts, from->purpose, from->purposes,
                 from->legal_basis, set->facts);
    to->set = set;
    to->at_ms = (uint64_t)from->at_ms;
    return to;
}

static Chaski__SnapshotBreakGlass *of_glass(struct making *making,
                                            const struct directory_break_glass *from)
{
    Chaski__SnapshotBreakGlass *to = making_get(making, 1, sizeof *to);
    Chaski__BreakGlassSet *set = making_get(making, 1, sizeof *set);
    chaski__snapshot_break_glass__init(to);
    chaski__break_glass_set__init(set);
    set->id = making_lend(from->id);
    set->service = making_lend(from->service);
    set->consumer = making_lend(from->consumer);
    set->purpose = making_lend(from->purpose);
    set->reason = making_lend(from->reason);
    set->until_ms = (uint64_t)from->until_ms;
    to->set = set;
    to->at_ms = (uint64_t)from->at_ms;
    to->ended_ms = (uint64_t)from->ended_ms;
    to->n_opened_by = from->openers;
    to->opened_by = making_lend_list(making, from->opener, from->openers);
    to->review = making_lend(from->review);
    to->reviewed_by = making_lend(from->reviewer);
    to->reviewed_ms = (uint64_t)from->reviewed_ms;
    return to;
}

#define ALL(map, field, convert)                                                 \
    do {                                                                         \
        const void **list_ = making_in_order(making, &self->map);                \
        out->field = making_get(making, self->map.count, sizeof *out->field);    \
        for (; out->n_##field < self->map.count; out->n_##field++)               \
            out->field[out->n_##field] = convert(making, list_[out->n_##field]); \
    } while (0)

void access_into_snapshot(const struct directory *self, struct making *making,
                          Chaski__Snapshot *out)
{
    if (self->calendar != NULL)
        out->calendar = of_calendar(making, self->calendar);
    ALL(requests, request, of_request);
    ALL(decisions, decision, of_decision);
    ALL(glasses, break_glass, of_glass);
}

// --- back to a state ----------------------------------------------------------------------------

/* Deadlines are taken as they are: the calendar may be another one by now. */
fault access_from_snapshot(struct directory *self, const Chaski__Snapshot *from)
{
    if (from->calendar != NULL)
        TRY(act_calendar_apply(self, from->calendar));
    for (size_t i = 0; i < from->n_request; i++)
        TRY(act_request_was(self, from->request[i]));
    for (size_t i = 0; i < from->n_decision; i++)
        TRY(act_decision_was(self, from->decision[i]));
    for (size_t i = 0; i < from->n_break_glass; i++)
        TRY(act_break_glass_was(self, from->break_glass[i]));
    return DONE;
}
