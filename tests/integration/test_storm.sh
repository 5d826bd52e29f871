#!/bin/bash
# SPDX-License-Identifier: MIT
# kill -9 of either security server at random moments under load: nothing that was answered is missing
# in either log, nothing ran twice, both logs verify. STORM_KILLS sets how many (default 200).
SEAL_ROLL_S=2 SEAL_OVERLAP_S=2
. "$(dirname "$0")/lib.sh"

kills=${STORM_KILLS:-200}
PEER=$OUT/tests/front_peer
client=CO/MUN/890905211/TRAMITES
service=CO/GOV/899999027/DIVIPOLA/municipios

country_make
member_make a CO/MUN/890905211/SS1 "Medellín" TRAMITES
member_make b CO/GOV/899999027/SS1 "DANE" DIVIPOLA
registry service add $service --class open || die "no service"
publish || die "nothing published"
server_start a || die "server a does not start: $(tail -n 1 "$C/a/server.events")"
server_start b || die "server b does not start: $(tail -n 1 "$C/b/server.events")"

"$PEER" serve "ipc://$C/b/front" CO/GOV/899999027/DIVIPOLA "$C/served" 2>/dev/null &
pids+=($!)
"$PEER" ask "ipc://$C/a/front" $client $service 10000000 32 "" "$C/answered" >"$C/ask.out" 2>&1 &
asker=$!
pids+=($asker)

RANDOM=${STORM_SEED:-4711}
started=$(date +%s)
for ((i = 0; i < kills; i++)); do
    sleep "0.$(printf %03d $((RANDOM % 250)))"
    victim=$([ $((RANDOM % 2)) = 0 ] && echo a || echo b)
    # sometimes only one of its processes, which the supervisor must notice
    case $((RANDOM % 4)) in
    0) kill -9 "$(sed -n 's/^exchange_pid=//p' "$C/$victim/server.ready")" 2>/dev/null
       rm -f "$C/$victim/server.ready"
       wait_for 20 test -s "$C/$victim/server.ready" ||
           { server_kill $victim; server_start $victim || die "$victim does not come back: $(tail -n 1 "$C/$victim/server.events")"; } ;;
    *) server_kill $victim
       server_start $victim || die "$victim does not come back: $(tail -n 1 "$C/$victim/server.events")" ;;
    esac
    [ ! -t 2 ] || printf '\r  %d of %d kills' $((i + 1)) "$kills" >&2
done
[ ! -t 2 ] || echo >&2
sleep 1
kill $asker 2>/dev/null
sleep 0.5
echo "# $kills kills in $(($(date +%s) - started)) s, $(wc -l <"$C/answered") answered, $(wc -l <"$C/served") served"
check "under $kills kills exchanges went on being answered" test "$(wc -l <"$C/answered")" -gt "$kills"

server_stop a; check "server a stops as asked after the storm" equal $? 0
server_stop b; check "server b stops as asked after the storm" equal $? 0

sort "$C/served" | uniq -d >"$C/twice"
check "no request was served twice" equal "$(wc -l <"$C/twice")" 0

for name in a b; do
    "$BIN/chaski-audit" show "$C/$name/audit" --kind response --json >"$C/$name.json" 2>"$C/$name.err" ||
        not_ok "the log of $name can be read" "$(tail -n 1 "$C/$name.err")"
    # exchange ids as 32 hex digits
    grep -o '"exchange" *: *"[0-9a-f-]*"' "$C/$name.json" | sed 's/.*"\([0-9a-f-]*\)"$/\1/; s/-//g' | sort -u >"$C/$name.ids"
    sort -u "$C/answered" | comm -23 - "$C/$name.ids" >"$C/$name.missing"
    check "every answered exchange stands in the log of $name" equal "$(wc -l <"$C/$name.missing")" 0
    check "the log of $name verifies" "$BIN/chaski-audit" verify "$C/$name/audit" --store-key "$C/$name/keys/store.key"
done
check "both logs agree with one another" "$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit" --store-key "$C/a/keys/store.key" --store-key "$C/b/keys/store.key"
check "no request is left without an outcome in either log" equal "$(for name in a b; do
    "$BIN/chaski-audit" show "$C/$name/audit" --json | grep -c '"kind" *: *"request"'
    "$BIN/chaski-audit" show "$C/$name/audit" --json | grep -cE '"kind" *: *"(response|fault)"'
done | paste -sd' ' | awk '{ print $2 - $1, $4 - $3 }')" "0 0"
finish
