#!/bin/bash
# SPDX-License-Identifier: MIT
# Both servers take another transport key into use while they exchange, by an act of their member: exchanges wait for
# a moment and none is lost. Killed between the act and the change a node comes back with the key that the directory names.
. "$(dirname "$0")/lib.sh"
client=CO/MUN/890905211/TRAMITES
service=CO/GOV/899999027/DIVIPOLA/municipios
two_members $service
registry_follow a b
for m in a b; do
    sed -i 's/^seal_roll_s = .*/seal_roll_s = 86400/' "$C/$m/server.conf"
    echo 'directory_poll_ms = 1000' >>"$C/$m/server.conf"
done
printf 'una frase de paso larga\n' >"$C/pass"; chmod 600 "$C/pass"
"$BIN/chaski" keys seal --folder "$C/b/keys" --passphrase "file:$C/pass" >/dev/null || die "keys are not sealed"
echo "keys_passphrase = \"file:$C/pass\"" >>"$C/b/server.conf"
named() { "$BIN/chaski-registry" show "$C/store" --json | jq -r ".servers[] | select(.id == \"${SERVER[$1]}\").transport_key"; }

servers_start a b
check "a start makes the next transport key" test -s "$C/a/keys/transport.next.key"
check "... sealed where the others are" grep -q "CHASKI ENCRYPTED KEY" "$C/b/keys/transport.next.key"
"$PEER" serve "ipc://$C/b/front" CO/GOV/899999027/DIVIPOLA "$C/served" 2>/dev/null &
pids+=($!)
load() { # rounds that each end only when every exchange was answered
    while [ ! -e "$C/enough" ]; do
        rm -f "$C/answered.now"
        "$PEER" ask "ipc://$C/a/front" $client $service 100 4 "" "$C/answered.now" >>"$C/ask.out" 2>&1
        cat "$C/answered.now" >>"$C/answered"
        echo "$(date +%s%3N) $(wc -l <"$C/answered.now")" >>"$C/rounds"
    done
}
load & asker=$!
pids+=($asker)
check "exchanges begin" wait_for 20 test -s "$C/answered"
more() { [ "$(wc -l <"$C/answered")" -ge "$1" ]; }
rolled() { [ "$(grep -c '"transport.rolled"' "$C/$1/server.events")" -ge "$2" ]; }
for m in b a; do
    old=$(named $m)
    "$BIN/chaski" keys roll transport --config "$C/$m/server.conf" >"$C/roll.out" 2>&1
    check "the member of $m has the directory name its next key" contains "$(cat "$C/roll.out")" "stands in the directory"
    check "... which is another" test "$(named $m)" != "$old"
    check "... and the running node takes it into use" wait_for 20 rolled $m 1
    check "... under its name" test ! -e "$C/$m/keys/transport.next.key" -a -s "$C/$m/keys/transport.key"
    now=$(wc -l <"$C/answered")
    check "exchanges go on" wait_for 60 more $((now + 400))
done
"$BIN/chaski" keys roll transport --config "$C/a/server.conf" >"$C/roll.out" 2>&1
check "the one after it is made at the next start, which is said" contains "$(cat "$C/roll.out")" "makes it at its start"
touch "$C/enough"
check "all that was begun ends" wait_for 60 gone $asker
echo "# $(wc -l <"$C/answered") answered; the longest that 100 exchanges took: $(awk 'NR > 1 { d = $1 - before; if (d > most) most = d } { before = $1 } END { print most }' "$C/rounds") ms"
check "no exchange was refused or lost" equal "$(grep -Evc '^asked 100 in|^  OK +100$' "$C/ask.out") $(sort -u "$C/answered" | wc -l)" "0 $(($(wc -l <"$C/rounds") * 100))"
sort "$C/served" | uniq -d >"$C/twice"
check "nothing ran twice" equal "$(wc -l <"$C/twice")" 0

# --- killed between the act and the change ----------------------------------------------------------
for m in a b; do server_stop $m >/dev/null; server_start $m || die "server $m: $(tail -n 1 "$C/$m/server.events")"; done
check "a start makes the one after it" test -s "$C/b/keys/transport.next.key"
server_kill b
cp "$C/b/keys/transport.key" "$C/old.key"
"$BIN/chaski" keys roll transport --config "$C/b/server.conf" >"$C/roll.out" 2>&1
check "the key of a node that is down is named" contains "$(cat "$C/roll.out")" "stands in the directory"
"$BIN/chaski" keys roll transport --config "$C/b/server.conf" >"$C/roll.out" 2>&1
check "... once" contains "$(cat "$C/roll.out")" "stands there already"
server_start b || die "b does not come back: $(tail -n 1 "$C/b/server.events")"
check "it comes back, and takes it when it has the directory" wait_for 20 rolled b 2
check "... under its name" test "$(sha256sum <"$C/b/keys/transport.key")" != "$(sha256sum <"$C/old.key")"
rm -f "$C/last"; "$PEER" ask "ipc://$C/a/front" $client $service 50 4 "" "$C/last" >"$C/ask.last" 2>&1
check "... and exchanges" equal "$(wc -l <"$C/last")" 50
server_stop b; check "server b stops as asked" equal $? 0
server_start b || die "b does not start again: $(tail -n 1 "$C/b/server.events")"
rm -f "$C/last"; "$PEER" ask "ipc://$C/a/front" $client $service 50 4 "" "$C/last" >"$C/ask.last" 2>&1
check "after another start it exchanges" equal "$(wc -l <"$C/last")" 50
servers_stop a b >/dev/null
check "both logs verify" "$BIN/chaski-audit" verify "$C/a/audit" "$C/b/audit"
finish
