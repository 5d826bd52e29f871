#!/bin/bash
# SPDX-License-Identifier: MIT
# Before a change of the directory is made, a node can see which of its own flows it would break.
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
service add $D/tabla --class open --column codigo:open --column nombre:open
$(restriction_words $D/reservado)
grant add G-1 --service $D/reservado --consumer CO/MUN --purpose P-1 --legal-basis Ley --until $(date -u -d '+300 days' +%F)
B
registry batch "$C/acts" >/dev/null || die "no services"
publish
printf 'codigo,nombre\n1,uno\n' >"$C/t.csv"
for s in abierto compartido reservado tabla; do
    echo "service \"$D/$s\" { kind = table file = \"$C/t.csv\" key = codigo }" >"$C/b/services/$s.conf"
done
server_start a && server_start b || die "a server does not start"
gateway_start a && gateway_start b || die "a gateway does not start"
wait_for 10 grep -q front.gateway_arrived "$C/b/server.events"
ask() { curl -sS -o "$C/body" -w '%{http_code}' -H "X-Road-Client: $T" ${2:+-H "Chaski-Purpose: $2"} "$(gateway_url a)/r1/$D/$1/1"; }
is_served() { [ "$(ask abierto)" = 200 ]; }
wait_for 10 is_served
check "shared data is had for a purpose" equal "$(ask compartido P-1)" 200
check "restricted data is had by a grant" equal "$(ask reservado P-1)" 200
check "a table is had" equal "$(ask tabla)" 200
ask compartido >/dev/null # refused: no purpose

draft() { rm -f "$C/draft"; registry "$@" --draft "$C/draft" >"$C/said" 2>&1; }
diff_at() { "$BIN/chaski" policy diff --config "$C/$1/server.conf" --draft "$C/draft" "${@:2}" >"$C/diff" 2>"$C/diff.err"; }
field() { jq -r "$1" "$C/diff"; }
epoch=$(sed -n 2p "$C/directory/checkpoint")
acts() { registry show --json | jq -S .; }
acts >"$C/before"

check "a grant's end is drafted" draft grant remove G-1 --reason Fin
diff_at b --json
check "... which would break: exit status 1" equal $? 1
check "... one flow, at the provider" equal "$(field '.flows[0].service + " " + (.breaks|tostring)')" "$D/reservado 1"
check "... who, for what, and how often" equal "$(field '.flows[0] | .client + " " + .purpose + " " + (.requests|tostring)')" "$T P-1 1"
check "... by which rule now, and then" contains "$(field '.flows[0] | .rule_before + " -> " + .rule_after')" "restricted/grant G-1 -> restricted/no-grant R-"
diff_at a --json
check "the consumer sees the same" equal "$(field '.flows[0].service')" "$D/reservado"
diff_at b
check "... in words" contains "$(cat "$C/diff")" "BREAKS         1  $T"
check "... with a remedy" contains "$(cat "$C/diff")" "grant"

check "a restriction from another day on is drafted" draft restriction add R-2 --service $D/abierto --ground privacy --reason Datos \
    --approver Oficina --from "$(date -u -d '+5 days' +%F)" --until "$(date -u -d '+50 days' +%F)"
diff_at b --json
check "... and looked at from then on" equal "$(field '.flows[0].service + " " + (.flows[0].requests >= 1|tostring)')" "$D/abierto true"
diff_at b --json --on "$(date -u -d '+60 days' +%F)"
check "... after its end nothing is broken" equal "$? $(field .breaks)" "0 0"
diff_at b --on mañana
check "... a day that is none: exit status 2" equal $? 2

check "a class is drafted" draft service add $D/compartido --class open
diff_at a --json
check "... opens, for who refused to send it, what was refused, breaks nothing: exit status 0" equal "$? $(field '.flows[0] | (.allowed|tostring) + " " + .rule_before')" "0 true shared/no-purpose"

check "a restriction of a column is drafted" draft restriction add R-3 --service $D/tabla --column nombre --ground privacy --reason Datos \
    --approver Oficina --until "$(date -u -d '+50 days' +%F)"
diff_at b --json
check "... breaks who gets that column: exit status 1" equal "$? $(field '.breaks, .flows[0].columns_lost' | xargs)" "1 1 nombre (restricted/no-grant R-3)"
diff_at b
check "... in words" contains "$(cat "$C/diff")" "loses nombre (restricted/no-grant R-3)"
check "a column that is listed no longer is drafted" draft service add $D/tabla --class open --column codigo:open
diff_at b --json
check "... breaks who got it" equal "$(field '.breaks, .flows[0].columns_lost' | xargs)" "1 nombre (column/unlisted)"

printf 'grant remove G-1 --reason Fin\ncompetence remove %s --reason Fin\n' "$(registry show --json | jq -r '.competences[] | select(.consumer == "CO/MUN") | .id')" >"$C/both"
check "a file of acts is drafted together" draft batch "$C/both"
diff_at b --json
check "... and breaks two" equal "$(field '.breaks, .acts' | xargs)" "2 2"

draft grant remove G-77 --reason Fin
check "what cannot stand is no draft" equal "$? $(test -e "$C/draft"; echo $?)" "1 1"
acts >"$C/after"
check "nothing of all this was done" cmp -s "$C/before" "$C/after"
check "... nor waits in the directory" equal "$(publish >/dev/null; registry show --json | jq -r '.grants[0].id')" G-1
echo rubbish >"$C/draft"
diff_at b
check "other files are refused" equal "$? $(grep -c "no draft" "$C/diff.err")" "1 1"
"$BIN/chaski" policy >"$C/diff" 2>&1
check "half a command: exit status 2" equal $? 2
check "the exchange goes on" equal "$(ask reservado P-1)" 200
finish
