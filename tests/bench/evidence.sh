#!/bin/bash
# SPDX-License-Identifier: MIT
# What the evidence costs beside the signed log itself: the same two members, by turns
#   all       tiles, checkpoints, cosignatures of 2 of 3 witnesses, time stamps logged back, payloads kept
#   payloads  payloads kept under day keys; scribes stopped
#   off       scribes stopped, payloads not kept
# Leaves, signatures and seals are the exchange; they stay.
#   evidence.sh OUT [ROUNDS]     OUT: build/release. Called by `make bench-evidence`, which puts the table
#                                into docs/PERFORMANCE.md.
set -- "$1" "${2:-7}"
ROUNDS=$2
SECONDS_EACH=${SECONDS_EACH:-8}
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/chain.sh"
. "$(dirname "$0")/page.sh"
RESULTS=$ROOT/build/bench/evidence
rm -rf "$RESULTS"
mkdir -p "$RESULTS"
trap 'chain_stop 2>/dev/null; stop_all' EXIT

# --- two members that exchange, two more that witness, an authority that stamps -----------------------
progress "making four members and a stamping authority"
SEGMENT_MIB=64 CHECKPOINT_MS=10000 PUBLISH_MS=5000 # a checkpoint each 10 s: denser than one a minute
{
    country_make
    member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES
    member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA
    member_make c CO/GOV/800197268/SS1 "DIAN" RUT
    member_make d CO/GOV/899999040/SS1 "Registraduría" IDENTIDAD
} >/dev/null
S=CO/GOV/899999027/DIVIPOLA
for kept in full off; do registry service add $S/$kept --class open >/dev/null; done
registry witness assign --per-log 3 --quorum 2 >/dev/null
mapfile -t port < <("$BIN/chaski" free-ports 4)
"$BIN/chaski-registry" serve "$C/store" --listen "127.0.0.1:${port[3]}" 2>>"$C/tsa.events" &
pids+=($!)
registry stamp-authority url --url "http://127.0.0.1:${port[3]}/tsa" --name NACIONAL --order 1 >/dev/null
publish
sed -i 's/^event_level = .*/event_level = info/' "$C"/*/server.conf "$C"/*/gateway.conf
chmod 755 "$C"
chain_start "$C/chain" "${port[0]}" "${port[1]}" "${port[2]}" || die "nginx does not start"
for kept in full off; do
    echo "service \"$S/$kept\" { kind = http url = \"http://127.0.0.1:${port[2]}\" }" >"$C/b/services/$kept.conf"
    printf 'service "%s" { payload = %s }\n' "$S/$kept" "$kept" | tee -a "$C/a/server.conf" >>"$C/b/server.conf"
done
for n in a b c d; do server_start $n || die "server $n: $(tail -n 1 "$C/$n/server.events")"; done
gateway_start a && gateway_start b || die "a gateway does not start"
wait_for 10 grep -q front.gateway_arrived "$C/b/server.events"
CLIENT='X-Road-Client: CO/MUN/890905211/TRAMITES'
url() { echo "$(gateway_url a)/r1/$S/$1/answer"; }
for kept in full off; do [ "$(curl -sS -H "$CLIENT" "$(url $kept)" | wc -c)" = 200 ] || die "the exchange does not work"; done

