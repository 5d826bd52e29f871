#!/bin/bash
# SPDX-License-Identifier: MIT
# A peer that lies, with real keys of a real member: each lie is refused with the right fault, said in one
# event, and no process dies. Then an honest one gets through.
. "$(dirname "$0")/lib.sh"

country_make
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA
service=CO/GOV/899999027/DIVIPOLA/municipios
registry service add $service --class open || die "no service"
registry service add ${service}r || die "no service"
registry service add ${service}p --class open --subject required || die "no service about persons"
registry $(restriction_words ${service}r) >/dev/null || die "no restriction"
publish || die "nothing published"
server_start b || die "server b does not start: $(tail -n 1 "$C/b/server.events")"
"$OUT/tests/front_peer" serve "ipc://$C/b/front" CO/GOV/899999027/DIVIPOLA "$C/served" 2>/dev/null &
pids+=($!)
wait_for 5 grep -q front.gateway_arrived "$C/b/server.events" || die "no stand-in gateway"
pid_before=$(sed -n 's/^exchange_pid=//p' "$C/b/server.ready")

lie() { # LIE [SERVICE]: what comes back
    timeout 10 "$OUT/tests/mesh_peer" "tcp://$HOST:${MESH_PORT[b]}" "$C/a/keys" CO/MUN/890905211/SS1 "$C/directory" \
        "$C/store/anchor/trust.pem" "$C/store/anchor/directory.vkey" CO/GOV/899999027/SS1 \
        CO/MUN/890905211/TRAMITES "${2:-$service}" "$1" 2>&1
}
faults() { lie "$@" | sed 's/ [0-9a-f]\{16\}$//'; }

check "an honest request is answered" equal "$(faults honest)" "answer OK"
check "a consumer that does not check is refused where the service is about persons" equal "$(faults honest "${service}p")" "answer SUBJECT_REQUIRED"
check "random bytes are met with silence" equal "$(faults random)" "silence"
check "a broken envelope is met with silence" equal "$(faults envelope)" "silence"
check "a letter that was altered under way is met with silence" equal "$(faults unsealed)" "silence"
check "a letter in another server's name is met with silence" equal "$(faults replay-other)" "silence"
check "a stranger's transport key does not get in" equal "$(faults stranger)" "silence"
check "another payload than the signed one is refused" equal "$(faults other-payload)" "answer COMMITMENT_BAD"
check "a signature over something else is refused" equal "$(faults bad-signature)" "answer SIGNATURE_BAD"
check "a signature by another key is refused" equal "$(faults wrong-key)" "answer SIGNATURE_BAD"
check "a request to another server is refused" equal "$(faults other-server)" "answer WRONG_SERVER"
check "a sender of another member is refused" equal "$(faults other-sender)" "answer NOT_YOURS"
check "a request from the future is refused" equal "$(faults future)" "answer FROM_FUTURE"
check "a stale request is refused" equal "$(faults stale)" "answer STALE"
check "a request that is not young is taken while its caller waits" equal "$(faults old)" "answer OK"
check "a deadline a day away is refused" equal "$(faults long-deadline)" "answer DEADLINE_BAD"
check "the provider decides for itself, whatever the consumer's node let pass" \
    equal "$(faults honest ${service}r)" "answer ACCESS_DENIED"

for age in twice old-twice; do
    before=$(wc -l <"$C/served")
    twice=$(lie "$age")
    check "a double is answered twice with one and the same outcome ($age)" \
        equal "$(echo "$twice" | sort | uniq -c | awk '{print $1, $2, $3}')" "2 answer OK"
    check "a double is served once ($age)" equal "$(($(wc -l <"$C/served") - before))" 1
done

head -c 4000 /dev/urandom >"/dev/tcp/$HOST/${MESH_PORT[b]}"
check "bytes that are no handshake leave an event" wait_for 14 grep -q mesh.garbage_refused "$C/b/server.events"
check "each unopened message is one event" \
    equal "$(grep -c mesh.message_refused "$C/b/server.events")" 4
check "no process died of it" equal "$(sed -n 's/^exchange_pid=//p' "$C/b/server.ready")" "$pid_before"
check "the exchange process still runs" kill -0 "$pid_before"

# a revoked certificate, without a restart
registry certificate revoke --server CO/MUN/890905211/SS1 --reason "clave perdida" ||
    not_ok "a certificate can be revoked" "$?"
publish
wait_for 5 sh -c "tail -n 50 '$C/b/server.events' | grep -q '\"directory.taken\",\"epoch\":1[0-9]'"
sleep 1.2
check "a revoked key is refused, without a restart" equal "$(faults honest)" "answer REVOKED"
server_stop b
check "the server stops as asked" equal $? 0
check "the log verifies" "$BIN/chaski-audit" verify "$C/b/audit" --store-key "$C/b/keys/store.key"
finish
