#!/bin/bash
# SPDX-License-Identifier: MIT
# A registry in trouble: with a full disk under its published folder what was decided stays decided and is
# told so; with a clock that is wrong it dates nothing before people look, and with one that was wrong it still revokes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stock.sh"
case $OUT in
*asan | *tsan)
    skip "a full disk, a wrong clock" "the sanitizers want to be loaded first"
    finish
    ;;
esac
refused() { ! "$@"; }
country_make >/dev/null
for who in ana blas; do
    "$BIN/chaski-registry" operator key "$C/$who.key" >"$C/$who.pub" || die "no key"
    registry operator add "$who" --name "$who" --key "$(cat "$C/$who.pub")" --role enrol --role approve --role revoke --role publish >/dev/null ||
        die "no operator"
done
echo 0 >"$C/clock"
serve() { # LISTEN: starts it and waits until it answers
    rm -f "$C/ready"
    LD_PRELOAD="$OUT/tests/full_disk.so $OUT/tests/wrong_clock.so" FULL_DISK=$C/full FULL_DISK_FOLDER=$C/directory/ WRONG_CLOCK=$C/clock \
        "$BIN/chaski-registry" serve "$C/store" --listen "$1" --directory "$C/directory" --authority \
        --admin 127.0.0.1:0 --ready-file "$C/ready" 2>>"$C/serve.events" &
    pid=$!
    pids+=($pid)
    wait_for 20 test -s "$C/ready" || die "it does not start: $(tail -n 1 "$C/serve.events")"
    listen=$(sed -n 's/^listen=//p' "$C/ready")
    admin=https://$(sed -n 's/^admin=//p' "$C/ready")
}
stop() { kill "$pid"; wait "$pid"; }
serve '[::]:0'
url=http://127.0.0.1:${listen##*:}
"$BIN/chaski-registry" anchor "$C/store" --url "$url" --to "$C/chaski.anchor" >/dev/null || die "no anchor"
at() { "$BIN/chaski-registry" "${@:2}" --at "$admin" --anchor "$C/chaski.anchor" --as "$C/$1.key" 2>&1; }
(printf '302a300506032b656e032100'; jq -r .intake_key "$C/chaski.anchor") | xxd -r -p | openssl pkey -pubin -inform DER -out "$C/intake.pub" ||
    die "the anchor has no intake key"
post() { # URL PATH FILE CURL-WORDS...: the status; the answer in $C/body
    rm -f "$C/body"
    curl -sS --max-time 20 -o "$C/body" -w '%{http_code}' "${@:4}" -H 'Content-Type: application/json' --data-binary @"$3" "$1$2"
}
state_of() { curl -sS "$url/enrol/v1/requests/$1" | jq -r .state; }
head_size() { sed -n 2p "$C/directory/checkpoint"; }
in_store() { "$BIN/chaski-registry" show "$C/store" --json | jq -e --arg id "$1" '.servers[] | select(.id == $id)' >/dev/null; }

