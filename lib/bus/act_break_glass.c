// SPDX-License-Identifier: MIT
/* What is opened in an emergency, and the review that it owes. */
#include "lib/bus/access.h"
#include "lib/bus/bus_id.h"
#include "lib/bus/directory_acts.h"

#include "directory.pb-c.h"

#define BAD(...) RAISE(DIRECTORY_BAD, __VA_ARGS__)

/* Of this consumer and service, if its review is overdue; NULL. */
static const struct directory_break_glass *overdue_review(const struct directory *self,
                                                          const Chaski__BreakGlassSet *act)
{
    const struct right_list *list =
        rights_of(&self->glass_of, span_of_text(act->service), span_of_text(act->consumer));
    for (size_t i = 0; i < list->count; i++) {
        const struct directory_break_glass *at = list->right[i].rule;
        if (at->reviewer[0] == '\0' &&
            access_glass_end_ms(at) + BREAK_GLASS_REVIEW_MS <= self->last_ms)
            return at;
    }
    return NULL;
}

static fault check_glass(const struct directory *self, const Chaski__BreakGlassSet *act)
{
    TRY(act_code("an emergency", act->id));
    TRY(act_word("the emergency's reason", act->reason));
    TRY(act_time("the emergency's end", act->until_ms));
    if (self->approvers < 2) /* a draft is tried on a state in which nobody governs */
        return BAD("emergency %s: it takes two operators, and the directory does not name two who "
                   "may approve",
                   act->id);
    if (directory_find(&self->glasses, act->id) != NULL)
        return BAD("emergency %s stands there already: take another name", act->id);
    if (directory_find(&self->services, act->service) == NULL ||
        directory_find(&self->subsystems, act->consumer) == NULL ||
        directory_find(&self->purposes, act->purpose) == NULL)
        return BAD("emergency %s names a service, a subsystem or a purpose that is not registered",
                   act->id);
    if ((int64_t)act->until_ms <= self->last_ms ||
        (int64_t)act->until_ms - self->last_ms > BREAK_GLASS_MS_MAX)
        return BAD("emergency %s must end after now and within 72 hours", act->id);
    const struct directory_break_glass *unreviewed = overdue_review(self, act);
    if (unreviewed != NULL)
        return BAD("emergency %s: the review of %s is overdue, and comes before a further one",
                   act->id, unreviewed->id);
    if (rights_of(&self->glass_of, span_of_text(act->service), span_of_text(act->consumer))
            ->count >= BREAK_GLASS_OF_ONE_MAX)
        return BAD("too many emergencies of %.200s stand in the register", act->consumer);
    return DONE;
}

static struct directory_break_glass *enter(struct directory *self, const Chaski__BreakGlassSet *act,
                                           int64_t at_ms)
{
    struct directory_break_glass *glass = directory_make(self, sizeof *glass);
    glass->id = directory_keep_text(self, act->id);
    glass->service = directory_keep_text(self, act->service);
    glass->consumer = directory_keep_text(self, act->consumer);
    glass->purpose = directory_keep_text(self, act->purpose);
    glass->reason = directory_keep_text(self, act->reason);
    glass->review = glass->reviewer = "";
    glass->at_ms = at_ms;
    glass->until_ms = (int64_t)act->until_ms;
    map_set(&self->glasses, span_of_text(glass->id), glass);
    rights_put(&self->glass_of, span_of_text(glass->service), span_of_text(glass->consumer),
               (struct right){glass->id, glass->until_ms, glass});
    return glass;
}

/* Who approved it: those cannot review it. That they are two the approval has checked. */
fault act_break_glass_apply(struct directory *self, const Chaski__Act *whole)
{
    const Chaski__BreakGlassSet *act = whole->break_glass_set;
    char *openers[DIRECTORY_APPROVALS_MAX];
    size_t count = 0;
    TRY(check_glass(self, act));
    for (size_t i = 0; i < whole->n_approval; i++)
        if (whole->approval[i]->who_case == CHASKI__APPROVAL__WHO_OPERATOR)
            openers[count++] = whole->approval[i]->operator_;
    struct directory_break_glass *glass = enter(self, act, self->last_ms);
    glass->openers = count;
    glass->opener = directory_keep_texts(self, openers, count);
    return DONE;
}

