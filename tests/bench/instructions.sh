#!/bin/bash
# SPDX-License-Identifier: MIT
# Has a hot step of an exchange become dearer? Counted, not timed, so that a loaded machine says the same as a quiet one:
# tests/tools/hot_steps.c runs each step under valgrind's callgrind. Counted are the instructions of our own code and of
# libprotobuf-c, which are the same on each processor; of OpenSSL only how often it is called (its code is chosen by
# processor), and how often memory is asked for.
#   instructions.sh OUT [--accept]     OUT: build/dev. --accept: what is counted now becomes the budget
# The budget is tests/bench/instructions.txt. Called by `make test`, as `instructions`, and by `make accept-instructions`.
set -u
OUT=$1
HERE=$(cd "$(dirname "$0")" && pwd)
BUDGET=$HERE/instructions.txt
TOLERANCE=10 # of a hundred; and two calls, where there are few
FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/chaski-instructions-XXXXXX")
trap 'rm -rf "$FOLDER"' EXIT

case $(basename "$OUT") in
dev) ;;
*) echo "skip - instructions are within their budget: the budget is for BUILD=dev"; exit 0 ;;
esac
mkdir "$FOLDER/log"
valgrind --tool=callgrind --instr-atstart=no --combine-dumps=yes --compress-strings=no --compress-pos=no \
    --callgrind-out-file="$FOLDER/callgrind.out" "$OUT/tests/hot_steps" "$FOLDER/log" >"$FOLDER/steps" 2>"$FOLDER/errors" </dev/null ||
    { echo "not ok - the hot steps run under callgrind: $(tail -n 2 "$FOLDER/errors" | tr '\n' ' ')"; exit 1; }

# A part of callgrind's output for each step: lines of cost belong to the object named last; a line `calls=` names how
# often a function was called, of which the line behind it is the inclusive cost, which is not this function's own.
awk '
    function base(path) { sub(/.*\//, "", path); return path }
    NR == FNR { if (NF == 2) times[$1] = $2; next }
    /^part: / { step = ""; own = crypto = signatures = memory = skip = 0; object = target = "" }
    /^desc: Trigger: Client Request: / { step = $5 }
    /^ob=/ { object = base(substr($0, 4)); ours = object ~ /^(hot_steps|libprotobuf-c)/ }
    /^cob=/ { target = base(substr($0, 5)) }
    /^cfn=/ { callee = substr($0, 5) }
    /^calls=/ {
        split(substr($1, 7), count, " ")
        if (target == "") target = object
        if (ours && target ~ /^libcrypto/) crypto += count[1]
        if (ours && callee ~ /^EVP_PKEY_(sign|verify)$/) signatures += count[1]
        if (ours && callee ~ /^(malloc|calloc|realloc|posix_memalign|aligned_alloc)$/) memory += count[1]
        target = ""; skip = 1; next
    }
    /^[0-9+*-]/ { if (skip) skip = 0; else if (ours) own += $2 }
    /^totals:/ && step in times {
        n = times[step]
        printf "%-20s %12.0f %12.0f %12.0f %12.0f\n", step, own / n, crypto / n, signatures / n, memory / n
    }' "$FOLDER/steps" "$FOLDER/callgrind.out" >"$FOLDER/counted"

if [ "${2:-}" = --accept ]; then
    { grep '^#' "$BUDGET"; cat "$FOLDER/counted"; } >"$FOLDER/budget" && cat "$FOLDER/budget" >"$BUDGET"
    echo "tests/bench/instructions.txt now has what is counted; git diff shows what changed: say why in the commit"
    exit 0
fi

awk -v tolerance="$TOLERANCE" '
    BEGIN { split("instructions,calls of OpenSSL,signatures made or checked,allocations", word, ",") }
    /^#/ || NF == 0 { next }
    NR == FNR { for (i = 1; i <= 4; i++) budget[$1, i] = $(i + 1); known[$1] = 1; next }
    {
        seen[$1] = 1
        if (!($1 in known)) { print "not ok - " $1 " has a budget: it is new; make accept-instructions writes it down"; next }
        for (i = 1; i <= 4; i++) {
            was = budget[$1, i]; now = $(i + 1); room = was * tolerance / 100
            if (i == 2 || i == 4) room = room > 2 ? room : 2
            if (i == 3) room = 0
            said = $1 ": " now " " word[i] ", budget " was
            if (now > was + room)
                print "not ok - " said " (+" (was > 0 ? sprintf("%.0f %%", (now / was - 1) * 100) : now) "): find out what it does more (callgrind_annotate), or, when that is wanted, make accept-instructions and say why in the commit"
            else if (i == 1)
                print "ok - " said (now < was - room ? "; cheaper by more than the tolerance: make accept-instructions keeps it so" : "")
        }
    }
    END { for (step in known) if (!(step in seen)) print "not ok - " step " is counted: it stands in the budget and was not run; make accept-instructions takes it out" }
' "$BUDGET" "$FOLDER/counted" | tee "$FOLDER/verdict"
[ -s "$FOLDER/verdict" ] || { echo "not ok - steps are counted: callgrind gave nothing"; exit 1; }
! grep -q '^not ok' "$FOLDER/verdict"
