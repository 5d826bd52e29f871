#!/bin/bash
# SPDX-License-Identifier: MIT
# A gateway on another machine: the front door over tcp lets in the gateways whose keys its settings name.
. "$(dirname "$0")/lib.sh"
country_make >/dev/null
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
S=CO/MUN/890905211/TRAMITES
printf 'codigo,nombre\n05001,Medellín\n' >"$C/lista.csv"
echo "service \"$S/lista\" { kind = table file = \"$C/lista.csv\" key = codigo }" >"$C/a/services/lista.conf"
registry service add $S/lista --class open >/dev/null || die "no service"
publish
port=$(free_port)
gateway_key=$("$BIN/chaski" keys transport "$C/a/gateway.key" 2>/dev/null)
server_key=$("$BIN/chaski" keys transport "$C/a/keys/transport.key" 2>/dev/null)
check "a key is printed as it is the second time" equal "$("$BIN/chaski" keys transport "$C/a/gateway.key")" "$gateway_key"
sed -i "s#^front = .*#front = \"tcp://$HOST:$port\"#" "$C/a/server.conf"
timeout 10 "$BIN/chaski-security-server" --config "$C/a/server.conf" 2>"$C/none.events"
check "a front over tcp without gateway_keys is refused" contains "$? $(cat "$C/none.events")" "needs gateway_keys"
echo "gateway_keys = {'$gateway_key'}" >>"$C/a/server.conf"
sed -i "s#^server = .*#server = \"tcp://$HOST:$port\"#" "$C/a/gateway.conf"
cp "$C/a/gateway.conf" "$C/bare.conf"
cat >>"$C/a/gateway.conf" <<E
server_key = '$server_key'
key_file = "$C/a/gateway.key"
E
evidence_port=$(free_port)
printf 'evidence_front = "tcp://%s"\nevidence_log = tiles\n' "$HOST:$evidence_port" >>"$C/a/server.conf"
printf 'evidence_server = "tcp://%s"\nevidence_listen = {"%s:0"}\n' "$HOST:$evidence_port" "$HOST" >>"$C/a/gateway.conf"
server_start a || die "server a: $(tail -n 1 "$C/a/server.events")"
gateway_start a || die "gateway a: $(tail -n 1 "$C/a/gateway.events")"
ask() { curl -sS --max-time 10 -H "X-Road-Client: $S" "$(gateway_url a)/r1/$S/lista/05001"; }
check "an exchange through a gateway on another machine" equal "$(ask)" '{"codigo":"05001","nombre":"Medellín"}'
evidence() { curl -sS --max-time 12 -o /dev/null -w '%{http_code}' "http://$(sed -n 's/^evidence_listen=//p' "$C/a/gateway.ready")/log/checkpoint"; }
reads() { [ "$(evidence)" = 200 ]; }
check "the log is read through a gateway on another machine" wait_for 20 reads
gateway_stop a
sed -i "s#gateway.key#stranger.key#" "$C/a/gateway.conf"
"$BIN/chaski" keys transport "$C/a/stranger.key" >/dev/null 2>&1
"$BIN/chaski-gateway" --config "$C/a/gateway.conf" 2>>"$C/a/gateway.events" &
pids+=($!)
refused_by() { grep gate.strangers_refused "$C/a/server.events" | grep -q "$1"; }
check "another key does not get in, and it is said" wait_for 15 refused_by '"program":"chaski-exchange"'
check "... nor to the evidence" wait_for 15 refused_by '"program":"chaski-clerk"'
timeout 10 "$BIN/chaski-gateway" --config "$C/bare.conf" 2>"$C/bare.events"
check "a gateway without the server's key does not start" contains "$? $(cat "$C/bare.events")" "needs server_key"
server_stop a
check "the server stops as asked" equal $? 0

# --- gateways come and go ----------------------------------------------------------------------------
sed -i "s#^front = .*#front = \"ipc://$C/a/front\"#; /^gateway_keys/d; /^evidence/d" "$C/a/server.conf"
server_start a || die "server a over ipc: $(tail -n 1 "$C/a/server.events")"
serve() { "$OUT/tests/front_peer" serve "ipc://$C/a/front" $S 2>/dev/null & pids+=($!); }
arrived() { [ "$(grep -c 'gateway_arrived' "$C/a/server.events")" = "$1" ]; }
n=$(grep -c gateway_arrived "$C/a/server.events")
exchange=$(sed -n 's/^exchange_pid=//p' "$C/a/server.ready")
serve; first=$!
wait_for 5 arrived $((n + 1))
serve
wait_for 5 arrived $((n + 2))
kill "$first"
sleep 5.5
serve
check "a gateway takes the place of one that is silent" wait_for 5 arrived $((n + 3))
sleep 2.2
check "... and the ones that stay are served by the same process" kill -0 "$exchange"
server_stop a
check "which stops as asked" equal $? 0
finish
