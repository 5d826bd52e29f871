#!/bin/bash
# SPDX-License-Identifier: MIT
# Once only, with real processes: plan, collect, permits denied and given, their codes, requests outside a plan.
. "$(dirname "$0")/lib.sh"

country_make
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA
D=CO/GOV/899999027/DIVIPOLA
T=CO/MUN/890905211/TRAMITES
for s in residencia factura contrato otro; do echo "service add $D/$s --class open"; done >"$C/acts"
registry batch "$C/acts" >/dev/null || die "no services"
cat >"$C/registers.json" <<J
{ "requirements": [ {"id": "R-RES", "name": "Vive en el municipio"}, {"id": "R-ID", "name": "Quién es"}, {"id": "R-RENTA", "name": "Cuánto gana"} ],
  "evidence_types": [ {"id": "E-CERT", "title": "Certificado de residencia", "versions": ["2"], "sensitivity": "classified"},
    {"id": "E-FACT", "title": "Factura", "sensitivity": "classified"}, {"id": "E-ARR", "title": "Contrato", "sensitivity": "reserved"},
    {"id": "E-CED", "title": "Cédula", "sensitivity": "classified"}, {"id": "E-REN", "title": "Renta", "sensitivity": "reserved"} ],
  "satisfactions": [ {"id": "Q-RES", "requirement": "R-RES", "territory": "CO", "any_of": [["E-CERT"], ["E-FACT", "E-ARR"]]},
    {"id": "Q-ID", "requirement": "R-ID", "territory": "CO", "any_of": [["E-CED"]]},
    {"id": "Q-REN", "requirement": "R-RENTA", "territory": "CO", "any_of": [["E-REN"]]} ],
  "sources": [ {"id": "S-CERT", "evidence_type": "E-CERT", "territory": "05001", "service": "$D/residencia", "path": "/{subject.number}", "versions": ["2"]},
    {"id": "S-FACT", "evidence_type": "E-FACT", "territory": "CO", "service": "$D/factura", "path": "/{subject.number}"},
    {"id": "S-ARR", "evidence_type": "E-ARR", "territory": "05", "service": "$D/contrato", "path": "/{subject.number}"},
    {"id": "S-CED", "evidence_type": "E-CED", "territory": "CO", "service": "$D/otro", "path": "/{subject.type}-{subject.number}"},
    {"id": "S-REN", "evidence_type": "E-REN", "territory": "CO", "none": "Sin convenio", "until": "$(date -u -d '+90 days' +%F)"} ],
  "procedures": [ {"id": "T-LIC", "number": "00431", "title": "Licencia", "owner": "CO/MUN", "requirements": ["R-RES", "R-ID"], "subject": "person", "purpose": "P-1"},
    {"id": "T-SUB", "number": "00977", "title": "Subsidio", "owner": "CO/MUN", "requirements": ["R-RENTA"]} ] }
J
check "the registers are taken" registry once-only add "$C/registers.json"
sed 's/"requirements": \["R-RES", "R-ID"\]/&, "ask_citizen": ["R-ID"]/; s/T-LIC/T-NEW/' "$C/registers.json" >"$C/debt.json"
registry once-only add "$C/debt.json" >"$C/debt.out" 2>&1
check "a procedure with new debt is refused with the finding" contains "$(cat "$C/debt.out")" "T-NEW would ask citizens for R-ID (Quién es), which the state holds: source S-CED"
check "show gives the file back" equal "$(registry show --json | jq -c '.sources | map(.id)')" '["S-ARR","S-CED","S-CERT","S-FACT","S-REN"]'
registry subject-key add "$(date -u +%Y)" >/dev/null || die "no key for pseudonyms"
publish
NUMBER=1020304050
printf 'numero,dato\n%s,vive\n' $NUMBER >"$C/t.csv"
printf 'numero,dato\nCC-%s,existe\n' $NUMBER >"$C/id.csv"
for s in residencia factura contrato; do
    echo "service \"$D/$s\" { kind = table file = \"$C/t.csv\" key = numero }" >"$C/b/services/$s.conf"
