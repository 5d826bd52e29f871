#!/bin/bash
# SPDX-License-Identifier: MIT
# What bench.sh and flat.sh measure with. Sourced; needs lib.sh, chain.sh, wrk and jq. One line per measurement goes to
# $RESULTS/SERIES.txt, in the order of the rounds, so that the rounds of two series can be divided by each other.
#
#   load SERIES CONNECTIONS URL [SECONDS]     answers/s, p50 and p99 in µs, failures, answers
#   load_used SERIES CONNECTIONS URL WHO      ... and $RESULTS/cpu-SERIES-PART.txt: µs of processor an answer; WHO prints
#                                             `PART NANOSECONDS` lines
#   crowd SERIES CONNECTIONS URL SECONDS      a line of JSON (tests/tools/crowd.c)
#   settle                                    until an exchange alone is quick again: a crowd leaves work behind
#   memory NODE                               kB resident, all processes of a node together
#   watch_memory SERIES; watch_end            every 0.2 s: milliseconds, kB of node a, kB of node b
CLIENT='X-Road-Client: CO/MUN/890905211/TRAMITES'

us_of_wrk='function us(t) { if (t ~ /us$/) return t + 0; if (t ~ /ms$/) return (t + 0) * 1000; return (t + 0) * 1000000 }
    /Requests\/sec/ { rate = $2 }
    /requests in/ { n = $1 }
    $1 == "50%" { p50 = us($2) }
    $1 == "99%" { p99 = us($2) }
    /Non-2xx/ { bad = $NF }
    /Socket errors/ { gsub(",", ""); bad += $4 + $6 + $8 + $10 }
    END { printf "%s %.0f %.0f %d %d\n", rate, p50, p99, bad, n }'

load() {
    wrk -t1 -c"$2" -d"${4:-$SECONDS_EACH}s" --latency -H "$CLIENT" "$3" >"$C/wrk.out" 2>&1
    awk "$us_of_wrk" "$C/wrk.out" >>"$RESULTS/$1.txt"
}

# --- processor ---------------------------------------------------------------------------------------
# Nanoseconds on a processor of all threads of some processes, as the scheduler counts them.
threads_ns() { # PID...
    local pid
    for pid; do cat "/proc/$pid/task/"*/schedstat 2>/dev/null; done | awk '{ n += $1 } END { printf "%.0f", n }'
}
exchange_parts() { # PID: its own thread, ZeroMQ's, and those of the evidence log
    local task
    for task in "/proc/$1/task/"*; do
        if [ "${task##*/}" = "$1" ]; then echo "exchange $(cut -d ' ' -f 1 "$task/schedstat")"
        elif [[ $(cat "$task/comm") == ZMQ* ]]; then echo "exchange-zmq $(cut -d ' ' -f 1 "$task/schedstat")"
        else echo "exchange-log $(cut -d ' ' -f 1 "$task/schedstat")"; fi
    done 2>/dev/null
}
child_pid() { sed -n "s/^$2_pid=//p" "$C/$1/server.ready"; } # NODE exchange|keys
scribe_pid() { pgrep -P "$(cat "$C/$1/server.pid")" -x chaski-scribe; }
node_pids() { # NODE: gateway, supervisor and all its children
    cat "$C/$1/gateway.pid" "$C/$1/server.pid"
    pgrep -P "$(cat "$C/$1/server.pid")"
}
bus_parts() {
    local n
    for n in a b; do
        echo "gateway $(threads_ns "$(cat "$C/$n/gateway.pid")")"
        exchange_parts "$(child_pid $n exchange)"
        echo "keys $(threads_ns "$(child_pid $n keys)")"
        echo "scribe $(threads_ns "$(scribe_pid $n)")"
    done
    chain_service
}
chain_service() { echo "service $(threads_ns $(chain_pids c))"; }
plain_parts() { echo "nginx $(threads_ns $(chain_pids a b))"; chain_service; }
sign_parts() { echo "nginx $(threads_ns $(chain_pids sign_a sign_b))"; chain_service; }

load_used() {
    local TIMEFORMAT="load %U %S" n
    "$4" >"$C/before"
    { time load "$1" "$2" "$3"; } 2>"$C/load.time"
    "$4" >"$C/after"
    n=$(tail -n 1 "$RESULTS/$1.txt" | cut -d ' ' -f 5)
    { sed 's/^/- /' "$C/before"; sed 's/^/+ /' "$C/after"; awk '{ printf "+ load %.0f\n", ($2 + $3) * 1e9 }' "$C/load.time"; } |
        awk -v n="$n" -v to="$RESULTS/cpu-$1-" '{ sum[$2] += ($1 == "+" ? $3 : -$3) }
            END { for (part in sum) print (n > 0 ? sum[part] / n / 1000 : 0) >> (to part ".txt") }'
}

# --- crowds and memory -------------------------------------------------------------------------------
crowd() {
    local place=${3#http://}
    local address=${place%%/*}
    "$OUT/tests/crowd" "${address%:*}" "${address#*:}" "/${place#*/}" "$CLIENT" "$2" "$4" >>"$RESULTS/$1.txt" ||
        echo "{\"rate\":0,\"unopened\":$2}" >>"$RESULTS/$1.txt"
}
settle() { wait_for 20 curl -sS -o /dev/null --max-time 0.1 -H "$CLIENT" "$BUS/answer"; }
memory() {
    cat $(node_pids "$1" | sed 's,.*,/proc/&/status,') 2>/dev/null | awk '/^VmRSS/ { kb += $2 } END { print kb + 0 }'
}
watch_memory() {
    local to=$RESULTS/$1.txt
    (while sleep 0.2 && kill -0 $$; do echo "$(date +%s%3N) $(memory a) $(memory b)"; done) >>"$to" 2>/dev/null &
    watcher=$!
    pids+=($!)
}
watch_end() { kill "$watcher" 2>/dev/null; wait "$watcher" 2>/dev/null; }

# --- of a column of numbers ------------------------------------------------------------------------------
# ratios SERIES SERIES COLUMN: of each round, in its order
ratios() { paste -d ' ' <(column "$1" "$3") <(column "$2" "$3") | awk '{ printf "%.4f\n", ($2 > 0 ? $1 / $2 : 0) }'; }
# of what stands at the input, with N digits behind the point: median (least-most)
with_spread() { sort -n | awk -v d="${1:-0}" '{ v[NR] = $1 } END { printf "%." d "f (%." d "f-%." d "f)", v[int((NR + 1) / 2)], v[1], v[NR] }'; }
field() { jq -r ".$2 // 0" "$RESULTS/$1.txt"; } # of a series of lines of JSON
most() { sort -n | tail -n 1; }
sum_of() { awk '{ n += $1 } END { print n + 0 }'; }
