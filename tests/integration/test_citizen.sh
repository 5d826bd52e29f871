#!/bin/bash
# SPDX-License-Identifier: MIT
# The view of a citizen: whom a request is about goes into evidence as a pseudonym, and who looked is told from the logs of all.
. "$(dirname "$0")/lib.sh"

NUMBER=52866123
YEAR=$(date -u +%Y)
DIAN=CO/GOV/800197268
T=CO/MUN/890905211/TRAMITES
PORTAL=CO/GOV/899999027/PORTAL
country_make
member_make ciudad CO/MUN/890905211/SS1 "Medellín" TRAMITES
member_make dian $DIAN/SS1 "DIAN" RUT
member_make portal CO/GOV/899999027/SS1 "Carpeta ciudadana" PORTAL
cat >"$C/acts" <<B
service add $DIAN/RUT/estado
purpose add CITIZEN-VIEW --title "Quién miró mis datos" --legal-basis "Ley de prueba"
competence add C-VIEW --consumer $PORTAL --purpose CITIZEN-VIEW --legal-basis "Ley de prueba"
sealing add S-1 --consumer $T --purpose P-1 --legal-basis "Ley de prueba" --days 30 --until $(date -u -d '+300 days' +%F)
B
registry batch "$C/acts" >/dev/null || die "no acts"
publish
printf 'nit,estado\n%s,activo\n' $NUMBER >"$C/t.csv"
echo "service \"$DIAN/RUT/estado\" { kind = table file = \"$C/t.csv\" key = nit }" >"$C/dian/services/estado.conf"
for node in ciudad dian; do printf 'reconcile_hour = -1\nreconcile_grace_ms = 100\n' >>"$C/$node/server.conf"; done
server_start ciudad && server_start dian && server_start portal || die "a server does not start"
gateway_start ciudad && gateway_start dian && gateway_start portal || die "a gateway does not start"
wait_for 10 grep -q front.gateway_arrived "$C/dian/server.events"

ask() { # HEADER...: the status of an exchange
    curl -sS -o "$C/answer" -D "$C/head" -w '%{http_code}' -H "X-Road-Client: $T" -H 'Chaski-Purpose: P-1' "$@" \
        "$(gateway_url ciudad)/r1/$DIAN/RUT/estado/"
}
view() { # CURL ARGUMENTS...: into $C/view, and its status
    curl -sS -o "$C/view" -w '%{http_code}' -H "X-Road-Client: ${CLIENT:-$PORTAL}" -H "Chaski-Purpose: ${PURPOSE:-CITIZEN-VIEW}" "$@"
}
by_number() { view -d "{\"person\": \"cc 52.866.123\"}" "$(gateway_url portal)/subjects/accesses"; }
of_view() { jq -r "$1" "$C/view"; }

# --- the key of the year --------------------------------------------------------------------------
wait_for 10 test "$(ask)" = 200
check "a request that names nobody needs no key" equal "$(ask)" 200
check "one that names a person is refused while there is none" equal "$(ask -H "Chaski-Subject: CC $NUMBER")" 503
check "and the caller is told why" grep -q "the directory names no key of $YEAR" "$C/answer"
check "the registry makes the key, and says its commitment" registry subject-key add "$YEAR"
publish
KEY=$(cat "$C/store/keys/subject-$YEAR.key")
check "the commitment is SHA-256 of the key" equal "$(registry show --json | jq -r '.subject_keys[0].commitment')" \
    "$(printf %s "$KEY" | xxd -r -p | sha256sum | cut -d ' ' -f 1)"
held() { grep -q subject_key.held "$C/$1/server.events"; }
check "each server has it, by itself" wait_for 20 eval 'held ciudad && held dian && held portal'
check "a year has one key" eval '! registry subject-key add "$YEAR" 2>/dev/null'
check "the key of this year cannot be destroyed" eval '! registry subject-key destroy "$YEAR" --reason Prueba 2>/dev/null'

# --- an exchange about a person -------------------------------------------------------------------
check "a request about a person is answered" equal "$(ask -H "Chaski-Subject: cc 52.866.123" -H 'Chaski-Procedure: T-7')" 200
check "what is no document is refused" equal "$(ask -H 'Chaski-Subject: CC 5286A')" 400
check "without its number in the answer" eval '! grep -q 5286A "$C/answer"'
check "two persons are refused" equal "$(ask -H 'Chaski-Subject: CC 1' -H 'Chaski-Subject: CC 2')" 400
TOKEN=$(printf 'chaski subject v1\nCC %s' $NUMBER | openssl mac -digest SHA256 -macopt "hexkey:$KEY" HMAC | tr A-F a-f)
rows() { "$BIN/chaski-audit" search "$C/$1/audit" --subject "$TOKEN" --json 2>/dev/null | jq '.rows | length'; }
check "openssl makes the pseudonym that stands in the caller's log" equal "$(rows ciudad)" 1
check "and in the provider's" equal "$(rows dian)" 1

