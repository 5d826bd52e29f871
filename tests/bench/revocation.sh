#!/bin/bash
# SPDX-License-Identifier: MIT
# From an operator's command to revoke until everybody refuses: real nodes that follow the registry, and a crowd
# that only listens to its push.
#   revocation.sh OUT [NODES FOLLOWERS]     OUT: build/release; 50 2000. ROUNDS=5
# Called by `make bench-revocation`, which puts the table into docs/PERFORMANCE.md. A round revokes a server that
# nobody runs; in the end whoever has the keys of each of them asks every node. A node refuses from its event
# directory.taken on, for the same thread says it and checks signers. Under ten minutes; ends only what it began.
set -- "$1" "${2:-50}" "${3:-2000}"
NODES=$2 FOLLOWERS=$3
ROUNDS=${ROUNDS:-5}
ulimit -n "$(ulimit -Hn)" # a listener of the crowd has some descriptors
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/page.sh"
export LC_ALL=C
RESULTS=$C
began=$(date +%s)
ROUND_S=45 # longest wait of a round
mapfile -t port < <("$BIN/chaski" free-ports 3)
{
    country_make
    for ((i = 1; i <= NODES; i++)); do member_make "n$i" "CO/GOV/$((900000000 + i))/SS1" "Entidad $i" S; done
    for ((i = 1; i <= ROUNDS; i++)); do member_make "lost$i" "CO/GOV/$((910000000 + i))/SS1" "Robada $i" S; done
    for ((i = 1; i <= NODES; i++)); do registry service add "CO/GOV/$((900000000 + i))/S/uno" --class open; done
} >/dev/null
progress "$NODES members, $(($(date +%s) - began)) s"
"$BIN/chaski-registry" operator key "$C/ana.key" >"$C/ana.pub" || die "no key"
registry operator add ana --name Ana --key "$(cat "$C/ana.pub")" --role revoke --role publish >/dev/null || die "no operator"
"$BIN/chaski-registry" serve "$C/store" --listen "127.0.0.1:${port[0]}" --directory "$C/directory" --authority \
    --admin "127.0.0.1:${port[1]}" --push "tcp://127.0.0.1:${port[2]}" --ready-file "$C/ready" 2>>"$C/serve.events" &
registry_pid=$!; pids+=($registry_pid)
wait_for 30 test -s "$C/ready" || die "the registry does not start: $(tail -n 1 "$C/serve.events")"
"$BIN/chaski-registry" anchor "$C/store" --url "http://127.0.0.1:${port[0]}" --push "tcp://127.0.0.1:${port[2]}" \
    --to "$C/chaski.anchor" >/dev/null || die "no anchor"
at() { "$BIN/chaski-registry" "$@" --at "https://127.0.0.1:${port[1]}" --anchor "$C/chaski.anchor" --as "$C/ana.key"; }
head_of() { sed -n 2p "$C/directory/checkpoint"; }
now_ms() { date +%s%3N; }
cp -r "$C/directory" "$C/before"

# --- who follows --------------------------------------------------------------------------------------
for ((i = 1; i <= NODES; i++)); do
    sed -i -e '/^directory_folder\|^trust_file\|^authority_file\|^checkpoint_every_ms\|^publish_every_ms/d' \
        -e 's/^event_level.*/event_level = info/' "$C/n$i/server.conf"
    echo "anchor_file = \"$C/chaski.anchor\"" >>"$C/n$i/server.conf"
    server_start "n$i" 60 || die "node $i: $(tail -n 2 "$C/n$i/server.events")"
done
progress "$NODES nodes run, $(($(date +%s) - began)) s"
key=$(find "$C/store" -name 'push*.key' | head -n 1)
"$OUT/tests/push_crowd" "tcp://127.0.0.1:${port[2]}" "$key" "$FOLLOWERS" >"$C/crowd" 2>"$C/crowd.err" &
crowd_pid=$!; pids+=($crowd_pid)
# said EPOCH: what nodes said when they took it, a line each
said() { grep -h "\"directory.taken\",\"epoch\":$1," "$C"/n*/server.events; }
taken() { said "$1" | jq -r .time | date -f - +%s%3N; } # in milliseconds
heard() { awk -v e="$1" '$1 == e' "$C/crowd" | wc -l; }
all_have() { [ "$(heard "$1")" -ge "$FOLLOWERS" ] && [ "$(said "$1" | wc -l)" -ge "$NODES" ]; }
await() { # SECONDS EPOCH: looks seldom, for looking takes time too
    local until=$(($(date +%s) + $1))
    until all_have "$2"; do
        [ "$(date +%s)" -lt $until ] || return 1
        sleep 0.5
    done
}
for ((i = 0; i < 8; i++)); do # until the crowd is connected
    at purpose add "CALIENTE-$i" --title Prueba --legal-basis Ley >/dev/null || die "no act"
    await 10 "$(head_of)" && break
