#!/bin/bash
# SPDX-License-Identifier: MIT
# Two servers compare their logs: what one side lacks is found as comm(1) finds it, comes from the other side,
# and is told of; nobody who lies about leaves gets anything in, or anybody to stand still.
. "$(dirname "$0")/lib.sh"
LIAR=$OUT/tests/set_liar
AUDIT=$BIN/chaski-audit
A=CO/MUN/890905211
B=CO/GOV/899999027
D=CO/GOV/800197268
S=$B/DIVIPOLA/uno
CHECKPOINT_MS=200
PUBLISH_MS=400
START_CHECK_MS=300
two_members $S
member_make c $D/SS1 "DIAN" RUT >/dev/null
publish
for node in a b c; do
    printf 'reconcile_hour = -1\nreconcile_every_ms = 86400000\nreconcile_grace_ms = 100\n' >>"$C/$node/server.conf"
done
start() { servers_start "$1"; }
gateway_b() { stand_in_start b $B/DIVIPOLA; gateway_pid=$stand_in; }
start_b() { start b; gateway_b; }
stop_b() { server_stop b; kill "$gateway_pid" 2>/dev/null; wait "$gateway_pid" 2>/dev/null; }
kill_b() { server_kill b; kill "$gateway_pid" 2>/dev/null; wait "$gateway_pid" 2>/dev/null; }
ask() { timeout 40 "$PEER" ask "ipc://$C/a/front" $A/TRAMITES $S "$1" "${2:-2}" 2>/dev/null; }
reconcile() { timeout 150 "$BIN/chaski" reconcile --config "$C/$1/server.conf" "${@:2}" 2>&1; }
# type_count TYPE: how many of this type $C/report.json tells of
type_count() { tr -d ' \n' <"$C/report.json" | grep -o "\"type\":$1,\"finding\":\"[^\"]*\",\"count\":[0-9]*" | sed 's/.*://' | paste -sd + | bc; }
leaves() { # NODE OTHER: the leaf hashes of all hours, sorted, by chaski-audit
    local hour
    "$AUDIT" leaves "$C/$1/audit" --peer "$2" | cut -d ' ' -f 1 |
        while read -r hour; do "$AUDIT" leaves "$C/$1/audit" --peer "$2" --hour "$hour"; done | sort
}
alike() { diff <(leaves a $B/SS1) <(leaves b $A/SS1); }
equal_to() { diff <(sort "$1") <(sort "$2"); }
verify() { "$AUDIT" verify "$@" --store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key" >"$C/said" 2>&1; echo $?; }
said() { check "$1" contains "$(cat "$C/said")" "$2"; }
lates() { "$AUDIT" show "$C/$1/audit" --kind late | wc -l; }
start a
start_b
start c
pid_a=$(sed -n 's/^exchange_pid=//p' "$C/a/server.ready")

# --- equal ------------------------------------------------------------------------------------------
check "exchanges" contains "$(ask 30)" "OK                   30"
sleep 0.2
check "logs of the same exchanges are equal" contains "$(reconcile a --peer $B/SS1)" ": equal"
check "... with all leaves" contains "$(reconcile a --report)" "60 leaves here, 60 there"
check "... the other way round too" contains "$(reconcile b --peer $A/SS1)" ": equal"
check "where nothing was exchanged all is equal too" contains "$(reconcile a --peer $D/SS1)" "0 leaves here, 0 there: equal"
hour=$("$AUDIT" leaves "$C/a/audit" --peer $B/SS1 | head -n 1 | cut -d ' ' -f 1)
check "the digest that servers compare is sha256sum's over the sorted hashes" equal \
    "$("$AUDIT" leaves "$C/a/audit" --peer $B/SS1 --hour "$hour" | xxd -r -p | sha256sum | cut -d ' ' -f 1)" \
    "$("$AUDIT" leaves "$C/a/audit" --peer $B/SS1 | head -n 1 | cut -d ' ' -f 3)"
check "... and show's hashes are the same ones" equal_to \
    <("$AUDIT" leaves "$C/a/audit" --peer $B/SS1 --hour "$hour" | head -n 20) \
    <("$AUDIT" show "$C/a/audit" --json | sed -n 's/.*"leaf_hash": "\(.*\)".*/\1/p' | sort | comm -12 - <("$AUDIT" leaves "$C/a/audit" --peer $B/SS1 --hour "$hour") | head -n 20)
check "an order for nobody is refused" contains "$(reconcile a --peer CO/GOV/1/SS1)" "no such"

# --- lost on the way there: only the consumer has them ------------------------------------------------
stop_b
ask 3 3 >/dev/null
start_b
sleep 0.2
leaves a $B/SS1 >"$C/leaves-a"
leaves b $A/SS1 >"$C/leaves-b"
comm -3 "$C/leaves-a" "$C/leaves-b" | tr -d '\t' | sort >"$C/comm"
check "requests that were never delivered stand in one log only" equal "$(wc -l <"$C/comm")" 3
reconcile a --peer $B/SS1 --json >"$C/report.json"
check "a comparison finds just those that comm finds" equal_to \
    <(sed -n 's/.*"leaf_hash": "\(.*\)".*/\1/p' "$C/report.json") "$C/comm"
check "... as requests only at the consumer" equal "$(type_count 1)" 3
check "... sent to the provider" contains "$(tr -d ' \n' <"$C/report.json")" '"sent":3,"taken_in":0,"refused":0'
check "... which appends them as late receipts" wait_for 10 bash -c "[ \$('$AUDIT' show '$C/b/audit' --kind late | wc -l) = 3 ]"
wait_for 10 alike
check "then both hold the same leaves" alike
check "the finding is an event with counts" grep -q '"reconcile.found".*"request_only_at_consumer":3' "$C/a/server.events"
check "... and nothing of the exchange" equal "$(grep -c "$(head -n 1 "$C/comm")" "$C/a/server.events")" 0
report_a=$(reconcile a --report | tr -s ' \n' ' ')
check "the report says what each finding means" contains "$report_a" "It was never delivered, or the provider keeps it back."
check "... and what to do" contains "$report_a" "The provider takes it in as a late receipt"
check "a second run finds all equal" contains "$(reconcile a --peer $B/SS1)" ": equal"
check "... and takes nothing in again" equal "$(lates b)" 3
check "the report of that says so" contains "$(reconcile a --report)" "equal"
check "... and what was found before is no longer told" equal "$(reconcile a --report | grep -c 'request only at consumer')" 0
check "... but kept" equal "$(reconcile a --report --all --peer $B/SS1 | grep -c 'request only at consumer: 3')" 1

# --- lost on the way back: only the provider has it ----------------------------------------------------
kill -STOP "$gateway_pid"
"$PEER" ask "ipc://$C/a/front" $A/TRAMITES $S 1 1 >/dev/null 2>&1 &
asking=$!
pids+=("$asking")
wait_for 5 bash -c "[ \$('$AUDIT' show '$C/b/audit' --kind request | wc -l) = 31 ]"
server_kill a
kill -CONT "$gateway_pid"
kill "$asking"
wait "$asking" 2>/dev/null
wait_for 5 bash -c "[ \$('$AUDIT' show '$C/b/audit' --kind response | wc -l) = 31 ]" || die "no answer at b"
start a
pid_a=$(sed -n 's/^exchange_pid=//p' "$C/a/server.ready")
sleep 0.3
leaves a $B/SS1 >"$C/leaves-a"
leaves b $A/SS1 >"$C/leaves-b"
comm -3 "$C/leaves-a" "$C/leaves-b" | tr -d '\t' | sort >"$C/comm"
check "an answer that was lost on the way stands in one log only" equal "$(wc -l <"$C/comm")" 1
reconcile b --peer $A/SS1 --json >"$C/report.json"
check "a comparison finds the one that comm finds" equal_to \
    <(sed -n 's/.*"leaf_hash": "\(.*\)".*/\1/p' "$C/report.json") "$C/comm"
check "... as an answer only at the provider" equal "$(type_count 3)" 1
wait_for 10 alike
check "... and it arrives" alike
check "... as a late receipt" equal "$(lates a)" 1
check "nothing ran because of it" equal "$("$AUDIT" show "$C/a/audit" --kind response | wc -l)" 30

# --- what an auditor sees ------------------------------------------------------------------------------
sleep 2.5
check "both logs verify" equal "$(verify "$C/a/audit" "$C/b/audit") $(grep -A 2 FINDING "$C/said")" "0 "
said "... and tell of the late receipts" "3 leaves came late"
said "... of what type they are" "3 request only at consumer (type 1)"
said "... healed" "3 of them healed"
said "... of the answer too" "1 answer only at provider (type 3)"
check "... a picture of them is made" equal "$("$AUDIT" report "$C/a/audit" "$C/b/audit" --html "$C/page.html" >"$C/drawn" 2>&1; echo $?)" 0
check "... in which everything could be read" equal "$(grep -c 'could not be read' "$C/page.html")" 0
verify "$C/a/audit" "$C/b/audit" --json >/dev/null
check "... as JSON by type" contains "$(tr -d ' \n' <"$C/said")" '"type":1,"finding":"requestonlyatconsumer","count":3,"healed":3'
record=$("$AUDIT" show "$C/b/audit" --kind late | awk '{ print $1; exit }')
"$AUDIT" export "$C/b/audit" "$record" --to "$C/late" --store-key "$C/b/keys/store.key" >/dev/null
check "a late receipt is exported" test -s "$C/late/payload.bin"
tail -c +33 "$C/late/payload.bin" >"$C/late.p7m"
check "... with the leaf in it, as the other log has it" contains "$(cat "$C/leaves-a")" "$( (printf '\0'; cat "$C/late.p7m") | sha256sum | cut -d ' ' -f 1)"
"$AUDIT" export "$C/a/audit" 0 --to "$C/signer-a" --store-key "$C/a/keys/store.key" >/dev/null
check "... which stock openssl verifies" openssl cms -verify -cades -binary -inform DER -in "$C/late.p7m" \
    -certfile "$C/signer-a/signer.pem" -CAfile "$C/store/anchor/trust.pem" -out /dev/null
bash "$C/late/verify.sh" "$C/late" >"$C/said" 2>&1
said "... and verify.sh the receipt" "PASS"
check "it is found by its exchange" contains "$("$AUDIT" search "$C/b/audit" --kind late --csv)" "late"

# --- killed while leaves are taken in ---------------------------------------------------------------------
for wait in 0.3 0.8 1.2; do
    before=$(lates b)
    stop_b
    ask 2 2 >/dev/null
    start_b
    reconcile a --peer $B/SS1 >/dev/null &
    ordering=$!
    sleep "$wait"
    kill_b
    start_b
    wait "$ordering"
    reconcile a --peer $B/SS1 >/dev/null
    wait_for 15 bash -c "[ \$('$AUDIT' show '$C/b/audit' --kind late | wc -l) -ge $((before + 2)) ]"
    sleep 0.5
    [ "$(lates b)" = $((before + 2)) ] || not_ok "each leaf is taken in once after a kill at $wait s" "$(lates b), before $before"
done
ok "leaves are taken in, whenever the node is killed"
wait_for 10 alike
check "... and both hold the same" alike

# --- sets are derived ------------------------------------------------------------------------------------
server_stop a
rm -rf "$C/a/audit/sets"
start a
check "without sets they are made anew" contains "$(reconcile a --peer $B/SS1)" ": equal"
set_file=$(ls "$C"/a/audit/sets/*/20* | head -n 1)
flip "$set_file" 100
check "a damaged one is not taken for lost leaves" contains "$(reconcile a --peer $B/SS1)" "not finished"
check "... and is made anew" wait_for 10 bash -c "'$BIN/chaski' reconcile --config '$C/a/server.conf' --peer $B/SS1 | grep -q ': equal'"
check "... with nothing taken in" equal "$(lates a)" 1
server_stop a
set_file=$(ls "$(dirname "$(grep -l "$B/SS1" "$C"/a/audit/sets/*/peer)")"/20* | tail -n 1)
rm -rf "$C/a/audit/sets"
mkdir -p "$set_file/no-file"
start a
check "an hour whose set cannot be written is left out" contains "$(reconcile a --peer $B/SS1)" "1 hour not compared"
check "... which is said" said_since_start a scribe.set_not_written
check "... while others are compared" contains "$(reconcile a --peer $D/SS1)" ": equal"
rm -rf "$set_file"
server_stop a
start a
check "... until it can be written" equal "$(reconcile a --peer $B/SS1 | grep -c 'not compared')" 0
server_stop a
set_file=$(dirname "$(grep -l "$B/SS1" "$C"/a/audit/sets/*/peer)")
set_file=$(ls "$set_file"/20* | tail -n 1)
head -c 100 /dev/urandom >>"$set_file"
start a
ask 1 1 >/dev/null
check "what a crash left at the end of one is cut off" wait_for 5 said_since_start a scribe.set_mended
sleep 0.5
check "... and all are equal" contains "$(reconcile a --peer $B/SS1)" ": equal"
check "... with nothing taken in" equal "$(lates a)" 1

