#!/bin/bash
# SPDX-License-Identifier: MIT
# `chaski share`: a small municipality puts a list on the bus with one command, while everything runs; and
# broken lists are refused with row and column.
. "$(dirname "$0")/lib.sh"
country_make >/dev/null
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA >/dev/null
echo "pid_file = \"$C/b/gateway.pidfile\"" >>"$C/b/gateway.conf"
publish
server_start a || die "server a: $(tail -n 1 "$C/a/server.events")"
server_start b || die "server b: $(tail -n 1 "$C/b/server.events")"
gateway_start a || die "gateway a: $(tail -n 1 "$C/a/gateway.events")"
gateway_start b || die "gateway b: $(tail -n 1 "$C/b/gateway.events")"
S=CO/GOV/899999027/DIVIPOLA
share() { "$BIN/chaski" share --gateway-config "$C/b/gateway.conf" "$@" 2>&1; }
ask() { curl -sS --max-time 20 -H 'X-Road-Client: CO/MUN/890905211/TRAMITES' "$@"; }

cat >"$C/veredas.csv" <<'E'
codigo,nombre,nota
05001001,"La ""Verde""","con coma, y ñ"
05001002,EL SALADO,
E
said=$(share --table "$C/veredas.csv" --key codigo --service $S/veredas --title "Veredas" --class open \
    --registry "$C/store" --publish-to "$C/directory")
check "a list is shared with one command" contains "$said" "the gateway (process"
check "... and is got by another agency, with no restart" \
    wait_for 10 sh -c "curl -fsS -H 'X-Road-Client: CO/MUN/890905211/TRAMITES' $(gateway_url a)/r1/$S/veredas/05001001"
check "codes, quotes and ñ arrive" equal "$(ask "$(gateway_url a)/r1/$S/veredas/05001001")" \
    '{"codigo":"05001001","nombre":"La \"Verde\"","nota":"con coma, y ñ"}'
check "the default class is shared: without a purpose it is refused" contains \
    "$(share --table "$C/veredas.csv" --key codigo --service $S/otras --registry "$C/store" --publish-to "$C/directory" >/dev/null
       sleep 1.5; ask "$(gateway_url a)/r1/$S/otras/05001001")" shared/no-purpose
check "without a registry at hand it prints the authority's line" contains \
    "$(share --table "$C/veredas.csv" --key codigo --service $S/mas)" "chaski-registry service add STORE $S/mas"

broken() { # SENTENCE CSV WANTED
    printf "$2" >"$C/broken.csv"
    local said status
    said=$(share --table "$C/broken.csv" --key codigo --service $S/rota); status=$?
    check "$1 is refused" equal $status 1
    check "... and where it is broken" contains "$said" "$3"
}
broken "a row with a field too many" 'codigo,nombre\n1,a\n2,b,c\n' "row 3"
broken "a stray quote" 'codigo,nombre\n1,a"b\n' "row 2"
broken "a repeated key" 'codigo,nombre\n1,a\n1,b\n' "row 3"
broken "text that is not UTF-8" 'codigo,nombre\n1,\xff\n' "row 2"
check "a wrong service name is the caller's mistake" equal "$(share --table "$C/veredas.csv" --key codigo --service nada >/dev/null; echo $?)" 2
check "nothing of the refused is left" equal "$(ls "$C/b/services" | grep -c rota)" 0
for name in a b; do gateway_stop $name; server_stop $name; done
check "both logs verify" "$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit"
finish
