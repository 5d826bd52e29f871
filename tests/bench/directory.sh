#!/bin/bash
# SPDX-License-Identifier: MIT
# What a large directory costs a node: its size on disk, how long loading takes in each way, memory, one change;
# and what it costs an exchange: two members of a country of four, and the same two of a country as large as
# Colombia's, by turns.
#   directory.sh OUT [MEMBERS SERVERS SERVICES]      OUT: build/release; 6300 2000 20000. ROUNDS=5 TURNS=9
# Called by `make bench-directory`. Members without a server are institutions that are registered only.
set -- "$1" "${2:-6300}" "${3:-2000}" "${4:-20000}"
MEMBERS=$2 SERVERS=$3 SERVICES=$4
ROUNDS=${ROUNDS:-5}
TURNS=${TURNS:-9}
SECONDS_EACH=${SECONDS_EACH:-3}
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/page.sh"
export LC_ALL=C
T=$C
RESULTS=$T
SEGMENT_MIB=64 CHECKPOINT_MS=10000 PUBLISH_MS=5000
trap 'stop_all; rm -rf "$T"' EXIT

# --- two countries -----------------------------------------------------------------------------------
of() { C=$T/$1; } # what follows is about this country
S=CO/GOV/899999027/DIVIPOLA
make_country() { # NAME: four members, of which a asks and b answers from a table
    of "$1"
    mkdir "$C"
    country_make
    member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES
    member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA
    member_make c CO/GOV/800197268/SS1 "DIAN" RUT
    member_make d CO/GOV/899999040/SS1 "Registraduría" IDENTIDAD
    registry service add $S/municipios --class shared
    sed -i 's/^event_level = .*/event_level = info/' "$C"/*/server.conf "$C"/*/gateway.conf
    echo "service \"$S/municipios\" { kind = table file = \"$ROOT/tools/demo/municipios.csv\" key = \"cod_municipio\" }" \
        >"$C/b/services/s.conf"
}
progress "making a country of four, and one of $MEMBERS members, $SERVERS servers, $SERVICES services"
make_country small >/dev/null
publish || die "the small directory is not published"
make_country large >/dev/null
"$OUT/tests/country_fill" "$C/store" $((MEMBERS - 4)) $((SERVERS - 4)) $((SERVICES - 1)) 2>/dev/null || die "the country cannot be filled"
publish || die "the large directory is not published"
acts=$(sed -n 2p "$C/directory/checkpoint")

# --- an exchange -------------------------------------------------------------------------------------
PURPOSE='Chaski-Purpose: P-1'
CLIENT='X-Road-Client: CO/MUN/890905211/TRAMITES'
declare -A URL
for country in small large; do
    of $country
    for n in a b; do server_start $n 60 || die "server $n: $(tail -n 1 "$C/$n/server.events")"; done
    gateway_start a && gateway_start b || die "a gateway does not start"
    wait_for 10 grep -q front.gateway_arrived "$C/b/server.events"
    URL[$country]=$(gateway_url a)/r1/$S/municipios/05001
    curl -fsS -H "$CLIENT" -H "$PURPOSE" -o /dev/null "${URL[$country]}" || die "the exchange does not work"
