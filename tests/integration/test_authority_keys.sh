#!/bin/bash
# SPDX-License-Identifier: MIT
# The key of the directory's log is changed while nodes run: two operators approve it, who follows takes it over, who
# was away comes through with the anchor of before, a restart needs no network, and who has the old key can no longer
# say anything that counts.
. "$(dirname "$0")/lib.sh"
LIAR=$OUT/tests/web_liar
refused() { ! "$@"; }
CHECKPOINT_MS=300
PUBLISH_MS=600
country_make >/dev/null
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA >/dev/null
for who in ana blas; do
    "$BIN/chaski-registry" operator key "$C/$who.key" >"$C/$who.pub" || die "no key"
    registry operator add "$who" --name "$who" --key "$(cat "$C/$who.pub")" --role enrol --role approve --role publish >/dev/null || die "no operator"
done
port=$(free_port); admin_port=$(free_port)
anchor() { registry anchor --url "http://127.0.0.1:$port" --days 2 --to "$1" >/dev/null || die "no anchor"; }
vkey_of() { "$BIN/chaski" anchor "$1" | grep -o 'chaski/CO/directory+[^ ]*'; }
anchor "$C/chaski.anchor"

serve() { # STORE
    rm -f "$C/ready"
    "$BIN/chaski-registry" serve "$1" --listen "127.0.0.1:$port" --directory "$C/directory" --authority --admin "127.0.0.1:$admin_port" \
        --ready-file "$C/ready" 2>>"$C/serve.events" &
    pid=$!
    pids+=($pid)
    wait_for 20 test -s "$C/ready" || die "it does not start: $(tail -n 1 "$C/serve.events")"
    authority_pid=$(sed -n 's/^authority_pid=//p' "$C/ready")
}
serve_stop() { kill "$pid"; wait "$pid" 2>/dev/null; wait_for 5 gone "$authority_pid"; }
at() { "$BIN/chaski-registry" "${@:2}" --at "https://127.0.0.1:$admin_port" --anchor "${ANCHOR:-$C/chaski.anchor}" --as "$C/$1.key"; }
follow() { # NAME ANCHOR
    sed -i -e '/^directory_folder\|^trust_file\|^authority_file\|^anchor_file\|^directory_\|^witness_alarm/d' "$C/$1/server.conf"
    printf 'anchor_file = "%s"\ndirectory_poll_ms = 300\nwitness_alarm_ms = 1000\n' "$2" >>"$C/$1/server.conf"
}
fresh() { # NAME: as a, before it ever ran
    mkdir -p "$C/$1"
    cp -r "$C/a/keys" "$C/$1/"
    sed "s|$C/a/|$C/$1/|; s|$C/a\"|$C/$1\"|" "$C/a/server.conf" >"$C/$1/server.conf"
}
head_of() { sed -n 2p "$C/directory/checkpoint"; }
has() { [ "$(sed -n 2p "$C/$1/audit/directory/checkpoint" 2>/dev/null)" = "$(head_of)" ]; }
signatures() { grep -c '^— ' "$1"; }
start() { server_start "$1" 30 || die "server $1: $(tail -n 2 "$C/$1/server.events")"; }
change() { at ana purpose add "$1" --title "$1" --legal-basis "Ley de prueba" >/dev/null || die "no change"; }

serve "$C/store"
follow a "$C/chaski.anchor"; follow b "$C/chaski.anchor"
start a; start b
wait_for 15 has a; wait_for 15 has b || die "nodes do not follow"
server_stop b # away from here on
cp -r "$C/store" "$C/stolen"; rm -f "$C/stolen/lock"
cp -r "$C/stolen" "$C/before"

