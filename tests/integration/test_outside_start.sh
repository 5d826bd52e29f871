#!/bin/bash
# SPDX-License-Identifier: MIT
# A start asks the witnesses that are no servers of the bus too: when one of them alone knows more of the log than is here,
# the node refuses and says what is missing; an order closes the epoch, and its record names the witness. A witness that is
# away, slow or talks nonsense stops no start, and nobody's word but the log's own signature does.
. "$(dirname "$0")/lib.sh"
WITNESS=$OUT/tests/outside_witness
CHECKPOINT_MS=200
PUBLISH_MS=300
START_CHECK_MS=4000
country_make >/dev/null
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
A=${SERVER[a]}
port=$(free_port)
echo good >"$C/mode"
log_vkey=$(cat "$C/a/keys/log.vkey")
# the same key under the origin of the next epoch
origin2=${log_vkey%%/1+*}/2
raw=$(echo "$log_vkey" | cut -d + -f 3- | base64 -d | tail -c 32 | xxd -p -c 64)
id2=$({ printf '%s\n\x01' "$origin2"; echo "$raw" | xxd -r -p; } | sha256sum | cut -c 1-8)
log_vkey2="$origin2+$id2+$(echo "$log_vkey" | cut -d + -f 3-)"
witness_start() {
    "$WITNESS" "$port" contraloria.gov.example/witness 5 "$C/mode" "$log_vkey" "$log_vkey2" >"$C/vkey" 2>>"$C/witness.said" &
    witness=$!
    pids+=($witness)
    wait_for 5 curl -s -o /dev/null "http://127.0.0.1:$port/"
}
witness_start || die "no witness"
check "the one witness of the log is no server" registry witness set "$A" \
    --outside "$(cat "$C/vkey")=http://127.0.0.1:$port/w" --quorum 1
publish
LOG=$C/a/audit/log
mode() { echo "$1" >"$C/mode"; }
start() { server_start a || die "server a: $(tail -n 1 "$C/a/server.events")"; }
cosigned() { # EPOCH: all that is published is
    [ "$(sed -n 2p "$LOG/$1/cosigned" 2>/dev/null)" = "$(sed -n 2p "$LOG/$1/promise" 2>/dev/null)" ]; }
start_status() { timeout 60 "$BIN/chaski-security-server" --config "$C/a/server.conf" 2>"$C/start.events"; echo $?; }
refused() { grep '"server.start_refused"' "$C/start.events"; }
put_back() { rm -rf "$C/a/audit"; cp -r "$C/$1" "$C/a/audit"; }

start
check "its log is cosigned" wait_for 20 cosigned 1
check "a witness that holds nothing yet is told of" said_since_start a outside.witness_holds_nothing
server_stop a
cp -r "$C/a/audit" "$C/early"
early=$(sed -n 2p "$LOG/1/promise")
start
check "a start hears the witness, and goes on from what it holds" said_since_start a '"start.checked","answers":1'
check "... of which nothing stays" test ! -e "$C/a/audit/start/question" -a ! -e "$C/a/audit/start/heard"
grown() { cosigned 1 && [ "$(sed -n 2p "$LOG/1/cosigned")" -gt "$early" ]; }
check "what came later is cosigned too" wait_for 20 grown
server_kill a
rm -rf "$C/newest"; cp -r "$C/a/audit" "$C/newest"
largest=$(curl -sS "http://127.0.0.1:$port/w/$(printf %s "${log_vkey%%+*}" | sha256sum | head -c 64)/checkpoint" | sed -n 2p)
check "the witness shows what it cosigned" test "$largest" -gt "$early"