# --- both families ----------------------------------------------------------------------------------
agency medellin
S=CO/MUN/890905211/SS1
request medellin $S >"$C/good"
check "[::] takes callers over IPv4" equal "$(post "$url" /enrol/v1/requests "$C/good")" 201
id=$(jq -r .id "$C/body")
check "... and over IPv6" equal "$(curl -sS "http://[::1]:${listen##*:}/enrol/v1/requests/$id" | jq -r .state)" waiting
agency many
status=201
for ((i = 1; i < 64 && 10#$status == 201; i++)); do
    request many "CO/MUN/9/SS$i" >"$C/sent"
    status=$(post "$url" /enrol/v1/requests "$C/sent")
done
request many CO/MUN/9/SS99 >"$C/sent"
check "one address may have 64 requests waiting" equal "$status $(post "$url" /enrol/v1/requests "$C/sent")" "201 429"
check "... and closes enrolment to itself alone, not to another IPv4 address" equal \
    "$(post "$url" /enrol/v1/requests "$C/sent" --interface 127.0.0.2)" 201
request many CO/MUN/9/SS98 >"$C/sent"
check "... nor to one of IPv6" equal "$(post "http://[::1]:${listen##*:}" /enrol/v1/requests "$C/sent")" 201

# --- a full disk under the published folder --------------------------------------------------------
check "acts are prepared" contains "$(at ana request prepare "$id")" "3 acts wait"
at ana approve "$id" --yes >/dev/null
before=$(head_size)
touch "$C/full"
said=$(at blas approve "$id" --yes)
check "what is durable is told as carried out" equal "$(grep -c 'carried out, epoch .*; not published yet; the registry tries again each minute' <<<"$said")" 3
check "... and as nothing else" equal "$(grep -c 'could not' <<<"$said")" 0
check "... with an event" contains "$(grep directory.publish_failed "$C/serve.events")" IO_FAILED
check "the store has it and the folder not" equal "$(in_store $S && head_size)" "$before"
check "it cannot be refused any more" contains "$(at ana request refuse "$id" --reason "No es")" "was approved"
check "... nor one of its acts" contains "$(at ana refuse "$(at ana proposals --json | jq -r '.[0].id')" --reason "No es")" "was carried out"
check "the agency is told what holds" equal "$(state_of "$id")" approved
draft 'subsystem_set { id: "CO/MUN/890905211/SALUD" name: "Salud" server: "'$S'" }'
jq -n --arg act "$(approved $S "$C/medellin/sign.key")" '{act: $act}' >"$C/sent"
check "who is not published yet does nothing by itself" equal "$(post "$url" /member/v1/acts "$C/sent")" 400
rm "$C/full"
published() { [ "$(head_size)" -gt "$before" ]; }
check "with room again it is published within a minute" wait_for 75 published
check "... and the request reads as before" equal "$(state_of "$id")" approved
check "... and nothing waits to be published" equal "$(at ana proposals | grep -c 'not published yet')" 0
before=$(head_size)
touch "$C/full"
draft 'subsystem_set { id: "CO/MUN/890905211/AGUA" name: "Agua" server: "'$S'" }'
jq -n --arg act "$(approved $S "$C/medellin/sign.key")" '{act: $act}' >"$C/sent"
check "a member's own act is told as carried out too" equal "$(post "$url" /member/v1/acts "$C/sent") $(jq -r .state "$C/body")" "200 carried_out"
epoch=$(jq .epoch "$C/body")
check "... and is the same when it is sent again" equal "$(post "$url" /member/v1/acts "$C/sent") $(jq .epoch "$C/body")" "200 $epoch"
rm "$C/full"
check "the next act publishes both" contains "$(at ana purpose add P-7 --title Siete --legal-basis Ley)" "carried out"
check "... in the epochs that were told" equal "$(at ana proposals | grep -c 'not published yet') $(post "$url" /member/v1/acts "$C/sent") $(jq .epoch "$C/body")" "0 200 $epoch"

touch "$C/full"
before=$(head_size)
at ana purpose add P-70 --title Setenta --legal-basis Ley >/dev/null
stop
serve "$listen"
check "a registry starts while the disk is full" contains "$(tail -n 5 "$C/serve.events")" directory.publish_failed
check "... and shows what it showed" equal "$(head_size) $(curl -sS "$url/directory/checkpoint" | sed -n 2p)" "$before $before"
rm "$C/full"
check "... and with room again the next act publishes all" contains "$(at ana purpose add P-71 --title "Setenta y uno" --legal-basis Ley)" "carried out"
check "... for everybody" test "$(curl -sS "$url/directory/checkpoint" | sed -n 2p)" -ge $((before + 4))

# --- a clock that is ahead --------------------------------------------------------------------------
echo 86400 >"$C/tomorrow"
said=$(LD_PRELOAD=$OUT/tests/wrong_clock.so WRONG_CLOCK=$C/tomorrow at ana purpose add P-8 --title Ocho --legal-basis Ley)
check "an operator whose clock is a day ahead reads so" contains "$said" "by the clock of its machine, and the registry's clock shows"
last_act() { "$BIN/chaski-registry" show "$C/store" --json | jq .acts; }
waits=$(at ana member add CO/GOV/5 --name Cinco)
before=$(last_act)
echo 86400 >"$C/clock"
said=$(at ana purpose add P-8 --title Ocho --legal-basis Ley)
check "a registry a day ahead takes no new act" equal "$(last_act)" "$before"
check "... and names both clocks" contains "$said" "by the clock of its machine, and the registry's clock shows"
draft 'subsystem_set { id: "CO/MUN/890905211/LUZ" name: "Luz" server: "'$S'" }'
jq -n --arg act "$(approved $S "$C/medellin/sign.key")" '{act: $act}' >"$C/sent"
check "nor one of a member" equal "$(post "$url" /member/v1/acts "$C/sent") $(jq -r .detail "$C/body" | grep -c "the registry's clock shows")" "400 1"
check "what waited before is carried out, of tomorrow" contains "$(at blas approve "${waits:0:16}" --yes)" "carried out"
echo 0 >"$C/clock"
said=$(at blas purpose add P-9 --title Nueve --legal-basis Ley)
check "with the clock put right acts pass" contains "$said" "carried out"
check "... and certificates are revoked" contains "$(at blas certificate revoke --server $S --reason "Robada")" "carried out"
check "... with an event that says what is wrong" contains "$(grep store.clock_behind "$C/serve.events" | tail -n 1)" "before the last act"
agency nariz
request nariz CO/MUN/4/SS1 >"$C/sent"
post "$url" /enrol/v1/requests "$C/sent" --interface 127.0.0.3 >/dev/null
id=$(jq -r .id "$C/body")
check "... and agencies are enrolled" contains "$(at ana request prepare "$id")" "acts wait"
at ana approve "$id" --yes >/dev/null
at blas approve "$id" --yes >/dev/null
check "... with certificates good from now on" equal "$(in_store CO/MUN/4/SS1 && state_of "$id")" approved
stop; status=$?
check "asked to end, it does so" equal $status 0
finish