# --- the view -------------------------------------------------------------------------------------
check "a portal without a competence is refused" equal "$(CLIENT=$T PURPOSE=CITIZEN-VIEW view -d "{\"person\": \"CC $NUMBER\"}" "$(gateway_url ciudad)/subjects/accesses")" 403
check "by name of the rule" equal "$(of_view .rule)" citizen-view/not-competent
check "one that names another purpose too" equal "$(PURPOSE=P-1 by_number)" 403
check "who has one is answered" equal "$(by_number)" 200
check "whole" equal "$(of_view .complete)" true
check "by all three" equal "$(of_view '.answered | length')" 3
check "the look is there, once" equal "$(of_view '.accesses | length')" 1
check "who" equal "$(of_view '.accesses[0].who')" Medellín
check "why, in words" equal "$(of_view '.accesses[0].why')" "Certificado de residencia"
check "for which procedure" equal "$(of_view '.accesses[0].procedure')" T-7
check "with what outcome" equal "$(of_view '.accesses[0].outcome')" answered
check "as both sides hold it" equal "$(of_view '.accesses[0].sides')" both
check "with receipts of both" equal "$(of_view '[.accesses[0].receipts[].server] | sort | join(" ")')" "$DIAN/SS1 CO/MUN/890905211/SS1"
check "which are the records of those logs" equal "$(of_view '.accesses[0].receipts[0].request.leaf_hash')" "$(of_view '.accesses[0].receipts[1].request.leaf_hash')"
BY_TOKEN="$(gateway_url portal)/subjects/$YEAR-$TOKEN/accesses"
check "the same by its pseudonym" equal "$(view "$BY_TOKEN")" 200
check "which finds the same" equal "$(of_view '.accesses[0].procedure')" T-7
check "each view is evidence, and told as one" equal "$(of_view '.views[0].caller')" $PORTAL
OTHER=$(tr 0-9a-f 1-9a-f0 <<<"$TOKEN")
check "of another person there is nothing" eval '[ "$(view "$(gateway_url portal)/subjects/$YEAR-$OTHER/accesses")" = 200 ] && [ "$(of_view ".accesses | length")" = 0 ]'
check "nor from another time" eval '[ "$(view "$BY_TOKEN?until=2020-01-01")" = 200 ] && [ "$(of_view ".accesses | length")" = 0 ]'
check "a number in a URL is no question" equal "$(view "$(gateway_url portal)/subjects/CC%20$NUMBER/accesses")" 400

# --- an officer with a mandate ----------------------------------------------------------------------
token() { echo "$1" | "$BIN/chaski" subject token --config "$C/dian/server.conf" --ground "${2-Caso 77}" --officer ana.perez; }
check "an officer has the pseudonym computed" equal "$(token 'cc 52.866.123' 2>/dev/null)" "$YEAR-$TOKEN"
check "without a ground nobody has" eval '! token "CC $NUMBER" "" 2>/dev/null'
check "nor with the number in the ground" eval '! token "CC $NUMBER" "Sobre $NUMBER" 2>/dev/null'
check "nor what is no document" eval '! token "CC 5286A" 2>/dev/null'
check "an argument is no place for a number" eval '! "$BIN/chaski" subject token --config "$C/dian/server.conf" --ground G --officer O "CC $NUMBER" 2>/dev/null </dev/null'
by_number >/dev/null
check "the person sees that somebody looked, and where" equal "$(of_view '[.looks[].who] | join(" ")')" DIAN

# --- sealed ---------------------------------------------------------------------------------------
TOMORROW=$(date -u -d '+1 day' +%F)
check "who has no sealing seals nothing" equal "$(ask -H "Chaski-Subject: CC $NUMBER" -H "Chaski-Seal: S-2 $TOMORROW")" 403
check "nor for longer than it allows" equal "$(ask -H "Chaski-Subject: CC $NUMBER" -H "Chaski-Seal: S-1 $(date -u -d '+40 days' +%F)")" 403
check "who has one does" equal "$(ask -H "Chaski-Subject: CC $NUMBER" -H "Chaski-Seal: S-1 $TOMORROW" -H 'Chaski-Procedure: T-8')" 200
by_number >/dev/null
check "what is sealed is not shown" equal "$(of_view '[.accesses[].procedure] | join(" ")')" T-7