# --- the end of the log is gone, and nobody on the mesh knows ---
put_back early
check "it does not start" equal "$(start_status)" 3
check "... the witness holds our signature" contains "$(refused)" "contraloria.gov.example/witness holds our signature over a log of $largest entries"
check "... it says what is missing" contains "$(refused)" "here are $early: entries $early to $((largest - 1)) are missing"
check "... which file to put back" contains "$(refused)" "Put back $LOG/1/wal/00000000000000000000.seg"
check "... and the other way out" contains "$(refused)" "chaski log new-epoch --config FILE --reason TEXT --officer ID"
check "... and has changed nothing" diff -r "$C/early/log/1/wal" "$LOG/1/wal"
check "... nor signed anything" diff "$C/early/log/1/promise" "$LOG/1/promise"
put_back newest
start
check "with the files put back it starts" said_since_start a server.ready
check "the log grows on" wait_for 20 cosigned 1
server_stop a
rm -rf "$C/newest"; cp -r "$C/a/audit" "$C/newest"

# --- what a witness does wrong stops no start ---
for how in drip:"no whole answer in time\|imeout" huge:"more than 16384 bytes" garbage:BAD_FRAME redirect:"HTTP status 302" down:"HTTP status 500"; do
    mode "${how%%:*}"
    before=$(date +%s%3N)
    check "with a witness that answers '${how%%:*}' the node starts" server_start a
    check "... within its time" test $(($(date +%s%3N) - before)) -lt 20000
    check "... and says what was wrong" sh -c "grep outside.witness_not_heard '$C/a/server.events' | tail -n 1 | grep -q '${how#*:}'"
    server_stop a
done
# a larger head that the log did not sign is nobody's
mode forged
check "with a forged head of a larger log it starts" server_start a
check "... and says that it is none" said_since_start a SIGNATURE_BAD
server_stop a
kill "$witness"; wait "$witness" 2>/dev/null
check "with a witness that is away it starts" server_start a
check "... and says so" said_since_start a start.nobody_asked_or_answering
server_stop a

# --- way two: the epoch is closed ---
put_back early
mode good
"$BIN/chaski" log new-epoch --config "$C/a/server.conf" --reason "disco perdido" --officer "CC 71000001" >/dev/null || die "no order"
check "while the witness is away the order waits" equal "$(start_status)" 1
check "... for somebody who says what there was" grep -q "none of 1 witnesses and peers" "$C/start.events"
witness_start || die "no witness"
# it has lost its memory with its process: the log is shown to it once more, as it was
put_back newest
start
check "the witness holds the whole log again" wait_for 30 cosigned 1
server_stop a
check "... to its end" wait_for 5 test -s "$LOG/1/cosigned"
largest=$(curl -sS "http://127.0.0.1:$port/w/$(printf %s "${log_vkey%%+*}" | sha256sum | head -c 64)/checkpoint" | sed -n 2p)
put_back early
check "the older copy is refused again" equal "$(start_status)" 3
"$BIN/chaski" log new-epoch --config "$C/a/server.conf" --reason "disco perdido" --officer "CC 71000001" >/dev/null || die "no order"
start
check "with the order the node goes on in epoch 2" contains "$(grep server.ready "$C/a/server.events" | tail -n 1)" "$origin2"
"$BIN/chaski-audit" show "$C/a/audit" 0 >"$C/first" 2>&1
check "its first record closes epoch 1" contains "$(cat "$C/first")" "closes epoch     1, of which $early entries are left"
check "... and names what the witness holds" contains "$(grep "$largest entries, root" "$C/first")" "held by contraloria.gov.example/witness"
check "the witness cosigns the next epoch" wait_for 30 cosigned 2
server_stop a
"$BIN/chaski-audit" verify "$C/a/audit" --store-key "$C/a/keys/store.key" >"$C/said" 2>&1
check "the auditor hears what is missing, and who says so" contains "$(grep -A 1 -F '[lost tail]' "$C/said")" "by what contraloria.gov.example/witness holds it had $largest: entries $early to"
start
check "it starts again in epoch 2" contains "$(grep server.ready "$C/a/server.events" | tail -n 1)" "$origin2"
check "... after hearing the witness" said_since_start a '"start.checked","answers":1'
server_stop a

# --- a whole epoch is gone ---
cp -r "$C/a/audit" "$C/second"
put_back early
check "without the folder of epoch 2 it does not start" equal "$(start_status)" 3
check "... the witness knows of it" contains "$(refused)" "of epoch 2 of this log, and $LOG/2 is not here"
finish