# --- a server that lost what it signed itself ------------------------------------------------------------------
stop_b
rm -rf "$C/old"
cp -r "$C/b/audit" "$C/old"
start_b
ask 2 2 >/dev/null
leaves b $A/SS1 >"$C/leaves-b"
stop_b
server_stop a
rm -rf "$C/b/audit"
cp -r "$C/old" "$C/b/audit"
start_b
start a
sleep 2.5 # an auditor leaves out what is younger than two seconds
leaves a $B/SS1 >"$C/leaves-a"
leaves b $A/SS1 >"$C/leaves-b"
comm -3 "$C/leaves-a" "$C/leaves-b" | tr -d '\t' | sort >"$C/comm"
check "a provider that came back with an older copy lacks four leaves" equal "$(wc -l <"$C/comm")" 4
check "an auditor finds that" equal "$(verify "$C/a/audit" "$C/b/audit")" 1
said "... and whose they are" "is not in its own log (type 4: answer only at consumer)"
reconcile b --peer $A/SS1 --json >"$C/report.json"
check "the server itself finds just those that comm finds" equal_to \
    <(sed -n 's/.*"leaf_hash": "\(.*\)".*/\1/p' "$C/report.json") "$C/comm"
check "... its own answers" equal "$(type_count 4)" 2
check "... and the requests for them" equal "$(type_count 1)" 2
check "... and takes them in" contains "$(tr -d ' \n' <"$C/report.json")" '"sent":0,"taken_in":4'
check "then both hold the same leaves again" wait_for 10 alike
verify "$C/a/audit" "$C/b/audit" >/dev/null
said "that it had lost its own acts stays found" "that this server itself had signed was missing"