done
[ $i -lt 8 ] || die "only $(heard "$(head_of)") of $FOLLOWERS listen; $(tail -n 1 "$C/crowd.err")"
sleep 5
memory=$(for ((i = 1; i <= NODES; i++)); do
    ps -o rss= --pid "$(cat "$C/n$i/server.pid")" --ppid "$(cat "$C/n$i/server.pid")" | awk '{ s += $1 } END { print int(s / 1024) }'
done | median)
progress "$FOLLOWERS listen, $(($(date +%s) - began)) s"

# --- rounds -------------------------------------------------------------------------------------------
at_percent() { sort -n | awk -v p="$1" '{ v[NR] = $1 } END { i = int(NR * p / 100 + 0.999999); print v[i < 1 ? 1 : i] }'; }
for ((round = 1; round <= ROUNDS; round++)); do
    start=$(now_ms)
    at certificate revoke --server "${SERVER[lost$round]}" --reason "Simulacro" >/dev/null || die "not revoked"
    end=$(now_ms)
    epoch=$(head_of)
    sleep 3
    await $ROUND_S "$epoch" || progress "round $round: not everybody within $ROUND_S s"
    awk -v e="$epoch" -v s="$start" '$1 == e { print $2 - s }' "$C/crowd" >"$C/round.crowd"
    taken "$epoch" | awk -v s="$start" '{ print $1 - s }' >"$C/round.nodes"
    echo "$((end - start)) $(wc -l <"$C/round.nodes") $(at_percent 50 <"$C/round.nodes") $(at_percent 100 <"$C/round.nodes")" \
        "$(wc -l <"$C/round.crowd") $(at_percent 50 <"$C/round.crowd") $(at_percent 99 <"$C/round.crowd") $(at_percent 100 <"$C/round.crowd")" \
        >>"$C/rounds.txt"
    progress "round $round of $ROUNDS: $(tail -n 1 "$C/rounds.txt")"
    sleep 1
done

# --- ask them -----------------------------------------------------------------------------------------
thief() { # KEYS-OF NODE
    timeout 10 "$OUT/tests/mesh_peer" "tcp://$HOST:${MESH_PORT[$2]}" "$C/$1/keys" "${SERVER[$1]}" "$C/before" \
        "$C/store/anchor/trust.pem" "$C/store/anchor/directory.vkey" "${SERVER[$2]}" "${SERVER[$1]%/*}/S" \
        "${SERVER[$2]%/*}/S/uno" honest >"$C/$2/thief" 2>&1
}
asking=$(now_ms)
for ((i = 1; i <= NODES; i++)); do
    while [ "$(jobs -rp | wc -l)" -ge $((NODES + 8)) ]; do sleep 0.05; done # nodes, registry and crowd are jobs too
    thief "lost$((i % ROUNDS + 1))" "n$i" &
    asked[i]=$!
done
wait "${asked[@]}"
refused=$(for ((i = 1; i <= NODES; i++)); do grep -l '^answer REVOKED' "$C/n$i/thief"; done 2>/dev/null | wc -l)
progress "asked all in $(($(now_ms) - asking)) ms: $refused of $NODES refuse"

least() { column rounds "$1" | sort -n | head -n 1; }
row() { echo "| $1 | $(column rounds "$2" | median) ($(column rounds "$2" | spread)) |"; }
{
    echo "Measured $(date -u +%Y-%m-%d) with \`make bench-revocation\`: $(machine),"
    echo "load average at the end $(cut -d " " -f 1-3 /proc/loadavg); medians of $ROUNDS revocations. $NODES real nodes of $memory MB each"
    echo "(supervisor, exchange, keys, scribe, follower; without gateway), polling once a minute, and $FOLLOWERS connections that listen only."
    echo
    echo "| from the operator's command, ms (spread) | |"
    echo "| --- | --- |"
    row "the command has ended" 1
    row "half of the nodes refuse" 3
    row "the last of the nodes refuses" 4
    row "the crowd has heard: p50" 6
    row "... p99" 7
    row "... all" 8
    echo
    echo "Nodes that had it in the worst round: $(least 2) of $NODES; of the crowd: $(least 5) of $FOLLOWERS. Asked afterwards by who has the keys: $refused of $NODES answer REVOKED."
} >"$C/table.md"
cat "$C/table.md"
check "every node refuses who has the keys" equal "$refused" "$NODES"
page_put "$C/table.md" "revocation table"
progress "$(($(date +%s) - began)) s in all"
finish
