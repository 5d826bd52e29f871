#!/bin/bash
# SPDX-License-Identifier: MIT
# How long a page of chaski-audit search takes: an index of many entries is made through the code that indexes
# a log (tests/tools/index_fill.c), then each query runs several times, each time as a process of its own.
#   search.sh OUT [ENTRIES]      OUT: build/release; ENTRIES: 1000000. ROUNDS=9. KEEP=FOLDER keeps the index there.
# Called by `make bench-search ENTRIES=10000000`, which asks for about 160 bytes of disk an entry.
set -u
OUT=$(cd "${1:?usage: search.sh OUT [ENTRIES]}" && pwd)
ENTRIES=${2:-1000000}
ROUNDS=${ROUNDS:-9}
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
AUDIT=$OUT/bin/chaski-audit
T=$(mktemp -d "${TMPDIR:-/tmp}/chaski-search-XXXXXX") || exit 1
trap 'rm -rf "$T"' EXIT
D=${KEEP:-$T/log}
export LC_ALL=C
. "$(dirname "$0")/page.sh"

made=
if [ ! -s "$D/index/search.db" ]; then
    start=$EPOCHREALTIME
    "$OUT/tests/index_fill" "$D" "$ENTRIES" || exit 1
    made=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.0f s", b - a }')
fi
bytes=$(stat -c %s "$D/index/search.db")

search() { "$AUDIT" search "$D" --as-is "$@"; }
# values that are there: of a row in the middle
search --from 2025-11-01 --oldest --limit 400 --json >"$T/rows" || exit 1
value() { jq -r "[.rows[] | select(.case_ref != null and .subject != null)][7].$1" "$T/rows"; }
EXCHANGE=$(value exchange) CASE=$(value case_ref) SUBJECT=$(value subject)
AFTER=$(search --until 2025-06-01 --limit 1 --purpose FIN-03 --json | jq -r .after)

# each line: what it asks for | the filters
cat >"$T/queries" <<E
all, newest|
all, oldest|--oldest
a day in the middle|--from 2025-11-07 --until 2025-11-07
a busy peer|--peer CO/MUN/890900001/SS1
a rare peer|--peer CO/MUN/890901099/SS1
a peer, a month|--peer CO/MUN/890900050/SS1 --from 2025-03-01 --until 2025-03-31
the log's own member|--member CO/GOV/800197268
a busy member|--member CO/MUN/890900000
a rare member|--member CO/MUN/890901090
a busy service|--service CO/GOV/800197268/RUT/servicio00
a rare service|--service CO/GOV/800197268/EXOGENA/servicio59
services of a subsystem (30)|--service CO/GOV/800197268/RUT
services by half a name (5)|--service CO/GOV/800197268/RUT/servicio1
services of others (1,100)|--service CO/MUN
an exchange|--exchange $EXCHANGE
an exchange, 8 digits of it|--exchange ${EXCHANGE:0:8}
a case|--case $CASE
a subject|--subject $SUBJECT
a busy purpose|--purpose FIN-00
a rare purpose|--purpose FIN-39
a purpose, a page within|--purpose FIN-03 --after $AFTER
ok|--outcome ok
refused|--outcome refused
failed|--outcome failed
without an outcome|--outcome none
a frequent fault|--outcome ACCESS_DENIED
a rare fault|--outcome OVERLOADED
a status|--outcome 500
a frequent rule|--rule shared
a rare rule|--rule grant/149
faults|--kind fault
starts of the node|--kind started
refused, by purpose|--outcome refused --purpose FIN-07
failed, by peer|--outcome failed --peer CO/MUN/890900011/SS1
failed, by peer and subsystem|--outcome failed --peer CO/MUN/890900011/SS1 --service CO/GOV/800197268/RUT
no outcome, by member|--outcome none --member CO/MUN/890900002
rare fault, by purpose, a year|--outcome OVERLOADED --purpose FIN-01 --from 2025-01-01 --until 2025-12-31
purpose, service and rule|--purpose FIN-05 --service CO/GOV/800197268/EXOGENA/servicio03 --rule grant/3
rule, purpose and failed|--rule grant/20 --purpose FIN-30 --outcome failed
subject and outcome|--subject $SUBJECT --outcome ok
two that never meet|--peer CO/MUN/890901099/SS1 --outcome OVERLOADED
two frequent ones that never meet|--rule restricted/no-grant --outcome 500
a word that is not there|--purpose NADA
1,000 rows, JSON|--outcome refused --limit 1000 --json
E
queries=$(wc -l <"$T/queries")

run_one() { # FILTERS: its microseconds
    local start=$EPOCHREALTIME end
    # shellcheck disable=SC2086
    search $1 >"$T/page" 2>/dev/null </dev/null || { echo "failed: $1" >&2; return 1; }
    end=$EPOCHREALTIME
    echo $((${end/./} - ${start/./}))
}
pick() { sort -n | awk -v p="$1" '{ v[NR] = $1 } END { printf "%.1f", v[int((NR - 1) * p + 0.5) + 1] / 1000 }'; }
times() { sed -n "s/^$1 //p" "$T/times"; }

: >"$T/times"
for ((round = 1; round <= ROUNDS; round++)); do
    number=0
    while IFS='|' read -r _ filters; do
        number=$((number + 1))
        took=$(run_one "$filters") || exit 1
        echo "$number $took" >>"$T/times"
    done <"$T/queries"
    echo "round $round of $ROUNDS" >&2
done

{
    echo "Measured $(date -u +%Y-%m-%d) with \`make bench-search ENTRIES=$ENTRIES\`: $(machine);"
    echo "an index of $ENTRIES entries, $((bytes / 1000000)) MB${made:+, made in $made}; $queries queries, $ROUNDS times each, a process each, the file in the system's cache."
    echo
    echo "| a page of 50 rows | p50, ms | p95, ms |"
    echo "| --- | --- | --- |"
    number=0
    while IFS='|' read -r what _; do
        number=$((number + 1))
        echo "| $what | $(times $number | pick 0.5) | $(times $number | pick 0.95) |"
    done <"$T/queries"
    echo "| **all queries** | **$(cut -d ' ' -f 2 "$T/times" | pick 0.5)** | **$(cut -d ' ' -f 2 "$T/times" | pick 0.95)** |"
} >"$T/table.md"
cat "$T/table.md"

page_put "$T/table.md" "search table"