# --- who lies gets nothing in ---------------------------------------------------------------------------
server_stop c
LIAR_IS=("$C/c/keys" $D/SS1 "$C/directory" "$C/store/anchor/trust.pem" "$C/store/anchor/directory.vkey" $A/SS1)
liar() { timeout -k 5 60 "$LIAR" ask "tcp://$HOST:${MESH_PORT[a]}" "${LIAR_IS[@]}" "$1" 2>&1; }
before=$(lates a)
liar leaves >"$C/verdicts"
verdict() { sed -n "s/^verdict $1 //p" "$C/verdicts"; }
check "garbage is no leaf" equal "$(verdict 0)" BAD_FRAME
check "a leaf with a wrong signature is refused" equal "$(verdict 1)" SIGNATURE_BAD
check "a leaf between others is refused" equal "$(verdict 2)" INCONSISTENT
check "a record about its own log is refused" equal "$(verdict 3)" BAD_FRAME
check "a leaf from the future is refused" equal "$(verdict 4)" FROM_FUTURE
check "a leaf from long ago is refused" equal "$(verdict 5)" STALE
check "a leaf that proves itself is taken in" equal "$(verdict 6) $(verdict 7)" "OK OK"
check "... once" wait_for 10 bash -c "[ \$('$AUDIT' show '$C/a/audit' --kind late | wc -l) = $((before + 1)) ]"
check "more leaves than a message may have are refused" contains "$(liar many)" "refused 1"
check "ranges that are none are refused" contains "$(liar ranges)" "refused 5"
before=$(lates a)
liar drip >"$C/dripped" &
dripping=$!
check "a peer that sends a leaf every 150 ms does not keep the first from being taken in" \
    wait_for 6 bash -c "[ \$('$AUDIT' show '$C/a/audit' --kind late | wc -l) -gt $before ]"
