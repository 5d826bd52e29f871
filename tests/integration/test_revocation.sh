#!/bin/bash
# SPDX-License-Identifier: MIT
# A server's key is stolen: one command of one operator, and within seconds every node refuses what the thief
# signs and sends that server nothing more. Who cannot hear the registry hears of it from a peer's signed header.
# The server itself says so and signs nothing more. What was signed and taken in before stays good evidence.
. "$(dirname "$0")/lib.sh"
PEER=$OUT/tests/front_peer
CHECKPOINT_MS=300
PUBLISH_MS=600
SOON=20 # seconds; what is measured is said: tests/bench/revocation.sh
country_make >/dev/null
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA >/dev/null
member_make c CO/GOV/899999040/SS1 "Registraduría" IDENTIDAD >/dev/null # cut off from the registry
member_make x CO/GOV/800197268/SS1 "DIAN" RUT >/dev/null                # loses its key
member_make y CO/GOV/899999090/SS1 "Hacienda" PREDIOS >/dev/null        # loses its key and is cut off
declare -A STAND_IN STOOD SUBSYSTEM=([a]=CO/MUN/890905211/TRAMITES [b]=CO/GOV/899999027/DIVIPOLA [c]=CO/GOV/899999040/IDENTIDAD
    [x]=CO/GOV/800197268/RUT [y]=CO/GOV/899999090/PREDIOS)
for n in a b c x y; do registry service add "${SUBSYSTEM[$n]}/uno" --class open >/dev/null || die "no service"; done
registry witness assign --per-log 1 --quorum 1 >/dev/null || die "no witnesses"
web_port=$(free_port); push_port=$(free_port); admin_port=$(free_port)
WEB=http://127.0.0.1:$web_port
registry stamp-authority url --url "$WEB/tsa" --name NACIONAL --order 1 >/dev/null || die "no stamps"
"$BIN/chaski-registry" operator key "$C/ana.key" >"$C/ana.pub" || die "no key"
registry operator add ana --name Ana --key "$(cat "$C/ana.pub")" --role revoke --role publish >/dev/null || die "no operator"
(
    ulimit -Sn 1024 # as a login gives
    exec "$BIN/chaski-registry" serve "$C/store" --listen "127.0.0.1:$web_port" --directory "$C/directory" --authority \
        --admin "127.0.0.1:$admin_port" --push "tcp://127.0.0.1:$push_port" --ready-file "$C/ready" 2>>"$C/serve.events"
) &
registry_pid=$!; pids+=($registry_pid)
wait_for 20 test -s "$C/ready" || die "the registry does not start: $(tail -n 1 "$C/serve.events")"
check "each follower is a connection: the registry takes as many files as the system allows" equal \
    "$(awk '/^Max open files/ { print ($4 == $5 || $4 == 65536) }' "/proc/$registry_pid/limits")" 1
"$BIN/chaski-registry" anchor "$C/store" --url "$WEB" --push "tcp://127.0.0.1:$push_port" --to "$C/chaski.anchor" >/dev/null || die "no anchor"
at() { "$BIN/chaski-registry" "$@" --at "https://127.0.0.1:$admin_port" --anchor "$C/chaski.anchor" --as "$C/ana.key"; }
for n in a b c x y; do
    sed -i -e '/^directory_folder\|^trust_file\|^authority_file/d' "$C/$n/server.conf"
    echo "anchor_file = \"$C/chaski.anchor\"" >>"$C/$n/server.conf" # asks once a minute: within seconds there is the push only
    server_start $n || die "server $n: $(tail -n 2 "$C/$n/server.events")"
    "$PEER" serve "ipc://$C/$n/front" "${SUBSYSTEM[$n]}" 2>/dev/null &
    STAND_IN[$n]=$!; pids+=($!)
done
for n in a b c x y; do wait_for 15 grep -q front.gateway_arrived "$C/$n/server.events"; done
stand_in_of() { echo "${STAND_IN[$1]}"; }

