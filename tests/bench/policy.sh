#!/bin/bash
# SPDX-License-Identifier: MIT
# What a decision costs, with few rules and with those of a country. Called by `make bench-policy`, which
# puts the table into docs/PERFORMANCE.md.
#   policy.sh OUT      OUT: build/release
set -eu
OUT=$1
ROUNDS=${ROUNDS:-5}
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
. "$(dirname "$0")/page.sh"
RESULTS=$ROOT/build/bench/policy
mkdir -p "$RESULTS"
small() { "$ROOT/$OUT/tests/policy_timer" 2000 1000 | sed -n 1p; }
large() { "$ROOT/$OUT/tests/policy_timer" 20000 100000 | sed -n 1p; }
: >"$RESULTS/small"
: >"$RESULTS/large"
for ((i = 1; i <= ROUNDS; i++)); do
    echo "  round $i of $ROUNDS" >&2
    small >>"$RESULTS/small"
    large >>"$RESULTS/large"
done
of() { # FILE COLUMN: the median and the spread of nanoseconds
    cut -d ' ' -f "$2" "$RESULTS/$1" | cut -d : -f 2 | sort -n |
        awk '{ v[NR] = $1 } END { printf "%d (%d-%d)", v[int((NR + 1) / 2)], v[1], v[NR] }'
}
row() { echo "| $1 | $(of small "$2") | $(of large "$2") |"; }
{
    echo "Measured $(date -u +%Y-%m-%d) with \`make bench-policy\`: $(machine), one thread; $ROUNDS runs by turns,"
    echo "in each the best of 5 rounds of 200,000 decisions; load of the machine at the end $(cut -d ' ' -f 1 /proc/loadavg)."
    echo
    echo "| processor for one decision, ns, median (spread) | 2,000 services, 1,000 rules | 20,000 services, 100,000 rules |"
    echo "| --- | --- | --- |"
    row "open" 4
    row "shared, by a competence" 5
    row "restricted, by a grant" 6
    row "refused, with reason and remedy in words" 7
    row "**all of them mixed**" 8
} | tee "$RESULTS/table.md"
page_put "$RESULTS/table.md" "policy table"
