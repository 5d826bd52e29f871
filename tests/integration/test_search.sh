#!/bin/bash
# SPDX-License-Identifier: MIT
# The auditor finds: exchanges of each outcome, by every filter, page by page, in three shapes; by an index that
# is derived, so that nothing which befalls it changes what is found.
. "$(dirname "$0")/lib.sh"
PEER=$OUT/tests/front_peer
AUDIT=$BIN/chaski-audit
A=CO/MUN/890905211
D=CO/GOV/899999027/DIVIPOLA
CHECKPOINT_MS=300
country_make >/dev/null
member_make a $A/SS1 "Alcaldía de Medellín" TRAMITES >/dev/null
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA >/dev/null
printf 'cod,nombre\n05001,MEDELLÍN\n11001,"BOGOTÁ, D.C."\n' >"$C/municipios.csv"
cat >"$C/acts" <<E
service add $D/municipios --class open
service add $D/comun
service add $D/reservado
$(restriction_words $D/reservado)
service add $D/caido --class open
service add $D/mudo --class open
service add $A/TRAMITES/eco --class open
E
registry batch "$C/acts" || die "no services"
publish || die "nothing published"
dead_port=$(free_port)
mute_port=$(free_port)
cat >"$C/b/services/all.conf" <<E
service "$D/municipios" { kind = table file = "$C/municipios.csv" key = "cod" }
service "$D/comun" { kind = table file = "$C/municipios.csv" key = "cod" }
service "$D/reservado" { kind = table file = "$C/municipios.csv" key = "cod" }
service "$D/caido" { kind = http url = "http://127.0.0.1:$dead_port" }
service "$D/mudo" { kind = http url = "http://127.0.0.1:$mute_port" timeout_ms = 400 }
E
"$OUT/tests/mute" "$mute_port" 2>/dev/null &
pids+=($!)
for name in a b; do
    server_start $name || die "server $name: $(tail -n 1 "$C/$name/server.events")"
    gateway_start $name || die "gateway $name: $(tail -n 1 "$C/$name/gateway.events")"
done
wait_for 10 grep -q front.gateway_arrived "$C/b/server.events"
G=$(gateway_url a)

search() { # into $C/said and $C/remarks
    timeout 60 "$AUDIT" search "$@" >"$C/said" 2>"$C/remarks" </dev/null
}
rows() { search "$@" --json && jq '.rows | length' <"$C/said"; }
finds() { # SENTENCE COUNT ARGUMENTS...
    local sentence=$1 count=$2; shift 2
    check "$sentence" equal "$(rows "$@")" "$count"
}
ask() { curl -sS --max-time 20 -o /dev/null -w '%{http_code}' -H "X-Road-Client: $A/TRAMITES" "$@"; }

# --- exchanges of several outcomes ------------------------------------------------------------------
statuses=$(
    for ((i = 0; i < 5; i++)); do ask "$G/r1/$D/municipios/05001"; done
    ask -H 'Chaski-Purpose: P-1' -H 'Chaski-Case: 2026-1' -H 'Chaski-Procedure: T-7' "$G/r1/$D/comun/05001"
    ask -H 'Chaski-Purpose: P-1' -H 'Chaski-Case: 2026-2' "$G/r1/$D/comun/11001"
    ask "$G/r1/$D/municipios/99999"
    ask "$G/r1/$D/comun/05001"
    ask "$G/r1/$D/reservado/05001"
    ask "$G/r1/$D/caido/"
    ask "$G/r1/$D/mudo/"
)
check "exchanges of each outcome are made" equal "$statuses" "200200200200200200200404403403502504"
L=$C/a/audit
check "the log of a running node is searched" search "$L"
check "... with an index beside it" test -s "$L/index/search.db"
check "... for its owner alone" equal "$(stat -c %a "$L/index" "$L/index/search.db" | tr '\n' ' ')" "700 600 "

