#!/bin/bash
# SPDX-License-Identifier: MIT
# A small country on this machine: an authority and four members, each with one security server and one
# gateway; then a real exchange from Medellín to DANE, step by step. Called by `make demo`.
#   demo.sh OUT [--once]
set -eu
OUT=$(cd "$1" && pwd)
ONCE=${2:-}
BIN=$OUT/bin
cd "$(dirname "$0")/.."
D=$PWD/build/demo
DATA=../shared/data
pids=()

say() { printf '\n== %s\n' "$1"; }
plain() { printf '  %s\n' "$@"; }
die() { printf '\nThe demo stopped: %s\n' "$1" >&2; exit 1; }

if [ -r "$D/pids" ]; then
    for pid in $(cat "$D/pids"); do
        [ ! -e "/proc/$pid/exe" ] || case $(readlink "/proc/$pid/exe") in
        "$BIN"/*) die "another demo is running (process $pid). End it with Ctrl-C, or: kill $(tr '\n' ' ' <"$D/pids")" ;;
        esac
    done
fi
rm -rf "$D"
mkdir -p "$D"

stop_all() {
    trap - EXIT INT TERM
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -f "$D/pids"
}
trap stop_all EXIT
trap 'exit 130' INT TERM

wait_for() { # SECONDS COMMAND...
    local tries=$(($1 * 20)); shift
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.05
    done
}

# --- the authority ------------------------------------------------------------------------------------
mapfile -t ports < <("$BIN/chaski" free-ports 9)
R=$BIN/chaski-registry
act() { "$@" >"$D/act.out" 2>&1 || die "$(tail -n 2 "$D/act.out")"; } # its words are of no interest here
say "An authority is made, with two operators: nobody admits anybody alone"
"$R" init "$D/registry" --instance CO --name "Autoridad Nacional (demo)" | sed 's/^/  /'
act "$R" stamp-authority url "$D/registry" --url "http://127.0.0.1:${ports[8]}/tsa" --name "Hora-legal-demo"
for who in ana blas; do
    "$R" operator key "$D/$who.key" >"$D/$who.pub"
    act "$R" operator add "$D/registry" $who --name "$who (demo)" --key "$(cat "$D/$who.pub")" --role enrol --role approve --role publish
done
start() { # NAME COMMAND...: its events go to NAME.events, its process into $! and $D/pids
    "${@:2}" 2>>"$D/$1.events" &
    pids+=($!)
    echo "$!" >>"$D/pids"
}
start registry "$R" serve "$D/registry" --listen "127.0.0.1:${ports[8]}" --directory "$D/directory" --authority \
    --admin 127.0.0.1:0 --push 'tcp://127.0.0.1:*' --ready-file "$D/registry.ready"
wait_for 20 test -s "$D/registry.ready" || die "the registry does not start: $(tail -n 1 "$D/registry.events")"
url=http://$(sed -n 's/^listen=//p' "$D/registry.ready")
admin=https://$(sed -n 's/^admin=//p' "$D/registry.ready")
"$R" anchor "$D/registry" --url "$url" --push "$(sed -n 's/^push=//p' "$D/registry.ready")" --to "$D/chaski.anchor" >"$D/act.out" ||
    die "no anchor: $(cat "$D/act.out")"
fingerprint=$(sed -n 's/^fingerprint: //p' "$D/act.out")
echo "  chaski-registry serve: directory, time stamps and requests at $url; for operators, $admin"
echo "  chaski.anchor is all that an agency is given. Its fingerprint is compared on the telephone:"
echo "  $fingerprint"
as() { act "$R" "${@:2}" --at "$admin" --anchor "$D/chaski.anchor" --as "$D/$1.key"; }

# --- four agencies --------------------------------------------------------------------------------------
# name | member | subsystem | what people call it
members='MEDELLIN|CO/MUN/890905211|TRAMITES|Alcaldía de Medellín
DANE|CO/GOV/899999027|DIVIPOLA|DANE
DIAN|CO/GOV/800197268|RUT|DIAN
REGISTRADURIA|CO/GOV/899999040|IDENTIDAD|Registraduría Nacional del Estado Civil'
say "Four agencies ask to be enrolled (chaski enrol), and start their servers, which wait"
n=0
declare -A request
while IFS='|' read -r name member subsystem title; do
    dir=$D/${name,,}
    mkdir -p "$dir/services"
    mesh=${ports[$n]}
    http=${ports[$((n + 4))]}
    n=$((n + 1))
    status=0
    "$BIN/chaski" enrol --anchor "$D/chaski.anchor" --fingerprint "$fingerprint" --folder "$dir/keys" --server "$member/SS1" \
        --name "$title" --public --address "tcp://127.0.0.1:$mesh" --subsystem "$subsystem=$title" --audit "$dir/audit" \
        >"$dir/enrol.out" 2>&1 </dev/null || status=$?
    [ $status = 3 ] || die "$name does not wait to be enrolled: $(tail -n 2 "$dir/enrol.out")"
    request[$name]=$(sed -n 's/^request //p' "$dir/enrol.out")
    cat >"$dir/server.conf" <<E
server = "$member/SS1"
keys_folder = "$dir/keys"
audit_folder = "$dir/audit"
anchor_file = "$D/chaski.anchor"
front = "ipc://$dir/front"
mesh_listen = {"tcp://127.0.0.1:$mesh"}
ready_file = "$dir/server.ready"
event_level = debug
checkpoint_every_ms = 1000
publish_every_ms = 1000
E
    cat >"$dir/gateway.conf" <<E
name = "$name"
listen = {"127.0.0.1:$http"}
server = "ipc://$dir/front"
services_folder = "$dir/services"
ready_file = "$dir/gateway.ready"
E
    start "${name,,}/server" "$BIN/chaski-security-server" --config "$dir/server.conf"
    printf '  %-14s %-24s request %.16s  %s\n' "$name" "$member" "${request[$name]}" "$title"
done <<<"$members"

say "ana and blas approve each of them; the servers take their certificates by themselves"
echo "  chaski-registry approve REQUEST --at $admin --anchor chaski.anchor --as ana.key"
for name in MEDELLIN DANE DIAN REGISTRADURIA; do
    as ana request prepare "${request[$name]}"
    as ana approve "${request[$name]}" --yes
    as blas approve "${request[$name]}" --yes
done
for name in medellin dane dian registraduria; do
    wait_for 30 test -s "$D/$name/server.ready" || die "the security server of $name is not ready: $(tail -n 1 "$D/$name/server.events")"
done

# --- what they share ------------------------------------------------------------------------------------
say "They share: lists as tables, each with a class"
municipios=$PWD/tools/demo/municipios.csv
entidades=$PWD/tools/demo/entidades.csv
[ ! -r "$DATA/divipola_municipios.csv" ] || municipios=$(realpath "$DATA/divipola_municipios.csv")
[ ! -r "$DATA/entidades_publicas_sigep.csv" ] || entidades=$(realpath "$DATA/entidades_publicas_sigep.csv")
share() { # MEMBER FILE KEY SERVICE CLASS TITLE [OPTION...]
    cat >>"$D/$1/services/${4##*/}.conf" <<E
