#!/bin/bash
# SPDX-License-Identifier: MIT
# One too many: the volume of a grant and the rate of a service are kept by the provider's server, before anything is
# touched, with a rule, a time to come back and evidence; and what was used today outlives a kill.
. "$(dirname "$0")/lib.sh"

country_make
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA
member_make b2 CO/GOV/899999027/SS2 "DANE" OTRO
D=CO/GOV/899999027/DIVIPOLA
registry subsystem add $D --name DANE --server ${D%/*}/SS1 --server ${D%/*}/SS2 >/dev/null || die "no second server"
T=CO/MUN/890905211/TRAMITES
until=$(date -u -d '+300 days' +%F)
cat >"$C/acts" <<A
service add $D/lento --class open --rate 1 --burst 2
service add $D/clase --class open
service add $D/reservado
service add $D/roto
restriction add R-1 --service $D/reservado --ground privacy --reason Personas --approver Jurídica --until $until
restriction add R-2 --service $D/roto --ground privacy --reason Personas --approver Jurídica --until $until
service add $D/doble
restriction add R-3 --service $D/doble --ground privacy --reason Personas --approver Jurídica --until $until
grant add G-1 --service $D/reservado --consumer CO/MUN --legal-basis Ley --until $until --volume 8
grant add G-4 --service $D/doble --consumer CO/MUN --legal-basis Ley --until $until --volume 5
grant add G-2 --service $D/roto --consumer CO/MUN --legal-basis Ley --until $until --volume 1
A
registry batch "$C/acts" >"$C/out" 2>&1 || die "no services: $(cat "$C/out")"
check "a burst without a rate is refused" contains "$(registry service add $D/x --rate many 2>&1)" "--rate is a number"
check "a volume is shown" contains "$(registry show)" ", 8 a day"
publish || die "nothing published"
printf 'codigo,nombre\n1,uno\n' >"$C/t.csv"
dead=$(free_port)
for s in lento clase reservado doble; do
    echo "service \"$D/$s\" { kind = table file = \"$C/t.csv\" key = codigo }" | tee "$C/b/services/$s.conf" >"$C/b2/services/$s.conf"
done
echo "service \"$D/roto\" { kind = http url = \"http://127.0.0.1:$dead\" }" >"$C/b/services/roto.conf"
echo "rate_open = 1" >>"$C/b/server.conf"
server_start a && server_start b && server_start b2 || die "a server does not start: $(tail -n 1 "$C/b/server.events")"
gateway_start a && gateway_start b && gateway_start b2 || die "a gateway does not start"
for m in b b2; do wait_for 20 grep -q front.gateway_arrived "$C/$m/server.events" || die "no gateway at $m"; done
G=$(gateway_url a)
ask() { curl -sS --max-time 20 -D "$C/head" -o "$C/body" -w '%{http_code}' -H "X-Road-Client: $T" "$G/r1/$D/$1/1"; }
retry() { sed -n 's/^Retry-After: //Ip' "$C/head" | tr -d '\r'; }
rule() { jq -r .rule "$C/body"; }
answered() { [ "$(ask "$1")" = 200 ]; }

# --- a grant's volume: the day may turn while this runs ------------------------------------------------------
day_begins() { [ "$(date -u +%H%M)" != 2359 ]; }
wait_for 70 day_begins
answered reservado || wait_for 20 answered reservado
ask reservado >/dev/null; ask reservado >/dev/null
can() { curl -sS -H "X-Road-Client: $T" "$G/can-i?service=$D/$1"; }
check "can-i tells what is used, of how much" equal "$(can reservado | jq -c .volume)" '{"a_day":8,"used_today":3}'
check "the last one of this server's part, half of the volume, is answered" equal "$(ask reservado)" 200
check "one too many is refused" equal "$(ask reservado) $(rule)" "429 quota/grant G-1"
seconds=$(retry) left=$((86400 - $(date +%s) % 86400))
check "... until midnight" test "$seconds" -gt $((left - 60)) -a "$seconds" -lt $((left + 60))
check "... in X-Road's words" contains "$(jq -r .type "$C/body")" AccessDenied
check "the refusal is evidence on both sides" grep -aqr "quota/grant G-1" "$C/a/audit/log"
check "... signed by the provider" grep -aqr "quota/grant G-1" "$C/b/audit/log"
check "a request that brings no answer counts for nothing" equal "$(ask roto) $(ask roto)" "502 502"
server_kill b
server_start b || die "b does not come back"
wait_for 20 said_since_start b front.gateway_arrived
over() { [ "$(ask reservado)" = 429 ]; }
check "after a kill the day goes on" wait_for 20 over
check "... by the same rule" equal "$(rule)" "quota/grant G-1"
server_kill a; server_start a || die "a does not come back"
told() { [ "$(can reservado | jq -c .volume)" = '{"a_day":8,"used_today":4}' ]; }
check "the caller's server knows it from its log too" wait_for 20 told

# --- two servers of one provider ------------------------------------------------------------------------------
at() { # SERVER SERVICE: the status
    curl -sS --max-time 20 -D "$C/head" -o "$C/body" -w '%{http_code}' -H "X-Road-Client: $T" -H "X-Road-Security-Server: ${D%/*}/$1" "$G/r1/$D/$2/1"
}
is_up() { [ "$(at "$1" lento)" = 200 ]; }
for s in SS1 SS2; do
    wait_for 20 is_up $s
    for i in 1 2 3 4 5 6; do echo "$s $(at $s doble) $(rule)"; done
done >"$C/both"
given() { grep -c "^$1 200 " "$C/both"; }
check "each of two servers gives an even part of five, rounded up" equal "$(given SS1) $(given SS2)" "3 3"
check "... and no more in all than the volume and one for each server more" test "$(given 'SS.')" -ge 5 -a "$(given 'SS.')" -lt $((5 + 2))
check "... refused by the same rule at both" equal "$(grep ' 429 ' "$C/both" | sort | uniq -c | tr -s ' ' | tr '\n' ';')" " 3 SS1 429 quota/grant G-4; 3 SS2 429 quota/grant G-4;"
check "... with what a part is" contains "$(cat "$C/body")" "each of the provider's 2 servers gives 3"

# --- rates ----------------------------------------------------------------------------------------------------
wait_for 20 answered lento
for i in 1 2 3 4 5 6 7 8 9; do echo "$(ask lento) $(rule) $(retry)"; done >"$C/fast"
check "more than the service's rate is refused" grep -q "^429 rate/service 1$" "$C/fast"
sleep 2.2
check "... and answered a second later" equal "$(ask lento)" 200
check "can-i tells the rate" equal "$(can lento | jq -c .rate_a_second)" 1
for i in 1 2 3 4 5; do echo "$(ask clase) $(rule)"; done >"$C/fast"
check "a service of which the directory says none has its server's" grep -q "^429 rate/class$" "$C/fast"
check "listMethods is not counted" equal "$(for i in 1 2 3 4 5; do
    curl -sS -o /dev/null -w '%{http_code} ' -H "X-Road-Client: $T" "$G/r1/$D/listMethods"; done)" "200 200 200 200 200 "

# --- another grant takes nothing away -----------------------------------------------------------------------------
registry grant add G-3 --service $D/reservado --consumer "$T" --legal-basis Ley --until "$(date -u -d '+9 days' +%F)" >/dev/null && publish
check "a grant without a volume is used before one with" wait_for 20 answered reservado
server_stop a; server_stop b
check "the logs verify" "$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" --trust "$C/store/anchor/trust.pem" --directory-vkey "$C/store/anchor/directory.vkey"
finish
