#!/bin/bash
# SPDX-License-Identifier: MIT
# "May I?" answers what the exchange then answers, sends nothing, and says what is missing.
. "$(dirname "$0")/lib.sh"

country_make
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA
D=CO/GOV/899999027/DIVIPOLA
T=CO/MUN/890905211/TRAMITES
cat >"$C/acts" <<B
service add $D/abierto --class open
service add $D/compartido
service add $D/reservado
service add $D/apagado --class open
service disable $D/apagado --notice Lunes
purpose add P-2 --title Otra --legal-basis Ley
$(restriction_words $D/reservado)
grant add G-1 --service $D/reservado --consumer CO/MUN --purpose P-1 --legal-basis Ley --until $(date -u -d '+300 days' +%F)
B
registry batch "$C/acts" >/dev/null || die "no services"
publish
printf 'codigo,nombre\n1,uno\n' >"$C/t.csv"
for s in abierto compartido reservado apagado; do
    echo "service \"$D/$s\" { kind = table file = \"$C/t.csv\" key = codigo }" >"$C/b/services/$s.conf"
done
server_start a && server_start b || die "a server does not start"
gateway_start a && gateway_start b || die "a gateway does not start"
wait_for 10 grep -q front.gateway_arrived "$C/b/server.events"
G=$(gateway_url a)

can() { # SERVICE [PURPOSE]: the answer as it comes
    curl -sS -H "X-Road-Client: ${CLIENT:-$T}" "$G/can-i?service=$1${2:+&purpose=$2}"
}
field() { jq -r "$1" <<<"$ANSWER"; }
exchange_rule() { # SERVICE [PURPOSE]: by what the exchange was refused, or nothing
    curl -sS -H "X-Road-Client: ${CLIENT:-$T}" ${2:+-H "Chaski-Purpose: $2"} "$G/r1/$1/" | jq -r '.rule? // empty' 2>/dev/null
}
entries() { "$BIN/chaski-audit" show "$C/$1/audit" --json 2>/dev/null | jq -s 'flatten | length'; }
wait_for 10 test "$(curl -sS -H "X-Road-Client: $T" -o /dev/null -w '%{http_code}' "$G/r1/$D/abierto/1")" = 200

before=$(entries a)/$(entries b)
cases=0 differ=0
for service in abierto compartido reservado apagado nada; do
    for purpose in "" P-1 P-2 curiosidad; do
        ANSWER=$(can "$D/$service" "$purpose")
        rule=$(field .rule) allowed=$(field .allowed)
        printf '%s %s %s %s\n' "$service" "$purpose" "$allowed" "$rule" >>"$C/said"
        cases=$((cases + 1))
    done
done
check "every question is answered" equal $cases 20
check "asking sends and records nothing" equal "$(entries a)/$(entries b)" "$before"
while read -r service rest; do
    purpose=; case $rest in true* | false*) ;; *) purpose=${rest%% *} rest=${rest#* } ;; esac
    allowed=${rest%% *} rule=${rest#"${rest%% *}"} rule=${rule# }
    told=$(exchange_rule "$D/$service" "$purpose")
    case $allowed in true) expected= ;; *) expected=$rule ;; esac
    [ "$told" = "$expected" ] || {
        differ=$((differ + 1))
        echo "$service '$purpose': can-i $allowed $rule, exchange '$told'" >&2
    }
done <"$C/said"
check "the exchange says the same each time" equal $differ 0

ANSWER=$(can $D/compartido P-2)
check "what is missing is named" equal "$(field .missing.what)" competence
check "... and who can supply it" equal "$(field .missing.from)" authority
check "... and by which command" contains "$(field .missing.command)" "competence add STORE C-ID --consumer CO/MUN/890905211 --purpose P-2"
check "the trace ends where it fails" equal "$(field '.trace[-1].look + " " + (.trace[-1].holds|tostring)')" "competence false"
check "the epoch is the directory's" equal "$(field .epoch)" "$(sed -n 2p "$C/directory/checkpoint")"
ANSWER=$(can $D/reservado P-2)
check "the owner of restricted data is who can grant it" equal "$(field '.missing.what + " " + .missing.from')" "grant CO/GOV/899999027"
ANSWER=$(can $D/reservado P-1)
check "a grant is named" equal "$(field '.rule')" "restricted/grant G-1"

