#!/bin/bash
# SPDX-License-Identifier: MIT
# Peers hold one another to what they signed: a server whose log no longer contains the head that it signed
# to us is found, and the proof is kept.
. "$(dirname "$0")/lib.sh"
PEER=$OUT/tests/front_peer
CHECKPOINT_MS=100
PUBLISH_MS=200
START_CHECK_MS=300
country_make >/dev/null
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA >/dev/null
S=CO/GOV/899999027/DIVIPOLA/uno
registry service add $S --class open >/dev/null || die "no service"
publish
echo 'peer_check_every_ms = 500' | tee -a "$C/a/server.conf" >>"$C/b/server.conf"
server_start b || die "server b: $(tail -n 1 "$C/b/server.events")"
server_stop b
cp -r "$C/b/audit" "$C/old"
server_start a || die "server a: $(tail -n 1 "$C/a/server.events")"
server_start b || die "server b: $(tail -n 1 "$C/b/server.events")"
"$PEER" serve "ipc://$C/b/front" CO/GOV/899999027/DIVIPOLA 2>/dev/null &
pids+=($!)
wait_for 5 grep -q front.gateway_arrived "$C/b/server.events"
ask() { timeout 30 "$PEER" ask "ipc://$C/a/front" CO/MUN/890905211/TRAMITES $S "$1" 2 2>/dev/null; }
check "an exchange" contains "$(ask 2)" "OK                   2"
server_stop a
server_start a || die "server a again: $(tail -n 1 "$C/a/server.events")"
check "an honest peer proves that its log contains what it was" wait_for 10 grep -q '"peer.consistent"' "$C/a/server.events"
server_stop a
server_stop b

# b comes back with an older copy while nobody is there who would know better, and writes another history
rm -rf "$C/b/audit"
cp -r "$C/old" "$C/b/audit"
size() { sed -n 2p "$C/b/audit/log/1/promise"; }
for ((i = 0; i < 12; i++)); do
    server_start b || die "b does not start alone: $(tail -n 1 "$C/b/server.events")"
    server_stop b
done
check "alone, the other history grows" test "$(size)" -gt 20
server_start b
before=$(grep -c '"peer.consistent"' "$C/a/server.events")
server_start a || die "server a once more: $(tail -n 1 "$C/a/server.events")"
check "the peer that was shown the first history finds it" wait_for 20 grep -q '"peer.inconsistent_log"' "$C/a/server.events"
check "... keeps what the other signed" wait_for 5 bash -c "ls '$C'/a/audit/conflicts/*.checkpoint"
check "... and says so in its own log" wait_for 5 bash -c "'$BIN/chaski-audit' show '$C/a/audit' --kind incident | grep -q incident"
check "nothing of b's was taken for consistent since" equal "$(grep -c '"peer.consistent"' "$C/a/server.events")" "$before"
server_stop a
server_stop b
check "an auditor with both logs finds it too" bash -c "! '$BIN/chaski-audit' verify '$C/a/audit' '$C/b/audit' >'$C/said' 2>&1 && grep -q FINDING '$C/said'"
"$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" --store-key "$C/a/keys/store.key" >"$C/said" 2>&1
check "... and is told what the peer said of it" contains "$(grep REMARK "$C/said")" "INCIDENT: the log of"
finish
