#!/bin/bash
# SPDX-License-Identifier: MIT
# What a large directory costs a node: its size on disk, how long loading takes in each way, memory, one change.
#   directory.sh OUT [MEMBERS SERVERS SERVICES]      OUT: build/release; 6300 2000 20000. ROUNDS=5
# Called by `make bench-directory`. Members without a server are institutions that are registered only.
set -u
OUT=$(cd "${1:?usage: directory.sh OUT [MEMBERS SERVERS SERVICES]}" && pwd)
MEMBERS=${2:-6300} SERVERS=${3:-2000} SERVICES=${4:-20000}
ROUNDS=${ROUNDS:-5}
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
REGISTRY=$OUT/bin/chaski-registry
T=$(mktemp -d "${TMPDIR:-/tmp}/chaski-directory-XXXXXX") || exit 1
trap 'rm -rf "$T"' EXIT
export LC_ALL=C
RESULTS=$T
. "$(dirname "$0")/page.sh"

"$REGISTRY" init "$T/store" --instance CO --name "Autoridad" >/dev/null || exit 1
"$OUT/tests/country_fill" "$T/store" "$MEMBERS" "$SERVERS" "$SERVICES" 2>/dev/null || exit 1
"$REGISTRY" publish "$T/store" --to "$T/whole" >/dev/null || exit 1
acts=$(sed -n 2p "$T/whole/checkpoint")
# as a follower has it that began with the snapshot: the last bundle and the tiles of hashes
cp -r "$T/whole" "$T/snapshot"
find "$T/snapshot/tile/entries" -type f ! -path "*/$(printf %03d $((acts / 256))).p/*" -delete
cp -r "$T/whole" "$T/before"
"$REGISTRY" purpose add "$T/store" OTRA --title "Otra finalidad" --legal-basis "Ley 1712 de 2014" >/dev/null || exit 1
"$REGISTRY" publish "$T/store" --to "$T/whole" >/dev/null || exit 1

timer() { # HOW FOLDER [NEW]: a line of milliseconds, epoch, KiB; and the processor's milliseconds in the end
    local TIMEFORMAT="%U %S" used
    used=$({ time "$OUT/tests/directory_timer" "$1" "$2" "$T/store/anchor/trust.pem" "$T/store/anchor/directory.vkey" ${3:+"$3"} >"$T/line"; } 2>&1) || return 1
    echo "$(cat "$T/line") $(awk '{ printf "%.0f", ($1 + $2) * 1000 }' <<<"$used")"
}
for ((round = 1; round <= ROUNDS; round++)); do
    for how in whole known snapshot; do
        folder=$T/before
        [ $how = snapshot ] && folder=$T/snapshot
        timer $how "$folder" >>"$T/$how.txt" || exit 1
    done
    timer advance "$T/before" "$T/whole" >>"$T/advance.txt" || exit 1
    progress "round $round of $ROUNDS"
done

row() { # HOW WHAT
    echo "| $2 | $(column "$1" 1 | median) ($(column "$1" 1 | spread)) | $(column "$1" 4 | median) | $(($(column "$1" 3 | median) / 1024)) |"
}
{
    echo "Measured $(date -u +%Y-%m-%d) with \`make bench-directory\`: $(machine);"
    echo "$MEMBERS members, $SERVERS servers with certificates, $SERVICES services: $acts acts, $(($(du -sb --apparent-size "$T/whole/tile" | cut -f 1) / 1000000)) MB of tiles, a"
    echo "snapshot of $(($(stat -c %s "$T/whole/snapshot/"[0-9]* | sort -n | tail -n 1) / 100000))00 KB; medians of $ROUNDS."
    echo
    echo "| | ms (spread) | ms of processor, the program whole | resident MB after it |"
    echo "| --- | --- | --- | --- |"
    row whole "from the first act, each verified"
    row snapshot "first start, from the snapshot"
    row known "restart, from the node's own copy"
    row advance "one change and the act that publishes it (the second figure: with the load before)"
} >"$T/table.md"
cat "$T/table.md"
page_put "$T/table.md" "directory table"