# Two days later, by the clock of the servers: it opens by itself.
servers_stop ciudad dian portal >/dev/null
export LD_PRELOAD=$OUT/tests/wrong_clock.so WRONG_CLOCK_S=$((2 * 86400))
server_start ciudad && server_start dian && server_start portal || die "a server does not start two days later"
unset LD_PRELOAD WRONG_CLOCK_S
wait_for 20 grep -q front.server_restarted "$C/portal/gateway.events"
opened() { by_number >/dev/null; [ "$(of_view '[.accesses[].procedure] | sort | join(" ")')" = "T-7 T-8" ]; }
check "two days later it is, by itself" wait_for 30 opened
check "with the day until which it was sealed" equal "$(of_view '[.accesses[].sealed_until | values] | length')" 1
check "and the ground on which" equal "$(of_view '[.accesses[] | select(.sealed_until) | .sealing, .sealing_legal_basis] | join(": ")')" "S-1: Ley de prueba"

# --- one that is away, and a kill -----------------------------------------------------------------
server_kill dian
check "with a server away there is a view" equal "$(by_number)" 200
check "which is not whole" equal "$(of_view .complete)" false
check "and names who is missing" equal "$(of_view '.late[].server')" $DIAN/SS1
check "what one side holds is told as such" equal "$(of_view '.accesses[0].sides')" one
ask -H "Chaski-Subject: CC $NUMBER" -H 'Chaski-Procedure: T-9' -H 'Chaski-Deadline-Ms: 1000' >/dev/null # it never arrives
export LD_PRELOAD=$OUT/tests/wrong_clock.so WRONG_CLOCK_S=$((2 * 86400))
server_start dian || die "the killed server does not start"
unset LD_PRELOAD WRONG_CLOCK_S
again() { by_number >/dev/null; [ "$(of_view .complete)" = true ]; }
check "after its start it answers again, with the key it kept" wait_for 30 again
check "and holds what it held" equal "$(of_view '.accesses[] | select(.procedure == "T-7") | .sides')" both
held_by() { by_number >/dev/null; of_view ".accesses[] | select(.procedure == \"$1\") | [.receipts[] | select(.request) | .server] | length"; }
check "what never arrived there its caller alone holds" equal "$(held_by T-9)" 1
export LD_PRELOAD=$OUT/tests/wrong_clock.so WRONG_CLOCK_S=$((2 * 86400))
"$BIN/chaski" reconcile --config "$C/ciudad/server.conf" --peer $DIAN/SS1 >"$C/reconciled" 2>&1
unset LD_PRELOAD WRONG_CLOCK_S
late() { "$BIN/chaski-audit" show "$C/dian/audit" --kind late | grep -q .; }
check "it comes late, by a comparison of the two logs" wait_for 20 late
twice() { [ "$(held_by T-9)" = 2 ]; }
check "and is in the view as both hold it since" wait_for 20 twice
check "as the caller has it" equal "$(of_view '.accesses[] | select(.procedure == "T-9") | [.receipts[].request.leaf_hash] | unique | length')" 1
check "with one outcome" equal "$(of_view '.accesses[] | select(.procedure == "T-9") | .outcome')" "failed"

# --- how access goes --------------------------------------------------------------------------------
for i in 1 2 3 4 5 6; do ask -H "Chaski-Subject: CC 5286613$i" >/dev/null; done
indicators() { "$BIN/chaski-audit" indicators "$C/ciudad/audit" "$C/dian/audit" "$C/portal/audit" "$@"; }
row() { indicators --json | jq -c --arg i "$1" --arg e "$2" --arg g "$3" '.rows[] | select(.indicator == $i and .entity == $e and .group == $g) | .value'; }
LOGGED=$("$BIN/chaski-audit" search "$C/ciudad/audit" --service $DIAN/RUT/estado --limit 100 --json | jq '.rows | length')
check "each exchange is counted once, though two logs hold it" equal "$(row exchanges $DIAN '(all)')" "$LOGGED"
check "few refusals are not told" equal "$(row exchanges $DIAN refused)" null
check "nor what would tell them" equal "$(row exchanges $DIAN automatic)" null
check "nor by which rule" equal "$(row refusals $DIAN SEALING_REFUSED)" null
check "what an authority sealed is told in full" equal "$(row sealed CO/MUN/890905211 sealed)/$(row sealed CO/MUN/890905211 opened)" 1/0
check "nor above the table, to the second" eval 'indicators | head -n 1 | grep -qE "^Up to [0-9-]{10}\\. "'
check "as open data, too" equal "$(indicators --csv | head -n 1)" indicator,entity,group,value,unit

