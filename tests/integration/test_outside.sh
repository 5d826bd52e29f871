#!/bin/bash
# SPDX-License-Identifier: MIT
# Witnesses that are no servers of the bus (an audit office, a court), asked over HTTP: their cosignatures count
# towards the quorum, and none of what they do wrong stops a message, passes for a cosignature or leaves the scribe.
. "$(dirname "$0")/lib.sh"
PEER=$OUT/tests/front_peer
WITNESS=$OUT/tests/outside_witness
CHECKPOINT_MS=200
PUBLISH_MS=300
country_make >/dev/null
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA >/dev/null
S=CO/GOV/899999027/DIVIPOLA/uno
registry service add $S --class open >/dev/null || die "no service"
A=CO/MUN/890905211/SS1
log_vkey=$(cat "$C/a/keys/log.vkey")
declare -A PORT VKEY
for w in contraloria corte; do
    PORT[$w]=$(free_port)
    echo good >"$C/$w.mode"
done
witness_start() { # NAME SEED
    "$WITNESS" "${PORT[$1]}" "$1.gov.example/witness" "$2" "$C/$1.mode" "$log_vkey" >"$C/$1.vkey" 2>>"$C/$1.said" &
    pids+=($!)
    wait_for 5 curl -s -o /dev/null "http://127.0.0.1:${PORT[$1]}/"
    VKEY[$1]=$(cat "$C/$1.vkey")
}
witness_start contraloria 5 || die "no witness"
witness_start corte 7 || die "no witness"
outside() { echo "${VKEY[$1]}=http://127.0.0.1:${PORT[$1]}/w"; }
check "the authority names witnesses that are no servers, beside one that is" registry witness set $A \
    --witness CO/GOV/899999027/SS1 --outside "$(outside contraloria)" --outside "$(outside corte)" --quorum 3
publish
printf 'witness_alarm_ms = 3000\nwitness_stop_ms = 3600000\n' >>"$C/a/server.conf"
for m in a b; do server_start $m || die "server $m: $(tail -n 1 "$C/$m/server.events")"; done
"$PEER" serve "ipc://$C/b/front" CO/GOV/899999027/DIVIPOLA 2>/dev/null &
pids+=($!)
wait_for 5 grep -q front.gateway_arrived "$C/b/server.events"
ask() { timeout 30 "$PEER" ask "ipc://$C/a/front" CO/MUN/890905211/TRAMITES $S "$1" 8 2>/dev/null; }
LOG=$C/a/audit/log/1
cosigned_at() { [ "$(sed -n 2p "$LOG/cosigned" 2>/dev/null || echo 0)" -ge "$1" ] 2>/dev/null; }
size() { sed -n 2p "$LOG/checkpoint"; }

check "exchanges" contains "$(ask 20)" "OK                   20"
check "a quorum of one server and two outside witnesses is reached" wait_for 20 cosigned_at 41
check "... with the cosignature of the first" grep -q "^— contraloria.gov.example/witness " "$LOG/cosigned"
check "... and of the second" grep -q "^— corte.gov.example/witness " "$LOG/cosigned"
check "exchanges" contains "$(ask 20)" "OK                   20"
check "the next head is cosigned too" wait_for 20 cosigned_at 81
check "... by a consistency proof from the last one" grep -Eq "cosigned 8[0-9] from [1-9][0-9]* with [1-9]" "$C/contraloria.said"

# a cosignature that came over HTTP, checked with openssl alone
line=$(grep -aF -- "— contraloria.gov.example/witness " "$LOG/cosigned")
sig=$(echo "${line##* }" | base64 -d | xxd -p -c 200)
echo "302a300506032b6570032100$(cut -d + -f 3- "$C/contraloria.vkey" | base64 -d | xxd -p -c 64 | cut -c 3-)" | xxd -r -p >"$C/k"
echo "${sig:24}" | xxd -r -p >"$C/sig"
{ printf 'cosignature/v1\ntime %d\n' "$((16#${sig:8:16}))"; head -n 3 "$LOG/cosigned"; } >"$C/msg"
check "openssl verifies it" openssl pkeyutl -verify -pubin -keyform DER -inkey "$C/k" -rawin -in "$C/msg" -sigfile "$C/sig"

# a witness that knows nothing of us any more, and one that lost us and says so
"$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" --store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key" >"$C/said" 2>&1
check "the auditor takes them for what they are" equal "$(grep -c FINDING "$C/said")" 0

# what a witness can do wrong: messages go on, nothing of it counts, the other one is asked all the same
misbehaves() { # MODE WORDS
    local from
    echo "$1" >"$C/corte.mode"
    from=$(wc -l <"$C/a/server.events")
    check "with a witness that answers '$1' exchanges go on" contains "$(ask 5)" "OK                   5"
    said() { tail -n "+$((from + 1))" "$C/a/server.events" | grep -F '"witness":"corte.gov.example/witness"' | grep -qF -- "$1"; }
    check "... it is said: $2" wait_for 25 said "$2"
    check "... and counts for nothing" wait_for 10 sh -c "! grep -q '^— corte' '$LOG/outside'"
}
last=$(sed -n 2p "$LOG/cosigned")
misbehaves loop "another size each time"
misbehaves ahead "1000000 entries of our log"
misbehaves untyped "without a size"
misbehaves garbage "no good cosignature"
misbehaves wrongkey "no good cosignature"
misbehaves redirect "HTTP status 302"
misbehaves huge "more than 8192 bytes"
misbehaves drip "PEER_UNREACHABLE"
misbehaves down "HTTP status 500"
check "all the while there was no quorum" equal "$(sed -n 2p "$LOG/cosigned")" "$last"
check "... which is said, and in time an alarm" grep -q '"anchor.unconfirmed"' "$C/a/server.events"
echo good >"$C/corte.mode"
at=$(($(size) + 0))
check "with a witness that does what it should there is one again" wait_for 40 cosigned_at $at
echo twokeys >"$C/corte.mode"
ask 5 >/dev/null
at=$(($(size) + 0))
check "... and with one that signs with a key of tomorrow too, in a line of 6 KB" wait_for 40 cosigned_at $at
check "... of which only the line that we know is kept" equal "$(grep -c '^— corte' "$LOG/cosigned")" 1
echo good >"$C/corte.mode"
check "no redirect was followed" sh -c "! grep -q 'followed a redirect' '$C/corte.said'"
lives() { # the processes of server a are those that it started with
    [ "$(grep -c server.aside_restarted "$C/a/server.events")" = 0 ] && ! grep -q process_killed "$C/a/server.events"
}
check "nothing of it made a process fall" lives

# a scribe that is killed comes back and goes on asking
pkill_scribe() { local p; for p in $(ps -o pid= --ppid "$(cat "$C/a/server.pid")"); do
    [ "$(cat "/proc/$p/comm" 2>/dev/null)" = chaski-scribe ] && kill -9 "$p"; done; }
pkill_scribe
check "exchanges" contains "$(ask 10)" "OK                   10"
at=$(($(size) + 1))
check "a scribe that was killed goes on asking" wait_for 40 cosigned_at $at
check "the servers stop as asked" servers_stop a b
check "the logs verify" "$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" \
    --store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key"
finish
