#!/bin/bash
# SPDX-License-Identifier: MIT
# One gateway before a stand-in for a security server: what strangers' HTTP may do to it, what careless
# services may, and how it stands a security server that refuses, lies, restarts and falls silent.
source "$(dirname "$0")/lib.sh"

S=CO/GOV/899999027/DIVIPOLA
mkdir -p "$C/a/services"
port=$(free_port)
cat >"$C/tabla.csv" <<'E'
cod,nombre,nota
05001,MEDELLÍN,"dice ""sí"", y más"
11001,"BOGOTÁ, D.C.",
E
{
    echo 'cod,nota'
    for n in $(seq 1000); do printf '%04d,%09990d\n' "$n" 0; done
} >"$C/ancha.csv"
cat >"$C/a/gateway.conf" <<E
listen = {"127.0.0.1:0", "[::1]:0"}
server = "ipc://$C/a/front"
ready_file = "$C/a/gateway.ready"
services_folder = "$C/a/services"
event_level = debug
head_wait_ms = 700
body_wait_ms = 900
body_bytes_max = 1000000
held_bytes_max = 4000000
client "CO/MUN/890905211/NEGADO" { purpose = "deny" }
E
cat >"$C/a/services/tabla.conf" <<E
service "$S/tabla" { kind = table file = "$C/tabla.csv" key = "cod" }
service "$S/ancha" { kind = table file = "$C/ancha.csv" key = "cod" }
E
cat >"$C/a/services/servicios.conf" <<E
service "$S/descuidado" { url = "http://127.0.0.1:$port/" timeout_ms = 2000 }
service "$S/caido" { url = "http://127.0.0.1:1/" }
E
"$OUT/tests/careless" "$port" &
pids+=($!)

front_start() {
    "$OUT/tests/front_server" "ipc://$C/a/front" "$@" 2>>"$C/a/front.events" &
    front=$!
    pids+=("$front")
}
front_stop() { kill -9 "$front"; wait "$front" 2>/dev/null; }