check "... while it still sends" kill -0 "$dripping"
wait "$dripping"
taken=$(grep -c ' OK$' "$C/dripped")
check "... and only the first of them waits for the scribe" test "$taken" -gt 20
check "... and each that was said to be taken in is, once" equal "$(lates a)" $((before + taken))

# OK is said of what is durable: a node that is killed at that moment still has it
scribe() { local p; for p in $(ps -o pid= --ppid "$(cat "$C/a/server.pid")"); do
    [ "$(cat "/proc/$p/comm" 2>/dev/null)" = chaski-scribe ] && echo "$p"; done; }
restart_a() {
    server_stop a
    start a
    pid_a=$(sed -n 's/^exchange_pid=//p' "$C/a/server.ready")
}
restart_a
before=$(lates a)
kill -STOP "$(scribe)"
ask 1 >/dev/null # something that is not sorted yet
liar leaves >"$C/verdicts" &
bringing=$!
sleep 2
check "while it is not known what is there, nothing is said to be taken in" equal "$(verdict 6)" ""
check "... nor taken in" equal "$(lates a)" "$before"
kill -CONT "$(scribe)"
wait_for 10 grep -q '^verdict 6 OK' "$C/verdicts"
server_kill a
wait "$bringing"
start a
check "what was said to be taken in survives a kill at that moment" equal "$(lates a)" $((before + 1))