service "$4" { kind = table file = "$2" key = "$3" title = "$6" }
E
    act "$BIN/chaski" service add "$4" --title "$6" --class "$5" --config "$D/$1/server.conf" "${@:7}"
    printf '  %-46s %-10s published by %s\n' "$4" "$5" "${1^^}"
}
share dane "$municipios" cod_municipio CO/GOV/899999027/DIVIPOLA/municipios open "Municipios de Colombia"
share dane "$entidades" cod_institucion CO/GOV/899999027/DIVIPOLA/entidades open "Entidades públicas"
share dian "$PWD/tools/demo/rut.csv" nit CO/GOV/800197268/RUT/estado shared "Estado de un NIT (inventado)"
share registraduria "$PWD/tools/demo/personas.csv" documento CO/GOV/899999040/IDENTIDAD/personas shared "Personas (inventadas)" --subject required
echo "  ... and restricted: to close a service is no matter of its owner alone, and ends by itself"
as ana restriction add R-IDENTIDAD-1 --service CO/GOV/899999040/IDENTIDAD/personas --ground privacy \
    --reason "Datos personales" --approver "Registraduría, oficina jurídica" --until "$(date -u -d '+300 days' +%F)"
as ana purpose add CERTIFICADO-RESIDENCIA --title "Certificado de residencia" --legal-basis "Ley 1551 de 2012, art. 91 (por confirmar)"
as ana competence add C-MUNICIPIOS-1 --consumer CO/MUN --purpose CERTIFICADO-RESIDENCIA --legal-basis "Ley 1551 de 2012, art. 91 (por confirmar)"
as ana purpose add CITIZEN-VIEW --title "Quién miró mis datos" --legal-basis "Ley 1581 de 2012, art. 8 (por confirmar)"
as ana competence add C-CARPETA-1 --consumer CO/GOV/899999040/IDENTIDAD --purpose CITIZEN-VIEW --legal-basis "Ley 1581 de 2012, art. 8 (por confirmar)"
year=$(date -u +%Y)
as ana calendar set --years "$year-$((year + 1))" --label calendar
as blas approve calendar --yes
commitment=$("$R" subject-key make "$D/registry" "$year" | grep -o '[0-9a-f]\{64\}' | head -n 1)
as ana subject-key add "$year" --commitment "$commitment" --label subject-key
as blas approve subject-key --yes
sed "s/UNTIL/$((year + 1))-12-31/" tools/demo/once_only.json >"$D/once_only.json"
as ana once-only add "$D/once_only.json"
echo "  ... which evidence a municipal procedure needs and who has it, the working days of $year, and a key for pseudonyms"
as ana witness assign --per-log 3 --quorum 2
epoch=$(curl -fsS "$url/directory/checkpoint" | sed -n 2p)
has_epoch() { grep -q "\"directory.taken\".*\"epoch\":$epoch[,}]" "$D/$1/server.events"; }
for name in medellin dane dian registraduria; do
    wait_for 20 has_epoch $name || die "$name does not hear of epoch $epoch: $(grep directory.taken "$D/$name/server.events" | tail -n 1)"
