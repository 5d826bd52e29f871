#!/bin/bash
# SPDX-License-Identifier: MIT
# Asking for access, with a real registry: members ask, grant and object by themselves, two operators decide, a
# precedent answers, an emergency opens and is reviewed; then the clock runs forward and silence speaks.
. "$(dirname "$0")/lib.sh"
refused() { ! "$@"; }
why() { "$@" 2>&1 >/dev/null; }
country_make >/dev/null
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
member_make b CO/GOV/899999040/SS1 "Registraduría" IDENTIDAD >/dev/null
member_make c CO/MUN/890980112/SS1 "Bello" TRAMITES >/dev/null
R=CO/GOV/899999040/IDENTIDAD
M=CO/MUN/890905211/TRAMITES
until=$(date -u -d '+300 days' +%F)
granted=$(date -u -d '+500 days' +%F) # an answer holds no shorter than silence would
year=$(date -u +%Y)
{
    echo "purpose add P-2 --title Licencia --legal-basis Ley"
    echo "calendar set --years $year-$((year + 2))"
    echo "service add $R/personas --endpoint resumen:GET:/resumen --endpoint salud:GET:/salud/*"
    echo "service add $R/huellas --column minucia"
    for name in abierto actas padrones; do echo "service add $R/$name $([ $name = abierto ] && echo --class open)"; done
    echo "service add $R/apagado"
    echo "service disable $R/apagado --notice Mantenimiento"
    echo "service add $R/lento --class open --rate 1 --burst 1"
    echo "service add $R/rapido --class open --rate 2 --burst 2"
    echo "service add $R/tabla --class open --column nombre:open"
    for name in personas actas padrones; do restriction_words "$R/$name"; done
    restriction_words "$R/huellas" | sed 's/$/ --by-law/'
} >"$C/acts"
registry batch "$C/acts" >/dev/null || die "no services"
echo '{"evidence_types":[{"id":"E-ACTA","title":"Acta","sensitivity":"public"}]}' >"$C/types.json"
registry once-only add "$C/types.json" >/dev/null || die "no sort of evidence"
for who in ana blas caro; do
    "$BIN/chaski-registry" operator key "$C/$who.key" >"$C/$who.pub" || die "no key"
    registry operator add "$who" --name "$who" --key "$(cat "$C/$who.pub")" --role approve \
        $([ "$who" = caro ] && echo --as "$C/ana.key" --as "$C/blas.key") >/dev/null || die "no operator"
done
echo 0 >"$C/clock"
case $OUT in
*asan | *tsan) shift_clock= ;; # the sanitizers want to be loaded first
*) shift_clock=$OUT/tests/wrong_clock.so ;;
esac
export WRONG_CLOCK=$C/clock
serve() {
    rm -f "$C/ready"
    LD_PRELOAD=$shift_clock "$BIN/chaski-registry" serve "$C/store" --listen 127.0.0.1:0 --directory "$C/directory" --authority \
        --admin 127.0.0.1:0 --ready-file "$C/ready" 2>>"$C/serve.events" &
    pid=$!
    pids+=($pid)
    wait_for 20 test -s "$C/ready" || die "it does not start: $(tail -n 1 "$C/serve.events")"
    url=http://$(sed -n 's/^listen=//p' "$C/ready")
    admin=https://$(sed -n 's/^admin=//p' "$C/ready")
}
serve
"$BIN/chaski-registry" anchor "$C/store" --url "$url" --to "$C/chaski.anchor" >/dev/null || die "no anchor"
at() { LD_PRELOAD=$shift_clock "$BIN/chaski-registry" "${@:2}" --at "$admin" --anchor "$C/chaski.anchor" --as "$C/$1.key"; }
both() { # LABEL WORDS...: proposed by ana, approved by blas
    at ana "${@:2}" --label "$1" >/dev/null && at blas approve "$1" --yes
}
access() { # MEMBER VERB WORDS...
    LD_PRELOAD=$shift_clock "$BIN/chaski" access "$2" "${@:3}" --folder "$C/$1/keys" --anchor "$C/chaski.anchor" --at "$url" </dev/null
}
ask() { access "$1" request "$2" --service "$R/$3" --client "$4" --purpose P-1 --legal-basis Ley --reason Trámites; }
state() { curl -sS "$url/access/requests/$1" | jq -r '.state + " " + .owner'; }

