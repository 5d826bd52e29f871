// SPDX-License-Identifier: MIT
#include "gateway/subject_years.h"

#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    const struct front_year *a = left;
    const struct front_year *b = right;
    return a->year == b->year ? 0 : a->year < b->year ? 1 : -1;
}

/* The directory's, in order. What a server says of impossible years counts for nothing. */
static size_t sorted(const struct front_servers *page,
                     struct front_year out[SUBJECT_YEARS_KNOWN_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < page->years && count < SUBJECT_YEARS_KNOWN_MAX; i++)
        if (page->year[i].year >= SUBJECT_YEAR_FIRST && page->year[i].year <= SUBJECT_YEAR_LAST)
            out[count++] = page->year[i];
    qsort(out, count, sizeof *out, compare);
    return count;
}

static bool is_asked(const struct subject_question *question, unsigned year)
{
    for (size_t i = 0; i < question->tokens; i++)
        if (question->token[i].year == year)
            return true;
    return false;
}

static const char *why_not(const struct front_year *year)
{
    return year->state == FRONT_YEAR_DESTROYED ? "destroyed" : "key-not-here";
}

static void add(struct subject_cover *self, unsigned year, const char *reason)
{
    self->year[self->count].year = year;
    self->year[self->count++].why_not = reason;
}

static void choose_all(struct subject_question *question, const struct front_year *known,
                       size_t count, struct subject_cover *out)
{
    size_t tokens = 0;
    for (size_t i = 0; i < count; i++) {
        bool held = known[i].state == FRONT_YEAR_HELD, room = tokens < SUBJECT_VIEW_YEARS_MAX;
        if (held && room)
            question->token[tokens++] = (struct subject_token){.year = known[i].year};
        out->whole = out->whole && (known[i].state == FRONT_YEAR_DESTROYED || (held && room));
        add(out, known[i].year, !held ? why_not(&known[i]) : room ? NULL : "too-many-years");
    }
    if (tokens > 0) /* else its own server says what is missing */
        question->tokens = tokens;
}

/* Of these none may be asked for: its own server would refuse the whole for them. */
static void leave_out(struct subject_question *question, unsigned year)
{
    size_t kept = 0;
    for (size_t i = 0; i < question->tokens; i++)
        if (question->token[i].year != year)
            question->token[kept++] = question->token[i];
    question->tokens = kept;
}

fault subject_years_choose(struct subject_question *question, const struct front_servers *page,
                           struct subject_cover *out)
{
    struct front_year known[SUBJECT_YEARS_KNOWN_MAX] = {0};
    size_t count = sorted(page, known);
    bool by_number = question->person[0] != '\0';
    *out = (struct subject_cover){.whole = true};
    if (by_number && question->tokens == 1 && question->token[0].year == 0) {
        choose_all(question, known, count, out);
        return DONE;
    }
    for (size_t i = 0; i < count; i++) {
        bool asked = is_asked(question, known[i].year);
        bool gone = known[i].state == FRONT_YEAR_DESTROYED && by_number;
        add(out, known[i].year, asked && !gone ? NULL : gone ? "destroyed" : "not-asked-for");
        if (asked && gone)
            leave_out(question, known[i].year);
    }
    if (question->tokens == 0)
        return RAISE(SUBJECT_KEY_MISSING, "the keys of these years are destroyed");
    return DONE;
}

json_t *subject_years_json(const struct subject_cover *self)
{
    json_t *covered = json_array(), *not_covered = json_array();
    for (size_t i = 0; i < self->count; i++)
        if (self->year[i].why_not == NULL)
            json_array_append_new(covered, json_integer(self->year[i].year));
        else
            json_array_append_new(not_covered,
                                  json_pack("{s:i,s:s}", "year", (int)self->year[i].year, "why",
                                            self->year[i].why_not));
    return json_pack("{s:o,s:o}", "covered", covered, "not_covered", not_covered);
}