done
has_key() { grep -q subject_key.held "$D/$1/server.events"; }
for name in medellin registraduria; do
    wait_for 20 has_key $name || die "$name does not get the key for pseudonyms: $(tail -n 1 "$D/$name/server.events")"
done
echo "  The directory is a log of $epoch signed acts, and every server has heard of the newest."

say "Their gateways start"
for name in medellin dane dian registraduria; do
    start "$name/gateway" "$BIN/chaski-gateway" --config "$D/$name/gateway.conf"
    echo "$!" >"$D/$name/gateway.pid"
done
env=$D/env
: >"$env"
for name in medellin dane dian registraduria; do
    wait_for 20 test -s "$D/$name/gateway.ready" || die "the gateway of $name is not ready: $(tail -n 1 "$D/$name/gateway.events")"
    url=http://$(sed -n 's/^listen=//p' "$D/$name/gateway.ready" | head -n 1)
    wait_for 20 curl -fsS "$url/readyz" || die "the gateway of $name does not reach its server: $(curl -sS "$url/readyz")"
    gateway_pid=$(cat "$D/$name/gateway.pid")
    supervisor=$(sed -n 's/^pid=//p' "$D/$name/server.ready")
    server_pids="$supervisor $(pgrep -P "$supervisor" | tr '\n' ' ')"
    {
        echo "CHASKI_GATEWAY_${name^^}=$url"
        echo "CHASKI_AUDIT_${name^^}=$D/$name/audit"
        echo "CHASKI_PIDS_${name^^}=\"$server_pids$gateway_pid\""
    } >>"$env"
    printf '  %-14s gateway %-28s processes %s\n' "$name" "$url" "$server_pids$gateway_pid"
done
{
    echo "CHASKI_TRUST=$D/registry/anchor/trust.pem"
    echo "CHASKI_REGISTRY=http://127.0.0.1:${ports[8]}"
    echo "CHASKI_REGISTRY_STORE=$D/registry"
} >>"$env"
. "$env"
# the servers learn of their gateways' services with the first beat
wait_for 10 grep -q front.gateway_arrived "$D/dane/server.events" || die "DANE's gateway is not seen by its server"

