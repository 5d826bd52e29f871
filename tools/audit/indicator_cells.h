// SPDX-License-Identifier: MIT
/*
 * indicator_cells - a table of counts with its sums, of which nobody can tell a small one: counts
 * from 1 to INDICATOR_LEAST - 1 are suppressed, and as many others as it takes that no line and its
 * sum give one away. Zeros are shown. Reasons: docs/decisions/0039.
 *
 * The last row and the last column are the sums.
 */
#ifndef TOOLS_AUDIT_INDICATOR_CELLS_H
#define TOOLS_AUDIT_INDICATOR_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INDICATOR_LEAST 5

struct indicator_cells {
    size_t rows, columns; /* with the sums */
    uint64_t *count;      /* rows * columns */
    bool *hidden;
};

/* All zeros; without the sums it has as many rows and columns. indicator_cells_clear() it. */
void indicator_cells_make(struct indicator_cells *self, size_t rows, size_t columns);
void indicator_cells_clear(struct indicator_cells *self);

static inline uint64_t *indicator_cell(const struct indicator_cells *self, size_t row,
                                       size_t column)
{
    return &self->count[row * self->columns + column];
}
static inline bool indicator_hidden(const struct indicator_cells *self, size_t row, size_t column)
{
    return self->hidden[row * self->columns + column];
}

/* Fills the sums, and hides what must be hidden. */
void indicator_cells_close(struct indicator_cells *self);

#endif