# --- asking ---------------------------------------------------------------------------------------------
check "a member asks without any operator" contains "$(ask a A-1 personas $M)" "the provider has until"
check "... and whose turn it is stands in public" equal "$(state A-1)" "submitted CO/GOV/899999040"
check "the same is not asked twice" contains "$(why ask a A-9 personas $M)" "asks what A-1 asks"
check "what is open needs no request" contains "$(why ask a A-9 abierto $M)" "no request is needed"
check "nobody asks in another's name" contains "$(why ask b A-9 personas $M)" "a member cannot do this by itself"
check "what the law reserves can be asked for" contains "$(ask a A-2 huellas $M)" "request A-2"
check "a request without a name gets one" contains "$(access c request --service $R/padrones --client CO/MUN/890980112/TRAMITES --purpose P-1 --legal-basis Ley --reason T)" "request A-2"

# --- what a member's own services are sources of ---------------------------------------------------------
sources() { # MEMBER SERVICE [PATH]: said by that member, of that service
    printf '{"sources":[{"id":"S-ACTA","evidence_type":"E-ACTA","territory":"CO","service":"%s","path":"%s"}]}' "$2" "${3:-/{subject.number\}}" >"$C/source.json"
    LD_PRELOAD=$shift_clock "$BIN/chaski" once-only source "$C/source.json" --folder "$C/$1/keys" --anchor "$C/chaski.anchor" --at "$url" </dev/null
}
check "another member's service is none of one's sources" contains "$(why sources a $R/actas)" "a member cannot do this by itself"
check "a path that can be read in two ways is refused with the rule" contains "$(why sources b $R/actas '/../{subject.number}')" "a segment of dots"
check "... and nothing of it stands" equal "$(registry show --json | jq -c .sources)" "[]"
check "a member says what its service is a source of" contains "$(sources b $R/actas)" "stands in the directory, epoch"
check "... and it stands there" equal "$(registry show --json | jq -r '.sources[] | .id + " " + .service + .path')" "S-ACTA $R/actas/{subject.number}"
check "nothing else of the registers is a member's" contains "$(cp "$C/types.json" "$C/source.json"
    why "$BIN/chaski" once-only source "$C/types.json" --folder "$C/b/keys" --anchor "$C/chaski.anchor" --at "$url")" "all else is the authority's"

# --- answering ------------------------------------------------------------------------------------------
ask a A-3 actas $M >/dev/null || die "no request A-3"
check "who did not publish the service objects to nothing" contains "$(why access c object A-3 --ground privacy --reason No)" "a member cannot do this by itself"
check "an objection has a ground of the list" contains "$(why access b object A-3 --ground porque-no --reason No)" "without a ground"
check "the provider objects" contains "$(access b object A-3 --ground privacy --reason "Datos de más")" "the arbiter decides"
check "... and the arbiter has the word" equal "$(state A-3)" "objected arbiter"
check "no member is the arbiter" contains "$(why access b decide A-3)" "two operators of the authority"
ask a A-4 padrones $M >/dev/null || die "no request A-4"
check "the provider grants what was asked" contains "$(access b grant A-4 --until "$granted")" "grant G-A-4"
check "... and that is said" equal "$(state A-4)" "granted "
check "status lists what concerns the member" equal "$(access a status | cut -d ' ' -f 1,3 | sort | tr '\n' ' ')" "A-1 submitted A-2 submitted A-3 objected A-4 granted "
access a request A-6 --service $R/padrones --client $M --purpose P-2 --legal-basis Ley --reason Trámites >/dev/null || die "no request A-6"
access b grant A-6 --until "$granted" >/dev/null || die "no grant for A-6"
"$BIN/chaski" grant remove G-A-6 --reason "Ya no" --folder "$C/b/keys" --anchor "$C/chaski.anchor" --at "$url" >/dev/null </dev/null || die "the grant is not removed"
check "what it takes back is the arbiter's" equal "$(state A-6)" "reopened arbiter"
check "... and it has no second answer" contains "$(why access b grant A-6 --until "$granted")" "which is reopened"