ANSWER=$(curl -sS -H "X-Road-Client: $T" "$G/can-i?service=$D/reservado&purpose=P-1&on=$(date -u -d '+301 days' +%F)")
check "on a day to come another rule decides" equal "$(field .rule)" "shared/competence C-MUN"
check "a day that is none: 400" equal "$(curl -sS -o "$C/body" -w '%{http_code}' -H "X-Road-Client: $T" "$G/can-i?service=$D/reservado&on=2026-02-30")" 400

registry competence add C-2 --consumer "$T" --purpose P-2 --legal-basis Ley >/dev/null && publish
is_allowed() { ANSWER=$(can $D/compartido P-2); [ "$(field .allowed)" = true ]; }
check "the command that was named mends it" wait_for 20 is_allowed

say() { "$BIN/chaski" can-i --gateway "$G" --client "$T" --service "$D/$1" "${@:2}" 2>&1; }
check "the command says yes" contains "$(say compartido --purpose P-2)" "allowed   shared/competence C-2"
check "... with exit status 0" say compartido --purpose P-2
check "... and no, with what is missing" contains "$(say reservado --purpose P-2)" "missing   grant; CO/GOV/899999027 can supply it"
say reservado --purpose P-2 >/dev/null
check "... with exit status 1" equal $? 1
check "... on a day" contains "$(say reservado --purpose P-1 --on "$(date -u -d '+301 days' +%F)")" "allowed   shared/competence C-MUN"
check "... as JSON for machines" equal "$(say abierto --json | jq -r .rule)" open/any-member

# --- asking for access --------------------------------------------------------------------------------
registry calendar set --years "$(date -u +%Y)-$(($(date -u +%Y) + 2))" >/dev/null && publish
is_to_ask() { ANSWER=$(can $D/reservado P-2); contains "$(field .missing.command)" "chaski access request --service $D/reservado --client $T --purpose P-2"; }
check "where requests have a clock the command is to ask" wait_for 20 is_to_ask
registry access request A-1 --service $D/reservado --consumer "$T" --purpose P-2 --legal-basis Ley --reason Trámites >/dev/null && publish
waits() { ANSWER=$(can $D/reservado P-2); [ "$(field .rule)" = "restricted/waiting A-1" ]; }
check "a request that waits is the rule" wait_for 20 waits
check "... and what is missing, with whose turn it is" equal "$(field '.missing.what + " " + .missing.from + " " + .missing.command')" \
    "request CO/GOV/899999027 chaski access status A-1"
check "... by when" contains "$(field '.trace[-1].detail')" "A-1: submitted, CO/GOV/899999027 until "
check "... and the exchange says so" equal "$(exchange_rule $D/reservado P-2)" "restricted/waiting A-1"

# --- bad questions ------------------------------------------------------------------------------------
status() { curl -sS -o "$C/body" -w '%{http_code}' "$@"; }
check "no service: 400" equal "$(status -H "X-Road-Client: $T" "$G/can-i")" 400
check "half a service: 400" equal "$(status -H "X-Road-Client: $T" "$G/can-i?service=$D")" 400
check "no client: 400" equal "$(status "$G/can-i?service=$D/abierto")" 400
check "another method: 400" equal "$(status -X POST -H "X-Road-Client: $T" "$G/can-i?service=$D/abierto")" 400
check "a purpose that is too long: 400" equal "$(status -H "X-Road-Client: $T" "$G/can-i?service=$D/abierto&purpose=$(printf 'x%.0s' {1..300})")" 400
CLIENT=CO/GOV/899999027/DIVIPOLA
ANSWER=$(can $D/abierto)
check "another server's subsystem cannot ask here" equal "$(field '.allowed|tostring') $(field .fault)" "false UNKNOWN_CLIENT"
unset CLIENT
seq 1 300 | xargs -P 40 -I{} curl -sS -o /dev/null -w '%{http_code}\n' -H "X-Road-Client: $T" "$G/can-i?service=$D/abierto" | sort | uniq -c >"$C/many"
check "many at once are answered, or told to wait" equal "$(awk '$2 != 200 && $2 != 503' "$C/many" | wc -l)" 0
kill -STOP "$(cat "$C/a/server.pid")" $(sed -n 's/^\(exchange\|keys\)_pid=//p' "$C/a/server.ready")
check "a server that hangs: 503 in bounded time" equal "$(status -m 20 -H "X-Road-Client: $T" "$G/can-i?service=$D/abierto")" 503
kill -CONT "$(cat "$C/a/server.pid")" $(sed -n 's/^\(exchange\|keys\)_pid=//p' "$C/a/server.ready")
check "... and it goes on" wait_for 20 is_allowed
finish
