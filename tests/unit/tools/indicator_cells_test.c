// SPDX-License-Identifier: MIT
#include "tools/audit/indicator_cells.h"

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static bool is_hidden(const struct indicator_cells *cells, size_t row, size_t column)
{
    return indicator_hidden(cells, row, column);
}

static void test_a_small_count_takes_another_one_with_it(void)
{
    struct indicator_cells cells;
    indicator_cells_make(&cells, 2, 2);
    *indicator_cell(&cells, 0, 0) = 3;
    *indicator_cell(&cells, 0, 1) = 100;
    *indicator_cell(&cells, 1, 0) = 200;
    *indicator_cell(&cells, 1, 1) = 300;
    indicator_cells_close(&cells);
    CU_ASSERT_EQUAL(*indicator_cell(&cells, 0, 2), 103);
    CU_ASSERT_EQUAL(*indicator_cell(&cells, 2, 2), 603);
    CU_ASSERT(is_hidden(&cells, 0, 0));
    CU_ASSERT(is_hidden(&cells, 0, 1) && is_hidden(&cells, 1, 0)); /* else a difference tells it */
    CU_ASSERT(is_hidden(&cells, 1, 1));
    CU_ASSERT_FALSE(is_hidden(&cells, 2, 2));
    indicator_cells_clear(&cells);
}

static void test_large_counts_and_zeros_are_shown(void)
{
    struct indicator_cells cells;
    indicator_cells_make(&cells, 2, 2);
    *indicator_cell(&cells, 0, 0) = 5;
    *indicator_cell(&cells, 1, 1) = 500;
    indicator_cells_close(&cells);
    for (size_t i = 0; i < 9; i++)
        CU_ASSERT_FALSE(cells.hidden[i]);
    indicator_cells_clear(&cells);
}

/* What follows from the lines alone, again and again: a cell that is the only unknown of a line, or
 * that shares a rest which leaves it one value from 1 up. */
static bool can_be_told(const struct indicator_cells *cells)
{
    size_t count = cells->rows * cells->columns;
    bool *known = calloc(count, sizeof *known);
    bool told = false;
    for (size_t i = 0; i < count; i++)
        known[i] = !cells->hidden[i];
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t line = 0; line < cells->rows + cells->columns; line++) {
            bool row = line < cells->rows;
            size_t size = row ? cells->columns : cells->rows;
            size_t first = row ? line * cells->columns : line - cells->rows;
            size_t step = row ? 1 : cells->columns, unknown = 0, last = 0;
            uint64_t rest = 0;
            for (size_t at = 0; at < size; at++)
                if (!known[first + at * step]) {
                    unknown++;
                    last = first + at * step;
                    rest += at + 1 < size ? cells->count[last] : 0;
                }
            bool sum_known = known[first + (size - 1) * step];
            if (unknown == 1 || (unknown > 1 && sum_known && rest == unknown)) {
                known[last] = changed = told = true;
            }
        }
    }
    free(known);
    return told;
}

/* Of every table nothing is told, as far as there is anything left that could be hidden. */
static void test_no_small_count_of_any_table_is_told(void)
{
    unsigned seed = 7;
    for (size_t trial = 0; trial < 3000; trial++) {
        struct indicator_cells cells;
        size_t rows = 1 + (size_t)rand_r(&seed) % 5, columns = 1 + (size_t)rand_r(&seed) % 5;
        indicator_cells_make(&cells, rows, columns);
        for (size_t row = 0; row < rows; row++)
            for (size_t column = 0; column < columns; column++)
                *indicator_cell(&cells, row, column) =
                    rand_r(&seed) % 3 == 0 ? 0 : (uint64_t)(rand_r(&seed) % 12);
        indicator_cells_close(&cells);
        for (size_t i = 0; i < cells.rows * cells.columns; i++)
            CU_ASSERT(cells.hidden[i] || cells.count[i] == 0 || cells.count[i] >= INDICATOR_LEAST);
        CU_ASSERT_FALSE(can_be_told(&cells));
        indicator_cells_clear(&cells);
    }
}

SUITE(indicator_cells, TEST(test_a_small_count_takes_another_one_with_it),
      TEST(test_large_counts_and_zeros_are_shown), TEST(test_no_small_count_of_any_table_is_told))
