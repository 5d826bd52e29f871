#!/bin/bash
# SPDX-License-Identifier: MIT
# What a permit to ask a citizen leans on, with a real nginx as the source: no failure that a caller provoked, no answer about
# somebody else, nobody who does not run the procedure. A minute passes by a false clock.
. "$(dirname "$0")/lib.sh"

D=CO/GOV/899999027/DIVIPOLA
T=CO/MUN/890905211/TRAMITES
nginx_start() {
    NGINX_PORT=$(free_port)
    mkdir -p "$C/nginx/www/ced" "$C/nginx/www/vec" "$C/nginx/tmp"
    chmod 755 "$C" "$C/nginx" "$C/nginx/www"
    echo existe >"$C/nginx/www/ced/1020304050"
    echo vive >"$C/nginx/www/vec/1020304050"
    cat >"$C/nginx/nginx.conf" <<N
daemon off; master_process off; pid $C/nginx/pid; error_log $C/nginx/error.log;
events { worker_connections 64; }
http {
  log_format all '\$request_method|\$request_uri';
  access_log $C/nginx/access.log all;
  client_body_temp_path $C/nginx/tmp; proxy_temp_path $C/nginx/tmp; fastcgi_temp_path $C/nginx/tmp;
  uwsgi_temp_path $C/nginx/tmp; scgi_temp_path $C/nginx/tmp;
  server { listen 127.0.0.1:$NGINX_PORT; root $C/nginx/www;
    location /roto { return 500; }
    location /ced/ { if (-f $C/nginx/down) { return 503; } }
    location /vec/ { } }
}
N
    nginx -c "$C/nginx/nginx.conf" -p "$C/nginx" 2>"$C/nginx/start.err" &
    pids+=($!)
    wait_for 10 curl -fsS -o /dev/null "http://127.0.0.1:$NGINX_PORT/ced/1020304050"
}

country_make
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA
for s in padron otro; do echo "service add $D/$s --class open"; done >"$C/acts"
registry batch "$C/acts" >/dev/null || die "no services"
cat >"$C/registers.json" <<J
{ "requirements": [ {"id": "R-ID", "name": "Quién es"}, {"id": "R-VEC", "name": "Dónde vive"} ],
  "evidence_types": [ {"id": "E-CED", "title": "Cédula", "sensitivity": "classified"},
    {"id": "E-VEC", "title": "Vecindad", "sensitivity": "classified", "days_max": 90} ],
  "satisfactions": [ {"id": "Q-ID", "requirement": "R-ID", "territory": "CO", "any_of": [["E-CED"]]},
    {"id": "Q-VEC", "requirement": "R-VEC", "territory": "CO", "any_of": [["E-VEC"]]} ],
  "procedures": [ {"id": "T-LIC", "title": "Licencia", "owner": "CO/MUN", "requirements": ["R-ID", "R-VEC"], "purpose": "P-1"},
    {"id": "T-DANE", "title": "Censo", "owner": "CO/GOV/899999027", "requirements": ["R-ID"]} ] }
J
cat >"$C/sources.json" <<J
{ "sources": [ {"id": "S-CED", "evidence_type": "E-CED", "territory": "CO", "service": "$D/padron", "path": "/ced/{subject.number}"},
    {"id": "S-VEC", "evidence_type": "E-VEC", "territory": "CO", "service": "$D/padron", "path": "/vec/{subject.number}"} ] }
J
registry once-only add "$C/registers.json" >/dev/null && registry once-only add "$C/sources.json" >/dev/null || die "no registers"
registry subject-key add "$(date -u +%Y)" >/dev/null || die "no key for pseudonyms"
publish
nginx_start || die "nginx does not start: $(cat "$C/nginx/start.err")"
for s in padron otro; do echo "service \"$D/$s\" { kind = http url = \"http://127.0.0.1:$NGINX_PORT\" }"; done >"$C/b/services/all.conf"
clocked server_start a && clocked server_start b || die "a server does not start"
gateway_start a && gateway_start b || die "a gateway does not start"
wait_for 10 grep -q front.gateway_arrived "$C/b/server.events"
G=$(gateway_url a)
field() { jq -r "$1" <<<"$ANSWER"; }
post() { curl -sS --max-time 30 -H "X-Road-Client: $T" -H 'Content-Type: application/json' --data-binary "$2" "$G/once-only/v1/$1"; }
collect() { # [NUMBER] [CASE] [PROCEDURE]
    post collect "{\"procedure\":\"${3:-T-LIC}\",\"territory\":\"05001\",\"case\":\"${2:-2026-17}\",\"subject\":\"CC ${1:-1020304050}\",\"basis\":{\"law\":\"Ley 1\"}}"
}
permit() { # REQUIREMENT REASON [NUMBER] [CASE] [PROCEDURE]
    post ask-permit "{\"procedure\":\"${5:-T-LIC}\",\"requirement\":\"$1\",\"territory\":\"05001\",\"case\":\"${4-2026-17}\",\"reason\":\"$2\"${3:+,\"subject\":\"CC $3\"}}"
}
outcome() { permit "$@" | jq -r '.outcome // .type'; }
ready() { [ "$(collect | jq .complete)" = true ]; }
wait_for 20 ready || die "nothing is fetched: $(collect)"
record() { "$BIN/chaski-audit" show "$C/$1/audit" "$2" --json; }

