#!/bin/bash
# SPDX-License-Identifier: MIT
# Sealing keys change every two seconds on both sides, under load, with kill -9 at the moment of change: no
# exchange fails whose own server lives. Senders that have an old key seal again; nothing runs twice; both logs
# verify; nothing of the new keys is on a disk.
SEAL_ROLL_S=2
SEAL_OVERLAP_S=3
. "$(dirname "$0")/lib.sh"

A=CO/MUN/890905211 B=CO/GOV/899999027
country_make
member_make a $A/SS1 "Medellín" TRAMITES
member_make b $B/SS1 "DANE" DIVIPOLA
registry service add $B/DIVIPOLA/municipios --class open || die "no service"
registry service add $A/TRAMITES/espejo --class open || die "no service"
publish || die "nothing published"
for m in a b; do
    service=$([ $m = a ] && echo $A/TRAMITES/espejo || echo $B/DIVIPOLA/municipios)
    echo "service \"$service\" { kind = table file = \"$ROOT/tools/demo/municipios.csv\" key = \"cod_municipio\" }" \
        >"$C/$m/services/tables.conf"
done
for m in a b; do
    server_start $m || die "server $m: $(tail -n 1 "$C/$m/server.events")"
    gateway_start $m || die "gateway $m: $(tail -n 1 "$C/$m/gateway.events")"
done
ask() { # FROM: status, and how long it took in ms
    local path client
    path=$([ "$1" = a ] && echo "$B/DIVIPOLA/municipios" || echo "$A/TRAMITES/espejo")
    client=$([ "$1" = a ] && echo "$A/TRAMITES" || echo "$B/DIVIPOLA")
    curl -sS -m 70 -o "$C/$1.body" -w '%{http_code} %{time_total}\n' -H "X-Road-Client: $client" \
        "$(gateway_url "$1")/r1/$path/05001" 2>&1 | awk '{ print $1, int($2 * 1000) }'
}
rolls() { grep -c '"seal.rolled"' "$C/$1/server.events"; }
rolled() { [ "$(rolls "$1")" -ge "$2" ]; }
said() { grep -c "\"$2\"" "$C/$1/server.events"; }
arrived() { wait_for 20 said_since_start "$1" front.gateway_arrived; }
sums() { (cd "$C/$1/keys" && sha256sum -- * | sort); }
for m in a b; do sums $m >"$C/$m.keys"; done

# --- keys change, nothing else happens --------------------------------------------------------------
check "an exchange" equal "$(ask a | cut -d ' ' -f 1)" 200
check "... and one the other way" equal "$(ask b | cut -d ' ' -f 1)" 200
looping() { # FROM FILE: until the file enough is there
    while [ ! -e "$C/enough" ]; do ask "$1" >>"$2"; done
}
looping a "$C/from-a" & loop_a=$!
looping b "$C/from-b" & loop_b=$!
pids+=($loop_a $loop_b)
before_a=$(rolls a) before_b=$(rolls b)
check "the asking server changes its key ten times" wait_for 60 rolled a $((before_a + 10))
check "so does the other" wait_for 60 rolled b $((before_b + 10))
touch "$C/enough"
check "all that was begun ends" wait_for 30 gone $loop_a
check "... on both sides" wait_for 30 gone $loop_b
echo "# $(wc -l <"$C/from-a") and $(wc -l <"$C/from-b") exchanges over $(rolls a) and $(rolls b) keys, the slowest $(sort -k 2 -n "$C/from-a" "$C/from-b" | tail -n 1 | cut -d ' ' -f 2) ms"
check "no exchange failed" equal "$(cat "$C/from-a" "$C/from-b" | grep -vc '^200 ')" 0
check "each took its card from the other again and again" test "$(said a seal.card_taken)" -ge 5 -a "$(said b seal.card_taken)" -ge 5
check "keys are destroyed" test "$(said a seal.forgotten)" -ge 5 -a "$(said b seal.forgotten)" -ge 5
for m in a b; do check "no key came to a disk at $m" equal "$(sums $m)" "$(cat "$C/$m.keys")"; done

# --- the answering server dies at the moment of change -----------------------------------------------
rm -f "$C/enough"
looping a "$C/storm" & loop_a=$!
pids+=($loop_a)
RANDOM=4711
for ((i = 0; i < ${SEAL_KILLS:-12}; i++)); do
    now=$(rolls b)
    wait_for 10 rolled b $((now + 1)) || not_ok "it goes on changing keys" "after $i kills"
    sleep "0.$(printf %03d $((RANDOM % 30)))"
    server_kill b
    server_start b || die "b does not come back: $(tail -n 1 "$C/b/server.events")"
    arrived b
done
touch "$C/enough"
check "all that was begun ends" wait_for 70 gone $loop_a
echo "# $(wc -l <"$C/storm") exchanges over ${SEAL_KILLS:-12} kills, the slowest $(sort -k 2 -n "$C/storm" | tail -n 1 | cut -d ' ' -f 2) ms"
# What a killed node had begun, or is asked before its gateway is back, it refuses for that reason, as ever.
other_faults() { grep '"exchange.refused"' "$C/a/server.events" | grep -vc 'no gateway that serves\|this server stopped after it took the request'; }
check "exchanges go on although the other side dies each time" test "$(grep -c '^200 ' "$C/storm")" -gt "${SEAL_KILLS:-12}"
check "... and none failed for its keys" equal "$(other_faults)" 0
check "letters for keys that were gone were refused by name" contains "$(grep '"mesh.message_refused"' "$C/b/server.events" | tail -n 1)" KEY_UNKNOWN