# --- the exchange ------------------------------------------------------------------------------------
CLIENT='X-Road-Client: CO/MUN/890905211/TRAMITES'
U=$CHASKI_GATEWAY_MEDELLIN/r1/CO/GOV/899999027/DIVIPOLA/municipios/05001
say "Open data: Medellín asks DANE for a record"
plain "Any member may have it: no agreement and no letter. Both ends sign, and write down who asked for what."
echo "  curl -H '$CLIENT' $U"
ask() { curl -sS --max-time 20 -H "$CLIENT" -D "$D/head" "$@"; }
field() { tr -d '\r' <"$D/head" | sed -n "s/^$1: //Ip"; }
ask -f "$U" >"$D/answer" || die "the exchange failed: $(cat "$D/answer" 2>/dev/null)"
sed 's/^/  /' "$D/answer"
echo
id=$(field x-road-request-id)
sleep 0.1
say "What happened, step by step (exchange $id)"
wait_for 5 "$BIN/chaski" trace "$id" "$D/medellin/server.events" "$D/dane/server.events" || true
"$BIN/chaski" trace "$id" "$D/medellin/server.events" "$D/dane/server.events" || die "the exchange left no trace"
receipt=$(field chaski-receipt)
echo "      receipt given to the caller: $receipt"

say "How much there is, says each list itself"
total() { # PATH CURL-ARGUMENTS...
    local service=$1 n; shift
    n=$(ask -f "$@" "$CHASKI_GATEWAY_MEDELLIN/r1/$service/?limit=1" | sed -n 's/^{"total":\([0-9]*\),.*/\1/p')
    printf '  %-48s %6d rows\n' "$service" "${n:?$service does not say its total}"
}
total CO/GOV/899999027/DIVIPOLA/municipios
total CO/GOV/899999027/DIVIPOLA/entidades
total CO/GOV/800197268/RUT/estado -H 'Chaski-Purpose: CERTIFICADO-RESIDENCIA'

# What a caller reads who is refused, without the envelope.
refusal() {
    ask "$@" >"$D/refused"
    jq -er 'select(.rule != null) | "  Refused, by the rule \(.rule)\n    why         \(.message | sub("^[^:]*: "; ""))\n    what to do  \(.remedy)"' "$D/refused" || die "not refused: $(cat "$D/refused")"
}
say "Shared data: without a purpose, and with one"
plain "How a company stands with DIAN: for every public agency that says what it needs it for, and is competent for that." "Medellín does not say it:"
V=$CHASKI_GATEWAY_MEDELLIN/r1/CO/GOV/800197268/RUT/estado/999000101
refusal "$V"
plain "Medellín says it, and its competence is registered:"
ask -f -H 'Chaski-Purpose: CERTIFICADO-RESIDENCIA' "$V" >"$D/answer" || die "a shared service refused a registered purpose"
sed 's/^/  /' "$D/answer"; echo

# --- access by default ---------------------------------------------------------------------------------
S=CO/GOV/899999040/IDENTIDAD/personas
P=$CHASKI_GATEWAY_MEDELLIN/r1/$S/1000000001
ABOUT=(-H 'Chaski-Purpose: CERTIFICADO-RESIDENCIA' -H 'Chaski-Subject: CC 1000000001') # whom it is about: else nobody would see it in her view
M=CO/MUN/890905211/TRAMITES
say "Restricted data: refused, with the rule and what to do"
plain "The register of persons is closed for a time, by a public act with a ground, a reason, and an office that answers for it."
refusal "${ABOUT[@]}" "$P"

say "May I? The same decision without asking anybody: what was looked at, what is missing, who can supply it"
plain "Nothing is sent and nobody is asked: each node has the rules. The first NO is what is missing."
can_i() { "$BIN/chaski" can-i --gateway "$CHASKI_GATEWAY_MEDELLIN" --client $M --service $S --purpose CERTIFICADO-RESIDENCIA "$@" 2>/dev/null; }
echo "  chaski can-i --client $M --service $S --purpose CERTIFICADO-RESIDENCIA"
can_i | sed 's/^/    /'