done
echo "service \"$D/otro\" { kind = table file = \"$C/id.csv\" key = numero }" >"$C/b/services/otro.conf"
echo 'evidence_listen = {"127.0.0.1:0"}
permits_url = "https://ejemplo.gov.co/permits"' >>"$C/a/gateway.conf"
clocked server_start a && clocked server_start b || die "a server does not start"
gateway_start a && gateway_start b || die "a gateway does not start"
wait_for 10 grep -q front.gateway_arrived "$C/b/server.events"
G=$(gateway_url a)
E=http://$(sed -n 's/^evidence_listen=//p' "$C/a/gateway.ready" | head -n 1)
field() { jq -r "$1" <<<"$ANSWER"; }

# --- plan ---------------------------------------------------------------------------------------------
plan() { curl -sS "$G/once-only/v1/plan?$1"; }
ANSWER=$(plan "procedure=T-LIC&territory=05001")
check "a plan has a ready request for each piece" equal "$(field '.requirements[0].any_of[0].all_of[0].request.target')" "/r1/$D/residencia/{subject.number}"
check "... with procedure, requirement and purpose" equal "$(field '.requirements[0].any_of[0].all_of[0].request.headers | [.["Chaski-Procedure"], .["Chaski-Requirement"], .["Chaski-Purpose"]] | join(" ")')" "T-LIC R-RES P-1"
check "... and all ways" equal "$(field '.requirements[0].any_of | map(.all_of | map(.source) | join("+")) | join(" ")')" "S-CERT S-FACT+S-ARR"
check "the narrowest source is another elsewhere" equal "$(plan 'procedure=T-LIC&territory=05002' | jq -r '.requirements[0].any_of | map(.state) | join(" ")')" "NO_SOURCE READY"
check "a lost zero is said" equal "$(plan 'procedure=T-LIC&territory=5001' | jq -r .type)" Client.InvalidRequest
check "an unknown procedure: 404" equal "$(curl -sS -o /dev/null -w '%{http_code}' "$G/once-only/v1/plan?procedure=T-9&territory=CO")" 404
check "no territory is a question" equal "$(curl -sS -o "$C/body" -w '%{http_code}' "$G/once-only/v1/plan?procedure=T-LIC")" 422

# --- collect ------------------------------------------------------------------------------------------
post() { # DOOR JSON [HEADER]
    curl -sS -H "X-Road-Client: $T" -H 'Content-Type: application/json' ${3:+-H "$3"} --data-binary "$2" "$G/once-only/v1/$1"
}
question() { printf '{"procedure":"%s","territory":"%s","case":"2026-17","subject":"CC %s","basis":{"law":"Ley 1"}}' "$1" "$2" "${3:-$NUMBER}"; }
ready() { [ "$(post collect "$(question T-LIC 05001)" | jq .complete)" = true ]; }
wait_for 20 ready
ANSWER=$(post collect "$(question T-LIC 05001)")
check "all evidence is fetched" equal "$(field .complete)" true
check "... by the first way, and no other" equal "$(field '.requirements | map(.evidence | map(.source) | join("+")) | join(" ")')" "S-CERT S-CED"
check "... with what was said" equal "$(field '.requirements[1].evidence[0].body.dato')" existe
check "... and the receipt of each" equal "$(field '[.requirements[].evidence[].receipt.leaf_hash | length] | unique | join(",")')" 64
LEAF=$(field '.requirements[0].evidence[0].receipt.index')
record() { "$BIN/chaski-audit" show "$C/a/audit" --json 2>/dev/null; }
check "the receipt is an entry of this log" test "$LEAF" -ge 1
ANSWER=$(post collect "$(question T-LIC 05002)")
check "where the first way has no source the second is gone, both parts" equal "$(field '.requirements[0].evidence | map(.source) | join("+")')" "S-FACT+S-ARR"
ANSWER=$(post collect "$(question T-LIC 05001 99)")
check "who is not found: incomplete, and why" equal "$(field '.complete') $(field '.requirements[0].failed[0].status')" "false 404"
check "... and which permit there might be" equal "$(field '.requirements[0].citizen.permit.body.reason')" NO_UNIQUE_MATCH
ANSWER=$(post collect "$(question T-SUB 05001)")
check "without a source nothing is sent" equal "$(field '.requirements[0].state + " " + .requirements[0].citizen.permit.body.reason')" "NO_SOURCE NO_SOURCE"
check "bad JSON: 400 and nothing of it repeated" contains "$(post collect '{"subject":"CC 777123", nada')" "no JSON: line 1"
check "a field that is not known: 400" contains "$(post collect '{"procedure":"T-LIC","sujeto":"x"}')" "not known"
check "a document that is none: 400" contains "$(post collect "$(question T-LIC 05001 x)")" "Chaski-Subject"
check "without a basis: 400" contains "$(post collect '{"procedure":"T-LIC","case":"1","subject":"CC 1"}')" "basis is missing"

