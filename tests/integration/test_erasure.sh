#!/bin/bash
# SPDX-License-Identifier: MIT
# Payloads vanish, proofs stay: what is at rest opens with the store key only; an erasure is a signed act that
# is carried out whatever happens in between; and modes and times say what is kept of which service.
. "$(dirname "$0")/lib.sh"
PEER=$OUT/tests/front_peer
AUDIT=$BIN/chaski-audit
A=CO/MUN/890905211
B=CO/GOV/899999027
S=$B/DIVIPOLA/uno
CHECKPOINT_MS=200
country_make >/dev/null
member_make a $A/SS1 "Medellín" TRAMITES >/dev/null
member_make b $B/SS1 "DANE" DIVIPOLA >/dev/null
for service in uno dos tres; do
    registry service add $B/DIVIPOLA/$service --class open >/dev/null || die "no service"
done
publish
start_b() {
    server_start b || die "server b: $(tail -n 1 "$C/b/server.events")"
    "$PEER" serve "ipc://$C/b/front" $B/DIVIPOLA "$C/served" 2>/dev/null &
    pids+=($!)
    gateway_pid=$!
    wait_for 5 said_since_start b front.gateway_arrived
}
restart_b() { server_stop b; kill "$gateway_pid" 2>/dev/null; wait "$gateway_pid" 2>/dev/null; start_b; }
server_start a || die "server a: $(tail -n 1 "$C/a/server.events")"
start_b
KEYS=(--store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key")
ask() { timeout 30 "$PEER" ask "ipc://$C/a/front" $A/TRAMITES "${2:-$S}" "$1" 1 2>/dev/null; }
verify() { "$AUDIT" verify "$@" "${KEYS[@]}" >"$C/said" 2>&1; echo $?; }
clean() { # SENTENCE FOLDERS...
    local sentence=$1; shift
    check "$sentence" equal "$(verify "$@") $(grep -A 2 FINDING "$C/said")" "0 "
}
said() { check "$1" contains "$(cat "$C/said")" "$2"; }
erase() { timeout 40 "$BIN/chaski" erase --config "$C/b/server.conf" --ground "Ley de prueba, art. 8" --officer "oficial-7" "$@" 2>&1; }
slab() { ls "$C"/b/audit/keys/*.slab | head -n 1; }
slot() { xxd -s $((64 + 64 * $1)) -l 64 -p "$(slab)" | tr -d '\n'; } # INDEX: 128 hex digits
key_of() { slot "$1" | cut -c 33-112; }
frame_at() { echo $((16#$(slot "$1" | cut -c 1-16))) $((16#$(slot "$1" | cut -c 17-24) + 16)); } # OFFSET SIZE
payloads() { ls "$C"/b/audit/payload/*.seg | head -n 1; }
frame() { local at size; read -r at size < <(frame_at "$1"); xxd -s "$at" -l "$size" -p "$(payloads)" | tr -d '\n'; }
zeros() { [ -z "$(tr -d 0 <<<"$1")" ] && [ -n "$1" ] || { echo "not zero: ${1:0:80}"; return 1; }; }
indexes() { "$AUDIT" show "$C/b/audit" --kind "$1" | awk '{ print $1 }'; } # KIND

# --- at rest ----------------------------------------------------------------------------------------
check "exchanges" contains "$(ask 12)" "OK                   12"
check "no key of a record lies open in a slab" [ "$(key_of 3 | head -c 64)" != "$(printf '%064d' 0)" ]
clean "with the store keys everything is checked" "$C/a/audit" "$C/b/audit"
said "... every payload" "held, 0 sealed"
check "without it, or with another one, nothing is shown" contains \
    "$("$AUDIT" show "$C/b/audit" 3 --payload --store-key "$C/a/keys/store.key")" "sealed"
check "only its owner may read the store key" equal "$(stat -c %a "$C/b/keys/store.key")" 600

# --- one entry, while the node runs ------------------------------------------------------------------
entry=$(indexes response | sed -n 4p)
old_key=$(key_of "$entry")
cp "$(slab)" "$C/stale.slab"
cp "$C"/b/audit/keys/*.key "$C/stale.key"
cp -r "$C/b/audit" "$C/before"
check "an entry is erased on order" contains "$(erase --entry "$entry")" "1 payload erased, by entry"
check "... its record key is gone" zeros "$(key_of "$entry")"
check "... and its frame" zeros "$(frame "$entry")"
check "... but not the ones beside it" [ "$(key_of $((entry - 1)) | tr -d 0)" != "" ]
record=$(indexes erased | tail -n 1)
check "the act stands in the log" contains "$("$AUDIT" show "$C/b/audit" "$record" --payload "${KEYS[@]}")" "oficial-7"
check "... with what it covers" contains "$("$AUDIT" show "$C/b/audit" "$record")" "entries $entry to $entry of"
check "... officer and ground in no event" equal "$(grep -c -e oficial-7 -e 'art. 8' "$C/b/server.events")" 0
clean "all proofs pass after it" "$C/a/audit" "$C/b/audit"
said "... the payload counts as erased" "1 erased, 0 none, 0 damaged"
said "... on its ground" "erased by entry $record: 1 payload; ground: Ley de prueba, art. 8"
check "erasing it again says that there is nothing" contains "$(erase --entry "$entry")" "is held"
check "... and records nothing" equal "$(indexes erased | wc -l)" 1
check "what a log says of itself is not erased" contains "$(erase --entry 0)" "no payload"
check "an entry that is not there is not erased" contains "$(erase --entry 99999)" "the log has"
check "an order needs its ground" contains "$(timeout 5 "$BIN/chaski" erase --config "$C/b/server.conf" --entry 3 --officer x 2>&1)" "--ground"
"$AUDIT" export "$C/b/audit" "$entry" --to "$C/export" "${KEYS[@]}" >/dev/null
check "the erased record is exported" equal $? 0
check "... commitment only" test ! -e "$C/export/payload.bin"
check "... and openssl verifies it still" openssl cms -verify -cades -binary -inform DER -in "$C/export/leaf.p7m" \
    -certfile "$C/export/signer.pem" -CAfile "$C/store/anchor/trust.pem" -out "$C/header.out"

under_checkpoint() { "$AUDIT" export "$C/b/audit" "$record" --to "$C/act" "${KEYS[@]}" && test -e "$C/act/checkpoint"; }
check "the record of the act is exported" wait_for 10 under_checkpoint
bash "$C/act/verify.sh" "$C/act" >"$C/said" 2>&1
said "... and proves itself without our programs" "PASS"
said "... with its ground" "payload"

# A record key is in the journal too, for a while.
journal() { xxd -p "$C/b/audit/keys/journal" | tr -d '\n'; }
ask 1 >/dev/null
last=$(indexes response | tail -n 1)
last_key=$(key_of "$last")
check "a record key stands in the journal at first" equal "$(journal | grep -c "$last_key")" 1
cp "$C/b/audit/keys/journal" "$C/stale.journal"
check "... its entry is erased" contains "$(erase --entry "$last")" "1 payload erased, by entry"
check "... and the journal holds it no more" equal "$(journal | grep -c "$last_key")" 0

# --- the day's key changes: what older copies hold opens no more ---------------------------------------
key_id() { xxd -s 16 -l 8 -p "$(slab)"; }
before=$(key_id)
restart_b
check "at the next start the slab is under another key" [ "$(key_id)" != "$before" ]
check "... the old one is nowhere in its file" equal "$(xxd -p "$C"/b/audit/keys/*.key | tr -d '\n' | grep -c "$before")" 0
check "... nor anywhere else below the log" equal \
    "$(grep -rlF "$(xxd -s 16 -l 40 -p "$C/stale.key" | tr -d '\n' | head -c 32 | xxd -r -p | tr -d '\0\n')" "$C/b/audit" 2>/dev/null | wc -l)" 0
check "... nothing is left to do" equal "$(ls "$C"/b/audit/keys/*.rewrap "$C"/b/audit/keys/*.new 2>/dev/null)" ""
clean "everything else opens as before" "$C/a/audit" "$C/b/audit"
said "... and is held" "2 erased, 0 none, 0 damaged"
server_stop b; kill "$gateway_pid" 2>/dev/null; wait "$gateway_pid" 2>/dev/null
check "a journal that was closed in peace is blank" equal "$(tail -c +513 "$C/b/audit/keys/journal" | tr -d '\0' | wc -c)" 0
cp "$C/stale.journal" "$C/b/audit/keys/journal"
start_b
check "a stale copy of it brings nothing back" zeros "$(key_of "$last")$(frame "$last")"
clean "... and spoils nothing" "$C/a/audit" "$C/b/audit"
said "... of what is held" "2 erased, 0 none, 0 damaged"
cp -r "$C/b/audit" "$C/stale"; cp "$C/stale.slab" "$C/stale/keys/$(basename "$(slab)")"
cp "$C"/before/payload/*.seg "$C/stale/payload/"
"$AUDIT" show "$C/stale" "$entry" --payload "${KEYS[@]}" >"$C/shown" 2>&1
check "a stale copy of slab and payload opens no more, even with the store key" contains "$(cat "$C/shown")" "the key file of"
"$AUDIT" show "$C/before" "$entry" --payload "${KEYS[@]}" >"$C/shown" 2>&1
check "... as it did with the old key" contains "$(cat "$C/shown")" "held"

# --- without a record ---------------------------------------------------------------------------------
cp -r "$C/b/audit" "$C/copy"
other=$(indexes response | sed -n 6p)
dd if=/dev/zero of="$C/copy/keys/$(basename "$(slab)")" bs=1 seek=$((64 + 64 * other)) count=64 conv=notrunc 2>/dev/null
check "an erasure without a record is a finding" equal "$(verify "$C/copy")" 1
said "... which says so" "no payload is held for it"

# --- killed at any moment --------------------------------------------------------------------------------
# An order lies there; the node is killed as soon as it may have begun with it, each time a little later.
order_file() { ls "$C"/b/audit/orders/*.order 2>/dev/null | head -n 1; }
killed=0 again=0
for wait in 0 0.05 0.2 0.5 0.9 0.95 1 1.02 1.05 1.1; do
    ask 2 >/dev/null
    victim=$(indexes request | tail -n 1)
    acts=$(indexes erased | wc -l)
    erase --entry "$victim" --wait 40 >"$C/erase.out" &
    waiting=$!
    wait_for 5 order_file
    sleep "$wait"
    [ -n "$(order_file)" ] && killed=$((killed + 1))
    server_kill b
    kill "$gateway_pid" 2>/dev/null; wait "$gateway_pid" 2>/dev/null
    start_b
    wait "$waiting"
    [ "$(indexes erased | wc -l)" = $((acts + 1)) ] || again=$((again + 1))
    grep -q "erased, by entry" "$C/erase.out" || not_ok "an order survives a kill after $wait s" "$(cat "$C/erase.out")"
    zeros "$(key_of "$victim")" >/dev/null && zeros "$(frame "$victim")" >/dev/null || not_ok "entry $victim is erased after a kill" "$(slot "$victim")"
done
ok "an order is carried out, whenever the node is killed"
check "... and recorded once" equal "$again" 0
check "... although it was killed with the order before it" [ "$killed" -ge 1 ]
clean "the log verifies after all that" "$C/a/audit" "$C/b/audit"

# A node that died between the record and the erasure: the record alone is put back by hand.
ask 1 >/dev/null
victim=$(indexes request | tail -n 1)
cp "$(slab)" "$C/kept.slab"; cp "$(payloads)" "$C/kept.seg"
erase --entry "$victim" >/dev/null
server_kill b; kill "$gateway_pid" 2>/dev/null; wait "$gateway_pid" 2>/dev/null
for part in "slot $victim"; do
    dd if="$C/kept.slab" of="$(slab)" bs=64 skip=$((1 + victim)) seek=$((1 + victim)) count=1 conv=notrunc 2>/dev/null
    read -r at size < <(frame_at "$victim")
    dd if="$C/kept.seg" of="$(payloads)" bs=1 skip="$at" seek="$at" count="$size" conv=notrunc 2>/dev/null
done
rm -f "$C/b/audit/keys/erased" "$C"/b/audit/keys/*.rewrap
clean "a copy made in between is no finding" "$C/b/audit"
said "... but is remarked" "says erased is still held"
start_b
check "the next start does the rest" zeros "$(key_of "$victim")$(frame "$victim")"
check "... and says so" grep -q audit.erasures_finished "$C/b/server.events"
clean "... and the log verifies" "$C/a/audit" "$C/b/audit"

# --- rubbish ------------------------------------------------------------------------------------------
name=00112233445566778899aabbccddeeff
head -c 300 /dev/urandom >"$C/b/audit/orders/$name.order"
check "an order that is none is answered and removed" wait_for 5 test ! -e "$C/b/audit/orders/$name.order"
check "the node goes on" contains "$(ask 3)" "OK                   3"

# --- a day ----------------------------------------------------------------------------------------------
day=$(basename "$(slab)" .slab)
erased=$(erase --day "$day")
check "a day is erased" contains "$erased" "payloads erased, by entry"
check "exchanges go on" contains "$(ask 5)" "OK                   5"
clean "and the log verifies" "$C/a/audit" "$C/b/audit"
check "... what came before is erased" zeros "$(for index in $(indexes request | head -n 10); do key_of "$index"; done)"
check "... the records of acts are held" contains "$("$AUDIT" show "$C/b/audit" "$record" --payload "${KEYS[@]}")" "oficial-7"
check "a day that never was is not erased" contains "$(erase --day 20010101)" "no day"

# --- modes: what is kept of which service -------------------------------------------------------------------
server_stop b; kill "$gateway_pid" 2>/dev/null; wait "$gateway_pid" 2>/dev/null
cat >>"$C/b/server.conf" <<X
service "$B/DIVIPOLA/dos" { payload = metadata }
service "$B/DIVIPOLA/tres" { payload = off }
X
start_b
check "exchanges with a service of which the salt is kept" contains "$(ask 4 $B/DIVIPOLA/dos)" "OK                   4"
check "exchanges with a service of which nothing is kept" contains "$(ask 3 $B/DIVIPOLA/tres)" "OK                   3"
clean "the log verifies, because the node has said it" "$C/a/audit" "$C/b/audit"
"$AUDIT" verify "$C/b/audit" "${KEYS[@]}" >"$C/said" 2>&1
said "... with what is kept" "8 salt"
said "... and what is not" "6 none"
start=$(indexes started | tail -n 1)
check "... in the record of its start" contains "$("$AUDIT" show "$C/b/audit" "$start")" "$B/DIVIPOLA/tres: off"
last=$("$AUDIT" show "$C/b/audit" | grep DIVIPOLA/dos | awk '{ print $1 }' | tail -n 1)
"$AUDIT" export "$C/b/audit" "$last" --to "$C/salted" "${KEYS[@]}" >/dev/null
"$AUDIT" show "$C/a/audit" --json >"$C/all.json"
twin=$("$AUDIT" show "$C/a/audit" | grep DIVIPOLA/dos | awk '{ print $1 }' | tail -n 1)
"$AUDIT" export "$C/a/audit" "$twin" --to "$C/whole" "${KEYS[@]}" >/dev/null
check "with the salt that is kept, who has the payload can prove it" equal \
    "$( (cat "$C/salted/salt.bin"; tail -c +33 "$C/whole/payload.bin") | sha256sum)" "$(sha256sum <"$C/whole/payload.bin")"
check "... and the header commits to it" contains "$(xxd -p "$C/salted/header.bin" | tr -d '\n')" "$(sha256sum <"$C/whole/payload.bin" | cut -d ' ' -f 1)"
lie() { # LIE SERVICE
    timeout 10 "$OUT/tests/mesh_peer" "tcp://$HOST:${MESH_PORT[b]}" "$C/a/keys" $A/SS1 "$C/directory" \
        "$C/store/anchor/trust.pem" "$C/store/anchor/directory.vkey" $B/SS1 $A/TRAMITES "$2" "$1" 2>&1
}
for service in uno dos tres; do
    before=$(wc -l <"$C/served")
    twice=$(lie twice $B/DIVIPOLA/$service)
    check "a double is answered with the stored outcome ($service)" equal \
        "$(echo "$twice" | sort | uniq -c | awk '{print $1, $2, $3}')" "2 answer OK"
    check "... and is served once ($service)" equal "$(($(wc -l <"$C/served") - before))" 1
done

# --- times: how long ------------------------------------------------------------------------------------------
server_stop b; kill "$gateway_pid" 2>/dev/null; wait "$gateway_pid" 2>/dev/null
for file in "$C"/b/audit/keys/"$day".* "$C"/b/audit/payload/"$day".seg; do mv "$file" "${file//$day/20200102}"; done
cat >>"$C/b/server.conf" <<X
retention_days = 30
service "$B/DIVIPOLA/dos" { payload = metadata retention_days = 0 }
X
sed -i "0,/service .*dos/{/service .*dos/d}" "$C/b/server.conf"
held=$("$AUDIT" show "$C/b/audit" --json | grep -c '"index"')
start_b
check "what is over is erased at the start" wait_for 10 said_since_start b 'audit.erased"'
clean "the log verifies" "$C/b/audit"
said "... by a record that names its ground" "ground: retention of 30 days"
check "... an old exchange is erased" zeros "$(for index in $("$AUDIT" show "$C/b/audit" | grep DIVIPOLA/uno | awk '{ print $1 }' | head -n 60 | tail -n 3); do key_of "$index"; done)"
check "... what has another time is kept" [ "$(key_of "$last" | tr -d 0)" != "" ]
check "... and the old day gets another key by itself" wait_for 12 eval '[ -z "$(ls "$C"/b/audit/keys/*.rewrap 2>/dev/null)" ]'
acts=$(indexes erased | wc -l)
restart_b
sleep 1.2
check "once is enough" equal "$(indexes erased | wc -l)" "$acts"
check "exchanges go on" contains "$(ask 3)" "OK                   3"

server_stop a
server_stop b
clean "the log verifies at the end" "$C/b/audit"
finish
