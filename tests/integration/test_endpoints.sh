#!/bin/bash
# SPDX-License-Identifier: MIT
# Parts of a service with a class of their own: which request is of which part, however it is spelt, on both
# sides, with a real nginx that decodes paths its own way; columns of a table; and a consumer's server that lies.
. "$(dirname "$0")/lib.sh"

nginx_start() {
    NGINX_PORT=$(free_port)
    mkdir -p "$C/nginx/www/base/salud" "$C/nginx/www/base/sedes" "$C/nginx/tmp"
    chmod 755 "$C" "$C/nginx" "$C/nginx/www"
    echo resumen >"$C/nginx/www/base/resumen"
    echo historia >"$C/nginx/www/base/salud/1"
    echo sede >"$C/nginx/www/base/sedes/1"
    cat >"$C/nginx/nginx.conf" <<N
daemon off; master_process off; pid $C/nginx/pid; error_log $C/nginx/error.log;
events { worker_connections 64; }
http {
  log_format all '\$request_method|\$request_uri';
  access_log $C/nginx/access.log all;
  client_body_temp_path $C/nginx/tmp; proxy_temp_path $C/nginx/tmp; fastcgi_temp_path $C/nginx/tmp;
  uwsgi_temp_path $C/nginx/tmp; scgi_temp_path $C/nginx/tmp;
  server { listen 127.0.0.1:$NGINX_PORT; root $C/nginx/www; location / { error_page 405 =200 /base/resumen; } }
}
N
    touch "$C/nginx/access.log"
    nginx -c "$C/nginx/nginx.conf" -p "$C/nginx" 2>"$C/nginx/start.err" &
    pids+=($!)
    wait_for 10 curl -fsS -o /dev/null "http://127.0.0.1:$NGINX_PORT/base/resumen"
}