say "Medellín asks for access, by itself: from now on a clock runs, in working days"
plain "The request is public. If nobody answers in time, silence opens what the law itself does not reserve."
access() { "$BIN/chaski" access "${@:2}" --config "$D/$1/server.conf" >"$D/act.out" 2>&1 || die "$(tail -n 2 "$D/act.out")"; sed 's/^/  /' "$D/act.out"; }
access medellin request A-DEMO-1 --service $S --client $M --purpose CERTIFICADO-RESIDENCIA \
    --legal-basis "Ley 1551 de 2012, art. 91 (por confirmar)" --reason "Certificados de residencia en línea"
later=$(date -u -d '+30 days' +%F)
waits() { can_i | grep -q 'restricted/waiting A-DEMO-1'; }
wait_for 20 waits || die "Medellín's node does not hear of its request"
echo "  today:        $(can_i | head -n 1)"
echo "  on $later, if Registraduría says nothing until then (the clock run forward): $(can_i --on "$later" | head -n 1)"

say "Registraduría does not wait so long: it grants"
access registraduria grant A-DEMO-1 --until "$(date -u -d '+500 days' +%F)"
granted() { can_i | grep -q '^allowed'; }
wait_for 20 granted || die "Medellín's node does not hear of the grant: $(can_i)"
granted_there() { ask -f "${ABOUT[@]}" "$P" >"$D/answer"; }
wait_for 20 granted_there || die "the grant does not open: $(cat "$D/answer")"
echo "  $(can_i | head -n 1)"
sed 's/^/  /' "$D/answer"; echo

# --- once only -------------------------------------------------------------------------------------------
say "Once only: a certificate of residence. What does the procedure need, and who has it?"
plain "Two facts have to be proved. For one a source is registered; for the other it is registered that there is none, why, and until when."
post() { curl -sS --max-time 30 -H "$CLIENT" -H 'Content-Type: application/json' --data-binary "$2" "$CHASKI_GATEWAY_MEDELLIN/once-only/v1/$1"; }
"$BIN/chaski" once-only plan --gateway "$CHASKI_GATEWAY_MEDELLIN" --procedure T-RESIDENCIA --territory 05001 2>/dev/null | sed 's/^/  /'
echo "  One call fetches all of it, each piece as a signed exchange with its receipt:"
collected='{"procedure":"T-RESIDENCIA","territory":"05001","case":"2026-17","subject":"CC 1000000001","basis":{"law":"Decreto 019 de 2012, art. 9"}}'
fetched() { post collect "$collected" >"$D/collected" && [ "$(jq -r '.requirements[0].satisfied' "$D/collected")" = true ]; }
wait_for 20 fetched || die "the evidence is not fetched: $(cat "$D/collected")"
jq -r '.requirements[] | "  \(.name): " + (if .satisfied then (.evidence[] | "\(.body.vigencia), from \(.service); receipt: entry \(.receipt.index)") else "nobody has it: the citizen may be asked, with a permit" end)' "$D/collected"
permit() { post ask-permit "{\"procedure\":\"T-RESIDENCIA\",\"requirement\":\"$1\",\"territory\":\"05001\",\"case\":\"2026-17\"}" >"$D/permit"; }
permit R-IDENTIDAD
plain "A form may ask her only with a permit; each permit and each denial is a signed record:"
echo "  May Medellín ask the citizen who she is? $(jq -r '"\(.outcome): \(.why)"' "$D/permit")"
[ "$(jq -r .outcome "$D/permit")" = DENIED ] || die "a permit although there is a source: $(cat "$D/permit")"
permit R-ESTRATO
echo "  And in which stratum she lives? $(jq -r '"\(.outcome) \(.permit.reason), until \(.permit.valid_until), code \(.permit.code)"' "$D/permit")"