front_start
gateway_start a || die "the gateway does not start: $(tail -n 3 "$C/a/gateway.events")"
URL=$(gateway_url a)
HOST_PORT=${URL#http://}
ask() { curl -sS -m 20 -H "X-Road-Client: CO/MUN/890905211/TRAMITES" "$@"; }
ready_says() { curl -s "$URL/readyz" | grep -q "$1"; }
status() { ask -o /dev/null -w '%{http_code}' "$@"; }

# raw BYTES: sends printf's bytes on one connection, shows what comes back within a second
raw() {
    exec 3<>"/dev/tcp/${HOST_PORT%:*}/${HOST_PORT#*:}" || return 1
    printf '%b' "$1" >&3
    timeout "${2:-1}" cat <&3 | tr -d '\0'
    exec 3>&-
}
raw_is() { local sentence=$1 wanted=$2 got; got=$(raw "$3" "${4:-1}"); check "$sentence" contains "$got" "HTTP/1.1 $wanted "; }
H='Host: x\r\nX-Road-Client: CO/MUN/1/T\r\n'
T="/r1/$S/tabla/05001"

# --- heads that two readers could read differently -------------------------------------------------
raw_is "a length beside a coding is 400" 400 "POST $T HTTP/1.1\r\n${H}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
raw_is "two lengths are 400" 400 "POST $T HTTP/1.1\r\n${H}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"
raw_is "a signed length is 400" 400 "POST $T HTTP/1.1\r\n${H}Content-Length: +5\r\n\r\nhello"
raw_is "another coding is 400" 400 "POST $T HTTP/1.1\r\n${H}Transfer-Encoding: xchunked\r\n\r\n"
raw_is "a blank before the colon is 400" 400 "POST $T HTTP/1.1\r\n${H}Transfer-Encoding : chunked\r\n\r\n"
raw_is "a folded line is 400" 400 "GET $T HTTP/1.1\r\n${H}A: b\r\n c\r\n\r\n"
raw_is "a NUL is 400" 400 "GET $T HTTP/1.1\r\n${H}A: b\0c\r\n\r\n"
raw_is "no host is 400" 400 "GET $T HTTP/1.1\r\n\r\n"
raw_is "two hosts are 400" 400 "GET $T HTTP/1.1\r\nHost: y\r\n${H}\r\n"
raw_is "a bare carriage return is 400" 400 "GET $T HTTP/1.1\r\n${H}A: b\rTransfer-Encoding: chunked\r\n\r\n"
raw_is "an unknown method is 400" 400 "FROB $T HTTP/1.1\r\n${H}\r\n"
raw_is "a TLS greeting is 400" 400 '\x16\x03\x01\x02\x00\x01'
raw_is "half a head is 408" 408 "GET $T HTT" 2
raw_is "half a body is 408" 408 "POST $T HTTP/1.1\r\n${H}Content-Length: 10\r\n\r\nhal" 2
raw_is "the absolute form is taken" 200 "GET http://x$T HTTP/1.1\r\n${H}\r\n"
raw_is "HTTP/1.0 is answered" 200 "GET $T HTTP/1.0\r\n${H}\r\n"
three=$(raw "GET $T HTTP/1.1\r\n${H}X-Road-Id: 1\r\n\r\nPOST $T HTTP/1.1\r\n${H}X-Road-Id: 2\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\n${H}\r\n" |
    grep -aoE 'HTTP/1.1 [0-9]+|x-road-id: [0-9]|^ok' | tr '\n' ' ')
check "three pipelined requests are answered in order" equal "$three" "HTTP/1.1 200 x-road-id: 1 HTTP/1.1 405 x-road-id: 2 HTTP/1.1 200 ok "
check "IPv6 is spoken too" equal "$(ask -g -o /dev/null -w '%{http_code}' "http://$(sed -n 's/^listen=//p' "$C/a/gateway.ready" | tail -n 1)$T")" 200

# --- bodies ----------------------------------------------------------------------------------------
head -c 1000001 /dev/zero >"$C/large"
check "a body over the limit is 413" equal "$(status -T "$C/large" "$URL$T")" 413
check "... chunked too" equal "$(status -H 'Transfer-Encoding: chunked' -T "$C/large" "$URL$T")" 413
head -c 900000 /dev/zero >"$C/fits"
refused=$(ask -v -H 'Chaski-Purpose: deny' -T "$C/fits" "$URL$T" 2>&1)
check "a refusal comes before the body is taken" contains "$refused" "403 Forbidden"
case $refused in *"100 Continue"*) not_ok "... and without 100 Continue" ;; *) ok "... and without 100 Continue" ;; esac

