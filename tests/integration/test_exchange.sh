#!/bin/bash
# SPDX-License-Identifier: MIT
# The main job over HTTP, with real gateways, a real table and a real nginx behind a gateway: what an
# agency's developer sees, in good and in bad cases, and the evidence that it leaves.
SEAL_ROLL_S=5 SEAL_OVERLAP_S=2
. "$(dirname "$0")/lib.sh"

DATA=$ROOT/../shared/data
table=$ROOT/tools/demo/municipios.csv
[ ! -r "$DATA/divipola_municipios.csv" ] || table=$DATA/divipola_municipios.csv
entidades=$DATA/entidades_publicas_sigep.csv

# --- nginx as an agency's own service -----------------------------------------------------------
nginx_start() {
    NGINX_PORT=$(free_port)
    mkdir -p "$C/nginx/www/base/sub" "$C/nginx/tmp"
    chmod 755 "$C" "$C/nginx" "$C/nginx/www"
    echo '{"saludo":"hola"}' >"$C/nginx/www/base/hola"
    head -c 3000000 /dev/zero | tr '\0' z >"$C/nginx/www/base/grande"
    cat >"$C/nginx/nginx.conf" <<E
daemon off; master_process off; pid $C/nginx/pid; error_log $C/nginx/error.log;
events { worker_connections 256; }
http {
  log_format all '\$request_method|\$request_uri|\$http_x_road_client|\$http_x_road_request_id|\$http_cookie|\$http_accept_encoding|\$http_user_agent|\$content_length|\$request_body';
  access_log $C/nginx/access.log all;
  client_max_body_size 64m;
  client_body_temp_path $C/nginx/tmp; proxy_temp_path $C/nginx/tmp; fastcgi_temp_path $C/nginx/tmp;
  uwsgi_temp_path $C/nginx/tmp; scgi_temp_path $C/nginx/tmp;
  upstream self { server 127.0.0.1:$NGINX_PORT; }
  server {
    listen 127.0.0.1:$NGINX_PORT;
    root $C/nginx/www;
    location /base/ { error_page 405 =200 /base/hola; add_header X-Propio si; add_header Set-Cookie galleta=1; }
    location /base/redirige { return 302 http://127.0.0.1:1/; }
    location /base/cuerpo { proxy_pass http://self/base/hola; proxy_method GET; }
    location /base/teapot { return 418 "soy una tetera\n"; }
    location /base/nada { return 204; }
  }
}
E
    nginx -c "$C/nginx/nginx.conf" -p "$C/nginx" 2>"$C/nginx/start.err" &
    pids+=($!)
    wait_for 10 curl -fsS -o /dev/null "http://127.0.0.1:$NGINX_PORT/base/hola"
}

SEGMENT_MIB=64 country_make
member_make a CO/MUN/890905211/SS1 "Alcaldía de Medellín" TRAMITES
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA
D=CO/GOV/899999027/DIVIPOLA
cat >"$C/acts" <<E
service add $D/municipios --class open --title "Municipios"
service add $D/entidades --class open --title "Entidades públicas"
service add $D/web --class open --title "nginx"
service add $D/caido --class open
service add $D/mudo --class open
service add $D/mudo2 --class open
service add $D/sin-entrada --class open
service add $D/comun
service add $D/reservado
$(restriction_words $D/reservado)
E
registry batch "$C/acts" || die "no services"
publish || die "nothing published"
nginx_start || die "nginx does not start: $(cat "$C/nginx/start.err")"
dead_port=$(free_port)
mute_port=$(free_port)
cat >"$C/b/services/all.conf" <<E
service "$D/municipios" { kind = table file = "$table" key = "cod_municipio" title = "Municipios" }
service "$D/web" { kind = http url = "http://127.0.0.1:$NGINX_PORT/base" }
service "$D/comun" { kind = http url = "http://127.0.0.1:$NGINX_PORT/base" }
service "$D/reservado" { kind = http url = "http://127.0.0.1:$NGINX_PORT/base" }
service "$D/caido" { kind = http url = "http://127.0.0.1:$dead_port" }
service "$D/mudo" { kind = http url = "http://127.0.0.1:$mute_port" timeout_ms = 700 }
service "$D/mudo2" { kind = http url = "http://127.0.0.1:$mute_port" }
E
[ ! -r "$entidades" ] || cat >"$C/b/services/entidades.conf" <<E
service "$D/entidades" { kind = table file = "$entidades" key = "cod_institucion" title = "Entidades públicas" }
E
# a service that takes the connection and says nothing
"$OUT/tests/mute" "$mute_port" 2>/dev/null &
pids+=($!)
server_start a || die "server a: $(tail -n 1 "$C/a/server.events")"
server_start b || die "server b: $(tail -n 1 "$C/b/server.events")"
gateway_start a || die "gateway a: $(tail -n 1 "$C/a/gateway.events")"
gateway_start b || die "gateway b: $(tail -n 1 "$C/b/gateway.events")"
G=$(gateway_url a)
wait_for 10 grep -q front.gateway_arrived "$C/b/server.events"

ask() { curl -sS --max-time 20 -H 'X-Road-Client: CO/MUN/890905211/TRAMITES' "$@"; }
status() { ask -o "$C/body" -D "$C/head" -w '%{http_code}' "$@"; }
header() { tr -d '\r' <"$C/head" | sed -n "s/^$1: //Ip"; }

# --- good cases ---------------------------------------------------------------------------------
check "a record is got by key" equal "$(status "$G/r1/$D/municipios/05001")" 200
check "codes stay text" contains "$(cat "$C/body")" '"05001"'
check "the answer names the service" equal "$(header x-road-service)" "$D/municipios"
check "the answer names the client" equal "$(header x-road-client)" "CO/MUN/890905211/TRAMITES"
check "a message id is made when none is given" contains "$(header x-road-id)" "CO-"
check "the request hash is there" equal "$(header x-road-request-hash | tr -d '\n' | wc -c)" 88
check "there is exactly one Date" equal "$(grep -ci '^date:' "$C/head")" 1
check "a receipt names log, index and leaf" contains "$(header chaski-receipt)" "chaski.log/CO/MUN/890905211/SS1/1"
check "filters and percent-encoding work" equal "$(status "$G/r1/$D/municipios/?municipio=MEDELL%C3%8DN")" 200
check "CSV by Accept" equal "$(status -H 'Accept: text/csv' "$G/r1/$D/municipios/?limit=2")" 200
check "... with a header row" contains "$(head -n 1 "$C/body")" "cod_municipio"
check "an unknown column is the caller's mistake" equal "$(status "$G/r1/$D/municipios/?nada=1")" 400
check "the table describes itself" equal "$(status "$G/r1/$D/municipios/openapi.json")" 200
check "an unknown key is 404 from the service, without X-Road-Error" equal "$(status "$G/r1/$D/municipios/99999")$(header x-road-error)" 404
if [ -r "$entidades" ]; then
    check "quoted line breaks count as one row: 21 agencies have this NIT" contains \
        "$(ask "$G/r1/$D/entidades/?nit=899999061&limit=1")" '"total":21,'
fi
check "nginx answers through the gateway" equal "$(status "$G/r1/$D/web/hola?a=1%20b")" 200
check "... path and query arrive as sent" contains "$(tail -n 1 "$C/nginx/access.log")" "GET|/base/hola?a=1%20b|CO/MUN/890905211/TRAMITES|"
check "... its own headers come back" equal "$(header x-propio)" si
check "... a cookie too" equal "$(header set-cookie)" galleta=1
check "the next exchange is got" equal "$(status "$G/r1/$D/web/hola?segunda")" 200
check "... and brings the service nothing of the one before, and nothing of ours but our headers" equal \
    "$(tail -n 1 "$C/nginx/access.log")" "GET|/base/hola?segunda|CO/MUN/890905211/TRAMITES|$(header x-road-request-id)|-|-|-|-|-"
check "a redirect is passed on, not followed" equal "$(status "$G/r1/$D/web/redirige")" 302
check "any status of the service is passed on" equal "$(status "$G/r1/$D/web/teapot")" 418
check "204 has no body" equal "$(status "$G/r1/$D/web/nada")" 204
for verb in DELETE GET OPTIONS PATCH POST PUT; do
    check "$verb with a body is carried" equal "$(status -X $verb --data-binary 'un cuerpo' "$G/r1/$D/web/cuerpo")" 200
    check "... and its body arrives" contains "$(grep -a "^$verb|/base/cuerpo" "$C/nginx/access.log" | tail -n 1)" "|9|"
done
check "HEAD is carried and has no body" equal "$(ask -I -o "$C/head" -w '%{http_code}:%{size_download}' "$G/r1/$D/web/hola")" 200:0
check "3 MB come back whole" equal "$(ask "$G/r1/$D/web/grande" | sha256sum)" "$(sha256sum <"$C/nginx/www/base/grande")"
head -c 20000000 /dev/urandom >"$C/twenty"
check "20 MB go there, with Expect: 100-continue" equal "$(status -H 'Expect: 100-continue' -T "$C/twenty" "$G/r1/$D/web/cuerpo")" 200
check "... chunked too" equal "$(status -H 'Transfer-Encoding: chunked' -T "$C/twenty" "$G/r1/$D/web/cuerpo")" 200
check "shared data needs a purpose" equal "$(status "$G/r1/$D/comun/hola")" 403
check "... and says which rule and what to do" contains "$(cat "$C/body")" 'shared/no-purpose'
check "... and is got with one" equal "$(status -H 'Chaski-Purpose: P-1' "$G/r1/$D/comun/hola")" 200

# --- bad cases: status and fault code -------------------------------------------------------------
fault_is() { # SENTENCE STATUS TYPE CURL-ARGUMENTS...
    local sentence=$1 want="$2 $3"; shift 3
    check "$sentence" equal "$(status "$@") $(header x-road-error)" "$want"
}
fault_is "an unknown member" 404 Server.ClientProxy.UnknownMember "$G/r1/CO/GOV/1/X/y/"
fault_is "an unknown service" 404 Server.ServerProxy.UnknownService "$G/r1/$D/nada/"
fault_is "a restricted service without a grant" 403 Server.ServerProxy.AccessDenied "$G/r1/$D/reservado/hola"
head -c 20000 /dev/zero >"$C/body"
fault_is "... before its body is taken in" 403 Server.ServerProxy.AccessDenied --data-binary @"$C/body" "$G/r1/$D/reservado/hola"
check "... with evidence and a receipt all the same" contains "$(curl -s -m 10 -D - -o /dev/null \
    -H "X-Road-Client: CO/MUN/890905211/TRAMITES" --data-binary @"$C/body" "$G/r1/$D/reservado/hola")" Chaski-Receipt
fault_is "a client that is not ours" 403 Server.ClientProxy.UnknownMember -H 'X-Road-Client: CO/GOV/899999027/DIVIPOLA' "$G/r1/$D/web/hola"
fault_is "a service that is down" 502 Server.ServerProxy.NetworkError "$G/r1/$D/caido/x"
fault_is "a service that hangs" 504 Server.ServerProxy.NetworkError "$G/r1/$D/mudo/x"
fault_is "a service that hangs past the caller's deadline" 504 Server.ServerProxy.NetworkError \
    -H 'Chaski-Deadline-Ms: 1500' "$G/r1/$D/mudo2/x"
fault_is "a service without an entry at the gateway" 502 Server.ServerProxy.ServiceMissingUrl "$G/r1/$D/sin-entrada/x"
fault_is "a server that does not serve it" 400 Server.ClientProxy.InvalidSecurityServer -H 'X-Road-Security-Server: CO/MUN/890905211/SS1' "$G/r1/$D/web/hola"
check "a missing client header is 400" equal "$(curl -s -o "$C/body" -w '%{http_code}' "$G/r1/$D/web/hola")" 400
check "too few path parts are 400" equal "$(status "$G/r1/CO/GOV/1")" 400
check "an encoded dot segment is 400" equal "$(status --path-as-is "$G/r1/$D/web/%2e%2e/x")" 400
check "a double slash is 400" equal "$(status --path-as-is "$G/r1/$D//web")" 400
check "another protocol version is 404" equal "$(status "$G/r2/$D/web")" 404
check "a header of 64 KiB is refused" contains "431 400" "$(status -H "X-Largo: $(head -c 65536 /dev/zero | tr '\0' a)" "$G/r1/$D/web/hola")"
check "a body over the limit is 413 before it is taken in" equal \
    "$(status -X POST -H 'Content-Length: 40000000' -H 'Expect: 100-continue' --data-binary @"$C/twenty" "$G/r1/$D/web/cuerpo")" 413
check "XML errors by Accept" contains "$(status -H 'Accept: text/xml' "$G/r1/$D/nada/"; cat "$C/body")" "<error><type>"
check "an error says what, and where to look" contains "$(status "$G/r1/$D/nada/" >/dev/null; cat "$C/body")" '"detail"'

# --- the words of X-Road 7.8, and its statuses -------------------------------------------------------
mkdir -p "$C/x/services"
sed -e "s|$C/a/gateway.ready|$C/x/gateway.ready|" -e "s|$C/a/services|$C/x/services|" "$C/a/gateway.conf" >"$C/x/gateway.conf"
printf 'fault_style = snake\ncompat_status = xroad\n' >>"$C/x/gateway.conf"
gateway_start x || die "gateway x: $(tail -n 1 "$C/x/gateway.events")"
X=$(gateway_url x)
fault_is "xroad: a provider's refusal is 500" 500 server.serverproxy.access_denied "$X/r1/$D/reservado/hola"
check "... in the document too" contains "$(cat "$C/body")" '"type":"server.serverproxy.access_denied"'
fault_is "xroad: our own is 500" 500 server.clientproxy.unknown_member "$X/r1/CO/GOV/1/X/y/"
fault_is "xroad: a service that is down is 500" 500 server.serverproxy.network_error "$X/r1/$D/caido/x"
fault_is "xroad: what is not well formed is 400" 400 client.bad_request --path-as-is "$X/r1/$D/web/%2e%2e/x"
check "xroad: a service's own status is passed on" equal "$(status "$X/r1/$D/web/teapot")$(header x-road-error)" 418
check "xroad: a good exchange is as ever" equal "$(status "$X/r1/$D/municipios/05001")" 200
gateway_stop x; check "gateway x stops as asked" equal $? 0

# --- what must not be in any event ------------------------------------------------------------------
PERSON=52998114-MARTA-INVENTADA
hide() { ask -o /dev/null -H "X-Nombre: $PERSON" -H "Chaski-Case: $PERSON" "$@"; }
hide "$G/r1/$D/web/hola?nombre=$PERSON"
check "a personal value reaches the service" contains "$(tail -n 1 "$C/nginx/access.log")" "$PERSON"
hide --data-binary "{\"nombre\":\"$PERSON\"}" "$G/r1/$D/web/cuerpo"
hide "$G/r1/$D/municipios/$PERSON"
hide "$G/r1/$D/municipios/?municipio=$PERSON"
hide "$G/r1/$D/municipios/?$PERSON=1"
hide "$G/r1/$D/reservado/$PERSON"
hide "$G/r1/$D/comun/$PERSON"
hide "$G/r1/$D/mudo/$PERSON"
hide "$G/r1/$D/caido/$PERSON"
hide --path-as-is "$G/r1/$D/web/%2e%2e/$PERSON"
hide "$G/$PERSON"
hide -X "$PERSON" "$G/r1/$D/web/hola"
hide -H "Chaski-Deadline-Ms: $PERSON" "$G/r1/$D/web/hola"
hide -H "X-Road-Represented-Party: a/b/$PERSON" "$G/r1/$D/web/hola"
hide -H "X-Road-Client: $PERSON" "$G/r1/$D/web/hola"
hide -H "X-Road-Security-Server: $PERSON" "$G/r1/$D/web/hola"
hide -H "X-Road-Id: $PERSON" "$G/r1/$D/web/hola"
hide -H "Chaski-Subject: CC $PERSON" "$G/r1/$D/web/hola"
hide -H "Chaski-Subject: PA 52998114MARTA" "$G/r1/$D/web/hola"
printf 'documento,nombre\n%s,A\n%s,B\n' "$PERSON" "$PERSON" >"$C/personas.csv"
echo "service \"$D/personas\" { kind = table file = \"$C/personas.csv\" key = \"documento\" }" >"$C/b/services/personas.conf"
kill -HUP "$(cat "$C/b/gateway.pid")"
check "a repeated key is said" wait_for 5 grep -q 'also stands in row 2' "$C/b/gateway.events"
rm "$C/b/services/personas.conf"

# --- evidence ------------------------------------------------------------------------------------
sleep 1.2
for name in a b; do
    check "the log of $name verifies while the node runs" "$BIN/chaski-audit" verify "$C/$name/audit" --store-key "$C/$name/keys/store.key"
done
gateway_stop a; check "gateway a stops as asked" equal $? 0
gateway_stop b; check "gateway b stops as asked" equal $? 0
server_stop a; check "server a stops as asked" equal $? 0
server_stop b; check "server b stops as asked" equal $? 0
check "both logs verify, and hold the same leaves" "$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" --store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key"
check "one leaf can be exported" "$BIN/chaski-audit" export "$C/a/audit" --store-key "$C/a/keys/store.key" 2 --to "$C/export"
check "stock openssl verifies it as CAdES" openssl cms -verify -cades -binary -inform DER -in "$C/export/leaf.p7m" \
    -certfile "$C/export/signer.pem" -CAfile "$C/store/anchor/trust.pem" -out "$C/header.out"
check "there are events to look at" [ "$(cat "$C"/*/*.events | wc -l)" -gt 100 ]
check "no personal value is in any event" equal "$(grep -hF -e "$PERSON" -e 52998114 "$C"/*/*.events)" ""
check "no private key is in any event" equal "$(grep -l 'PRIVATE KEY' "$C"/*/*.events)" ""
finish