# --- parts of a service ---------------------------------------------------------------------------------
part() { # MEMBER CLIENT ID SERVICE WORDS...
    access "$1" request "$3" --service "$R/$4" --client "$2" --legal-basis Ley --reason Trámites "${@:5}"
}
B=CO/MUN/890980112/TRAMITES
check "one endpoint can be asked for" contains "$(part c $B A-7 personas --purpose P-1 --endpoint salud)" "the provider has until"
check "... which all can read" equal "$(curl -sS "$url/access/requests/A-7" | jq -c '[.endpoints, .columns]')" '[["salud"],[]]'
check "... and the member" contains "$(access c status A-7)" "asks for $R/personas, endpoint salud for P-1"
check "... and is not asked twice" contains "$(why part c $B A-10 personas --purpose P-1 --endpoint salud)" "asks what A-7 asks"
check "one that the service has not is refused" contains "$(why part c $B A-10 personas --purpose P-1 --endpoint nada)" "directory/unknown-endpoint"
check "one column can be asked for" contains "$(part c $B A-8 huellas --purpose P-1 --column minucia)" "request A-8"
check "... when it is closed" contains "$(why part c $B A-10 tabla --purpose P-1 --column nombre)" "no request is needed"
part a $M A-9 personas --purpose P-2 --endpoint resumen >/dev/null || die "no request A-9"
check "the provider grants the endpoint that was asked for" contains "$(access b grant A-9 --until "$granted")" "grant G-A-9"
check "... and no more" equal "$(registry show --json | jq -c '.grants[] | select(.id == "G-A-9") | .endpoints')" '["resumen"]'

# --- the arbiter ----------------------------------------------------------------------------------------
at ana access decide D-1 --request A-3 --outcome allow --reason Concepto --until "$until" --label d1 >/dev/null || die "no proposal"
check "one operator is no arbiter" equal "$(state A-3)" "objected arbiter"
at blas approve d1 --yes >/dev/null || die "not approved"
check "two are" equal "$(state A-3)" "allowed "
check "a decision says what it rests on" equal "$(registry show --json | jq -c ".decisions[0].rests_on | [.public_agency, .competent, .grounds, .by_law]")" "[true,[\"P-1\"],[\"privacy\"],false]"
ask c A-5 actas CO/MUN/890980112/TRAMITES >/dev/null || die "no request A-5"
check "an equal request is decided as it comes" equal "$(state A-5) $(curl -sS "$url/access/requests/A-5" | jq -r .by)" "allowed  D-1"

check "... and names the parts that it is about" equal "$(registry show --json | jq -c '.decisions[0] | [.endpoints, .columns]')" "[[],[]]"

# --- emergencies ----------------------------------------------------------------------------------------
at ana break-glass open E-1 --service $R/huellas --consumer $M --purpose P-1 --reason Inundación --hours 24 --label e1 >/dev/null || die "no proposal"
check "one operator opens nothing" equal "$(curl -sS "$url/break-glass" | jq -c .emergencies)" "[]"
at blas approve e1 --yes >/dev/null || die "not approved"
check "two open at once" equal "$(curl -sS "$url/break-glass" | jq -r '.emergencies[] | .id + " " + .state + " " + (.opened_by | sort | join(" "))')" "E-1 open ana blas"
check "73 hours are too many" contains "$(why at ana break-glass open E-2 --service $R/huellas --consumer $M --purpose P-1 --reason R --hours 73)" "1 to 72"

# --- public lists ---------------------------------------------------------------------------------------
check "restrictions are public, with ground, end and days left" equal \
    "$(curl -sS "$url/restrictions" | jq -r '.restrictions[] | "\(.id) \(.ground) \(.by_law) \(.state) \(.days_left > 290)"' | tr '\n' ' ')" \
    "R-actas privacy false in force true R-huellas privacy true in force true R-padrones privacy false in force true R-personas privacy false in force true "
check "... and beside them what is closed without one" equal \
    "$(curl -sS "$url/restrictions" | jq -c '[.closed_without_restriction[] | [.service, .owner, (.how | map(.by + " " + .rule))]]')" \
    "[[\"$R/apagado\",\"${R%/*}\",[\"disabled service/disabled\"]],[\"$R/huellas\",\"${R%/*}\",[\"columns column/unlisted\"]],[\"$R/lento\",\"${R%/*}\",[\"rate rate/service\"]],[\"$R/tabla\",\"${R%/*}\",[\"columns column/unlisted\"]]]"