# --- failures that a caller makes itself ------------------------------------------------------------------
direct() { # PATH [HEADER]: an ordinary request in the procedure's name
    curl -sS -o "$C/body" -w '%{http_code} ' -H "X-Road-Client: $T" -H 'Chaski-Procedure: T-LIC' -H 'Chaski-Requirement: R-ID' \
        -H 'Chaski-Case: 2026-17' ${2:+-H "$2"} "$G/r1/$D/padron$1"
}
for i in 1 2 3; do direct /roto; direct /roto "Chaski-Source: S-CED"; later 40; done >"$C/codes"
check "a path of a source's service answers 500" equal "$(tr -s ' ' '\n' <"$C/codes" | sort -u | tr -d '\n')" 500
check "... which is no failure of the source" equal "$(outcome R-ID SOURCE_DOWN)" DENIED
touch "$C/nginx/down"
for i in 1 2 3; do direct /ced/1020304050; later 40; done >"$C/codes"
check "... nor is what was not asked by a collection" equal "$(outcome R-ID SOURCE_DOWN)" DENIED

# --- failures of the source --------------------------------------------------------------------------------
for i in 1 2 3; do collect; done >/dev/null
check "three failures at once are one" equal "$(outcome R-ID SOURCE_DOWN)" DENIED
later 40
ANSWER=$(collect)
check "the other source of the same service answers meanwhile" equal "$(field '.requirements | map(.satisfied) | join(" ")')" "false true"
check "that it answers 500 about somebody says nothing about others" equal "$(outcome R-ID "") $(outcome R-ID "" 1020304050 otro)" "DENIED DENIED"
ANSWER=$(permit R-ID "" 1020304050)
check "failures of the source itself, some time apart: permitted" equal "$(field '.outcome + " " + .permit.reason')" "PERMIT SOURCE_DOWN"
CODE=$(field .permit.code)
INDEX=$(field .receipt.index)
"$BIN/chaski-audit" export "$C/a/audit" "$INDEX" --to "$C/permit" >/dev/null
openssl cms -verify -cades -binary -inform DER -in "$C/permit/leaf.p7m" -certfile "$C/permit/signer.pem" -CAfile "$C/store/anchor/trust.pem" \
    -out "$C/header" 2>/dev/null
protoc --decode=chaski.Header -I "$ROOT/proto" audit.proto <"$C/header" >"$C/header.txt"
EVIDENCE=$(sed -n 's/^ *evidence_index: //p' "$C/header.txt")
check "the record that it names is a failure" equal "$(record a "$EVIDENCE" | jq '.. | objects | .status? // empty')" 503
sources() { # NAME: of the requests in that log
    "$BIN/chaski-audit" show "$C/$1/audit" --json | jq -r '[.. | objects | .source? // empty] | unique | join(" ")'
}
check "requests of a collection name their source, in both logs" equal "$(sources a), $(sources b)" "S-CED S-VEC, S-CED S-VEC"
check "the other source is not down" equal "$(outcome R-VEC SOURCE_DOWN)" DENIED
check "nobody else's collection is needed, and no other service is down" equal "$(outcome R-VEC "")" DENIED
server_kill a && clocked server_start a || die "the server does not start again"
wait_for 20 grep -q front.server_restarted "$C/a/gateway.events" # until then what it asks may be taken for lost
wait_for 20 curl -fsS -o /dev/null "$G/readyz"
check "after kill -9 it is known" wait_for 20 eval '[ "$(outcome R-ID SOURCE_DOWN 1020304050)" = PERMIT ]'

curl -sS "$G/permits/$CODE" >"$C/look"
check "... and the code, which is for that case" equal "$(jq -r '.state + " " + .case' "$C/look")" "valid 2026-17"
segments() { for file in "$C/a/audit/log/1/wal/"*"$1"; do mv "$file" "${file%"$1"}$2"; done; }
segments .seg .away # the server writes on; what it wrote so far is not to be found
check "a permit whose record is gone is not said to be good" equal "$(curl -sS -o "$C/look" -w '%{http_code}' "$G/permits/$CODE")" 409
check "... and why" contains "$(cat "$C/look")" "names entry $EVIDENCE, which cannot be read"
segments .away .seg
check "... and is again when it is back" equal "$(curl -sS "$G/permits/$CODE" | jq -r .state)" valid
rm "$C/nginx/down"
check "when the source answers" wait_for 20 ready
check "... it is asked again: denied" equal "$(outcome R-ID SOURCE_DOWN 1020304050)" DENIED

