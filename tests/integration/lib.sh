#!/bin/bash
# SPDX-License-Identifier: MIT
# lib - a small country for an integration test: real processes, real files, free loopback ports.
# Sourced. A test says `ok SENTENCE` or `not_ok SENTENCE WHY` and ends with `finish`.
#
#   country_make            authority, purposes; members are added with member_make
#   member_make NAME SERVER_ID MEMBER_NAME SUBSYSTEM     keys, enrolment, subsystem, configs
#   registry ACT...         chaski-registry with the store filled in: registry service add ID ...
#   publish                 signs and publishes the directory
#   server_start NAME / server_stop NAME / server_kill NAME    the security server of a member
#   gateway_start NAME / gateway_stop NAME
#   wait_for SECONDS COMMAND...                          until it succeeds
set -u
OUT=$(cd "$1" && pwd)
BIN=$OUT/bin
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
TEST=$(basename "$0" .sh)
C=$(mktemp -d "${TMPDIR:-/tmp}/chaski-$TEST-XXXXXX")
HOST=${HOST:-127.0.0.1}
failures=0
pids=()

ok() { echo "ok - $1"; }
not_ok() { echo "not ok - $1: ${2:-}"; failures=$((failures + 1)); }
# What cannot be tried here, and why: counted, and shown at the end of a run of all tests.
skip() { echo "skip - $1: $2"; }
# check SENTENCE COMMAND...: the sentence holds when the command succeeds
check() { local sentence=$1; shift; if "$@" >"$C/check.out" 2>&1; then ok "$sentence"; else not_ok "$sentence" "$(tail -n 3 "$C/check.out" | tr '\n' ' ')"; fi; }
equal() { [ "$1" = "$2" ] || { echo "expected '$2', found '$1'"; return 1; }; }
contains() { case $1 in *"$2"*) return 0 ;; esac; echo "'$2' is not in '$1'"; return 1; }

die() { not_ok "the test could be run" "$1"; finish; }

# Numbers of processes come round in minutes here: who ended long ago may be somebody else by now.
is_child() { # PID
    local stat
    read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
    read -r _ stat _ <<<"${stat##*) }"
    [ "$stat" = $$ ]
}

stop_all() {
    local pid
    for pid in "${pids[@]}"; do is_child "$pid" && kill -9 "$pid" 2>/dev/null; done
    wait 2>/dev/null
}

no_report() {
    local found
    found=$(grep -rIhE 'ERROR: [A-Z][a-z]+Sanitizer|WARNING: ThreadSanitizer|runtime error:' \
        --exclude-dir=log --exclude-dir=payload "$C" | sort | uniq -c)
    [ -z "$found" ] || { echo "$found"; return 1; }
}

finish() {
    trap - EXIT
    stop_all
    # A process that died of a sanitizer's finding was started anew: its report must not go unseen.
    if [[ $OUT == *san ]]; then
        check "no sanitizer had anything to say" no_report
    fi
    if [ "$failures" -gt 0 ]; then echo "kept: $C" >&2; exit 1; fi
    rm -rf "$C"
    exit 0
}
trap 'echo "not ok - the test ran to its end: it stopped early"; stop_all; exit 1' EXIT

wait_for() {
    local until=$(($(date +%s%N) + $1 * 1000000000)); shift
    while ! "$@" >/dev/null 2>&1; do
        [ "$(date +%s%N)" -lt "$until" ] || return 1
        sleep 0.05
    done
}

