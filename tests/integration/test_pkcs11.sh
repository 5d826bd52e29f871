#!/bin/bash
# SPDX-License-Identifier: MIT
# A member whose signing key lives in a PKCS#11 token: whole exchanges through it, its loss in all forms, and
# what is wrong with it said in words. The token is SoftHSM, with a module in front that fails as it is told.
. "$(dirname "$0")/lib.sh"
MODULE=$OUT/tests/failing_token.so
export SOFTHSM2_CONF=$C/softhsm.conf FAILING_TOKEN_ORDER=$C/order FAILING_TOKEN_LOGINS=$C/logins
mkdir "$C/tokens"
printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$C/tokens" >"$SOFTHSM2_CONF"
: >"$C/order"; : >"$C/logins"
softhsm2-util --init-token --free --label Sello --pin 123456 --so-pin 654321 >/dev/null || die "no token"
pin() { (umask 077; printf '%s\n' "$1" >"$C/pin.new" && mv "$C/pin.new" "$C/pin"); }
pin 123456
uri() { echo "pkcs11:token=Sello;object=$1?pin-source=file:$C/pin"; }
tool() { pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so --token-label Sello --login --pin 123456 "$@"; }
order() { printf '%s\n' "$1" >"$C/order.new" && mv "$C/order.new" "$C/order"; }
logins() { grep -c login "$C/logins"; }

CHECKPOINT_MS=200 PUBLISH_MS=300
country_make >/dev/null
KEYS_MORE=(--token "$(uri firma)" --module "$MODULE")
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
KEYS_MORE=()
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA >/dev/null
member_make c CO/GOV/800197268/SS1 "DIAN" RUT >/dev/null
A=CO/MUN/890905211/TRAMITES B=CO/GOV/899999027/DIVIPOLA
set_key() { sed -i '/^sign_key/d; /^token_module/d' "$C/a/server.conf"; printf 'sign_key = "%s"\ntoken_module = "%s"\n' "$1" "$2" >>"$C/a/server.conf"; }
set_key "$(uri firma)" "$MODULE"

check "the request was signed by the token" eval "jq -r .certificate_request '$C/a/request.json' | base64 -d | openssl req -inform DER -verify -noout"
check "there is no signing key in a file" test ! -e "$C/a/keys/sign.key"
check "the key in the token is sensitive and cannot be taken out" contains "$(tool -O --type privkey 2>/dev/null)" "always sensitive, never extractable, local"
registry service add $A/uno --class open >/dev/null || die "no service"
registry service add $B/uno --class open >/dev/null || die "no service"
registry witness assign --per-log 2 --quorum 1 >/dev/null || die "no witnesses"
publish
printf 'codigo,nombre\n05001,Medellin\n' >"$C/lista.csv"
for m in a b; do
    S=$A; [ $m = a ] || S=$B
    echo "service \"$S/uno\" { kind = table file = \"$C/lista.csv\" key = codigo }" >"$C/$m/services/uno.conf"
done
for m in a b c; do server_start $m || die "server $m: $(tail -n 1 "$C/$m/server.events")"; done
gateway_start a || die "gateway a: $(tail -n 1 "$C/a/gateway.events")"
gateway_start b || die "gateway b"
from_a() { curl -sS --max-time "${WAIT:-20}" -o "$C/body" -w '%{http_code}' -H "X-Road-Client: $A" "$(gateway_url a)/r1/$B/uno/05001"; }
from_b() { curl -sS --max-time "${WAIT:-20}" -o "$C/body.b" -w '%{http_code}' -H "X-Road-Client: $B" "$(gateway_url b)/r1/$A/uno/05001" ${DEADLINE:+-H "Chaski-Deadline-Ms: $DEADLINE"}; }
ready() { curl -s --max-time 5 "$(gateway_url a)/readyz"; }
is_ready() { [ "$(ready)" = ready ]; }
says() { ready | grep -q "$1"; }
status() { "$BIN/chaski" status --config "$C/a/server.conf" 2>&1; }