static bool is_opener(const struct directory_break_glass *glass, const char *person)
{
    for (size_t i = 0; i < glass->openers; i++)
        if (strcmp(glass->opener[i], person) == 0)
            return true;
    return false;
}

static bool may_review(const struct directory *self, const struct directory_break_glass *glass,
                       const char *person)
{
    const struct directory_operator *at = directory_operator(self, span_of_text(person));
    return at != NULL && (at->roles >> ROLE_APPROVE & 1) != 0 && !is_opener(glass, person);
}

/* The first of the approvers who is none of them; NULL. */
static const char *third_person(const struct directory *self,
                                const struct directory_break_glass *glass, const Chaski__Act *whole)
{
    for (size_t i = 0; i < whole->n_approval; i++)
        if (whole->approval[i]->who_case == CHASKI__APPROVAL__WHO_OPERATOR &&
            may_review(self, glass, whole->approval[i]->operator_))
            return whole->approval[i]->operator_;
    return NULL;
}

fault act_break_glass_review(struct directory *self, const Chaski__Act *whole)
{
    const Chaski__BreakGlassReviewed *act = whole->break_glass_reviewed;
    struct directory_break_glass *glass = directory_find(&self->glasses, act->id);
    TRY(act_word("what the review found", act->words));
    if (glass == NULL)
        return BAD("a review of emergency %.200s, which is not there", act->id);
    if (self->last_ms < access_glass_end_ms(glass))
        return BAD("emergency %s still runs: it is reviewed when it is over", glass->id);
    if (glass->review[0] != '\0')
        return BAD("emergency %s was reviewed by %s", glass->id, glass->reviewer);
    const char *reviewer = third_person(self, glass, whole);
    if (reviewer == NULL)
        return BAD("emergency %s: who opened it does not review it", glass->id);
    glass->review = directory_keep_text(self, act->words);
    glass->reviewer = directory_keep_text(self, reviewer);
    glass->reviewed_ms = self->last_ms;
    return DONE;
}

/* The review that is owed does not go away by removing what it is of. */
fault act_break_glass_end(struct directory *self, const char *id)
{
    struct directory_break_glass *glass = directory_find(&self->glasses, id);
    if (glass == NULL)
        return BAD("%.200s is not there", id);
    if (self->last_ms < access_glass_end_ms(glass)) {
        glass->ended_ms = self->last_ms;
        return DONE;
    }
    if (glass->review[0] == '\0')
        return BAD("emergency %s is over and was not reviewed: it stays until it is", glass->id);
    rights_take(&self->glass_of, span_of_text(glass->service), span_of_text(glass->consumer), id);
    map_remove(&self->glasses, span_of_text(id));
    return DONE;
}

fault act_break_glass_was(struct directory *self, const Chaski__SnapshotBreakGlass *from)
{
    if (from->set == NULL || directory_find(&self->glasses, from->set->id) != NULL)
        return BAD("an emergency of which nothing is said, or that is there twice");
    TRY(act_code("an emergency", from->set->id));
    TRY(act_time("an emergency's time", from->at_ms));
    TRY(act_time("an emergency's end", from->set->until_ms));
    TRY(act_id(self, from->set->consumer, ID_SUBSYSTEM));
    TRY(act_id(self, from->set->service, ID_SERVICE));
    if (from->n_opened_by > DIRECTORY_APPROVALS_MAX)
        return BAD("an emergency that %zu opened", from->n_opened_by);
    struct directory_break_glass *glass = enter(self, from->set, (int64_t)from->at_ms);
    glass->ended_ms = (int64_t)from->ended_ms;
    glass->openers = from->n_opened_by;
    glass->opener = directory_keep_texts(self, from->opened_by, from->n_opened_by);
    glass->review = directory_keep_text(self, from->review);
    glass->reviewer = directory_keep_text(self, from->reviewed_by);
    glass->reviewed_ms = (int64_t)from->reviewed_ms;
    return DONE;
}