# --- by turns ------------------------------------------------------------------------------------------
scribes() { # STOP|CONT: the children that we started, by pid
    local n pid
    for n in a b; do
        pid=$(pgrep -P "$(cat "$C/$n/server.pid")" -x chaski-scribe) && kill "-$1" "$pid"
    done
}
caught_up() { # the published checkpoint covers what was logged before
    local n
    for n in a b; do [ "$(sed -n 2p "$C/$n/audit/log/1/checkpoint")" -ge "$1" ] || return 1; done
}
ticks() { # hundredths of a second that all nodes and their gateways have used
    local n pid
    for n in a b c d; do
        for pid in $(cat "$C/$n/gateway.pid" "$C/$n/server.pid" 2>/dev/null) $(pgrep -P "$(cat "$C/$n/server.pid")"); do
            cut -d ' ' -f 14,15 "/proc/$pid/stat" | tr ' ' '+'
        done
    done | paste -sd+ | bc
}
load() { # NAME CONNECTIONS URL: appends requests a second, failures, requests, microseconds of processor each
    local before
    before=$(ticks)
    wrk -t1 -c"$2" -d"${SECONDS_EACH}s" --latency -H "$CLIENT" "$3" >"$C/wrk.out" 2>&1
    awk -v used="$(($(ticks) - before))" '/Requests\/sec/ { rate = $2 } /requests in/ { n = $1 } /Non-2xx/ { bad = $NF }
        END { print rate, bad + 0, n, used * 10000 / n }' "$C/wrk.out" >>"$RESULTS/$1.txt"
}
sent=0
turn() { # MODE CONNECTIONS
    local kept=full
    if [ "$1" = all ]; then
        scribes CONT
        wait_for 60 caught_up $((sent * 2)) || die "the scribe does not catch up"
    else
        scribes STOP
    fi
    [ "$1" = off ] && kept=off
    sync -f "$C" # what the turn before left to be written is not this one's
    load "$1$2" "$2" "$(url $kept)"
    sent=$((sent + $(tail -n 1 "$RESULTS/$1$2.txt" | cut -d ' ' -f 3)))
}
wrk -t1 -c64 -d2s -H "$CLIENT" "$(url full)" >/dev/null 2>&1 # warm
for ((round = 1; round <= ROUNDS; round++)); do
    progress "round $round of $ROUNDS: at 64 and one at a time"
    order=("all payloads off" "payloads off all" "off all payloads")
    for connections in 64 1; do
        for mode in ${order[$((round % 3))]}; do turn "$mode" $connections; done
    done
done
scribes CONT
cosigned=$(ls "$C/a/audit/log/1/cp" | grep -vc tst)
stamped=$(ls "$C/a/audit/log/1/cp" | grep -c tst)
gateway_stop a; gateway_stop b
for n in a b c d; do server_stop $n; done
[ "$stamped" -gt 0 ] && [ "$cosigned" -gt 0 ] || die "nothing was cosigned or stamped"

# --- the table -----------------------------------------------------------------------------------------
row() { # NAME CONNECTIONS COLUMN: medians, and of the ratios of each round
    local mode
    printf '| %s |' "$1"
    for mode in off payloads all; do printf ' %.0f (%s) |' "$(column "$mode$2" "$3" | median)" "$(column "$mode$2" "$3" | spread)"; done
    for mode in payloads all; do printf ' %.2f |' "$(paste -d ' ' <(column "$mode$2" "$3") <(column "off$2" "$3") | awk '{ print $1 / $2 }' | median)"; done
    echo
}
bad=$(cat "$RESULTS"/*.txt | awk '{ n += $2 } END { print n + 0 }')
{
    echo "Measured $(date -u +%Y-%m-%d) with \`make bench-evidence\`: $(machine); $ROUNDS rounds of $SECONDS_EACH s, by turns."
    echo
    echo "| medians (spread) | off | payloads kept | all | payloads/off | all/off |"
    echo "| --- | --- | --- | --- | --- | --- |"
    row "exchanges/s, 64 in flight" 64 1
    row "exchanges/s, one at a time" 1 1
    row "processor per exchange, 64 in flight, µs, all four nodes" 64 4
    row "processor per exchange, one at a time, µs, all four nodes" 1 4
    echo
    echo "$bad failures; while it ran, $cosigned checkpoints of the consumer's log were published with cosignatures, $stamped stamped."
} >"$RESULTS/table.md"
cat "$RESULTS/table.md"
page_put "$RESULTS/table.md" "evidence table"
chain_stop
trap - EXIT
stop_all
rm -rf "$C"