# flip FILE OFFSET: one byte becomes another one; again, and it is the old one
flip() {
    local byte
    byte=$(dd if="$1" bs=1 skip="$2" count=1 2>/dev/null | od -An -tu1)
    printf "\\x$(printf %02x $((byte ^ 85)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

crc32c() { # of hex digits, as 8 hex digits
    local crc=$((0xffffffff)) i k
    for ((i = 0; i < ${#1}; i += 2)); do
        crc=$((crc ^ 16#${1:i:2}))
        for k in 1 2 3 4 5 6 7 8; do crc=$(((crc >> 1) ^ ((crc & 1) * 0x82f63b78))); done
    done
    printf '%08x' $((crc ^ 0xffffffff))
}

# slot_set SLAB INDEX STATE [KEY]: an entry's slot gets this state, 8 hex digits, and key, 80, with a right checksum
slot_set() {
    local old body
    old=$(xxd -s $((64 + 64 * $2)) -l 60 -p "$1" | tr -d '\n')
    body=${old:0:24}$3${4:-${old:32:80}}00000000
    printf '%s%s' "$body" "$(crc32c "$(printf %016x "$2")$body")" | xxd -r -p |
        dd of="$1" bs=1 seek=$((64 + 64 * $2)) conv=notrunc 2>/dev/null
}
NO_KEY=$(printf '%080d' 0)

# Ports that were free a moment ago. Python-free: ask the kernel through a bound socket of our own tool.
free_port() { "$BIN/chaski" free-ports 1; }

registry() { # registry WORD WORD ARGUMENTS...: the store goes after the command's words
    case $1 in publish | show | batch | import | backup | anchor) "$BIN/chaski-registry" "$1" "$C/store" "${@:2}" ;;
    *) "$BIN/chaski-registry" "$1" "$2" "$C/store" "${@:3}" ;; esac
}

publish() { registry publish --to "$C/directory" "$@" >/dev/null; }

country_make() {
    "$BIN/chaski-registry" init "$C/store" --instance CO --name "Autoridad de prueba" >/dev/null || die "no authority"
    registry purpose add P-1 --title "Certificado de residencia" --legal-basis "Ley de prueba" || die "no purpose"
    registry competence add C-GOV --consumer CO/GOV --purpose P-1 --legal-basis "Ley de prueba" &&
        registry competence add C-MUN --consumer CO/MUN --purpose P-1 --legal-basis "Ley de prueba" || die "no competence"
}

# What closes a service to all who have no grant, for a batch, or behind `registry`.
restriction_words() { # SERVICE
    echo "restriction add R-${1##*/} --service $1 --ground privacy --reason Personas --approver Jurídica --until $(date -u -d '+300 days' +%F)"
}

declare -A SERVER MESH_PORT
KEYS_MORE=() # what is said to `chaski keys` beside
# Many tests count the entries of a log: sealing keys change where a test sets SEAL_ROLL_S.
member_make() {
    local name=$1 server=$2 title=$3 subsystem=$4 member=${2%/*}
    local dir=$C/$name port
    port=$(free_port)
    mkdir -p "$dir/services"
    SERVER[$name]=$server
    MESH_PORT[$name]=$port
    "$BIN/chaski" keys make --folder "$dir/keys" --server "$server" --name "$title" \
        --address "tcp://${MESH_HOST:-$HOST}:$port" --request "$dir/request.json" \
        "${KEYS_MORE[@]}" >/dev/null || die "no keys for $name"
    registry member add "$member" --name "$title" --public || die "no member $name"
    registry server add "$dir/request.json" --certificate-to "$dir/issued.crt" || die "no server $name"
    "$BIN/chaski" keys certificate --folder "$dir/keys" --certificate "$dir/issued.crt" "${KEYS_MORE[@]}" >/dev/null || die "no certificate"
    registry subsystem add "$member/$subsystem" --name "$title" --server "$server" || die "no subsystem"
    cat >"$dir/server.conf" <<E
server = "$server"
keys_folder = "$dir/keys"
audit_folder = "$dir/audit"
directory_folder = "$C/directory"
trust_file = "$C/store/anchor/trust.pem"
authority_file = "$C/store/anchor/directory.vkey"
front = "ipc://$dir/front"
mesh_listen = {"tcp://${MESH_HOST:-$HOST}:$port"}
ready_file = "$dir/server.ready"
event_level = debug
wal_segment_mib = ${SEGMENT_MIB:-4}
checkpoint_every_ms = ${CHECKPOINT_MS:-1000}
publish_every_ms = ${PUBLISH_MS:-1000}
start_check_ms = ${START_CHECK_MS:-600}
seal_roll_s = ${SEAL_ROLL_S:-0}
seal_overlap_s = ${SEAL_OVERLAP_S:-3600}
E
    cat >"$dir/gateway.conf" <<E
listen = {"$HOST:0"}
server = "ipc://$dir/front"
ready_file = "$dir/gateway.ready"
services_folder = "$dir/services"
event_level = debug
E
}

# A process that has ended, even if nobody has asked for its status yet.
gone() { [ ! -e "/proc/$1/stat" ] || [ "$(cut -d ' ' -f 3 "/proc/$1/stat" 2>/dev/null)" = Z ]; }

server_start() {
    local dir=$C/$1
    rm -f "$dir/server.ready"
    touch "$dir/server.events"
    wc -l <"$dir/server.events" >"$dir/server.mark"
    "$BIN/chaski-security-server" --config "$dir/server.conf" 2>>"$dir/server.events" &
    echo $! >"$dir/server.pid"
    pids+=($!)
    wait_for "${2:-20}" test -s "$dir/server.ready" || { server_state "$1"; return 1; }
}

# Did the server NAME say WORDS since it was started last? For wait_for.
said_since_start() { tail -n "+$(($(cat "$C/$1/server.mark") + 1))" "$C/$1/server.events" | grep -q "$2"; }

# What the processes of a server that does not come up are waiting for.
server_state() {
    local pid
    pid=$(cat "$C/$1/server.pid")
    ps -o pid,ppid,stat,wchan:24,time,args --pid "$pid" --ppid "$pid"
    for pid in "$pid" $(pgrep -P "$pid"); do grep -H . "/proc/$pid/stack" 2>/dev/null; done
}

server_stop() { # waits for its end; the exit status is the server's
    local pid
    pid=$(cat "$C/$1/server.pid")
    ! is_child "$pid" || kill "$pid" 2>/dev/null
    wait "$pid"
}

server_kill() { # the supervisor with SIGKILL; its children die with it
    local pid
    pid=$(cat "$C/$1/server.pid")
    ! is_child "$pid" || kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    local child
    for child in $(sed -n 's/^\(exchange\|keys\)_pid=//p' "$C/$1/server.ready" 2>/dev/null); do
        wait_for 5 gone "$child"
    done
}

gateway_start() {
    local dir=$C/$1
    rm -f "$dir/gateway.ready"
    "$BIN/chaski-gateway" --config "$dir/gateway.conf" 2>>"$dir/gateway.events" &
    echo $! >"$dir/gateway.pid"
    pids+=($!)
    wait_for 20 test -s "$dir/gateway.ready" || return 1
    wait_for 20 curl -fsS -o /dev/null "$(gateway_url "$1")/readyz"
}

servers_stop() { # NAME...: fails when one of them does
    local name bad=0
    for name; do server_stop "$name" || { bad=1; echo "$name did not end well"; }; done
    return $bad
}

gateway_url() { echo "http://$(sed -n 's/^listen=//p' "$C/$1/gateway.ready" | head -n 1)"; }

gateway_stop() {
    local pid
    pid=$(cat "$C/$1/gateway.pid")
    ! is_child "$pid" || kill "$pid" 2>/dev/null
    wait "$pid"
}

# --- what many tests begin with ----------------------------------------------------------------------
PEER=$OUT/tests/front_peer

# Medellín (a) may ask DANE (b), which offers one open service, $S.
two_members() { # [SERVICE]
    S=${1:-CO/GOV/899999027/DIVIPOLA/uno}
    country_make >/dev/null
    member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
    member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA >/dev/null
    registry service add "$S" --class open >/dev/null || die "no service"
}

servers_start() { # NAME...
    local name
    for name; do server_start "$name" || die "server $name: $(tail -n 1 "$C/$name/server.events")"; done
}

# A stand-in for a gateway that answers all requests to a subsystem, noting them in FILE. Its process is $stand_in.
stand_in_start() { # NAME SUBSYSTEM [FILE]
    "$PEER" serve "ipc://$C/$1/front" "$2" ${3:+"$3"} 2>/dev/null &
    stand_in=$!
    pids+=($stand_in)
    wait_for 10 said_since_start "$1" front.gateway_arrived || die "no stand-in gateway at $1"
}

# A clock that a test sets, of whatever runs as `clocked COMMAND...`: minutes pass in no time. The sanitizers want to be
# loaded first, so with them one waits.
clock_set() { printf '%-16d' "$1" | dd of="$C/clock" conv=notrunc 2>/dev/null; }
clocked() {
    [ -s "$C/clock" ] || clock_set 0
    case $OUT in
    *asan | *tsan) "$@" ;;
    *) LD_PRELOAD=$OUT/tests/wrong_clock.so WRONG_CLOCK_MAP=$C/clock "$@" ;;
    esac
}
later() { # SECONDS
    case $OUT in
    *asan | *tsan) sleep "$1" ;;
    *) clock_set $(($(cat "$C/clock") + $1)) ;;
    esac
}

# The authority's own time stamps, at $1 of this machine. Its process is $tsa.
tsa_serve() { # PORT
    "$BIN/chaski-registry" serve "$C/store" --listen "127.0.0.1:$1" 2>>"$C/tsa.events" &
    tsa=$!
    pids+=($tsa)
    wait_for 10 curl -fsS -o /dev/null "http://127.0.0.1:$1/healthz" || die "no TSA: $(tail -n 1 "$C/tsa.events")"
}

# The registry on the network, $url, and $C/chaski.anchor, by which the nodes NAME... follow it.
registry_follow() { # NAME...
    local name
    "$BIN/chaski-registry" serve "$C/store" --listen 127.0.0.1:0 --directory "$C/directory" --authority \
        --push 'tcp://127.0.0.1:*' --ready-file "$C/ready" 2>>"$C/serve.events" &
    pids+=($!)
    wait_for 20 test -s "$C/ready" || die "the registry does not start: $(tail -n 1 "$C/serve.events")"
    url=http://$(sed -n 's/^listen=//p' "$C/ready")
    "$BIN/chaski-registry" anchor "$C/store" --url "$url" --push "$(sed -n 's/^push=//p' "$C/ready")" --to "$C/chaski.anchor" >/dev/null || die "no anchor"
    for name; do
        sed -i '/^directory_folder/d; /^trust_file/d; /^authority_file/d' "$C/$name/server.conf"
        echo "anchor_file = \"$C/chaski.anchor\"" >>"$C/$name/server.conf"
    done
}