# --- filters ----------------------------------------------------------------------------------------
finds "all exchanges, and the start of the node" 13 "$L"
finds "what was answered" 7 "$L" --outcome ok
finds "what was refused, by a rule or for what was asked" 3 "$L" --outcome refused
finds "what failed" 2 "$L" --outcome failed
finds "what is under way" 0 "$L" --outcome none
finds "by a fault" 2 "$L" --outcome ACCESS_DENIED
finds "by another fault" 1 "$L" --outcome SERVICE_DOWN
finds "by a status" 1 "$L" --outcome 404
finds "by purpose" 2 "$L" --purpose P-1
finds "by case" 1 "$L" --case 2026-2
finds "by rule" 1 "$L" --rule shared/no-purpose
finds "by a rule without its id" 2 "$L" --rule shared/competence
finds "by a rule with its id" 2 "$L" --rule "shared/competence C-MUN"
finds "... which is the whole id" 0 "$L" --rule "shared/competence C-MU"
finds "by service" 3 "$L" --service $D/comun
finds "by the beginning of services" 12 "$L" --service $D
finds "by peer" 0 "$L" --peer CO/GOV/1/SS1
finds "by member" 12 "$L" --member CO/GOV/899999027
finds "... and what was refused before it was sent is no request" 10 "$L" --member CO/GOV/899999027 --kind request
finds "by kind" 1 "$L" --kind started
finds "by two at once" 1 "$L" --outcome refused --service $D/comun
finds "by day" 13 "$L" --from "$(date -u +%Y-%m-%d -d yesterday)" --until "$(date -u +%Y-%m-%d)"
finds "by a time in which nothing was" 0 "$L" --until 2026-01-01
finds "the other side of it" 7 "$C/b/audit" --outcome ok --member $A --peer $A/SS1
id=$(search "$L" --outcome SERVICE_TIMEOUT --json && jq -r '.rows[0].exchange' <"$C/said")
finds "an exchange by its id" 1 "$L" --exchange "$id"
finds "... at the other side too" 1 "$C/b/audit" --exchange "$id"
finds "... or its first digits" 1 "$L" --exchange "${id:0:8}"
check "the time it took is there" test "$(jq '.rows[0].latency_ms' <"$C/said")" -ge 400
entry=$(jq '.rows[0].entry' <"$C/said")
check "a row's entry is the one that show shows" contains "$("$AUDIT" show "$L" "$entry")" "$id"

# --- nothing is run as SQL, and wrong questions are told ----------------------------------------------
for text in "' OR 1=1 --" "P-1'; DROP TABLE record; --" 'P-1" OR "1"="1' '%' '?'; do
    finds "the purpose $text is a word and no SQL" 0 "$L" --purpose "$text"
    finds "... a case too" 0 "$L" --case "$text"
    finds "... and the beginning of a service" 0 "$L" --service "$text"
done
finds "and everything is still there" 13 "$L"
wrong() { # SENTENCE WORDS ARGUMENTS...
    local sentence=$1 words=$2 status; shift 2
    search "$@"; status=$?
    check "$sentence" contains "$status $(cat "$C/remarks")" "$words"
    check "... with exit status 2" equal "$status" 2
}
wrong "a limit over the bound is told" "1 to 10000" "$L" --limit 10001
wrong "a time that is none" "is no time" "$L" --from ayer
wrong "an outcome that is none" "ACCESS_DENIED" "$L" --outcome bien
wrong "a person's number is no pseudonym" "hexadecimal" "$L" --subject 1.234.567
wrong "an unknown option" "no option --todo" "$L" --todo
wrong "a folder that holds no log" "no log in" "$C"
wrong "a folder that is not there" "No such file" "$C/nowhere"
wrong "a place for the index that cannot be written" "--index FILE" "$L" --index /sys/search.db
search "$L" --purpose P-9
check "nothing found is exit status 0 and a line" equal "$? $(cat "$C/said")" "0 none found: nothing in this log has the --purpose asked for"

# --- pages and shapes ---------------------------------------------------------------------------------
pages() { # LIMIT ORDER: all entries, page by page
    local after=()
    while search "$L" --limit "$1" "$2" --json "${after[@]}"; do
        jq -r '.rows[].entry' <"$C/said"
        [ "$(jq -r .after <"$C/said")" != null ] || return 0
        after=(--after "$(jq -r .after <"$C/said")")
    done
}
search "$L" --json --limit 100
check "JSON is an object that jq reads" jq -e '.rows and .remarks and .indexed_entries' "$C/said"
whole=$(jq -r '.rows[].entry' <"$C/said")
check "newest first" equal "$whole" "$(sort -rn <<<"$whole")"
check "pages of 3 make the whole" equal "$(pages 3 --newest)" "$whole"
check "... oldest first too" equal "$(pages 4 --oldest | tac)" "$whole"
search "$L" --limit 2
check "a page for people says how to go on" contains "$(tail -n 1 "$C/said")" "--after $(search "$L" --limit 2 --json && jq -r .after <"$C/said")"
search "$L" --csv
csv() { sqlite3 :memory: ".import --csv $C/said t" "$1"; }
check "CSV is read by others" equal "$(csv 'SELECT count(*), sum(outcome = "200"), sum(case_ref = "2026-1") FROM t')" "13|7|1"
check "... with as many cells in each row" equal "$(csv 'SELECT count(*) FROM t WHERE answer_bytes IS NULL')" 0
search "$L" --limit 100
check "lines for people have their columns under one another" equal \
    "$(grep -o '^.*CO/MUN/890905211/TRAMITES' "$C/said" | awk '{ print length }' | sort -u | wc -l)" 1

