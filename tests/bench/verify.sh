#!/bin/bash
# SPDX-License-Identifier: MIT
# How fast chaski-audit verify is, and what an exchange takes on disk: two logs are made by real exchanges between
# two nodes, with witnesses and time stamps, and then verified together, payloads opened, several times. Beside it,
# in the same run, what openssl itself checks on the same cores.
#   verify.sh OUT [ENTRIES]      OUT: build/release; ENTRIES: of both logs together, 200000. ROUNDS=5.
#                                KEEP=FOLDER keeps the logs there, or takes the ones that are there.
# Called by `make bench-verify ENTRIES=200000`, which asks for about 2.5 kB of disk an entry. Puts its tables into
# docs/PERFORMANCE.md.
ENTRIES=${2:-200000}
ROUNDS=${ROUNDS:-5}
KEEP=${KEEP:-}
. "$(dirname "$0")/../integration/lib.sh"
PEER=$OUT/tests/front_peer
AUDIT=$BIN/chaski-audit
EXCHANGES=$((ENTRIES / 4)) # a request and an answer, in either log
export LC_ALL=C
progress() { echo "  $*" >&2; }
median() { sort -n | awk '{ v[NR] = $1 } END { printf "%.0f", v[int((NR + 1) / 2)] }'; }
spread() { sort -n | awk 'NR == 1 { least = $1 } { most = $1 } END { printf "%.0f-%.0f", least, most }'; }
quit() { trap - EXIT; stop_all; rm -rf "$C"; exit "${1:-0}"; }
trap 'stop_all; rm -rf "$C"' EXIT

