#!/bin/bash
# SPDX-License-Identifier: MIT
# Epochs: a log whose end is lost does not start, and says which file is to be put back with what; with it, it goes on. When it is
# really lost, an operator closes the epoch: the next one says what is left and what others hold, exchanges and
# witnesses go on under the new origin, nothing runs twice, and the auditor is told. What an epoch is not for is caught.
. "$(dirname "$0")/lib.sh"
PEER=$OUT/tests/front_peer
CHECKPOINT_MS=200
PUBLISH_MS=300
country_make >/dev/null
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA >/dev/null
member_make c CO/GOV/800197268/SS1 "DIAN" RUT >/dev/null
member_make d CO/GOV/899999040/SS1 "Registraduría" IDENTIDAD >/dev/null
member_make e CO/MUN/890399011/SS1 "Cali" TRAMITES >/dev/null
member_make f CO/MUN/890102018/SS1 "Barranquilla" TRAMITES >/dev/null
S=CO/GOV/899999027/DIVIPOLA/uno
B=${SERVER[b]}
registry service add $S --class open >/dev/null || die "no service"
registry witness set "$B" --witness "${SERVER[c]}" --witness "${SERVER[d]}" --quorum 2 >/dev/null || die "no witnesses"
publish
audit() { "$BIN/chaski-audit" "$@"; }
status_of() { "$@" >"$C/out" 2>&1; echo $?; }
serve() {
    "$PEER" serve "ipc://$C/b/front" CO/GOV/899999027/DIVIPOLA "$C/served" 2>/dev/null &
    gateway=$!
    pids+=($gateway)
    wait_for 10 said_since_start b front.gateway_arrived || die "no stand-in gateway"
}
ask() { # MEMBER COUNT
    local client=${SERVER[$1]%/*}/TRAMITES
    timeout 30 "$PEER" ask "ipc://$C/$1/front" "$client" $S "$2" 4 2>/dev/null
}
answered() { ask "$1" 1 | grep -q "OK                   1"; }
lie() { # what comes back, without the answer's digest
    timeout 10 "$OUT/tests/mesh_peer" "tcp://$HOST:${MESH_PORT[b]}" "$C/f/keys" "${SERVER[f]}" "$C/directory" \
        "$C/store/anchor/trust.pem" "$C/store/anchor/directory.vkey" "$B" "${SERVER[f]%/*}/TRAMITES" $S "$1" 2>&1 | sed 's/ [0-9a-f]\{16\}$//'
}
times_served() { grep -c . "$C/served"; }
start_status() { # of b, when it should not start
    timeout 40 "$BIN/chaski-security-server" --config "$C/b/server.conf" 2>"$C/start.events"; echo $?; }
said() { contains "$(cat "$C/start.events")" "$1"; }
put_back() { rm -rf "$C/b/audit"; cp -r "$C/$1" "$C/b/audit"; }
new_epoch() { # MEMBER REASON...
    "$BIN/chaski" log new-epoch --config "$C/$1/server.conf" --reason "$2" --officer "CC 71000001" "${@:3}"; }
json() { audit show "$C/$1/audit" --json "${@:2}"; }
cosigned() { # MEMBER EPOCH: by both witnesses, and its size
    [ "$(grep -c '^— chaski.witness/' "$C/$1/audit/log/$2/cosigned" 2>/dev/null)" = 2 ]; }
cosigned_size() { sed -n 2p "$C/$1/audit/log/$2/cosigned" 2>/dev/null; }
stamp() { date +%s%3N; }

for m in a b c d e; do server_start $m || die "server $m: $(tail -n 1 "$C/$m/server.events")"; done
serve
check "exchanges with one peer" contains "$(ask a 20)" "OK                   20"
check "... and with another" contains "$(ask e 5)" "OK                   5"
check "a request, whose frames are kept" equal "$(lie "keep:$C/early")" "answer OK"
check "the log is cosigned" wait_for 20 cosigned b 1
sleep 1
kill -STOP $gateway # a request that is under way when the node dies
lie "keep:$C/open" >/dev/null &
sleep 0.7
server_kill b
kill -9 $gateway; wait $gateway 2>/dev/null
cp -r "$C/b/audit" "$C/early-copy"
check "one request is open" contains "$(audit verify "$C/early-copy" 2>&1)" "1 request without an outcome"
server_start b || die "server b: $(tail -n 1 "$C/b/server.events")"
serve
check "exchanges go on" contains "$(ask a 30)" "OK                   30"
check "another request" equal "$(lie "keep:$C/late")" "answer OK"
sleep 1
server_kill b
cp -r "$C/b/audit" "$C/newest-copy"

# --- way one: the same files, put back
put_back early-copy
check "an older copy does not start" equal "$(start_status)" 3
check "... a peer or witness holds more" said "holds our signature over a log of"
early=$(audit show "$C/early-copy" --json | grep -c '"index"')
check "... it says from which entry on" said "here are $early: entries $early to "
check "... which file to put back" said "Put back $C/b/audit/log/1/wal/00000000000000000000.seg"
check "... and the other way out" said "chaski log new-epoch --config FILE --reason TEXT --officer ID"
check "... and changes nothing" diff -r "$C/early-copy/log/1/wal" "$C/b/audit/log/1/wal"
for part in payload keys; do cp "$C/newest-copy/$part/"* "$C/b/audit/$part/"; done
cp "$C/newest-copy/log/1/wal/00000000000000000000.seg" "$C/b/audit/log/1/wal/"
server_start b || not_ok "with that file put back it starts" "$(tail -n 1 "$C/b/server.events")"
serve
check "with that file put back exchanges go on" contains "$(ask a 2)" "OK                   2"
sleep 1
server_stop b
check "... and nothing is missing" equal "$(status_of audit verify "$C/b/audit" --store-key "$C/b/keys/store.key" --quiet)" 0
rm -rf "$C/newest-copy"; cp -r "$C/b/audit" "$C/newest-copy"

# --- way two: the epoch is closed
put_back early-copy
check "an order without a reason is refused" equal "$(status_of new_epoch b "")" 2
check "... and one for an epoch that is none" equal "$(status_of new_epoch b "x" --closes 0x)" 2
new_epoch b "disco perdido el 20 de noviembre" >"$C/ordered"
check "an operator orders a new epoch" contains "$(cat "$C/ordered")" "closes epoch 1 of this log and begins epoch 2"
for m in a c d e; do server_stop $m; done
check "nobody answers: it does not begin" equal "$(start_status)" 1
check "... and says that others must be heard" said "none of "
check "... with the order still there" test -s "$C/b/audit/orders/new-epoch.order"
check "... and nothing in the new log" equal "$(find "$C/b/audit/log/2" -name promise 2>/dev/null | wc -l)" 0
for m in a c d e; do server_start $m || die "server $m: $(tail -n 1 "$C/$m/server.events")"; done
server_start b || not_ok "with peers and witnesses the node starts in epoch 2" "$(tail -n 1 "$C/b/server.events")"
serve
begun=$(stamp)
check "it says so" contains "$(grep server.ready "$C/b/server.events" | tail -n 1)" '/2"'
check "... loudly" grep -q '"epoch.closed"' "$C/b/server.events"
check "the order is done and gone" test ! -e "$C/b/audit/orders/new-epoch.order"
check "the files of the closed epoch are untouched" diff -r "$C/early-copy/log/1" "$C/b/audit/log/1"
check "the first record closes epoch 1" contains "$(audit show "$C/b/audit" 0)" "closes epoch     1, of which $early entries are left"
largest=$(sed -n 2p "$C/newest-copy/log/1/cosigned")
check "... names the witness's head" contains "$(audit show "$C/b/audit" 0)" "$largest entries, root"
check "... and the node's own" contains "$(audit show "$C/b/audit" 0)" "held by $B"
check "... with the reason" contains "$(audit show "$C/b/audit" 0 --payload --store-key "$C/b/keys/store.key")" "reason: disco perdido el 20 de noviembre"
check "then the node started" contains "$(audit show "$C/b/audit" --limit 2)" started

# nothing runs twice: neither what the old epoch still holds, nor what may have been lost with its end
before=$(times_served)
check "a double of what the closed epoch holds gets the stored outcome" equal "$(lie "again:$C/early")" "answer OK"
check "what the closed epoch left open is closed in the new one" contains "$(json b --kind fault)" OUTCOME_UNKNOWN
check "... and answered so" equal "$(lie "again:$C/open")" "answer OUTCOME_UNKNOWN"
check "a request that was lost with the end is refused" equal "$(lie "again:$C/late")" "answer STALE"
check "... and neither was served again" equal "$(times_served)" "$before"
check "exchanges go on in epoch 2, half a minute later" wait_for 45 answered a
check "... not before" test $(($(stamp) - begun)) -gt 25000
check "... and on" contains "$(ask a 20)" "OK                   20"
check "the witnesses cosign the new origin" wait_for 20 cosigned b 2
check "... after one look at it" grep -q '"witness.new_epoch"' "$C/c/server.events"
check "the receipt names it" contains "$(head -n 1 "$C/b/audit/log/2/checkpoint")" "/SS1/2"
check "the closed epoch has its tiles and heads still" test -s "$C/b/audit/log/1/checkpoint"
again() { server_stop b; server_start b; }
check "a restart stays in epoch 2" again
serve
check "a request of before is remembered after the restart too" equal "$(lie "again:$C/early")" "answer OK"
check "exchanges after the restart" wait_for 40 answered a
sleep 1

# a closed epoch is over: also for one who has its files
server_stop b
cp -r "$C/b/audit" "$C/epoch2-copy"
put_back newest-copy
check "the files of the closed epoch alone do not start any more" equal "$(start_status)" 3
check "... for epoch 2 is known" said "of epoch 2 of this log, and $C/b/audit/log/2 is not here"
put_back epoch2-copy
rm -r "$C/b/audit/log/2"
check "nor does a folder whose newest epoch is gone" equal "$(start_status)" 3
check "... saying which folder" said "$C/b/audit/log/2 is missing"

# --- an old copy, and epoch 2 begun a second time
put_back early-copy
new_epoch b "otra vez" >/dev/null
check "an epoch that was begun before is not begun again" equal "$(start_status)" 3
check "... for others hold it" said "of epoch 2 of this log"
for m in a c d e; do server_stop $m; done
cp -r "$C/e/audit" "$C/e-before"
server_start e
server_start b || not_ok "with nobody there who knows, it begins" "$(tail -n 1 "$C/b/server.events")"
for m in a c d; do server_start $m || die "server $m: $(tail -n 1 "$C/$m/server.events")"; done
contradicted() { grep -q '"anchor.witness_refused"' "$C/b/server.events" && grep -q 'it has cosigned\|status 422' "$C/b/server.events"; }
check "but the witnesses hold another epoch 2, and say so" wait_for 20 contradicted
check "... and it gets no quorum" equal "$(cosigned_size b 2)" ""
serve
check "exchanges make it longer" wait_for 45 answered e
ask e 400 >/dev/null # more than the true one holds, with all the refusals of its first half minute
check "a longer one is refused as a fork" wait_for 30 grep -q '"witness.inconsistent_log"' "$C/c/server.events"
check "... and cosigned by nobody" equal "$(cosigned_size b 2)" ""
sleep 1
server_stop b
check "its next start is refused" equal "$(start_status)" 3
cp -r "$C/b/audit" "$C/fork-copy"
put_back epoch2-copy

# --- the auditor
server_stop e # what it holds of the fork would keep the true epoch 2 from starting, rightly
rm -rf "$C/e/audit"; mv "$C/e-before" "$C/e/audit"
server_start e || die "server e: $(tail -n 1 "$C/e/server.events")"
server_start b || not_ok "the true epoch 2 starts" "$(tail -n 1 "$C/b/server.events")"
sleep 1
for m in a b c d e; do server_stop $m; done
keys=(--store-key "$C/b/keys/store.key" --store-key "$C/a/keys/store.key")
verdict() { audit verify "$@" "${keys[@]}" >"$C/verdict" 2>&1; echo $?; }
check "the auditor finds the lost end" equal "$(verdict "$C/b/audit")" 1
check "... and nothing else" equal "$(grep -c '^FINDING' "$C/verdict")" 1
check "... by its rule" contains "$(cat "$C/verdict")" "[lost tail]"
check "... with what others hold and the reason" contains "$(cat "$C/verdict")" "disco perdido el 20 de noviembre"
check "with a peer's log it says how much that one holds" equal "$(verdict "$C/b/audit" "$C/a/audit")" 1
check "... and finds nothing else" equal "$(grep -c '^FINDING' "$C/verdict")" 1
lost=$(sed -n 's/.*missing; \([0-9]*\) records.*/\1/p' "$C/verdict")
check "... of the thirty answers that were lost" test "${lost:-0}" -ge 30
check "both epochs are told" equal "$(grep -c 'chaski.log/.*899999027/SS1/[12] ' "$C/verdict")" 2
check "... and drawn" equal "$(audit report "$C/b/audit" "$C/a/audit" "${keys[@]}" --html "$C/page.html" >"$C/drawn" 2>&1; echo $?)" 1
check "... each by its number" contains "$(cat "$C/page.html")" "899999027/SS1</bdi>, epoch 2"
check "... with the lost end as a finding" contains "$(cat "$C/page.html")" "</span> lost tail <span"
check "the peer's own log is clean" equal "$(verdict "$C/a/audit")" 0
check "two epochs 2 convict the server" equal "$(verdict "$C/fork-copy" "$C/a/audit")" 1
check "... by what it signed" contains "$(cat "$C/verdict")" "[append only]"
rm -rf "$C/first"; cp -r "$C/b/audit" "$C/first"
rm -r "$C/first/log/2" "$C/first/epoch"
check "a folder without its second epoch is not clean" equal "$(verdict "$C/first")" 1
check "... for its own marker" contains "$(grep -A 1 '\[epoch\]' "$C/verdict")" "says that the newest epoch is 2, and the newest here is 1"
rm "$C/first/log/epoch"
verdict "$C/first" >/dev/null
check "without that it says nothing by itself" equal "$(grep -c 'epoch 2' "$C/verdict")" 0
check "... but beside its witnesses" equal "$(verdict "$C/first" "$C/c/audit" "$C/d/audit")" 1
check "... each of which knows of epoch 2" equal "$(grep 'epoch 2 that this log signed, and the newest epoch here is 1' "$C/verdict" | grep -o " of $C/[cd]/audit holds" | sort -u | wc -l)" 2
check "search looks at the newest epoch" contains "$(audit search "$C/b/audit" --limit 3 2>&1)" "epoch 2 of the log"
check "... and at others by number" test "$(audit search "$C/b/audit" --epoch 1 --csv 2>/dev/null | wc -l)" -ge 25
for epoch in 1 2; do
    audit export "$C/b/audit" 6 --epoch $epoch --to "$C/record$epoch" >/dev/null 2>&1
    bash "$C/record$epoch/verify.sh" "$C/record$epoch" --trust "$C/store/anchor/trust.pem" --directory-vkey "$C/store/anchor/directory.vkey" \
        --log-vkey "$C/b/keys/log.vkey" >"$C/pass" 2>&1
    check "a record of epoch $epoch proves itself under the registered key" contains "$(cat "$C/pass")" "PASS"
    check "... under its origin" contains "$(cat "$C/pass")" "SS1/$epoch"
done

# --- an epoch closed without need, and a start that is killed at any moment
cp -r "$C/c/audit" "$C/c-before"
said_ready() { grep server.ready "$C/$1/server.events" | tail -n 1 | grep -q "SS1/$2\""; }
for m in a d e b; do server_start $m || die "server $m: $(tail -n 1 "$C/$m/server.events")"; done
for epoch in 2 3 4 5; do
    new_epoch c "ensayo $epoch" >/dev/null
    "$BIN/chaski-security-server" --config "$C/c/server.conf" 2>>"$C/c/server.events" &
    killed=$!
    sleep "0.$(shuf -i 2-9 -n 1)"
    kill -9 $killed; wait $killed 2>/dev/null
    sleep 0.3
    server_start c || not_ok "after a kill the next start gets there" "$(tail -n 1 "$C/c/server.events")"
    check "a start that was killed while it closed an epoch is done by the next (epoch $epoch)" wait_for 5 said_ready c "$epoch"
    sleep 0.6
    server_stop c
done
check "each epoch begins with one such record" equal "$(for epoch in 2 3 4 5; do json c --epoch $epoch --kind incident | grep -c '"index": 0'; done | tr '\n' ' ')" "1 1 1 1 "
check "closed without loss is a remark" equal "$(status_of audit verify "$C/c/audit" --store-key "$C/c/keys/store.key")" 0
check "... that says so plainly" contains "$(cat "$C/out")" "though nobody knows of more than is here"

# --- a closed epoch whose end is cut afterwards: nobody is asked about it, as its end stands in the log itself
segment=$(ls "$C"/c/audit/log/1/wal/*.seg | tail -n 1)
cp "$segment" "$C/whole.seg"
read -r last end < <(perl -0777 -ne '$at = 0; while ($n = unpack("N", substr($_, $at, 4))) { $last = $at; $at += 16 + $n } print "$last $at\n"' "$segment")
dd if=/dev/zero of="$segment" bs=1 seek="$last" count=$((end - last)) conv=notrunc 2>/dev/null
server_start c || not_ok "a node starts whose closed epoch was cut" "$(tail -n 1 "$C/c/server.events")"
check "a start tells of a closed epoch that has lost its end since" said_since_start c '"epoch.closed_damaged","epoch":1,'
server_stop c
check "... and the auditor finds it" equal "$(status_of audit verify "$C/c/audit" --store-key "$C/c/keys/store.key")" 1
check "... by the record that closed it" contains "$(cat "$C/out")" "[epoch]"
cp "$C/whole.seg" "$segment"
server_start c || not_ok "with the file put back it starts" "$(tail -n 1 "$C/c/server.events")"
not_told() { ! said_since_start c epoch.closed_damaged; }
check "with the file put back nothing is told" not_told
server_stop c
check "... nor found" equal "$(status_of audit verify "$C/c/audit" --store-key "$C/c/keys/store.key")" 0
for m in a b d e; do server_stop $m; done
finish