# --- another key --------------------------------------------------------------------------------------
serve_stop
old=$(cat "$C/store/anchor/directory.vkey")
said=$(registry log-key make)
handover=$(find "$C/store" -maxdepth 1 -name 'handover-*.json')
check "the next key is made" test -s "$handover"
check "... for nobody else" equal "$(stat -c %a "$C"/store/keys/log-*.key)" 600
check "... and what to do with it is said" contains "$said" "log-key use $handover"
serve "$C/store"
check "it signs nothing yet" equal "$(signatures "$C/directory/checkpoint")" 1
sed 's/"signature": "../"signature": "00/' "$handover" >"$C/bad.json"
check "a handover that one of the keys did not sign is refused" contains "$(at ana log-key use "$C/bad.json" 2>&1)" "did not sign"
said=$(at ana log-key use "$handover" 2>&1)
check "one operator is not enough" equal "$(find "$C/directory" -name handovers | wc -l)" 0
id=$(at blas proposals | grep -o '[0-9a-f]\{16\}' | head -n 1)
said=$(at blas approve "$id" --yes 2>&1)
check "a second one approves it, in words" contains "$said" "no longer by $old"
check "the head that shows it is signed by both keys" equal "$(signatures "$C/directory/checkpoint")" 2
check "a node takes the new key over" wait_for 15 grep -q '"directory.key_taken"' "$C/a/server.events"
check "... and its follower" wait_for 15 grep -q '"follow.key_taken"' "$C/a/server.events"
check "... with its acts" wait_for 15 has a
check "the same again is refused" contains "$(at ana log-key use "$handover" 2>&1)" "refused"

for i in $(seq 10); do echo "purpose add T-$i --title T --legal-basis Ley"; done >"$C/few"
cp -r "$C/stolen" "$C/thief"
"$BIN/chaski-registry" batch "$C/thief" "$C/few" --as "$C/ana.key" >/dev/null || die "no forged acts"
"$BIN/chaski-registry" publish "$C/thief" --to "$C/said" >/dev/null || die "no forged directory"
check "a thief of the old key signs a larger head" test "$(sed -n 2p "$C/said/checkpoint")" -gt "$(head_of)"
status=$(curl -s -o "$C/null" -w '%{http_code}' --data-binary @"$C/said/checkpoint" "http://127.0.0.1:$port/directory/head")
check "... which tells the registry nothing" test "$status" -ge 400
check "... and it goes on" equal "$(curl -s -o "$C/null" -w '%{http_code}' "http://127.0.0.1:$port/healthz")" 200

# --- only the new one signs -----------------------------------------------------------------------------
for i in $(seq 70); do echo "purpose add P-7$i --title P --legal-basis Ley"; done >"$C/many"
at ana batch "$C/many" >/dev/null || die "no batch: $(tail -n 1 "$C/serve.events")"
change P-800
check "after a while the new key signs alone" equal "$(signatures "$C/directory/checkpoint")" 1
check "who follows goes on" wait_for 15 has a
start b
check "who was away comes through with the anchor of before" wait_for 15 has b
check "... and says so" grep -q '"follow.key_taken"' "$C/b/server.events"
check "operators' commands do too" contains "$(at ana proposals 2>&1)" ""
anchor "$C/new.anchor"
check "an anchor issued anew names the new key" refused equal "$(vkey_of "$C/new.anchor")" "$old"
check "... and is good for commands" env ANCHOR="$C/new.anchor" true
ANCHOR="$C/new.anchor" change P-801
server_stop a
for which in chaski new; do
    name=with-$which
    fresh $name; follow $name "$C/$which.anchor"
    start $name
    check "a first start works with the $which anchor" wait_for 15 has $name
    server_stop $name
done
enrol() { # NAME
    timeout 30 "$BIN/chaski" enrol --anchor "$C/chaski.anchor" --folder "$C/$1-keys" --server CO/GOV/800197268/SS1 --name "DIAN" --address "tcp://127.0.0.1:$(free_port)" \
        --subsystem "RUT=Registro" --audit "$C/$1-audit" --fingerprint "$("$BIN/chaski" anchor "$C/chaski.anchor" | sed -n 's/^fingerprint *//p')" 2>&1 </dev/null
}
said=$(enrol late)
check "an agency with the anchor of before can ask to be enrolled" contains "$said" "IPv4: reached"
check "... and its request is there" contains "$(at ana requests 2>&1)" CO/GOV/800197268/SS1
serve_stop
cp -r "$C/directory" "$C/untold"; rm "$C/untold/handovers"
"$LIAR" "$port" "$C/untold" honest "$C/posted.untold" & liar=$!; pids+=($liar)
wait_for 10 curl -s -o "$C/null" "http://127.0.0.1:$port/directory/heartbeat"
check "where no act leads to the key it is another registry" contains "$(enrol untold)" "nor a later one signed"
kill -9 "$liar"; wait "$liar" 2>/dev/null
start a
check "a restart without network, with the anchor of before" wait_for 15 has a
server_stop a
follow a "$C/new.anchor"
start a
check "... and with the one issued anew" wait_for 15 has a

