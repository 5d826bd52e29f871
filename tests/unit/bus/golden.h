// SPDX-License-Identifier: MIT
/*
 * golden - tables of a document that people and tests read alike: under a heading, rows of cells.
 */
#ifndef TESTS_BUS_GOLDEN_H
#define TESTS_BUS_GOLDEN_H

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/bus/working_days.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN_CELLS_MAX 12
#define GOLDEN_ROWS_MAX 200

struct golden_row {
    size_t cells;
    char *cell[GOLDEN_CELLS_MAX];
};

struct golden {
    char *text; /* cells point into it */
    size_t rows;
    struct golden_row row[GOLDEN_ROWS_MAX];
};

static inline void golden_free(struct golden **owner)
{
    if (*owner == NULL)
        return;
    free((*owner)->text);
    free(*owner);
    *owner = NULL;
}

/* Cells between bars, without the blanks around them. */
static inline void golden_split(struct golden *self, char *line)
{
    CU_ASSERT_FATAL(self->rows < GOLDEN_ROWS_MAX);
    struct golden_row *row = &self->row[self->rows++];
    char *at = line + 1, *bar;
    while ((bar = strchr(at, '|')) != NULL) {
        char *end = bar;
        CU_ASSERT_FATAL(row->cells < GOLDEN_CELLS_MAX);
        while (at < end && *at == ' ')
            at++;
        while (end > at && end[-1] == ' ')
            end--;
        *end = '\0';
        row->cell[row->cells++] = at;
        at = bar + 1;
    }
}

/* The rows of the first table under "## heading", without those that name its columns. */
static inline struct golden *golden_read(const char *path, const char *heading)
{
    struct golden *self = owned_new(sizeof *self);
    OWNED(bytes) file = NULL;
    char title[128], *rest = NULL;
    size_t seen = 0;
    bool inside = false;
    MUST(file_read(path, 1 << 20, &file));
    self->text = owned_new(file->size + 1);
    memcpy(self->text, file->data, file->size);
    snprintf(title, sizeof title, "## %s", heading);
    for (char *line = strtok_r(self->text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (line[0] == '#')
            inside = strcmp(line, title) == 0;
        else if (inside && line[0] == '|' && seen++ >= 2)
            golden_split(self, line);
    }
    CU_ASSERT_FATAL(self->rows > 0);
    return self;
}

/* "2026-10-01", "2026-10-01 10:00" or "2026-10-01 10:00:30", Bogotá; ms since 1970. */
static inline int64_t golden_ms(const char *text)
{
    int year = 0;
    unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;
    int read = sscanf(text, "%d-%u-%u %u:%u:%u", &year, &month, &day, &hour, &minute, &second);
    CU_ASSERT_FATAL(read == 3 || read == 5 || read == 6);
    return (((working_days_of_date(year, month, day) * 24 + hour + 5) * 60 + minute) * 60 +
            second) *
           1000;
}

#endif