say "The source stops: now the citizen may be asked, because the log shows that it failed, and for some hours"
plain "Registraduría's system is switched off. Nobody's word is taken for that: two failures stand in Medellín's own log."
kill "$(cat "$D/registraduria/gateway.pid")"
down() { post collect "$collected" >"$D/collected"; permit R-IDENTIDAD; [ "$(jq -r '.permit.reason // ""' "$D/permit")" = SOURCE_DOWN ] || { sleep 8; return 1; }; }
echo "  Two failures of that very query, half a minute apart, are needed:"
wait_for 100 down || die "no permit while the source is down: $(cat "$D/permit")"
code=$(jq -r .permit.code "$D/permit")
jq -r '"  \(.outcome) \(.permit.reason) since \(.permit.source_down_since), until \(.permit.valid_until)"' "$D/permit"
echo "  The form shows the code $code. Anybody may look it up: curl $CHASKI_GATEWAY_MEDELLIN/permits/$code"
curl -fsS "$CHASKI_GATEWAY_MEDELLIN/permits/$code" | jq -r '"    \(.state): \(.member), \(.procedure), \(.requirement_name)"'
curl -fsS "$CHASKI_GATEWAY_MEDELLIN/permits/$code.svg" >"$D/permit.svg"
echo "    as a QR code: build/demo/permit.svg"
rm -f "$D/registraduria/gateway.ready"
sed -i "s|^listen = .*|listen = {\"${CHASKI_GATEWAY_REGISTRADURIA#http://}\"}|" "$D/registraduria/gateway.conf"
start registraduria/gateway "$BIN/chaski-gateway" --config "$D/registraduria/gateway.conf"
sed -i "/^CHASKI_PIDS_REGISTRADURIA/s/ $(cat "$D/registraduria/gateway.pid")\"/ $!\"/" "$env"
echo "$!" >"$D/registraduria/gateway.pid"
wait_for 20 curl -fsS "$CHASKI_GATEWAY_REGISTRADURIA/readyz" || die "the gateway of Registraduría does not start again"

say "The citizen's view: who looked at her data, when and why, from the logs of all"
plain "Put together from the logs of those who asked and of those who answered: nobody can forget an entry unnoticed. The latest:"
ask "${ABOUT[@]}" "$P" >"$D/answer"
view() { curl -sS --max-time 30 -H 'X-Road-Client: CO/GOV/899999040/IDENTIDAD' -H 'Chaski-Purpose: CITIZEN-VIEW' \
    -d '{"person": "CC 1000000001"}' "$CHASKI_GATEWAY_REGISTRADURIA/subjects/accesses" >"$D/view"; }
whole() { view; [ "$(jq -r .complete "$D/view")" = true ] && [ "$(jq '.accesses | length' "$D/view")" -gt 1 ]; }
wait_for 20 whole || die "the view is not complete: $(cat "$D/view")"
jq -r '.accesses[] | "  \(.time[0:19] | sub("T"; " "))  \(.who) looked into \(.service | split("/") | last), for: \(.why). \(.outcome), says the log of \(if .sides == "both" then "each side" else .sides end)"' "$D/view" | head -n 6
jq -r '"  complete: every one of the \(.answered | length) servers of the country answered"' "$D/view"
echo "  Her number stands in none of their logs: a pseudonym does, under a key of the year."
! grep -rqF 1000000001 "$D"/{medellin,dane,dian,registraduria}/{audit,server.events,gateway.events} || die "a number stands in a log: $(grep -rlF 1000000001 "$D"/*/audit "$D"/*/*.events | head -n 3)"

# --- the audit ---------------------------------------------------------------------------------------
say "An auditor checks both logs, offline"
confirmed() { [ -s "$CHASKI_AUDIT_MEDELLIN/log/1/stamped" ] && [ "$(cut -d ' ' -f 1 "$CHASKI_AUDIT_MEDELLIN/log/1/stamped")" -gt "$(echo "$receipt" | awk '{ print $2 }')" ]; }
wait_for 20 confirmed || die "nobody confirmed Medellín's log: $(tail -n 3 "$D/medellin/server.events")"
size=$(cut -d ' ' -f 1 "$CHASKI_AUDIT_MEDELLIN/log/1/stamped")
echo "  Medellín's log of $size entries was cosigned by:"
sed -n 's/^— chaski.witness\/\(.*\) [^ ]*$/    \1/p' "$CHASKI_AUDIT_MEDELLIN/log/1/cp/$size"
openssl ts -verify -in "$CHASKI_AUDIT_MEDELLIN/log/1/cp/$size.tst" -token_in -data "$CHASKI_AUDIT_MEDELLIN/log/1/cp/$size" \
    -CAfile "$CHASKI_TRUST" >"$D/stamp.out" 2>&1 || die "openssl does not verify the time stamp: $(cat "$D/stamp.out")"
