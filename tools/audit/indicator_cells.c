// SPDX-License-Identifier: MIT
#include "tools/audit/indicator_cells.h"

#include "lib/base/owned.h"

#include <stdlib.h>

void indicator_cells_make(struct indicator_cells *self, size_t rows, size_t columns)
{
    self->rows = rows + 1;
    self->columns = columns + 1;
    self->count = owned_array(self->rows * self->columns, sizeof *self->count);
    self->hidden = owned_array(self->rows * self->columns, sizeof *self->hidden);
}

void indicator_cells_clear(struct indicator_cells *self)
{
    free(self->count);
    free(self->hidden);
    *self = (struct indicator_cells){0};
}

static void sum_up(struct indicator_cells *self)
{
    for (size_t row = 0; row + 1 < self->rows; row++)
        for (size_t column = 0; column + 1 < self->columns; column++) {
            uint64_t count = *indicator_cell(self, row, column);
            *indicator_cell(self, row, self->columns - 1) += count;
            *indicator_cell(self, self->rows - 1, column) += count;
            *indicator_cell(self, self->rows - 1, self->columns - 1) += count;
        }
}

/* A row or a column: `size` cells, the last one their sum. */
struct line {
    size_t first, step, size;
};

static size_t place(const struct line *line, size_t at)
{
    return line->first + at * line->step;
}

/* Do the cells that are shown tell one that is not? One alone is the difference; several whose sum
 * is small have few ways to be. Of a sum that is hidden too nothing follows from one line, but when
 * all its parts are shown. */
static bool tells(const struct indicator_cells *self, const struct line *line)
{
    size_t hidden = 0;
    uint64_t sum = 0;
    for (size_t at = 0; at + 1 < line->size; at++)
        if (self->hidden[place(line, at)]) {
            hidden++;
            sum += self->count[place(line, at)];
        }
    if (self->hidden[place(line, line->size - 1)])
        return hidden == 0;
    return hidden == 1 || (hidden > 1 && sum < INDICATOR_LEAST);
}

/* The smallest that is shown and no zero; of parts and sums the part. False: there is none. */
static bool hide_another(struct indicator_cells *self, const struct line *line)
{
    size_t best = line->size;
    for (size_t at = 0; at < line->size; at++) {
        size_t cell = place(line, at);
        bool is_sum = at + 1 == line->size;
        if (self->hidden[cell] || self->count[cell] == 0)
            continue;
        if (best == line->size || (!is_sum && self->count[cell] < self->count[place(line, best)]))
            best = at;
    }
    if (best == line->size)
        return false;
    self->hidden[place(line, best)] = true;
    return true;
}

static bool mend(struct indicator_cells *self, const struct line *line)
{
    bool changed = false;
    while (tells(self, line) && hide_another(self, line))
        changed = true;
    return changed;
}

void indicator_cells_close(struct indicator_cells *self)
{
    sum_up(self);
    for (size_t i = 0; i < self->rows * self->columns; i++)
        self->hidden[i] = self->count[i] > 0 && self->count[i] < INDICATOR_LEAST;
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t row = 0; row < self->rows; row++)
            changed |= mend(self, &(struct line){row * self->columns, 1, self->columns});
        for (size_t column = 0; column < self->columns; column++)
            changed |= mend(self, &(struct line){column, self->columns, self->rows});
    }
}