# --- who has the old key ----------------------------------------------------------------------------------
for i in $(seq 90); do echo "purpose add F-$i --title F --legal-basis Ley"; done >"$C/false"
"$BIN/chaski-registry" batch "$C/stolen" "$C/false" --as "$C/ana.key" >/dev/null || die "no forged acts"
"$BIN/chaski-registry" publish "$C/stolen" --to "$C/forged" >/dev/null || die "no forged directory"
check "a thief's head is larger" test "$(sed -n 2p "$C/forged/checkpoint")" -gt "$(head_of)"
"$LIAR" "$port" "$C/forged" honest "$C/posted" & liar=$!; pids+=($liar)
check "what the old key signs after the change is refused as a fork" wait_for 30 grep -q '"directory.conflict_kept".*fork' "$C/a/server.events"
check "... by the other node too" wait_for 30 grep -q '"directory.conflict_kept".*fork' "$C/b/server.events"
check "... and is not used" has a
check "... and the proof is kept" test "$(find "$C/a/audit/conflicts" -name '*.checkpoint' | wc -l)" -ge 2
check "... also after a restart" eval 'server_stop a; start a; sleep 1; has a'
kill -9 "$liar"; wait "$liar" 2>/dev/null

# --- a copy of the store from before the change ---------------------------------------------------------
cp -r "$C/before" "$C/older"; rm -f "$C/older/lock"
rm -f "$C/ready"
"$BIN/chaski-registry" serve "$C/older" --listen "127.0.0.1:$port" --directory "$C/older-folder" --authority --ready-file "$C/ready" 2>>"$C/older.events" &
pid=$!; pids+=($pid)
wait_for 20 test -s "$C/ready" || die "it does not start: $(tail -n 1 "$C/older.events")"
shown=$(sed -n 2p "$C/older-folder/checkpoint")
check "a copy of before a change of the log key, many acts behind, hears of it and ends" wait_for 60 gone "$pid"
wait "$pid"; status=$?
check "... not as if all were well" equal $status 1
check "... since it was shown an act" contains "$(cat "$C/older.events")" "who follows holds acts that this store does not"
check "... and has signed no other history" equal "$(sed -n 2p "$C/older-folder/checkpoint")" "$shown"
check "... and does not start again" contains "$("$BIN/chaski-registry" serve "$C/older" --listen 127.0.0.1:0 --directory "$C/older-folder" --authority 2>&1)" "the store is an old copy"

# --- the authority goes on -----------------------------------------------------------------------------------
registry backup --to "$C/copy" >/dev/null || die "no backup"
serve "$C/copy"
check "a copy takes over with the new key" at ana purpose add P-900 --title P --legal-basis Ley
check "... and nodes follow it" wait_for 30 has a
serve_stop
server_stop a; server_stop b
check "an auditor verifies across the change" "$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit"
printf '%s\n' "$old" >"$C/old.vkey"
check "... with the key of before" "$BIN/chaski-audit" verify "$C/b/audit" --trust "$C/store/anchor/trust.pem" --directory-vkey "$C/old.vkey"
for i in $(seq 8); do "$BIN/chaski-registry" log-key make "$C/copy" >"$C/made" 2>&1; done
check "more keys than a store may hold are not made" contains "$(cat "$C/made")" "no more may be there"
check "... and it opens still" "$BIN/chaski-registry" publish "$C/copy" --to "$C/copy-directory"
rm "$C/copy/keys/log-"*
said=$("$BIN/chaski-registry" serve "$C/copy" --listen 127.0.0.1:0 --directory "$C/directory" --authority 2>&1)
check "a store that lacks the key in force does not serve" contains "$said" "does not hold the log key"
finish