ask() { # FROM TO: the outcome
    timeout 20 "$PEER" ask "ipc://$C/$1/front" "${SUBSYSTEM[$1]}" "${SUBSYSTEM[$2]}/uno" 1 1 2>/dev/null | awk 'NR == 2 { print $1 }'
}
is_answered() { [ "$(ask "$1" "$2")" = "$3" ]; }
epoch_of() { sed -n 2p "$C/$1/audit/directory/checkpoint"; }
head_of() { sed -n 2p "$C/directory/checkpoint"; }
has() { [ "$(epoch_of "$1")" = "$(head_of)" ]; }
entries() { "$BIN/chaski-audit" show "$C/$1/audit" --json | jq length; }
exchanged() { "$BIN/chaski-audit" show "$C/$1/audit" --json | jq 'map(select(.kind | IN("request", "response", "fault"))) | length'; }
follower() { pgrep -P "$(cat "$C/$1/server.pid")" chaski-follow; }
thief() { # OWNER TARGET: who has the owner's keys asks the target; what is said
    timeout 10 "$OUT/tests/mesh_peer" "tcp://$HOST:${MESH_PORT[$2]}" "$C/$1/keys" "${SERVER[$1]}" "$C/before" \
        "$C/store/anchor/trust.pem" "$C/store/anchor/directory.vkey" "${SERVER[$2]}" "${SUBSYSTEM[$1]}" \
        "${SUBSYSTEM[$2]}/uno" honest 2>&1 | sed 's/ [0-9a-f]\{16\}$//'
}
requests_of() { # NODE SENDER: their indexes in the node's log, a line
    "$BIN/chaski-audit" show "$C/$1/audit" --json | jq -r --arg s "${SERVER[$2]}" \
        '[.[] | select(.kind == "request" and .sender_server == $s) | .index] | join(" ")'
}
came() { [ "$(exchanged "$1")" -gt "$2" ]; }
stamped() { [ -s "$C/$1/audit/log/1/stamped" ] && [ "$(cut -d ' ' -f 1 "$C/$1/audit/log/1/stamped")" -ge "$2" ]; }

# --- before -----------------------------------------------------------------------------------------
cp -r "$C/directory" "$C/before"
for pair in "a b" "x b" "a x" "x c" "y b" "c b"; do
    check "an exchange runs: $pair" equal "$(ask ${pair% *} ${pair#* })" OK
done
check "who has the keys of a server is that server, before" equal "$(thief x b)" "answer OK"
traffic() { "$BIN/chaski-audit" show "$C/$1/audit" --json | jq 'map(select(.kind != "stamped"))[-1].index + 1'; }
for n in a b x; do STOOD[$n]=$(traffic $n); done
for n in a b x; do check "what stands in the log of $n is stamped" wait_for 20 stamped $n "${STOOD[$n]}"; done
sleep 3 # connections of the push stand
before=$(head_of)
kill -STOP "$(follower c)" "$(follower y)"
# in flight: taken in by the provider, whose service thinks
kill -STOP "$(stand_in_of b)"
served=$(exchanged b)
"$PEER" ask "ipc://$C/x/front" "${SUBSYSTEM[x]}" "${SUBSYSTEM[b]}/uno" 1 1 >"$C/in_flight" 2>/dev/null & flight=$!
wait_for 5 came b "$served"

# --- one command ------------------------------------------------------------------------------------
check "an operator with that role alone revokes" contains "$(at certificate revoke --server "${SERVER[x]}" --reason "Llave robada" 2>&1)" "carried out"
check "... and the directory has it" test "$(head_of)" -gt "$before"
for n in a b x; do check "node $n hears of it within seconds" wait_for $SOON has $n; done
check "... by the push" contains "$(grep '"follow.taken"' "$C/a/server.events" | tail -n 1)" '"push"'
check "a node that is cut off does not" equal "$(epoch_of c)" "$before"
kill -CONT "$(stand_in_of b)"
wait $flight
check "an exchange that was signed before and taken in ends as it would have" contains "$(cat "$C/in_flight")" OK

# --- refused ----------------------------------------------------------------------------------------
check "what the thief signs is refused" equal "$(thief x b)" "answer REVOKED"
check "... by everybody who heard" equal "$(thief x a)" "answer REVOKED"
got=$(exchanged x)
check "nothing is sent to the server that lost its key" equal "$(ask a x)" REVOKED
check "... not even to look at" equal "$(exchanged x)" "$got"

# --- the server itself ------------------------------------------------------------------------------
check "the server says that its certificate is revoked" wait_for 10 grep -q '"certificate.revoked"' "$C/x/server.events"
check "... once" equal "$(grep -c '"certificate.revoked"' "$C/x/server.events")" 1
check "its callers hear it, and whose it is" equal "$(ask x b)" OWN_REVOKED
gateway_start_unready() {
    rm -f "$C/$1/gateway.ready"
    "$BIN/chaski-gateway" --config "$C/$1/gateway.conf" 2>>"$C/$1/gateway.events" &
    echo $! >"$C/$1/gateway.pid"; pids+=($!)
    wait_for 20 test -s "$C/$1/gateway.ready"
}
unready() { [ "$(curl -s -o "$C/readyz" -w '%{http_code}' "$(gateway_url "$1")/readyz")" = 503 ] && grep -q OWN_REVOKED "$C/readyz"; }
gateway_start_unready x
check "it is not ready, and /readyz says why" wait_for 10 unready x
said=$(curl -s -H "X-Road-Client: ${SUBSYSTEM[x]}" "$(gateway_url x)/r1/${SUBSYSTEM[b]}/uno/a")
check "a caller reads what to do" contains "$said" "needs new keys"
said=$("$BIN/chaski" status --config "$C/x/server.conf" 2>&1); status=$?
check "chaski status says it too" contains "$said" OWN_REVOKED
check "... and fails" equal $status 1
gateway_stop x
now=$(entries x)
ask x b >/dev/null
sleep 2
check "it signs nothing more, not even of itself" equal "$(entries x)" "$now"

