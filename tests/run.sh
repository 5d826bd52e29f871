#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs all tests of a build and ends with one line `N passed, N failed`.
#   run.sh OUT [ONLY]        OUT: build/dev; ONLY: one program, such as unit-bus or test_storm
# LANES=3 of them run side by side, for most of a story is waiting; LANES=1 for one after the other.
set -u
OUT=${1:?usage: run.sh OUT [ONLY]}
ONLY=${2:-}
cd "$(dirname "$0")/.." || exit 1
LOGS=build/test-output
mkdir -p "$LOGS"
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=ignore_noninstrumented_modules=1:halt_on_error=1
LANES=${LANES:-3}
RESULTS=$LOGS/results
: >"$RESULTS"
: >"$LOGS/skipped"

# show NAME PASSED FAILED SECONDS: one line for people, one for the sum
show() {
    printf '  %-28s %5d passed %5d failed  %6.1f s\n' "$1" "$2" "$3" "$4"
    echo "$1 $2 $3" >>"$RESULTS"
}

wanted() { [ -z "$ONLY" ] || [ "$ONLY" = "$1" ]; }
# in_lane COMMAND...: beside others, as soon as a lane is free
in_lane() {
    while [ "$(jobs -rp | wc -l)" -ge "$LANES" ]; do wait -n; done
    "$@" &
}
now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { print b - a }'; }

# Counts from a program's own closing line `WORD: N passed, N failed`; a crash is one failure.
run_program() { # NAME SECONDS COMMAND...
    local name=$1 limit=$2 start good bad status; shift 2
    wanted "$name" || return 0
    start=$(now)
    timeout "$limit" "$@" >"$LOGS/$name.txt" 2>&1 </dev/null
    status=$?
    read -r good bad < <(sed -n 's/^[a-z]*: \([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$LOGS/$name.txt" | tail -n 1)
    good=${good:-0}
    bad=${bad:-0}
    if [ "$status" != 0 ] && [ "$bad" = 0 ]; then
        bad=1
        echo "ended with status $status" >>"$LOGS/$name.txt"
    fi
    show "$name" "$good" "$bad" "$(since "$start")"
}

# Counts sentences: `ok - ...` and `not ok - ...`.
run_story() { # NAME SECONDS COMMAND...
    local name=$1 limit=$2 start good bad status; shift 2
    wanted "$name" || return 0
    start=$(now)
    timeout "$limit" "$@" >"$LOGS/$name.txt" 2>&1 </dev/null
    status=$?
    good=$(grep -c '^ok - ' "$LOGS/$name.txt")
    bad=$(grep -c '^not ok - ' "$LOGS/$name.txt")
    if [ "$status" != 0 ] && [ "$bad" = 0 ]; then
        bad=1
        echo "not ok - it ended with status $status" >>"$LOGS/$name.txt"
    fi
    show "$name" "$good" "$bad" "$(since "$start")"
    sed -n "s/^skip - /  skipped in $name: /p" "$LOGS/$name.txt" | tee -a "$LOGS/skipped"
}

for check in tools/check/*.sh; do
    [ ! -e "$check" ] || in_lane run_story "check-$(basename "$check" .sh)" 120 bash "$check"
done
for program in "$OUT"/tests/unit-*; do
    case $program in *.d) continue ;; esac
    [ ! -x "$program" ] || in_lane run_program "$(basename "$program")" 600 "$program"
done
for program in "$OUT"/tests/replay-*; do
    [ -x "$program" ] || continue
    target=${program##*/replay-}
    [ ! -d "tests/fuzz/corpus/$target" ] || in_lane run_program "replay-$target" 300 "$program" tests/fuzz/corpus/"$target"/*
done
in_lane run_story instructions 300 bash tests/bench/instructions.sh "$OUT"
# the longest ones first, so that no lane is left alone with one of them in the end
LONG="test_flips test_export test_storm test_reconcile test_epoch test_metadata"
for name in $LONG; do
    in_lane run_story "$name" 900 bash "tests/integration/$name.sh" "$OUT"
done
for story in tests/integration/test_*.sh; do
    name=$(basename "$story" .sh)
    [[ " $LONG " == *" $name "* ]] || in_lane run_story "$name" 900 bash "$story" "$OUT"
done
wait

passed=$(awk '{ n += $2 } END { print n + 0 }' "$RESULTS")
failed=$(awk '{ n += $3 } END { print n + 0 }' "$RESULTS")
if [ "$failed" -gt 0 ]; then
    for name in $(awk '$3 > 0 { print $1 }' "$RESULTS"); do
        echo
        echo "== $name ($LOGS/$name.txt)"
        grep -hE '^not ok|FAIL|Test:|[0-9]+\. |ERROR|ended with|runtime error|: [A-Z_]+:' "$LOGS/$name.txt" | head -n 30
    done
    echo
fi
if [ -s "$LOGS/skipped" ]; then
    echo "$(wc -l <"$LOGS/skipped") skipped, for this machine or build cannot try them:"
    cat "$LOGS/skipped"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
