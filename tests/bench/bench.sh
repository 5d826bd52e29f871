#!/bin/bash
# SPDX-License-Identifier: MIT
# All figures that Chaski is to reach, in one run on one machine, beside two nginx chains: one that signs and records
# nothing, and one with signatures bolted on (chain.sh). Called by `make bench`; takes about eight minutes.
#   bench.sh OUT [ROUNDS]     OUT: build/release. Writes build/bench/table.md, bench.json and pictures, and puts the table
#                             into docs/PERFORMANCE.md and the pictures beside it. SECONDS_EACH=3
# What cannot be reached yet, or is refused, stands in the table as that.
set -- "$1" "${2:-5}"
ROUNDS=$2
SECONDS_EACH=${SECONDS_EACH:-3}
. "$(dirname "$0")/../integration/lib.sh"
for part in chain page measure pair bodies goals picture; do . "$(dirname "$0")/$part.sh"; done
export LC_ALL=C
RESULTS=$ROOT/build/bench
mkdir -p "$RESULTS"
rm -f "$RESULTS"/*.txt
trap 'chain_stop 2>/dev/null; stop_all; rm -rf "$C"' EXIT
LOAD_BEFORE=$(cut -d ' ' -f 1 /proc/loadavg)
began=$SECONDS

progress "making two members, and the nginx chains"
pair_start

# --- rounds ------------------------------------------------------------------------------------------
sleep 1
memory a >"$RESULTS/idle.txt"
memory b >>"$RESULTS/idle.txt"
for url in "$PLAIN" "$SIGN" "$BUS"; do wrk -t1 -c64 -d1s -H "$CLIENT" "$url/answer" >/dev/null 2>&1; done
for ((round = 1; round <= ROUNDS; round++)); do
    progress "round $round of $ROUNDS"
    sync -f "$C" # what the turn before left to be written is not this one's
    load_used plain64 64 "$PLAIN/answer" plain_parts
    load_used sign64 64 "$SIGN/answer" sign_parts
    load_used bus64 64 "$BUS/answer" bus_parts
    load plain1 1 "$PLAIN/answer" 2
    "$OUT/tests/flush_timer" "$C/a/flush" 4096 1 >>"$RESULTS/flush.txt"
    load bus1 1 "$BUS/answer" 2
    load sign1 1 "$SIGN/answer" 1
    load plain10k 64 "$PLAIN/answer10k" 2
    load bus10k 64 "$BUS/answer10k" 2
    load plain1m 16 "$PLAIN/answer1m" 1
    load bus1m 16 "$BUS/answer1m" 2
    crowd crowd64 64 "$BUS/answer" 1
    watch_memory memory1000
    crowd crowd1000 1000 "$BUS/answer" 2
    watch_end
    settle
done
progress "10,000 connections"
for ((round = 1; round <= 3; round++)); do
    crowd crowd64b 64 "$BUS/answer" 1
    watch_memory memory10000
    crowd crowd10000 10000 "$BUS/answer" 5
    watch_end
    settle
done
progress "the curve from 2 to 1,000 in flight"
for n in 2 4 8 16 32 128 256 512 1000; do
    for series in plain sign bus; do
        declare -n url=${series^^}
        [ "$n" -lt 128 ] || wrk -t1 -c"$n" -d1s -H "$CLIENT" "$url/answer" >/dev/null 2>&1 # connections behind
        load "curve-$series-$n" "$n" "$url/answer" 1
    done
done
memory a >"$RESULTS/loaded.txt"
memory b >>"$RESULTS/loaded.txt"

progress "1 GiB each way"
large_bodies

progress "what openssl itself does here, and the audit of both logs"
openssl speed -seconds 2 ecdsap256 2>/dev/null | awk '/nistp256/ { print $(NF-1), $NF }' >"$RESULTS/ecdsa.txt"
gateway_stop a
server_stop a
overload
gateway_stop a; gateway_stop b; server_stop a; server_stop b
timeout 200 "$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" --store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key" \
    >"$RESULTS/verify.out"
verify_status=$?
[ "$verify_status" != 124 ] || echo "not finished in 200 s" >>"$RESULTS/verify.out"
chain_stop

progress "a long log, and a directory of 2,000 members"
ROUNDS=$ROUNDS bash "$ROOT/tests/bench/flat.sh" "$1" "${ENTRIES:-200000}" "${MEMBERS:-2000}" >"$RESULTS/flat.md" ||
    echo "| cost after a long log, and with many members | not measured: see what it said | | |" >"$RESULTS/flat.md"

# --- the table, the numbers, the pictures ------------------------------------------------------------
TOOK=$((SECONDS - began))
write_table >"$RESULTS/table.md"
cat "$RESULTS/table.md"
write_json >"$RESULTS/bench.json"
draw_throughput >"$RESULTS/bench-throughput.svg"
draw_budget >"$RESULTS/bench-budget.svg"
page_put "$RESULTS/table.md" table
cp "$RESULTS"/bench-*.svg "$ROOT/docs/"
trap - EXIT
stop_all
rm -rf "$C"
[ "$verify_status" = 0 ]