# --- cut off ----------------------------------------------------------------------------------------
check "a node that has not heard takes what the thief signs" equal "$(thief x c)" "answer OK"
check "it hears of it from the signed header of a peer that asks" equal "$(ask a c)" OK
check "... asks that peer for the acts" wait_for $SOON has c
check "... and says from whom it has them" contains "$(grep '"directory.taken"' "$C/c/server.events" | tail -n 1)" "${SERVER[a]}"
check "then it refuses too" equal "$(thief x c)" "answer REVOKED"
check "... and sends nothing there" equal "$(ask c x)" REVOKED
at purpose add P-2 --title Dos --legal-basis Ley >/dev/null || die "no act"
wait_for $SOON has b
check "the header of an answer does it too" equal "$(ask c b)" OK
check "... for who asked" wait_for $SOON has c
check "a server with another's stolen key cannot hide it by being cut off" contains \
    "$(at certificate revoke --server "${SERVER[y]}" --reason "Llave robada" 2>&1)" "carried out"
wait_for $SOON has b
check "... for it is refused" equal "$(ask y b)" REVOKED
check "... hears of it by that refusal" wait_for $SOON has y
check "... says so" wait_for 10 grep -q '"certificate.revoked"' "$C/y/server.events"
check "... and signs nothing more" equal "$(ask y b)" OWN_REVOKED
kill -CONT "$(follower c)" "$(follower y)"

# --- stopped and started -----------------------------------------------------------------------------
now=$(entries x)
server_stop x; status=$?
check "the revoked server can be stopped" equal $status 0
rm -f "$C/x/server.ready"
"$BIN/chaski-security-server" --config "$C/x/server.conf" 2>"$C/x/again.events" & again=$!; pids+=($again)
check "started again it says why it does not begin" wait_for 20 grep -q '"server.not_begun".*OWN_REVOKED' "$C/x/again.events"
check "... and its callers hear it" wait_for 10 is_answered x b OWN_REVOKED
kill $again; wait $again; status=$?
check "... and it can be stopped" equal $status 0
check "... and its log has nothing more" equal "$(entries x)" "$now"

# --- evidence ---------------------------------------------------------------------------------------
servers_stop a b c y
keys() { for n; do echo "--store-key $C/$n/keys/store.key"; done; }
# shellcheck disable=SC2046
verify() { "$BIN/chaski-audit" verify $(for n; do echo "$C/$n/audit"; done) $(keys "$@"); }
said=$(verify a b 2>&1); status=$?
[ $status = 0 ] || echo "$said" | head -n 40 >&2
check "what was taken in before stays good: the logs of who heard verify" equal $status 0
said=$(verify a x 2>&1); status=$?
[ $status = 0 ] || echo "$said" | head -n 40 >&2
check "... and the log of the server that lost its key" equal $status 0
said=$(verify a b x 2>&1); status=$?
check "what the thief signed before it is found when the logs of both ends are compared" equal $status 1
check "... as what that server never wrote down" contains "$said" "request of ${SERVER[x]} is not in its own log"
check "... and nothing was signed after it" equal "$(grep -c 'was revoked' <<<"$said")" 0
said=$(verify a b c 2>&1); status=$?
check "what the thief signed after it, and who was cut off took, is found" equal $status 1
check "... as that" contains "$said" "after the certificate of ${SERVER[x]} was revoked"
check "... and only that" equal "$(grep -c 'was revoked' <<<"$said")" "$(grep -c "of ${SERVER[x]} was revoked" <<<"$said")"
export_to() { "$BIN/chaski-audit" export "$C/$1/audit" "$2" --to "$3" --store-key "$C/$1/keys/store.key" --directory "$C/directory" >"$C/exported" 2>&1; }
first=$(requests_of b x); first=${first%% *}
check "the request of before is exported" export_to b "$first" "$C/out-before"
"$C/out-before/verify.sh" >"$C/said" 2>&1; status=$?
check "... and proves itself with stock tools" equal $status 0
check "... saying when the certificate was revoked, after it signed" contains "$(cat "$C/said")" "revoked since"
last=$(requests_of c x); last=${last##* }
check "what was signed after it is exported" export_to c "$last" "$C/out-after"
"$C/out-after/verify.sh" >"$C/said" 2>&1; status=$?
check "... and does not pass" equal $status 1
check "... because of that" contains "$(cat "$C/said")" "was revoked at"
finish