# --- signing ----------------------------------------------------------------------------------------
wait_for 10 grep -q front.gateway_arrived "$C/b/server.events"
check "a request signed by the token is answered" equal "$(from_a)" 200
check "a request to it is answered, and the answer signed by the token" equal "$(from_b)" 200
for i in 1 2 3 4 5 6 7 8; do from_a >/dev/null & from_b >/dev/null & done; wait $(jobs -p | tail -n 16) 2>/dev/null
check "sixteen at once" equal "$(from_a)$(from_b)" 200200
check "chaski status says that it is ready" contains "$(status)" "ready"
child_of() { local p; for p in $(pgrep -P "$(cat "$C/a/server.pid")"); do [ "$(cat "/proc/$p/comm" 2>/dev/null)" = "$1" ] && echo "$p"; done; }
holds() { local p; for p in $(pgrep -P "$(cat "$C/a/server.pid")"); do grep -q softhsm "/proc/$p/maps" && cat "/proc/$p/comm"; done; }
check "only one process has the token's module loaded" equal "$(holds)" chaski-token
no_exec() { grep -q '^Seccomp:	2' "/proc/$(child_of chaski-token)/status"; }
check "... in a jail of its own" no_exec
sleep 1.2
index=$(jq -r 'select(.event == "exchange.completed" and .role == "consumer") | .request_index' "$C/a/server.events" | head -n 1)
"$BIN/chaski-audit" export "$C/a/audit" "$index" --to "$C/export" --store-key "$C/a/keys/store.key" >/dev/null 2>&1
check "stock openssl verifies a record that the token signed" openssl cms -verify -cades -binary -inform DER -in "$C/export/leaf.p7m" \
    -certfile "$C/export/signer.pem" -CAfile "$C/store/anchor/trust.pem" -out "$C/header.out"
check "... which is of the certificate of the token's key" cmp <(openssl x509 -in "$C/export/signer.pem" -outform DER) <(openssl x509 -in "$C/a/keys/sign.crt" -outform DER)

# --- the token is pulled out, and put back --------------------------------------------------------------
exchange=$(sed -n 's/^exchange_pid=//p' "$C/a/server.ready")
mv "$C/tokens" "$C/away"
check "a token that is away is seen without traffic" wait_for 20 says TOKEN_AWAY
check "... and is an event" grep -q '"token.away"' "$C/a/server.events"
check "... and a state" contains "$(status)" "TOKEN_AWAY"
check "a caller hears it at once" equal "$(WAIT=3 from_a)" 503
check "... whose fault it is and what to do" contains "$(cat "$C/body")" "tell the operator of this server"
check "who asks it hears nothing that is not signed" contains "504 503" "$(DEADLINE=1500 WAIT=10 from_b)"
server_stop c; server_start c || die "server c again"
n=$(sed -n 2p "$C/c/audit/log/1/promise")
cosigned() { [ "$(sed -n 2p "$C/c/audit/log/1/cosigned" 2>/dev/null || echo 0)" -ge "$1" ] && grep -q "witness/CO/MUN/890905211" "$C/c/audit/log/1/checkpoint"; }
check "it still witnesses others' logs" wait_for 30 cosigned "$n"
check "its own log verifies meanwhile" "$BIN/chaski-audit" verify "$C/a/audit" --store-key "$C/a/keys/store.key" --quiet
mv "$C/away" "$C/tokens"
check "with the token back it is ready" wait_for 20 is_ready
check "... and signs" equal "$(from_a)$(from_b)" 200200
check "... in the same process" equal "$(sed -n 's/^exchange_pid=//p' "$C/a/server.ready")" "$exchange"
mv "$C/tokens" "$C/away"
wait_for 20 says TOKEN_AWAY
(sleep 4; mv "$C/away" "$C/tokens") &
check "a question that came while it was away is answered in its time" equal "$(DEADLINE=25000 WAIT=30 from_b)" 200

# --- sessions that are lost ------------------------------------------------------------------------------
wait_for 20 is_ready
n=$(grep -c '"token.session_lost"' "$C/a/server.events")
for kind in once session; do
    order $kind
    check "a lost session ($kind) costs no exchange" equal "$(from_a)" 200
    sleep 6 # a loss right after another one is not taken for an accident
done
check "... but is told" test "$(grep -c '"token.session_lost"' "$C/a/server.events")" -gt "$n"
order removed
check "a device that is removed makes a state" wait_for 20 says TOKEN_AWAY
order absent
check "... and so does a slot without it" contains "$(sleep 6; status)" TOKEN_AWAY
order none
check "... until it is there again" wait_for 20 is_ready

# --- bounds ---------------------------------------------------------------------------------------------
order slow
printf 'url = "%s/r1/%s/uno/05001"\nheader = "X-Road-Client: %s"\noutput = /dev/null\nwrite-out = "%%{http_code}\\n"\n' "$(gateway_url a)" "$B" "$A" >"$C/curl.one"
for ((i = 0; i < 600; i++)); do cat "$C/curl.one"; echo next; done | sed '$d' >"$C/curl.conf"
timeout 90 curl -sS --parallel --parallel-immediate --parallel-max 300 --max-time 60 -K "$C/curl.conf" >"$C/codes" 2>/dev/null
check "a slow token: everybody is answered" equal "$(wc -l <"$C/codes")" 600
check "... some with what they asked for" test "$(grep -c 200 "$C/codes")" -gt 50
check "... nobody with anything else than 200 and 503" equal "$(grep -vc -e 200 -e 503 "$C/codes")" 0
order none
check "... and then it goes on" equal "$(from_a)" 200
kill -9 "$(child_of chaski-token)"
check "a token process that dies is started again" wait_for 20 grep -q '"process":"chaski-token"' "$C/a/server.events"
again() { [ "$(WAIT=3 from_a)" = 200 ]; }
check "... and signs again" wait_for 30 again
check "... without a restart of the others" equal "$(sed -n 's/^exchange_pid=//p' "$C/a/server.ready")" "$(child_of chaski-exchange)"
order hang
check "a module that hangs is left with its process" wait_for 60 grep -q 'token.module_hangs' "$C/a/server.events"
check "... which is a state" wait_for 20 says TOKEN_AWAY
order none
check "... so that it signs again" wait_for 40 again

