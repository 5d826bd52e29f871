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
member_make c CO/GOV/800197268/SS1 "DIAN" RUT >/dev/null
S=CO/GOV/899999027/DIVIPOLA/uno
registry service add $S --class open >/dev/null || die "no service"
publish
printf 'peer_check_every_ms = 500\nwitness_alarm_ms = 2000\n' | tee -a "$C/a/server.conf" >>"$C/b/server.conf"
server_start b || die "server b: $(tail -n 1 "$C/b/server.events")"
server_stop b
cp -r "$C/b/audit" "$C/old"
server_start a || die "server a: $(tail -n 1 "$C/a/server.events")"
server_start b || die "server b: $(tail -n 1 "$C/b/server.events")"
serve() {
    local from
    from=$(grep -c front.gateway_arrived "$C/b/server.events")
    "$PEER" serve "ipc://$C/b/front" CO/GOV/899999027/DIVIPOLA 2>/dev/null &
    server=$!
    pids+=($server)
    arrived() { [ "$(grep -c front.gateway_arrived "$C/b/server.events")" -gt "$from" ]; }
    wait_for 5 arrived
}
serve
since() { tail -n "+$((from + 1))" "$C/a/server.events" | grep -q "$1"; }
mark() { from=$(wc -l <"$C/a/server.events"); }
incidents() { "$BIN/chaski-audit" show "$C/a/audit" --kind incident | grep -c incident; }
ask() { timeout 30 "$PEER" ask "ipc://$C/a/front" CO/MUN/890905211/TRAMITES $S "$1" 2 2>/dev/null; }
check "an exchange" contains "$(ask 2)" "OK                   2"
server_stop a
server_start a || die "server a again: $(tail -n 1 "$C/a/server.events")"
check "an honest peer proves that its log contains what it was" wait_for 10 grep -q '"peer.consistent"' "$C/a/server.events"

# the directory demands a witness of b's log: what only b says of it is not enough
registry witness set CO/GOV/899999027/SS1 --witness CO/GOV/800197268/SS1 --quorum 1 >/dev/null || die "no witness"
mark
publish
check "a log that its witnesses do not confirm is told of" wait_for 20 since '"peer.unconfirmed_log"'
mark
server_start c || die "server c: $(tail -n 1 "$C/c/server.events")"
check "... and believed when they do" wait_for 30 since '"peer.consistent"'
server_stop c

# a peer that is away
mark
server_stop b
check "a peer that never answers is told of" wait_for 90 since '"peer.silent"'
server_stop a
kill "$server" 2>/dev/null

# b comes back with an older copy while nobody is there who would know better, and writes another history
rm -rf "$C/b/audit"
cp -r "$C/old" "$C/b/audit"
server_start b || die "b does not start alone: $(tail -n 1 "$C/b/server.events")"
serve
mark
before=$(grep -c '"peer.consistent"' "$C/a/server.events")
server_start a || die "server a with the smaller log: $(tail -n 1 "$C/a/server.events")"
check "a log that stays smaller than it was is found, though nothing contradicts it yet" wait_for 20 since '"peer.smaller_log"'
check "... both heads are kept" wait_for 5 bash -c "ls '$C'/a/audit/conflicts/*.checkpoint"
said() { [ "$(incidents)" -ge 1 ]; }
check "... and it is said in the log itself" wait_for 5 said
check "exchanges go on" contains "$(ask 1)" "OK                   1"
check "a message with a smaller head than an earlier one is told of at once" wait_for 3 since '"peer.smaller_head"'
check "nothing of b's was taken for consistent since" equal "$(grep -c '"peer.consistent"' "$C/a/server.events")" "$before"
kept=$(ls "$C/a/audit/conflicts" | wc -l)
server_stop a
server_stop b
size() { sed -n 2p "$C/b/audit/log/1/promise"; }
for ((i = 0; i < 12; i++)); do
    server_start b || die "b does not start alone: $(tail -n 1 "$C/b/server.events")"
    server_stop b
done
check "alone, the other history grows" test "$(size)" -gt 20
server_start b
mark
server_start a || die "server a once more: $(tail -n 1 "$C/a/server.events")"
check "the peer that was shown the first history finds it" wait_for 20 since '"peer.inconsistent_log"'
more_kept() { [ "$(ls "$C/a/audit/conflicts" | wc -l)" -gt "$kept" ]; }
check "... keeps what the other signed" wait_for 5 more_kept
two_said() { [ "$(incidents)" -ge 2 ]; }
check "... and says so in its own log" wait_for 5 two_said
check "nothing of b's was taken for consistent since" equal "$(grep -c '"peer.consistent"' "$C/a/server.events")" "$before"
server_stop a
server_stop b
check "an auditor with both logs finds it too" bash -c "! '$BIN/chaski-audit' verify '$C/a/audit' '$C/b/audit' >'$C/said' 2>&1 && grep -q FINDING '$C/said'"
"$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" --store-key "$C/a/keys/store.key" >"$C/said" 2>&1
check "... and is told what the peer said of it" contains "$(grep REMARK "$C/said")" "INCIDENT: the log of"
finish