# --- a service that is about persons -----------------------------------------------------------------
check "a service can demand to be told about whom" registry service add $DIAN/RUT/estado --subject required
publish
unnamed() { [ "$(ask)" = 400 ]; }
check "then a request that names nobody is refused before it is sent" wait_for 20 unnamed
check "by name of the rule" equal "$(jq -r .rule "$C/answer")" subject/not-named
check "with what to do, by whichever side refused it" contains "$(cat "$C/answer")" "Send Chaski-Subject"
there() { "$BIN/chaski-audit" search "$C/$1/audit" --json --limit 200 2>/dev/null | jq '[.rows[] | select(.rule == "subject/not-named")] | length'; }
HERE=$(there ciudad) THERE=$(there dian)
ask >/dev/null
check "with what to do" contains "$(cat "$C/answer")" "Send Chaski-Subject"
check "in the caller's log alone" equal "$(($(there ciudad) - HERE))/$(($(there dian) - THERE))" 1/0
check "one that names somebody is answered" equal "$(ask -H "Chaski-Subject: CC 5286614" -H 'Chaski-Procedure: T-7')" 200
check "can-i says so" equal "$(curl -sS -H "X-Road-Client: $T" "$(gateway_url ciudad)/can-i?service=$DIAN/RUT/estado&purpose=P-1" | jq -c '[.allowed, .subject_required]')" '[true,true]'
check "the list of services says so" equal "$(curl -sS -H "X-Road-Client: $T" "$(gateway_url ciudad)/r1/$DIAN/RUT/listMethods" | jq -r '.service[0].chaski_subject')" required
check "the register says so" eval 'registry show | grep -q "each request names a person"'
check "what stands is kept when another thing changes" eval 'registry service add $DIAN/RUT/estado --rate 500 >/dev/null && [ "$(registry show --json | jq -r ".services[] | select(.id == \"$DIAN/RUT/estado\") | .subject_required")" = true ]'
check "it can be taken back" registry service add $DIAN/RUT/estado --subject optional
publish
named() { [ "$(ask)" = 200 ]; }
check "and then is" wait_for 20 named

# --- the end of a year's key ---------------------------------------------------------------------------
OLD=$((YEAR - 2))
registry subject-key add $OLD >/dev/null && publish || die "no key of an earlier year"
kept() { [ -s "$C/ciudad/audit/subject-keys/$OLD" ] && [ -s "$C/dian/audit/subject-keys/$OLD" ]; }
check "the key of an earlier year comes too" wait_for 20 kept
OLD_KEY=$(cat "$C/store/keys/subject-$OLD.key")
check "and makes pseudonyms of its own" equal "$(echo "CC $NUMBER" | "$BIN/chaski" subject token --config "$C/dian/server.conf" --ground Caso --officer ana --year $OLD 2>/dev/null)" \
    "$OLD-$(printf 'chaski subject v1\nCC %s' $NUMBER | openssl mac -digest SHA256 -macopt "hexkey:$OLD_KEY" HMAC | tr A-F a-f)"
registry subject-key destroy $OLD --reason "La retención terminó" >/dev/null && publish || die "it is not destroyed"
destroyed() { ! ls "$C"/*/audit/subject-keys/$OLD "$C/store/keys/subject-$OLD.key" "$C/directory/subject-keys/$OLD" 2>/dev/null | grep -q .; }
check "when its time is over it is destroyed everywhere" wait_for 20 destroyed
check "and makes none any more" eval '! echo "CC $NUMBER" | "$BIN/chaski" subject token --config "$C/dian/server.conf" --ground Caso --officer ana --year $OLD 2>/dev/null'
check "nor can it come back" eval '! registry subject-key add $OLD 2>/dev/null'

# --- the number is nowhere --------------------------------------------------------------------------
gateway_stop ciudad; gateway_stop dian; gateway_stop portal
check "the servers end" servers_stop ciudad dian portal
check "the three logs verify" "$BIN/chaski-audit" verify "$C/ciudad/audit" "$C/dian/audit" "$C/portal/audit"
nowhere() { ! grep -rlaE "$1" "$C/ciudad" "$C/dian" "$C/portal" "$C/directory" | grep -v services; }
check "the number is in no file of any node" nowhere "$NUMBER|52\.866\.123"
check "nor the key" nowhere "$KEY"
keyless() { ! grep -rlaF "$(printf %s "$KEY" | xxd -r -p | tr -d '\0\n')" "$C/ciudad" "$C/dian" "$C/portal" "$C/directory"; }
check "in either form" keyless
finish