# --- the asking server dies ---------------------------------------------------------------------------
for ((i = 0; i < 4; i++)); do
    now=$(rolls a)
    wait_for 10 rolled a $((now + 1)) || not_ok "it goes on changing keys" "after $i kills"
    server_kill a
    server_start a || die "a does not come back: $(tail -n 1 "$C/a/server.events")"
    arrived a
    check "after kill $((i + 1)) it asks" equal "$(ask a | cut -d ' ' -f 1)" 200
    check "... and is asked" equal "$(ask b | cut -d ' ' -f 1)" 200
done

# --- away for longer than any overlap -----------------------------------------------------------------
card_of() { # whose card lies at NAME
    ls "$C/$1"/audit/cards/*.card | wc -l
}
check "cards of peers are kept" equal "$(card_of a) $(card_of b)" "1 1"
server_stop b; check "b stops as asked" equal $? 0
sleep 8
server_start b || die "server b: $(tail -n 1 "$C/b/server.events")"
arrived b
check "who was away for longer than the overlap is asked" equal "$(ask a | cut -d ' ' -f 1)" 200
check "... and asks" equal "$(ask b | cut -d ' ' -f 1)" 200

# --- an operator's order: the old keys end at once -----------------------------------------------------
for m in a b; do
    server_stop $m >/dev/null
    sed -i 's/^seal_roll_s = .*/seal_roll_s = 3600/; s/^seal_overlap_s = .*/seal_overlap_s = 60/' "$C/$m/server.conf"
done
for m in a b; do
    server_start $m || die "server $m: $(tail -n 1 "$C/$m/server.events")"
done
arrived a; arrived b
check "an exchange" equal "$(ask a | cut -d ' ' -f 1)" 200
"$BIN/chaski" keys roll seal --config "$C/b/server.conf" >"$C/roll.out" 2>&1
check "an order makes a new key" equal $? 0
check "... and says that the one before still opens letters" contains "$(cat "$C/roll.out")" "still open letters: 1"
check "exchanges go on" equal "$(ask a | cut -d ' ' -f 1)" 200
refused=$(said b mesh.message_refused) taken=$(said a seal.card_taken)
"$BIN/chaski" keys roll seal --config "$C/b/server.conf" --forget >"$C/roll.out" 2>&1
check "with --forget the old keys are destroyed at once" contains "$(cat "$C/roll.out")" "still open letters: 0"
check "... by a record of the log" contains "$("$BIN/chaski-audit" show "$C/b/audit" "$(sed -n 's/.*: entry \([0-9]*\);.*/\1/p' "$C/roll.out")")" "$(sed -n 's/.*sealed to \([0-9a-f]*\) from.*/\1/p' "$C/roll.out")"
said=$(ask a)
check "who still seals to them seals again" equal "${said% *}" 200
check "... at once, and not when the question is asked again by the clock" test "${said#* }" -lt 2500
check "... or had heard of the new one before" test "$(said b mesh.message_refused)" -gt "$refused" -o "$(said a seal.card_taken)" -gt "$taken"
"$BIN/chaski" keys roll seal --config "$C/a/server.conf" --forget >"$C/roll.out" 2>&1
check "an asker's new key" equal $? 0
said=$(ask a)
check "... is known to who answers" equal "${said% *}" 200
check "... at once" test "${said#* }" -lt 2500

# --- one side does not change keys ---------------------------------------------------------------------
server_stop b >/dev/null
sed -i 's/^seal_roll_s = .*/seal_roll_s = 0/' "$C/b/server.conf"
server_start b || die "server b: $(tail -n 1 "$C/b/server.events")"
arrived b
check "a server that changes no keys is asked" equal "$(ask a | cut -d ' ' -f 1)" 200
check "... and asks" equal "$(ask b | cut -d ' ' -f 1)" 200
check "an order to it is refused in words" contains "$("$BIN/chaski" keys roll seal --config "$C/b/server.conf" 2>&1)" "seal_roll_s = 0"

# --- the evidence --------------------------------------------------------------------------------------
servers_stop a b >/dev/null
check "both logs verify" "$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" --store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key"
cards() { "$BIN/chaski-audit" show "$C/$1/audit" --kind card --json | jq length; }
check "each key stands in its log" test "$(cards a)" -ge "$(rolls a)" -a "$(cards b)" -ge "$(rolls b)"
"$BIN/chaski-audit" show "$C/a/audit" --kind request --json | grep -o '"exchange" *: *"[0-9a-f-]*"' | sort | uniq -d >"$C/twice"
check "nothing was asked twice" equal "$(wc -l <"$C/twice")" 0
index=$("$BIN/chaski-audit" show "$C/a/audit" --kind card --json | jq '.[0].index')
check "a card is exported" "$BIN/chaski-audit" export "$C/a/audit" "$index" --to "$C/card" --store-key "$C/a/keys/store.key"
check "... and proves itself" bash "$C/card/verify.sh"
finish