done
pids_of() { # NODE: its gateway, its server and the server's children
    cat "$C/$1/gateway.pid" "$C/$1/server.pid"
    pgrep -P "$(cat "$C/$1/server.pid")"
}
ticks() { # hundredths of a second that both nodes and their gateways have used
    local pid
    for pid in $(pids_of a) $(pids_of b); do cut -d ' ' -f 14,15 "/proc/$pid/stat" | tr ' ' '+'; done | paste -sd+ | bc
}
turn() { # COUNTRY: appends requests a second, failures, microseconds of processor each
    local before
    of "$1"
    sync -f "$C" # what the turn before left to be written is not this one's
    before=$(ticks)
    wrk -t1 -c64 -d"${SECONDS_EACH}s" -H "$CLIENT" -H "$PURPOSE" "${URL[$1]}" >"$C/wrk.out" 2>&1
    awk -v used="$(($(ticks) - before))" '/Requests\/sec/ { rate = $2 } /requests in/ { n = $1 } /Non-2xx/ { bad = $NF }
        END { print rate, bad + 0, used * 10000 / n }' "$C/wrk.out" >>"$T/exchange-$1.txt"
}
resident() { sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$(sed -n 's/^exchange_pid=//p' "$C/a/server.ready")/status"; }
for country in small large; do of $country; resident >>"$T/idle-$country.txt"; done
for country in small large; do turn $country; done # warm
rm "$T"/exchange-*.txt
for ((round = 1; round <= TURNS; round++)); do
    progress "exchanges, round $round of $TURNS"
    order=("small large" "large small")
    for country in ${order[$((round % 2))]}; do turn $country; done
done
for country in small large; do
    of $country
    resident >>"$T/loaded-$country.txt"
    gateway_stop a; gateway_stop b; server_stop a; server_stop b
done
bad=$(cat "$T"/exchange-*.txt | awk '{ n += $2 } END { print n + 0 }')

# --- a first start -----------------------------------------------------------------------------------
of large
cp -r "$C/directory" "$C/plain" && rm -r "$C/plain/snapshot" # an address that has all acts and no snapshot
for folder in directory plain; do
    port=$(free_port)
    "$OUT/tests/web_liar" "$port" "$C/$folder" honest & pids+=($!)
    "$BIN/chaski-registry" anchor "$C/store" --url "http://127.0.0.1:$port" --days 2 --to "$C/$folder.anchor" >/dev/null || die "no anchor"
    wait_for 30 curl -fsS -o /dev/null "http://127.0.0.1:$port/directory/checkpoint" || die "$folder is not served"
done
sed -i -e '/^directory_folder\|^trust_file\|^authority_file/d' "$C/c/server.conf"
said_ms() { date -d "$(sed -n "s/.*\"time\":\"\([^\"]*\)\".*\"$1\".*/\1/p" "$C/c/server.events" | head -n 1)" +%s%3N; }
first_start() { # FOLDER: milliseconds from the follower's start to the state in use; ms of processor of all of the node
    rm -rf "$C/c/audit" "$C/c/server.events"
    sed -i '/^anchor_file/d' "$C/c/server.conf"; echo "anchor_file = \"$C/$1.anchor\"" >>"$C/c/server.conf"
    server_start c 60 || die "server c: $(tail -n 1 "$C/c/server.events")"
    local used
    used=$(for pid in $(cat "$C/c/server.pid") $(pgrep -P "$(cat "$C/c/server.pid")"); do cut -d ' ' -f 14,15 "/proc/$pid/stat" | tr ' ' '+'; done | paste -sd+ | bc)
    echo "$(($(said_ms directory.taken) - $(said_ms follow.began))) $((used * 10))" >>"$T/first-$1.txt"
    server_stop c
}
for ((round = 1; round <= ROUNDS; round++)); do
    progress "first starts, round $round of $ROUNDS"
    first_start directory; first_start plain
done

# --- loading -----------------------------------------------------------------------------------------
ln -s "$C/directory" "$T/whole"
# as a follower has it that began with the snapshot: the last bundle and the tiles of hashes
cp -r "$T/whole/" "$T/snapshot"
find "$T/snapshot/tile/entries" -type f ! -path "*/$(printf %03d $((acts / 256))).p/*" -delete
cp -r "$T/whole/" "$T/before"
registry purpose add OTRA --title "Otra finalidad" --legal-basis "Ley 1712 de 2014" >/dev/null && publish || die "no change"

timer() { # HOW FOLDER [NEW]: a line of milliseconds, epoch, KiB; and the processor's milliseconds in the end
    local TIMEFORMAT="%U %S" used
    used=$({ time "$OUT/tests/directory_timer" "$1" "$2" "$C/store/anchor/trust.pem" "$C/store/anchor/directory.vkey" ${3:+"$3"} >"$T/line"; } 2>&1) || return 1
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

first_row() { # FOLDER WHAT
    echo "| $2 | $(column "first-$1" 1 | median) ($(column "first-$1" 1 | spread)) | $(column "first-$1" 2 | median) | |"
}
row() { # HOW WHAT
    echo "| $2 | $(column "$1" 1 | median) ($(column "$1" 1 | spread)) | $(column "$1" 4 | median) | $(($(column "$1" 3 | median) / 1024)) |"
}
exchange_row() { # NAME COLUMN
    local country
    printf '| %s |' "$1"
    for country in small large; do printf ' %.0f (%s) |' "$(column exchange-$country "$2" | median)" "$(column exchange-$country "$2" | spread)"; done
    paste -d ' ' <(column exchange-large "$2") <(column exchange-small "$2") | awk '{ print $1 / $2 }' >"$T/ratios.txt"
    printf ' %.3f (%s) |\n' "$(column ratios 1 | median)" "$(sort -n "$T/ratios.txt" | awk 'NR == 1 { least = $1 } { most = $1 } END { printf "%.3f-%.3f", least, most }')"
}
# what is fetched at a first start: seconds at 1 Mbit/s and a round trip of 300 ms, bundles eight at once behind each other
fetched_row() { # NAME ROUND_TRIPS FILES...
    local bytes packed
    bytes=$(cat "${@:3}" | wc -c)
    packed=$(for file in "${@:3}"; do gzip -6c "$file" | wc -c; done | paste -sd+ | bc)
    echo "$1|$bytes|$packed|$2" | awk -F '|' '{ printf "| %s | %.1f | %.0f | %.1f | %.0f |\n", $1, $2 / 1e6, $2 * 8 / 1e6 + $4 * 0.3, $3 / 1e6, $3 * 8 / 1e6 + $4 * 0.3 }'
}
memory() { echo "$(($(cat "$T/idle-$1.txt") / 1024)); $(($(cat "$T/loaded-$1.txt") / 1024))"; }
{
    echo "Measured $(date -u +%Y-%m-%d) with \`make bench-directory\`: $(machine);"
    echo "$MEMBERS members, $SERVERS servers with certificates, $SERVICES services: $acts acts, $(($(du -sb --apparent-size "$T/whole/tile" | cut -f 1) / 1000000)) MB of tiles, a"
    echo "snapshot of $(($(stat -c %s "$T/whole/snapshot/"[0-9]* | sort -n | tail -n 1) / 100000))00 KB; medians of $ROUNDS."
    echo
    echo "| | ms (spread) | ms of processor, the program whole | resident MB after it |"
    echo "| --- | --- | --- | --- |"
    first_row directory "a first start of a node over HTTP on this machine, to the state in use; processor: of the whole node until it is ready"
    first_row plain "... where no snapshot is shown: all acts, each verified"
    row snapshot "loading alone, from the newest snapshot: a first start, a command"
    row whole "loading alone, each act verified"
    row known "a restart of a node, from its own copy"
    row advance "one change and the act that publishes it (the second figure: with the load before)"
    echo
    echo "| 64 in flight, both nodes and their gateways on this machine; medians of $TURNS turns of $SECONDS_EACH s (spread) | four members | the whole country | ratio, median of the turns (spread) |"
    echo "| --- | --- | --- | --- |"
    exchange_row "exchanges/s" 1
    exchange_row "processor per exchange, µs" 3
    echo "| resident MB of the consumer's exchange process, idle; after the load | $(memory small) | $(memory large) | |"
    echo
    echo "$bad failures."
    echo
    echo "| fetched by who knows nothing yet | MB | s, at 1 Mbit/s and 300 ms | MB as gzip | s |"
    echo "| --- | --- | --- | --- | --- |"
    mapfile -t files < <(find "$T/before/tile/entries" -type f)
    fetched_row "all acts" $((4 + ${#files[@]} / 8)) "${files[@]}"
    mapfile -t files < <(find "$T/snapshot/tile/entries" "$T/snapshot/snapshot" -type f ! -name newest)
    fetched_row "the newest snapshot and what came behind" $((6 + ${#files[@]})) "${files[@]}"
} >"$T/table.md"
cat "$T/table.md"
page_put "$T/table.md" "directory table"
trap - EXIT
stop_all
rm -rf "$T"