country_make
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA
S=CO/GOV/899999027/DIVIPOLA/web
T=CO/MUN/890905211/TRAMITES
until=$(date -u -d '+300 days' +%F)
cat >"$C/acts" <<A
service add $S --endpoint resumen:GET:/resumen:open --endpoint salud:*:/salud/**:open --endpoint sedes:GET:/sedes/*
restriction add R-salud --service $S --endpoint salud --ground privacy --reason Personas --approver Jurídica --until $until
service add ${S}2 --class open
service add ${S}3 --class open --column nombre
service add ${S%web}tabla --class open --column cod:open --column nombre:open --column sisben --column salud:open
restriction add R-col --service ${S%web}tabla --column salud --ground privacy --reason Personas --approver Jurídica --until $until
A
registry batch "$C/acts" >"$C/out" 2>&1 || die "no services: $(cat "$C/out")"
check "a pattern that could match nothing is refused" contains \
    "$(registry service add ${S}9 --endpoint 'x:GET:a/b' 2>&1)" "does not begin with /"
check "an endpoint that a restriction names stays" contains \
    "$(registry service add $S --endpoint none 2>&1)" "named by a restriction"
check "endpoints are shown in their order" contains "$(registry show)" "salud: * /salud/**"
publish || die "nothing published"
nginx_start || die "nginx does not start: $(cat "$C/nginx/start.err")"
for s in web web2; do echo "service \"${S%web}$s\" { kind = http url = \"http://127.0.0.1:$NGINX_PORT/base\" }"; done >"$C/b/services/all.conf"
printf 'cod,nombre,sisben,salud,nueva\n1,Ana,C1,SECRETO,x\n2,Blas,B7,SECRETO,y\n' >"$C/t.csv"
cat >>"$C/b/services/all.conf" <<K
service "${S%web}web3" { kind = http url = "http://127.0.0.1:$NGINX_PORT/base" }
service "${S%web}tabla" { kind = table file = "$C/t.csv" key = cod }
K
server_start a && server_start b || die "a server does not start"
gateway_start a && gateway_start b || die "a gateway does not start"
wait_for 10 grep -q front.gateway_arrived "$C/b/server.events"
G=$(gateway_url a)

ask() { curl -sS --path-as-is --max-time 20 -H "X-Road-Client: $T" -o "$C/body" -w '%{http_code}' "$@" "$G/r1/$S$P"; }
rule() { jq -r '.rule? // .message' "$C/body" 2>/dev/null; }
said() { # STATUS RULE PATH [CURL OPTIONS]: what is answered for that path
    local status=$1 rule=$2; P=$3; shift 3
    local got; got="$(ask "$@")"
    [ "$got" = "$status" ] || { echo "$P: $got $(cat "$C/body")"; return 1; }
    [ -z "$rule" ] || contains "$(rule)" "$rule"
}
wait_for 10 said 200 "" /resumen
purpose=(-H "Chaski-Purpose: P-1")
check "an open endpoint of a shared service needs no purpose" said 200 "" /resumen
check "... in another spelling neither" said 200 "" /%72esume%6E
check "another method is not that endpoint" said 403 shared/no-purpose /resumen -X POST
check "a shared one asks for a purpose" said 403 shared/no-purpose /sedes/1
check "... and opens by a competence" said 200 "" /sedes/1 "${purpose[@]}"
check "what no endpoint names goes by the service's class" said 403 shared/no-purpose /otros
check "a restricted endpoint is closed" said 403 "restricted/no-grant R-salud" /salud/1
check "... for a purpose too" said 403 "restricted/no-grant R-salud" /salud/1 "${purpose[@]}"
check "... with a method in small letters, which HTTP knows not" said 400 "" /salud/1 -X get
check "... percent-encoded" said 403 "restricted/no-grant R-salud" /%73alud/%31
for path in /salud%2F1 /sedes/x%2F..%2F..%2Fsalud%2F1 '/salud;x/1' /sedes/..%2Fsalud/1 '/sedes/..;/salud/1' /resumen/../salud/1 \
    /resumen/%2e%2e/salud/1 //salud/1 /sedes//../salud/1 /salud/%2e/1 /SALUD/1 /Salud%2F1 /sedes/1/ /resumen/ /salud%c0%af1 \
    /sedes/%c0%ae%c0%ae/salud/1 /sedes/%e0%80%af /sedes/%ff; do
    check "no spelling gets by it: $path" said 400 "" "$path" "${purpose[@]}"
done
check "nothing of all this came to the service" equal "$(grep -c salud "$C/nginx/access.log")" 0
check "... nor a field that names another path" said 400 "" /otros "${purpose[@]}" -H 'X-Forwarded-Prefix: /salud'
check "... or a query that names another method" said 400 "" '/sedes/1?_method=DELETE' "${purpose[@]}"
check "what is matched is what is forwarded" contains "$(cat "$C/nginx/access.log")" "GET|/base/%72esume%6E"
check "a service without endpoints is as it was" equal \
    "$(curl -sS --path-as-is -o /dev/null -w '%{http_code}' -H "X-Road-Client: $T" "$G/r1/${S}2/sedes/a%2Fb")" 404

can() { "$BIN/chaski" can-i --gateway "$G" --client "$T" --service "$S" "$@" 2>&1; }
check "can-i tells by endpoint" contains "$(can --path /resumen)" "allowed   open/any-member"
check "... which one it is" contains "$(can --path /salud/1)" "endpoint     yes  salud"
check "... and the command names it" contains "$(can --path /salud/1)" "--consumer $T --endpoint salud"

registry grant add G-1 --service $S --endpoint salud --consumer "$T" --legal-basis Ley --until "$until" >"$C/out" 2>&1 ||
    die "no grant: $(cat "$C/out")"
publish
check "a grant of the endpoint opens it" wait_for 20 said 200 "" /salud/1
check "... and nothing else" said 403 shared/no-purpose /sedes/1
check "allowedMethods names a service of which a part is open" contains \
    "$(curl -sS -H "X-Road-Client: $T" "$G/r1/${S%/web}/allowedMethods")" '"web"'
check "no path stands in an event" equal "$(cat "$C"/?/*.events | grep -c '/salud\|/sedes\|/resumen')" 0

# --- columns of a table ------------------------------------------------------------------------------------
table() { curl -sS --max-time 20 -D "$C/head" -o "$C/body" -w '%{http_code}' -H "X-Road-Client: $T" "${@:2}" "$G/r1/${S%web}tabla$1"; }
field() { sed -n 's/^Chaski-Withheld: //Ip' "$C/head" | tr -d '\r'; }
check "a table is given without what the caller has no right to" equal "$(table /) $(jq -c '.items[0]' "$C/body")" '200 {"cod":"1","nombre":"Ana"}'
check "... and says what is missing, by which rule" equal "$(field)" \
    'sisben;rule="shared/no-purpose", salud;rule="restricted/no-grant R-col", nueva;rule="column/unlisted"'
check "... in the list too" equal "$(jq -r '.withheld[1].rule' "$C/body")" "restricted/no-grant R-col"
check "a purpose gives what it is for" equal "$(table /1 "${purpose[@]}") $(jq -c . "$C/body")" '200 {"cod":"1","nombre":"Ana","sisben":"C1"}'
check "CSV is without them too" equal "$(table / -H 'Accept: text/csv') $(head -n 2 "$C/body" | tr -d '\r' | tr '\n' ' ')" "200 cod,nombre 1,Ana "
check "no row is found by a withheld column" equal "$(table '/?salud=SECRETO') $(jq -r .rule "$C/body")" "403 restricted/no-grant R-col"
check "... nor by one that nobody listed" equal "$(table '/?nueva=x') $(jq -r .rule "$C/body")" "403 column/unlisted"
check "nothing of it came along anywhere" equal "$(table /openapi.json) $(cat "$C/body" "$C/head" | grep -c SECRETO)" "200 0"
check "can-i tells what would be withheld" contains "$("$BIN/chaski" can-i --gateway "$G" --client "$T" --service "${S%web}tabla")" \
    "withheld  salud (restricted/no-grant R-col)"
check "what is no table cannot keep columns apart, and gives nothing" equal \
    "$(curl -sS -o "$C/body" -w '%{http_code}' -H "X-Road-Client: $T" "${purpose[@]}" "$G/r1/${S}3/resumen")" 502
check "the answer's record names them" grep -aqr 'restricted/no-grant R-col' "$C/a/audit/log"
described() { curl -sS -H "X-Road-Client: $T" "$@" "$G/r1/${S%/web}/getOpenAPI?serviceCode=tabla" >"$C/described"; grep -o 'nueva\|sisben\|nombre\|salud' "$C/described" | sort -u | tr '\n' ' '; }
check "the description that anybody may ask for names no withheld column" equal "$(described)" "nombre "
check "... and with a purpose those that it gives" equal "$(described "${purpose[@]}")" "nombre sisben "
registry grant add G-2 --service ${S%web}tabla --column salud --consumer "$T" --legal-basis Ley --until "$until" >"$C/out" 2>&1 && publish
is_given() { table / "${purpose[@]}" >/dev/null; [ "$(jq -r '.items[0].salud' "$C/body")" = SECRETO ]; }
check "a grant of the column gives it" wait_for 20 is_given
check "... and the rest as before" equal "$(jq -c '.withheld' "$C/body")" '[{"column":"nueva","rule":"column/unlisted"}]'
server_stop a; gateway_stop a

# --- a consumer's server that lies ----------------------------------------------------------------------
request() { # PATH: the bytes of a request for it
    printf 'method: "GET" target: "/r1/%s%s" header { name: "X-Road-Client" value: "%s" }' "$S" "$1" "$T" |
        protoc --encode=chaski.RestRequest -I "$ROOT/proto" rest.proto >"$C/request.bin"
}
lie() { # ENDPOINT PATH
    request "$2"
    timeout 10 "$OUT/tests/mesh_peer" "tcp://$HOST:${MESH_PORT[b]}" "$C/a/keys" CO/MUN/890905211/SS1 "$C/directory" \
        "$C/store/anchor/trust.pem" "$C/store/anchor/directory.vkey" CO/GOV/899999027/SS1 "$T" "$S" "endpoint:$1:$C/request.bin" 2>&1 |
        sed 's/ [0-9a-f]\{16\}$//'
}
registry grant remove G-1 --reason fin >/dev/null && publish
wait_for 20 grep -q "\"directory.taken\",\"epoch\":$(sed -n 2p "$C/directory/checkpoint")" "$C/b/server.events"
: >"$C/nginx/access.log"
check "the honest one is answered" equal "$(lie resumen /resumen)" "answer OK"
check "a restricted part under an open one's name is not forwarded" equal "$(lie resumen /salud/1)" "answer WRONG_ENDPOINT"
check "... nor under none" equal "$(lie '' /salud/1)" "answer ACCESS_DENIED"
check "... nor in two ways to read it" equal "$(lie resumen /salud%2F1)" "answer WRONG_ENDPOINT"
check "an endpoint that nobody knows is refused" equal "$(lie nada /resumen)" "answer UNKNOWN_ENDPOINT"
check "under its own name it is restricted" equal "$(lie salud /salud/1)" "answer ACCESS_DENIED"
check "the service saw the honest one only" equal "$(cat "$C/nginx/access.log")" "GET|/base/resumen"
server_stop b
check "the log verifies" "$BIN/chaski-audit" verify "$C/b/audit" --store-key "$C/b/keys/store.key"
check "records name the endpoint" grep -aqr resumen "$C/b/audit/log"
"$BIN/chaski-audit" show "$C/a/audit" --json | jq -c '.[]' >"$C/shown"
check "an auditor is shown the endpoint" grep -q '"endpoint":"resumen"' "$C/shown"
check "... and what was withheld, by which rule" grep -q '"withheld":.*{"column":"salud","rule":"restricted/no-grant R-col"}' "$C/shown"
"$BIN/chaski-audit" search "$C/a/audit" --service "${S%web}tabla" --json >"$C/found" 2>"$C/found.err"
check "a search shows it too" equal "$(jq -r '[.rows[].withheld | select(. != null)] | unique | .[0]' "$C/found")" \
    'salud;rule="restricted/no-grant R-col"'
check "... in CSV too" contains "$("$BIN/chaski-audit" search "$C/a/audit" --service "${S%web}tabla" --csv)" 'restricted/no-grant R-col'
check "... and in words" contains "$("$BIN/chaski-audit" search "$C/a/audit" --service "${S%web}tabla")" '  withheld: salud;rule="restricted/no-grant R-col"'
"$BIN/chaski-audit" report "$C/a/audit" --store-key "$C/a/keys/store.key" --html "$C/report.html" >"$C/reported" 2>&1
check "the report names it, and how often" contains "$(grep -A 9 'id="withheld"' "$C/report.html")" \
    "<td><bdi>${S%web}tabla</bdi></td><td><bdi>salud;rule=&quot;restricted/no-grant R-col&quot;</bdi></td><td class=\"n\">"
check "... of one record in words" contains \
    "$("$BIN/chaski-audit" show "$C/a/audit" "$(jq -s 'map(select(.withheld))[0].index' "$C/shown")")" "salud, by restricted/no-grant R-col"
finish