# --- room: a gateway with the settings that an operator begins with, but smaller -------------------
mkdir -p "$C/b"
cat >"$C/b/gateway.conf" <<E
listen = {"127.0.0.1:0"}
server = "ipc://$C/a/front"
ready_file = "$C/b/gateway.ready"
services_folder = "$C/a/services"
body_bytes_max = 8000000
held_bytes_max = 32000000
E
gateway_start b || die "gateway b does not start: $(tail -n 3 "$C/b/gateway.events")"
B=$(gateway_url b)
B_PORT=${B#http://}
held_is() { [ "$(curl -s "$B/metrics" | sed -n 's/^chaski_gateway_held_bytes //p')" "$1" "$2" ]; }
# opens a connection that says this and no more, and reads nothing, until let_go
stalled=()
stall() { # WORDS [ZEROES]
    (
        exec 3<>"/dev/tcp/${B_PORT%:*}/${B_PORT#*:}"
        { printf '%b' "$1"; head -c "${2:-0}" /dev/zero; } >&3
        exec sleep 60
    ) &
    stalled+=($!)
    pids+=($!)
}
let_go() { kill "${stalled[@]}"; wait "${stalled[@]}" 2>/dev/null; stalled=(); }
P="POST $T HTTP/1.1\r\n${H}Content-Length: 8000000\r\n\r\n"
head -c 4000000 /dev/zero >"$C/half"

for _ in 1 2 3 4 5 6 7 8; do stall "$P"; done
sleep 0.3
check "bodies that are only announced take no room from others" equal "$(status -T "$C/half" "$B$T")" 405
let_go
stall "$P" 7999999
stall "$P" 7999999
check "bodies that are there take room" wait_for 5 held_is -ge 15999998
check "... more are 503" equal "$(status -T "$C/half" "$B$T")" 503
check "... and small ones too" equal "$(status -d small "$B$T")" 503
check "... but own services are called and answer" equal "$(ask "$B/r1/$S/descuidado/echo" | head -c 9)" "GET /echo"
check "... with large answers too" equal "$(ask -o /dev/null -w '%{size_download}' "$B/r1/$S/descuidado/large")" 7900000
let_go
check "... and later there is room again" wait_for 5 held_is -eq 0
check "... for all" equal "$(status -T "$C/half" "$B$T")" 405
stall "GET /r1/$S/descuidado/large HTTP/1.1\r\n${H}\r\n"
stall "GET /r1/$S/descuidado/large HTTP/1.1\r\n${H}\r\n"
check "answers that nobody takes hold room" wait_for 5 held_is -ge 15800000
refused=$(ask -i "$B/r1/$S/descuidado/large")
check "an answer that does not fit is 503 and not cut off" contains "$refused" "503 Service Unavailable"
check "... said in full" contains "$refused" 'the exchange ran'
check "... with its receipt" contains "$refused" "Chaski-Receipt: "
check "... while small ones are given" equal "$(status "$B$T")" 200
let_go
check "... and when they are gone there is room" wait_for 5 held_is -eq 0
begins() { # ADDRESS WORDS SECONDS: the first 12 bytes of what comes back
    exec 3<>"/dev/tcp/${1%:*}/${1#*:}" && printf '%b' "$2" >&3 && timeout "$3" head -c 12 <&3
    exec 3>&-
}
begun=$SECONDS
check "a body that comes too slowly is 408" equal "$(begins "$B_PORT" "${P}hal" 20)" "HTTP/1.1 408"
check "... long before the longest wait, which is a minute" [ $((SECONDS - begun)) -le 15 ]


# --- bad input leaves one line each, and a flood few ------------------------------------------------
lines() { grep -c '"event":"ask.refused_early"' "$C/b/gateway.events"; }
one_line() { # SENTENCE STATUS CURL-ARGUMENTS...
    local sentence=$1 want=$2 before; shift 2
    before=$(lines)
    check "$sentence is refused" equal "$(status "$@")" "$want"
    check "... and leaves one line" equal "$(($(lines) - before))" 1
}
one_line "a word that is no method" 400 -X FOO "$B$T"
one_line "a method that is not carried" 400 -X PROPFIND "$B$T"
one_line "a client that is no identifier" 400 -H 'X-Road-Client: nadie' "$B$T"
one_line "a path that is too short" 400 "$B/r1/CO/GOV"
one_line "an encoded dot segment" 400 --path-as-is "$B$T/%2e%2e/x"
one_line "a deadline that is none" 400 -H 'Chaski-Deadline-Ms: soon' "$B$T"
one_line "a head that is too large" 431 -H "X-Largo: $(head -c 20000 /dev/zero | tr '\0' a)" "$B$T"
one_line "a body that is announced too large" 413 -H 'Content-Length: 9000000' -d x "$B$T"
one_line "a place that is not there" 404 "$B/nada"
check "a word that is no method is refused in XML when that is asked for" contains \
    "$(ask -X FOO -H 'Accept: text/xml' "$B$T")" "<error><type>Server.ClientProxy.InvalidHttpMethod"
check "... and so is a body that is announced too large" contains \
    "$(ask -i -H 'Accept: text/xml' -H 'Content-Length: 9000000' -d x "$B$T")" "text/xml"
sleep 1.1
before=$(lines)
begun=$SECONDS
ask -o /dev/null "$B/nada?[1-500]"
flood=$(($(lines) - before))
check "a flood of bad requests leaves few lines" [ "$flood" -le $((20 * (SECONDS - begun + 2))) ]
check "... and the rest is counted" wait_for 3 grep -q '"event.left_out","of":"ask.refused_early"' "$C/b/gateway.events"
left=$(sed -n 's/.*"event.left_out","of":"ask.refused_early","count":\([0-9]*\)}.*/\1/p' "$C/b/gateway.events" | paste -sd+)
check "... so that none is missing" equal "$((flood + left))" 500

# --- descriptors --------------------------------------------------------------------------------
mkdir -p "$C/c"
sed "s|$C/b/|$C/c/|" "$C/b/gateway.conf" >"$C/c/gateway.conf"
files=$(ulimit -Hn)
ulimit -n 160
gateway_start c || die "gateway c does not start: $(tail -n 3 "$C/c/gateway.events")"
ulimit -n "$files" 2>/dev/null
check "fewer descriptors than connections are said at start" grep -q '"http.connections_capped","connections_max":10000,"allowed":96,"open_files":160' "$C/c/gateway.events"
B=$(gateway_url c)
B_PORT=${B#http://}
for _ in $(seq 100); do stall ""; done
check "idle callers get no more than that" wait_for 5 grep -q '"http.connection_refused"' "$C/c/gateway.events"
check "... and never all descriptors" equal "$(grep -c http.accept_failed "$C/c/gateway.events")" 0
let_go
check "... and when they are gone all is as before" wait_for 5 curl -fsS -o /dev/null "$B/readyz"
check "... with own services" equal "$(ask "$B/r1/$S/descuidado/good")" ok
gateway_stop c
check "it stops as asked, with descriptors spare" equal $? 0

# --- refusals --------------------------------------------------------------------------------------
refused=$(ask -i -H 'Chaski-Purpose: deny' "$URL$T")
for word in '403 Forbidden' 'X-Road-Error: Server.ServerProxy.AccessDenied' '"rule":"R-2026-0007"' '"remedy":' 'Chaski-Receipt: chaski.test/log/1'; do
    check "a refusal says ${word%%:*}" contains "$refused" "$word"
done
check "the provider's refusal is the provider's" contains "$(ask -H 'Chaski-Purpose: provider-deny' "$URL$T")" Server.ServerProxy.AccessDenied
check "a client's default purpose is in force" equal "$(status -H 'X-Road-Client: CO/MUN/890905211/NEGADO' "$URL$T")" 403
check "an answer for another client is not passed on" contains "$(ask -H 'Chaski-Purpose: other-client' "$URL$T")" InconsistentResponse
check "an answer to another request is not passed on" contains "$(ask -H 'Chaski-Purpose: other-request' "$URL$T")" InconsistentResponse
check "no answer at all is 504" equal "$(status -H 'Chaski-Purpose: silent' -H 'Chaski-Deadline-Ms: 50' "$URL$T")" 504
check "a member alone cannot call" equal "$(status -H 'X-Road-Client: CO/MUN/890905211' "$URL$T")" 403

# --- careless services -----------------------------------------------------------------------------
D=$URL/r1/$S/descuidado
for path in good continue chunked until-close; do check "a service's $path answer is passed on" equal "$(ask "$D/$path")" ok; done
for path in not-http early broken-chunk two-lengths folded split upgrade huge silent-end; do
    check "a service's $path answer is 502" equal "$(status "$D/$path")" 502
done
forged=$(ask -i "$D/forger")
case $forged in *forged*) not_ok "a service cannot forge our headers" "$forged" ;; *) ok "a service cannot forge our headers" ;; esac
check "there is one Date" equal "$(printf '%s' "$forged" | grep -aic '^date:')" 1
check "a service that is down is 502" contains "$(ask "$URL/r1/$S/caido")" Server.ServerProxy.NetworkError

