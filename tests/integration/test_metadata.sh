#!/bin/bash
# SPDX-License-Identifier: MIT
# What there is, and what one may call: X-Road's metadata services with real nodes and gateways, read by jq
# and xmllint, and whatever else may be sent to them.
. "$(dirname "$0")/lib.sh"
XSD=$ROOT/tests/integration/xsd
A=CO/MUN/890905211/TRAMITES
S=CO/GOV/899999027/DIVIPOLA
N='CO/MUN/890905211/%C3%B1and%C3%BA%20&%20%3Cco%3E'

country_make >/dev/null
member_make a CO/MUN/890905211/SS1 "Medellín <& \"Antioquia\">" TRAMITES >/dev/null
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA >/dev/null
registry member add CO/COM/900123456 --name "Firma" >/dev/null || die "no firm"
registry subsystem add "$N" --name "con / dentro" --server CO/MUN/890905211/SS1 || die "no subsystem"

# --- an agency's own descriptions, one of them behind its own HTTP -----------------------------------
cat >"$C/mascotas.json" <<'E'
{"openapi":"3.0.3","info":{"title":"Mascotas","version":"1","x-big":123456789012345678901234567890},
 "servers":[{"url":"http://10.0.0.7:8080/v1?x=1"},{"url":"https://{host}.interno/v2"},{"url":"/v3"}],
 "paths":{"/pet":{"post":{"responses":{}}},"/pet/{petId}/foto/{n}":{"servers":[{"url":"http:\/\/10.0.0.8"}],"get":{"responses":{},
 "servers":[{"url":"http://10.0.0.9/fotos"}]},"parameters":[]},"x-otro":{"get":{}}},
 "components":{"pathItems":{"p":{"servers":[{"url":"http://10.0.0.10/p"}],"get":{}}},"schemas":{"servers":{"example":{"servers":[{"url":"http://publico.example/"}]}}}}}
E
cat >"$C/vías.yaml" <<'E'
# comentario que queda ñ
openapi: "3.1.0"
info: {title: Vías, version: '1'}
servers:
  - url: http://10.1.0.7:8080/vias   # interno
    description: uno
  - {url: 'http://10.1.0.8'}
paths:
  /via/{id}:
    get: {responses: {}}
    delete:
      responses: {}
E
printf 'openapi: 3.0.0\nservers: [{url: "http://10.2.0.7/a"}]\npaths: {/x: {put: {}}}\n' >"$C/raro.txt"
NGINX_PORT=$(free_port)
mkdir -p "$C/nginx/www" "$C/nginx/tmp"
chmod 755 "$C" "$C/nginx" "$C/nginx/www"
cp "$C/mascotas.json" "$C/nginx/www/api.json"
echo '{"swagger":"2.0","paths":{}}' >"$C/nginx/www/viejo.json"
echo 'no es nada: [' >"$C/nginx/www/roto.json"
head -c 5000000 /dev/zero | tr '\0' ' ' >"$C/nginx/www/grande.json"
cat >"$C/nginx/nginx.conf" <<E
daemon off; master_process off; pid $C/nginx/pid; error_log $C/nginx/error.log;
events { worker_connections 64; }
http {
  access_log off; default_type application/octet-stream; types { "application/vnd.oai.openapi+json;version=3.0" json; }
  client_body_temp_path $C/nginx/tmp; proxy_temp_path $C/nginx/tmp; fastcgi_temp_path $C/nginx/tmp;
  uwsgi_temp_path $C/nginx/tmp; scgi_temp_path $C/nginx/tmp;
  server { listen 127.0.0.1:$NGINX_PORT; root $C/nginx/www; }
}
E
nginx -c "$C/nginx/nginx.conf" -p "$C/nginx" 2>"$C/nginx/start.err" &
pids+=($!)
wait_for 10 curl -fsS -o /dev/null "http://127.0.0.1:$NGINX_PORT/api.json" || die "nginx does not start: $(cat "$C/nginx/start.err")"