# a leaf that comes both late and by itself, in either order, while nothing is sorted
lie() { # LIE: to b, whose service it asks
    timeout 40 "$OUT/tests/mesh_peer" "tcp://$HOST:${MESH_PORT[b]}" "$C/c/keys" $D/SS1 "$C/directory" \
        "$C/store/anchor/trust.pem" "$C/store/anchor/directory.vkey" $B/SS1 $D/RUT $S "$1" 2>&1 | cut -d ' ' -f 1,2
}
before=$(lates b)
check "a leaf that came late may come by itself" equal "$(lie early | paste -sd ' ')" "verdict OK answer OK"
check "... late once" equal "$(lates b)" $((before + 1))
b_scribe=$(for p in $(ps -o pid= --ppid "$(cat "$C/b/server.pid")"); do
    [ "$(cat "/proc/$p/comm")" = chaski-scribe ] && echo "$p"; done)
kill -STOP "$b_scribe"
for i in 1 2 3; do
    check "a leaf that came by itself is there, sorted or not ($i)" equal "$(lie late | paste -sd ' ')" "answer OK verdict OK"
done
check "... and does not come late" equal "$(lates b)" $((before + 1))
kill -CONT "$b_scribe"
sleep 1
verify "$C/b/audit" >/dev/null
check "... of which an auditor finds nothing" equal "$(grep -c 'FINDING.*late receipts' "$C/said")" 0
pid_a=$(sed -n 's/^exchange_pid=//p' "$C/a/server.ready")
memory() { awk '/VmRSS/ { print $2 }' "/proc/$(sed -n 's/^exchange_pid=//p' "$C/a/server.ready")/status"; }
memory_before=$(memory)
liar flood >"$C/flood" &
flooding=$!
sleep 0.1
took=$(ask 200 4 | head -n 1)
wait "$flooding"
check "who asks too often hears nothing any more" test "$(sed -n 's/.*ready \([0-9]*\) behind \([0-9]*\) busy \([0-9]*\).*/\1 \2 \3/p' "$C/flood" | tr ' ' + | bc)" -le 1200
check "... which is said" grep -q reconcile.asked_too_often "$C/a/server.events"
check "... messages pass meanwhile" contains "$took" "asked 200 in"
check "... within a second each" test "$(sed -n 's/.*p99 \([0-9]*\) us.*/\1/p' <<<"$took")" -lt 1000000
check "... and the node does not grow" test $(($(memory) - memory_before)) -lt 20000

for lie in heads proofs; do
    liar $lie >"$C/flood" &
    flooding=$!
    sleep 0.1
    took=$(ask 200 4 | head -n 1)
    wait "$flooding"
    answered=$(sed -n 's/.*ready \([0-9]*\).*/\1/p' "$C/flood")
    check "who asks for $lie too often hears nothing any more" test "$answered" -ge 1 -a "$answered" -le 60
    check "... messages pass meanwhile" contains "$took" "asked 200 in"
    check "... within a second each" test "$(sed -n 's/.*p99 \([0-9]*\) us.*/\1/p' <<<"$took")" -lt 1000000
