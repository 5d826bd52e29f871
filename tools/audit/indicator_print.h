// SPDX-License-Identifier: MIT
/*
 * indicator_print - one row for each number: for people, as JSON, and as CSV for open data.
 */
#ifndef TOOLS_AUDIT_INDICATOR_PRINT_H
#define TOOLS_AUDIT_INDICATOR_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define INDICATOR_ALL "(all)"

enum indicator_form { INDICATOR_TEXT, INDICATOR_JSON, INDICATOR_CSV };

struct indicator_printer {
    enum indicator_form form;
    json_t *rows;      /* of JSON */
    const char *month; /* "2026-11"; "": of no month; NULL: months are not told apart */
};

/* value NULL: it is suppressed. */
void indicator_put(struct indicator_printer *self, const char *indicator, const char *entity,
                   const char *group, const double *value, const char *unit);
void indicator_put_count(struct indicator_printer *self, const char *indicator, const char *entity,
                         const char *group, uint64_t count, bool hidden);
/* Nothing when the whole is nothing. */
void indicator_put_share(struct indicator_printer *self, const char *indicator, const char *entity,
                         uint64_t part, uint64_t whole, bool hidden);

#endif