printf 'cod,nombre\n05001,MEDELLÍN\n' >"$C/tabla.csv"
{
    for code in mascotas vias raro remoto viejo roto grande; do
        case $code in
        mascotas) where=$C/mascotas.json ;; vias) where=$C/vías.yaml ;; raro) where=$C/raro.txt ;;
        remoto) where=http://127.0.0.1:$NGINX_PORT/api.json ;; *) where=http://127.0.0.1:$NGINX_PORT/$code.json ;;
        esac
        echo "service \"$S/$code\" { url = \"http://127.0.0.1:$NGINX_PORT/\" openapi = \"$where\" }"
    done
    echo "service \"$S/caido\" { url = \"http://127.0.0.1:1/\" openapi = \"http://127.0.0.1:1/api.json\" }"
    echo "service \"$S/simple\" { url = \"http://127.0.0.1:$NGINX_PORT/\" }"
    echo "service \"$S/con%20blanco\" { url = \"http://127.0.0.1:$NGINX_PORT/\" }"
    echo "service \"$S/municipios\" { kind = table file = \"$C/tabla.csv\" key = \"cod\" title = \"Municipios\" }"
    echo "service \"$S/escondido\" { url = \"http://127.0.0.1:$NGINX_PORT/\" openapi = \"$C/mascotas.json\" }"
} >"$C/b/services/todo.conf"
cat >"$C/acts" <<E
service add $S/municipios --title "Municipios"
service add $S/mascotas --class open
service add $S/vias --class open
service add $S/raro --class open
service add $S/remoto --class open
service add $S/viejo --class open
service add $S/roto --class open
service add $S/grande --class open
service add $S/caido --class open
service add $S/simple --class open
service add "$S/con%20blanco" --class open
service add $S/sin-entrada --class open
service add $S/apagado --class open
service disable $S/apagado --notice "Mantenimiento"
service add $S/reservado
$(restriction_words $S/reservado)
service add $S/otorgado
$(restriction_words $S/otorgado)
grant add G-1 --service $S/otorgado --consumer CO/MUN/890905211 --purpose P-1 --legal-basis "Ley" --until $(date -d '+1 year' +%F)
E
registry batch "$C/acts" >"$C/acts.out" 2>&1 || die "no services: $(cat "$C/acts.out")"
check "no service is registered under a code of X-Road's" contains \
    "$(registry service add $S/listMethods 2>&1)" "X-Road keeps the code listMethods for itself"
