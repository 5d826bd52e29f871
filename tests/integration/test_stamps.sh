#!/bin/bash
# SPDX-License-Identifier: MIT
# Checkpoints are time-stamped while the node runs, by the authorities that the directory names; the token is
# logged back; messages wait for none of it, and an idle log rests.
. "$(dirname "$0")/lib.sh"
CHECKPOINT_MS=200
PUBLISH_MS=400
two_members
registry witness assign --per-log 1 --quorum 1 >/dev/null || die "no witnesses"
port=$(free_port)
tsa_serve "$port"
dead=$(free_port)
registry stamp-authority url --url "http://127.0.0.1:$dead/tsa" --name MUDA --order 1 >/dev/null || die "no first authority"
registry stamp-authority url --url "http://127.0.0.1:$port/tsa" --name NACIONAL --order 2 >/dev/null || die "no second authority"
publish
printf 'witness_alarm_ms = 3000\nwitness_stop_ms = 9000\n' | tee -a "$C/a/server.conf" >>"$C/b/server.conf"
servers_start a b
stand_in_start b CO/GOV/899999027/DIVIPOLA
ask() { timeout 30 "$PEER" ask "ipc://$C/a/front" CO/MUN/890905211/TRAMITES $S "$1" 8 2>/dev/null; }
LOG=$C/a/audit/log/1
stamped() { [ -s "$LOG/stamped" ] && [ "$(cut -d ' ' -f 1 "$LOG/stamped")" -ge "$1" ]; }
entries() { "$BIN/chaski-audit" show "$C/a/audit" --json | grep -c '"index"'; }

check "exchanges" contains "$(ask 20)" "OK                   20"
check "a checkpoint is stamped by the second authority when the first is away" wait_for 20 stamped 41
size=$(cut -d ' ' -f 1 "$LOG/stamped")
check "... which is named" equal "$(cut -d ' ' -f 3 "$LOG/stamped")" NACIONAL
check "openssl verifies the token over the cosigned checkpoint" openssl ts -verify -in "$LOG/cp/$size.tst" -token_in \
    -data "$LOG/cp/$size" -CAfile "$C/store/anchor/trust.pem"