check "... a list of its own" equal "$(curl -sS "$url/restrictions/without?after=$R/lento" | jq -r '.closed_without_restriction[0].how[0].given_at_most[0]')" nombre
check "... as JSON-LD too, without a ground" equal \
    "$(curl -sS "$url/restrictions/without?format=jsonld" | jq -c '."@graph"[0] | [."odrl:prohibition"."odrl:target", ."chaski:ground", ."chaski:how"[0].notice]')" \
    "[\"urn:chaski:$R/apagado\",null,\"Mantenimiento\"]"
check "... page by page" equal "$(curl -sS "$url/restrictions?after=R-huellas" | jq -r '[.restrictions[].id] | join(" ")')" "R-padrones R-personas"
check "... and as JSON-LD" equal "$(curl -sS -H 'Accept: application/ld+json' "$url/restrictions" | jq -r '."@graph"[0]."odrl:prohibition"."odrl:target"')" "urn:chaski:$R/actas"
check "grants too" equal "$(curl -sS "$url/grants?format=jsonld" | jq -r '."@graph"[0] | ."@type" + " " + ."odrl:assignee"')" "odrl:Agreement urn:chaski:$M"
check "a request that is not there is not found" equal "$(curl -sS -o /dev/null -w '%{http_code}' "$url/access/requests/A-77")" 404
check "the list takes no orders" equal "$(curl -sS -o /dev/null -w '%{http_code}' -X POST -d x "$url/restrictions")" 405

# --- silence --------------------------------------------------------------------------------------------
if [ -z "$shift_clock" ]; then
    skip "silence" "the sanitizers want to be loaded first"
    finish
fi
kill "$pid"; wait "$pid"
echo $((25 * 86400)) >"$C/clock"
serve
check "silence opens what the law does not reserve" equal "$(state A-1)" "silent "
check "... and what it reserves goes to the arbiter" equal "$(state A-2)" "escalated arbiter"
check "... and of parts alike" equal "$(state A-7) $(state A-8)" "silent  escalated arbiter"
check "the member is told the same" contains "$(access a status A-1)" "A-1  silent"
check "an objection comes too late" contains "$(why access b object A-1 --ground privacy --reason Tarde)" "the time to object is over"
check "an emergency that is over waits for its review" equal "$(curl -sS "$url/break-glass" | jq -r '.emergencies[] | "\(.state) \(.overdue)"')" "review due true"
reminded() { grep -h '"registry.reminded"' "$C/serve.events" | jq -r .notice | grep -c -x "$1"; }
is_reminded() { [ "$(reminded "$1")" = 1 ]; }
check "operators are reminded of it" wait_for 20 is_reminded "break-glass/review-overdue E-1"
at ana break-glass review E-1 --reason "Con razón" --label r1 >/dev/null 2>&1
check "who opened it does not review it" equal "$(curl -sS "$url/break-glass" | jq -r '.emergencies[].state')" "review due"
check "a third person does" contains "$(at caro break-glass review E-1 --reason "Con razón" 2>&1; curl -sS "$url/break-glass" | jq -r '.emergencies[] | .state + " by " + .reviewed_by')" "reviewed by caro"
check "who asked may withdraw" contains "$(access a withdraw A-1 --reason "Ya no")" "withdrawn"
kill "$pid"; wait "$pid"
echo $((303 * 86400)) >"$C/clock"
serve
check "that restrictions have ended is told" wait_for 20 is_reminded "restriction/ended R-actas"
kill "$pid"; wait "$pid"
serve
later() { [ "$(grep -c '"registry.ready"' "$C/serve.events")" = 4 ]; }
wait_for 20 later
sleep 4
check "... once, also after a new start" equal "$(reminded 'restriction/ended R-actas') $(reminded 'break-glass/review-overdue E-1')" "1 1"
check "the registry's own list says who may what" contains "$(registry show)" "REQUESTS FOR ACCESS (9)"
check "... and emergencies by themselves" equal "$(LD_PRELOAD=$shift_clock "$BIN/chaski-registry" break-glass list "$C/store" --json | jq -r '.emergencies[] | .id + " " + .state')" "E-1 reviewed"
finish
