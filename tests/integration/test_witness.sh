#!/bin/bash
# SPDX-License-Identifier: MIT
# Witnesses: other members' servers cosign a log's checkpoints over the mesh; a quorum makes a checkpoint
# good; without one there is an alarm, and in the end no exchange. A log that goes back is not cosigned.
. "$(dirname "$0")/lib.sh"
PEER=$OUT/tests/front_peer
CHECKPOINT_MS=200
PUBLISH_MS=300
country_make >/dev/null
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA >/dev/null
member_make c CO/GOV/800197268/SS1 "DIAN" RUT >/dev/null
member_make d CO/GOV/899999040/SS1 "Registraduría" IDENTIDAD >/dev/null
S=CO/GOV/899999027/DIVIPOLA/uno
registry service add $S --class open >/dev/null || die "no service"
check "the authority assigns witnesses" contains "$(registry witness assign --per-log 3 --quorum 2)" "4 of 4 logs"
check "... and the second time changes nothing" contains "$(registry witness assign --per-log 3 --quorum 2)" "0 of 4 logs"
publish
for m in a b c d; do
    # a round with a witness that is away takes 8 s
    printf 'witness_alarm_ms = 3000\nwitness_stop_ms = 12000\n' >>"$C/$m/server.conf"
    server_start $m || die "server $m: $(tail -n 1 "$C/$m/server.events")"
done
"$PEER" serve "ipc://$C/b/front" CO/GOV/899999027/DIVIPOLA 2>/dev/null &
pids+=($!)
wait_for 5 grep -q front.gateway_arrived "$C/b/server.events"
ask() { timeout 30 "$PEER" ask "ipc://$C/a/front" CO/MUN/890905211/TRAMITES $S "$1" 8 2>/dev/null; }
LOG=$C/a/audit/log/1
size() { sed -n 2p "$LOG/checkpoint"; }
cosignatures() { grep -c "^— chaski.witness/" "$LOG/checkpoint"; }
cosigned_at() { [ "$(sed -n 2p "$LOG/cosigned" 2>/dev/null)" = "$1" ]; }

check "exchanges" contains "$(ask 20)" "OK                   20"
check "a checkpoint is cosigned by a quorum" wait_for 15 cosigned_at 41
three() { [ "$(cosignatures)" = 3 ]; }
check "... by three witnesses" wait_for 5 three
check "... and kept as history" test -s "$LOG/cp/41"
cp -r "$C/a/audit" "$C/early"
check "the published checkpoint carries the cosignatures" cmp -s "$LOG/cp/41" "$LOG/checkpoint"

# a cosignature, checked with openssl alone
vkey=$(cat "$C/c/keys/witness.vkey")
line=$(grep -aF -- "— ${vkey%%+*} " "$LOG/cp/41")
sig=$(echo "${line##* }" | base64 -d | xxd -p -c 200)
echo "302a300506032b6570032100$(echo "$vkey" | cut -d + -f 3- | base64 -d | xxd -p -c 64 | cut -c 3-)" | xxd -r -p >"$C/k"
echo "${sig:24}" | xxd -r -p >"$C/sig"
{ printf 'cosignature/v1\ntime %d\n' "$((16#${sig:8:16}))"; head -n 3 "$LOG/cp/41"; } >"$C/msg"
check "openssl verifies a cosignature" openssl pkeyutl -verify -pubin -keyform DER -inkey "$C/k" -rawin -in "$C/msg" -sigfile "$C/sig"

# two of three are enough, one is not
server_stop c
check "exchanges" contains "$(ask 10)" "OK                   10"
check "without one of three witnesses there is a quorum" wait_for 25 cosigned_at 61
server_stop d
check "exchanges" contains "$(ask 5)" "OK                   5"
check "without two of three there is none, which is said" wait_for 30 grep -q '"anchor.no_quorum"' "$C/a/server.events"
check "... and in time an alarm" wait_for 20 grep -q '"anchor.unconfirmed"' "$C/a/server.events"
check "messages do not wait for it" test "$(size)" -ge 71
refused() { ask 1 | grep -q UNWITNESSED; }
check "after too long exchanges are refused" wait_for 20 refused
server_start c; server_start d
again() { ask 1 | grep -q "OK                   1"; }
check "with witnesses again they go on" wait_for 40 again


# a scribe that hangs publishes nothing that could be cosigned: the exchange process counts all the same
cosigned_past() { [ "$(sed -n 2p "$LOG/cosigned" 2>/dev/null || echo 0)" -ge "$1" ]; }
check "a quorum again" wait_for 25 cosigned_past "$(sed -n 2p "$LOG/promise")"
scribe_of() { local p; for p in $(ps -o pid= --ppid "$(cat "$C/$1/server.pid")"); do
    [ "$(cat "/proc/$p/comm" 2>/dev/null)" = chaski-scribe ] && echo "$p"; done; }
