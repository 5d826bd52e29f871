#!/bin/bash
# SPDX-License-Identifier: MIT
# Measures complete exchanges - signed, sealed, durable, at both ends - beside an nginx chain that signs and
# records nothing, in one run on one machine. Called by `make bench`.
#   bench.sh OUT [ROUNDS]     OUT: build/release. Writes build/bench/table.md and results.json, and puts the
#                             table into docs/PERFORMANCE.md.
set -- "$1" "${2:-5}"
ROUNDS=$2
SECONDS_EACH=${SECONDS_EACH:-4}
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/chain.sh"
. "$(dirname "$0")/page.sh"
RESULTS=$ROOT/build/bench
mkdir -p "$RESULTS"
trap 'chain_stop 2>/dev/null; stop_all' EXIT

# --- the country and the chain -----------------------------------------------------------------------
progress "making two members, and the nginx chain"
SEGMENT_MIB=64 CHECKPOINT_MS=10000
country_make
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA
S=CO/GOV/899999027/DIVIPOLA/registro
registry service add $S --class open >/dev/null
publish
sed -i 's/^event_level = .*/event_level = info/' "$C"/*/server.conf "$C"/*/gateway.conf
mapfile -t port < <("$BIN/chaski" free-ports 3)
chmod 755 "$C"
chain_start "$C/chain" "${port[0]}" "${port[1]}" "${port[2]}" || die "nginx does not start"
echo "service \"$S\" { kind = http url = \"http://127.0.0.1:${port[2]}\" }" >"$C/b/services/s.conf"
server_start a && server_start b && gateway_start a && gateway_start b || die "the country does not start"
wait_for 10 grep -q front.gateway_arrived "$C/b/server.events"
CHAIN_URL=http://127.0.0.1:${port[0]}
BUS_URL=$(gateway_url a)/r1/$S
CLIENT='X-Road-Client: CO/MUN/890905211/TRAMITES'
[ "$(curl -sS -H "$CLIENT" "$BUS_URL/answer" | wc -c)" = 200 ] || die "the exchange does not work"
[ "$(curl -sS "$CHAIN_URL/answer" | wc -c)" = 200 ] || die "the chain does not work"

# --- measuring ---------------------------------------------------------------------------------------
# load NAME CONNECTIONS URL: requests a second, p50 and p99 in microseconds, failures
load() {
    wrk -t1 -c"$2" -d"${SECONDS_EACH}s" --latency -H "$CLIENT" "$3" >"$C/wrk.out" 2>&1
    awk '
        function us(t) { if (t ~ /us$/) return t + 0; if (t ~ /ms$/) return (t + 0) * 1000; return (t + 0) * 1000000 }
        /Requests\/sec/ { rate = $2 }
        $1 == "50%" { p50 = us($2) }
        $1 == "99%" { p99 = us($2) }
        /Non-2xx/ { bad = $NF }
        END { printf "%s %.0f %.0f %d\n", rate, p50, p99, bad }' "$C/wrk.out" | tee -a "$RESULTS/$1.txt"
}
ticks() { cut -d ' ' -f 14,15 "/proc/$1/stat" | tr ' ' '+' | bc; }
scribe_pid() { pgrep -P "$(cat "$C/$1/server.pid")" -x chaski-scribe; }
process_pids() { # NAME=PID of all of ours
    local n
    for n in a b; do
        echo "gateway-$n=$(cat "$C/$n/gateway.pid")"
        sed -n "s/^exchange_pid=/exchange-$n=/p; s/^keys_pid=/keys-$n=/p" "$C/$n/server.ready"
        echo "scribe-$n=$(scribe_pid "$n")"
    done
}
memory() { # NODE FIELD: kB of gateway, supervisor, exchange, keys and scribe together
    local total=0 pid
    for pid in $(cat "$C/$1/gateway.pid" "$C/$1/server.pid") $(scribe_pid "$1") $(sed -n 's/^\(exchange\|keys\)_pid=//p' "$C/$1/server.ready"); do
        total=$((total + $(sed -n "s/^$2:[[:space:]]*\([0-9]*\) kB/\1/p" "/proc/$pid/status")))
    done
    echo $total
}

