#!/bin/bash
# SPDX-License-Identifier: MIT
# Backup and takeover as docs/OPERATIONS.md tells it: the store is copied while it is served, the first
# registry dies, a second one goes on from the copy, nodes follow it; an old copy is refused, by what the folder
# shows and by what a mirror shows. And a whole country's institutions arrive from a table.
. "$(dirname "$0")/lib.sh"
refused() { ! "$@"; }
country_make >/dev/null
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES >/dev/null
for who in ana blas; do
    "$BIN/chaski-registry" operator key "$C/$who.key" >"$C/$who.pub" || die "no key"
    registry operator add "$who" --name "$who" --key "$(cat "$C/$who.pub")" --role enrol --role approve --role publish >/dev/null || die "no operator"
done
registry anchor --url http://127.0.0.1:1 --to "$C/chaski.anchor" >/dev/null || die "no anchor"

serve() { # STORE FOLDER WORDS...
    rm -f "$C/ready"
    "$BIN/chaski-registry" serve "$1" --listen 127.0.0.1:0 --directory "$2" --authority --admin 127.0.0.1:0 \
        --ready-file "$C/ready" "${@:3}" 2>>"$C/serve.events" &
    pid=$!
    pids+=($pid)
    wait_for 20 test -s "$C/ready" || return 1
    url=http://$(sed -n 's/^listen=//p' "$C/ready")
    admin=https://$(sed -n 's/^admin=//p' "$C/ready")
    authority_pid=$(sed -n 's/^authority_pid=//p' "$C/ready")
}
at() { "$BIN/chaski-registry" "${@:2}" --at "$admin" --anchor "$C/chaski.anchor" --as "$C/$1.key"; }
purpose() { at ana purpose add "$1" --title "$1" --legal-basis Ley; }
mirror() { # copies the published folder to where a web server shows it
    mkdir -p "$C/mirror/directory"
    cp -r "$C/directory/." "$C/mirror/directory/"
}

serve "$C/store" "$C/directory" || die "it does not start: $(tail -n 1 "$C/serve.events")"
server_start a || die "no node"
purpose P-10 >/dev/null
said=$(at ana member add CO/GOV/1 --name Uno)
mkdir -p "$C/store/statuses/0123" && echo answer >"$C/store/statuses/0123/1.ocsp"
check "a copy is made while it is served" registry backup --to "$C/early"
check "... whose keys are for their owner alone" equal "$(find "$C/early" -name '*.key' -perm /077 | wc -l)" 0
check "... and what outside authorities said is in it" cmp "$C/store/statuses/0123/1.ocsp" "$C/early/statuses/0123/1.ocsp"
check "a copy is not written over another" refused registry backup --to "$C/early"
(for i in 1 2 3 4 5 6 7 8; do purpose "P-2$i" >/dev/null; done) &
working=$!
for i in 1 2 3 4 5; do registry backup --to "$C/busy$i" >/dev/null || echo bad; done >"$C/busy"
wait $working
check "copies that are made while acts arrive are whole" equal "$(cat "$C/busy")" ""
purpose P-30 >/dev/null
mirror
check "the last copy has all" registry backup --to "$C/late"
epoch=$(sed -n 2p "$C/directory/checkpoint")
serial() { cat "$1/stamp/serial"; }
check "the copy gives other serial numbers" test "$(serial "$C/late")" -ge $(($(serial "$C/store") + 1000000000))

# --- the first machine dies -------------------------------------------------------------------------
kill -9 "$pid"
wait "$pid" 2>/dev/null
wait_for 5 gone "$authority_pid"
mv "$C/store" "$C/burnt"
mv "$C/directory" "$C/burnt-directory"
# any web server shows a mirror; this one is at hand
show() { # FOLDER NAME: serves a folder's directory/ as files alone
    mkdir -p "$C/tsa-$2"
    cp -r "$C/burnt/stamp" "$C/tsa-$2/stamp"
    "$BIN/chaski-registry" serve "$C/tsa-$2" --listen 127.0.0.1:0 --directory "$1/directory" --ready-file "$C/$2.ready" 2>/dev/null &
    pids+=($!)
    wait_for 10 test -s "$C/$2.ready" || die "no mirror"
}
show "$C/mirror" mirror
mirror_url=http://$(sed -n 's/^listen=//p' "$C/mirror.ready")