publish
for name in a b; do server_start $name || die "server $name: $(tail -n 1 "$C/$name/server.events")"; done
for name in a b; do gateway_start $name || die "gateway $name: $(tail -n 1 "$C/$name/gateway.events")"; done
URL=$(gateway_url a)
HOST_PORT=${URL#http://}
ask() { curl -sS -m 20 -H "X-Road-Client: $A" "$@"; }
status() { ask -o /dev/null -w '%{http_code}' "$@"; }
header() { sed -n "s/^$1: //Ip" <<<"$2" | tr -d '\r'; }

# --- listClients ------------------------------------------------------------------------------------
curl -sS -D "$C/head" -H 'Accept: text/html, application/json;q=0.1' "$URL/listClients" >"$C/clients.json"
check "listClients is JSON when Accept says so" equal "$(header content-type "$(cat "$C/head")")" "application/json; charset=utf-8"
check "... with members and subsystems in one order" equal \
    "$(jq -r '.member[] | .id | [.object_type, .xroad_instance, .member_class, .member_code, .subsystem_code // "-"] | join(" ")' "$C/clients.json")" \
    "MEMBER CO COM 900123456 -
MEMBER CO GOV 899999027 -
SUBSYSTEM CO GOV 899999027 DIVIPOLA
MEMBER CO MUN 890905211 -
SUBSYSTEM CO MUN 890905211 ñandú & <co>
SUBSYSTEM CO MUN 890905211 TRAMITES"
check "... a member's name for both, a subsystem's for one" equal \
    "$(jq -c '.member[-2:][] | [keys, .name, .subsystem_name]' "$C/clients.json")" \
    '[["id","name","subsystem_name"],"Medellín <& \"Antioquia\">","con / dentro"]
[["id","name","subsystem_name"],"Medellín <& \"Antioquia\">","Medellín <& \"Antioquia\">"]'
check "... and nothing where there is nothing" equal \
    "$(jq -c '.member[0] | [keys, (.id | keys)]' "$C/clients.json")" '[["id","name"],["member_class","member_code","object_type","xroad_instance"]]'
curl -sS -D "$C/head" "$URL/listClients?xRoadInstance=CO&otra=1" >"$C/clients.xml"
check "it is XML by default" contains "$(header content-type "$(cat "$C/head")")" "text/xml"
check "... for other Accepts too" contains "$(curl -sS -H 'Accept: application/xml' "$URL/listClients")" "<ns2:clientList"
check "... as X-Road's schema has it" xmllint --nonet --noout --schema "$XSD/xroad.xsd" "$C/clients.xml"
check "... with the same content" equal \
    "$(xmllint --xpath "count(//*[local-name()='member'])" "$C/clients.xml") $(xmllint --xpath "string((//*[local-name()='name'])[last()])" "$C/clients.xml")" \
    '6 Medellín <& "Antioquia">'
check "... and types" equal "$(xmllint --xpath "count(//*[@*[local-name()='objectType']='SUBSYSTEM'])" "$C/clients.xml")" 3
check "another instance is 404" equal "$(curl -sS -o "$C/out" -w '%{http_code}' "$URL/listClients?xRoadInstance=EE")" 404
check "... said in XML when no JSON is wanted" contains "$(cat "$C/out")" "<error><type>Client.NotFound"
check "... and in JSON else" equal "$(curl -sS -H 'Accept: application/json' "$URL/listClients?xRoadInstance=EE" | jq -r .type)" Client.NotFound
check "an instance named twice is 400" equal "$(status "$URL/listClients?xRoadInstance=CO&xRoadInstance=CO")" 400
check "a broken escape is 400" equal "$(status "$URL/listClients?xRoadInstance=%zz")" 400
check "an empty instance is 400" equal "$(status "$URL/listClients?xRoadInstance=")" 400
check "another method is 400" equal "$(status -X POST "$URL/listClients")" 400
check "a path below it is 404" equal "$(status "$URL/listClients/x")" 404

# --- listMethods ------------------------------------------------------------------------------------
list() { ask "$URL/r1/$S/$1" | jq -r '.service[].service_code' | tr '\n' ' '; }
one() { jq -c ".service[] | select(.service_code == \"$2\")" <<<"$1"; }
wait_for 10 sh -c "curl -sS -H 'X-Road-Client: $A' $URL/r1/$S/listMethods | grep -q '\"remoto\",\"endpoint_list\":\[{'"
methods=$(ask -D "$C/head" "$URL/r1/$S/listMethods")
check "all services are listed, in order, and no others" equal "$(jq -r '.service[].service_code' <<<"$methods" | tr '\n' ' ')" \
    "apagado caido con blanco grande mascotas municipios otorgado raro remoto reservado roto simple sin-entrada vias viejo "
check "... as JSON" equal "$(header content-type "$(cat "$C/head")")" application/json
check "a described service has its operations" equal "$(one "$methods" mascotas)" \
    '{"object_type":"SERVICE","service_type":"OPENAPI","xroad_instance":"CO","member_class":"GOV","member_code":"899999027","subsystem_code":"DIVIPOLA","service_code":"mascotas","endpoint_list":[{"method":"POST","path":"/pet"},{"method":"GET","path":"/pet/*/foto/*"}]}'
check "... out of YAML too" equal "$(one "$methods" vias | jq -c .endpoint_list)" '[{"method":"GET","path":"/via/*"},{"method":"DELETE","path":"/via/*"}]'
check "... and when the description is fetched" equal "$(one "$methods" remoto | jq -c '[.service_type, (.endpoint_list | length)]')" '["OPENAPI",2]'
check "... a table by itself" equal "$(one "$methods" municipios | jq -c .endpoint_list)" '[{"method":"GET","path":"/"},{"method":"GET","path":"/*"}]'
check "a plain service is REST and has none" equal "$(one "$methods" simple | jq -c '[.service_type, .endpoint_list]')" '["REST",[]]'
check "a description that cannot be fetched is said" wait_for 5 grep -q '"description.not_read".*caido' "$C/b/gateway.events"
check "the answer is an exchange's" equal "$(header x-road-service "$(cat "$C/head")")" $S/listMethods
check "... with a receipt" contains "$(header chaski-receipt "$(cat "$C/head")")" "log/"
check "... and its request's id" equal "$(header x-road-request-id "$(cat "$C/head")" | grep -cE '^[0-9a-f-]{36}$')" 1
check "whoever is registered may ask" equal "$(curl -sS -H "X-Road-Client: $N" "$URL/r1/$S/listMethods" | jq '.service | length')" 15
check "a subsystem that only calls offers nothing" equal "$(ask "$URL/r1/$A/listMethods")" '{"service":[]}'
check "... also when the other side asks" equal "$(curl -sS -H "X-Road-Client: $S" "$(gateway_url b)/r1/$A/allowedMethods")" '{"service":[]}'

# --- allowedMethods ---------------------------------------------------------------------------------
check "without a purpose: what some purpose would open" equal "$(list allowedMethods)" \
    "caido con blanco grande mascotas municipios otorgado raro remoto roto simple sin-entrada vias viejo "
allowed() { ask -H "Chaski-Purpose: $1" "$URL/r1/$S/allowedMethods" | jq -r '.service[].service_code' | tr '\n' ' '; }
check "with a purpose: what it opens" equal "$(allowed P-1)" "$(list allowedMethods)"
check "with one that nobody registered: what is open" equal "$(allowed P-9)" \
    "caido con blanco grande mascotas raro remoto roto simple sin-entrada vias viejo "
for code in $(ask -H 'Chaski-Purpose: P-1' "$URL/r1/$S/listMethods" | jq -r '.service[].service_code | @uri'); do
    refused=$(ask -o /dev/null -D - -H 'Chaski-Purpose: P-1' "$URL/r1/$S/$code")
    case $(header x-road-error "$refused") in *AccessDenied | *ServiceDisabled) ;; *) echo -n "$(printf '%b' "${code//%/\\x}") " ;; esac
done >"$C/really"
check "... which is what real exchanges are allowed" equal "$(cat "$C/really")" "$(allowed P-1)"

# --- getOpenAPI -------------------------------------------------------------------------------------
api() { ask -D "$C/head" "$URL/r1/$S/getOpenAPI?serviceCode=$1"; }
api mascotas >"$C/out"
sed -e 's|http://10.0.0.7:8080/v1?x=1|/v1|' -e 's|"http:\\/\\/10.0.0.8"|"/"|' -e 's|http://10.0.0.9||' -e 's|http://10.0.0.10||' "$C/mascotas.json" >"$C/expected"
check "a description comes back with no host in it, and else byte for byte" cmp "$C/out" "$C/expected"
check "... with the type that its file's name says" equal "$(header content-type "$(cat "$C/head")")" application/json
check "... and no inner address but in variables and examples" equal "$(grep -oE '10\.0\.0\.[0-9]+|interno|publico' "$C/out" | tr '\n' ' ')" "interno publico "
api vias >"$C/out"
sed -e 's|http://10.1.0.7:8080/vias|"/vias"|' -e "s|'http://10.1.0.8'|\"/\"|" "$C/vías.yaml" >"$C/expected"
check "... in YAML too, with its comments" cmp "$C/out" "$C/expected"
check "... as YAML" equal "$(header content-type "$(cat "$C/head")")" application/yaml
api raro >"$C/out"
check "a file of another name is text/plain" equal "$(header content-type "$(cat "$C/head")")" text/plain
api remoto >"$C/out"
sed -e 's|http://10.0.0.7:8080/v1?x=1|/v1|' -e 's|"http:\\/\\/10.0.0.8"|"/"|' -e 's|http://10.0.0.9||' -e 's|http://10.0.0.10||' "$C/mascotas.json" >"$C/expected"
check "one that is fetched comes with the type of its origin" equal "$(header content-type "$(cat "$C/head")")" "application/vnd.oai.openapi+json;version=3.0"
check "... and is masked as well" cmp "$C/out" "$C/expected"
api municipios >"$C/out"
check "a table describes itself" equal "$(jq -r '.openapi[:2], .info.title, .servers[0].url, (.paths | keys | join(" ")), (.components.schemas.row.required | join(" "))' "$C/out" | tr '\n' '|')" \
    "3.|Municipios|/r1/$S/municipios|/ /{cod}|cod nombre|"
check "... truthfully: each filter that it names is one" equal \
    "$(for name in $(jq -r '.paths["/"].get.parameters[].name' "$C/out"); do status -H 'Chaski-Purpose: P-1' "$URL/r1/$S/municipios/?$name=1"; echo -n ' '; done)" "200 200 200 200 "
refused() { # SENTENCE TYPE CURL-ARGUMENTS...
    local sentence=$1 type=$2; shift 2
    check "$sentence" equal "$(ask "$@" | jq -r .type)" "$type"
}
refused "no serviceCode is an invalid request" Server.ServerProxy.InvalidRequest "$URL/r1/$S/getOpenAPI"
refused "... and an empty one" Server.ServerProxy.InvalidRequest "$URL/r1/$S/getOpenAPI?serviceCode="
refused "... and two of them" Server.ServerProxy.InvalidRequest "$URL/r1/$S/getOpenAPI?serviceCode=vias&serviceCode=vias"
refused "... and a broken escape" Server.ServerProxy.InvalidRequest "$URL/r1/$S/getOpenAPI?serviceCode=%ff"
refused "a service that is not there is unknown" Server.ServerProxy.UnknownService "$URL/r1/$S/getOpenAPI?serviceCode=nada"
refused "... and one that is in the settings and not in the directory" Server.ServerProxy.UnknownService "$URL/r1/$S/getOpenAPI?serviceCode=escondido"
refused "a service without a description is said to be of an invalid type" Server.ServerProxy.InternalError "$URL/r1/$S/getOpenAPI?serviceCode=simple"
check "... in words" contains "$(ask "$URL/r1/$S/getOpenAPI?serviceCode=con%20blanco" | jq -r .message)" "invalid service type"
refused "one that no gateway has is not set" Server.ServerProxy.ServiceMissingUrl "$URL/r1/$S/getOpenAPI?serviceCode=sin-entrada"
refused "an origin that is down is a network error" Server.ServerProxy.NetworkError "$URL/r1/$S/getOpenAPI?serviceCode=caido"
for code in viejo roto grande; do refused "what is no OpenAPI 3 document is not passed on: $code" Server.ServerProxy.InternalError "$URL/r1/$S/getOpenAPI?serviceCode=$code"; done
refused "only GET is taken" Server.ServerProxy.InvalidHttpMethod -X POST -d x "$URL/r1/$S/listMethods"
refused "... there too" Server.ServerProxy.InvalidHttpMethod -X DELETE "$URL/r1/$S/getOpenAPI?serviceCode=vias"
refused "nothing is below" Server.ServerProxy.BadRequest "$URL/r1/$S/listMethods/x"
refused "a subsystem that is not there is unknown" Server.ClientProxy.UnknownMember "$URL/r1/CO/GOV/899999027/NADA/listMethods"
refused "a client that is not ours cannot ask" Server.ClientProxy.UnknownMember -H 'X-Road-Client: CO/COM/900123456/X' "$URL/r1/$S/listMethods"
refused "other codes of X-Road's are no services" Server.ServerProxy.UnknownService "$URL/r1/$S/getWsdl"
rm "$C/nginx/www/api.json"
refused "an origin that has it no more is said" Server.ServerProxy.InternalError "$URL/r1/$S/getOpenAPI?serviceCode=remoto"

# --- SOAP -------------------------------------------------------------------------------------------
message() { # CODE BODY [MORE-HEADER]
    cat <<E
<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:x="http://x-road.eu/xsd/xroad.xsd" xmlns:i="http://x-road.eu/xsd/identifiers">
<s:Header><x:client i:objectType="SUBSYSTEM"><i:xRoadInstance>CO</i:xRoadInstance><i:memberClass>MUN</i:memberClass><i:memberCode>890905211</i:memberCode><i:subsystemCode>A&lt;B&amp;ñ</i:subsystemCode></x:client>
<x:service i:objectType="SERVICE"><i:xRoadInstance>CO</i:xRoadInstance><i:memberClass>GOV</i:memberClass><i:memberCode>899999027</i:memberCode><i:subsystemCode>DIVIPOLA</i:subsystemCode><i:serviceCode>$1</i:serviceCode></x:service>
<x:id>id &lt;1&gt;</x:id><x:protocolVersion>4.0</x:protocolVersion>${3:-}</s:Header><s:Body>$2</s:Body></s:Envelope>
E
}
soap() { curl -sS -m 20 -D "$C/head" -H "Content-Type:${TYPE- text/xml; charset=utf-8}" -H "SOAPAction: ${ACTION-\"\"}" --data-binary @- "$@" "$URL/"; }
for code in listMethods allowedMethods; do
    message $code "<x:$code/>" >"$C/soap"
    soap <"$C/soap" >"$C/out"
    check "SOAP $code is answered with an empty list" xmllint --nonet --noout --schema "$XSD/envelope.xsd" "$C/out"
    check "... that is empty" equal "$(xmllint --xpath "concat(count(//*[local-name()='${code}Response']), ' ', count(//*[local-name()='${code}Response']/*))" "$C/out")" "1 0"
    check "... for the one who asked" equal "$(xmllint --xpath "string(//*[local-name()='client']/*[local-name()='subsystemCode'])" "$C/out") $(xmllint --xpath "string(//*[local-name()='Header']/*[local-name()='id'])" "$C/out")" "A<B&ñ id <1>"
    check "... with the hash of the request" equal "$(xmllint --xpath "string(//*[local-name()='requestHash'])" "$C/out")" "$(openssl dgst -sha512 -binary "$C/soap" | base64 -w0)"
done
check "... as text/xml" equal "$(header content-type "$(cat "$C/head")")" "text/xml;charset=utf-8"
fault_is() { # SENTENCE FAULTCODE CURL-ARGUMENTS... <MESSAGE
    local sentence=$1 code=$2; shift 2
    soap "$@" >"$C/out"
    check "$sentence" equal "$(xmllint --xpath "string(//faultcode)" "$C/out") $(head -n 1 "$C/head" | cut -d ' ' -f 2) $(header content-type "$(cat "$C/head")")" "$code 200 text/xml;charset=utf-8"
    check "... in a proper fault" xmllint --nonet --noout --schema "$XSD/envelope.xsd" "$C/out"
}
L="<x:listMethods/>"
message mascotas "<x:mascotas/>" | fault_is "a SOAP call of a service is refused" Server.ServerProxy.ServiceType
message getWsdl "<x:getWsdl><x:serviceCode>x</x:serviceCode></x:getWsdl>" | fault_is "... and getWsdl" Server.ServerProxy.ServiceType
echo 'no es XML' | fault_is "what is no XML" Client.MalformedSoap
message listMethods "$L" | head -c 400 | fault_is "half a message" Client.MalformedSoap
message listMethods "<x:listMethods>" | fault_is "an element that is not closed" Client.MalformedSoap
message listMethods "<y:listMethods/>" | fault_is "a prefix that nobody declared" Client.MalformedSoap
{ printf '<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'; message listMethods "<x:listMethods>&b;</x:listMethods>" | tail -n +2; } |
    fault_is "entities" Client.MalformedSoap
{ printf '<!DOCTYPE s SYSTEM "http://127.0.0.1:%s/dtd">' "$NGINX_PORT"; message listMethods "$L" | tail -n +2; } | fault_is "a DTD" Client.MalformedSoap
check "... says so" contains "$(cat "$C/out")" "a DOCTYPE"
check "... and nothing was fetched for it" equal "$(grep -c dtd "$C/nginx/error.log")" 0
message listMethods "<?php x?>$L" | fault_is "a processing instruction" Client.MalformedSoap
message listMethods "$(printf '<a>%.0s' $(seq 200))$(printf '</a>%.0s' $(seq 200))" | fault_is "a message that is too deep" Client.MalformedSoap
message listMethods "$(printf '<a/>%.0s' $(seq 5000))" "$(printf '<a/>%.0s' $(seq 5000))" | fault_is "one with too many elements" Client.MalformedSoap
printf '\xff\xfe<\x00a\x00/\x00>\x00' | fault_is "UTF-16" Client.MalformedSoap
printf 'a\xff' | fault_is "what is no UTF-8" Client.MalformedSoap
{ printf '\xef\xbb\xbf'; message listMethods "$L"; } | soap >"$C/out"
check "a byte order mark is taken" contains "$(cat "$C/out")" "listMethodsResponse/>"
message listMethods "$L" | sed 's|http://schemas.xmlsoap.org/soap/envelope/|http://www.w3.org/2003/05/soap-envelope|' | fault_is "SOAP 1.2" SOAP-ENV:VersionMismatch
echo '<a/>' | fault_is "another document" Client.InvalidSoap
message listMethods "$L" | sed -e 's/<s:Header>/<!--/' -e 's/<.s:Header>/-->/' | fault_is "no header" Client.MissingHeader
message listMethods "$L" | sed -e 's/<s:Body>.*<.s:Body>//' | fault_is "no body" Client.MissingBody
message listMethods "$L$L" | fault_is "two elements in the body" Client.InvalidBody
message listMethods "" | fault_is "none" Client.InvalidBody
message listMethods "<x:listMethods>x</x:listMethods>" | fault_is "one that is not empty" Client.InvalidBody
message listMethods "<listMethods/>" | fault_is "one of another namespace" Client.InvalidBody
message listMethods "<x:allowedMethods/>" | fault_is "one that is not the service's" Client.InconsistentHeaders
message listMethods "$L" | sed 's|<x:id>.*</x:id>||' | fault_is "a message without an id" Client.MissingHeaderField
message listMethods "$L" "<x:id>2</x:id>" | fault_is "one with two" Client.DuplicateHeaderField
message listMethods "$L" | sed 's|>4.0<|>3.1<|' | fault_is "another protocol" Client.InvalidProtocolVersion
message listMethods "$L" "<x:userId>$(head -c 2000 /dev/zero | tr '\0' u)</x:userId>" | fault_is "a field that is too long" Client.MalformedSoap
message listMethods "$L" | TYPE= fault_is "no Content-Type" Client.InvalidContentType
message listMethods "$L" | TYPE=' application/soap+xml' fault_is "another Content-Type" Client.InvalidContentType
message listMethods "$L" | TYPE=' multipart/related; boundary=x' fault_is "attachments" Client.InvalidContentType
message listMethods "$L" | TYPE=' text/xml;charset=latin1' fault_is "another charset" Client.InvalidContentType
message listMethods "$L" | ACTION=urn:x fault_is "a bare SOAPAction" Client.InvalidSoapAction
head -c 300000 /dev/zero | fault_is "a message that is too large" Client.BadRequest
head -c 300000 /dev/zero | fault_is "... chunked too" Client.MalformedSoap -H 'Transfer-Encoding: chunked'
: | fault_is "an empty one" Client.MalformedSoap
check "GET / is a SOAP fault too, as in X-Road" equal "$(curl -sS "$URL/" | xmllint --xpath 'string(//faultcode)' -)" Client.InvalidHttpMethod
exec 3<>"/dev/tcp/${HOST_PORT%:*}/${HOST_PORT#*:}"
printf 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n' >&3
check "a body whose coding is broken is a SOAP fault" contains "$(timeout 2 cat <&3)" "<faultcode>Client.BadRequest"
exec 3>&-

# --- large, and changing ----------------------------------------------------------------------------
{
    for n in $(seq 6300); do
        printf 'member add CO/GOV/8%05d --name "Entidad número %d" --public\n' "$n" "$n"
        printf 'subsystem add CO/GOV/899999027/S%d --name "Sistema %d" --server CO/GOV/899999027/SS1\n' "$n" "$n"
    done
    for n in $(seq 5000); do printf 'service add %s/s%05d --class open\n' "$S" "$n"; done
} >"$C/many"
registry batch "$C/many" >"$C/many.out" 2>&1 || die "no large country: $(tail -n 2 "$C/many.out")"
publish
count() { curl -sS -m 20 -H 'Accept: application/json' "$URL/listClients" | jq '.member | length'; }
large() { [ "$(count)" = 12606 ]; }
check "a country of 6,300 institutions is listed whole" wait_for 60 large
check "... each once" equal "$(curl -sS -H 'Accept: application/json' "$URL/listClients" | jq -c '.member[].id' | sort -u | wc -l)" 12606
curl -sS "$URL/listClients" >"$C/clients.xml"
check "... in XML by the schema" xmllint --nonet --noout --schema "$XSD/xroad.xsd" "$C/clients.xml"
check "... and quickly when it is known" [ "$(curl -sS -o /dev/null -w '%{time_total}' "$URL/listClients" | cut -d . -f 1)" = 0 ]
seq 40 | xargs -P 40 -I{} curl -sS -m 30 -o "$C/many.{}" "$URL/listClients"
check "... to many at once" equal "$(cksum "$C"/many.[0-9]* | cut -d ' ' -f 1 | sort -u | wc -l)" 1
check "a subsystem of 5,000 services is listed whole" equal "$(ask "$URL/r1/$S/listMethods" | jq '.service | length')" 5015

# --- the end ----------------------------------------------------------------------------------------
server_stop a
away() { [ "$(curl -sS -o /dev/null -w '%{http_code}' "$URL/listClients")" = 503 ]; }
check "without its server a gateway lists nobody" wait_for 15 away
gateway_stop a
check "a gateway stops as asked" equal $? 0
gateway_stop b
server_stop b
check "both logs verify" "$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" --store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key"
check "the log says by which rule it was asked" contains "$("$BIN/chaski-audit" show "$C/b/audit")" metadata/any-member
finish
