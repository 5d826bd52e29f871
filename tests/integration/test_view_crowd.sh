#!/bin/bash
# SPDX-License-Identifier: MIT
# The view of a person in a country with many servers: a stand-in for two thousand of which a twentieth is silent, one
# that invents entries, and forty real ones that nobody answers for beside three that do.
. "$(dirname "$0")/lib.sh"

YEAR=$(date -u +%Y)
NUMBER=52866123
T=CO/MUN/890905211/TRAMITES
DIAN=CO/GOV/800197268
PORTAL=CO/GOV/899999027/PORTAL
view() { # GATEWAY [FILE]: into $C/view, and its status
    curl -sS -m 30 -o "${2:-$C/view}" -w '%{http_code}' -H "X-Road-Client: $PORTAL" -H 'Chaski-Purpose: CITIZEN-VIEW' \
        -d "{\"person\": \"CC $NUMBER\"}" "$(gateway_url "$1")/subjects/accesses"
}
of_view() { jq -r "$1" "$C/view"; }
memory_kib() { awk '/VmHWM/ { print $2 }' "/proc/$1/status"; }

# --- two thousand, from a stand-in -----------------------------------------------------------------
crowd_start() { # NAME SERVERS SILENT-PER-MILLE [LIAR]
    local dir=$C/$1
    mkdir -p "$dir/services"
    cat >"$dir/gateway.conf" <<B
listen = {"$HOST:0"}
server = "ipc://$dir/front"
ready_file = "$dir/gateway.ready"
services_folder = "$dir/services"
B
    "$OUT/tests/country_front" "ipc://$dir/front" "${@:2}" 2>>"$dir/front.events" &
    pids+=($!)
    gateway_start "$1" || die "the gateway before a stand-in does not start"
}
crowd_start crowd "${SERVERS:-2000}" 50 1000000
crowd_start night 10000 900
view night "$C/night.view" >"$C/night.status" & # it takes all the time that there is
night=$!
before=$(memory_kib "$(cat "$C/crowd/gateway.pid")")
began=$(date +%s%N)
check "a view over two thousand servers is answered" equal "$(view crowd)" 200
took_ms=$((($(date +%s%N) - began) / 1000000))
after=$(memory_kib "$(cat "$C/crowd/gateway.pid")")
silent=$(seq 2 "${SERVERS:-2000}" | awk '$1 * 7919 % 1000 < 50' | wc -l)
echo "   ${SERVERS:-2000} servers, $silent of them silent: $took_ms ms, $((after - before)) KiB more in the gateway"
check "within its time" test "$took_ms" -lt 20500
check "by all that speak" equal "$(of_view .counts.answered)" $((${SERVERS:-2000} - silent))
check "the silent ones are late, and not more" equal "$(of_view .counts.late)/$(of_view .counts.failed)/$(of_view .counts.not_asked)" "$silent/0/0"
check "each was asked twice" equal "$(of_view '[.late[].times_asked] | unique | join(" ")')" 2
check "one that invents entries is cut and named" equal "$(of_view '[.answered[] | select(.more) | .server] | join(" ")')" CO/GOV/7/SS
check "and takes no other's place" equal "$(of_view '.accesses | length')" $((${SERVERS:-2000} - silent - 1 + 500))
check "so it is not complete" equal "$(of_view .complete)" false
# --- forty real members of which nothing is heard, and three that answer -----------------------------
country_make
member_make ciudad CO/MUN/890905211/SS1 "Medellín" TRAMITES
member_make dian $DIAN/SS1 "DIAN" RUT
member_make portal CO/GOV/899999027/SS1 "Carpeta ciudadana" PORTAL
mute_port=$(free_port)
"$OUT/tests/mute" "$mute_port" &
pids+=($!)
for i in $(seq 40); do
    "$BIN/chaski" keys make --folder "$C/silent$i" --server "CO/GOV/9000$i/SS1" --name "Silenciosa $i" \
        --address "tcp://$HOST:$mute_port" --request "$C/silent$i.json" >/dev/null || die "no keys"
    printf 'member add CO/GOV/9000%s --name "Silenciosa %s" --public\nserver add %s --certificate-to %s\nsubsystem add CO/GOV/9000%s/X --name X --server CO/GOV/9000%s/SS1\n' \
        "$i" "$i" "$C/silent$i.json" "$C/silent$i.crt" "$i" "$i"
done >"$C/acts"
cat >>"$C/acts" <<B
service add $DIAN/RUT/estado
purpose add CITIZEN-VIEW --title "Quién miró mis datos" --legal-basis "Ley de prueba"
competence add C-VIEW --consumer $PORTAL --purpose CITIZEN-VIEW --legal-basis "Ley de prueba"
B
registry batch "$C/acts" >/dev/null || die "no acts"
registry subject-key add "$YEAR" >/dev/null || die "no key of this year"
publish
printf 'nit,estado\n%s,activo\n' $NUMBER >"$C/t.csv"
echo "service \"$DIAN/RUT/estado\" { kind = table file = \"$C/t.csv\" key = nit }" >"$C/dian/services/estado.conf"
server_start ciudad && server_start dian && server_start portal || die "a server does not start"
gateway_start ciudad && gateway_start dian && gateway_start portal || die "a gateway does not start"
held() { grep -q subject_key.held "$C/$1/server.events"; }
wait_for 20 eval 'held ciudad && held dian && held portal' || die "no key of the year"
looked() { [ "$(curl -sS -o /dev/null -w '%{http_code}' -H "X-Road-Client: $T" -H 'Chaski-Purpose: P-1' -H "Chaski-Subject: TI $NUMBER" "$(gateway_url ciudad)/r1/$DIAN/RUT/estado/")" = 200 ]; }
wait_for 20 looked || die "no exchange"
began=$(date +%s%N)
check "with forty silent members a view is answered" equal "$(view portal)" 200
took_ms=$((($(date +%s%N) - began) / 1000000))
exchange=$(sed -n 's/^exchange_pid=//p' "$C/portal/server.ready")
echo "   43 servers, 40 of them silent: $took_ms ms; the server's process had $(memory_kib "$exchange") KiB at most"
check "within its time" test "$took_ms" -lt 20500
check "by the three that speak" equal "$(of_view '[.answered[].name] | sort | join(" ")')" "Carpeta ciudadana DIAN Medellín"
check "the forty are late, by name" equal "$(of_view '.late | length')/$(of_view '.not_asked | length')" 40/0
check "the look under a tarjeta is in the view of the cédula" equal "$(of_view '.accesses[0].sides')" both
check "and the year that it covers is told" equal "$(of_view '.years.covered | join(" ")')" "$YEAR"

# --- most of them silent -----------------------------------------------------------------------------
wait "$night"
cp "$C/night.view" "$C/view"
check "where nine of ten are silent there is an answer, too" equal "$(cat "$C/night.status")" 200
check "each server is in one list" equal "$(of_view '[.counts | .answered, .late, .failed, .not_asked] | add')" 10000
check "who was not asked is told apart" test "$(of_view .counts.not_asked)" -gt 0
check "and who is late was asked" equal "$(of_view '[.late[] | select(.times_asked < 1)] | length')" 0
finish