# --- about whom --------------------------------------------------------------------------------------------
collect 79000111 >"$C/collected"
check "somebody is not found" equal "$(jq -r '.requirements[0].failed[0].status' "$C/collected")" 404
check "... for whom a citizen may be asked" equal "$(outcome R-ID NO_UNIQUE_MATCH 79000111)" PERMIT
ONE=$(permit R-ID NO_UNIQUE_MATCH 79000111 | jq -r .permit.code)
check "... in this case, says its code to whoever looks it up" equal "$(curl -sS "$G/permits/$ONE" | jq -r '.state + " " + .case')" "valid 2026-17"
check "... and for nobody else" equal "$(outcome R-ID NO_UNIQUE_MATCH 1020304050)" DENIED
check "... nor in another case" equal "$(outcome R-ID NO_UNIQUE_MATCH 79000111 otro)" DENIED
check "... nor for nobody at all" contains "$(permit R-ID NO_UNIQUE_MATCH)" "subject"
check "... nor with the number as the case" contains "$(permit R-ID NO_UNIQUE_MATCH 79000111 "CC 79.000.111")" "hold the number itself"
direct /ced/79000333 "Chaski-Subject: CC 79000333" >/dev/null
check "what was not asked by a collection is no answer" equal "$(outcome R-ID NO_UNIQUE_MATCH 79000333)" DENIED
check "what was delivered may be too old, says the member" equal "$(outcome R-VEC STALE 1020304050)" PERMIT
check "... what does not grow old is not" equal "$(outcome R-ID STALE 1020304050)" DENIED
check "... nor what was not delivered" equal "$(outcome R-VEC STALE 79000111)" DENIED
check "the citizen prefers to hand it in, in a case" equal "$(outcome R-VEC CITIZEN_PREFERS)" PERMIT
check "... which is named" contains "$(permit R-VEC CITIZEN_PREFERS "" "")" "case"
no_number() { ! grep -rlaE '79000111|79000333' "$C/a/audit" "$C/b/audit" "$C"/[ab]/*.events; }
check "no number stands in a log or an event" no_number

# --- whose procedure ---------------------------------------------------------------------------------------
check "a plan is public" equal "$(curl -sS "$G/once-only/v1/plan?procedure=T-DANE&territory=CO" | jq -r .procedure)" T-DANE
check "who does not run a procedure collects nothing for it" contains "$(collect 1020304050 x T-DANE)" "the procedure is run by others"
check "... and gets no permit" contains "$(permit R-ID CITIZEN_PREFERS 1020304050 x T-DANE)" "the procedure is run by others"
other() { curl -sS -H "X-Road-Client: $T" -H 'Chaski-Procedure: T-DANE' "$G/$1"; }
check "... and asks nothing in its name" equal "$(other "r1/$D/padron/ced/1020304050" | jq -r .rule)" "once-only/not-owner T-DANE"
check "can-i says the same" equal "$(other "can-i?service=$D/padron" | jq -r '.rule + " " + .missing.what')" "once-only/not-owner T-DANE owner"
gateway_stop a
server_stop a
check "the logs verify" "$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" --trust "$C/store/anchor/trust.pem" --directory-vkey "$C/store/anchor/directory.vkey" --directory "$C/directory"
lie() { # LIE: what the provider says to a consumer's server that checks nothing
    timeout 20 "$OUT/tests/mesh_peer" "tcp://$HOST:${MESH_PORT[b]}" "$C/a/keys" CO/MUN/890905211/SS1 "$C/directory" \
        "$C/store/anchor/trust.pem" "$C/store/anchor/directory.vkey" CO/GOV/899999027/SS1 "$T" "$D/${2:-padron}" "$1" 2>&1 | sed 's/ [0-9a-f]\{16\}$//'
}
request() { # PATH: the bytes of a request for it
    printf 'method: "GET" target: "/r1/%s%s" header { name: "X-Road-Client" value: "%s" }' "$D/${2:-padron}" "$1" "$T" |
        protoc --encode=chaski.RestRequest -I "$ROOT/proto" rest.proto >"$C/request"
}
clock_set 0
request /ced/1020304050
check "the provider refuses a consumer that does not run the procedure" equal "$(lie "once-only:T-DANE:R-ID::$C/request")" "answer ACCESS_DENIED"
check "... a service that is outside of the plan" equal "$(lie "once-only:T-LIC:R-ID::$C/request" otro)" "answer ACCESS_DENIED"
check "... a source that is none of the requirement" equal "$(lie "once-only:T-LIC:R-VEC:S-CED:$C/request")" "answer ACCESS_DENIED"
check "... a source that is in no register" equal "$(lie "once-only:T-LIC:R-ID:S-X:$C/request")" "answer ACCESS_DENIED"
check "... a source named for another procedure" equal "$(lie "once-only:Interno:R-ID:S-CED:$C/request")" "answer ACCESS_DENIED"
check "... and answers the source's own query" equal "$(lie "once-only:T-LIC:R-ID:S-CED:$C/request")" "answer OK"
request /roto
: >"$C/nginx/access.log"
check "... and no other under its name" equal "$(lie "once-only:T-LIC:R-ID:S-CED:$C/request")" "answer WRONG_ENDPOINT"
check "... of which nothing reaches the service" equal "$(grep -c roto "$C/nginx/access.log")" 0
gateway_stop b
server_stop b
check "the log of what was refused verifies" "$BIN/chaski-audit" verify "$C/b/audit" --store-key "$C/b/keys/store.key"
finish
