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
check "a command says by itself how it is used" contains "$("$BIN/chaski" erase --help)" "--ground TEXT"
check "... and nothing of others" equal "$("$BIN/chaski" erase --help | grep -c prune)" 0
check "... so do the auditor's" contains "$("$BIN/chaski-audit" verify --help)" "verify DIR..."
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
    "$(share --table "$C/veredas.csv" --key codigo --service $S/mas)" "chaski-registry service add STORE '$S/mas'"

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
check "a wrong service name is the caller's mistake" equal "$(share --table "$C/veredas.csv" --key codigo --service nada/mas >/dev/null; echo $?)" 2
refused() { # SENTENCE WANTED ARGUMENTS...
    local sentence=$1 wanted=$2 said status before; shift 2
    before=$(ls "$C/b/services")
    said=$(share "$@"); status=$?
    check "$sentence is refused" [ "$status" != 0 ]
    check "... with a sentence" contains "$said" "$wanted"
    check "... and leaves no file" equal "$(ls "$C/b/services")" "$before"
}
refused "a service over FTP" "must begin with http://" --url ftp://127.0.0.1/x --service $S/ftp
refused "a host that there is not" "url: host" --url http://no-such-host.invalid/ --service $S/perdido
refused "a title of two lines" "a control byte" --url http://127.0.0.1:1/ --service $S/lineas --title "$(printf 'a\nb')"
cat >"$C/b/services/hand.conf" <<E
service "$S/escrito" { url = "http://127.0.0.1:1/" }
E
refused "what stands in the settings already" "twice" --url http://127.0.0.1:1/ --service $S/escrito

plain() { "$BIN/chaski" share "$@" 2>&1; }
check "the settings can be named once, in the environment" contains \
    "$(CHASKI_GATEWAY_CONFIG=$C/b/gateway.conf plain --table "$C/veredas.csv" --key codigo --service $S/ambiente)" "$S/ambiente is in"
check "without any, it says where it looked" contains \
    "$(CHASKI_GATEWAY_CONFIG=$C/nowhere plain --table "$C/veredas.csv" --key codigo --service $S/x)" "$C/nowhere: No such file"
[ -e /etc/chaski/gateway.conf ] || check "... which is /etc/chaski/gateway.conf otherwise" contains \
    "$(env -u CHASKI_GATEWAY_CONFIG "$BIN/chaski" share --table "$C/veredas.csv" --key codigo --service $S/x 2>&1)" "/etc/chaski/gateway.conf: "
check "one part names a service of the only subsystem" contains \
    "$(share --table "$C/veredas.csv" --key codigo --service corta)" "$S/corta is in"
check "... but not where there is none yet" contains \
    "$(plain --gateway-config "$C/a/gateway.conf" --table "$C/veredas.csv" --key codigo --service corta)" \
    "names no subsystem of ours yet; write --service INSTANCE/CLASS/MEMBER/SUBSYSTEM/corta in full"
share --url http://127.0.0.1:1/ --service CO/GOV/899999027/A.B/C >/dev/null
share --url http://127.0.0.1:1/ --service CO/GOV/899999027/A/B.C >/dev/null
share --url http://127.0.0.1:1/ --service CO/GOV/800197268/A/B.C >/dev/null
check "services of like names do not share a file" equal "$(grep -lE 'A(\.|/)B(\.|/)C' "$C"/b/services/*.conf | wc -l)" 3
check "... and not where there are several" contains \
    "$(share --table "$C/veredas.csv" --key codigo --service corta)" "names several subsystems of ours"
mkdir "$C/\$HOME \"y\" \\"
cp "$C/veredas.csv" "$C/\$HOME \"y\" \\/it's.csv"
said=$(share --table "$C/\$HOME \"y\" \\/it's.csv" --key codigo --service $S/rara --title '${HOME} "dice" \ it'"'"'s $(id)')
check "quotes, backslashes and dollars stay what they are, in settings" contains \
    "$("$BIN/chaski-gateway" --config "$C/b/gateway.conf" --print-config)" 'title = "\${HOME} \"dice\" \\ it'"'"'s \$(id)"'
check "... in the name of the file" contains "$(cat "$C"/b/services/*rara.conf)" '\$HOME \"y\" \\/it'"'"'s.csv"'
line=$(grep -o 'service add STORE.*' <<<"$said")
check "... and in the line for the authority" equal "$(eval "printf '%s|' $line")" \
    'service|add|STORE|'$S'/rara|--title|${HOME} "dice" \ it'"'"'s $(id)|--class|shared|'
share --table "$C/veredas.csv" --key nombre --service $S/corta >/dev/null
check "sharing it again changes it" contains "$(cat "$C"/b/services/*corta.conf)" 'key = "nombre"'
share --url http://no-such-host.invalid/ --service $S/corta >/dev/null
check "... and what the gateway would not take leaves it as it was" contains "$(cat "$C"/b/services/*corta.conf)" 'key = "nombre"'
check "nothing of the refused is left" equal "$(ls "$C/b/services" | grep -c rota)" 0
for name in a b; do gateway_stop $name; server_stop $name; done
check "both logs verify" "$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" --store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key"
finish
