// SPDX-License-Identifier: MIT
/*
 * subject_years - over which years a view of a person goes: each year's pseudonym is another, and
 * when a year's key is destroyed nobody can look for anybody in it any more.
 */
#ifndef GATEWAY_SUBJECT_YEARS_H
#define GATEWAY_SUBJECT_YEARS_H

#include "gateway/front_line.h"
#include "gateway/subject_question.h"

#include <jansson.h>

#define SUBJECT_YEARS_KNOWN_MAX (SUBJECT_YEAR_LAST - SUBJECT_YEAR_FIRST + 1)

/* Years, the newest first; of each why it is not looked through, or NULL. */
struct subject_cover {
    size_t count;
    struct {
        unsigned year;
        const char *why_not;
    } year[SUBJECT_YEARS_KNOWN_MAX];
    bool whole; /* all that can be looked through are, or those that the asker chose */
};

/*
 * Of a question that names a person: the years to ask for, and what is left out. A question without
 * years is about all whose key is held, the newest SUBJECT_VIEW_YEARS_MAX; of the years that it
 * names those whose key is destroyed are left out. Pseudonyms stay as they are.
 *
 * SUBJECT_KEY_MISSING: the keys of all named years are destroyed.
 */
fault subject_years_choose(struct subject_question *question, const struct front_servers *page,
                           struct subject_cover *out);

/* {"covered": [2026, 2025], "not_covered": [{"year": 2024, "why": "destroyed"}]}; the caller's. */
json_t *subject_years_json(const struct subject_cover *self);

#endif