scribe=$(scribe_of a)
hung_from=$(wc -l <"$C/a/server.events")
alarmed() { tail -n "+$((hung_from + 1))" "$C/a/server.events" | grep -q '"anchor.unconfirmed"'; }
kill -STOP "$scribe" || die "no scribe"
check "with a scribe that hangs exchanges go on" contains "$(ask 5)" "OK                   5"
check "... there is an alarm" wait_for 15 alarmed
check "... and after too long they are refused" wait_for 20 refused
kill -CONT "$scribe"
check "when it goes on, so do they" wait_for 40 again

check "all stop as asked" servers_stop a b c d
check "what was cosigned is on disk at the witnesses" equal "$(ls "$C"/{b,c,d}/audit/witness | grep -c '^[0-9a-f]\{64\}$')" 9
# an older copy put back, or nothing at all: the witnesses know better
cp -r "$C/a/audit" "$C/good"
server_start a; server_start b; server_start c; server_start d
check "exchanges" contains "$(ask 10)" "OK                   10"
sleep 1.5
server_stop a
mv "$C/a/audit" "$C/newest"
start_status() { timeout 30 "$BIN/chaski-security-server" --config "$C/a/server.conf" 2>"$C/start.events"; echo $?; }
rm -rf "$C/good/log/1/cp"
cp -r "$C/good" "$C/a/audit"
check "an older copy of the log does not start" equal "$(start_status)" 3
check "... saying who knows more and what is missing" contains "$(cat "$C/start.events")" "holds our signature over a log of"
check "... with nothing changed" diff -r "$C/good/log" "$C/a/audit/log"
rm -rf "$C/a/audit"
check "an empty folder does not start" equal "$(start_status)" 3
check "... saying what is missing" contains "$(cat "$C/start.events")" "entries 0 to"
rm -rf "$C/a/audit"
cp -r "$C/newest" "$C/a/audit"
server_start a || not_ok "the complete log starts" "$(tail -n 1 "$C/a/server.events")"
check "with the complete files it goes on" contains "$(ask 5)" "OK                   5"
for m in a b c d; do server_stop $m; done
check "the log verifies" "$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" \
    --store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key"

# what witnesses keep convicts an older copy, though nobody of those who took part is asked
keys=(--store-key "$C/a/keys/store.key" --store-key "$C/c/keys/store.key")
check "the log beside its witness's is clean" "$BIN/chaski-audit" verify "$C/a/audit" "$C/c/audit" "${keys[@]}"
"$BIN/chaski-audit" verify "$C/early" "$C/c/audit" "${keys[@]}" >"$C/said" 2>&1
check "an older copy of it is not" equal "$? $(grep -c 'append only' "$C/said")" "1 1"
check "... which names the head that the witness keeps" contains "$(grep -A 1 'append only' "$C/said")" "witness/"
"$BIN/chaski-audit" verify "$C/c/audit" "${keys[@]}" >"$C/said" 2>&1
check "alone, the witness's folder says what it keeps" contains "$(grep -A 3 'heads kept' "$C/said")" "entries, root"

# what the authority gives an auditor, for who checks one record
registry show --log-vkey "${SERVER[a]}" >"$C/log.vkey"
registry show --policy "${SERVER[a]}" >"$C/policy"
check "the authority writes the key of a log" equal "$(cat "$C/log.vkey")" "$(cat "$C/a/audit/anchor/log.vkey")"
check "... and whose cosignatures count for it" equal "$(grep -c '^witness ' "$C/policy") $(sed -n 's/^group quorum \([0-9]*\) .*/\1/p' "$C/policy") $(tail -n 1 "$C/policy")" "3 2 quorum quorum"
check "... also in its tables" contains "$(registry show)" "witnesses (2 of 3)"
check "... and as JSON" equal "$(registry show --json | jq -c "[.servers[] | select(.id == \"${SERVER[a]}\") | .quorum, (.witnesses | length)]")" "[2,3]"
check "a server that is not there has none" equal "$(registry show --policy CO/GOV/1/NADA 2>&1 | grep -c refused)" 1
"$BIN/chaski-audit" export "$C/a/audit" 1 --to "$C/record" --store-key "$C/a/keys/store.key" >/dev/null
bash "$ROOT/lib/evidence/record_verify.sh" "$C/record" --trust "$C/store/anchor/trust.pem" \
    --directory-vkey "$C/store/anchor/directory.vkey" --log-vkey "$C/log.vkey" --policy "$C/policy" >"$C/said" 2>&1
check "a record passes by what the authority gave alone" equal "$?" 0
check "... its witnesses too" grep -q '^witnesses *ok' "$C/said"
finish