done
check "... which is said once of each" equal "$(grep -c mesh.asked_too_often "$C/a/server.events")" 2

serve_lies() { # LIE: compares with the liar, and leaves what came of it in $C/report.json
    "$LIAR" serve "tcp://$HOST:${MESH_PORT[c]}" "${LIAR_IS[@]}" "$1" >"$C/liar.out" 2>&1 &
    lying=$!
    pids+=("$lying")
    sleep 0.3
    timeout 200 "$BIN/chaski" reconcile --config "$C/a/server.conf" --peer $D/SS1 --json >"$C/report.json" 2>&1
    kill "$lying" 2>/dev/null
    wait "$lying" 2>/dev/null
}
reported() { check "$1" grep -qF "$2" <(tr -d ' \n' <"$C/report.json"); }
before=$(lates a)
memory_before=$(memory)
serve_lies hashes
reported "a peer that has leaves without end is left after some" '"more":true'
check "... none of which it shows" test "$(type_count 7)" -gt 1000
check "... and operators are not flooded either" test "$(grep -c reconcile.leaf_refused "$C/a/server.events")" -lt 200
check "... and the node does not grow" test $(($(memory) - memory_before)) -lt 40000
serve_lies forged
reported "a leaf that the peer made up in our name is refused" '"fault":"NOT_YOURS"'
check "... and told of" test "$(type_count 7)" -ge 1
serve_lies elsewhere
reported "a leaf that was listed under another hour than it is of is refused" '"fault":"INCONSISTENT"'
serve_lies order
reported "hashes in the wrong order end the comparison" '"fault":"BAD_FRAME"'
serve_lies digests
reported "too few digests end it" '"fault":"BAD_FRAME"'
check "nothing of all that was taken in" equal "$(lates a)" "$before"
check "... and exchanges go on" contains "$(ask 4)" "OK                   4"

# one good leaf, and in the next run two more of the same exchange
"$LIAR" serve "tcp://$HOST:${MESH_PORT[c]}" "${LIAR_IS[@]}" twins >"$C/liar.out" 2>&1 &
lying=$!
pids+=("$lying")
sleep 0.3
check "a peer's own answer that we lack comes" contains "$(reconcile a --peer $D/SS1)" " sent, 1 taken in, 0 refused"
check "... and two more of the same exchange" contains "$(reconcile a --peer $D/SS1 --json | tee "$C/report.json")" '"taken_in": 2'
check "... one says something else" equal "$(type_count 5)" 1
check "... one is signed once more" equal "$(type_count 6)" 1
kill "$lying"
wait "$lying" 2>/dev/null

# --- an epoch that is closed: its lost end comes into the next one -----------------------------------------
new_epoch() { "$BIN/chaski" log new-epoch --config "$C/b/server.conf" --reason "disco perdido" --officer "oficial-7" >/dev/null || die "no order"; }
stop_b
new_epoch # the copy went on otherwise than the log that others know
start_b
check "a new epoch holds what earlier ones hold" contains "$(reconcile b --peer $A/SS1)" ": equal"
stop_b
rm -rf "$C/old"
cp -r "$C/b/audit" "$C/old"
start_b
ask 2 2 >/dev/null
stop_b
rm -rf "$C/b/audit"
cp -r "$C/old" "$C/b/audit"
new_epoch
start_b
sleep 0.3
reconcile a --peer $B/SS1 --json >"$C/report.json"
check "what was lost with the end of an epoch is found" equal "$(type_count 1) $(type_count 4)" "2 2"
check "... and comes into the next one" wait_for 10 bash -c "[ \$('$AUDIT' show '$C/b/audit' --kind late | wc -l) = 4 ]"
wait_for 10 alike
check "... all epochs together hold the same leaves" alike
check "... and what earlier ones hold comes not again" contains "$(reconcile a --peer $B/SS1)" ": equal"
server_stop b
rm -rf "$C/b/audit/sets"
kill "$gateway_pid" 2>/dev/null; wait "$gateway_pid" 2>/dev/null
start_b
check "sets are made anew of all epochs" contains "$(reconcile b --peer $A/SS1)" ": equal"