check "a number is no case: nothing is sent" contains "$(post collect "$(question T-LIC 05001 | sed "s/2026-17/CC 1.020.304.050/")")" "SUBJECT_BAD"
check "whom it is about is said once" contains "$(post collect "$(question T-LIC 05001 | sed 's/}}$/},"selectors":{"subject.number":"99"}}/')" | jq -r .message)" "is no selector"

# --- requests that name a procedure --------------------------------------------------------------------
get() { curl -sS -H "X-Road-Client: $T" -H "Chaski-Procedure: $2" ${3:+-H "Chaski-Requirement: $3"} "$G/r1/$D/$1/$NUMBER"; }
check "what is in the plan is let through" equal "$(get residencia T-LIC | jq -r .dato)" vive
check "... for its requirement" equal "$(get residencia T-LIC R-RES | jq -r .dato)" vive
check "... and for no other: refused" equal "$(get residencia T-LIC R-ID | jq -r .rule)" "once-only/outside-plan T-LIC"
check "what is outside the plan is refused" equal "$(get residencia T-SUB | jq -r .rule)" "once-only/outside-plan T-SUB"
check "... with the plan as the remedy" contains "$(get residencia T-SUB | jq -r .remedy)" "/once-only/v1/plan?procedure=T-SUB"
check "a name that is in no register stays the caller's own" equal "$(get residencia "Trámite interno" | jq -r .dato)" vive
check "can-i says the same" equal "$(curl -sS -H "X-Road-Client: $T" -H 'Chaski-Procedure: T-SUB' "$G/can-i?service=$D/residencia" | jq -r '.rule + " " + .missing.what')" "once-only/outside-plan T-SUB procedure"

# --- the subject is nowhere in the clear ---------------------------------------------------------------
check "no event of anybody has the number" test -z "$(grep -l $NUMBER "$C"/[ab]/*.events)"
no_number() { ! grep -rla "$NUMBER" "$C/a/audit" "$C/b/audit"; }
check "no leaf and no file of either log has it" no_number
KEY=$(cat "$C/store/keys/subject-$(date -u +%Y).key")
TOKEN=$(printf 'chaski subject v1\nCC %s' $NUMBER | openssl mac -digest SHA256 -macopt "hexkey:$KEY" HMAC | tr A-F a-f)
check "the person's pseudonym finds what was collected" test "$("$BIN/chaski-audit" search "$C/b/audit" --subject "$TOKEN" --json 2>/dev/null | jq '.rows | length')" -ge 4