echo "  and time-stamped by $(cut -d ' ' -f 3 "$CHASKI_AUDIT_MEDELLIN/log/1/stamped"); openssl ts -verify: OK"
sleep 2.2
anchors=(--trust "$CHASKI_TRUST" --directory-vkey "$D/registry/anchor/directory.vkey") # an auditor brings his own
"$BIN/chaski-audit" verify "$CHASKI_AUDIT_MEDELLIN" "$CHASKI_AUDIT_DANE" "${anchors[@]}" \
    --store-key "$D/medellin/keys/store.key" --store-key "$D/dane/keys/store.key" | sed 's/^/  /'
[ "${PIPESTATUS[0]}" = 0 ] || die "the logs do not verify"
index=$(echo "$receipt" | awk '{ print $2 }')
"$BIN/chaski-audit" export "$CHASKI_AUDIT_MEDELLIN" "$index" --to "$D/export" --store-key "$D/medellin/keys/store.key" "${anchors[@]}" >/dev/null
echo "  and with nothing of ours: openssl cms -verify -cades -binary -inform DER -in leaf.p7m ..."
(cd "$D/export" && openssl cms -verify -cades -binary -inform DER -in leaf.p7m -certfile signer.pem \
    -CAfile "$CHASKI_TRUST" -out header.out 2>&1 | sed 's/^/  /' && cmp header.out header.bin) || die "openssl does not verify the exported record"
echo "  all of it about that record, with bash and openssl alone: bash build/demo/export/verify.sh"
bash "$D/export/verify.sh" "$D/export" --trust "$CHASKI_TRUST" --directory-vkey "$D/registry/anchor/directory.vkey" \
    --log-vkey "$D/medellin/keys/log.vkey" >"$D/proof" 2>&1 || die "verify.sh: $(cat "$D/proof")"
sed 's/^/    /' "$D/proof"
echo "  and what if somebody alters one byte of it?"
cp -r "$D/export" "$D/altered"
printf '\x7f' | dd of="$D/altered/payload.bin" bs=1 seek=40 conv=notrunc 2>/dev/null
bash "$D/altered/verify.sh" "$D/altered" --trust "$CHASKI_TRUST" --directory-vkey "$D/registry/anchor/directory.vkey" \
    --log-vkey "$D/medellin/keys/log.vkey" >"$D/proof" 2>&1 && die "verify.sh does not see an altered payload"
grep FAIL "$D/proof" | sed 's/^/    /'

say "Your turn"
cat <<E
  . build/demo/env
  curl -H '$CLIENT' \$CHASKI_GATEWAY_MEDELLIN/r1/CO/GOV/899999027/DIVIPOLA/municipios/11001
  curl -H '$CLIENT' "\$CHASKI_GATEWAY_MEDELLIN/r1/CO/GOV/899999027/DIVIPOLA/municipios/?departamento=ANTIOQUIA&limit=3"
  $BIN/chaski-audit show \$CHASKI_AUDIT_DANE
  $BIN/chaski-audit show \$CHASKI_AUDIT_DANE 1 --payload --store-key $D/dane/keys/store.key
  $BIN/chaski-audit search \$CHASKI_AUDIT_DANE --member CO/MUN/890905211
  $BIN/chaski-audit report \$CHASKI_AUDIT_MEDELLIN \$CHASKI_AUDIT_DANE --trust \$CHASKI_TRUST --html report.html
  $BIN/chaski reconcile --config $D/medellin/server.conf
E
if [ "$ONCE" = --once ]; then
    say "Done: everything stops"
    stop_all
    exit 0
fi
printf '\nThe country stays up until Ctrl-C.\n'
wait