# --- what comes later -----------------------------------------------------------------------------------
ask -H 'Chaski-Purpose: P-1' "$G/r1/$D/comun/05001" >/dev/null
finds "the next search knows what came later" 14 "$L"
check "... without a remark" equal "$(cat "$C/remarks")" ""
ask "$G/r1/$D/comun/05001" >/dev/null
finds "as it is, the index does not look" 14 "$L" --as-is
finds "an index elsewhere" 15 "$L" --index "$C/elsewhere.db"
check "... is where it was wanted" test -s "$C/elsewhere.db"

# --- a larger log, at rest, whose search must always say the same -----------------------------------------
"$PEER" serve "ipc://$C/a/front" $A/TRAMITES 2>/dev/null &
pids+=($!)
sleep 0.5
timeout 60 "$PEER" ask "ipc://$C/a/front" $A/TRAMITES $A/TRAMITES/eco 1200 64 >"$C/asked" 2>/dev/null
cp -r "$L/log" "$C/log.half"
timeout 60 "$PEER" ask "ipc://$C/a/front" $A/TRAMITES $A/TRAMITES/eco 1200 64 >>"$C/asked" 2>/dev/null
server_stop a
X=$C/copy
cp -r "$L" "$X"
finds "an index that came with a copy is not believed" 1 "$X" --outcome 404
check "... which is remarked" contains "$(cat "$C/remarks")" "made elsewhere"
picture() { search "$X" --json --limit 10000 --oldest && jq -c .rows <"$C/said" | sha256sum; }
right=$(picture)
count=$(jq '.rows | length' <"$C/said")
check "a large page is whole" test "$count" -gt 4800
check "a server's exchanges with itself are two rows each, both answered" equal "$(rows "$X" --service $A/TRAMITES/eco --limit 10000) $(rows "$X" --outcome none)" "4800 0"
right_is() { check "$1" equal "$(picture)" "$right"; }
db=$X/index/search.db
right_is "a search finds the same again"
rm "$db"; right_is "... when the index was removed"
rm -r "$X/index"; right_is "... with its folder"
head -c 100000 /dev/urandom >"$db"; right_is "... when it is rubbish"
check "... which is remarked" contains "$(cat "$C/remarks")" "made anew: it is damaged"
truncate -s 40000 "$db"; right_is "... when it was cut"
dd if=/dev/urandom of="$db" bs=4096 seek=5 count=100 conv=notrunc 2>/dev/null; right_is "... when pages of it were overwritten"
check "... which is remarked" contains "$(cat "$C/remarks")" "made anew: it is damaged"
: >"$db"; right_is "... when it is empty"
for ((i = 0; i < 4; i++)); do
    [ $i -gt 0 ] || rm "$db"
    "$AUDIT" search "$X" --json --limit 10000 --oldest >"$C/at_once.$i" 2>/dev/null </dev/null &
    searching[i]=$!
done
wait "${searching[@]}"
check "... when four make it at once" equal \
    "$(for ((i = 0; i < 4; i++)); do jq -c .rows <"$C/at_once.$i" | sha256sum; done | sort -u)" "$right"

# killed while it is made: the old one or the new one
killed_within() { # MILLISECONDS ARGUMENTS...
    local ms=$1; shift
    "$AUDIT" search "$@" >/dev/null 2>&1 </dev/null &
    sleep "$(printf '0.%03d' "$ms")"
    kill -9 $! 2>/dev/null
    wait $! 2>/dev/null
}
halves=0
wrongs=0
for ((i = 0; i < 30; i++)); do
    killed_within $((4 + i * 4)) "$X" --rebuild
    [ ! -e "$db.new" ] || halves=$((halves + 1))
    [ "$(picture)" = "$right" ] || wrongs=$((wrongs + 1))
done
check "killed while the index is made anew, the search is right" equal $wrongs 0
check "... and it was killed with half an index" test $halves -gt 0
wrongs=0
for ((i = 0; i < 12; i++)); do
    rm -rf "$X/log"; cp -r "$C/log.half" "$X/log"
    search "$X" --rebuild
    rm -rf "$X/log"; cp -r "$L/log" "$X/log"
    killed_within $((8 + i * 6)) "$X"
    [ "$(picture)" = "$right" ] || wrongs=$((wrongs + 1))
    grep -q "made anew" "$C/remarks" && wrongs=$((wrongs + 1))
done
check "killed while it catches up, it goes on from where it was" equal $wrongs 0
rm -rf "$X/log"; cp -r "$C/log.half" "$X/log"
search "$X" --json --limit 10000
check "a log that was cut is noticed" contains "$(cat "$C/remarks")" "another one than it was made of"
check "... and what is gone is not found" test "$(jq '.rows | length' <"$C/said")" -lt "$count"
finish