# --- a wrong PIN is tried once ----------------------------------------------------------------------------
server_stop a
check "the server stops as asked" equal $? 0
start_only() { # without waiting for it to be ready
    wc -l <"$C/a/server.events" >"$C/a/server.mark"
    "$BIN/chaski-security-server" --config "$C/a/server.conf" 2>>"$C/a/server.events" &
    echo $! >"$C/a/server.pid"; pids+=($!)
}
lately() { tail -n "+$(($(cat "$C/a/server.mark") + 1))" "$C/a/server.events" | grep "$1"; }
heard() { lately '"token.refused"' | grep -qi "$1"; }
pin 999999; : >"$C/logins"
start_only
check "a wrong PIN is said" wait_for 20 heard "does not take this PIN"
check "... to gateways too" wait_for 20 says TOKEN_REFUSED
sleep 7
check "... and is tried once" equal "$(logins)" 1
check "the PIN is in no event" equal "$(grep -c 999999 "$C/a/server.events")" 0
server_stop a
check "a server that waits for its token stops as asked" equal $? 0
start_only
check "after a restart" wait_for 20 heard "not tried again"
sleep 6
check "... the same PIN is not tried again" equal "$(logins)" 1
pin 123456
check "a new PIN is tried without a restart" wait_for 20 is_ready
check "... and it signs" wait_for 20 again

# --- what is wrong is said in words, and no restarts are tried ---------------------------------------------
wrong() { # SENTENCE WORDS URI MODULE
    server_stop a
    set_key "$3" "$4"
    start_only
    check "$1" wait_for 20 heard "$2"
    check "... the server waits" eval "! grep -q server.ready <(lately server.ready)"
}
wrong "a module that is missing" "does not load" "$(uri firma)" "$C/none.so"
wrong "a file that is no module" "does not load\|no PKCS#11 module" "$(uri firma)" "$C/order"
wrong "a label that is not there" "no private key of this name" "$(uri nadie)" "$MODULE"
tool --keypairgen --key-type EC:prime256v1 --label doble --id 01 >/dev/null 2>&1
tool --keypairgen --key-type EC:prime256v1 --label doble --id 02 >/dev/null 2>&1
wrong "two keys of one label" "more than one private key" "$(uri doble)" "$MODULE"
tool --keypairgen --key-type rsa:2048 --label vieja --id 03 >/dev/null 2>&1
wrong "an RSA key" "an RSA key" "$(uri vieja)" "$MODULE"
tool --keypairgen --key-type EC:secp384r1 --label grande --id 04 >/dev/null 2>&1
wrong "a key of another curve" "another curve" "$(uri grande)" "$MODULE"
wrong "another key than the certificate's" "not the certificate of the key" "$(uri 'doble;id=%01')" "$MODULE"
check "nothing was restarted for it" eval "! grep -q -e server.restarting -e aside_restarted <(lately .)"
server_stop a
refuses() { # SENTENCE WORDS URI
    set_key "$3" "$MODULE"
    check "$1" contains "$("$BIN/chaski-security-server" --config "$C/a/server.conf" --check-config 2>&1)" "$2"
}
refuses "a PIN in the settings is refused" "a PIN is not written into settings" "pkcs11:token=Sello;object=firma?pin-value=123456"
refuses "a PIN from a terminal is refused for a server" "file:PATH or credential:NAME" "pkcs11:token=Sello;object=firma?pin-source=terminal"
refuses "a URI without a key is refused" "names the key" "pkcs11:token=Sello"
set_key "$(uri firma)" "$MODULE"
check "a second key of the same label is not made" contains "$("$BIN/chaski" keys make --folder "$C/again" --server CO/MUN/890905211/SS2 --name M \
    --address tcp://127.0.0.1:1 --request "$C/again.json" --token "$(uri firma)" --module "$MODULE" 2>&1)" "a key of this name"
server_start a || die "server a at the end"
check "at the end it signs as before" wait_for 20 again
servers_stop a b c
check "all logs verify" "$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" --store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key"
finish