# --- what a service is told ------------------------------------------------------------------------
told=$(ask -H 'X_Road_Client: CO/GOV/1/VICTIM' -H 'X.Road.Client: CO/GOV/1/VICTIM' -H 'X-Hop: victim' -H 'Connection: x-hop' \
    -H 'Chaski-Purpose: P-1' "$D/echo")
check "a service is told who asks" contains "$told" "X-Road-Client: CO/MUN/890905211/TRAMITES"
check "... once" equal "$(grep -ciE 'x.road.client' <<<"$told")" 1
check "... and what for" contains "$told" "Chaski-Purpose: P-1"
check "... and in which exchange" equal "$(grep -ciE '^x-road-request-id: [0-9a-f-]{36}.?$' <<<"$told")" 1
case $told in *[Vv][Ii][Cc][Tt][Ii][Mm]*) not_ok "no other spelling of a name of ours, and nothing for the neighbour, reaches it" "$told" ;;
*) ok "no other spelling of a name of ours, and nothing for the neighbour, reaches it" ;; esac
for lie in lie-client lie-twin lie-party lie-exchange lie-id lie-purpose lie-hash connect; do
    check "a peer's message with $lie does not reach a service" equal \
        "$(status -H "Chaski-Purpose: $lie" -H 'X-Road-Represented-Party: GOV/2' "$D/echo")" 400