"$BIN/chaski-registry" serve "$C/early" --listen 127.0.0.1:0 --directory "$C/fresh" --authority --mirror "$mirror_url" 2>"$C/early.events"
check "an old copy is refused when a mirror knows more" contains "$(cat "$C/early.events")" "the store is an old copy"
check "... and has published nothing" refused test -e "$C/fresh/checkpoint"
"$BIN/chaski-registry" serve "$C/early" --listen 127.0.0.1:0 --directory "$C/burnt-directory" --authority 2>"$C/early.events"
check "... or the folder does" contains "$(cat "$C/early.events")" "the store is an old copy"
"$BIN/chaski-registry" serve "$C/late" --listen 127.0.0.1:0 --directory "$C/fresh" --authority --mirror http://127.0.0.1:1 2>"$C/late.events"
check "a mirror that does not answer is said, and not passed over" contains "$(cat "$C/late.events")" "does not answer"
cp -r "$C/late" "$C/fork"
for i in 1 2 3 4; do "$BIN/chaski-registry" purpose add "$C/fork" "F-$i" --title F --legal-basis L --as "$C/ana.key" >/dev/null; done
"$BIN/chaski-registry" publish "$C/fork" --to "$C/forked" >/dev/null
mkdir -p "$C/fork-mirror" && cp -r "$C/forked" "$C/fork-mirror/directory"
show "$C/fork-mirror" fork
cp -r "$C/late" "$C/other"
for i in 1 2 3 4 5 6; do "$BIN/chaski-registry" purpose add "$C/other" "G-$i" --title G --legal-basis L --as "$C/ana.key" >/dev/null; done
"$BIN/chaski-registry" serve "$C/other" --listen 127.0.0.1:0 --directory "$C/fresh" --authority \
    --mirror "http://$(sed -n 's/^listen=//p' "$C/fork.ready")" 2>"$C/fork.events"
check "a store with another history than a mirror's is refused" contains "$(cat "$C/fork.events")" "nodes would refuse a fork"

# --- the second one goes on -------------------------------------------------------------------------
cp -r "$C/mirror/directory" "$C/directory"
check "the newest copy is served" serve "$C/late" "$C/directory" --mirror "$mirror_url"
check "... from where the first one was" test "$(sed -n 2p "$C/directory/checkpoint")" -ge "$epoch"
check "what waited for approval waits there" contains "$(at blas proposals)" "${said:0:16}"
check "... and is carried out" contains "$(at blas approve "${said:0:16}" --yes)" "carried out"
check "the node follows the second registry" wait_for 10 sh -c "grep directory.taken '$C/a/server.events' | tail -n 1 | grep -q '\"epoch\":$(sed -n 2p "$C/directory/checkpoint")[,}]'"
check "... and has refused nothing" refused grep -q directory.refused "$C/a/server.events"
check "it gives time stamps" sh -c "openssl ts -query -data '$C/chaski.anchor' -sha256 -cert 2>/dev/null |
    curl -sSf -H 'Content-Type: application/timestamp-query' --data-binary @- '$url/tsa' -o '$C/tsr' &&
    openssl ts -verify -in '$C/tsr' -data '$C/chaski.anchor' -CAfile '$C/late/anchor/trust.pem'"

# --- a table ----------------------------------------------------------------------------------------
cat >"$C/table.csv" <<'T'
cod_institucion,nombre,nit
0001,Alcaldía de Uno,800000001
0002,Concejo de Uno,800000001
0003,Hospital sin número,
0004,"Con ""comillas"", y coma",800000004
0005,Código / malo,80/5
T
printf '0006,%s,800000006\n' "$(head -c 300 /dev/zero | tr '\0' n)" >>"$C/table.csv"
at ana import "$C/table.csv" --public --label tabla --report "$C/report.csv" >"$C/said"
check "a table becomes proposals" equal "$(grep -c 'waits with 1 approval' "$C/said")" 4
check "each row is reported" equal "$(cut -d, -f1,4,5 "$C/report.csv" | tail -n +2 | tr '\n' ' ')" \
    '2,"CO/GOV/800000001-0001","new" 3,"CO/GOV/800000001-0002","new" 4,"CO/SIGEP/0003","new" 5,"CO/GOV/800000004","new" 6,"","not imported" 7,"CO/GOV/800000006","not imported" '
check "all of it is approved at once" equal "$(at blas approve tabla --yes | grep -c 'carried out')" 4
check "the same table again changes nothing" equal "$(at ana import "$C/table.csv" --public)" ""
check "it was one publication" equal "$("$BIN/chaski-registry" show "$C/late" --json | jq '[.members[] | select(.id | test("/80000|SIGEP"))] | length')" 4
kill "$pid"; wait "$pid"

TABLE=$ROOT/../shared/data/entidades_publicas_sigep.csv
if [ -r "$TABLE" ]; then
    "$BIN/chaski-registry" init "$C/country" --instance CO --name A >/dev/null
    said=$("$BIN/chaski-registry" import "$C/country" "$TABLE" --public --report "$C/country.csv")
    check "a whole country's institutions get identifiers" contains "$said" "6323 rows: 6321 new members"
    check "... also those that share a number, and those without" contains "$said" "1494 rows share a number with others, 957 have none"
    check "... no two the same" equal "$(grep ',"new",' "$C/country.csv" | cut -d, -f4 | sort | uniq -d)" ""
    check "... and again, nothing is new" contains "$("$BIN/chaski-registry" import "$C/country" "$TABLE" --public)" "0 new members, 6321 registered already"
fi
finish