rm -f "$RESULTS"/*.txt
idle_kb=$(memory a VmRSS)
wrk -t1 -c64 -d2s -H "$CLIENT" "$BUS_URL/answer" >/dev/null 2>&1 # warm
for ((round = 1; round <= ROUNDS; round++)); do
    progress "round $round of $ROUNDS: chain at 64, bus at 64, chain and bus one at a time"
    load chain64 64 "$CHAIN_URL/answer" >/dev/null
    declare -A before
    for entry in $(process_pids); do before[${entry%=*}]=$(ticks "${entry#*=}"); done
    load bus64 64 "$BUS_URL/answer" >/dev/null
    rate=$(tail -n 1 "$RESULTS/bus64.txt" | cut -d ' ' -f 1)
    for entry in $(process_pids); do
        used=$(($(ticks "${entry#*=}") - ${before[${entry%=*}]}))
        # clock ticks are hundredths of a second
        echo "$used $rate $SECONDS_EACH" | awk '{ print $1 * 10000 / ($2 * $3) }' >>"$RESULTS/cpu-${entry%=*}.txt"
    done
    load chain1 1 "$CHAIN_URL/answer" >/dev/null
    load bus1 1 "$BUS_URL/answer" >/dev/null
done
progress "larger answers, and many connections"
load chain10k 64 "$CHAIN_URL/answer10k" >/dev/null
load bus10k 64 "$BUS_URL/answer10k" >/dev/null
load chain1m 16 "$CHAIN_URL/answer1m" >/dev/null
load bus1m 16 "$BUS_URL/answer1m" >/dev/null
load bus1000 1000 "$BUS_URL/answer" >/dev/null
loaded_kb=$(memory a VmRSS)
progress "what openssl itself does here"
openssl speed -seconds 2 ecdsap256 2>/dev/null | awk '/nistp256/ { print $(NF-1), $NF }' >"$RESULTS/ecdsa.txt"
read -r sign_rate verify_rate <"$RESULTS/ecdsa.txt"
bound=$(echo "$sign_rate $verify_rate $(nproc)" | awk '{ print $3 / (2 / $1 + 2 / $2) }')

gateway_stop a; gateway_stop b; server_stop a; server_stop b
entries=$("$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" --store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key" | tee "$RESULTS/verify.txt" | tail -n 1)

# --- the table -----------------------------------------------------------------------------------------
rate() { column "$1" 1 | median | awk '{ printf "%.0f", $1 }'; }
ratio() { echo "$1 $2" | awk '{ printf "%.2f", $1 / $2 }'; }
p() { column "$1" "$2" | median; }
bad() { column "$1" 4 | awk '{ n += $1 } END { print n + 0 }'; }
mean() { awk '{ n += $1 } END { print n / NR }' "$1"; } # the scribe works once in a checkpoint's interval
cpu_row() { printf '| %s | %.1f | %.1f |\n' "$1" "$(mean "$RESULTS/cpu-$2-a.txt")" "$(mean "$RESULTS/cpu-$2-b.txt")"; }
{
    echo "Measured $(date -u +%Y-%m-%d) with \`make bench\`: $(machine),"
    echo "Linux $(uname -r), $(openssl version | cut -d ' ' -f 1,2); medians of $ROUNDS rounds of $SECONDS_EACH s, wrk and all processes on the one machine."
    echo
    echo "| 200-byte answers | exchanges/s (spread) | p50 | p99 | of the chain | failures |"
    echo "| --- | --- | --- | --- | --- | --- |"
    echo "| nginx chain, mutual TLS, 64 in flight | $(rate chain64) ($(column chain64 1 | spread)) | $(p chain64 2) µs | $(p chain64 3) µs | 1 | $(bad chain64) |"
    echo "| Chaski, 64 in flight | $(rate bus64) ($(column bus64 1 | spread)) | $(p bus64 2) µs | $(p bus64 3) µs | $(ratio "$(rate bus64)" "$(rate chain64)") | $(bad bus64) |"
    echo "| Chaski, 1,000 connections | $(rate bus1000) | $(p bus1000 2) µs | $(p bus1000 3) µs | | $(bad bus1000) |"
    echo "| bound set by OpenSSL: 2 signatures and 2 checks each | $(printf %.0f "$bound") | | | $(ratio "$bound" "$(rate chain64)") | |"
    echo "| nginx chain, one at a time | $(rate chain1) | $(p chain1 2) µs | $(p chain1 3) µs | 1 | $(bad chain1) |"
    echo "| Chaski, one at a time | $(rate bus1) | $(p bus1 2) µs | $(p bus1 3) µs | $(ratio "$(rate bus1)" "$(rate chain1)") | $(bad bus1) |"
    echo
    echo "| larger answers | chain, answers/s | Chaski, exchanges/s | ratio |"
    echo "| --- | --- | --- | --- |"
    echo "| 10 KiB, 64 in flight | $(rate chain10k) | $(rate bus10k) | $(ratio "$(rate bus10k)" "$(rate chain10k)") |"
    echo "| 1 MiB, 16 in flight | $(rate chain1m) | $(rate bus1m) | $(ratio "$(rate bus1m)" "$(rate chain1m)") |"
    echo
    echo "| processor per exchange at 64 in flight, µs, means of the rounds | consumer's node | provider's node |"
    echo "| --- | --- | --- |"
    cpu_row "gateway" gateway
    cpu_row "exchange (with its evidence log and ZeroMQ threads)" exchange
    cpu_row "keys" keys
    cpu_row "scribe (tiles)" scribe
    echo
    echo "| memory of one node (gateway, supervisor, exchange, keys, scribe; resident) | MB |"
    echo "| --- | --- |"
    echo "| idle | $((idle_kb / 1024)) |"
    echo "| after the load | $((loaded_kb / 1024)) |"
    echo
    echo "OpenSSL here, one core: $sign_rate P-256 signatures/s, $verify_rate checks/s. The audit of both logs after the run: $entries."
} >"$RESULTS/table.md"
cat "$RESULTS/table.md"
printf '{"chain64":%s,"bus64":%s,"chain1_p50_us":%s,"bus1_p50_us":%s,"bound":%s,"idle_kb":%s,"loaded_kb":%s}\n' \
    "$(rate chain64)" "$(rate bus64)" "$(p chain1 2)" "$(p bus1 2)" "$bound" "$idle_kb" "$loaded_kb" >"$RESULTS/results.json"

page_put "$RESULTS/table.md" table
chain_stop
trap - EXIT
stop_all
rm -rf "$C"
