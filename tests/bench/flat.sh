#!/bin/bash
# SPDX-License-Identifier: MIT
# Is the cost flat? The same exchange in a fresh country, in one whose nodes' logs are long already, and in one with a
# large directory, by turns.
#   flat.sh OUT [ENTRIES MEMBERS]     OUT: build/release; 10000000 2000. An entry takes about 1.1 KB of disk, at each of
#                                     two nodes. ROUNDS=5 SECONDS_EACH=2. Prints rows of a table for docs/PERFORMANCE.md.
# Called by `make bench-flat ENTRIES=10000000`, and in short by `make bench`. Log entries are made by tests/tools/log_fill.c
# through the code that writes a log; members by tests/tools/country_fill.c, half of them with a server and ten services.
ENTRIES=${2:-10000000} MEMBERS=${3:-2000}
ROUNDS=${ROUNDS:-5} SECONDS_EACH=${SECONDS_EACH:-2}
. "$(dirname "$0")/../integration/lib.sh"
for part in page measure; do . "$(dirname "$0")/$part.sh"; done
export LC_ALL=C
T=$C
RESULTS=$ROOT/build/bench/flat
mkdir -p "$RESULTS"
rm -f "$RESULTS"/*
trap 'stop_all; rm -rf "$T"' EXIT
SEGMENT_MIB=64 CHECKPOINT_MS=10000 PUBLISH_MS=5000
need_mib=$((ENTRIES * 2 * 12 / 10 / 1024 + 2048))
[ "$(df -Pm "$T" | awk 'NR == 2 { print $4 }')" -gt $need_mib ] || die "$ENTRIES entries need $need_mib MiB of disk at $T"

of() { C=$T/$1; } # what follows is about this country
S=CO/GOV/899999027/DIVIPOLA/municipios
make_country() { # NAME
    of "$1"
    mkdir "$C"
    country_make
    member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES
    member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA
    registry service add $S --class open
    sed -i 's/^event_level = .*/event_level = info/' "$C"/*/server.conf "$C"/*/gateway.conf
    echo "service \"$S\" { kind = table file = \"$ROOT/tools/demo/municipios.csv\" key = \"cod_municipio\" }" >"$C/b/services/s.conf"
}
fill_logs() {
    "$OUT/tests/log_fill" "$C/a/keys" "$C/a/audit" CO/MUN/890905211/SS1 CO/GOV/899999027/SS1 "$ENTRIES" 64 &&
        "$OUT/tests/log_fill" "$C/b/keys" "$C/b/audit" CO/GOV/899999027/SS1 CO/MUN/890905211/SS1 "$ENTRIES" 64
}
COUNTRIES="fresh long large"
declare -A URL
for country in $COUNTRIES; do
    progress "the $country country"
    make_country $country >/dev/null
    [ $country != long ] || fill_logs || die "the logs cannot be filled"
    [ $country != large ] ||
        "$OUT/tests/country_fill" "$C/store" $((MEMBERS - 2)) $((MEMBERS / 2)) $((MEMBERS * 10)) 2>/dev/null || die "the country cannot be filled"
    publish || die "no directory"
    for n in a b; do server_start $n 900 || die "server $n: $(tail -n 1 "$C/$n/server.events")"; done
    gateway_start a && gateway_start b || die "a gateway does not start"
    wait_for 20 grep -q front.gateway_arrived "$C/b/server.events"
    URL[$country]=$(gateway_url a)/r1/$S/05001
    curl -fsS -H "$CLIENT" -o /dev/null "${URL[$country]}" || die "no exchange in the $country country"
    wrk -t1 -c64 -d1s -H "$CLIENT" "${URL[$country]}" >/dev/null 2>&1
done
parts() { echo "node $(threads_ns $(node_pids a) $(node_pids b))"; }
for ((round = 1; round <= ROUNDS; round++)); do
    progress "round $round of $ROUNDS"
    for country in $COUNTRIES; do
        of $country
        sync -f "$C"
        load_used $country 64 "${URL[$country]}" parts
    done
done
row() { # COUNTRY WHAT
    local ratio cost
    ratio=$(ratios "$1" fresh 1 | with_spread 3)
    cost=$(ratios "cpu-$1-node" cpu-fresh-node 1 | with_spread 3)
    echo "$1 $(ratios "$1" fresh 1 | median) $(ratios "cpu-$1-node" cpu-fresh-node 1 | median)" >>"$RESULTS/ratios.txt"
    echo "| $2 | rate $ratio, processor $cost | within 0.05 of 1 | $(ratios "cpu-$1-node" cpu-fresh-node 1 | median | awk '{ if ($1 <= 1.05) print "yes, by processor"; else print "not yet" }') |"
}
row long "exchanges after $ENTRIES log entries, of a fresh log's"
row large "exchanges with $MEMBERS members and $((MEMBERS * 10)) services, of a small directory's"
bad=$(cat "$RESULTS"/{fresh,long,large}.txt | awk '{ n += $4 } END { print n + 0 }')
[ "$bad" = 0 ] || echo "| ... of which failed | $bad | 0 | not yet |"
trap - EXIT
stop_all
rm -rf "$T"