done

# --- tables ----------------------------------------------------------------------------------------
check "a row by its key" contains "$(ask "$URL$T")" '"nota":"dice \"sí\", y más"'
check "a filter, in small letters and escaped" contains "$(ask "$URL/r1/$S/tabla?nombre=bogot%C3%A1,+D.C.")" '"total":1'
check "an unknown column is 400 with those there are" contains "$(ask "$URL/r1/$S/tabla?ciudad=x")" '["cod","nombre","nota"]'
check "CSV comes back as it went in" equal "$(ask -H 'Accept: text/csv' "$URL/r1/$S/tabla" | tr -d '\r' | cksum)" "$(cksum <"$C/tabla.csv")"
check "the description is OpenAPI" contains "$(ask "$URL/r1/$S/tabla/openapi.json")" '"openapi":"3.0'

wide=$(ask -i "$URL/r1/$S/ancha/?limit=1000")
check "a page wider than a body may be is refused" contains "$wide" "502 Bad Gateway"
check "... with what to ask for instead" contains "$wide" "ask for fewer with limit="
check "... and a smaller one is given" equal "$(status "$URL/r1/$S/ancha/?limit=90")" 200

# --- reload ----------------------------------------------------------------------------------------
pid=$(cat "$C/a/gateway.pid")
echo '05002,ABEJORRAL,' >>"$C/tabla.csv"
kill -HUP "$pid"
check "a reload brings new rows" wait_for 5 curl -fsS -o /dev/null -H 'X-Road-Client: CO/MUN/1/T' "$URL/r1/$S/tabla/05002"
echo '05002,otra' >>"$C/tabla.csv"
kill -HUP "$pid"
check "a broken file is said" wait_for 5 grep -q 'row 5, column 3' "$C/a/gateway.events"
check "... and changes nothing" equal "$(status "$URL/r1/$S/tabla/05002")" 200

# --- the security server's troubles ----------------------------------------------------------------
status -H 'Chaski-Purpose: silent' "$URL$T" >"$C/orphan" &
orphan=$!
sleep 0.3
front_stop
front_start
wait $orphan
check "what was asked of a server that restarted is 502" equal "$(cat "$C/orphan")" 502
check "... and the next request works" equal "$(status "$URL$T")" 200
front_stop
check "without a server the gateway is not ready" wait_for 10 ready_says SERVER_AWAY
check "... and requests are 503" equal "$(status "$URL$T")" 503
check "... with Retry-After" contains "$(ask -i "$URL$T" | tr -d '\r')" "Retry-After: 1"
check "... while it is alive" equal "$(curl -s "$URL/healthz")" ok
front_start 102
check "a server that is not ready is said with its reason" wait_for 10 ready_says DIRECTORY_EXPIRED

# --- the end ---------------------------------------------------------------------------------------
metrics=$(curl -s "$URL/metrics")
check "nothing is held or in flight" contains "$metrics" 'chaski_gateway_held_bytes 0'
status -H 'Chaski-Purpose: silent' -H 'Chaski-Deadline-Ms: 100' "$URL$T" >"$C/last" &
last=$!
sleep 0.3
gateway_stop a
check "it stops as asked" equal $? 0
wait $last
check "... after what was in flight" equal "$(cat "$C/last")" 504
finish