# --- two logs ------------------------------------------------------------------------------------------
make_logs() { # FOLDER
    local m port
    SEGMENT_MIB=64 CHECKPOINT_MS=10000 PUBLISH_MS=5000
    country_make
    member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES
    member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA
    member_make c CO/GOV/800197268/SS1 "DIAN" RUT
    member_make d CO/GOV/899999040/SS1 "Registraduría" IDENTIDAD
    registry service add CO/GOV/899999027/DIVIPOLA/registro --class open >/dev/null || return 1
    registry witness assign --per-log 3 --quorum 2 >/dev/null || return 1
    port=$(free_port)
    "$BIN/chaski-registry" serve "$C/store" --listen "127.0.0.1:$port" 2>>"$C/tsa.events" &
    pids+=($!)
    wait_for 5 curl -fsS -o /dev/null "http://127.0.0.1:$port/healthz" || return 1
    registry stamp-authority url --url "http://127.0.0.1:$port/tsa" --name NACIONAL >/dev/null || return 1
    publish
    sed -i 's/^event_level = .*/event_level = info/' "$C"/*/server.conf
    for m in a b c d; do server_start $m || return 1; done
    "$PEER" serve "ipc://$C/b/front" CO/GOV/899999027/DIVIPOLA 2>/dev/null &
    pids+=($!)
    wait_for 10 grep -q front.gateway_arrived "$C/b/server.events" || return 1
    timeout 3600 "$PEER" ask "ipc://$C/a/front" CO/MUN/890905211/TRAMITES CO/GOV/899999027/DIVIPOLA/registro \
        "$EXCHANGES" 64 >"$C/asked" 2>/dev/null
    grep -q "OK  *$EXCHANGES\$" "$C/asked" || { cat "$C/asked" >&2; return 1; }
    sleep 12 # the last checkpoints are cosigned and stamped
    for m in a b; do server_stop $m || return 1; done
    mkdir -p "$1"
    for m in a b; do mv "$C/$m/audit" "$1/$m" && cp "$C/$m/keys/store.key" "$1/$m.key" || return 1; done
}
LOGS=${KEEP:-$C/logs}
if [ ! -d "$LOGS/b" ]; then
    progress "making two logs by $EXCHANGES exchanges"
    make_logs "$LOGS" || { progress "the logs could not be made"; quit 1; }
fi

# --- what openssl does on all cores -------------------------------------------------------------------
cores=$(nproc)
openssl_verifies() {
    openssl speed -seconds 2 -multi "$cores" ecdsap256 2>/dev/null | awk '/256 bits ecdsa/ { print $NF }'
}
# verify NAME THREADS LOGS...: entries a second, microseconds of processor an entry, entries, payloads held
verify() {
    local name=$1 threads=$2 used; shift 2
    used=$({ TIMEFORMAT='%U %S'; time "$AUDIT" verify "$@" --store-key "$LOGS/a.key" --store-key "$LOGS/b.key" \
        --threads "$threads" --json >"$C/said"; } 2>&1)
    [ "$(jq .clean "$C/said")" = true ] || { progress "the logs do not verify: $(jq -c '.findings[0:3]' "$C/said")"; quit 1; }
    jq -r --arg used "$used" '($used | split(" ") | map(tonumber) | add) as $s |
        "\(.entries_a_second) \($s * 1000000 / .entries) \(.entries) \(.payloads.held)"' "$C/said" >>"$C/rates-$name"
}
load=$(cut -d ' ' -f 1 /proc/loadavg)
for ((round = 1; round <= ROUNDS; round++)); do
    progress "round $round of $ROUNDS"
    openssl_verifies >>"$C/rates-openssl"
    verify one "$cores" "$LOGS/b"
    verify single 1 "$LOGS/b"
    verify both "$cores" "$LOGS/a" "$LOGS/b"
done
rates() { cut -d ' ' -f 1 "$C/rates-$1"; }
openssl_rate=$(rates openssl | median)
entries=$(cut -d ' ' -f 3 "$C/rates-both" | head -n 1)
held=$(cut -d ' ' -f 4 "$C/rates-both" | head -n 1)
row() { # SENTENCE NAME
    local rate
    rate=$(rates "$2" | median)
    echo "| $1 | $rate ($(rates "$2" | spread)) | $(ratio "$rate" "$openssl_rate") | $(cut -d ' ' -f 2 "$C/rates-$2" | median) |"
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

# --- bytes on disk -------------------------------------------------------------------------------------
D=$LOGS/b
own=$(jq -r '.audited[1].entries' "$C/said")
exchanges=$(awk -v n="$own" 'BEGIN { printf "%.0f", n / 2 }')
used() { # bytes up to the last one that is not zero, of files that are filled ahead
    local file total=0
    for file in "$@"; do total=$((total + $(tac_zeros "$file"))); done
    echo "$total"
}
tac_zeros() { # FILE: its size without the zeros at its end
    local size chunk=4096 at last
    size=$(stat -c %s "$1")
    at=$(((size + chunk - 1) / chunk))
    local low=0 high=$at middle # records are never all zeros, so the used part is one piece
    while [ $low -lt $high ]; do
        middle=$(((low + high) / 2))
        if dd if="$1" bs=$chunk skip=$middle count=1 status=none | tr -d '\0' | head -c 1 | grep -qa .; then low=$((middle + 1)); else high=$middle; fi
    done
    [ $low -gt 0 ] || { echo 0; return; }
    last=$(dd if="$1" bs=$chunk skip=$((low - 1)) count=1 status=none | od -An -v -tx1 -w1 | awk '$1 != "00" { n = NR } END { print n + 0 }')
    echo $(((low - 1) * chunk + last))
}
size_of() { find "$@" -type f -printf '%s\n' 2>/dev/null | awk '{ n += $1 } END { print n + 0 }'; }
each() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.0f", a / b }'; }
wal=$(used "$D"/log/1/wal/*.seg)
bundles=$(size_of "$D/log/1/tile/entries")
tiles=$(($(size_of "$D/log/1/tile") - bundles))
payload=$(used "$D"/payload/*.seg)
slab=$(used "$D"/keys/*.slab)
bytes_of() { "$AUDIT" show "$D" --kind "$1" --limit 1 --json | jq '.[0].payload_bytes'; }
plain=$(bytes_of request)
# the record that logs a token: frame, salt and tag around its payload, a slot, and a leaf as the others have it
logged=$(($(bytes_of stamped) + 16 + 32 + 16 + 64 + (wal + bundles + tiles) / own))
heads=$(find "$D/log/1/cp" -type f ! -name '*.tst' | wc -l)
head_bytes=$(each "$(find "$D/log/1/cp" -type f ! -name '*.tst' -printf '%s\n' | awk '{ n += $1 } END { print n + 0 }')" "$heads")
stamps=$(find "$D/log/1/cp" -type f -name '*.tst' | wc -l)
stamp_bytes=$(each "$(size_of "$D/log/1/cp" -name '*.tst')" "$stamps")

{
    echo "Measured $(date -u +%Y-%m-%d) with \`make bench-verify ENTRIES=$ENTRIES\`: $cores cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1),"
    echo "$(openssl version | cut -d ' ' -f 1,2); two logs with $entries entries, made by $EXCHANGES exchanges, all $held payloads opened; $ROUNDS rounds, by turns."
    echo "Load of the machine at the beginning: $load."
    echo
    echo "| a second, medians (spread) | | of openssl | processor, µs each |"
    echo "| --- | --- | --- | --- |"
    echo "| \`openssl speed -multi $cores ecdsap256\`, checks of signatures | $openssl_rate ($(rates openssl | spread)) | 1 | |"
    row "\`chaski-audit verify\`, one log, entries, $cores threads" one
    row "... 1 thread" single
    row "both logs in one run, $cores threads" both
} >"$C/verify.md"
{
    echo "Measured $(date -u +%Y-%m-%d) in the same run: the provider's log, $exchanges exchanges, payloads of $plain bytes."
    echo
    echo "| on disk | bytes per exchange |"
    echo "| --- | --- |"
    echo "| leaves in segments | $(each "$wal" "$exchanges") |"
    echo "| leaves in bundles, for any tlog checker (derived) | $(each "$bundles" "$exchanges") |"
    echo "| tiles of hashes (derived) | $(each "$tiles" "$exchanges") |"
    echo "| payloads, encrypted | $(each "$payload" "$exchanges") |"
    echo "| slots with record keys | $(each "$slab" "$exchanges") |"
    echo "| **together** | **$(each $((wal + bundles + tiles + payload + slab)) "$exchanges")** |"
    echo
    echo "| once a minute with traffic | bytes |"
    echo "| --- | --- |"
    echo "| checkpoint with its cosignatures | $head_bytes |"
    echo "| time stamp token | $stamp_bytes |"
    echo "| the record that logs the token | $logged |"
} >"$C/disk.md"
cat "$C/verify.md"; echo; cat "$C/disk.md"

page=$ROOT/docs/PERFORMANCE.md
put() { # NAME FILE: between the page's two marks of that name
    awk -v name="$1" -v table="$2" '
        $0 == "<!-- " name " table -->" { print; while ((getline line < table) > 0) print line; skip = 1; next }
        $0 == "<!-- end of " name " table -->" { skip = 0 }
        !skip { print }' "$page" >"$C/page.md" && cp "$C/page.md" "$page"
}
[ ! -w "$page" ] || { put verify "$C/verify.md"; put disk "$C/disk.md"; }
quit 0