sed 's/a/b/' "$LOG/cp/$size" >"$C/other"
openssl ts -verify -in "$LOG/cp/$size.tst" -token_in -data "$C/other" -CAfile "$C/store/anchor/trust.pem" >"$C/out" 2>&1
check "... and over no other" contains "$(cat "$C/out")" "mismatch"
check "the token is logged back" wait_for 10 sh -c "'$BIN/chaski-audit' show '$C/a/audit' --kind stamped | grep -q stamped"
index=$("$BIN/chaski-audit" show "$C/a/audit" --kind stamped --json | grep -o '"index" *: *[0-9]*' | head -n 1 | grep -o '[0-9]*$')
"$BIN/chaski-audit" export "$C/a/audit" "$index" --to "$C/exported" --store-key "$C/a/keys/store.key" >/dev/null 2>&1
is_one_of_ours() {
    local logged token
    logged=$(xxd -p -c 0 "$C/exported/payload.bin")
    for token in "$LOG"/cp/*.tst; do
        case $logged in *"$(xxd -p -c 0 "$token")"*) return 0 ;; esac
    done
    return 1
}
check "... as it was given" is_one_of_ours
named=$("$BIN/chaski-audit" show "$C/a/audit" "$index" | sed -n 's/.*time stamp *of \([0-9]*\) entries, token \([0-9a-f]*\)$/\1 \2/p')
check "... its signed header names it, for whoever has no key" equal "${named#* }" "$(sha256sum <"$LOG/cp/${named% *}.tst" | cut -d ' ' -f 1)"

sleep 2.5
before=$(entries)
sleep 12
check "an idle log rests: a stamp is no reason for the next" equal "$(entries)" "$before"

newest=$(cut -d ' ' -f 1 "$LOG/stamped")
sum=$(sha256sum "$LOG/cp/$newest" "$LOG/cp/$newest.tst")
for p in $(ps -o pid= --ppid "$(cat "$C/a/server.pid")"); do
    [ "$(cat "/proc/$p/comm" 2>/dev/null)" = chaski-scribe ] && scribe=$p; done
kill -9 "$scribe" || die "no scribe"
sleep 4
check "a scribe that is started again stamps nothing twice" equal "$(sha256sum "$LOG/cp/$newest" "$LOG/cp/$newest.tst")" "$sum"
check "... and logs nothing twice" equal "$(entries)" "$before"
check "... and waits for nothing: no alarm" bash -c "! grep -q '\"stamp.missing\"' '$C/a/server.events'"
check "... and no refusal" contains "$(ask 1)" "OK                   1"

kill $tsa
from=$(wc -l <"$C/a/server.events")
check "without any authority exchanges go on" contains "$(ask 20)" "OK                   20"
said_since() { tail -n "+$((from + 1))" "$C/$1/server.events" | grep -q "$2"; }
check "... and it is said" wait_for 20 said_since a scribe.not_stamped
check "... in time by an alarm" wait_for 15 said_since a '"stamp.missing"'
refused() { ask 1 | grep -q UNWITNESSED; }
check "after too long exchanges are refused" wait_for 20 refused
tsa_serve "$port"
again() { ask 5 | grep -q "OK                   5"; }
check "with an authority again they go on, though nothing new was there to be stamped" wait_for 40 again
check "with an authority again stamps go on" wait_for 20 stamped $((before + 40))
newest_stamped() { [ -s "$LOG/cp/$(ls "$LOG/cp" | grep -v tst | sort -n | tail -n 1).tst" ]; }
sleep 2 # what the last stamp was the reason for
check "... up to the newest checkpoint" wait_for 20 newest_stamped

server_stop a
check "the server stops as asked" equal $? 0
server_stop b
check "the logs verify" "$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" \
    --store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key"

# a node that is new while the authority is away, with the usual times: all of them are before it
kill $tsa
member_make c CO/GOV/800197268/SS1 "DIAN" RUT >/dev/null
publish
server_start c || die "server c: $(tail -n 1 "$C/c/server.events")"
wait_for 20 grep -q scribe.not_stamped "$C/c/server.events"
sleep 3
check "a new node says nothing of missing stamps at once" bash -c "! grep -q '\"stamp.missing\"' '$C/c/server.events'"
server_stop c
sed -i '/^witness_/d' "$C/c/server.conf"
printf 'witness_alarm_ms = 2000\nwitness_stop_ms = 4000\n' >>"$C/c/server.conf"
server_start c || die "server c again: $(tail -n 1 "$C/c/server.events")"
check "... but when its time is over, counted from its first record" wait_for 10 grep -q '"stamp.missing"' "$C/c/server.events"
server_stop c
tsa_serve "$port"

# what the auditor sees of tiles, cosignatures and tokens that were tampered with
X=$C/x
again() { rm -rf "$X"; cp -r "$C/a/audit" "$X"; }
finds() { # SENTENCE RULE WORDS
    local status
    "$BIN/chaski-audit" verify "$X" --store-key "$C/a/keys/store.key" >"$C/said" 2>&1; status=$?
    check "$1" equal "$status" 1
    check "... by its rule: $2" contains "$(grep FINDING "$C/said")" "[$2]"
    check "... in words: $3" contains "$(cat "$C/said")" "$3"
}
newest=$(ls "$X" 2>/dev/null; ls "$LOG/cp" | grep -v tst | sort -n | tail -n 1)
again; flip "$(ls -d "$X"/log/1/tile/0/000* | tail -n 1)$([ -d "$X/log/1/tile/0/000.p" ] && echo "/$(ls "$X/log/1/tile/0/000.p" | sort -n | tail -n 1)")" 70
finds "a flipped byte in a tile is found" tiles "is not what the entries hash to"
again; flip "$(ls -d "$X"/log/1/tile/entries/000* | tail -n 1)$([ -d "$X/log/1/tile/entries/000.p" ] && echo "/$(ls "$X/log/1/tile/entries/000.p" | sort -n | tail -n 1)")" 90
finds "a flipped byte in a bundle is found" tiles "is another one in its bundle"
again; sed -i '/chaski.witness/s/ \(....\)\(.*\)$/ \1\2/; /chaski.witness/s/AAAA/AAAB/; /chaski.witness/s/[a-z]\([A-Za-z0-9+/]\{3\}=*\)$/Q\1/' "$X/log/1/cp/$newest"
finds "a forged cosignature is found" cosignature "does not verify"
again; flip "$X/log/1/cp/$newest" $(($(head -n 2 "$X/log/1/cp/$newest" | wc -c) + 4))
finds "a forged head is found" checkpoint "is not signed by the log's key"
again; cp "$(ls "$X"/log/1/cp/*.tst | head -n 1)" "$X/log/1/cp/$newest.tst"
finds "another checkpoint's token is found" "time stamp" "$newest.tst"
again
first=${named% *}
openssl ts -query -data "$X/log/1/cp/$first" -sha256 -cert 2>/dev/null | curl -sS -H 'Content-Type: application/timestamp-query' --data-binary @- "http://127.0.0.1:$port/tsa" |
    openssl ts -reply -in /dev/stdin -token_out -out "$C/later.tst" 2>/dev/null
check "a token can be had for an old checkpoint at any time" openssl ts -verify -in "$C/later.tst" -token_in -data "$X/log/1/cp/$first" -CAfile "$C/store/anchor/trust.pem"
cp "$C/later.tst" "$X/log/1/cp/$first.tst"
finds "... but it is not the one that the log took in" "time stamp" "it names another token over cp/$first"
"$BIN/chaski-audit" verify "$X" >"$C/said" 2>&1
check "... which needs no key to be seen" contains "$(cat "$C/said")" "it names another token over cp/$first"
length=$(stat -c %s "$LOG/cp/$newest.tst")
missed=""
for ((at = 0; at < length; at += 13)); do
    again; flip "$X/log/1/cp/$newest.tst" $at
    "$BIN/chaski-audit" verify "$X" --store-key "$C/a/keys/store.key" >"$C/said" 2>&1 && missed="$missed $at"
done
check "a flipped byte anywhere in a token is found" equal "$missed" ""

# what was confirmed, taken away again: the log's own records of it stay
again; rm "$X"/log/1/cp/*.tst
finds "tokens that were all taken away are missed" "time stamp" "cp/ holds no token"
again; rm "$X/log/1/cp/$(ls "$X/log/1/cp" | grep tst | sort -n | head -n 1)"
finds "one token that was taken away is missed" "time stamp" "that token is not there"
check "... with the files in which its evidence lies" contains "$(cat "$C/said")" "evidence: log/1/wal/00000000000000000000.seg "
strip() { again; rm -rf "$X"/log/1/{cp,cosigned,outside,stamped}; sed -i '/^— chaski.witness/d' "$X/log/1/checkpoint"; }
strip
finds "a log that was stripped of all confirmations is not clean" "time stamp" "cp/ holds no token"
check "... and says that no quorum confirmed it" contains "$(cat "$C/said")" "not confirmed by a quorum of its witnesses"
check "... and counts apart who confirmed what" contains "$(cat "$C/said")" "by a checkpoint, 0 by a quorum of witnesses, 0 by a time stamp"

# a node whose clock is a day off: the stamps around its records tell
if [[ $OUT != *san ]] && gcc -shared -fPIC -O1 -o "$C/shift.so" "$ROOT/tests/tools/shift.c"; then
    strip
    in_an_hour() { SHIFT_S=3600 LD_PRELOAD=$C/shift.so "$BIN/chaski-audit" verify "$@" >"$C/said" 2>&1; echo $?; }
    in_an_hour "$X" >"$C/status"
    check "an hour later it is found that no witness ever confirmed it" contains "$(grep -A 1 FINDING "$C/said")" "[cosignature]"
    check "... and no authority" contains "$(grep -A 1 FINDING "$C/said")" "nothing of it was confirmed by a time stamp authority"
    check "the whole log is clean then too" equal "$(in_an_hour "$C/a/audit" "$C/b/audit")" 0
    server_start b
    cp -r "$C/a" "$C/shifted"
    sed -i "s#$C/a/#$C/shifted/#g" "$C/shifted/server.conf"
    X=$C/shifted/audit
    shifted() { # DAYS: the node runs for a while with that clock
        SHIFT_S=$(($1 * 86400)) LD_PRELOAD=$C/shift.so server_start shifted
        sleep 4
        server_stop shifted
    }
    shifted 1
    finds "a clock that is a day ahead is found" time "s after a time stamp that covers it"
    shifted -1
    finds "a clock that is a day behind is found" time "s before a time stamp that it covers"
    "$BIN/chaski-audit" verify "$X" >"$C/said" 2>&1
    check "... without a key too" contains "$(cat "$C/said")" "s before a time stamp that it covers"
    server_stop b
fi
finish