# --- by itself -----------------------------------------------------------------------------------------
server_stop a
sed -i 's/reconcile_every_ms = .*/reconcile_every_ms = 1500/' "$C/a/server.conf"
finished() { grep -c '"reconcile.finished"' "$C/a/server.events"; }
before=$(finished)
start c
start a
check "a node compares by itself, every so often" wait_for 60 bash -c "[ \$(grep -c reconcile.finished '$C/a/server.events') -ge $((before + 2)) ]"
check "... and a server whose own leaf was kept by another gets it back" wait_for 20 bash -c "'$AUDIT' show '$C/c/audit' --kind late | grep -q late"
server_stop a
server_stop c
stop_b

# --- too young -----------------------------------------------------------------------------------------
sed -i 's/^reconcile_grace_ms = .*/reconcile_grace_ms = 60000/' "$C/a/server.conf"
server_stop a
start a
before=$(lates a)
start_b
ask 2 >/dev/null
check "a comparison says how many leaves were too young for it" contains "$(reconcile a --peer $B/SS1)" "leaves here dated later: too young"
check "... which are those of the last minute" test "$(reconcile a --peer $B/SS1 --json | sed -n 's/.*"left_out_young": \([0-9]*\).*/\1/p')" -ge 4
stop_b
liar leaves >"$C/verdicts"
check "a leaf that may still come by itself is not taken in yet" equal "$(verdict 6)" OVERLOADED
sleep 1
check "... nor recorded" equal "$(lates a)" "$before"

# --- a set that says otherwise than the leaf ------------------------------------------------------------
server_stop a
sed -i 's/^reconcile_grace_ms = .*/reconcile_grace_ms = 100/' "$C/a/server.conf"
start a
check "a leaf is taken in" equal "$(liar "leaf:$C/leaf" | head -n 1)" "verdict 0 OK"
before=$(lates a)
check "... and is there when it comes again" equal "$(liar "leaf:$C/leaf" | head -n 1)" "verdict 0 OK"
server_stop a
for set_file in "$(dirname "$(grep -l "$D/SS1" "$C"/a/audit/sets/*/peer)")"/20*; do
    "$OUT/tests/set_twist" "$set_file" || die "no twisted set"
done
start a
check "one of which this server says otherwise is not confirmed" equal "$(liar "leaf:$C/leaf" | head -n 1)" "verdict 0 INCONSISTENT"
check "... nor taken in again" equal "$(lates a)" "$before"
check "... and is told of" said_since_start a reconcile.leaf_contradicted
server_stop a
rm -rf "$C/a/audit/sets"
start a

# --- too many, or no room ------------------------------------------------------------------------------
server_stop a
before=$(lates a)
sed -i 's/^reconcile_grace_ms = .*/reconcile_grace_ms = 100\nlate_a_day = 3/' "$C/a/server.conf"
start a
liar drip >"$C/verdicts"
check "of one peer no more late leaves are taken in than late_a_day" equal "$(grep -c ' OK$' "$C/verdicts")" 3
check "... others may come again" test "$(grep -c ' OVERLOADED$' "$C/verdicts")" -gt 40
check "... which is said once" equal "$(grep -c reconcile.late_share_spent "$C/a/server.events")" 1
check "... and recorded" equal "$(lates a)" $((before + 3))
before=$(lates a)
server_stop a
rm -rf "$C/a/audit/sets"
hour=$(date -u +%Y%m%d%H)
sed -i 's/^late_a_day = .*/late_an_hour = 5/' "$C/a/server.conf"
start a
liar drip >"$C/verdicts"
if [ "$hour" = "$(date -u +%Y%m%d%H)" ]; then # else two hours have their share
    check "of one hour no more are taken in than late_an_hour, those of before counted" test "$(grep -c ' OK$' "$C/verdicts")" -le 5
    check "... which is said" grep -q reconcile.late_hour_full "$C/a/server.events"
fi
check "... and no more recorded" equal "$(lates a)" $((before + $(grep -c ' OK$' "$C/verdicts")))
server_stop a
sed -i 's/^late_an_hour = .*/late_free_mib = 100000000/' "$C/a/server.conf"
start a
liar leaves >"$C/verdicts"
check "with too little room none are taken in" equal "$(verdict 6)" OVERLOADED
check "... which is said" grep -q reconcile.no_room_for_late "$C/a/server.events"
server_stop a
finish