# --- permits ------------------------------------------------------------------------------------------
permit() { post ask-permit "{\"procedure\":\"$1\",\"requirement\":\"$2\",\"territory\":\"05001\",\"case\":\"2026-17\"${3:+,\"reason\":\"$3\"}}"; }
ANSWER=$(permit T-LIC R-ID)
check "a source exists: denied" equal "$(field .outcome)" DENIED
check "... with the ready request" equal "$(field '.instead.any_of[0].all_of[0].request.service')" "$D/otro"
check "... and a receipt" equal "$(field '.receipt.leaf_hash | length')" 64
check "down, says the caller, and the log does not: denied" equal "$(permit T-LIC R-ID SOURCE_DOWN | jq -r .outcome)" DENIED
check "not found, in another case: denied" equal "$(post ask-permit '{"procedure":"T-LIC","requirement":"R-ID","territory":"05001","case":"otro","subject":"CC 99","reason":"NO_UNIQUE_MATCH"}' | jq -r .outcome)" DENIED
ANSWER=$(permit T-SUB R-RENTA)
CODE=$(field .permit.code)
check "no source: permitted" equal "$(field '.outcome + " " + .permit.reason')" "PERMIT NO_SOURCE"
check "the code is short" equal ${#CODE} 10
check "anybody finds the permit" equal "$(curl -sS "$E/permits/$CODE" | jq -r '.state + " " + .member + " " + .procedure + " " + .requirement_name')" "valid CO/MUN/890905211 T-SUB Cuánto gana"
check "... as it is read aloud" equal "$(curl -sS "$G/permits/$(tr 'A-Z' 'a-z' <<<"${CODE:0:5}")-${CODE:5}" | jq -r .state)" valid
check "a QR code leads there" contains "$(curl -sS "$E/permits/$CODE.svg")" '<svg xmlns="http://www.w3.org/2000/svg"'
typo=$(tr 'A0' '0A' <<<"$CODE"); [ "$typo" = "$CODE" ] && typo=${CODE:0:9}$([ "${CODE:9}" = 7 ] && echo 8 || echo 7)
check "a mistyped one: 404" equal "$(curl -sS -o "$C/body" -w '%{http_code}' "$E/permits/$typo")" 404
check "strangers reach nothing else of it" equal "$(curl -sS -o /dev/null -w '%{http_code}' "$E/once-only/v1/plan?procedure=T-LIC&territory=CO")" 404

ANSWER=$(post ask-permit '{"procedure":"T-LIC","requirement":"R-RES","territory":"05001","selectors":{"E-CERT.territory":"54001","E-ARR.territory":"54001","E-CERT.version":"99"}}')
check "that it is about another place stands in the record" contains "$(field .permit.reason) $(field .why)" "NO_SOURCE no source is registered; E-CERT.territory in 54001, says the caller"
check "... and nothing that the plan has no place for" bash -c '! grep -q 79123456 <<<"$1"' - "$(post ask-permit '{"procedure":"T-LIC","requirement":"R-RES","territory":"05001","selectors":{"79123456.territory":"54001","E-CERT.territory":"79123456"}}' | jq -r .why)"
check "a version that one would like makes no source disappear" equal "$(post ask-permit '{"procedure":"T-LIC","requirement":"R-RES","territory":"05001","selectors":{"E-CERT.version":"99"}}' | jq -r .outcome)" DENIED

# --- one source stops, another does not find the person ---------------------------------------------
cp "$C/b/services/factura.conf" "$C/factura.conf"
echo "service \"$D/factura\" { kind = http url = \"http://127.0.0.1:1\" }" >"$C/b/services/factura.conf"
kill -HUP "$(cat "$C/b/gateway.pid")"
half() { post collect "$(question T-LIC 05001 99 | sed s/2026-17/mezcla/)"; }
stopped() { [ "$(half | jq -r '.requirements[0].failed | map(.fault // .status) | .[0:2] | join(" ")')" = "404 SERVICE_DOWN" ]; }
check "one way is not found and another one is down" wait_for 20 stopped
later 40
check "each exchange that was made is named, also of a way that was left" equal "$(half | jq -r '.requirements[0] | [.failed[].source, .not_used[].source] | sort | join(" ")')" "S-ARR S-CERT S-FACT"
mixed() { post ask-permit "{\"procedure\":\"T-LIC\",\"requirement\":\"R-RES\",\"territory\":\"05001\",\"case\":\"mezcla\",\"subject\":\"CC 99\",\"reason\":\"$1\"}" | jq -r '.outcome + " " + (.permit.reason // "")'; }
check "... a citizen may be asked, for either" equal "$(mixed SOURCE_DOWN), $(mixed NO_UNIQUE_MATCH)" "PERMIT SOURCE_DOWN, PERMIT NO_UNIQUE_MATCH"
check "... and not in a case where nobody asked" equal "$(post ask-permit '{"procedure":"T-LIC","requirement":"R-RES","territory":"05001","case":"otro","reason":"SOURCE_DOWN"}' | jq -r .outcome)" DENIED
cp "$C/factura.conf" "$C/b/services/factura.conf"
kill -HUP "$(cat "$C/b/gateway.pid")"

# --- a source that stops ------------------------------------------------------------------------------
gateway_stop b
down() { [ "$(post collect "$(question T-LIC 05001)" | jq -r '[.requirements[].failed[].fault] | unique | join(",")')" = SERVICE_DOWN ]; }
check "a source that stopped is told of" wait_for 20 down
later 40
post collect "$(question T-LIC 05001)" >/dev/null
ANSWER=$(permit T-LIC R-ID)
DOWN=$(field .permit.code)
check "after two failures in the log, some time apart: permitted" equal "$(field '.outcome + " " + .permit.reason')" "PERMIT SOURCE_DOWN"
check "... for a few hours" test "$(($(date -ud "$(field .permit.valid_until)" +%s) - $(date +%s) - $(cat "$C/clock")))" -le 14400
check "both outcomes are records" equal "$("$BIN/chaski-audit" show "$C/a/audit" --json | jq -r '[.. | objects | .kind? // empty | select(startswith("permit"))] | unique | join(" ")')" "permit permit-denied"
INDEX=$(field .receipt.index)
check "the record is a signature that openssl checks" bash -c "'$BIN/chaski-audit' export '$C/a/audit' $INDEX --to '$C/permit' >/dev/null && cd '$C/permit' && openssl cms -verify -cades -binary -inform DER -in leaf.p7m -certfile signer.pem -CAfile '$C/store/anchor/trust.pem' -out '$C/header' 2>&1 | grep -q 'Verification successful' && grep -qa $DOWN '$C/header'"
server_kill a && clocked server_start a || die "the server does not start again"
wait_for 20 grep -q front.server_restarted "$C/a/gateway.events" # until then what it asks may be taken for lost
wait_for 20 curl -fsS -o /dev/null "$G/readyz"
found() { [ "$(curl -sS "$E/permits/$1" | jq -r .state)" = valid ]; }
check "after kill -9 the codes are there" wait_for 20 found "$CODE"
check "... all of them" wait_for 20 found "$DOWN"
check "... and that the source failed" equal "$(permit T-LIC R-ID | jq -r '.permit.reason')" SOURCE_DOWN
gateway_start b || die "the gateway does not start again"
check "when the source is back" wait_for 20 ready
check "... it is asked again: denied" equal "$(permit T-LIC R-ID | jq -r .outcome)" DENIED
check "counts are told by procedure" contains "$(curl -sS "$G/metrics")" 'chaski_gateway_once_only_total{procedure="T-SUB",outcome="permitted"} 1'
lint() { "$BIN/chaski" once-only "$@" 2>&1; }
table() { "$BIN/chaski" once-only lint --csv "$1" --json 2>/dev/null; }
check "the log is counted by entity and procedure" equal "$(lint counts --config "$C/a/server.conf" --json | jq -c '.counts[] | select(.procedure == "T-SUB") | [.entity, .permits.NO_SOURCE, .denied]')" '["CO/MUN/890905211",1,0]'
check "... with what was fetched" test "$(lint counts --audit "$C/a/audit" --json | jq '.counts[] | select(.procedure == "T-LIC") | .fetched')" -ge 4
check "a plan for people" contains "$(lint plan --gateway "$G" --procedure T-LIC --territory 05001)" "GET /r1/$D/residencia/{subject.number}"
"$BIN/chaski" once-only plan --gateway "$G" --procedure T-SUB --territory 05001 >"$C/plan.out" 2>/dev/null
check "... with exit status 1 when something is not to be had" contains "$? $(cat "$C/plan.out")" "1 T-SUB, number 00977: Subsidio, in 05001"
check "the register has no debt" lint lint --config "$C/a/server.conf"
cat >"$C/debt.json" <<J
{ "procedures": [ {"id": "T-SUB", "number": "00977", "title": "Subsidio", "owner": "CO/MUN", "requirements": ["R-RENTA"], "ask_citizen": ["R-RENTA"]} ] }
J
registry once-only add "$C/debt.json" >/dev/null || die "what nobody delivers may be asked for"
sed 's/"none".*/"service": "'"${D//\//\\/}"'\/otro" } ] }/' >"$C/late.json" <<J
{ "sources": [ {"id": "S-REN", "evidence_type": "E-REN", "territory": "CO", "none": "x" } ] }
J
registry once-only add "$C/late.json" >"$C/late.out" 2>&1 || die "no source: $(cat "$C/late.out")"
publish
debt() { lint lint --config "$C/a/server.conf" | grep -q "procedure T-SUB (00977) asks for R-RENTA (Cuánto gana) although source S-REN serves it: $D/otro"; }
check "when a source comes the debt is told" wait_for 20 debt
printf 'cod_municipio_divipola,numero_suit,nombre_tramite\n05001,00431,Licencia\n05001,77,Uno\n05001,77,Otro\n5001,78,Sin cero\n' >"$C/suit.csv"
check "a table of SUIT is looked at too" equal "$(table "$C/suit.csv" | jq -c '.counts | [.["repeated-number"], .["bad-code"]]')" '[2,1]'
SUIT=$ROOT/../shared/data/tramites_suit_muestra.csv
if [ -r "$SUIT" ]; then
    check "the ten repeated numbers of the sample are found" equal "$(table "$SUIT" | jq '.counts["repeated-number"]')" "$(grep -c ',si$' "$SUIT")"
else
    skip "the ten repeated numbers of the sample are found" "no ../shared/data"
fi
asked() { "$BIN/chaski-audit" show "$C/a/audit" --json | jq "[.. | objects | .kind? // empty | select(. == \"$1\")] | length"; }
counted() { "$BIN/chaski-audit" indicators "$C/a/audit" --json | jq --arg g "$1" '.rows[] | select(.indicator == "once-only" and .entity == "CO/MUN/890905211" and .group == $g) | .value'; }
shown() { [ "$1" -ge 5 ] && echo "$1" || echo null; }
check "denied questions are an indicator, or too few to tell" eval '[ "$(counted denied)" = "$(shown "$(asked permit-denied)")" ] || [ "$(counted denied)" = null ]'
check "... and so are permits" eval '[ "$(counted permitted)" = "$(shown "$(asked permit)")" ] || [ "$(counted permitted)" = null ]'
check "... of which the sum is told" equal "$("$BIN/chaski-audit" indicators "$C/a/audit" --csv | grep -c '^once-only,"CO/MUN/890905211"')" 2
indicators() { "$BIN/chaski" indicators "$C/a/audit" "$@"; }
check "... and the debt of each owner, of the directory" equal "$(indicators --csv | grep '^once-only-debt,')" 'once-only-debt,"CO/MUN","under 3 months",1,debts
once-only-debt,"CO/MUN","(all)",1,debts'
check "a month that is not over is not told" contains "$(indicators --from "$(date -u +%Y-%m)" 2>&1)" "is not over"
check "... nor a day" contains "$(indicators --from "$(date -u -d '-40 days' +%F)" 2>&1)" "a month, such as"
case $OUT in
*/asan | */tsan) skip "months are told one by one" "a sanitizer wants to be the first that is loaded" ;;
*)
    later=$((40 * 86400)) month=$(date -u +%Y-%m)
    check "months are told one by one" equal "$(LD_PRELOAD=$OUT/tests/wrong_clock.so WRONG_CLOCK_S=$later "$BIN/chaski-audit" indicators "$C/a/audit" --from "$month" --until "$month" --json |
        jq -c '[.rows[] | select(.indicator == "exchanges" or .indicator == "once-only-debt") | .month] | unique')" "[\"\",\"$month\"]"
    ;;
esac
check "the logs verify" "$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" --trust "$C/store/anchor/trust.pem" --directory-vkey "$C/store/anchor/directory.vkey" --directory "$C/directory"
finish
